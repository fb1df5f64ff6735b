"""One column as a comparison needs it: its kind, what is missing, and its numbers or categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.monitoring.data.two_samples import Ecdf
from mlops_lab.monitoring.histogram_sketch import MOST
from mlops_lab.tables import as_precise, common_kind, read_column

__all__ = ["KINDS", "ColumnSample", "aligned", "checked_table", "listed"]

KINDS = ("number", "category", "text", "time", "nested", "empty")
"""What a column holds; "text" has more than 4,096 different values, "empty" has none."""

TRUTHS = frozenset(("True", "False"))


def checked_table(frame: Any, what: str) -> pd.DataFrame:
    """Refuse what is no table, and tables in which a name means two columns; name columns by texts."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame, not a {type(frame).__name__}")
    names = pd.Index([str(name) for name in frame.columns], dtype=object)
    if not names.is_unique:
        twice = names[names.duplicated()][0]
        raise ValueError(f"{what} has the column {twice!r} twice; rename one")
    return frame if list(frame.columns) == list(names) else frame.set_axis(names, axis=1)


@dataclass(frozen=True, eq=False)
class ColumnSample:
    """A column's rows as a comparison needs them; `empty_rows` have no value or an infinite one.

    `digits` are the significant bits of its numbers; numbers that are `loose`, in cells that may hold any
    text, are kept as categories as well.
    """

    kind: str
    rows: int
    empty_rows: int
    numbers: Ecdf | None = None
    categories: Mapping[str, int] | None = None
    digits: int = 53
    loose: bool = False

    @classmethod
    def of(cls, series: pd.Series[Any]) -> ColumnSample:
        """Read a column of a table."""
        column, rows = read_column(series), len(series)
        counts = column.as_category().counts() if column.loose or column.kind == "category" else {}
        if column.kind == "number":
            values = column.numbers()
            finite = np.isfinite(values)
            numbers = Ecdf.of(values if finite.all() else values[finite])
            return cls("number", rows, rows - numbers.rows, numbers, counts, column.digits, column.loose)
        kind = "text" if column.kind == "category" and len(counts) > MOST else column.kind
        return cls(kind, rows, int(column.missing.sum()), None, counts, loose=column.loose)

    @property
    def truth(self) -> bool:
        """Whether it holds truth values."""
        return self.kind == "category" and TRUTHS.issuperset(self.categories or ())

    def read_as(self, kind: str, digits: int) -> ColumnSample:
        """Give the same rows as a kind that `aligned` found, rounded to the coarser float type."""
        numbers = self.numbers
        if kind == "category" and self.loose:
            counts = self.categories or {}
            many = "text" if len(counts) > MOST else "category"
            return replace(self, kind=many, empty_rows=self.rows - sum(counts.values()), numbers=None)
        if kind == "number" and self.truth:
            counts = self.categories or {}
            flags = np.repeat([0.0, 1.0], [counts.get("False", 0), counts.get("True", 0)])
            return replace(self, kind=kind, numbers=Ecdf.of(flags), categories=None)
        if numbers is not None and not numbers.shift and digits < self.digits:
            numbers = replace(numbers, steps=as_precise(numbers.steps, digits))
        return replace(self, numbers=numbers)


def aligned(one: ColumnSample, other: ColumnSample) -> tuple[ColumnSample, ColumnSample] | None:
    """Give two columns as they can be compared; None if they hold different things."""
    kind, digits = common_kind(one, other), min(one.digits, other.digits)
    if kind == "":
        named = {one.kind, other.kind} - {"category", "text"}
        if len(named) == 2 or not all(each.loose for each in (one, other) if each.kind in named):
            return None
        kind = "category"
    one, other = one.read_as(kind, digits), other.read_as(kind, digits)
    return one, other


def listed(names: Iterable[str], most: int = 6) -> str:
    """Name the first few, and say how many more there are."""
    held = list(names)
    more = f" and {len(held) - most} more" if len(held) > most else ""
    return f"{', '.join(held[:most])}{more}"
