"""The cases on which lesson 06's functions are called: logs, points and records, the unusual ones too.

`checks/tracking.py` holds the questions, the hints and typical wrong answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_lab.exercises.judging import Case

__all__ = [
    "points",
    "same_curve",
    "same_rows",
    "state_by_end",
    "state_by_search",
    "states",
    "texts",
    "whole_lines",
]


def whole_lines(text: str) -> list[dict[str, Any]]:
    """Read the rows of a log, and pass over each line that is torn."""
    rows = []
    for line in text.splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def texts(seed: int) -> list[Case]:
    """Give logs that are whole, torn at their end or in the middle, and empty."""
    rows: list[dict[str, Any]] = [{"kind": "start", "seed": seed}]
    rows += [{"step": step, "loss": 1 / (seed + step + 1)} for step in range(3)]
    rows += [{"step": 3, "loss": None}, {"step": 4, "values": {"loss": 0.5}}]
    lines = [json.dumps(row) + "\n" for row in rows]
    whole, inner = "".join(lines), json.dumps(rows[-1])[:-1]
    resumed = "".join([*lines[:2], '{"step": 1, "lo\n', *lines[2:]])
    return [
        Case((whole,), rows, "a log of which every line is whole"),
        Case((whole + '{"step": 5, "lo',), rows, "a log whose last line is torn"),
        Case((whole + inner,), rows, "a log whose last line lacks only its last bracket"),
        Case((resumed,), rows, "a log that was resumed after a torn line"),
        Case(('{"st',), [], "a log that is nothing but the start of a line"),
        Case(("",), [], "an empty log"),
    ]


def same_rows(got: Any, expected: Any) -> bool:
    """Compare rows of a log, whatever kind of sequence holds them."""
    try:
        return bool([dict(row) for row in got] == expected)
    except (TypeError, ValueError):
        return False


def points(seed: int) -> list[Case]:
    """Give TensorBoard's points: each step once, some twice (lower or higher), a zero, none."""
    first = [[100.0 + step, step, 1.0 / (seed + step + 1)] for step in range(4)]
    lower = [[200.0 + step, step, 0.5 / (seed + step + 1)] for step in range(2, 12)]
    higher = [[300.0 + step, step, 2.0 / (seed + step + 1)] for step in range(1, 6)]
    simple = _by_step(first)
    return [
        Case((first,), simple, "four steps, each logged once"),
        Case((first + lower,), _by_step(first + lower), "a run that went back to step 2 once"),
        Case((first + higher,), _by_step(first + higher), "a run that went back, and was worse then"),
        Case(([*first, [104.0, 4, 0.0]],), simple | {4: 0.0}, "a curve that reaches zero"),
        Case(([],), {}, "a curve without a point"),
    ]


def _by_step(found: Sequence[Sequence[float]]) -> dict[float, float]:
    return {step: value for _, step, value in found}


def same_curve(got: Any, expected: Any) -> bool:
    """Compare a dictionary or a Series from step to value."""
    found = got.to_dict() if hasattr(got, "to_dict") else got
    return isinstance(found, Mapping) and bool(dict(found) == expected)


def states(seed: int) -> list[Case]:
    """Give records with and without an end, long and short, with and without a living process."""
    start, log = {"kind": "start", "seed": seed}, {"kind": "log", "step": 0, "values": {"loss": 0.5}}
    done, failed = {"kind": "end", "state": "finished"}, {"kind": "end", "state": "failed"}
    return [
        Case(([start, log, done], False), "finished", "a record with the end 'finished' and no process"),
        Case(([start, log, failed], False), "failed", "a record with the end 'failed' and no process"),
        Case(([start, log], True), "running", "a record without an end whose process is alive"),
        Case(([start, log], False), "killed", "a record without an end and without a process"),
        Case(([start], False), "killed", "a record that holds its start alone, without a process"),
        Case(([start], True), "running", "a record that holds its start alone, with a process"),
        Case(([start, log, done], True), "finished", "a finished run in a notebook that is still open"),
        Case(([start, log, failed], True), "failed", "a failed run in a notebook that is still open"),
        Case(([start, log, log, log, log], False), "killed", "four steps without an end and a process"),
        Case(([start, done], False), "finished", "a run that finished without a step"),
    ]


def state_by_end(rows: Sequence[Mapping[str, Any]], alive: bool) -> str:
    """Tell a run's state by its last row."""
    if rows[-1]["kind"] == "end":
        return str(rows[-1]["state"])
    return "running" if alive else "killed"


def state_by_search(rows: Sequence[Mapping[str, Any]], alive: bool) -> str:
    """Tell a run's state by whatever end is found among its rows."""
    ends = [row["state"] for row in rows if row["kind"] == "end"]
    return str((*ends, "running" if alive else "killed")[0])
