"""What one column means: numbers, categories, moments or collections, whichever way it is stored.

A decimal from a database, a number in a text, an integer code that a missing value made a float, a date as an
object or in the ISO way: each says the same as the plain column beside it. Whatever compares two columns asks
here what they hold, so that all of them agree, and none takes another storage for another content.

A column of texts or objects is read as numbers or moments only if every cell that is not missing is one.
Texts with leading zeros ("007") name things and stay categories, and so do ids of letters and digits. What
pandas and databases print for a missing cell ("", "nan", "None", "<NA>", "NaT", "null") is missing; spaces
around a text and the Unicode form of its letters mean nothing.
"""

from __future__ import annotations

import datetime
import functools
import numbers
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Column", "aligned_columns", "as_precise", "common_kind", "number_text", "read_column"]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]

DOUBLE = 53
"""The significant bits of a float64, the finest number that is told apart."""

MISSING = frozenset(("", "nan", "NaN", "None", "<NA>", "NaT", "null", "NULL"))
TRUTH = {"true": "True", "false": "False"}
TRUTHS = frozenset(TRUTH.values())
NUMBER = re.compile(r"[+-]?(?:(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|Infinity)")
WHOLE = re.compile(r"-?[0-9]+\.0+")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.*)?")
COLLECTION = (list, tuple, set, frozenset, dict, np.ndarray)


@dataclass(frozen=True, eq=False)
class Column:
    """The cells of a column, by what they mean.

    Parameters
    ----------
    kind
        "number", "category", "time", "nested" (lists, structs) or "empty", if no cell has a value.
    values
        A float64 for each row if the kind is number (NaN: missing; spans of time in seconds), a
        datetime64 in UTC if it is time (NaT: missing), else None.
    codes, names
        For each row the place of its text in `names`, -1 if it is missing. None where numbers or moments have
        a type of their own and no text.
    digits
        The significant bits of the column's own float type: 53, 24 or 11.
    text
        Whether some cells are texts.
    declared
        Whether the table says that these are categories.

    Examples
    --------
    >>> read_column(pd.Series(["1.50", None, " 2"])).values.tolist()
    [1.5, nan, 2.0]
    >>> read_column(pd.Series([1.0, None, 2.0], dtype="category")).counts()
    {'1': 1, '2': 1}
    """

    kind: str
    values: NDArray[Any] | None = None
    codes: Wholes | None = None
    names: tuple[str, ...] = ()
    digits: int = DOUBLE
    text: bool = False
    declared: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        held = self.values if self.values is not None else self.codes
        return 0 if held is None else len(held)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        if self.codes is not None:
            return np.asarray(self.codes < 0)
        return np.asarray(np.isnat(self.values) if self.kind == "time" else np.isnan(self.values))  # type: ignore[arg-type]

    @property
    def truth(self) -> bool:
        """Whether these are truth values."""
        return self.kind == "category" and TRUTHS.issuperset(self.names)

    @property
    def loose(self) -> bool:
        """Whether numbers or moments stand in cells that may hold any text: the next rows may hold one."""
        return self.codes is not None and self.kind in ("number", "time")

    def numbers(self) -> Floats:
        """Give the numbers, a truth value as 1 or 0; other categories have none (ValueError)."""
        if self.kind == "number":
            return np.asarray(self.values)
        if self.codes is None or not (self.kind == "empty" or self.truth):
            raise ValueError(f"the column holds {self.kind}, no numbers")
        value = np.array([*(float(name == "True") for name in self.names), np.nan])
        return value[self.codes]

    def texts(self) -> NDArray[Any]:
        """Give each row's value as a text, None where it is missing; equal values have equal texts."""
        if self.values is not None:
            found, codes = np.unique(np.asarray(self.values), return_inverse=True)
            names = np.array([*self._printed(found), None], dtype=object)
            return np.asarray(names[np.where(self.missing, len(found), codes)])
        return np.asarray(np.array([*self.names, None], dtype=object)[self.codes])

    def counts(self) -> dict[str, int]:
        """Count the rows of each value, by its text, in the order of the texts."""
        if self.values is not None:
            found, counted = np.unique(np.asarray(self.values)[~self.missing], return_counts=True)
            names: Iterable[str] = self._printed(found)
        else:
            known = self.codes[self.codes >= 0] if self.codes is not None else np.empty(0, dtype=np.int64)
            names, counted = self.names, np.bincount(known, minlength=len(self.names))
        pairs = sorted(zip(names, counted.tolist(), strict=True))
        return {name: count for name, count in pairs if count}

    def as_category(self) -> Column:
        """Give the same cells as categories, each by its text."""
        if self.kind == "category":
            return self
        column = self if self.codes is not None else _coded(self.texts())
        return replace(column, kind="category", values=None)

    def as_truth(self) -> Column:
        """Give 1 and 0 as truth values, other numbers as categories by their text."""
        column = _coded(self.texts())
        return replace(
            column, names=tuple({"1": "True", "0": "False"}.get(name, name) for name in column.names)
        )

    def read_as(self, kind: str, digits: int = DOUBLE) -> Column:
        """Give the same cells as a kind that `common_kind` found, rounded to a coarser float type."""
        if kind == "category" and self.kind != "empty":
            return self.as_category()
        if kind != "number":
            return self
        return Column(kind, as_precise(self.numbers(), digits), digits=min(digits, self.digits))

    def _printed(self, values: NDArray[Any]) -> list[str]:
        if self.kind == "time":
            return [_moment_text(value) for value in values]
        return [number_text(value, self.digits) for value in values.tolist()]


class Held(Protocol):
    """What is known of a column that is compared: also of a profile's or a rule's."""

    @property
    def kind(self) -> str:
        """What it holds."""

    @property
    def truth(self) -> bool:
        """Whether it holds truth values."""

    @property
    def loose(self) -> bool:
        """Whether its cells may hold any text."""


def common_kind(one: Held, other: Held) -> str:
    """Give the kind as which two columns can be compared; empty if they hold different things.

    Truth values and numbers are compared as numbers, so that a flag is what 1 and 0 are. Numbers or moments
    in loose cells are compared with categories as such: a batch of codes may happen to hold digits alone.

    Parameters
    ----------
    one, other
        Two columns.

    Examples
    --------
    >>> flags, digits = read_column(pd.Series([True, False])), read_column(pd.Series(["1", "0"]))
    >>> common_kind(flags, digits), common_kind(digits, read_column(pd.Series(["1", "B2"])))
    ('number', 'category')
    """
    kinds = {one.kind, other.kind} - {"empty"}
    if len(kinds) < 2:
        return kinds.pop() if kinds else "empty"
    if "category" not in kinds:
        return ""
    named, typed = (one, other) if one.kind == "category" else (other, one)
    if named.truth and typed.kind == "number":
        return "number"
    return "category" if typed.loose else ""


def aligned_columns(one: Column, other: Column) -> tuple[Column, Column] | None:
    """Give two columns as one kind and one precision, so that equal values have equal numbers and texts.

    None if they hold different things.

    Parameters
    ----------
    one, other
        Two columns.

    Examples
    --------
    >>> flags, digits = aligned_columns(read_column(pd.Series([True])), read_column(pd.Series(["1.0"])))
    >>> flags.texts().tolist(), digits.texts().tolist()
    (['1'], ['1'])
    """
    kind, digits = common_kind(one, other), min(one.digits, other.digits)
    return (one.read_as(kind, digits), other.read_as(kind, digits)) if kind else None


def read_column(series: pd.Series[Any]) -> Column:
    """Say what the cells of a column mean.

    Answers: which numbers, categories or moments stand there, whatever the storage: NumPy's types, pandas'
    own, Arrow's, texts, objects. It cannot know units, or a number that was written for a missing one. It
    misleads where numbers name things (codes, postcodes): a column that pandas calls categorical says so in
    `declared`.

    Parameters
    ----------
    series
        A column of a table.

    Examples
    --------
    >>> from decimal import Decimal
    >>> for cells in ([Decimal("1.5"), 2], ["2026-11-24", None], [True, None], ["007"], [[1], [2]]):
    ...     print(read_column(pd.Series(cells, dtype=object)).kind)
    number
    time
    category
    category
    nested
    """
    dtype, types = series.dtype, pd.api.types
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        return _typed("number", series.to_numpy().astype(np.float64, copy=False), _digits(dtype))
    if types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        values = _floats(series)
        codes = np.where(np.isnan(values), -1, values).astype(np.int64)
        return Column("category" if (codes >= 0).any() else "empty", codes=codes, names=("False", "True"))
    arrow = isinstance(dtype, pd.ArrowDtype)
    if types.is_timedelta64_dtype(dtype) and not arrow:
        return _typed("number", series.dt.total_seconds().to_numpy(dtype=np.float64))
    if isinstance(dtype, pd.PeriodDtype):
        return _typed("time", series.dt.to_timestamp().to_numpy().astype("datetime64[us]"))
    if types.is_datetime64_any_dtype(dtype) and not arrow:
        held = series.dt.tz_convert("UTC").dt.tz_localize(None) if series.dt.tz is not None else series
        return _typed("time", held.to_numpy().astype("datetime64[us]"))
    if types.is_numeric_dtype(dtype) and dtype.kind in "iuf":
        plain = getattr(dtype, "numpy_dtype", None) or getattr(dtype, "subtype", np.dtype(np.float64))
        return _typed("number", _floats(series), _digits(plain))
    return _of_cells(series.astype(object) if arrow else series)


def _typed(kind: str, values: NDArray[Any], digits: int = DOUBLE) -> Column:
    lost = np.isnat if kind == "time" else np.isnan
    if values.size and lost(values[0]) and lost(values).all():
        return Column("empty", codes=np.full(len(values), -1, dtype=np.int64))
    return Column(kind, values, digits=digits)


def _floats(series: pd.Series[Any]) -> Floats:
    if isinstance(series.dtype, pd.SparseDtype):
        return np.asarray(series, dtype=np.float64)
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy().astype(np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _digits(dtype: Any) -> int:
    return int(np.finfo(dtype).nmant) + 1 if dtype.kind == "f" and dtype.itemsize < 8 else DOUBLE


def _coded(texts: NDArray[Any]) -> Column:
    codes, names = pd.factorize(texts)
    return Column("category", codes=codes.astype(np.int64), names=tuple(names.tolist()))


# --- cells that may hold anything: each different one is read once -----------------------------------------


def _of_cells(series: pd.Series[Any]) -> Column:
    declared = isinstance(series.dtype, pd.CategoricalDtype)
    declared = declared or str(series.dtype).startswith("dictionary")
    if isinstance(series.dtype, pd.CategoricalDtype):
        used, place = np.unique(series.cat.codes.to_numpy(), return_inverse=True)
        missing = int(used[:1].tolist() == [-1])
        codes, cells = place - missing, series.cat.categories[used[missing:]].tolist()
    else:
        try:
            codes, found = pd.factorize(series)
        except TypeError:  # cells that cannot be hashed, such as lists
            texts = np.array([str(cell) for cell in series], dtype=object)
            texts[series.isna().to_numpy()] = None
            return replace(_coded(texts), kind="nested")
        cells = found.tolist()
    cells = [_cleaned(cell) if isinstance(cell, str) else cell for cell in cells]
    kind, held = _meaning([cell for cell in cells if cell is not None])
    empty = np.array([cell is None for cell in cells] + [True], dtype=bool)
    printed = [cell if empty[place] else _key(cell) for place, cell in enumerate(cells)]
    if kind == "category" and all(_truth(cell) for cell in cells if cell is not None):
        printed = [cell if cell is None else TRUTH[str(cell).casefold()] for cell in cells]
    text = any(isinstance(cell, str) for cell in cells)
    order, names = pd.factorize(np.array([*printed, None], dtype=object))
    column = Column(
        kind,
        codes=order.astype(np.int64)[codes],
        names=tuple(names.tolist()),
        digits=min([DOUBLE, *(_digits(cell.dtype) for cell in cells if isinstance(cell, np.floating))]),
        text=text,
        declared=declared,
    )
    if held is None:
        return column
    values = np.full(len(empty), held.dtype.type("NaT") if kind == "time" else np.nan, dtype=held.dtype)
    values[~empty] = held
    return replace(column, values=values[codes])


def _cleaned(cell: str) -> str | None:
    text = (cell if cell.isascii() else unicodedata.normalize("NFC", cell)).strip()
    return None if text in MISSING else text


def _meaning(cells: list[Any]) -> tuple[str, NDArray[Any] | None]:
    """Give the kind of different cells, none of them missing, and their numbers or moments."""
    if not cells:
        return "empty", None
    if any(isinstance(cell, COLLECTION) for cell in cells):
        return "nested", None
    if not all(map(_truth, cells)):
        read = _all(_number, cells)
        if read is not None:
            return "number", np.array(read, dtype=np.float64)
        read = _all(_moment, cells)
        if read is not None:
            moments = np.array(read, dtype=object)
            texts = [place for place, each in enumerate(read) if isinstance(each, str)]
            if texts:
                parsed = pd.to_datetime(moments[texts], errors="coerce", utc=True, format="ISO8601")
                moments[texts] = parsed.tz_localize(None).to_numpy().astype("datetime64[us]")
            found = moments.astype("datetime64[us]")
            if not np.isnat(found).any():
                return "time", found
    return "category", None


def _all(read: Callable[[Any], Any], cells: list[Any]) -> list[Any] | None:
    """Read all cells in one way, or none."""
    found = []
    for cell in cells:
        each = read(cell)
        if each is None:
            return None
        found.append(each)
    return found


def _truth(cell: Any) -> bool:
    return isinstance(cell, bool | np.bool_) or (isinstance(cell, str) and cell.casefold() in TRUTH)


def _number(cell: Any) -> float | None:
    if isinstance(cell, str):
        return float(cell) if NUMBER.fullmatch(cell) else None
    if isinstance(cell, datetime.timedelta | np.timedelta64):
        return float(pd.Timedelta(cell).total_seconds())
    if isinstance(cell, numbers.Real | Decimal | np.bool_):
        try:
            return float(cell)
        except OverflowError:  # a whole number beyond all floats
            return float("-inf") if str(cell).startswith("-") else float("inf")
    return None


def _moment(cell: Any) -> Any:
    """Give a moment in UTC, or the text of one, which is read later with all others."""
    if isinstance(cell, str):
        return cell if MOMENT.fullmatch(cell) else None
    if isinstance(cell, pd.Period):
        cell = cell.to_timestamp()
    if isinstance(cell, datetime.datetime) and cell.tzinfo is not None:
        cell = cell.astimezone(datetime.UTC).replace(tzinfo=None)
    if isinstance(cell, pd.Timestamp):
        return cell.to_datetime64().astype("datetime64[us]")
    if isinstance(cell, np.datetime64):
        return cell.astype("datetime64[us]")
    return np.datetime64(cell.isoformat(), "us") if isinstance(cell, datetime.date) else None


def _moment_text(moment: Any) -> str:
    return str(moment.astype("datetime64[us]")).removesuffix("T00:00:00.000000")


def _key(cell: Any) -> str:
    """Give the text by which a category is known: the same for 1, 1.0, "1.0" and Decimal("1.00")."""
    if isinstance(cell, str):
        return number_text(float(cell)) if WHOLE.fullmatch(cell) else cell
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell))
    value = _number(cell)
    if value is not None:
        return number_text(value, _digits(cell.dtype) if isinstance(cell, np.floating) else DOUBLE)
    moment = _moment(cell)
    if moment is not None:
        return _moment_text(moment)
    return unicodedata.normalize("NFC", str(cell))


# --- numbers of unequal precision --------------------------------------------------------------------------


def number_text(value: float, digits: int = DOUBLE) -> str:
    """Give the shortest text of a number of so many significant bits, a whole one without a point.

    Parameters
    ----------
    value
        The number.
    digits
        53, 24 or 11, as `Column.digits`.

    Examples
    --------
    >>> number_text(1.0), number_text(0.10000000149, 24)
    ('1', '0.1')
    """
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return repr(value) if digits == DOUBLE else str(_narrow(digits)(value))


def as_precise(values: NDArray[Any], digits: int) -> Floats:
    """Round numbers to a coarser float type, so that they can equal what was stored in it.

    Parameters
    ----------
    values
        Numbers.
    digits
        The significant bits of that type: 53 (nothing is rounded), 24 or 11.

    Examples
    --------
    >>> bool((as_precise(np.array([0.1]), 24) == np.float32(0.1)).all())
    True
    """
    if digits >= DOUBLE:
        return values
    largest = float(np.finfo(_narrow(digits)).max)
    narrow = np.clip(values, -largest, largest).astype(_narrow(digits))
    return np.where(np.isinf(values), values, narrow).astype(np.float64)


@functools.cache
def _narrow(digits: int) -> type[np.floating[Any]]:
    return np.float16 if digits == 11 else np.float32 if digits == 24 else np.float64
