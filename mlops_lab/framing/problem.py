"""What may be asked, and the table as the tests read it: a `Problem`.

`prepare` checks a table once, sets aside what cannot be used, and says so. Every test of this topic takes the
`Problem` it returns. What makes the question unanswerable is a clear error; what only means "not enough data
yet" is kept as a sentence in `Problem.too_few`, because that is an answer: start collecting.

Every column gets one kind: number, flag, category, date, id, text or constant. Ids and free text are set
aside with a note, for a model that learns a customer's number by heart has learned nothing. The others
become numbers (`encode`): categories one column per common value, dates their year, month, weekday and hour,
gaps the middle value and a flag. Left out: words inside free text, pictures, sound, and columns that hold
lists.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.tables import Column, aligned_columns, read_column

__all__ = ["CLOSE_ROWS", "ROW_CAP", "Problem", "encode", "prepare"]

ROW_CAP = 20_000
"""Rows that are looked at; of a longer table a random 20,000, in order of time where there is one."""

CLOSE_ROWS = 3000
"""Rows for the tests that ask many times over: look-ups, change over time."""

KEPT_OF_A_CLASS = 40
"""Of each class at least so many rows are looked at, if there are as many."""

FEWEST_ROWS = 40

FEWEST_OF_A_CLASS = 8

MOST_CLASSES = 50


@dataclass(frozen=True)
class Problem:
    """A question in numbers: inputs, answers, and what was noticed on the way.

    Attributes
    ----------
    inputs
        The inputs as numbers, with names.
    answers
        Class codes 0..K-1, or numbers.
    classes
        The classes in the order of their codes; empty for numbers.
    codes
        Whole-number codes of every column with few enough values to look up in a table.
    code_names
        Their columns.
    timed
        True where rows stand in order of time.
    live
        Live inputs in the same columns, or None.
    too_few
        Why there is too little to test anything, or "".
    notes
        Plain sentences on what was set aside.
    rows_given
        Rows with an answer, before the cap.
    table
        The rows as given (inputs only), for rules that the user brings.

    Examples
    --------
    >>> import pandas as pd
    >>> problem = prepare(pd.DataFrame({"mass_g": [150.0, 90.0], "grade": ["table", "juice"]}), "grade")
    >>> problem.classes, problem.too_few
    (('juice', 'table'), '2 rows with an answer; at least 40 are needed.')
    """

    inputs: Encoded
    answers: NDArray[np.float64] | NDArray[np.int64]
    classes: tuple[str, ...]
    codes: NDArray[np.int64]
    code_names: tuple[str, ...]
    timed: bool
    live: NDArray[np.float64] | None
    too_few: str
    notes: tuple[str, ...]
    rows_given: int
    table: pd.DataFrame

    def part(self, most: int, seed: int) -> Problem:
        """Give the problem with at most so many of its rows, chosen by chance."""
        if self.size <= most:
            return self
        rows = _sampled(self.answers, not self.numbers, most, [seed, 9])
        return replace(
            self,
            inputs=replace(self.inputs, values=self.inputs.values[rows]),
            answers=self.answers[rows],
            codes=self.codes[rows],
            table=self.table.iloc[rows].reset_index(drop=True),
        )

    def only(self, columns: NDArray[np.int64]) -> Problem:
        """Give the problem with these columns of the encoded inputs alone."""
        kept = Encoded(
            self.inputs.values[:, columns],
            tuple(self.inputs.names[column] for column in columns),
            tuple(self.inputs.sources[column] for column in columns),
            self.inputs.measured[columns],
            self.inputs.notes,
        )
        return replace(self, inputs=kept)

    @property
    def numbers(self) -> bool:
        """True where the answer is a number, False where it is a class."""
        return not self.classes

    @property
    def size(self) -> int:
        """Rows looked at."""
        return len(self.answers)


def prepare(
    data: pd.DataFrame,
    target: str,
    *,
    time: str | None = None,
    live: pd.DataFrame | None = None,
    seed: int = 0,
) -> Problem:
    """Check a table and turn it into a `Problem`.

    A target of text, flags or at most 20 distinct numbers is a class; any other number is a number. Rows
    without an answer are left out, classes of fewer than 8 rows too when they are under a tenth of all. It
    cannot notice that a column would not be known yet when the answer is needed: leave such columns out
    yourself.

    Parameters
    ----------
    data
        One row per example.
    target
        The column with the answers.
    time
        A column that says when each row arose (dates, ISO texts or numbers); rows are put in its order and
        the column itself is no input.
    live
        Recent inputs without answers, with at least the input columns of `data`.
    seed
        Which rows are looked at when there are more than 20,000.

    Raises
    ------
    TypeError
        When `data` or `live` is not a DataFrame.
    ValueError
        When a column is missing or named twice, a value is infinite, a time cannot be read, no usable input
        is left, or the target cannot be an answer (free text, dates).

    Examples
    --------
    >>> import pandas as pd
    >>> prepare(pd.DataFrame({"a": [1.0, 2.0]}), "b")
    Traceback (most recent call last):
    ValueError: There is no column 'b'; the columns are 'a'. Name the column that holds the answers.

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    table = _checked_table(data, "data")
    _require(table, target, "holds the answers")
    known = table[table[target].notna()].reset_index(drop=True)
    if time is not None:
        _require(table, time, "says when each row arose")
        if time == target:
            raise ValueError(f"time and target are both '{time}'. Name two different columns.")
        known = _in_order(known, time)
    inputs = known.drop(columns=[target] if time is None else [target, time])
    if inputs.shape[1] == 0:
        raise ValueError(
            f"'{target}' is the only column: there is nothing to predict it from. Give at least one input."
        )
    _no_infinities(known)
    notes: list[str] = []
    if len(known) < len(table):
        notes.append(f"{len(table) - len(known)} rows without an answer were left out.")
    keep, answers, classes = _answers(known[target], notes)
    inputs = inputs[keep].reset_index(drop=True)
    rows_given = len(inputs)
    if rows_given > ROW_CAP:
        chosen = _sampled(answers, bool(classes), ROW_CAP, [seed, 1])
        inputs, answers = inputs.iloc[chosen].reset_index(drop=True), answers[chosen]
        notes.append(f"{len(chosen):,} of {rows_given:,} rows were looked at, chosen by chance.")
    too_few = _too_few(answers, classes)
    encoded = (
        encode(inputs) if rows_given else Encoded(np.empty((0, 0)), (), (), np.array([], dtype=bool), ())
    )
    if rows_given >= FEWEST_ROWS and not encoded.names:
        raise ValueError(
            "No usable input column is left. "
            + " ".join(encoded.notes)
            + " Give measured columns or categories."
        )
    codes, code_names = _codes(inputs)
    live_values = None if live is None else _live(live, inputs)
    return Problem(
        encoded, answers, classes, codes, code_names, time is not None, live_values, too_few,
        (*notes, *encoded.notes), rows_given, inputs,
    )  # fmt: skip


def _sampled(
    answers: NDArray[np.float64] | NDArray[np.int64], classes: bool, most: int, seed: list[int]
) -> NDArray[np.int64]:
    """Choose rows by chance, in their order; of a rare class more than its share where it would vanish."""
    order = np.random.default_rng(seed).permutation(len(answers))
    chosen, rest = order[:most], order[most:]
    if classes:
        codes = answers.astype(np.int64)
        lacking = KEPT_OF_A_CLASS - np.bincount(codes[chosen], minlength=int(codes.max()) + 1)
        rare = [rest[codes[rest] == code][:lack] for code, lack in enumerate(lacking) if lack > 0]
        chosen = np.concatenate([chosen, *rare])
    return np.sort(chosen)


def _checked_table(data: pd.DataFrame, role: str) -> pd.DataFrame:
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"{role} is a {type(data).__name__}; give a pandas DataFrame, one row per example.")
    if isinstance(data.columns, pd.MultiIndex):
        raise ValueError(f"{role} has column names of several levels; give each column one plain name.")
    table = data.reset_index(drop=True)
    table.columns = pd.Index([str(name) for name in table.columns])
    twice = table.columns[table.columns.duplicated()].unique()
    if len(twice):
        raise ValueError(f"{role} has several columns named '{twice[0]}'. Give each column its own name.")
    complexes = [str(name) for name in table.columns if table[name].dtype.kind == "c"]
    if complexes:
        raise ValueError(f"'{complexes[0]}' holds complex numbers; give real and imaginary parts instead.")
    return table


def _require(table: pd.DataFrame, name: str, purpose: str) -> None:
    if name in table.columns:
        return
    near = difflib.get_close_matches(str(name), list(table.columns), n=1)
    listed = ", ".join(f"'{column}'" for column in table.columns[:8]) + (
        ", ..." if table.shape[1] > 8 else ""
    )
    hint = f" Did you mean '{near[0]}'?" if near else f" Name the column that {purpose}."
    raise ValueError(f"There is no column '{name}'; the columns are {listed or 'none'}.{hint}")


def _no_infinities(table: pd.DataFrame) -> None:
    for name in table.columns:
        read = read_column(table[name])
        if read.kind == "number":
            count = int(np.isinf(read.numbers()).sum())
            if count:
                raise ValueError(
                    f"'{name}' holds {count} infinite values (often a division by zero). "
                    "Replace them by numbers, or by NaN where the value is not known."
                )


def _in_order(table: pd.DataFrame, time: str) -> pd.DataFrame:
    column = table[time]
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = column
    elif isinstance(column.dtype, pd.PeriodDtype):
        moments = column.dt.to_timestamp()
    else:
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
    unread = moments.isna().to_numpy()
    if unread.any():
        raise ValueError(
            f"{int(unread.sum())} times in '{time}' cannot be read, the first is {column[unread].iloc[0]!r}. "
            "Give dates such as 2026-11-24, or numbers, and none missing."
        )
    return table.iloc[np.argsort(moments.to_numpy(), kind="stable")].reset_index(drop=True)


def _answers(
    column: pd.Series, notes: list[str]
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | NDArray[np.int64], tuple[str, ...]]:
    """Which rows to keep, their answers, and the classes (none for numbers)."""
    name, everything = str(column.name), np.ones(len(column), dtype=bool)
    read = read_column(column)
    if read.kind == "time" or pd.api.types.is_timedelta64_dtype(column.dtype):
        raise ValueError(f"The target '{name}' holds dates; give a number instead, such as days until then.")
    if read.kind == "number":
        values = read.numbers()
        if read.missing.any():  # such as an empty text among numbers
            notes.append(f"{int(read.missing.sum())} rows without an answer were left out.")
            everything = ~read.missing
            keep, answers, names = _answers(column[everything], notes)
            everything[everything] = keep
            return everything, answers, names
        distinct = len(np.unique(values))
        whole = bool(np.all(values == np.round(values)))
        if distinct > 20 or (not whole and distinct > max(2, len(values) // 4)):
            return everything, values, ()
    texts = pd.Series(read.texts(), column.index, dtype=object).fillna(column.astype(object).map(str))
    counts = texts.value_counts()
    if len(column) >= FEWEST_ROWS and (len(counts) > MOST_CLASSES or kind_of(texts) in ("id", "text")):
        raise ValueError(
            f"The target '{name}' has {len(counts)} different answers in {len(column)} rows. "
            f"Group them into at most {MOST_CLASSES} classes, or give a number."
        )
    rare = counts[counts < FEWEST_OF_A_CLASS]
    if len(rare) and len(counts) - len(rare) >= 2 and rare.sum() < 0.1 * len(column):
        notes.append(
            f"Classes of fewer than {FEWEST_OF_A_CLASS} rows were left out: {', '.join(rare.index)}."
        )
        everything = (~texts.isin(rare.index)).to_numpy()
    codes, classes = pd.factorize(texts[everything], sort=True)
    return everything, codes.astype(np.int64), tuple(str(label) for label in classes)


def _too_few(answers: NDArray[np.float64] | NDArray[np.int64], classes: tuple[str, ...]) -> str:
    if len(answers) == 0:
        return "There are no rows with an answer yet."
    if len(np.unique(answers)) == 1:
        only = classes[0] if classes else f"{answers[0]:g}"
        return f"Every row has the same answer ({only}): rows with other answers are needed."
    if len(answers) < FEWEST_ROWS:
        return f"{len(answers)} rows with an answer; at least {FEWEST_ROWS} are needed."
    if classes:
        counts = np.bincount(answers.astype(np.int64))
        if counts.min() < FEWEST_OF_A_CLASS:
            rarest = classes[int(counts.argmin())]
            return f"Only {counts.min()} rows of class '{rarest}'; at least {FEWEST_OF_A_CLASS} are needed."
    return ""


def _codes(inputs: pd.DataFrame) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    columns, names = [], []
    for name in inputs.columns:
        read = read_column(inputs[name])
        codes, values = pd.factorize(
            read.texts() if read.values is None else read.values, use_na_sentinel=False
        )
        if 2 <= len(values) <= max(2, len(inputs) // 4):
            columns.append(codes.astype(np.int64))
            names.append(str(name))
    return (np.column_stack(columns) if columns else np.empty((len(inputs), 0), dtype=np.int64)), tuple(names)


def _live(live: pd.DataFrame, inputs: pd.DataFrame) -> NDArray[np.float64]:
    table = _checked_table(live, "live")
    missing = [str(name) for name in inputs.columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"live lacks the columns {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}. "
            "Give live inputs with the columns that the data have."
        )
    _no_infinities(table[list(inputs.columns)])
    if len(inputs) == 0 or len(table) == 0:
        return np.empty((0, 0))
    recent = table[list(inputs.columns)]
    if len(recent) > ROW_CAP:
        recent = recent.iloc[-ROW_CAP:]
    try:
        return encode(recent, like=inputs).values
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"live has other kinds of values than data ({error}). Give the same kinds."
        ) from error


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
    read = read_column(column)
    if read.truth:
        return "flag" if len(read.counts()) > 1 or read.missing.any() else "constant"
    if read.kind == "time":
        return "date" if len(read.counts()) > 1 else "constant"
    if read.kind == "number":
        return _number_kind(column, read.numbers()[~read.missing])
    texts = pd.Series(read.texts(), dtype=object).dropna()
    distinct = texts.nunique()
    if distinct <= 1:
        return "constant" if len(texts) == len(column) or distinct == 0 else "category"
    if len(texts) >= 20 and distinct > 0.5 * len(texts):
        return "text" if float(texts.str.count(r"\S+").median()) >= 3 else "id"
    return "category"


def _number_kind(column: pd.Series, known: NDArray[np.float64]) -> str:
    distinct = len(np.unique(known))
    if distinct <= 1:
        return "constant" if len(known) == len(column) or distinct == 0 else "flag"
    values = known
    if pd.api.types.infer_dtype(column).startswith("timedelta"):
        return "number"
    if len(known) >= 3 and distinct == len(known) and bool(np.all(values == np.round(values))):
        counts_up = values.max() - values.min() + 1 <= 1.05 * len(known) and len(known) >= 20
        if counts_up or ID_NAME.search(str(column.name)):
            return "id"
    return "number"


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
    known, values = (each.numbers() for each in _alike(model, column))
    gaps = np.isnan(values)
    filled = np.where(gaps, np.nanmedian(known), values)
    result = [(name, filled)]
    if 0 < np.isnan(known).mean() < 1:
        result.append((f"{name} is missing", gaps.astype(float)))
    return result


def _alike(model: pd.Series, column: pd.Series) -> tuple[Column, Column]:
    """Read two columns as one kind, in the precision that both have."""
    one, other = read_column(model), read_column(column)
    pair = aligned_columns(one, other)
    if pair is None:
        raise ValueError(f"'{model.name}' held {one.kind} and holds {other.kind}")
    return pair


def _one_column_each(name: str, model: pd.Series, column: pd.Series) -> list[tuple[str, NDArray[np.float64]]]:
    pair = _alike(model, column)
    known, texts = (pd.Series(each.texts(), dtype=object).fillna("missing") for each in pair)
    values = known.value_counts(sort=True).index[:COMMON_VALUES]
    order = [value for value in known.unique() if value in set(values)]
    shown = order[1:] if len(order) == 2 and known.nunique() == 2 else order
    return [(f"{name} = {value}", (texts == value).to_numpy(dtype=float)) for value in shown]


def _date_parts(name: str, model: pd.Series, column: pd.Series) -> list[tuple[str, NDArray[np.float64]]]:
    _alike(model, column)
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
    read = read_column(column)
    if read.kind == "time":
        return pd.Series(read.values)
    return pd.Series(np.full(len(column), np.datetime64("NaT"), dtype="datetime64[us]"))
