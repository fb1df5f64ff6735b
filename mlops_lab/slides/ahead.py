"""Draw the pictures of a deck ahead of reading it, on several processors: pictures are most of the work.

What goes wrong here is passed over. A picture that is missing is drawn again where its slide is read, and
what is wrong with it is said there, with file and line.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from mlops_lab.slides.figures import Picture, arguments, inches, picture
from mlops_lab.slides.state import PARTS

__all__ = ["Asked", "asked", "drawn"]

Asked = tuple[str, tuple[float, float] | None, dict[str, Any]]
"""A function's name, the size of the axes handed to it, and its arguments."""

_FENCE = re.compile(
    r"^[ \t]*(?:`{3,}|:{3,})\{package-figure\}[ \t]*(?P<name>\S+)\n(?P<options>(?:[ \t]*:\w+:.*\n)*)",
    re.MULTILINE,
)
_FEWEST = 4
_MOST_WORKERS = 4


def asked(folder: Path) -> list[Asked]:
    r"""List the pictures that the files of a folder ask for, each once; what cannot be read is left out."""
    found: list[Asked] = []
    for path in sorted(folder.glob(PARTS)):
        for match in _FENCE.finditer(path.read_text(encoding="utf-8")):
            options = dict(re.findall(r":(\w+):[ \t]*(.*)", match["options"]))
            try:
                size = inches(options["size"].strip()) if "size" in options else None
                one = (match["name"], size, arguments(options.get("with", "").strip()))
            except ValueError:
                continue
            if one not in found:
                found.append(one)
    return found


def drawn(wanted: list[Asked]) -> list[tuple[Asked, Picture]]:
    """Draw pictures in processes of their own; those that fail are left out.

    Fewer than four are not worth the processes: then nothing is drawn.
    """
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    if len(wanted) < _FEWEST or workers < 2:
        return []
    context = multiprocessing.get_context("spawn")  # the same on every system
    made: list[tuple[Asked, Picture]] = []
    try:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for one, result in zip(wanted, pool.map(_one, wanted), strict=True):
                if result is not None:
                    made.append((one, result))
    except (BrokenProcessPool, OSError):
        pass  # no further processes are to be had here
    return made


def _one(wanted: Asked) -> Picture | None:
    name, size, given = wanted
    try:
        return picture(name, size=size, given=given)
    except ValueError:
        return None
