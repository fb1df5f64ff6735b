"""A lesson's two notebooks from what its author wrote: the student's copy is derived, and both are executed.

In the copy solutions become three dots. A solution stands between `### BEGIN SOLUTION` and `### END SOLUTION`
(nbgrader's markers, so that a course can go on to nbgrader). The region becomes `answer = ...`. The texts of
predictions, claims and pictures leave the copy for a file of the kit. Nothing else differs.
"""

from __future__ import annotations

import copy
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_lab import artifacts
from mlops_lab.course.compare import is_typed, typed
from mlops_lab.course.execution import Job, execute
from mlops_lab.course.notebooks import Lesson, call_of, chosen, normalised, read, text_of, write
from mlops_lab.course.text_extraction import extracted
from mlops_lab.course.time import estimate, with_time
from mlops_lab.lesson.derived_texts import read_from

__all__ = ["BEGIN", "END", "build", "copy_differences", "without_solution"]

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"

_NEARLY = re.compile(r"#+\s*(?:BEGIN|END)\s*-?_?SOL", re.IGNORECASE)


def without_solution(source: str, *, where: str = "this cell") -> str:
    """Replace each solution region of a cell by ``answer = ...``."""
    kept: list[str] = []
    region: list[str] | None = None
    for number, line in enumerate(source.split("\n"), start=1):
        mark = line.strip()
        if mark == BEGIN:
            if region is not None:
                raise ValueError(
                    f"{where}, line {number}: {BEGIN} inside a region; close the first with {END}"
                )
            region = []
            indent = line[: len(line) - len(line.lstrip())]
        elif mark == END:
            if region is None:
                raise ValueError(f"{where}, line {number}: {END} without {BEGIN} before it")
            if not any(code.strip().startswith(("answer =", "answer:", "def answer(")) for code in region):
                raise ValueError(f"{where}, line {number}: a solution must set `answer`, as in answer = 3")
            kept.append(f"{indent}answer = ...")
            region = None
        elif region is not None:
            region.append(line)
        else:
            if _NEARLY.match(mark):
                raise ValueError(f"{where}, line {number}: {mark!r} is no marker; write {BEGIN} or {END}")
            kept.append(line)
    if region is not None:
        raise ValueError(f"{where}: {BEGIN} without {END} after it")
    return "\n".join(kept)


def derived(source: Any, topic: str) -> tuple[Any, dict[str, Any]]:
    r"""Make the student's notebook, with no outputs, and its texts from a lesson's source."""
    found = extracted(source, topic)
    if found.problems:
        raise ValueError(
            "\n".join(f"cell {cell}, line {line}: {said}" for cell, line, said in found.problems)
        )
    student = copy.deepcopy(source)
    for place, cell in enumerate(student["cells"]):
        if cell["cell_type"] == "code":
            code = found.code.get(place, text_of(cell))
            cell["source"] = without_solution(code, where=f"cell {place}")
            cell["outputs"], cell["execution_count"] = [], None
    return student, found.texts


def written_texts(texts: dict[str, Any]) -> str:
    """Write a lesson's texts as they are stored."""
    return json.dumps(texts, indent=1, ensure_ascii=False) + "\n"


def copy_differences(source: Any, student: Any, topic: str) -> list[str]:
    """Say where a student's copy is not what its source gives; outputs differ where solutions do, only."""
    wanted, _ = derived(source, topic)
    found = []
    if wanted["metadata"] != student["metadata"]:
        found.append("the notebook's metadata differs from the source's")
    if len(wanted["cells"]) != len(student["cells"]):
        return [*found, f"{len(student['cells'])} cells, where the source has {len(wanted['cells'])}"]
    for place, (cell, own, original) in enumerate(
        zip(wanted["cells"], student["cells"], source["cells"], strict=True)
    ):
        found += [
            f"cell {place}: its {part} differs from what the source gives"
            for part in ("cell_type", "id", "metadata", "source")
            if cell[part] != own[part]
        ]
        shared = original["cell_type"] == "code" and BEGIN not in text_of(original)
        if shared and call_of(own) != "check" and not _alike(original["outputs"], own["outputs"]):
            found.append(f"cell {place}: its output differs from the source's")
    return found


def _alike(stored: list[Any], fresh: list[Any]) -> bool:
    """Hold typed outputs to what they allow (live values, a claim's tolerance), all others to the letter."""
    if stored == fresh:
        return True
    plain = [[output for output in outputs if not is_typed(output)] for outputs in (stored, fresh)]
    return plain[0] == plain[1] and not list(typed(stored, fresh))


def store(lesson: Lesson, notebooks: Sequence[Any], texts: str) -> None:
    """Write a lesson's source, its student's copy, and the texts of the copy."""
    for notebook, path in zip(notebooks, (lesson.source, lesson.copy), strict=True):
        write(notebook, path)
    lesson.texts.parent.mkdir(parents=True, exist_ok=True)
    artifacts.atomic_write(lesson.texts, texts)


def build(lessons: Sequence[str] = (), *, root: Path) -> int:
    """Bring lessons into the state in which they are committed.

    The source is normalised, the student's copy derived, and both are executed with the lesson's own seed.
    Files are written only where both notebooks ran to their end.
    """
    failed = 0
    for lesson in chosen(lessons, root=root):
        source = normalised(read(lesson.source))
        try:
            student, texts = derived(source, lesson.topic)
        except ValueError as error:
            failed += 1
            sys.stdout.write("".join(f"FAILED {lesson.name}, {line}\n" for line in str(error).splitlines()))
            continue
        with tempfile.TemporaryDirectory(prefix="mlops-lab-build-", ignore_cleanup_errors=True) as folder:
            drafts = [Path(folder, name) for name in ("source.ipynb", "copy.ipynb")]
            for draft, notebook in zip(drafts, (source, student), strict=True):
                write(notebook, draft)
            Path(folder, lesson.texts.name).write_text(written_texts(texts), encoding="utf-8")
            jobs = [Job(lesson.name, draft, draft.with_name(f"executed-{draft.name}")) for draft in drafts]
            with read_from(Path(folder)):
                results = execute(jobs)
            failures = [result.failure for result in results if result.failure is not None]
            if failures:
                failed += 1
                sys.stdout.write("".join(f"FAILED {failure}\n" for failure in dict.fromkeys(failures)))
                continue
            executed = [read(job.target) for job in jobs]
        minutes = estimate(executed[0])
        for notebook in executed:
            with_time(notebook, minutes)
        store(lesson, executed, written_texts(texts))
        seconds = max(result.seconds for result in results)
        sys.stdout.write(f"built {lesson.name}: both notebooks ran in {seconds:.1f} s\n")
    return int(failed > 0)
