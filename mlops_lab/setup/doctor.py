"""What is wrong with this machine's set-up, and how to mend it. Standard library only, within a second.

It looks and changes nothing, so it also answers before anything was installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_lab.setup import installer, lessons, requirements
from mlops_lab.setup.venv import LOCKS, ROOT, python_in, site_packages, stamped

__all__ = ["blocked", "examine", "text"]

_WORDS = {"ok": "ok    ", "note": "note  ", "blocks": "BLOCKS"}
_ENOUGH_MEMORY_GB = 3.5


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    level
        ``ok``, ``note`` (worth knowing; the course runs) or ``blocks`` (it does not).
    what
        What was looked at.
    found
        What is so.
    mend
        How to mend it; empty if nothing is to be done.
    """

    level: str
    what: str
    found: str
    mend: str = ""


def _python() -> Check:
    found = f"{'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})"
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever imports this from an older one shall read it)
        return Check("blocks", "Python", found, "the course needs Python 3.11 or newer")
    return Check("ok", "Python", found)


def _packages(root: Path) -> Iterator[Check]:
    """Look at the environment that a command would run in: this one if it suffices, else `.venv`."""
    venv = root / ".venv"
    inside = Path(sys.prefix).resolve() == venv.resolve()
    if not inside and not requirements.unmet(root):
        yield Check("ok", "packages", "this environment has all the course needs; nothing will be installed")
        return
    if not venv.exists():
        yield Check("note", ".venv", "not made yet", "any command but doctor makes it, for instance: lab")
        if importlib.util.find_spec("ensurepip") is None:
            package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            mend = f"Debian, Ubuntu: sudo apt install {package}; Fedora: python3-pip; Alpine: py3-pip"
            yield Check("blocks", "ensurepip", "missing: no virtual environment can be made", mend)
        return
    stamp, site = stamped(root), site_packages(venv)
    if not python_in(venv).exists():
        yield Check("note", ".venv", "its Python is gone (upgraded?)", "the next command makes it anew")
    elif LOCKS[0] in stamp:
        yield Check("ok", ".venv", f"whole, as {LOCKS[0]} says, Python {stamp['python']}")
    elif stamp:
        found = f"made from an older {LOCKS[0]}"
        yield Check("note", ".venv", found, "the next command brings it up to date")
    else:
        found = "not whole: its installation did not end"
        yield Check("note", ".venv", found, "the next command goes on with it")
    if LOCKS[0] in stamp:
        missing = requirements.unmet(root, site=site)
        mend = "delete the folder .venv, then run the command again" if missing else ""
        found = "; ".join(missing) if missing else "all there, within their bounds"
        yield Check("blocks" if missing else "ok", "packages", found, mend)


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root).free / 1e6
    needed = 300 if stamped(root) or not requirements.unmet(root) else installer.NEEDED_MB
    found = f"{free / 1000:.1f} GB free"
    if free < needed:
        return Check("blocks", "disk", found, f"free some: about {needed / 1000:.1f} GB are needed")
    return Check("ok", "disk", found)


def _memory() -> Check:
    total = _memory_gb()
    if total is None:
        return Check("note", "memory", "this system does not say how much there is")
    found = f"{total:.1f} GB"
    if total < _ENOUGH_MEMORY_GB:
        return Check("note", "memory", found, "close other programs while a lesson runs; open one at a time")
    return Check("ok", "memory", found)


def _memory_gb() -> float | None:
    if sys.platform == "win32":
        import ctypes

        # MEMORYSTATUSEX: its own length and the load in percent (32 bits each), then the total
        status = (ctypes.c_uint64 * 8)()
        status[0] = ctypes.sizeof(status)
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return None
        return int(status[1]) / 1e9
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (OSError, ValueError):
        return None


def _git() -> Check:
    place = shutil.which("git")
    if place is None:
        return Check("note", "git", "not found", "install it (git-scm.com) for lesson 04 and for updates")
    return Check("ok", "git", place)


def _writable(root: Path) -> Check:
    for folder in (root, root / "work"):
        if folder.exists():
            try:
                # the only honest test: modes and attributes do not tell about mounts, quotas or access lists
                with tempfile.TemporaryFile(dir=folder) as file:
                    file.write(b"x")
            except OSError as error:
                mend = "copy the course into a folder of your own, for instance in your home folder"
                return Check("blocks", "writing", f"{folder}: {error.strerror or error}", mend)
    return Check("ok", "writing", str(root))


def _port() -> Check:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        if probe.connect_ex(("127.0.0.1", 8888)) == 0:
            return Check(
                "note", "port 8888", "in use (an open lab?)", "none needed: lab takes the next free one"
            )
    return Check("ok", "port 8888", "free")


def _variables() -> Iterator[Check]:
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        found = "PYTHONDONTWRITEBYTECODE is set: every start compiles all imports anew"
        yield Check("note", "bytecode", found, "lab, run and test leave it out; elsewhere unset it")
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads != "1":
        found = f"OMP_NUM_THREADS is {threads or 'not set'}"
        yield Check(
            "note", "threads", found, "lab, run and test set it to 1; in a kernel of your own set it too"
        )
    path = os.environ.get("PYTHONPATH")
    if path:
        found = f"PYTHONPATH is set ({path}): packages from there come before the course's"
        yield Check("note", "import path", found, "unset it if an import fails strangely")


def _lessons(root: Path) -> Check:
    there = [name for name in lessons.names(root) if (root / "notebooks" / f"{name}.ipynb").is_file()]
    if not there:
        return Check("blocks", "lessons", f"none in {root / 'notebooks'}", "fetch the whole course again")
    return Check("ok", "lessons", f"{len(there)}: {there[0]} to {there[-1]}")


def examine(root: Path = ROOT) -> list[Check]:
    """Look at everything the course needs of this machine.

    It does not start the course's Python or import its packages, so a broken file inside a package stays
    unseen.
    """
    return [
        _python(),
        *_packages(root),
        _lessons(root),
        _writable(root),
        _disk(root),
        _memory(),
        _git(),
        _port(),
        *_variables(),
    ]


def blocked(checks: Sequence[Check]) -> bool:
    """Say whether something must be mended before the course runs."""
    return any(check.level == "blocks" for check in checks)


def text(checks: Sequence[Check]) -> str:
    """Write the checks down for a terminal, each that needs it with its remedy."""
    lines = []
    for check in checks:
        lines.append(f"{_WORDS[check.level]}  {check.what:<12} {check.found}")
        if check.mend:
            lines.append(f"{'':<21}-> {check.mend}")
    end = "Mend what BLOCKS, then run this again." if blocked(checks) else "Nothing stands in the way."
    return "\n".join([*lines, "", end])
