"""What a table looks like, in a small file: fitted once, added to in chunks, merged from anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.artifacts import atomic_write
from mlops_lab.monitoring.data.columns import Column
from mlops_lab.monitoring.data.distributions import Distribution

__all__ = ["Profile"]

FORMAT, VERSION = "mlops_lab.monitoring.Profile", 1


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
    >>> profile = Profile.fit(first).update(second)
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
    columns: Mapping[str, Column]

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Profile:
        """Describe a table.

        Parameters
        ----------
        frame
            The table; it may have no rows. Numbers, truth values, texts, categories and dates are understood,
            any other cell is taken for the text that it prints.

        Raises
        ------
        TypeError
            If it is no DataFrame.
        ValueError
            If two columns have one name.
        """
        table = checked(frame, "the table")
        return cls(len(table), {name: Column.of(table[name]) for name in table.columns})

    def update(self, chunk: pd.DataFrame) -> Profile:
        """Give the profile with the rows of one more chunk; this one stays as it is.

        Parameters
        ----------
        chunk
            More rows of the same columns.

        Raises
        ------
        ValueError
            If the columns, or what they hold, differ.
        """
        return self.merge(Profile.fit(chunk))

    def merge(self, other: Profile) -> Profile:
        """Put two profiles together; which comes first makes no difference.

        Parameters
        ----------
        other
            The profile of other rows of the same columns.

        Raises
        ------
        ValueError
            If the columns, or what they hold, differ.
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

        Returns
        -------
        pandas.DataFrame
            Kind, rows, missing and infinite ones, different values (at most that many are kept), and for
            numbers the lowest, the mean, the standard deviation and the highest; mean and deviation are those
            of the bins.
        """
        rows = {name: column.summary() for name, column in self.columns.items()}
        table = pd.DataFrame.from_dict(rows, orient="index")
        return table.rename_axis("column")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a JSON file, whole or not at all.

        Parameters
        ----------
        path
            The file; its folder must exist.
        """
        columns = {name: column.plain() for name, column in self.columns.items()}
        held = {"format": FORMAT, "version": VERSION, "rows": self.rows, "columns": columns}
        return atomic_write(path, json.dumps(held, ensure_ascii=False, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Profile:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is damaged, is no profile, or was written by another version.
        """
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
            columns = {str(name): Column.read(column) for name, column in held["columns"].items()}
            rows = int(held["rows"])
            if any(column.rows != rows for column in columns.values()):
                raise ValueError("its columns do not have the same number of rows")
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{file.name} is damaged ({error}); fit and save it again") from None
        return cls(rows, columns)

    def distribution(self, column: str) -> Distribution:
        """Give where the numbers of a column lie.

        Parameters
        ----------
        column
            The name of a column of numbers.
        """
        return Distribution.kept(self.columns[column].numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Profile):
            return NotImplemented
        return self.rows == other.rows and dict(self.columns) == dict(other.columns)

    def __repr__(self) -> str:
        return f"Profile of {self.rows:,} rows, {len(self.columns)} columns"


def checked(frame: Any, what: str) -> pd.DataFrame:
    """Refuse what is no table, and tables in which a name means two columns; name columns by texts."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame, not a {type(frame).__name__}")
    names = pd.Index([str(name) for name in frame.columns], dtype=object)
    if not names.is_unique:
        twice = names[names.duplicated()][0]
        raise ValueError(f"{what} has the column {twice!r} twice; rename one")
    return frame if list(frame.columns) == list(names) else frame.set_axis(names, axis=1)
