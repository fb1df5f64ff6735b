"""What is in a table's columns, and how they become numbers.

Every column gets one kind: number, flag, category, date, id, text or constant. Ids and free text are set
aside with a note, for a model that learns a customer's number by heart has learned nothing. The others
become numbers: categories one column per common value, dates their year, month, weekday and hour, gaps the
middle value and a flag. Left out: words inside free text, pictures, sound, and columns that hold lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Encoded", "encode", "kind_of"]

ID_NAME = re.compile(r"(^|[_\s.-])(id|uuid|guid|key|number|no|nr|index|serial)$", re.IGNORECASE)
COMMON_VALUES = 20
DATE_PARTS = {"year": "year", "month": "month", "weekday": "day_of_week", "hour": "hour"}


@dataclass(frozen=True)
class Encoded:
    """A table as numbers, and the notes of what was set aside.

    Attributes
    ----------
    values
        One row per example, one column per number; no gaps.
    names
        A name for each of these columns.
    sources
        The table's column that each came from.
    measured
        True where the column is a measured quantity (not a flag, category or part of a date).
    notes
        One plain sentence for each column that was set aside.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    measured: NDArray[np.bool_]
    notes: tuple[str, ...]


def kind_of(column: pd.Series) -> str:
    """Say what kind of thing a column holds.

    Answers with one of "number", "flag", "category", "date", "id", "text" and "constant". It goes by the
    values and, for whole numbers that never repeat, by the name; so a column of distinct whole numbers
    without an id's name and without gaps in its count (1, 2, 3, ...) is taken for an id as well. It misleads
    where a true category has nearly as many values as rows.
    """
    known = column.dropna()
    if pd.api.types.is_bool_dtype(known.dtype):
        return "flag" if known.nunique() > 1 or len(known) < len(column) else "constant"
    if pd.api.types.is_datetime64_any_dtype(known.dtype) or isinstance(known.dtype, pd.PeriodDtype):
        return "date" if known.nunique() > 1 else "constant"
    if pd.api.types.is_timedelta64_dtype(known.dtype):
        return "number" if known.nunique() > 1 else "constant"
    if pd.api.types.is_numeric_dtype(known.dtype):
        return _number_kind(column, known)
    texts = known.astype(object).map(str)
    distinct = texts.nunique()
    if distinct <= 1:
        return "constant" if len(known) == len(column) or distinct == 0 else "category"
    if _parses_as_date(texts):
        return "date"
    if len(texts) >= 20 and distinct > 0.5 * len(texts):
        return "text" if float(texts.str.count(r"\S+").median()) >= 3 else "id"
    return "category"


def _number_kind(column: pd.Series, known: pd.Series) -> str:
    distinct = known.nunique()
    if distinct <= 1:
        return "constant" if len(known) == len(column) or distinct == 0 else "flag"
    values = known.to_numpy(dtype=float)
    if len(known) >= 3 and distinct == len(known) and bool(np.all(values == np.round(values))):
        counts_up = values.max() - values.min() + 1 <= 1.05 * len(known) and len(known) >= 20
        if counts_up or ID_NAME.search(str(column.name)):
            return "id"
    return "number"


def _parses_as_date(texts: pd.Series) -> bool:
    """Whether all of a column's texts are dates in the ISO way (2026-11-24, with or without a time)."""
    head = texts.head(50)
    if not bool(head.str.match(r"^\d{4}-\d{2}-\d{2}").all()):
        return False
    return bool(pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601").notna().all())


def encode(table: pd.DataFrame, like: pd.DataFrame | None = None) -> Encoded:
    """Turn a table's usable columns into numbers.

    Categories get one column for each of their 20 commonest values (a flag when there are two), dates their
    year, month, weekday and hour, and a column with gaps a flag that says where they were. It reads only the
    inputs, never the answer. It cannot read free text; it names what it set aside.
    """
    model = table if like is None else like
    blocks: list[NDArray[np.float64]] = []
    names: list[str] = []
    sources: list[str] = []
    measured: list[bool] = []
    notes: list[str] = []
    for source in model.columns:
        kind = kind_of(model[source])
        if kind in ("id", "text", "constant"):
            notes.append(_set_aside(str(source), kind))
            continue
        for name, values in _numbers(model[source], table[source], kind):
            blocks.append(values)
            names.append(name)
            sources.append(str(source))
            measured.append(kind == "number" and name == str(source))
    values = np.column_stack(blocks) if blocks else np.empty((len(table), 0))
    return Encoded(values, tuple(names), tuple(sources), np.array(measured, dtype=bool), tuple(notes))


def _set_aside(name: str, kind: str) -> str:
    reasons = {
        "id": "names each row and says nothing about the next one",
        "text": "is free text, which these tests cannot read",
        "constant": "holds a single value",
    }
    return f"'{name}' was set aside: it {reasons[kind]}."


def _numbers(model: pd.Series, column: pd.Series, kind: str) -> list[tuple[str, NDArray[np.float64]]]:
    name = str(model.name)
    if kind == "category":
        return _one_column_each(name, model, column)
    if kind == "date":
        return _date_parts(name, model, column)
    known, values = _as_floats(model), _as_floats(column)
    gaps = np.isnan(values)
    filled = np.where(gaps, np.nanmedian(known), values)
    result = [(name, filled)]
    if 0 < np.isnan(known).mean() < 1:
        result.append((f"{name} is missing", gaps.astype(float)))
    return result


def _as_floats(column: pd.Series) -> NDArray[np.float64]:
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return np.asarray(column.dt.total_seconds().to_numpy(dtype=float, na_value=np.nan))
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))


def _one_column_each(name: str, model: pd.Series, column: pd.Series) -> list[tuple[str, NDArray[np.float64]]]:
    known, texts = _as_texts(model), _as_texts(column)
    values = known.value_counts(sort=True).index[:COMMON_VALUES]
    order = sorted(values, key=lambda value: list(known).index(value))
    shown = order[1:] if len(order) == 2 and known.nunique() == 2 else order
    return [(f"{name} = {value}", (texts == value).to_numpy(dtype=float)) for value in shown]


def _as_texts(column: pd.Series) -> pd.Series:
    return column.astype(object).map(str).where(column.notna(), "missing")


def _date_parts(name: str, model: pd.Series, column: pd.Series) -> list[tuple[str, NDArray[np.float64]]]:
    known, dates = _as_dates(model), _as_dates(column)
    result = []
    for part, attribute in DATE_PARTS.items():
        numbers = getattr(known.dt, attribute).to_numpy(dtype=float, na_value=np.nan)
        if np.nanmax(numbers) > np.nanmin(numbers):
            values = getattr(dates.dt, attribute).to_numpy(dtype=float, na_value=np.nan)
            result.append((f"{part} of {name}", np.where(np.isnan(values), np.nanmedian(numbers), values)))
    return result


def _as_dates(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.PeriodDtype):
        return pd.Series(column.dt.to_timestamp())
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    return pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
