"""Which lessons there are, and which one is meant. Standard library only."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

__all__ = ["find", "names"]

_LESSON = re.compile(r"\d\d_[a-z0-9_]+$")


def names(root: Path) -> list[str]:
    """List the lessons of a course by name, in order.

    A lesson counts from the moment its source exists, also before the student's copy was derived.
    """
    folders = (root / "notebooks", root / "notebooks" / "solutions")
    found = {path.stem for folder in folders for path in folder.glob("*.ipynb")}
    return sorted(name for name in found if _LESSON.match(name))


def find(given: str, root: Path) -> str:
    """Return the full name of the lesson that somebody means."""
    known = names(root)
    wanted = re.split(r"[\\/]", given.strip())[-1].removesuffix(".ipynb").lower().replace("-", "_")
    forms = {form: name for name in known for form in (name, name[:2], name[3:], str(int(name[:2])))}
    if wanted in forms:
        return forms[wanted]
    near = difflib.get_close_matches(wanted, forms, n=1, cutoff=0.5)
    guess = f" Did you mean {forms[near[0]]}?" if near else ""
    there = ", ".join(known) if known else f"none: {root / 'notebooks'} holds no lessons"
    raise ValueError(f"no lesson is called {given!r}.{guess} There are: {there}")
