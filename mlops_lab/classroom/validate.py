"""Hold every lesson's stored outputs against what its cells give now.

Each notebook is executed twice, independently. nbval executes it and compares texts and tables to the letter
(on Linux x86-64, where the lock fixes every digit; elsewhere it only executes). papermill executes it, and we
compare what nbval cannot: claims by their tolerance, and figures, which must be there, of the same size, and
not blank.
"""

from __future__ import annotations

import base64
import io
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_lab.classroom import nbval_plugin
from mlops_lab.classroom.execute import CELL_TIMEOUT_S, execute, jobs_for
from mlops_lab.classroom.kernels import KERNEL, own_kernel
from mlops_lab.classroom.notebooks import Lesson, chosen, read, text_of
from mlops_lab.classroom.outputs import collect

__all__ = ["compare", "main", "nbval", "never_run", "validate"]


def never_run(notebook: Any) -> list[str]:
    """Name the code cells that were never run: nbval compares nothing there, and says nothing.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": "1", "execution_count": None, "outputs": []}
    >>> never_run({"cells": [cell]})
    ['cell 0 was never run']
    """
    return [
        f"cell {place} was never run"
        for place, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and text_of(cell).strip() and cell.get("execution_count") is None
    ]


def compare(stored: Any, executed: Any) -> list[str]:
    """Compare claims and figures of a stored notebook with those of a fresh execution.

    Parameters
    ----------
    stored
        The notebook as the course holds it.
    executed
        The same notebook, just executed; a cell with injected parameters is passed over.

    Returns
    -------
    list of str
        One sentence for each difference, with its cell; empty when there is none.

    Examples
    --------
    >>> compare({"cells": []}, {"cells": []})
    []
    """
    fresh = {**executed, "cells": [c for c in executed["cells"] if not _injected(c)]}
    return [*never_run(stored), *_claims(collect(stored), collect(fresh)), *_figures(stored, fresh)]


def _injected(cell: Any) -> bool:
    return "injected-parameters" in cell.get("metadata", {}).get("tags", [])


def _claims(stored: Sequence[Mapping[str, Any]], fresh: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Compare typed outputs: all the same in number, kind and id; claims by value, too."""
    names = [[(p["cell"], p["type"], p["id"]) for p in payloads] for payloads in (stored, fresh)]
    if names[0] != names[1]:
        only = sorted(set(names[0]) ^ set(names[1]))
        cell, kind, name = only[0] if only else names[0][0]
        yield f"cell {cell}: the {kind} {name!r} is not in both the stored and the fresh notebook, in order"
        return
    for old, new in zip(stored, fresh, strict=True):
        where = f"cell {old['cell']}, {old['type']} {old['id']!r}"
        if old["type"] == "claim":
            fixed = ("text", "bound", "kind", "unit", "source", "holds")
            yield from (f"{where}: its {part} is {new[part]!r}, stored is {old[part]!r}" for part in fixed if new[part] != old[part])
            if not _close(old["measured"], new["measured"], old["tolerance"]):
                yield f"{where}: measured {new['measured']!r}, stored is {old['measured']!r}"
        elif old["type"] != "live" and old != new:
            yield f"{where}: differs from what is stored"


def _close(old: float | None, new: float | None, tolerance: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return tolerance is None or math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance * 1e-3)


def _figures(stored: Any, fresh: Any) -> Iterator[str]:
    for place, (old, new) in enumerate(zip(stored["cells"], fresh["cells"], strict=False)):
        before, after = (_pngs(cell) for cell in (old, new))
        if len(before) != len(after):
            yield f"cell {place}: {len(after)} figures, stored are {len(before)}"
            continue
        for png, now in zip(before, after, strict=True):
            for which, image in (("stored", png), ("fresh", now)):
                if _blank(image):
                    yield f"cell {place}: the {which} figure is blank"
            if _pixels(png).shape[:2] != _pixels(now).shape[:2]:
                yield f"cell {place}: the figure's size is {_size(now)} pixels, stored is {_size(png)}"


def _pngs(cell: Any) -> list[str]:
    return [o["data"]["image/png"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]


def _pixels(png: str) -> Any:
    """Decode a picture to an array of rows, columns and channels."""
    from matplotlib.image import imread

    return imread(io.BytesIO(base64.b64decode(png)))


def _size(png: str) -> str:
    height, width = _pixels(png).shape[:2]
    return f"{width} x {height}"


def _blank(png: str) -> bool:
    """Whether fewer than one pixel in a thousand differs from the picture's commonest brightness."""
    import numpy as np

    grey = (_pixels(png)[..., :3].mean(axis=-1) * 255).round().astype(int)
    return bool(np.bincount(grey.ravel(), minlength=256).max() > 0.999 * grey.size)


def nbval(notebooks: Sequence[Path], *, strict: bool | None = None, cell_timeout_s: float = CELL_TIMEOUT_S) -> int:
    """Execute notebooks with nbval, in copies, and compare their text outputs with the stored ones.

    Parameters
    ----------
    notebooks
        The notebooks' files; names must differ, or lie in folders of different names.
    strict
        Compare every output to the letter; by default on Linux x86-64 only, elsewhere notebooks are just run.
    cell_timeout_s
        Seconds that one cell may take.

    Returns
    -------
    int
        pytest's exit code: 0 when all agrees.

    Examples
    --------
    >>> nbval([])
    0
    """
    if not notebooks:
        return 0
    if strict is None:
        strict = (sys.platform, platform.machine().lower()) in (("linux", "x86_64"), ("linux", "amd64"))
    with own_kernel() as folder:
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / "sanitize.cfg").write_text(nbval_plugin.SANITIZERS, encoding="utf-8")
        for notebook in notebooks:
            target = folder / notebook.parent.name / notebook.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(notebook, target)
        command = [sys.executable, "-m", "pytest", "-q", "--color=no", "--no-header", "-p", nbval_plugin.__name__]
        command += ["--nbval" if strict else "--nbval-lax", "--nbval-kernel-name", KERNEL]
        command += ["--nbval-cell-timeout", str(cell_timeout_s), "--nbval-sanitize-with", "sanitize.cfg"]
        command += ["-p", "no:cacheprovider", "-p", "no:timeout"]
        if len(notebooks) > 1 and not any(_alone(notebook) for notebook in notebooks):
            command += ["-n", "2", "--dist", "loadfile"]
        root = str(Path(__file__).resolve().parents[2])
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root]))}
        return subprocess.run(command, cwd=folder, env=env, check=False).returncode


def _alone(notebook: Path) -> bool:
    return bool(read(notebook)["metadata"].get("mlops_lab", {}).get("alone", False))


def validate(lessons: Sequence[Lesson]) -> list[str]:
    """Execute lessons with papermill and compare claims and figures with what is stored.

    Parameters
    ----------
    lessons
        The lessons, both notebooks of each.

    Returns
    -------
    list of str
        One sentence for each difference or failure, with notebook and cell; empty when all agrees.

    Examples
    --------
    >>> validate([])
    []
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="mlops-lab-validate-", ignore_cleanup_errors=True) as folder:
        for outcome in execute(jobs_for(lessons, Path(folder))):
            if outcome.failure is not None:
                found.append(str(outcome.failure))
                continue
            stored, fresh = read(outcome.job.notebook), read(outcome.job.target)
            found += [f"{outcome.job.name}, {difference}" for difference in compare(stored, fresh)]
    return found


def main(lessons: Sequence[str] = (), *, root: Path) -> int:
    """Validate lessons by both engines and print what differs; 0 when nothing does.

    Examples
    --------
    >>> main(["99"], root=Path("no-such-folder"))
    Traceback (most recent call last):
    ValueError: no lesson is called '99'. There are: none: no-such-folder...notebooks holds no lessons
    """
    known = chosen(lessons, root=root)
    differences = validate(known)
    for difference in differences:
        sys.stdout.write(f"DIFFERS {difference}\n")
    sys.stdout.write(f"papermill: {2 * len(known)} notebooks executed, {len(differences)} differences\n")
    sys.stdout.flush()
    files = [path for lesson in known for path in (lesson.copy, lesson.source)]
    alone = [path for path in files if _alone(path)]
    codes = [nbval([path for path in files if path not in alone]), *(nbval([path]) for path in alone)]
    return int(bool(differences) or any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], root=Path(__file__).resolve().parents[2]))
