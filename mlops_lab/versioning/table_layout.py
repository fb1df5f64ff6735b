"""What is a table as rows of bytes? One row for each column, and a short plan of how to put it together.

Column by column, because a correction of one column then leaves the bytes of all others as they were, and
because like stands beside like and is squeezed better. The form is exact: types, index, categories, missing
values, dates and text come back as they were. Not kept are ``attrs``, and which of the many NaN bit patterns
was used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import pandas as pd

from mlops_lab.versioning.object_columns import from_cells, to_cells

__all__ = ["from_rows", "to_rows"]

Plan = dict[str, Any]
Keep = Callable[[bytes, int], Any]
Fetch = Callable[[Any], bytes]

_END = "\0"


def to_rows(frame: pd.DataFrame, keep: Keep) -> Plan:
    """Take a table apart."""
    return {
        "rows": len(frame),
        "columns": _from_index(frame.columns, keep, "the column names"),
        "index": _from_index(frame.index, keep, "the index"),
        "values": [
            _from_column(frame.iloc[:, place], keep, f"column {frame.columns[place]!r}")
            for place in range(frame.shape[1])
        ],
    }


def from_rows(plan: Plan, fetch: Fetch) -> pd.DataFrame:
    """Put a table together."""
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
    names = from_cells(fetch(plan["names"]), np.dtype(object)).tolist()
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
    return keep(to_cells(list(values), where), 1)


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
        return plan | {"form": "cells", "row": keep(to_cells(column.tolist(), where), 1)}
    raise TypeError(
        f"{where} is of type {kind}, for which no exact form is defined; "
        "turn it into numbers, text, dates or categories first, or leave it out"
    )


def _to_column(plan: Plan, fetch: Fetch) -> Any:
    form = plan["form"]
    if form == "cells":
        return pd.Series(from_cells(fetch(plan["row"]), np.dtype(object)), dtype=object)
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
            "cells": keep(to_cells(cells, "text"), 1),
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
        cells = from_cells(fetch(plan["cells"]), np.dtype(object))
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
