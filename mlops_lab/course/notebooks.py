"""Lessons as files: where they lie, how they are read, and the one form in which they are stored.

A lesson has one source, `notebooks/solutions/NN_topic.ipynb`, and one derived student copy beside it,
`notebooks/NN_topic.ipynb`. Both are stored in a normal form, so that a change of a lesson is a small diff.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from mlops_lab import artifacts
from mlops_lab.setup import lessons

__all__ = ["CALLS", "Lesson", "call_of", "chosen", "normalised", "read", "stored_form", "text_of", "write"]

CALLS = ("predict", "reveal", "claim", "check", "hint")
"""The calls that teach: a cell with one of them is no ordinary code."""

_CALL = re.compile(rf"^({'|'.join(CALLS)})\(", re.MULTILINE)
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Lesson:
    """One lesson of a course and its two files."""

    name: str
    root: Path

    @property
    def topic(self) -> str:
        """The lesson's word, shared with its checks."""
        return self.name[3:]

    @property
    def source(self) -> Path:
        """The notebook that authors edit."""
        return self.root / "notebooks" / "solutions" / f"{self.name}.ipynb"

    @property
    def copy(self) -> Path:
        """The derived notebook that students get."""
        return self.root / "notebooks" / f"{self.name}.ipynb"

    @property
    def texts(self) -> Path:
        """The derived texts that the student's copy shows by their ids."""
        return self.root / "mlops_lab" / "lesson" / "texts" / f"{self.name}.json"


def chosen(names: Iterable[str], *, root: Path) -> list[Lesson]:
    """Look up the lessons that somebody names; all of them where none is named."""
    found = [lessons.find(name, root) for name in names] or lessons.names(root)
    if not found:
        raise ValueError(f"no lessons: {(root / 'notebooks/solutions').as_posix()} holds no NN_topic.ipynb")
    return [Lesson(name, root) for name in dict.fromkeys(found)]


def text_of(cell: Any) -> str:
    r"""Return a cell's source as one string."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def call_of(cell: Any) -> str:
    """Say which of `CALLS` a code cell makes; the empty string for ordinary code."""
    found = _CALL.search(text_of(cell))
    return found.group(1) if found else ""


def read(path: Path) -> Any:
    """Read a notebook, of format 4."""
    try:
        text = path.read_text(encoding="utf-8")
        if json.loads(text)["nbformat"] != 4:
            raise ValueError("its format is not 4")
        return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is no readable notebook: {error}") from error


def normalised(notebook: Any) -> Any:
    """Bring a notebook into the form in which the course stores it; the notebook given is not changed.

    Kept: sources, outputs, execution counts, tags. Dropped: everything that says how and when it was edited
    or run. A cell keeps its id; one that is missing or repeated is made from the cell's source.
    """
    own = notebook.get("metadata", {}).get("mlops_lab")
    metadata = {"kernelspec": dict(_KERNEL), "language_info": {"name": "python"}}
    if own:
        metadata["mlops_lab"] = dict(own)
    taken: set[str] = set()
    cells = [_cell(cell, taken) for cell in notebook["cells"]]
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})  # type: ignore[no-untyped-call]


def _cell(cell: Any, taken: set[str]) -> dict[str, Any]:
    tags = [tag for tag in cell.get("metadata", {}).get("tags", []) if tag != "injected-parameters"]
    lines = [line.rstrip() for line in text_of(cell).replace("\r\n", "\n").split("\n")]
    name = str(cell.get("id", ""))
    if not name or name in taken:
        name = hashlib.sha256(f"{len(taken)} {lines}".encode()).hexdigest()[:8]
    taken.add(name)
    clean: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": name,
        "metadata": {"tags": tags} if tags else {},
        "source": "\n".join(lines).strip("\n"),
    }
    if cell["cell_type"] == "code":
        clean["execution_count"] = cell.get("execution_count")
        clean["outputs"] = [_output(output) for output in cell.get("outputs", [])]
    return clean


def _output(output: Any) -> dict[str, Any]:
    """Keep an output; pictures keep their description and size, other run metadata goes."""
    clean = dict(output)
    if "metadata" in clean:
        clean["metadata"] = {
            key: value for key, value in clean["metadata"].items() if key.startswith("image/")
        }
    return clean


def stored_form(notebook: Any) -> bytes:
    r"""Return the bytes in which the course stores a notebook: sorted keys, indent 1, LF at every end."""
    text: str = nbformat.writes(normalised(notebook))  # type: ignore[no-untyped-call]
    return (text.rstrip("\n") + "\n").encode("utf-8")


def write(notebook: Any, path: Path) -> None:
    """Store a notebook in normal form, whole or not at all."""
    clean = normalised(notebook)
    try:
        nbformat.validate(clean)
    except nbformat.ValidationError as error:
        raise ValueError(f"{path.name} would be no valid notebook: {error.message}") from error
    artifacts.atomic_write(path, stored_form(clean))
