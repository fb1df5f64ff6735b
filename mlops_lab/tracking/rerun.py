"""Train again from the record alone, and see whether the same numbers come out.

A number that nobody can make again is an anecdote. The record holds what is needed: which function trained,
with which parameters and which seed. Whether the data, the code and the libraries are still the same is
checked, and said where it is not; then every single value is compared.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab import plots
from mlops_lab.artifacts import frame_hash, sha256
from mlops_lab.report import Finding, Report
from mlops_lab.tracking.record import Record, read
from mlops_lab.tracking.run import Run
from mlops_lab.tracking.run_environment import code_hash, load_entry, versions_here

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["rerun"]


@dataclass(frozen=True, kw_only=True)
class Rerun(Report):
    """What came out when a run was made again from its record.

    Attributes
    ----------
    record
        The record that it was made again from.
    again
        The new run; None if it was not trained.
    first_difference
        The first step and metric that differ, with both values; empty if none does.
    max_difference
        The largest difference of any value; NaN if it was not trained, or if only one of two is a number.
    versions
        What differs in the environment: one row each, columns ``recorded`` and ``here``.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> from mlops_lab.tracking.training import train
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "a", params={"epochs": 3}, seed=1, train=train) as run:
    ...         _ = train(run, seed=run.seed, **run.params)
    ...     again = tracking.rerun(tracking.read(run.folder))
    >>> again.ok, again.first_difference, again.max_difference
    (True, {}, 0.0)
    """

    record: Record
    again: Record | None
    first_difference: Mapping[str, Any]
    max_difference: float
    versions: pd.DataFrame

    def headline(self) -> str:
        """Say in one sentence whether the same numbers came out."""
        if self.again is None:
            return f"{self.record.name!r} was not trained again."
        if self.first_difference:
            found = self.first_difference
            return f"The first difference is {found['metric']} at step {found['step']}."
        return f"{len(self.record.metrics)} steps of {self.record.name!r} came out again."

    def plot(self, ax: Axes | None = None, *, metric: str | None = None) -> Axes:
        """Draw one metric of both runs.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        metric
            The metric; by default the first that differs, else the first.

        Raises
        ------
        ValueError
            If it was not trained again, or there is no such metric.
        """
        if self.again is None:
            raise ValueError(f"{self.record.name!r} was not trained again, so there is nothing to draw")
        name = metric or self.first_difference.get("metric") or next(iter(self.record.metrics), None)
        if name not in self.record.metrics or name not in self.again.metrics:
            raise ValueError(f"no metric {name!r} is in both runs; there is {list(self.record.metrics)}")
        both = {"recorded": self.record.metrics[name], "again": self.again.metrics[name]}
        return plots.line(
            pd.DataFrame(both),
            xlabel="step",
            ylabel=str(name),
            title=f"{self.record.name}: made again",
            ax=ax,
        )


def rerun(
    record: Record,
    *,
    data: Any = None,
    trust: bool = False,
    folder: str | os.PathLike[str] | None = None,
) -> Rerun:
    """Train again from a record alone, and compare every step with it.

    The function that the record names is called as ``function(run, seed=record.seed, **record.params)``. It
    answers whether the same numbers come out here and now. It cannot say which of two different results is
    right, nor name the cause of a difference: it lists what has changed since. It misleads where the function
    reads what is neither a parameter nor fingerprinted (``run.data``): a file, the clock, the network.

    Parameters
    ----------
    record
        What ``read`` gave.
    data
        The data that the training will find: a fingerprint, a table, the path of a file, or a mapping of
        names to these. It is held against the record's lineage (its key ``"data"``) or what ``run.data``
        wrote, before anything is trained.
    trust
        True runs any function that the record names. Unasked, only those of this package run that are marked
        as ``rerunnable``: a record from a stranger can name any code.
    folder
        Where the new run is kept; by default it is read and removed.

    Returns
    -------
    Rerun
        Findings ``seed``, ``trainer``, ``code``, ``versions``, ``data``, ``end``, ``steps`` and ``metrics``.
        It is in order only if it was trained again and every value is the same, bit by bit; NaN equals NaN.

    Raises
    ------
    UntrustedRecordError
        If the record names code that nobody has vouched for. Nothing of it has run.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "by-hand") as run:
    ...         run.log(0, loss=0.5)
    ...     again = tracking.rerun(tracking.read(run.folder))
    >>> again.ok, again.findings[1].explanation
    (False, "The record names no training function, so it can be read but not rerun; ...")

    Taught in notebooks/06_tracking.ipynb.
    """
    findings, function = _before(record, data, trust)
    versions, changed = _changes(record)
    findings += changed
    again = None
    if function is not None and all(
        finding.ok is not False or finding.severity == "note" for finding in findings
    ):
        if folder is None:
            with tempfile.TemporaryDirectory() as place:
                again = _train(function, record, Path(place))
        else:
            again = _train(function, record, Path(folder))
        compared, first, largest = _agreement(record, again)
        findings += compared
    else:
        first, largest = {}, math.nan
    return Rerun(
        title=f"Rerun of {record.name!r}",
        findings=tuple(findings),
        record=record,
        again=again,
        first_difference=first,
        max_difference=largest,
        versions=versions,
    )


def _before(record: Record, data: Any, trust: bool) -> tuple[list[Finding], Callable[..., Any] | None]:
    """Look at what must be right before anything is trained."""
    seeded = record.seed is not None
    said = f"Seed {record.seed} is in the record." if seeded else "Without it, chance differs each time."
    findings = [Finding(code="seed", title="Seed", ok=seeded, severity="serious", explanation=said)]
    function = None
    try:
        function = load_entry(record.train, trust=trust)
        said = f"{record.train} can be imported."
    except ValueError as failure:
        said = f"{failure}."[:1].upper() + f"{failure}."[1:]
    findings.append(
        Finding(
            code="trainer",
            title="Training function",
            ok=function is not None,
            severity="serious",
            explanation=said,
        )
    )
    if data is not None:
        findings.append(_same_data(record, data))
    return findings, function


def _train(function: Callable[..., Any], record: Record, folder: Path) -> Record:
    run = Run(
        folder,
        record.name,
        params=record.params,
        seed=record.seed,
        lineage=record.lineage,
        train=record.train,
    )
    try:
        with run:
            function(run, seed=record.seed, **record.params)
    except Exception:  # noqa: BLE001  (whatever the training raises is in its record, and is compared)
        pass
    return read(run.folder)


_SOURCE = "each float64 compared bit by bit"


def _same_data(record: Record, data: Any) -> Finding:
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


def _changes(record: Record) -> tuple[pd.DataFrame, list[Finding]]:
    """Note what has changed since the run; whether it matters, only the numbers can tell."""
    now = versions_here()
    names = sorted({*now, *record.environment})
    then = [record.environment.get(name, "") for name in names]
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


def _agreement(record: Record, again: Record) -> tuple[list[Finding], dict[str, Any], float]:
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
