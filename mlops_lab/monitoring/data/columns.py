"""How one column of a table is read: its kind, what is missing, and its numbers or categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.monitoring.data.two_samples import Ecdf
from mlops_lab.monitoring.histogram_sketch import MOST

__all__ = ["KINDS", "ColumnSample", "category_counts", "checked_table", "kind_of", "numbers_of"]

KINDS = ("number", "category", "text", "time", "empty")
"""What a column holds; "text" has more than 4,096 different values, "empty" has none."""


def checked_table(frame: Any, what: str) -> pd.DataFrame:
    """Refuse what is no table, and tables in which a name means two columns; name columns by texts."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame, not a {type(frame).__name__}")
    names = pd.Index([str(name) for name in frame.columns], dtype=object)
    if not names.is_unique:
        twice = names[names.duplicated()][0]
        raise ValueError(f"{what} has the column {twice!r} twice; rename one")
    return frame if list(frame.columns) == list(names) else frame.set_axis(names, axis=1)


def kind_of(series: pd.Series[Any]) -> str:
    """Say what a column holds: "number", "category", "time" or, if all is missing, "empty"."""
    types = pd.api.types
    dtype = series.dtype
    if not isinstance(dtype, pd.CategoricalDtype) and not types.is_bool_dtype(dtype):
        if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
            return "time"
        if (types.is_numeric_dtype(dtype) and dtype.kind != "c") or types.is_timedelta64_dtype(dtype):
            return "number"
    return "empty" if bool(series.isna().all()) else "category"


def numbers_of(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Give a column's numbers as they stand, missing ones as NaN; spans of time in seconds."""
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        seconds: NDArray[np.float64] = series.dt.total_seconds().to_numpy(dtype=np.float64)
        return seconds
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy().astype(np.float64, copy=False)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def category_counts(series: pd.Series[Any]) -> dict[str, int]:
    """Count the categories of a column, each by the text that it prints; missing ones are left out."""
    try:
        counted = series.value_counts(sort=False, dropna=True)
    except TypeError:  # cells that cannot be hashed, such as lists
        counted = series.dropna().map(repr).value_counts(sort=False)
    found: dict[str, int] = {}
    for value, count in zip(counted.index.tolist(), counted.tolist(), strict=True):
        if count:
            found[str(value)] = found.get(str(value), 0) + int(count)
    return dict(sorted(found.items()))


@dataclass(frozen=True, eq=False)
class ColumnSample:
    """A column's rows as a comparison needs them; `empty_rows` have no value or an infinite one."""

    kind: str
    rows: int
    empty_rows: int
    numbers: Ecdf | None = None
    categories: Mapping[str, int] | None = None

    @classmethod
    def of(cls, series: pd.Series[Any]) -> ColumnSample:
        """Read a column of a table."""
        kind, rows = kind_of(series), len(series)
        if kind == "number":
            values = numbers_of(series)
            finite = np.isfinite(values)
            numbers = Ecdf.of(values if finite.all() else values[finite])
            return cls(kind, rows, rows - numbers.rows, numbers)
        counts = category_counts(series) if kind == "category" else {}
        kind = "text" if len(counts) > MOST else kind
        return cls(kind, rows, int(series.isna().sum()), None, counts)
