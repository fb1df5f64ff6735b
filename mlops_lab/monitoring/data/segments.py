"""In which slice of the rows has the data moved? All slices are tested, and corrected together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.monitoring.data.columns import checked_table, listed
from mlops_lab.monitoring.data.drift import (
    MIN_EFFECT,
    ColumnComparison,
    DriftReport,
    asked_columns,
    compare_column,
    verdict_table,
)
from mlops_lab.monitoring.data.profile import Profile
from mlops_lab.report import Finding
from mlops_lab.tables import aligned_columns, read_column

__all__ = ["segment_drift"]

MOST_SEGMENTS = 50


@dataclass(frozen=True, kw_only=True)
class SegmentReport(DriftReport):
    """Every column in every slice, with its verdict; ``table`` also has the column ``segment``.

    Parameters
    ----------
    by
        The column that says which slice a row belongs to.
    outside
        How many rows belong to none, since they have no value there.

    Examples
    --------
    >>> before = pd.DataFrame({"scanner": ["belt", "hand"] * 200, "colour": range(400)})
    >>> now = before.assign(colour=before["colour"] + 150 * (before["scanner"] == "belt"))
    >>> segment_drift(before, now, by="scanner").slices
    (('belt', 'colour'),)
    """

    by: str
    outside: int = 0

    @property
    def slices(self) -> tuple[tuple[str, str], ...]:
        """The slices that drifted, each with the column, the largest change first."""
        found = self.table[self.table["verdict"] == "drifted"].sort_values("effect", ascending=False)
        return tuple(zip(found["segment"], found["name"], strict=True))

    def headline(self) -> str:
        """Name the slices that drifted, and what could not be decided."""
        left = self.table[self.table["verdict"] == "not decided"]
        names = list(self._grouped(left))
        rest = f" Not decided: {listed(names)}." if names else ""
        if self.outside:
            rest += f" {self.outside} rows without a value of {self.by} are in no slice."
        if len(left) == len(self.table):
            return f"No column could be compared in any slice by {self.by}.{rest}"
        if not self.slices:
            return f"No column that was compared is seen to have drifted in any slice by {self.by}.{rest}"
        named = [f"{column} where {self.by} is {value}" for value, column in self.slices]
        return f"Drifted: {listed(named, 4)}.{rest}"

    def _grouped(self, left: pd.DataFrame) -> Iterable[str]:
        """Name a column once if it is in all slices, a slice once if it is all its columns."""
        slices = self.table["segment"].nunique()
        everywhere = left.groupby("name", sort=False)["segment"].nunique()
        whole = everywhere.index[everywhere == slices]
        yield from whole
        rest = left[~left["name"].isin(whole)]
        sizes = self.table[~self.table["name"].isin(whole)].groupby("segment").size()
        for segment, part in rest.groupby("segment", sort=False):
            if len(part) == sizes[segment] > 1:
                yield f"all where {self.by} is {segment}"
            else:
                yield from (f"{name} where {self.by} is {segment}" for name in part["name"])


def segment_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    by: str,
    alpha: float = 0.05,
    correction: str = "holm",
    min_effect: float = MIN_EFFECT,
    test: str = "both",
    columns: Iterable[str] | None = None,
) -> SegmentReport:
    """Compare two tables slice by slice, and name the slices in which a column has drifted.

    Answers: who is affected? A change in a small group drowns in the whole table. All columns of all slices
    are corrected together, so the chance of any false alarm stays below `alpha`. It cannot find slices that
    nobody names, and small slices need large changes. It misleads where a slice was chosen after looking.

    Parameters
    ----------
    reference, current
        The rows before and now.
    by
        A column of categories, at most 50 of them; cut a column of numbers with ``pandas.cut`` first.
    alpha, correction, min_effect, test, columns
        As for `drift`.

    Returns
    -------
    SegmentReport
        One row for each slice and column. A slice that is only in one of the tables is not decided.

    Raises
    ------
    TypeError
        If one of the two is no DataFrame.
    ValueError
        If `by` is missing or has too many values, or an argument is out of range.

    Examples
    --------
    >>> rows = pd.DataFrame({"scanner": ["belt", "hand"] * 100, "colour": range(200)})
    >>> segment_drift(rows, rows, by="scanner").drifted
    ()

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    if isinstance(reference, Profile) or isinstance(current, Profile):
        raise TypeError("a profile has no rows to cut into slices; give the tables")
    then, now = checked_table(reference, "reference"), checked_table(current, "current")
    for what, table in (("reference", then), ("current", now)):
        if by not in table.columns or table.empty:
            raise ValueError(f"{what} has {len(table)} rows and no usable column {by!r} to cut it by")
    names = [name for name in asked_columns(then, alpha, correction, min_effect, test, columns) if name != by]
    cuts = _cuts(then[by], now[by])
    groups = [
        {str(name): part for name, part in table.groupby(cut)}
        for table, cut in zip((then, now), cuts, strict=True)
    ]
    segments = sorted(groups[0].keys() | groups[1].keys())
    if len(segments) > MOST_SEGMENTS:
        raise ValueError(f"{by!r} has {len(segments)} values; at most {MOST_SEGMENTS} make readable slices")
    places, found = [], []
    for segment in segments:
        parts = [group.get(segment) for group in groups]
        for name in names:
            places.append((segment, name))
            found.append(_compared(f"{name}, {by} {segment}", name, parts, test))
    table = verdict_table(found, alpha, correction, min_effect)
    table.insert(0, "segment", [segment for segment, _ in places])
    table.insert(1, "name", [name for _, name in places])
    states = {"drifted": False, "not decided": None}
    findings = tuple(
        Finding(
            code="drift.segment",
            title=str(row["column"]),
            ok=states.get(str(row["verdict"]), True),
            explanation=f"{str(row['verdict']).capitalize()}: {row['reason']}.",
            statistic="effect",
            value=float(row["effect"]),
            limit=min_effect if row["verdict"] == "drifted" else None,
            severity="note" if row["verdict"] == "not decided" else "warning",
        )
        for row in table.to_dict("records")
    )
    return SegmentReport(
        title=f"Drift, sliced by {by}",
        findings=findings,
        table=table,
        alpha=alpha,
        correction=correction,
        min_effect=min_effect,
        by=by,
        outside=sum(int(pd.isna(cut).sum()) for cut in cuts),
    )


def _cuts(then: pd.Series[Any], now: pd.Series[Any]) -> list[NDArray[Any]]:
    """Name each row's slice, None where there is none: by the value, however it is stored."""
    columns = read_column(then), read_column(now)
    for each in columns:
        if each.kind != "category" and each.values is not None:
            values = len(np.unique(each.values[~each.missing]))
            if values > MOST_SEGMENTS:
                raise ValueError(f"{then.name!r} holds {values} values; cut them with pandas.cut first")
    return [each.texts() for each in aligned_columns(*columns) or columns]


def _compared(label: str, name: str, parts: list[pd.DataFrame | None], test: str) -> ColumnComparison:
    then, now = parts
    if then is None or now is None:
        when = "before" if then is None else "now"
        return ColumnComparison(column=label, kind="slice", why=f"the slice has no rows {when}")
    return compare_column(name, then, now, test=test, label=label)
