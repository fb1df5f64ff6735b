"""In which slice of the rows has the data moved? All slices are tested, and corrected together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from mlops_lab.monitoring.data.columns import checked_table, kind_of
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

__all__ = ["segment_drift"]

MOST_SEGMENTS = 50


@dataclass(frozen=True, kw_only=True)
class SegmentReport(DriftReport):
    """Every column in every slice, with its verdict; ``table`` also has the column ``segment``.

    Parameters
    ----------
    by
        The column that says which slice a row belongs to.

    Examples
    --------
    >>> before = pd.DataFrame({"scanner": ["belt", "hand"] * 200, "colour": range(400)})
    >>> now = before.assign(colour=before["colour"] + 150 * (before["scanner"] == "belt"))
    >>> segment_drift(before, now, by="scanner").slices
    (('belt', 'colour'),)
    """

    by: str

    @property
    def slices(self) -> tuple[tuple[str, str], ...]:
        """The slices that drifted, each with the column, the largest change first."""
        found = self.table[self.table["verdict"] == "drifted"].sort_values("effect", ascending=False)
        return tuple(zip(found["segment"], found["name"], strict=True))

    def headline(self) -> str:
        """Name the slices."""
        if not self.slices:
            return f"No column is seen to have drifted in any slice by {self.by}."
        named = ", ".join(f"{column} where {self.by} is {value}" for value, column in self.slices[:4])
        more = f" and {len(self.slices) - 4} more" if len(self.slices) > 4 else ""
        return f"Drifted: {named}{more}."


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
        if kind_of(table[by]) != "category" and table[by].nunique() > MOST_SEGMENTS:
            raise ValueError(f"{by!r} holds {table[by].nunique()} values; cut them with pandas.cut first")
    names = [name for name in asked_columns(then, alpha, correction, min_effect, test, columns) if name != by]
    groups = [dict(list(table.groupby(table[by].astype(str)))) for table in (then, now)]
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
    )


def _compared(label: str, name: str, parts: list[pd.DataFrame | None], test: str) -> ColumnComparison:
    then, now = parts
    if then is None or now is None:
        when = "before" if then is None else "now"
        return ColumnComparison(column=label, kind="slice", why=f"the slice has no rows {when}")
    return compare_column(name, then, now, test=test, label=label)
