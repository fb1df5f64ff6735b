"""What kinds of things have versions, and how does each become bytes and come back? Said here."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.artifacts import atomic_write, load_model, save_model
from mlops_lab.versioning.chunk_lists import Row, get, put
from mlops_lab.versioning.packfiles import Packs
from mlops_lab.versioning.table_layout import from_rows, to_rows

__all__ = ["kind_of", "labels_of", "plain", "rows_of", "store", "take", "text_of"]

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


def store(
    packs: Packs, thing: Any, labels: pd.Series[Any] | None, *, whole: bool
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
        row = put(packs, _blocks(Path(thing)), whole=whole)
        return {"file": list(vars(row).values()), "name": Path(thing).name}, row.top
    with tempfile.TemporaryDirectory() as folder:
        content = save_model(thing, Path(folder, "model.skops"))
        row = put(packs, _blocks(Path(folder, "model.skops")), whole=whole)
    settings = {key: repr(value) for key, value in thing.get_params().items()}
    return {"model": list(vars(row).values()), "settings": settings, "class": type(thing).__name__}, content


def take(
    packs: Packs,
    kind: str,
    plan: dict[str, Any],
    content: str,
    *,
    to: Path | None,
    trusted: Sequence[str | type],
) -> Any:
    """Build a thing again from its plan."""
    if kind == "frame":
        return from_rows(plan["table"], _fetch(packs, plan))
    if kind == "params":
        return plan["params"]
    if kind == "file":
        data = get(packs, Row(*plan["file"]))
        return data if to is None else atomic_write(to, data)
    with tempfile.TemporaryDirectory() as folder:
        path = atomic_write(Path(folder, "model.skops"), get(packs, Row(*plan["model"])))
        return load_model(path, trusted=trusted, expected_hash=content)


def labels_of(packs: Packs, plan: dict[str, Any]) -> pd.Series[Any] | None:
    """Give the labels that were kept beside a table, or None."""
    if plan.get("labels") is None:
        return None
    return from_rows(plan["labels"], _fetch(packs, plan)).iloc[:, 0]


def rows_of(plan: Any) -> Iterator[Row]:
    """Find every row of bytes that a plan names."""
    if isinstance(plan, dict):
        for key, value in plan.items():
            if key not in ("params", "settings"):
                yield from rows_of(value)
    elif isinstance(plan, list):
        if len(plan) == 3 and isinstance(plan[0], str) and len(plan[0]) == 64:
            yield Row(*plan)
        else:
            for value in plan:
                yield from rows_of(value)


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
    packs: Packs, table: pd.DataFrame, labels: pd.Series[Any] | None, *, whole: bool
) -> dict[str, Any]:
    if labels is not None and not (isinstance(labels, pd.Series) and labels.index.equals(table.index)):
        raise ValueError("labels must be a pandas Series with the index of the table; align them first")
    held: list[bytes] = []

    def keep(row: bytes, width: int) -> Any:
        if not whole:
            return list(vars(put(packs, [row], width=width)).values())
        held.append(row)
        return [sum(map(len, held[:-1])), len(row)]

    plan: dict[str, Any] = {"table": to_rows(table, keep), "labels": None}
    if labels is not None:
        plan["labels"] = to_rows(labels.to_frame(), keep)
    if whole:
        plan["whole"] = list(vars(put(packs, held, whole=True)).values())
    return plan


def _fetch(packs: Packs, plan: dict[str, Any]) -> Any:
    if "whole" not in plan:
        return lambda held: get(packs, Row(*held))
    everything = get(packs, Row(*plan["whole"]))
    return lambda held: everything[held[0] : held[0] + held[1]]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def text_of(plan: dict[str, Any]) -> bytes:
    """Write a plan as bytes, the same for the same plan."""
    return json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
