"""What is known of one column: its kind, what is missing, and its numbers or categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.monitoring.histogram_sketch import MOST, HistogramSketch

__all__ = ["KINDS", "Column", "category_counts", "kind_of", "numbers_of"]

KINDS = ("number", "category", "text", "time", "empty")
"""What a column holds; "text" has more than 4,096 different values, "empty" has none."""

_NONE = HistogramSketch.of(np.empty(0))


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
        counted = series.value_counts(dropna=True)
    except TypeError:  # cells that cannot be hashed, such as lists
        counted = series.dropna().map(repr).value_counts()
    found: dict[str, int] = {}
    for value, count in zip(counted.index.tolist(), counted.tolist(), strict=True):
        if count:
            found[str(value)] = found.get(str(value), 0) + int(count)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Column:
    """What is known of one column.

    Parameters
    ----------
    kind
        One of `KINDS`.
    rows, missing, infinite
        How many rows, and how many of them have no value or an infinite one.
    lowest, highest
        The smallest and the largest finite number; None if there is none.
    numbers
        Bins of the finite numbers.
    categories
        Category -> rows.
    """

    kind: str
    rows: int
    missing: int
    infinite: int = 0
    lowest: float | None = None
    highest: float | None = None
    numbers: HistogramSketch = field(default_factory=lambda: _NONE)
    categories: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, series: pd.Series[Any]) -> Column:
        """Describe a column."""
        kind, rows = kind_of(series), len(series)
        if kind == "number":
            values = numbers_of(series)
            finite = values[np.isfinite(values)]
            missing = int(np.isnan(values).sum())
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
            return cls(
                kind, rows, missing, rows - missing - finite.size, low, high, HistogramSketch.of(finite)
            )
        missing = int(series.isna().sum())
        if kind != "category":
            return cls(kind, rows, missing)
        counts = category_counts(series)
        many = len(counts) > MOST
        return cls("text" if many else kind, rows, missing, categories={} if many else counts)

    def merge(self, other: Column) -> Column:
        """Add the rows of another part."""
        kinds = {self.kind, other.kind} - {"empty"} or {"empty"}
        if kinds == {"category", "text"}:
            kinds = {"text"}
        if len(kinds) > 1:
            raise ValueError(f"holds {self.kind}s in one part and {other.kind}s in the other")
        (kind,) = kinds
        counts = dict(self.categories)
        for category, count in other.categories.items():
            counts[category] = counts.get(category, 0) + count
        if kind == "text" or len(counts) > MOST:
            kind, counts = "text", {}
        return Column(
            kind,
            self.rows + other.rows,
            self.missing + other.missing,
            self.infinite + other.infinite,
            min((low for low in (self.lowest, other.lowest) if low is not None), default=None),
            max((high for high in (self.highest, other.highest) if high is not None), default=None),
            self.numbers.merge(other.numbers),
            dict(sorted(counts.items())),
        )

    def summary(self) -> dict[str, Any]:
        """Give what a person reads first."""
        held = {"kind": self.kind, "rows": self.rows, "missing": self.missing, "infinite": self.infinite}
        numbers = self.numbers
        held["different"] = len(numbers.bins) or len(self.categories)
        mean = deviation = np.nan
        if numbers.rows:
            low, high = numbers.edges
            middles = np.clip(low / 2 + high / 2, self.lowest, self.highest)
            mean = float(np.average(middles, weights=numbers.counts))
            deviation = float(np.sqrt(np.average((middles - mean) ** 2, weights=numbers.counts)))
        return {**held, "lowest": self.lowest, "mean": mean, "deviation": deviation, "highest": self.highest}

    def plain(self) -> dict[str, Any]:
        """Give what a JSON file can hold."""
        return {
            "kind": self.kind,
            "rows": self.rows,
            "missing": self.missing,
            "infinite": self.infinite,
            "lowest": self.lowest,
            "highest": self.highest,
            "numbers": self.numbers.plain(),
            "categories": dict(self.categories),
        }

    @classmethod
    def read(cls, held: Any) -> Column:
        """Read what `plain` gave, and refuse what cannot be (ValueError)."""
        numbers = HistogramSketch.read(held["numbers"])
        categories = {str(name): int(count) for name, count in held["categories"].items()}
        rows, missing, infinite = (int(held[name]) for name in ("rows", "missing", "infinite"))
        known = numbers.rows + sum(categories.values())
        if held["kind"] not in KINDS:
            raise ValueError(f"the kind {held['kind']!r} is not one of {', '.join(KINDS)}")
        if min(missing, infinite, *categories.values(), 0) < 0 or missing > rows:
            raise ValueError("a count is negative or larger than the number of rows")
        if held["kind"] in ("number", "category") and known + missing + infinite != rows:
            raise ValueError(f"{known} values and {missing} missing ones do not add up to {rows} rows")
        low, high = (None if held[name] is None else float(held[name]) for name in ("lowest", "highest"))
        return cls(held["kind"], rows, missing, infinite, low, high, numbers, categories)
