"""Serialization: tables, parameters, models and files as bytes, and exactly back.

A table goes column by column, because a correction of one column then leaves the bytes of all others as they
were, and because like stands beside like and compresses better. The form is exact: types, index, categories,
missing values, dates and text come back as they were. Not kept are ``attrs``, and which of the many NaN bit
patterns was used. A column of Python objects has a line for each cell, with a letter that says its kind.
"""

from __future__ import annotations

import datetime
import decimal
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from mlops_lab.artifacts import atomic_write, load_model, save_model
from mlops_lab.versioning.packfiles import Blob, Packfiles, get_blob, put_blob

__all__ = [
    "blobs_of",
    "deserialize",
    "kind_of",
    "labels_of",
    "plain",
    "serialize",
    "text_of",
]

_LINE_END = "\n"


def _serialize_objects(values: Iterable[Any], where: str) -> bytes:
    r"""Write objects one line each."""
    lines = [_line(value, where) for value in values]
    return "".join(line + _LINE_END for line in lines).encode("utf-8", "surrogatepass")


def _deserialize_objects(row: bytes, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    r"""Read what ``serialize_objects`` wrote."""
    lines = row.decode("utf-8", "surrogatepass").split(_LINE_END)[:-1]
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


Plan = dict[str, Any]
Keep = Callable[[bytes, int], Any]
Fetch = Callable[[Any], bytes]

_END = "\0"


def _serialize_table(frame: pd.DataFrame, keep: Keep) -> Plan:
    """Keep a table column by column; give the plan of how to put it together."""
    return {
        "rows": len(frame),
        "columns": _from_index(frame.columns, keep, "the column names"),
        "index": _from_index(frame.index, keep, "the index"),
        "values": [
            _from_column(frame.iloc[:, place], keep, f"column {frame.columns[place]!r}")
            for place in range(frame.shape[1])
        ],
    }


def _deserialize_table(plan: Plan, fetch: Fetch) -> pd.DataFrame:
    """Put a table together from its plan."""
    index = _to_index(plan["index"], fetch)
    columns = {place: _to_column(held, fetch) for place, held in enumerate(plan["values"])}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(plan["rows"]))
    frame.columns = _to_index(plan["columns"], fetch)
    frame.index = index
    return frame


def _from_index(index: pd.Index[Any], keep: Keep, where: str) -> Plan:
    if isinstance(index, pd.RangeIndex):
        names = _words(index.names, keep, where)
        return {"range": [index.start, index.stop, index.step], "names": names}
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    plan: Plan = {
        "levels": [_from_column(level.to_series(), keep, where) for level in levels],
        "names": _words(index.names, keep, where),
        "many": isinstance(index, pd.MultiIndex),
    }
    freq = getattr(index, "freq", None)
    if freq is not None and pd.tseries.frequencies.to_offset(freq.freqstr) == freq:
        plan["freq"] = freq.freqstr
    return plan


def _to_index(plan: Plan, fetch: Fetch) -> pd.Index[Any]:
    names = _deserialize_objects(fetch(plan["names"]), np.dtype(object)).tolist()
    if "range" in plan:
        start, stop, step = plan["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    levels = [pd.Index(_to_column(level, fetch)) for level in plan["levels"]]
    if plan["many"]:
        return pd.MultiIndex.from_arrays(levels, names=names)
    index: Any = levels[0].rename(names[0])
    if "freq" in plan:
        index.freq = plan["freq"]
    return cast("pd.Index[Any]", index)


def _words(values: Iterable[Any], keep: Keep, where: str) -> Any:
    return keep(_serialize_objects(list(values), where), 1)


def _from_column(column: pd.Series[Any], keep: Keep, where: str) -> Plan:
    kind = column.dtype
    plan: Plan = {"type": str(kind)}
    if isinstance(kind, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        plan |= {
            "form": "categories",
            "ordered": bool(kind.ordered),
            "codes": keep(_plain(codes), codes.itemsize),
        }
        return plan | {
            "code_type": _little(codes.dtype),
            "categories": _from_index(kind.categories, keep, where),
        }
    if isinstance(kind, pd.StringDtype):
        plan |= {"storage": kind.storage, "na": "nan" if kind.na_value is np.nan else "NA"}
        return plan | _from_text(column, keep)
    if isinstance(kind, pd.DatetimeTZDtype) and _is_named(kind):
        values = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        return plan | {"form": "plain", "held": values.dtype.str, "row": keep(_plain(values), 8)}
    if (
        isinstance(kind, np.dtype)
        and kind.kind in "biufcmM"
        and kind.itemsize <= 16
        and kind.name != "longdouble"
    ):
        values = column.to_numpy()
        return plan | {"form": "plain", "held": _little(kind), "row": keep(_plain(values), _width(kind))}
    if (
        (plain := getattr(kind, "numpy_dtype", None)) is not None
        and plain.kind in "iufb"
        and _is_masked(kind)
    ):
        values = column.to_numpy(plain, na_value=0)
        row, missing = keep(_plain(values), _width(plain)), keep(column.isna().to_numpy().tobytes(), 1)
        return plan | {"form": "masked", "held": _little(plain), "row": row, "missing": missing}
    if kind == np.dtype(object):
        return plan | {"form": "cells", "row": keep(_serialize_objects(column.tolist(), where), 1)}
    raise TypeError(
        f"{where} is of type {kind}, for which no exact form is defined; "
        "turn it into numbers, text, dates or categories first, or leave it out"
    )


def _to_column(plan: Plan, fetch: Fetch) -> Any:
    form = plan["form"]
    if form == "cells":
        return pd.Series(_deserialize_objects(fetch(plan["row"]), np.dtype(object)), dtype=object)
    if form == "text":
        return _to_text(plan, fetch)
    if form == "categories":
        codes: Any = np.frombuffer(fetch(plan["codes"]), dtype=plan["code_type"])
        categories = _to_index(plan["categories"], fetch)
        return pd.Series(pd.Categorical.from_codes(codes, categories, ordered=plan["ordered"]))
    values = np.frombuffer(bytearray(fetch(plan["row"])), dtype=plan["held"])
    if form == "masked":
        missing = np.frombuffer(bytearray(fetch(plan["missing"])), dtype=bool)
        return pd.Series(_masked(values, missing, plan["type"]))
    if plan["type"].startswith("datetime64[") and "," in plan["type"]:
        zone = pd.api.types.pandas_dtype(plan["type"]).tz  # type: ignore[union-attr]
        return (
            pd.DatetimeIndex(values)
            .tz_localize("UTC")
            .tz_convert(zone)
            .to_series(index=pd.RangeIndex(len(values)))
        )
    return pd.Series(values)


def _from_text(column: pd.Series[Any], keep: Keep) -> Plan:
    """Text stands one after the other, each with an end; which cells are missing stands apart."""
    missing = column.isna().to_numpy()
    cells = (
        ["" if gone else cell for gone, cell in zip(missing, column, strict=True)]
        if missing.any()
        else column.tolist()
    )
    joined = _END.join([*cells, ""])
    if joined.count(_END) != len(cells):  # some text holds the end sign itself
        return {
            "form": "text",
            "cells": keep(_serialize_objects(cells, "text"), 1),
            "missing": keep(missing.tobytes(), 1),
        }
    return {
        "form": "text",
        "row": keep(joined.encode("utf-8", "surrogatepass"), 1),
        "missing": keep(missing.tobytes(), 1),
    }


def _to_text(plan: Plan, fetch: Fetch) -> Any:
    missing = np.frombuffer(fetch(plan["missing"]), dtype=bool)
    if "cells" in plan:
        cells = _deserialize_objects(fetch(plan["cells"]), np.dtype(object))
    else:
        cells = np.array(fetch(plan["row"]).decode("utf-8", "surrogatepass").split(_END)[:-1], dtype=object)
    na = np.nan if plan["na"] == "nan" else pd.NA
    if missing.any():
        cells[missing] = na
    return pd.Series(cells, dtype=pd.StringDtype(plan["storage"], na_value=na))


def _plain(values: np.ndarray[Any, Any]) -> bytes:
    """Give numbers as bytes, smallest byte first, with one NaN for all NaNs."""
    held = np.array(values, dtype=_little(values.dtype), order="C", copy=True)
    if held.dtype.kind in "fc":
        parts = held.view(held.real.dtype)
        parts[np.isnan(parts)] = np.nan
    return held.tobytes()


def _little(kind: np.dtype[Any]) -> str:
    return kind.newbyteorder("<").str


def _width(kind: np.dtype[Any]) -> int:
    return kind.itemsize // 2 if kind.kind == "c" else kind.itemsize


def _is_named(kind: pd.DatetimeTZDtype) -> bool:
    """Say whether the zone can be found again by its name, here and elsewhere."""
    try:
        return "tzlocal" not in str(kind) and bool(pd.api.types.pandas_dtype(str(kind)) == kind)
    except TypeError:
        return False


def _is_masked(kind: Any) -> bool:
    return isinstance(kind, pd.BooleanDtype) or str(kind)[:1] in "IUF"


def _masked(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any], kind: str) -> Any:
    arrays = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
    return arrays.get(values.dtype.kind, pd.arrays.IntegerArray)(values, missing)


_BLOCK = 16_000_000  # bytes of a file that are read at a time


def kind_of(thing: Any) -> str:
    """Say what kind of thing it is."""
    if isinstance(thing, pd.DataFrame):
        return "frame"
    if isinstance(thing, Mapping):
        return "params"
    if isinstance(thing, os.PathLike):
        return "file"
    if hasattr(thing, "get_params") and not isinstance(thing, type):
        return "pipeline" if hasattr(thing, "named_steps") else "model"
    raise TypeError(
        f"a {type(thing).__name__} has no versions here; give a DataFrame, a dict of parameters, an "
        "estimator, a pipeline, or pathlib.Path(...) of a file"
    )


def serialize(
    packs: Packfiles, thing: Any, labels: pd.Series[Any] | None, *, whole: bool
) -> tuple[dict[str, Any], str]:
    """Keep a thing's bytes; give the plan of how to build it again, and the hash of its content.

    The hash is empty where the plan itself says all.
    """
    kind = kind_of(thing)
    if labels is not None and kind != "frame":
        raise ValueError(f"labels belong to a table; this is a {kind}")
    if kind == "frame":
        return _store_frame(packs, thing, labels, whole=whole), ""
    if kind == "params":
        return {"params": plain(thing, "the parameters")}, ""
    if kind == "file":
        if Path(thing).is_dir():
            raise ValueError(
                f"{str(thing)!r} is a folder; commit its files one by one, each under its own name"
            )
        row = put_blob(packs, _blocks(Path(thing)), whole=whole)
        return {"file": list(vars(row).values()), "name": Path(thing).name}, row.top
    with tempfile.TemporaryDirectory() as folder:
        content = save_model(thing, Path(folder, "model.skops"))
        row = put_blob(packs, _blocks(Path(folder, "model.skops")), whole=whole)
    settings = {key: repr(value) for key, value in thing.get_params().items()}
    return {"model": list(vars(row).values()), "settings": settings, "class": type(thing).__name__}, content


def deserialize(
    packs: Packfiles,
    kind: str,
    plan: dict[str, Any],
    content: str,
    *,
    to: Path | None,
    trusted: Sequence[str | type],
) -> Any:
    """Build a thing again from its plan."""
    if kind == "frame":
        return _deserialize_table(plan["table"], _fetch(packs, plan))
    if kind == "params":
        return plan["params"]
    if kind == "file":
        data = get_blob(packs, Blob(*plan["file"]))
        return data if to is None else atomic_write(to, data)
    with tempfile.TemporaryDirectory() as folder:
        path = atomic_write(Path(folder, "model.skops"), get_blob(packs, Blob(*plan["model"])))
        return load_model(path, trusted=trusted, expected_hash=content)


def labels_of(packs: Packfiles, plan: dict[str, Any]) -> pd.Series[Any] | None:
    """Give the labels that were kept beside a table, or None."""
    if plan.get("labels") is None:
        return None
    return _deserialize_table(plan["labels"], _fetch(packs, plan)).iloc[:, 0]


def blobs_of(plan: Any) -> Iterator[Blob]:
    """Find every row of bytes that a plan names."""
    if isinstance(plan, dict):
        for key, value in plan.items():
            if key not in ("params", "settings"):
                yield from blobs_of(value)
    elif isinstance(plan, list):
        if len(plan) == 3 and isinstance(plan[0], str) and len(plan[0]) == 64:
            yield Blob(*plan)
        else:
            for value in plan:
                yield from blobs_of(value)


def plain(value: Any, where: str) -> Any:
    """Give settings as JSON can hold them, if they come back from there as they were."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [plain(part, f"{where}[{place}]") for place, part in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(part, f"{where}[{key!r}]") for key, part in value.items()}
    raise TypeError(
        f"{where} holds {value!r}, a {type(value).__name__}, which would not come back from JSON as it was; "
        "use text, numbers, booleans, None, lists, and dicts with text as keys"
    )


def _store_frame(
    packs: Packfiles, table: pd.DataFrame, labels: pd.Series[Any] | None, *, whole: bool
) -> dict[str, Any]:
    if labels is not None and not (isinstance(labels, pd.Series) and labels.index.equals(table.index)):
        raise ValueError("labels must be a pandas Series with the index of the table; align them first")
    held: list[bytes] = []

    def keep(row: bytes, width: int) -> Any:
        if not whole:
            return list(vars(put_blob(packs, [row], width=width)).values())
        held.append(row)
        return [sum(map(len, held[:-1])), len(row)]

    plan: dict[str, Any] = {"table": _serialize_table(table, keep), "labels": None}
    if labels is not None:
        plan["labels"] = _serialize_table(labels.to_frame(), keep)
    if whole:
        plan["whole"] = list(vars(put_blob(packs, held, whole=True)).values())
    return plan


def _fetch(packs: Packfiles, plan: dict[str, Any]) -> Any:
    if "whole" not in plan:
        return lambda held: get_blob(packs, Blob(*held))
    everything = get_blob(packs, Blob(*plan["whole"]))
    return lambda held: everything[held[0] : held[0] + held[1]]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def text_of(plan: dict[str, Any]) -> bytes:
    """Write a plan as bytes, the same for the same plan."""
    return json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
