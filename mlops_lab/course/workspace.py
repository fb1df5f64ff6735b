"""The student's own folder: bring the lessons to `work/` without ever touching what a student wrote.

`notebooks/` holds the lessons with their outputs, for readers. A student works on copies without outputs, for
a stored answer would spoil every prediction. When the course is updated, a copy that the student left as it
was is renewed; beside one that was changed the new version is laid as `NN_topic.new.ipynb`.
"""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_lab import artifacts
from mlops_lab.setup import environment, lessons
from mlops_lab.setup.installer import say

__all__ = ["lab"]

_MEMORY = ".copied.json"
# JupyterLab writes these while a notebook is merely opened, so they are no sign of a student's work
_VOLATILE = ("trusted", "collapsed", "scrolled", "execution", "ExecuteTime")


@dataclass(frozen=True)
class Refreshed:
    """What happened to the lessons in `work/`.

    Parameters
    ----------
    folder
        The student's folder.
    copied, renewed, kept
        Names of lessons that are new, replaced by a newer version, and left as the student changed them.
    offered
        Files that hold the newer version of a lesson that the student changed.
    older
        Lessons that the student changed and of which the course has a newer version by now.
    """

    folder: Path
    copied: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    older: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [
            f"{len(found)} {what} ({', '.join(found)})"
            for what, found in (
                ("new", self.copied),
                ("renewed", self.renewed),
                ("left as you changed it", self.kept),
                ("newer version laid beside yours", self.offered),
            )
            if found
        ]
        said = f"{self.folder}: {'; '.join(parts) if parts else 'all lessons are up to date'}"
        if self.older:
            said += (
                f"\nOf an older course: your {', '.join(self.older)}. What the kit no longer has a text for "
                "shows its value alone. The newer lesson lies beside yours as NN_topic.new.ipynb."
            )
        return said


def _cleared(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a notebook as nobody has run it."""
    clean = copy.deepcopy(notebook)
    for cell in clean["cells"]:
        cell.get("metadata", {}).pop("execution", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    clean.get("metadata", {}).pop("widgets", None)
    return clean


def _fingerprint(notebook: dict[str, Any]) -> str:
    """Return what changes when a student writes or runs something, and not when they merely look."""
    parts = []
    for cell in notebook["cells"]:
        source = cell["source"]
        metadata = {k: v for k, v in cell.get("metadata", {}).items() if k not in _VOLATILE}
        parts.append(
            [
                cell["cell_type"],
                source if isinstance(source, str) else "".join(source),
                metadata,
                cell.get("attachments") or {},
                cell.get("outputs", []),
                cell.get("execution_count"),
            ]
        )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    """Return a notebook, or None for a file that is none (any more)."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        _fingerprint(notebook)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(notebook)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    artifacts.atomic_write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _beside(target: Path, offered: str | None, fresh: str) -> Path:
    """Return where the newer version goes: over an older offer that was left alone, else to a free name."""
    number = 1
    while True:
        place = target.with_suffix(f".new{'' if number == 1 else f'-{number}'}.ipynb")
        if not place.exists():
            return place
        there = _read(place)
        if there is not None and _fingerprint(there) in (offered, fresh):
            return place
        number += 1


def _memory(folder: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads((folder / _MEMORY).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def refresh(root: Path) -> Refreshed:
    """Bring the lessons, without outputs, to `work/`; never overwrite what a student wrote or ran.

    A copy counts as untouched while its cells are those that were copied, none of them run; that JupyterLab
    saved it anew does not matter. A lesson that the student deleted comes back. If it cannot tell (its memory
    `work/.copied.json` is gone), it takes a copy for the student's.
    """
    folder = root / "work"
    sources = [root / "notebooks" / f"{name}.ipynb" for name in lessons.names(root)]
    sources = [source for source in sources if source.is_file()]
    if not sources:
        raise FileNotFoundError(
            f"{root / 'notebooks'} holds no lessons NN_topic.ipynb; is this the whole course?"
        )
    folder.mkdir(exist_ok=True)
    memory = _memory(folder)
    copied, renewed, kept, offered, older = [], [], [], [], []
    for source in sources:
        lesson = _read(source)
        if lesson is None:
            raise ValueError(f"{source} is not a notebook; fetch the course anew (git restore {source})")
        clean = _cleared(lesson)
        fresh, target = _fingerprint(clean), folder / source.name
        known = memory.get(source.name, {})
        mine = _read(target) if target.exists() else None
        if not target.exists():
            _write(target, clean)
            copied.append(source.stem)
            memory[source.name] = {"copied": fresh}
        elif mine is not None and _fingerprint(mine) == fresh:
            memory[source.name] = {"copied": fresh}
        elif mine is not None and _fingerprint(mine) == known.get("copied"):
            _write(target, clean)
            renewed.append(source.stem)
            memory[source.name] = {"copied": fresh}
        elif fresh in (known.get("copied"), known.get("offered")):
            kept.append(source.stem)
            older += [source.stem] if fresh != known.get("copied") else []
        else:
            place = _beside(target, known.get("offered"), fresh)
            _write(place, clean)
            offered.append(place.name)
            older.append(source.stem)
            memory[source.name] = {**known, "offered": fresh}
    _write(folder / _MEMORY, memory)
    return Refreshed(folder, *map(tuple, (copied, renewed, kept, offered, older)))


def free_port(wanted: int | None = None) -> int:
    """Return a port on this machine that JupyterLab can listen on.

    Another program may take it in the moment before JupyterLab does; JupyterLab then says so.
    """
    if wanted is not None and not 1 <= wanted <= 65535:
        raise ValueError(f"port {wanted} does not exist; give one from 1024 to 65535")
    candidates = range(8888, 8908) if wanted is None else [wanted]
    for port in candidates:
        if _free(port):
            return port
    if wanted is None:
        raise ValueError("ports 8888 to 8907 are all in use; close a program, or give another with --port")
    raise ValueError(
        f"port {wanted} cannot be used (another program, perhaps an open lab, has it); give another"
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # else a port whose last user just left counts as taken for a minute
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES, getattr(errno, "WSAEACCES", errno.EACCES)):
                return False
            raise
    return True


def lab(root: Path, lesson: str | None = None, *, browser: bool = True, port: int | None = None) -> int:
    """Refresh `work/` and open JupyterLab there; return when it ends.

    It listens on this machine only, behind a token, and asks no other machine for news or updates.
    """
    lesson = lessons.find(lesson or "00", root)
    chosen = free_port(port)
    say(str(refresh(root)))
    if port is None and chosen != 8888:
        say(f"Port 8888 is in use (another lab?); this one listens on {chosen}.")
    say(f"Opening {lesson} in JupyterLab. Keep this window open; Ctrl-C here ends it.")
    with tempfile.TemporaryDirectory(prefix="mlops-lab-") as settings:
        variables = environment.prepared()
        others = [variables["JUPYTER_CONFIG_PATH"]] if variables.get("JUPYTER_CONFIG_PATH") else []
        variables["JUPYTER_CONFIG_PATH"] = os.pathsep.join([settings, *others])
        _without_news(Path(settings))
        return environment.child(_command(root / "work", lesson, browser, chosen), variables)


def _without_news(settings: Path) -> None:
    """Switch off JupyterLab's announcements for this run, leaving the student's own settings alone."""
    page = settings / "labconfig" / "page_config.json"
    page.parent.mkdir()
    page.write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )


def _command(work: Path, lesson: str, browser: bool, port: int) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={work}",
        f"--LabApp.default_url=/lab/tree/{lesson}.ipynb",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command
