"""What a table looks like, in a small file: fitted once, added to in chunks, merged from anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.artifacts import atomic_write
from mlops_lab.monitoring.data.columns import (
    KINDS,
    ColumnSample,
    checked_table,
)
from mlops_lab.monitoring.data.two_samples import Ecdf
from mlops_lab.monitoring.histogram_sketch import MOST, HistogramSketch
from mlops_lab.tables import read_column

__all__ = ["Profile"]

FORMAT, VERSION = "mlops_lab.monitoring.Profile", 1
_NONE = HistogramSketch.of(np.empty(0))


@dataclass(frozen=True, eq=False)
class Profile:
    """What is known of a reference table once its rows are gone.

    Answers: how many rows, what is missing, which categories, and where the numbers lie, well enough to test
    for drift later. Chunks and partitions merge to exactly what the whole table gives, in any order. A column
    of numbers with at most 4,096 different values is kept exactly, any other in at most 4,096 bins that
    narrow where the rows are: for a million rows of a bell curve no bin holds more than 0.3 % of them. A
    column of texts with more than 4,096 different ones keeps only its counts. It cannot tell which values
    came together in a row, so joint drift needs the rows.

    Parameters
    ----------
    rows
        How many rows were seen.
    columns
        Name -> what is known of the column.

    Examples
    --------
    >>> first, second = pd.DataFrame({"mass_g": [150.0, None]}), pd.DataFrame({"mass_g": [170.0]})
    >>> profile = Profile.fit(first).merge(Profile.fit(second))
    >>> profile.rows, profile.columns["mass_g"].missing
    (3, 1)
    >>> profile == Profile.fit(second).merge(Profile.fit(first))
    True
    >>> profile.frame()[["rows", "missing", "lowest", "highest"]]
            rows  missing  lowest  highest
    column
    mass_g     3        1   150.0    170.0
    """

    rows: int
    columns: Mapping[str, ColumnProfile]

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Profile:
        """Describe a table, which may have no rows.

        Numbers, truth values, texts, categories and dates are understood however they are stored
        (`mlops_lab.tables`); of lists and structs only the missing ones are counted, any other cell is taken
        for the text that it prints. Two columns of one name are refused (ValueError).
        """
        table = checked_table(frame, "the table")
        return cls(len(table), {name: ColumnProfile.of(table[name]) for name in table.columns})

    def merge(self, other: Profile) -> Profile:
        """Add the profile of other rows of the same columns; which comes first makes no difference.

        Columns that differ, or hold something else, are refused (ValueError).
        """
        apart = sorted(set(self.columns) ^ set(other.columns))
        if apart:
            raise ValueError(
                f"only one of the two profiles has the columns {', '.join(map(repr, apart[:5]))}; "
                "profile the same columns, and let Schema report what is missing"
            )
        merged = {}
        for name, column in self.columns.items():
            try:
                merged[name] = column.merge(other.columns[name])
            except ValueError as error:
                raise ValueError(f"column {name!r}: {error}") from None
        return Profile(self.rows + other.rows, merged)

    def frame(self) -> pd.DataFrame:
        """Give one row for each column.

        Kind, rows, missing and infinite ones, different values (at most that many are kept), and for numbers
        the lowest, mean, standard deviation and highest; mean and deviation are those of the bins.
        """
        rows = {name: column.summary() for name, column in self.columns.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.rename_axis("column")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a JSON file, whole or not at all; its folder must exist."""
        columns = {name: column.plain() for name, column in self.columns.items()}
        held = {"format": FORMAT, "version": VERSION, "rows": self.rows, "columns": columns}
        return atomic_write(path, json.dumps(held, ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Profile:
        """Read what `save` wrote, and refuse any other file, version or damage (ValueError)."""
        file = Path(path)
        try:
            held = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file.name} is no profile: {error}; fit and save it again") from None
        if not isinstance(held, dict) or held.get("format") != FORMAT:
            raise ValueError(f"{file.name} is no profile: give a file that Profile.save wrote")
        if held.get("version") != VERSION:
            raise ValueError(
                f"{file.name} has version {held.get('version')!r} of the format, and this release reads "
                f"{VERSION}; fit and save it again"
            )
        try:
            columns = {str(name): ColumnProfile.read(column) for name, column in held["columns"].items()}
            rows = int(held["rows"])
            if any(column.rows != rows for column in columns.values()):
                raise ValueError("its columns do not have the same number of rows")
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{file.name} is damaged ({error}); fit and save it again") from None
        return cls(rows, columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return self.rows == other.rows and dict(self.columns) == dict(other.columns)

    def __repr__(self) -> str:
        return f"Profile of {self.rows:,} rows, {len(self.columns)} columns"


@dataclass(frozen=True)
class ColumnProfile:
    """What a profile knows of one column.

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
    digits
        The significant bits of the numbers.
    loose
        Whether the numbers or dates stood in cells that may hold any text; then they are kept as categories
        as well, in case another part holds other texts.
    """

    kind: str
    rows: int
    missing: int
    infinite: int = 0
    lowest: float | None = None
    highest: float | None = None
    numbers: HistogramSketch = field(default_factory=lambda: _NONE)
    categories: Mapping[str, int] = field(default_factory=dict)
    digits: int = 53
    loose: bool = False

    @classmethod
    def of(cls, series: pd.Series[Any]) -> ColumnProfile:
        """Describe a column."""
        column, rows = read_column(series), len(series)
        missing = int(column.missing.sum())
        counts = column.as_category().counts() if column.loose or column.kind == "category" else {}
        many = len(counts) > MOST
        kept = {} if many else counts
        if column.kind != "number":
            kind = "text" if many and column.kind == "category" else column.kind
            return cls(kind, rows, missing, categories=kept, loose=column.loose)
        values = column.numbers()
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
        sketch, infinite = HistogramSketch.of(finite), rows - missing - finite.size
        return cls("number", rows, missing, infinite, low, high, sketch, kept, column.digits, column.loose)

    @property
    def truth(self) -> bool:
        """Whether it holds truth values."""
        return self.sample().truth

    def merge(self, other: ColumnProfile) -> ColumnProfile:
        """Add the rows of another part."""
        one, kinds = self, {self.kind, other.kind} - {"empty"} or {"empty"}
        if len(kinds) == 2:
            one, other = self._merged_as(other), other._merged_as(self)
            kinds = {one.kind, other.kind}
        if kinds == {"category", "text"}:
            kinds = {"text"}
        if len(kinds) > 1:
            raise ValueError(f"holds {self.kind}s in one part and {other.kind}s in the other")
        (kind,) = kinds
        loose = {each.loose for each in (one, other) if each.kind != "empty"} == {True}
        counts = dict(one.categories)
        for category, count in other.categories.items():
            counts[category] = counts.get(category, 0) + count
        lost = any(each.loose and each.missing < each.rows and not each.categories for each in (one, other))
        if lost or len(counts) > MOST or kind == "text" or (kind in ("number", "time") and not loose):
            counts = {}
            kind = "text" if kind == "category" else kind
        return ColumnProfile(
            kind,
            one.rows + other.rows,
            one.missing + other.missing,
            one.infinite + other.infinite,
            min((low for low in (one.lowest, other.lowest) if low is not None), default=None),
            max((high for high in (one.highest, other.highest) if high is not None), default=None),
            one.numbers.merge(other.numbers),
            dict(sorted(counts.items())),
            min(one.digits, other.digits),
            loose,
        )

    def _merged_as(self, other: ColumnProfile) -> ColumnProfile:
        """Give this part as it merges with one of another kind: flags as 0 and 1, loose cells as texts."""
        if self.truth and other.kind == "number" and not other.loose:
            flags = self.sample().read_as("number", self.digits).numbers
            low, high = float("False" not in self.categories), float("True" in self.categories)
            sketch = HistogramSketch.of(flags.steps) if flags is not None else _NONE
            return replace(
                self, kind="number", lowest=low, highest=high, numbers=sketch, categories={}, loose=False
            )
        if self.loose and (other.loose or (other.kind in ("category", "text") and self.kind != other.kind)):
            kind = "category" if self.categories else "text"
            return ColumnProfile(kind, self.rows, self.missing, categories=self.categories)
        return self

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

    def sample(self) -> ColumnSample:
        """Give the column as a comparison needs it."""
        numbers = Ecdf.of_sketch(self.numbers) if self.kind == "number" else None
        empty = self.missing + self.infinite
        return ColumnSample(self.kind, self.rows, empty, numbers, self.categories, self.digits, self.loose)

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
            "digits": self.digits,
            "loose": self.loose,
        }

    @classmethod
    def read(cls, held: Any) -> ColumnProfile:
        """Read what `plain` gave, and refuse what cannot be (ValueError)."""
        numbers = HistogramSketch.read(held["numbers"])
        categories = {str(name): int(count) for name, count in held["categories"].items()}
        rows, missing, infinite = (int(held[name]) for name in ("rows", "missing", "infinite"))
        digits, loose = int(held.get("digits", 53)), bool(held.get("loose", False))
        known = numbers.rows if held["kind"] == "number" else sum(categories.values())
        if held["kind"] not in KINDS:
            raise ValueError(f"the kind {held['kind']!r} is not one of {', '.join(KINDS)}")
        if min(missing, infinite, *categories.values(), 0) < 0 or missing > rows:
            raise ValueError("a count is negative or larger than the number of rows")
        if held["kind"] in ("number", "category") and known + missing + infinite != rows:
            raise ValueError(f"{known} values and {missing} missing ones do not add up to {rows} rows")
        low, high = (None if held[name] is None else float(held[name]) for name in ("lowest", "highest"))
        return cls(held["kind"], rows, missing, infinite, low, high, numbers, categories, digits, loose)
