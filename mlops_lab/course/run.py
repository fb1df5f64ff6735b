"""Run lessons without a browser, with an overview of what they found; hold their claims against many seeds.

The overview is one page of plain HTML, readable without scripts: which claims hold and by how much, which
exercises are right, how long it took.
"""

from __future__ import annotations

import html
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab import artifacts
from mlops_lab.course.execution import Job, JobResult, execute, jobs_for, shown_progress
from mlops_lab.course.notebooks import chosen, read
from mlops_lab.course.time import estimate
from mlops_lab.lesson.derived_texts import read_from
from mlops_lab.lesson.outputs import collect
from mlops_lab.report import shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run", "verify"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8888; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .6rem; border-left: 4px solid #b00020; }
.broken { font-weight: 700; }
"""


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
    with read_from(known[0].texts.parent):
        results = execute(jobs_for(known, folder, seed), progress=shown_progress())
    page = _write_overview(results, seed=seed, folder=folder)
    _report(results)
    _say(f"overview: {page}")
    return int(not all(result.ok for result in results))


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
        results = execute(jobs, strict=False, progress=shown_progress())
        found = [_payloads(result) for result in results if result.ok]
    _report(results)
    claims = [payload for run in found for payload in run if payload["type"] == "claim"]
    wrong = {
        p["id"]: p["message"]
        for run in found
        for p in run
        if p["type"] == "check" and p["outcome"] != "right"
    }
    for exercise, message in wrong.items():
        _say(f"BROKEN: the solution of {exercise} is not accepted at some seed: {message}")
    table = over_seeds(claims)
    if len(table):
        _say(table.to_string(index=False))
    holds = (
        all(result.ok for result in results) and not wrong and not any(p["holds"] is False for p in claims)
    )
    _say(f"{len(table)} claims at {seeds} seeds: {'every one holds' if holds else 'NOT all hold'}")
    return int(not holds)


def _report(results: Iterable[JobResult]) -> None:
    for result in results:
        if result.failure is not None:
            _say(f"\nFAILED {result.failure}\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _bound(payload: Mapping[str, Any]) -> str:
    ((name, limit),) = payload["bound"].items()
    unit = payload["unit"]
    if name == "within":
        return f"{shown(limit[0], unit)} to {shown(limit[1], unit)}"
    return f"{name.replace('_', ' ')} {shown(limit, unit)}"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    return f"<table><caption>{html.escape(caption)}</caption>\n<tr>{cells}</tr>\n{body}</table>\n"


_HOLDS = {True: "holds", False: "DOES NOT HOLD", None: "not measurable here"}


def overview(results: Sequence[JobResult], *, seed: int) -> str:
    """Write the overview of a run as HTML."""
    found = [(result, _payloads(result)) for result in results]
    failed = [result.failure for result in results if result.failure is not None]
    claims = [
        (result.job.name, p["text"], p["shown"] or p["reason"], _bound(p), p["kind"], _HOLDS[p["holds"]])
        for result, payloads in found
        for p in payloads
        if p["type"] == "claim"
    ]
    checks = [
        (result.job.name, p["id"], p["outcome"], p["message"])
        for result, payloads in found
        for p in payloads
        if p["type"] == "check"
    ]
    times = [
        (
            result.job.name,
            f"{result.seconds:.1f} s",
            "ran to its end" if result.ok else "FAILED",
            str(estimate(read(result.job.target))) if result.ok else "",
        )
        for result in results
    ]
    summary = (
        f"{len(results)} notebooks at seed {seed}: {len(results) - len(failed)} ran to their end, "
        f"{len(failed)} failed. "
        f"{sum(row[-1] == 'holds' for row in claims)} of {len(claims)} claims hold."
    )
    failures = "".join(
        f"<h2>Failed: {html.escape(f.name)}</h2><pre>{html.escape(str(f))}</pre>" for f in failed
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Overview of the lessons</title>'
        f"<style>{_STYLE}</style></head><body><main>\n<h1>Overview of the lessons</h1>\n"
        f"<p>{summary}</p>\n{failures}"
        + _table("Claims", ("notebook", "claim", "measured", "claimed", "kind", "verdict"), claims)
        + _table("Exercises", ("notebook", "exercise", "outcome", "message"), checks)
        + _table("Times", ("notebook", "seconds", "outcome", "a student takes"), times)
        + "</main></body></html>\n"
    )


def _write_overview(results: Sequence[JobResult], *, seed: int, folder: Path) -> Path:
    """Write the overview of a run as `index.html` into a folder, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    artifacts.atomic_write(path, overview(results, seed=seed))
    return path


def over_seeds(claims: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Sum up what each claim measured over several runs."""
    import pandas as pd

    columns = ["claim", "claimed", "smallest", "median", "largest", "holds"]
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for payload in claims:
        grouped.setdefault(payload["id"], []).append(payload)
    rows = []
    for name, group in grouped.items():
        values = pd.Series([p["measured"] for p in group if p["measured"] is not None], dtype=float)
        known = [p["holds"] for p in group if p["holds"] is not None]
        ends = (values.min(), values.median(), values.max()) if len(values) else ()
        spread = [shown(float(value)) for value in ends] or ["not measurable"] * 3
        rows.append([name, _bound(group[0]), *spread, f"{sum(known)} of {len(known)}"])
    return pd.DataFrame(rows, columns=columns)


def _payloads(result: JobResult) -> list[dict[str, Any]]:
    return collect(read(result.job.target)) if result.job.target.exists() else []
