"""Begin a lesson: a small one that runs, and says in its own cells what belongs where.

It keeps every rule but one: each line that begins with "Replace:" is to be replaced, and the linter names
those that are left.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any

from mlops_lab import artifacts
from mlops_lab.course import scaffold_template
from mlops_lab.course.build import build
from mlops_lab.course.notebooks import Lesson, write
from mlops_lab.setup import lessons

__all__ = ["main"]

_NAME = re.compile(r"\d\d_[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MACHINERY = {"exercise", "judging", "shell"}  # files beside those of the lessons


def new(name: str, *, root: Path) -> Path:
    """Make a new lesson's source, its exercise with a test, and the derived student's copy, all executed.

    It makes `notebooks/solutions/NN_topic.ipynb`, `mlops_lab/exercises/topic.py`,
    `tests/exercises/test_topic.py` and `notebooks/NN_topic.ipynb`. The lesson is about means of samples:
    replace its content, keep its order. It changes no list: course table and glossary are the author's.
    """
    _refuse(name, root)
    lesson = Lesson(name, root)
    module = root / "mlops_lab" / "exercises" / f"{lesson.topic}.py"
    test = root / "tests" / "exercises" / f"test_{lesson.topic}.py"
    for taken in (module, test):
        if taken.exists():
            raise ValueError(f"{taken.name} holds the exercises of another lesson; choose another topic")
    if not module.parent.is_dir():
        raise ValueError(f"{root} is no folder of the course: it has no mlops_lab/exercises")
    lesson.source.parent.mkdir(parents=True, exist_ok=True)
    whole = False
    try:
        artifacts.atomic_write(module, scaffold_template.exercises(lesson.topic))
        test.parent.mkdir(parents=True, exist_ok=True)
        artifacts.atomic_write(test, scaffold_template.answers(lesson.topic))
        write(_notebook(lesson), lesson.source)
        if build([name], root=root) != 0:
            raise RuntimeError(f"the fresh lesson {name} does not run here; see the failure above")
        whole = True
    finally:
        if not whole:
            for made in (module, test, lesson.source, lesson.copy, lesson.texts):
                made.unlink(missing_ok=True)
    return lesson.source


def main(name: str, *, root: Path) -> int:
    """Make a new lesson, and say what to do next."""
    lesson = Lesson(name, root)
    new(name, root=root)
    sys.stdout.write(
        f"""made {lesson.source.relative_to(root).as_posix()}: edit it in JupyterLab
made mlops_lab/exercises/{lesson.topic}.py: its exercise, tried in tests/exercises/test_{lesson.topic}.py
next: replace what says "Replace:", then  python -m mlops_lab check {name[:2]}
"""
    )
    return 0


def _refuse(name: str, root: Path) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name[3:]) or name[3:] in _MACHINERY:
        raise ValueError(
            f"{name!r} is no name for a lesson: write two digits, '_' and the topic, as in 15_my_topic"
        )
    for other in lessons.names(root):
        if other[:2] == name[:2]:
            raise ValueError(f"number {name[:2]} is taken by {other}; choose another")
        if other[3:] == name[3:]:
            raise ValueError(f"the topic {name[3:]!r} is taken by {other}; choose another")


def _notebook(lesson: Lesson) -> dict[str, Any]:
    cells = []
    for number, (kind, text) in enumerate(scaffold_template.cells(lesson.name)):
        name = f"{lesson.topic[:20].replace('_', '-')}-{number:02d}"
        cell: dict[str, Any] = {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}
        if kind != "text":
            cell |= {"cell_type": "code", "execution_count": None, "outputs": []}
        if kind == "parameters":
            cell["metadata"] = {"tags": ["parameters"]}
        cells.append(cell)
    return {"cells": cells, "metadata": {}}
