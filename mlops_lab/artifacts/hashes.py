"""Is this the same content? A fingerprint of a file, of bytes, or of a table.

A hash of a file answers "the same bytes?". Two files can hold the same table in different bytes, so a table
has a hash of its own, over what it says and not over how it was stored.
"""

from __future__ import annotations

import datetime
import decimal
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["array_bytes", "frame_hash", "sha256"]

# Changes whenever the canonical form below changes, so that an old hash is never taken for a new one.
_FRAME_FORM = b"mlops_lab frame, form 1"


def sha256(content: bytes | str | os.PathLike[str]) -> str:
    """Fingerprint bytes, or the bytes of a file.

    Equal fingerprints mean equal bytes, for every practical purpose (SHA-256, FIPS 180-4). A changed
    fingerprint says that something changed, not what, and not whether it matters. It is no signature: who can
    change the file can compute a new fingerprint.

    Parameters
    ----------
    content
        Bytes, or the path of a file, which is read in pieces. Text is always a path.

    Raises
    ------
    FileNotFoundError
        If the path names no file.

    Examples
    --------
    >>> sha256(b"crate")[:12]
    'f5fe331d2367'
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with Path(content).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def frame_hash(frame: pd.DataFrame) -> str:
    """Fingerprint what a table says: its values, their types, and the order of rows and columns.

    Counted are: the number of rows; each column's name, type and values, in order; and the index in the same
    way. Not counted are: how pandas lays the table out in memory, ``attrs``, which of the many NaN bit
    patterns is used, and the sign of zero. So a table and its copy are equal, and so are two tables for which
    ``DataFrame.equals`` is true and whose index and column labels agree.

    It misleads where a change does not matter: shuffled rows give another hash. Sort first where order is no
    content. Other releases of pandas may read one file into other types (text was ``object`` before pandas 3)
    and so give another hash. The form is our own, so compare our hashes only with our hashes.

    Parameters
    ----------
    frame
        The table. Values may be numbers, booleans, text, bytes, dates, categories, or missing.

    Raises
    ------
    TypeError
        If a column holds something else (a list, an estimator), whose content has no agreed form.

    Examples
    --------
    >>> crates = pd.DataFrame({"weight_kg": [17.5, 18.0], "scanner": ["belt", "handheld"]})
    >>> frame_hash(crates) == frame_hash(crates.copy())
    True
    >>> frame_hash(crates) == frame_hash(crates.astype({"weight_kg": "float32"}))
    False
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"frame_hash takes a pandas DataFrame, not {type(frame).__name__}; use sha256 for bytes and files"
        )
    digest = hashlib.sha256(_FRAME_FORM)
    digest.update(np.array(frame.shape, dtype="<i8").tobytes())
    _feed(digest, _objects(frame.columns.names, "the names of the column levels"))
    for level in range(frame.columns.nlevels):
        _feed(digest, _objects(frame.columns.get_level_values(level), "the column names"))
    _feed(digest, _objects(frame.index.names, "the names of the index levels"))
    for level in range(frame.index.nlevels):
        _column(digest, frame.index.get_level_values(level).to_series(), "the index")
    for position in range(frame.shape[1]):
        _column(digest, frame.iloc[:, position], f"column {frame.columns[position]!r}")
    return digest.hexdigest()


def array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """Give an array's values as bytes that do not depend on its layout in memory.

    Rows first, smallest byte first, one NaN for all NaNs, zero without a sign. Named fields are given one
    after the other, because the gaps between them in memory hold anything.
    """
    if array.dtype.names:
        parts = [_framed(name.encode()) + _framed(array_bytes(array[name])) for name in array.dtype.names]
        return b"fields" + b"".join(parts)
    if array.dtype.kind == "O":
        raise TypeError("an array of Python objects has no agreed form in bytes")
    # A single value has no layout, and ascontiguousarray would give it one dimension.
    values = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C", copy=True)
    if values.dtype.kind in "fc":
        parts_of = values.reshape(-1).view(values.real.dtype)
        parts_of[np.isnan(parts_of)] = np.nan
        parts_of += 0.0
    return _framed(f"{array.dtype.name}{array.shape}".encode()) + values.tobytes()


def _column(digest: Any, column: pd.Series[Any], where: str) -> None:
    """Feed one column: its type, then its values, whatever pandas holds them in."""
    kind = column.dtype
    plain: np.dtype[Any] | None = getattr(kind, "numpy_dtype", None)
    _feed(digest, [str(kind).encode()])
    if isinstance(kind, pd.CategoricalDtype):
        _feed(digest, [b"ordered" if kind.ordered else b"unordered"])
        _column(digest, kind.categories.to_series(), f"the categories of {where}")
        _feed(digest, [array_bytes(column.cat.codes.to_numpy().astype("int64"))])
    elif isinstance(kind, np.dtype) and kind.kind != "O":
        _feed(digest, [array_bytes(column.to_numpy())])
    elif isinstance(kind, pd.DatetimeTZDtype):
        _feed(digest, [array_bytes(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())])
    elif plain is not None and plain.kind in "iufb":
        present = column.to_numpy(plain, na_value=0)
        _feed(digest, [array_bytes(column.isna().to_numpy()), array_bytes(present)])
    else:
        _feed(digest, _objects(column.to_numpy(dtype=object), where))


def _objects(values: Iterable[Any], where: str) -> Iterable[bytes]:
    for value in values:
        is_numpy = isinstance(value, np.generic) and not isinstance(value, np.datetime64)
        plain = value.item() if is_numpy else value
        if plain is None or plain is pd.NA or plain is pd.NaT:
            yield f"missing {plain}".encode()
        elif isinstance(plain, str):
            yield b"text " + plain.encode("utf-8", "surrogatepass")
        elif isinstance(plain, bytes):
            yield b"bytes " + plain
        elif isinstance(plain, bool | int):
            yield f"{type(plain).__name__} {plain:d}".encode()
        elif isinstance(plain, float):
            yield f"float {plain + 0.0!r}".encode()
        elif isinstance(plain, datetime.date | datetime.timedelta | decimal.Decimal | np.datetime64):
            yield f"{type(plain).__name__} {plain}".encode()
        elif isinstance(plain, tuple):
            yield b"tuple " + b"".join(_framed(part) for part in _objects(plain, where))
        else:
            raise TypeError(
                f"{where} holds a {type(plain).__name__}, for which no canonical form is defined; "
                "keep numbers, booleans, text, bytes or dates there, or leave the column out"
            )


def _feed(digest: Any, parts: Iterable[bytes]) -> None:
    """Feed a list of parts so that no other list gives the same bytes: each with its length, then the end."""
    for part in parts:
        digest.update(_framed(part))
    digest.update(b"end")


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "little") + part
