"""Labels come later than their crates: what may be said today about each week.

The newest weeks have few labels, and the first to come are often of another kind than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.outcomes import read_outcomes, require_aligned
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["late_labels"]


@dataclass(frozen=True, kw_only=True)
class LateLabels(Report):
    """What may be said today about each week, when labels come later than their crates.

    Parameters
    ----------
    title, findings
        As in every report; a finding for each week.
    weeks
        A row for each week: how many crates, how many known, the share of right ones among the known, and
        the lowest and highest that all its crates can have.
    by_age
        A row for each week, a column for each age: what was known of that week when it was that old. Compare
        downwards, within one column.

    Examples
    --------
    >>> late = late_labels([1, 0, 1, 1], made=[1, 1, 2, 2], known=[1, 2, 2, 3], now=2)
    >>> late.by_age.loc[1].tolist()
    [1.0, 0.5]
    """

    weeks: pd.DataFrame
    by_age: pd.DataFrame

    def headline(self) -> str:
        """Say how many labels are there."""
        known, crates = int(self.weeks["known"].sum()), int(self.weeks["crates"].sum())
        return f"{known:,} of {crates:,} labels are there."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw for each week what is known and what is still possible."""
        shown = self.weeks.rename(columns={"right": "value", "worst": "low", "best": "high"})
        shown = shown[["value", "low", "high"]].set_axis([f"week {week}" for week in shown.index], axis=0)
        return plots.intervals(
            shown, xlabel="share of right grades: known (dot), possible (line)", title=self.title, ax=ax
        )


def late_labels(
    right: npt.ArrayLike,
    *,
    made: npt.ArrayLike,
    known: npt.ArrayLike,
    now: float,
    promised: float | None = None,
) -> LateLabels:
    """Say for each week what its labels can tell today, and what they could tell at the same age before.

    It answers "may I compare this week with the last ones?". A week is not to be compared with an older one
    as both stand today: the older has had time, and labels that come early are often of another kind (buyers
    complain at once and praise late). Within a column of ``by_age`` weeks are equally old. It cannot know
    what the missing labels will say; `worst` and `best` are all that is certain, and hold for any reason why
    they wait. It misleads when labels begin to come faster or slower than before.

    Parameters
    ----------
    right
        Whether each answer was right; rows whose label is not known yet are never looked at.
    made
        In which week each answer was given.
    known
        In which week its label came or will come; infinity where never.
    now
        The present week.
    promised
        A limit for the findings: a week is in order if even its worst case keeps it.

    Raises
    ------
    ValueError
        If nothing was made until now, a week is missing, or the columns differ in length.

    Notes
    -----
    Bounds for missing labels: Manski (1990). The table by age is the run-off triangle of insurers.

    Examples
    --------
    >>> late = late_labels([1, 0, 1, 1], made=[1, 1, 2, 2], known=[1, 2, 2, 3], now=2)
    >>> late.weeks[["crates", "known", "right", "worst", "best"]].values.tolist()
    [[2.0, 2.0, 0.5, 0.5, 0.5], [2.0, 1.0, 1.0, 0.5, 1.0]]

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    frame = _columns(right, made, known)
    frame = frame[frame["made"] <= now]
    if frame.empty:
        raise ValueError(f"now={now!r}: no answer was given until then")
    weeks = pd.DataFrame({"crates": frame.groupby("made").size()})
    seen = frame[frame["known"] <= now]
    read_outcomes(seen["right"].to_numpy() if len(seen) else np.zeros(1), "right")
    weeks["known"] = seen.groupby("made").size().reindex(weeks.index, fill_value=0)
    good = seen.groupby("made")["right"].sum().reindex(weeks.index, fill_value=0.0)
    weeks["right"] = good / weeks["known"].where(weeks["known"] > 0)
    weeks["worst"] = good / weeks["crates"]
    weeks["best"] = (good + weeks["crates"] - weeks["known"]) / weeks["crates"]
    ages = range(int(now - weeks.index.min()) + 1)
    by_age = pd.DataFrame(
        {age: seen[seen["known"] - seen["made"] <= age].groupby("made")["right"].mean() for age in ages},
        index=weeks.index,
    )
    for age in ages:
        by_age.loc[weeks.index + age > now, age] = np.nan
    by_age.columns.name = "age"
    findings = tuple(_week(str(week), row, promised) for week, row in weeks.iterrows())
    return LateLabels(title="Labels that come late", findings=findings, weeks=weeks, by_age=by_age)


def _columns(right: npt.ArrayLike, made: npt.ArrayLike, known: npt.ArrayLike) -> pd.DataFrame:
    columns = {"right": np.asarray(right), "made": np.asarray(made), "known": np.asarray(known)}
    for name, values in columns.items():
        require_aligned(name, len(values), "right", len(columns["right"]))
    frame = pd.DataFrame(columns)
    frame["right"], frame["known"] = frame["right"].astype(float), frame["known"].astype(float)
    if unmade := int(frame["made"].isna().sum()):
        raise ValueError(
            f"made has no week in {unmade} of {len(frame)} rows: leave those rows out, and say so"
        )
    if (frame["known"] < frame["made"]).any():
        raise ValueError("known lies before made in some rows: a label cannot come before its crate")
    return frame


def _week(week: str, row: pd.Series[float], promised: float | None) -> Finding:
    limit = promised
    ok = None
    if limit is not None:
        ok = True if row["worst"] >= limit else False if row["best"] < limit else None
    elif row["known"] == row["crates"]:
        ok = True
    return Finding(
        code=f"late.week_{week}",
        title=f"Week {week}: {int(row['known']):,} of {int(row['crates']):,} labels",
        ok=ok,
        statistic="right among the known",
        value=float(row["right"]) if row["known"] else None,
        interval=(float(row["worst"]), float(row["best"])) if row["known"] else None,
        limit=limit,
        bound="at least",
        explanation="The interval is what all crates of the week can still come to.",
        source="Manski 1990",
    )
