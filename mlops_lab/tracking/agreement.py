"""Do a record and what is here now agree: the data, the code, the versions, and every single value."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.artifacts import frame_hash, sha256
from mlops_lab.report import Finding
from mlops_lab.tracking.entry_point import code_hash
from mlops_lab.tracking.record import Record
from mlops_lab.tracking.run_environment import here

__all__ = ["agreement", "changes", "same_data"]

_SOURCE = "each float64 compared bit by bit"


def same_data(record: Record, data: Any) -> Finding:
    """Hold data that was given against what the record says of its own."""
    lineage = record.lineage.get("data", {})
    named = lineage if isinstance(lineage, Mapping) else {"": lineage}
    recorded = {name: str(held) for name, held in {**record.data, **named}.items()}
    return _held_against(recorded, _fingerprints(data), "given")


def _fingerprints(data: Any) -> dict[str, str]:
    if isinstance(data, Mapping):
        return {str(name): _fingerprints(held)[""] for name, held in data.items()}
    if isinstance(data, pd.DataFrame):
        return {"": frame_hash(data)}
    return {"": sha256(data) if isinstance(data, os.PathLike) else str(data)}


def _held_against(recorded: Mapping[str, str], found: Mapping[str, str], where: str) -> Finding:
    wrong = []
    for name, hashed in found.items():
        known = {recorded[name]} if name in recorded else (set(recorded.values()) if not name else set())
        if hashed not in known:
            said = ", ".join(sorted(one[:12] for one in known)) or "nothing"
            wrong.append(f"{name or 'the data'} is {hashed[:12]}, recorded: {said}")
    said = f"The data {where} has the recorded fingerprint."
    if wrong:
        said = f"Other data than recorded: {'; '.join(wrong)}. Get that version from the data store."
    return Finding(code="data", title="Data", ok=not wrong, severity="serious", explanation=said)


def changes(record: Record) -> tuple[pd.DataFrame, list[Finding]]:
    """Note what has changed since the run; whether it matters, only the numbers can tell."""
    now = here()
    names = sorted({*now, *record.surroundings})
    then = [record.surroundings.get(name, "") for name in names]
    both = pd.DataFrame({"recorded": then, "here": [now.get(name, "") for name in names]}, index=names)
    versions = both[both["recorded"] != both["here"]].rename_axis("what")
    findings = []
    code = code_hash(record.train)
    if record.code is not None and code is not None:
        same = record.code == code
        said = "The module is the same." if same else "The module's source has changed since the run."
        findings.append(
            Finding(code="code", title="Code that trains", ok=same, severity="note", explanation=said)
        )
    differ = "; ".join(
        f"{name}: {row['recorded'] or 'none'} -> {row['here'] or 'none'}" for name, row in versions.iterrows()
    )
    said = f"Changed since: {differ}." if differ else "The same versions and settings as recorded."
    findings.append(
        Finding(code="versions", title="Surroundings", ok=not differ, severity="note", explanation=said)
    )
    return versions, findings


def agreement(record: Record, again: Record) -> tuple[list[Finding], dict[str, Any], float]:
    """Compare a run that was made again with its record: data, end, steps, and every value bit by bit."""
    findings = []
    if record.data:
        findings.append(_held_against(record.data, again.data or {"": "none"}, "that it trained on"))
    cut = record.state not in ("finished", "failed")
    as_before = again.error == record.error if not cut else again.error is None
    said = f"Recorded: {record.state}{f' ({record.error})' if record.error else ''}; now: {again.state}"
    said += f" ({again.error})." if again.error else "."
    findings.append(
        Finding(code="end", title="How it ended", ok=as_before, severity="serious", explanation=said)
    )
    old, new = record.metrics, again.metrics
    steps = old.index.isin(new.index).all() if cut else old.index.equals(new.index)
    said = f"{len(old)} steps recorded, {len(new)} now."
    if cut:
        said += " The record has no end, so only its steps are compared."
    findings.append(
        Finding(code="steps", title="Steps", ok=bool(steps), severity="serious", explanation=said)
    )
    first, largest = _difference(old, new)
    if old.empty:
        same: bool | None = None
        said = "The record holds no values, so nothing could be compared."
    else:
        same = not first
        said = f"All {old.size} values are the same, bit by bit." if same else _told(first)
    findings.append(
        Finding(
            code="metrics",
            title="Values",
            ok=same,
            severity="serious",
            explanation=said,
            source=_SOURCE,
            statistic="largest difference",
            value=None if math.isnan(largest) else largest,
        )
    )
    return findings, first, largest


def _told(first: Mapping[str, Any]) -> str:
    return (
        f"{first['metric']} differs first at step {first['step']}: {first['recorded']!r} recorded, "
        f"{first['again']!r} now."
    )


def _difference(old: pd.DataFrame, new: pd.DataFrame) -> tuple[dict[str, Any], float]:
    """Find the first value that differs in any bit, and the largest difference."""
    fitted = new.reindex(index=old.index, columns=old.columns)
    one, two = np.ascontiguousarray(old.to_numpy("f8")), np.ascontiguousarray(fitted.to_numpy("f8"))
    differs = (one.view("i8") != two.view("i8")) & ~(np.isnan(one) & np.isnan(two))
    if not differs.any():
        return {}, 0.0
    row, column = np.argwhere(differs)[0]
    with np.errstate(invalid="ignore"):
        largest = float(np.abs(one[differs] - two[differs]).max())
    first = {
        "step": int(old.index[row]),
        "metric": str(old.columns[column]),
        "recorded": float(one[row, column]),
        "again": float(two[row, column]),
    }
    return first, largest
