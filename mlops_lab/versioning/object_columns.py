"""What is a column of Python objects as bytes? A line for each cell, with a letter that says its kind."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["from_cells", "to_cells"]

_END = "\n"


def to_cells(values: Iterable[Any], where: str) -> bytes:
    r"""Write objects one line each."""
    lines = [_line(value, where) for value in values]
    return "".join(line + _END for line in lines).encode("utf-8", "surrogatepass")


def from_cells(row: bytes, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    r"""Read what ``to_cells`` wrote."""
    lines = row.decode("utf-8", "surrogatepass").split(_END)[:-1]
    cells = np.empty(len(lines), dtype=kind)
    for place, line in enumerate(lines):
        cells[place] = _value(line)
    return cells


def _line(value: Any, where: str) -> str:
    if isinstance(value, str):
        text = str(value)
        return "s" + (
            text.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in text or "\\" in text else text
        )
    if value is None or value is pd.NA or value is pd.NaT:
        return {"None": "z", "<NA>": "N", "NaT": "T"}[str(value)]
    if isinstance(value, np.generic) and not isinstance(
        value, np.datetime64 | np.timedelta64 | np.longdouble
    ):
        value = value.item()
    for kind, letter in _LETTERS.items():
        if type(value) is kind:
            return letter + _text(value, where)
    raise TypeError(
        f"{where} holds a {type(value).__name__}, for which no exact form is defined; "
        "keep numbers, booleans, text, bytes or dates there, or leave the column out"
    )


def _text(value: Any, where: str) -> str:
    if isinstance(value, tuple):
        return json.dumps([_line(part, where) for part in value])
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, pd.Timestamp):
        zone = getattr(value.tzinfo, "key", None) or (str(value.tzinfo) if value.tzinfo else "")
        if value.tzinfo and pd.Timestamp(value.value, tz="UTC").tz_convert(zone) != value:
            raise TypeError(f"{where} holds a time in the zone {value.tzinfo!r}, which has no name")
        return f"{value.as_unit('ns').value} {value.unit} {zone}"
    if isinstance(value, pd.Timedelta):
        return f"{value.value} {value.unit}"
    if isinstance(value, datetime.datetime | datetime.time):
        if value.tzinfo is not None:
            raise TypeError(f"{where} holds a {type(value).__name__} with a time zone; use pandas.Timestamp")
        return f"{value.isoformat()}{'+' if value.fold else ''}"
    if isinstance(value, datetime.timedelta):
        return f"{value.days} {value.seconds} {value.microseconds}"
    return repr(value) if isinstance(value, float | complex) else str(value)


def _value(line: str) -> Any:
    letter, text = line[0], line[1:]
    if letter == "s":
        return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\") if "\\" in text else text
    return _READ[letter](text)


def _timestamp(text: str) -> pd.Timestamp:
    value, unit, zone = text.split(" ", 2)
    return pd.Timestamp(int(value), tz=zone or None).as_unit(unit)  # type: ignore[arg-type]


_LETTERS: dict[type, str] = {
    bool: "b",
    int: "i",
    float: "f",
    complex: "c",
    bytes: "y",
    tuple: "t",
    decimal.Decimal: "D",
    datetime.date: "d",
    datetime.datetime: "m",
    datetime.time: "h",
    datetime.timedelta: "e",
    pd.Timestamp: "p",
    pd.Timedelta: "l",
}
_READ: dict[str, Any] = {
    "z": lambda text: None,
    "N": lambda text: pd.NA,
    "T": lambda text: pd.NaT,
    "b": lambda text: text == "True",
    "i": int,
    "f": float,
    "c": complex,
    "y": bytes.fromhex,
    "t": lambda text: tuple(_value(part) for part in json.loads(text)),
    "D": decimal.Decimal,
    "d": datetime.date.fromisoformat,
    "m": lambda text: datetime.datetime.fromisoformat(text.rstrip("+")).replace(fold=int(text[-1] == "+")),
    "h": lambda text: datetime.time.fromisoformat(text.rstrip("+")).replace(fold=int(text[-1] == "+")),
    "e": lambda text: datetime.timedelta(*map(int, text.split())),
    "p": _timestamp,
    "l": lambda text: pd.Timedelta(int(text.split()[0]), unit="ns").as_unit(text.split()[1]),
}
