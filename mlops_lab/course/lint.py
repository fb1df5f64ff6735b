"""Hold lessons against the rules that every lesson keeps.

The rules stand in six modules: `lint_structure` (order of parts, prose), `lint_time` (minutes), `lint_code`
(cells), `lint_calls` (claims, exercises, predictions), `lint_texts` (what the student's page must not tell)
and `lint_outputs` (what is stored). Each finding has a code, a cell, what is wrong, and the way out. No
comment or tag switches a rule off.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_lab.course import lint_calls, lint_code, lint_outputs, lint_structure, lint_texts, lint_time
from mlops_lab.course.build import copy_differences, derived, written_texts
from mlops_lab.course.notebooks import Lesson, chosen, read, stored_form
from mlops_lab.course.text_extraction import Extraction, extracted
from mlops_lab.course.time import estimate

__all__ = ["main"]


@dataclass(frozen=True, order=True)
class BrokenRule:
    """A rule that a lesson breaks."""

    name: str
    cell: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}, cell {self.cell}: {self.code} {self.text}"


def notebook_rules(notebook: Any, name: str, *, source: bool, executed: bool = True) -> list[BrokenRule]:
    """Hold one notebook against the rules; one that is not `executed` against those on what is written."""
    label = f"solutions/{name}" if source else name
    texts = extracted(notebook, name[3:]) if source else Extraction()
    rules = [
        *lint_structure.parts(notebook, name),
        *lint_structure.prose(notebook),
        *lint_code.sizes(_without_texts(notebook, texts)),
        *lint_code.sources(notebook),
        *lint_calls.calls(notebook, name[3:], source=source),
        *lint_calls.predictions(notebook),
        *lint_calls.solutions(notebook),
        *lint_texts.movable(texts),
        *(lint_texts.between(notebook) if source else ()),
    ]
    if executed:
        rules += lint_time.limits(notebook, name) if source else ()
        rules += lint_calls.stored(notebook, source=source)
        rules += [*lint_outputs.executed(notebook), *lint_outputs.outputs(notebook)]
    return sorted(dict.fromkeys(BrokenRule(label, cell, code, text) for code, cell, text in rules))


def _without_texts(notebook: Any, texts: Extraction) -> dict[str, Any]:
    """Give a source's cells as a student reads them: an author's texts are no code."""
    cells = [
        {**cell, "source": texts.code[place]} if place in texts.code else cell
        for place, cell in enumerate(notebook["cells"])
    ]
    return {"cells": cells}


def lint(lesson: Lesson) -> list[BrokenRule]:
    """Hold a lesson, both its notebooks, against the rules; the copy must be what its source gives."""
    found: list[BrokenRule] = []
    notebooks = {}
    for label, path in ((lesson.name, lesson.copy), (f"solutions/{lesson.name}", lesson.source)):
        if not path.is_file():
            found.append(BrokenRule(label, 0, "L00", f"{path.name} is missing: run build {lesson.name}"))
            continue
        notebook = notebooks[label] = read(path)
        found += notebook_rules(notebook, lesson.name, source=label != lesson.name)
        if stored_form(notebook) != path.read_bytes():
            found.append(BrokenRule(label, 0, "L00", f"is not in normal form: run build {lesson.name}"))
    if len(notebooks) == 2:
        copy, source = notebooks.values()
        texts = extracted(source, lesson.topic)
        spoiled = lint_texts.spoilers(copy, texts.texts)
        found += [BrokenRule(lesson.name, cell, code, text) for code, cell, text in spoiled]
        try:
            stale = [] if texts.problems else copy_differences(source, copy, lesson.topic)
            stale += [] if texts.problems else _stale_texts(source, lesson)
        except ValueError as error:
            stale = [str(error)]
        found += [BrokenRule(lesson.name, 0, "L00", f"{text}: run build {lesson.name}") for text in stale]
    return found


def _stale_texts(source: Any, lesson: Lesson) -> list[str]:
    """Say where the texts of the kit are not what the source gives."""
    _, texts = derived(source, lesson.topic)
    if not lesson.texts.is_file():
        return [f"{lesson.texts.name}, its texts, is missing"]
    same = lesson.texts.read_text(encoding="utf-8") == written_texts(texts)
    return [] if same else [f"{lesson.texts.name}, its texts, differs from what the source gives"]


def main(lessons: Sequence[str] = (), *, root: Path) -> int:
    """Print what lessons break; 0 when nothing does."""
    known = chosen(lessons, root=root)
    broken = [finding for lesson in known for finding in lint(lesson)]
    for finding in broken:
        sys.stdout.write(f"{finding}\n")
    for lesson in known:
        if lesson.source.is_file():
            sys.stdout.write(f"{lesson.name}: {estimate(read(lesson.source))}\n")
    sys.stdout.write(f"{len(known)} lessons, {len(broken)} broken rules\n")
    return int(bool(broken))
