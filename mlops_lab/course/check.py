"""An author's loop: one lesson, as it is written now, held against everything in one go.

The source is linted, the student's copy derived, both executed in warm kernels (strictly, so a claim that
breaks and a solution that is not right stop the run), and what they show now is compared with what was
stored. Files are written only where all is well and something changed. An output that says the same as the
stored one keeps the stored form, so that a timing makes no difference to be committed.
"""

from __future__ import annotations

import difflib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_lab.course import build, lint, lint_texts
from mlops_lab.course.compare import is_typed, typed
from mlops_lab.course.execution import Job, JobResult, execute
from mlops_lab.course.notebooks import Lesson, chosen, normalised, read, stored_form, text_of, write
from mlops_lab.course.time import estimate, with_time
from mlops_lab.lesson.derived_texts import read_from
from mlops_lab.lesson.outputs import MIME, collect

__all__ = ["main"]

_LINES = 12
"""How many lines of a changed output are printed."""


@dataclass
class Draft:
    """A lesson on its way: notebooks and texts as they would be stored, what is wrong, what changed."""

    lesson: Lesson
    folder: Path
    notebooks: list[Any] = field(default_factory=list)
    texts: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def paths(self) -> list[Path]:
        """Where the notebooks belong."""
        return [self.lesson.source, self.lesson.copy]

    @property
    def labels(self) -> list[str]:
        """What the notebooks are called in a message."""
        return [f"solutions/{self.lesson.name}", self.lesson.name]


def main(lessons: Sequence[str], *, read_page: bool = False, root: Path) -> int:
    """Check lessons, print what is wrong and what changed, and store those that are well."""
    with tempfile.TemporaryDirectory(prefix="mlops-lab-check-", ignore_cleanup_errors=True) as folder:
        drafts = [_derived(lesson, Path(folder, lesson.name)) for lesson in chosen(lessons, root=root)]
        jobs = {id(draft): _jobs(draft) for draft in drafts}
        with read_from(Path(folder)):
            results = execute([job for each in jobs.values() for job in each], warm=True)
        for draft in drafts:
            _take(draft, [result for result in results if result.job in jobs[id(draft)]])
    for draft in drafts:
        if read_page and draft.notebooks:
            sys.stdout.write("\n".join(page(draft.notebooks[0])) + "\n")
        _finish(draft)
    return int(any(draft.wrong for draft in drafts))


def _derived(lesson: Lesson, folder: Path) -> Draft:
    """Derive the copy, and hold what is written against the rules."""
    draft = Draft(lesson, folder)
    source = normalised(read(lesson.source))
    try:
        student, draft.texts = build.derived(source, lesson.topic)
    except ValueError as error:
        draft.wrong += [f"{draft.labels[0]}, {line}" for line in str(error).splitlines()]
        return draft
    draft.notebooks = [source, student]
    for cell, code, said in lint_texts.spoilers(student, draft.texts):
        draft.wrong.append(f"{lesson.name}, cell {cell}: {code} {said}")
    broken = lint.notebook_rules(source, lesson.name, source=True, executed=False)
    draft.wrong += map(str, broken)
    return draft


def _jobs(draft: Draft) -> list[Job]:
    jobs = []
    if draft.notebooks:
        texts = draft.folder.parent / draft.lesson.texts.name
        texts.write_text(build.written_texts(draft.texts), encoding="utf-8")
    for label, notebook in zip(draft.labels, draft.notebooks, strict=False):
        path = draft.folder / f"{label}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(notebook, path)
        jobs.append(Job(label, path, path.with_name(f"executed-{path.name}")))
    return jobs


def _take(draft: Draft, results: Sequence[JobResult]) -> None:
    """Take over what the execution gave: failures, or notebooks with outputs to be compared and linted."""
    failures = [str(result.failure) for result in results if result.failure is not None]
    draft.wrong += failures
    if failures or not results:
        return
    executed = [normalised(read(result.job.target)) for result in results]
    minutes = estimate(executed[0])
    executed = [with_time(notebook, minutes) for notebook in executed]
    for label, path, notebook in zip(draft.labels, draft.paths, executed, strict=True):
        stored = read(path) if path.is_file() else {"cells": []}
        draft.changed += [f"{label}, {change}" for change in _settle(stored, notebook)]
        rules = map(str, lint.notebook_rules(notebook, draft.lesson.name, source=path == draft.lesson.source))
        # what the copy has from its source is said of the source alone
        draft.wrong += [rule for rule in rules if not {rule, f"solutions/{rule}"} & set(draft.wrong)]
    source, student = executed
    differences = build.copy_differences(source, student, draft.lesson.topic)
    draft.wrong += [f"{draft.lesson.name}, {difference}" for difference in differences]
    draft.notebooks = executed


def _settle(stored: Any, fresh: Any) -> Iterator[str]:
    """Say what changed, cell by cell, and give the fresh notebook the stored outputs that say the same."""
    known = {cell.get("id"): cell for cell in stored["cells"]}
    for place, cell in enumerate(fresh["cells"]):
        old = known.pop(cell["id"], None)
        if old is None:
            yield f"cell {place} is new: {_first_line(cell)}"
            continue
        if text_of(old) != text_of(cell):
            yield f"cell {place} reads differently: {_first_line(cell)}"
        if cell["cell_type"] != "code" or old["cell_type"] != "code":
            continue
        if list(typed(old["outputs"], cell["outputs"])) or _plain(old) != _plain(cell):
            yield "\n".join([f"cell {place} shows something else: {_first_line(cell)}", *_shown(old, cell)])
            continue
        cell["outputs"] = old["outputs"]
        for output in cell["outputs"]:
            if output["output_type"] == "execute_result":
                output["execution_count"] = cell["execution_count"]
    for old in known.values():
        yield f"a cell is gone: {_first_line(old)}"


def _first_line(cell: Any) -> str:
    return next((line for line in text_of(cell).splitlines() if line.strip()), "(empty)")[:90]


def _plain(cell: Any) -> list[Any]:
    """List outputs that are not typed, without the count of the run that gave them."""
    kept = [dict(output) for output in cell["outputs"] if not is_typed(output)]
    return [{key: value for key, value in output.items() if key != "execution_count"} for output in kept]


def _shown(old: Any, new: Any) -> list[str]:
    """Show the lines that an output lost and gained."""
    before, after = (
        [line for output in cell["outputs"] for line in _text(output).splitlines()] for cell in (old, new)
    )
    lines = [line for line in difflib.ndiff(before, after) if line[:2] in ("- ", "+ ")]
    more = [f"    and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    return [f"    {line}" for line in lines[:_LINES]] + more or ["    (the picture, or how it is laid out)"]


def _text(output: Any) -> str:
    """Give what an output says in letters."""
    data = output.get("data") or {}
    if output["output_type"] == "stream":
        return _joined(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    if "image/png" in data and MIME not in data:
        return f"[picture: {_joined(data.get('text/plain', ''))}]"
    return _joined(data.get("text/plain", ""))


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _finish(draft: Draft) -> None:
    """Print what came of a lesson, and store it where all is well and something changed."""
    say = sys.stdout.write
    for change in draft.changed:
        say(f"changed {change}\n")
    for finding in draft.wrong:
        say(f"WRONG {finding}\n")
    name = draft.lesson.name
    if draft.wrong:
        say(f"{name}: {len(draft.wrong)} wrong, nothing was written\n")
        return
    texts = build.written_texts(draft.texts)
    kept = [path.is_file() and path.read_bytes() for path in (*draft.paths, draft.lesson.texts)]
    same = [*map(stored_form, draft.notebooks), texts.encode()] == kept
    if not same:
        build.store(draft.lesson, draft.notebooks, texts)
    claims = sum(claim["holds"] is True for claim in collect(draft.notebooks[0], "claim"))
    right = sum(check["outcome"] == "right" for check in collect(draft.notebooks[0], "check"))
    form = f"{len(draft.changed)} changes" if draft.changed else "brought into the stored form"
    verdict = "nothing changed" if same else f"both notebooks written ({form})"
    say(f"{name}: no rule broken, {claims} claims hold, {right} solutions right; {verdict}\n")


def page(notebook: Any) -> Iterator[str]:
    """Give a lesson as lines of text, as it is read from top to bottom: prose, code, what the code shows."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield from ("", *text_of(cell).splitlines())
            continue
        yield ""
        yield from (f"    >>> {line}" for line in text_of(cell).splitlines())
        for output in cell["outputs"]:
            yield from (f"        {line}" for line in _text(output).splitlines())
