"""Differences between two versions: rows, columns, types, and above all labels.

Of two tables it is found out first which row is which, then which cells, types, order and labels differ; of
parameters, models and files, which settings do.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report
from mlops_lab.versioning import serialization
from mlops_lab.versioning.manifests import Version
from mlops_lab.versioning.packfiles import Packfiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Diff", "compare"]

_CELLS = ["row", "column", "before", "after"]
_COLUMNS = ["column", "change", "before", "after", "cells"]
_SOURCE = "both versions, cell by cell"


@dataclass(frozen=True, kw_only=True)
class Diff(Report):
    """What is different between two versions: what ``Store.diff`` answers.

    ``ok`` is True if nothing is. It does not say whether a difference matters.

    Parameters
    ----------
    title, findings
        As in every report.
    added, removed, changed
        The rows: their keys; where rows have none, their positions (after, before).
    cells
        One row for each changed cell: ``row`` (its key), ``column``, ``before``, ``after``.
    columns
        One row for each column that differs: ``column``, ``change`` ("added", "removed", "type", "values",
        "moved"), its type ``before`` and ``after``, and how many ``cells`` changed. For parameters: one row
        for each setting.
    labels
        Rows by label before, columns by label after, and how often; only labels that changed.

    Examples
    --------
    >>> from mlops_lab.versioning.diffs import compare_frames
    >>> before = pd.DataFrame({"crate": ["a", "b"], "grade": ["table", "juice"]})
    >>> after = pd.DataFrame({"crate": ["b", "c"], "grade": ["premium", "table"]})
    >>> diff = compare_frames(before, after, key="crate", label="grade")
    >>> diff.rows_added, diff.rows_removed, diff.rows_changed
    (1, 1, 1)
    >>> diff.cells
      row column before    after
    0   b  grade  juice  premium

    Taught in notebooks/04_versioning.ipynb.
    """

    added: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    removed: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    changed: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    cells: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_CELLS))
    columns: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_COLUMNS))
    labels: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def rows_added(self) -> int:
        """How many rows are new."""
        return len(self.added)

    @property
    def rows_removed(self) -> int:
        """How many rows are gone."""
        return len(self.removed)

    @property
    def rows_changed(self) -> int:
        """How many rows are in both and differ in a cell."""
        return len(self.changed)

    @property
    def labels_changed(self) -> int:
        """How many labels are other ones."""
        return int(self.labels.to_numpy().sum())

    def headline(self) -> str:
        """Say in one sentence what is different."""
        found = [finding.explanation for finding in self.findings if finding.ok is not True]
        return " ".join(found) or "Nothing is different."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many rows and cells are different.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
        counts = {
            "rows\nadded": self.rows_added,
            "rows\nremoved": self.rows_removed,
            "rows\nchanged": self.rows_changed,
        }
        cells = (
            self.columns[self.columns["cells"] > 0].set_index("column")["cells"].sort_values(ascending=False)
        )
        counts |= {f"cells of\n{name}": int(count) for name, count in cells.head(8).items()}
        return plots.bars(
            pd.Series(counts),
            xlabel="what is different",
            ylabel="number",
            title=self.title,
            number_format="{:,.0f}",
            ax=ax,
        )


def _noted(code: str, title: str, ok: bool, explanation: str, **measured: Any) -> Finding:
    """Make a finding of a difference."""
    return Finding(
        code=f"diff.{code}", title=title, ok=ok, explanation=explanation, source=_SOURCE, **measured
    )


Places = npt.NDArray[np.intp]
_SEED = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no column is lost when hashes are put together
_WAYS = {"key": "the key", "index": "the index", "content": "their content, for want of a key"}


@dataclass(frozen=True)
class _Match:
    """Which row is which: row ``left[i]`` before is row ``right[i]`` after; and what rows are called."""

    left: Places
    right: Places
    before: pd.Index[Any]
    after: pd.Index[Any]
    by: str


def compare_frames(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    key: str | Sequence[str] | None = None,
    label: str | None = None,
    title: str = "Difference",
) -> Diff:
    """Compare two tables.

    With ``key``, rows are the same row if they agree in it. Without, the index names the rows if it is unique
    and more than a count: it has a name, or is no range. Else rows are matched by what they hold, in order:
    where as many rows are gone as have come in between two that stayed, they count as changed. That is a
    guess; a key is none.

    Parameters
    ----------
    before, after
        The tables.
    key
        The column, or columns, that name a row.
    label
        The column that holds the labels.
    title
        The title of the answer.

    Returns
    -------
    Diff
        The answer; rows without a key or index of their own are named by their position.

    Raises
    ------
    ValueError
        If the key does not name each row once.
    KeyError
        If there is no such column in both.

    Examples
    --------
    >>> table = pd.DataFrame({"grade": ["table", "juice"]})
    >>> compare_frames(table, table.copy()).ok
    True

    Taught in notebooks/04_versioning.ipynb.
    """
    for names in (before.columns, after.columns):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise ValueError(f"column {twice!r} stands in a table twice; rename one of them")
    shared = [name for name in before.columns if name in after.columns]
    asked = [*_names(key), *([label] if label is not None else [])]
    for name in asked:
        if name not in shared:
            listed = ", ".join(map(str, shared)) or "none"
            raise KeyError(f"no column {name!r} in both tables; both have: {listed}")
    match = _matched(before, after, _names(key), shared)
    hit = np.zeros(len(match.left), dtype=bool)
    columns: list[tuple[Any, str, str, str, int]] = []
    cells: list[pd.DataFrame] = []
    for name in before.columns.union(after.columns, sort=False):
        was = str(before[name].dtype) if name in before.columns else ""
        now = str(after[name].dtype) if name in after.columns else ""
        count, retyped = 0, False
        if was and now:
            one, other = before[name].iloc[match.left], after[name].iloc[match.right]
            differ, retyped = _differ(one, other), bool(one.dtype != other.dtype)
            hit |= differ
            count = int(differ.sum())
            cells.append(_cells(name, match.before[match.left[differ]], one[differ], other[differ]))
        if not (was and now) or retyped or count:
            change = "removed" if not now else "added" if not was else "type" if retyped else "values"
            columns.append((name, change, was, now, count))
    if shared != [name for name in after.columns if name in before.columns]:
        columns.append(("(all)", "moved", "", "", 0))
    changes = pd.concat([pd.DataFrame(columns=_CELLS, dtype=object), *cells], ignore_index=True)
    made = {
        "added": match.after.delete(match.right),
        "removed": match.before.delete(match.left),
        "changed": match.before[match.left[hit]],
    }
    labels = _moves(changes[changes["column"] == label]) if label is not None else pd.DataFrame()
    table = pd.DataFrame(columns, columns=_COLUMNS)
    moved = bool((np.diff(match.right) < 0).any())
    findings = tuple(_findings(made, table, labels, label, match.by, moved))
    return Diff(title=title, findings=findings, cells=changes, columns=table, labels=labels, **made)


def _names(key: str | Sequence[str] | None) -> list[str]:
    return [] if key is None else [key] if isinstance(key, str) else list(key)


def _matched(before: pd.DataFrame, after: pd.DataFrame, key: list[str], shared: list[Any]) -> _Match:
    held, by = [before.index, after.index], "index"
    if key:
        held, by = [pd.Index(table.set_index(key).index) for table in (before, after)], "key"
        for index in held:
            if not index.is_unique:
                twice = index[index.duplicated()][0]
                raise ValueError(
                    f"key {', '.join(key)!r} names {twice!r} more than once; "
                    "add a column that tells them apart"
                )
    elif not all(index.is_unique and _says_more_than_a_count(index) for index in held):
        by = "content"
        held = [_by_content(table[shared], other) for table, other in ((before, after), (after, before))]
    right = held[1].get_indexer(held[0])
    left = np.flatnonzero(right >= 0)
    right = right[left]
    if by == "content":
        left, right = _with_changed(left, right, len(before), len(after))
        held = [pd.RangeIndex(len(before)), pd.RangeIndex(len(after))]
    return _Match(left, right, held[0], held[1], by)


def _says_more_than_a_count(index: pd.Index[Any]) -> bool:
    return not isinstance(index, pd.RangeIndex) or index.name is not None


def _by_content(table: pd.DataFrame, other: pd.DataFrame) -> pd.Index[Any]:
    """Name each row by a hash of its cells and, as equal rows may stand there often, by a count."""
    hashes: Any = np.zeros(len(table), dtype=np.uint64)
    for name in table.columns:
        column: Any = table[name]
        if column.dtype != other[name].dtype or column.dtype == "category":
            numbers = all(pd.api.types.is_numeric_dtype(one[name].dtype) for one in (table, other))
            column = column.astype("float64" if numbers else object)
        cells = pd.util.hash_pandas_object(column, index=False).to_numpy()
        hashes = (hashes ^ cells) * _SEED
        hashes ^= hashes >> np.uint64(29)
    counts = pd.Series(hashes).groupby(hashes).cumcount()
    return pd.MultiIndex.from_arrays([hashes, counts])


def _with_changed(left: Places, right: Places, before: int, after: int) -> tuple[Places, Places]:
    """Add the rows that stand, equally many before and after, in between two that stayed."""
    stay = _in_order(right)
    ends_left = np.concatenate([[-1], left[stay], [before]])
    ends_right = np.concatenate([[-1], right[stay], [after]])
    gone, come = np.ones(before, dtype=bool), np.ones(after, dtype=bool)
    gone[left], come[right] = False, False
    lost, new = np.concatenate([[0], np.cumsum(gone)]), np.concatenate([[0], np.cumsum(come)])
    lost_in = lost[ends_left[1:]] - lost[ends_left[:-1] + 1]
    new_in = new[ends_right[1:]] - new[ends_right[:-1] + 1]
    alike = lost_in == new_in
    also_left = np.flatnonzero(gone)[np.repeat(alike, lost_in)]
    also_right = np.flatnonzero(come)[np.repeat(alike, new_in)]
    left, right = np.concatenate([left, also_left]), np.concatenate([right, also_right])
    order = np.argsort(left, kind="stable")
    return left[order], right[order]


def _in_order(places: Places) -> Places:
    """Give where the longest rising part of the places stands (Schensted 1961)."""
    if not (np.diff(places) < 0).any():
        return np.arange(len(places))
    tails: list[int] = []
    ends: list[int] = []
    before = np.full(len(places), -1)
    for number, place in enumerate(places.tolist()):
        at = bisect_left(tails, place)
        if at == len(tails):
            tails.append(place)
            ends.append(number)
        else:
            tails[at], ends[at] = place, number
        before[number] = ends[at - 1] if at else -1
    found, number = [], ends[-1]
    while number >= 0:
        found.append(number)
        number = int(before[number])
    return np.array(found[::-1])


def _differ(one: pd.Series[Any], other: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Say where two columns differ; missing equals missing, and 3 equals 3.0."""
    a: Any = one.to_numpy()
    b: Any = other.to_numpy()
    gone, also = one.isna().to_numpy(), other.isna().to_numpy()
    if one.dtype != other.dtype or a.dtype.kind not in "biufM":
        a, b = one.to_numpy(dtype=object, copy=True), other.to_numpy(dtype=object, copy=True)
        a[gone], b[also] = None, None
    differ = np.asarray(a != b, dtype=bool)
    return np.asarray((differ & ~(gone & also)) | (gone ^ also), dtype=bool)


def _cells(name: Any, rows: pd.Index[Any], one: pd.Series[Any], other: pd.Series[Any]) -> pd.DataFrame:
    held = pd.DataFrame(index=range(len(rows)), columns=_CELLS, dtype=object)
    held["row"] = pd.Series(rows.to_numpy(dtype=object), dtype=object)
    held["column"] = pd.Series([name] * len(rows), dtype=object)
    held["before"] = pd.Series(one.to_numpy(dtype=object), dtype=object)
    held["after"] = pd.Series(other.to_numpy(dtype=object), dtype=object)
    return held


def _moves(relabelled: pd.DataFrame) -> pd.DataFrame:
    """Count the changed labels by label before and label after; no label is a label here."""
    if relabelled.empty:
        return pd.DataFrame()
    named = relabelled[["before", "after"]]
    named = named.where(named.notna(), "(none)")
    return pd.crosstab(named["before"], named["after"])


def _findings(
    made: dict[str, pd.Index[Any]],
    table: pd.DataFrame,
    labels: pd.DataFrame,
    label: str | None,
    by: str,
    moved: bool,
) -> Iterable[Finding]:
    counts = {name: len(index) for name, index in made.items()}
    total = sum(counts.values())
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "the same"
    rows = f"Rows, matched by {_WAYS[by]}: {said}."
    yield _noted("rows", "Rows", not total, rows, statistic="rows that differ", value=total)
    if moved:
        yield _noted("order", "Order of rows", False, "Rows stand in another order.")
    parts = []
    for name, change, was, now, _ in table[table["change"] != "values"].to_numpy().tolist():
        parts.append(f"{name} {change} ({was} to {now})" if change == "type" else f"{name} {change}")
    schema = f"Columns: {'; '.join(parts) or 'the same names and types'}."
    yield _noted("schema", "Columns and types", not parts, schema)
    if label is not None:
        count = int(labels.to_numpy().sum())
        words = f"{count:,} labels in {label!r} were changed." if count else f"Labels {label!r}: the same."
        yield _noted("labels", "Labels", not count, words, statistic="labels changed", value=count)


Kept = tuple[Version, dict[str, Any]]


def compare(
    packs: Packfiles,
    before: Kept,
    after: Kept,
    *,
    key: str | Sequence[str] | None = None,
    label: str | None = None,
) -> Diff:
    """Compare two versions, each given with its plan; see ``Store.diff``.

    Taught in notebooks/04_versioning.ipynb.
    """
    (one, plan), (other, plan_after) = before, after
    title = f"{one.ref} to {other.ref}"
    if one.kind != other.kind:
        raise ValueError(f"{one.ref} is a {one.kind}, {other.ref} is a {other.kind}; compare two of one kind")
    if one.kind != "frame":
        if key is not None or label is not None:
            raise ValueError(f"key and label are for tables; {one.ref} is a {one.kind}")
        texts = [_settings(one.kind, held) for held in (plan, plan_after)]
        return _compare_settings(*texts, title=title, same=one.content == other.content)
    tables = [
        serialization.deserialize(packs, "frame", held, "", to=None, trusted=())
        for held in (plan, plan_after)
    ]
    labels = [serialization.labels_of(packs, held) for held in (plan, plan_after)]
    if label is None and labels[0] is not None and labels[1] is not None:
        label = str(labels[1].name if labels[1].name is not None else "label")
        while any(label in table.columns for table in tables):
            label += " (beside)"
        tables = [table.assign(**{label: beside}) for table, beside in zip(tables, labels, strict=True)]
    return compare_frames(*tables, key=key, label=label, title=title)


def _settings(kind: str, plan: dict[str, Any]) -> dict[str, str]:
    if kind == "params":
        return {name: repr(value) for name, value in plan["params"].items()}
    return dict(plan.get("settings", {}))


def _compare_settings(before: dict[str, str], after: dict[str, str], *, title: str, same: bool) -> Diff:
    """Compare parameters, or the settings of two models."""
    rows = []
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            rows.append((name, "removed", before[name], "", 0))
        elif name not in before:
            rows.append((name, "added", "", after[name], 0))
        elif before[name] != after[name]:
            rows.append((name, "values", before[name], after[name], 0))
    said = [f"{row[0]}: {row[2] or 'none'} before, {row[3] or 'none'} after" for row in rows]
    findings = [
        _noted(
            "settings", "Settings", not rows, f"{'; '.join(said)}." if rows else "The settings are the same."
        ),
        _noted("content", "Content", same, "The content is the same." if same else "The content differs."),
    ]
    return Diff(title=title, findings=tuple(findings), columns=pd.DataFrame(rows, columns=_COLUMNS))
