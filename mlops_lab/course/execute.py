"""Run lessons without a browser, and hold their claims against many seeds."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mlops_lab.course import overview
from mlops_lab.course.jobs import Job, Outcome, execute, jobs_for
from mlops_lab.course.notebooks import chosen, read
from mlops_lab.lesson.outputs import collect

__all__ = ["run", "verify"]


def run(lessons: Sequence[str], *, seed: int = 0, out: Path | None = None, root: Path) -> int:
    """Run lessons, students' copies and solutions, and write an overview of what they found."""
    known = chosen(lessons, root=root)
    folder = root / "runs" if out is None else out
    course = (root / "notebooks").resolve()
    if course == folder.resolve() or course in folder.resolve().parents:
        raise ValueError(f"out={str(folder)!r} is the folder of the lessons themselves; choose another")
    for lesson in known:
        for old in (folder / f"{lesson.name}.ipynb", folder / "solutions" / f"{lesson.name}.ipynb"):
            old.unlink(missing_ok=True)
    outcomes = execute(jobs_for(known, folder, seed), progress=_progress())
    page = overview.write(outcomes, seed=seed, folder=folder)
    _report(outcomes)
    _say(f"overview: {page}")
    return int(not all(outcome.ok for outcome in outcomes))


def verify(lessons: Sequence[str], *, seeds: int = 20, first: int = 0, root: Path) -> int:
    """Hold every claim of the lessons against many seeds, and print what each one measured.

    Solutions are run. A broken claim does not stop a notebook here, so that all of them are seen.
    """
    known = chosen(lessons, root=root)
    with tempfile.TemporaryDirectory(prefix="mlops-lab-verify-", ignore_cleanup_errors=True) as folder:
        jobs = [
            Job(
                f"{lesson.name} at seed {seed}",
                lesson.source,
                Path(folder, f"{lesson.name}-{seed}.ipynb"),
                seed,
            )
            for lesson in known
            for seed in range(first, first + seeds)
        ]
        outcomes = execute(jobs, strict=False, progress=_progress())
        found = [collect(read(outcome.job.target)) for outcome in outcomes if outcome.ok]
    _report(outcomes)
    claims = [payload for run in found for payload in run if payload["type"] == "claim"]
    wrong = {
        p["id"]: p["message"]
        for run in found
        for p in run
        if p["type"] == "check" and p["outcome"] != "right"
    }
    for exercise, message in wrong.items():
        _say(f"BROKEN: the solution of {exercise} is not accepted at some seed: {message}")
    table = overview.over_seeds(claims)
    if len(table):
        _say(table.to_string(index=False))
    holds = (
        all(outcome.ok for outcome in outcomes) and not wrong and not any(p["holds"] is False for p in claims)
    )
    _say(f"{len(table)} claims at {seeds} seeds: {'every one holds' if holds else 'NOT all hold'}")
    return int(not holds)


def _report(outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.failure is not None:
            _say(f"\nFAILED {outcome.failure}\n")


def _progress() -> Callable[[Outcome, int, int], None]:
    """Show progress: a bar in a terminal, a line for each notebook elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        bar: Any = tqdm(unit="notebook", dynamic_ncols=True)

        def advance(outcome: Outcome, done: int, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(f"{outcome.job.name} {outcome.seconds:.1f} s")
            bar.update()
            if done == total:
                bar.close()

        return advance

    def line(outcome: Outcome, done: int, total: int) -> None:
        verdict = "ran" if outcome.ok else "FAILED"
        _say(f"[{done}/{total}] {outcome.job.name}: {verdict} in {outcome.seconds:.1f} s")

    return line


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
