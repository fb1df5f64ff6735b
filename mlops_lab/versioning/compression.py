"""How is one piece stored in few bytes? Its numbers are rearranged, whichever way is smallest, then zstd.

A piece is known by the hash of what it says, never of how it is stored, so the way may differ from piece to
piece: one unusual number in a column costs its own piece some bytes and no other.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import zstandard

__all__ = ["squeeze", "unsqueeze"]

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

# The first byte of what is stored says how; the second is the width of a number, the third the decimals.
_AS_IT_IS, _TURNED, _STEPS, _DECIMAL = 0, 1, 2, 4
_DECIMALS = (0, 1, 2, 3, 4)
_LEVEL = 3
_MISSING = -(2**62)  # no scaled number comes near it


def squeeze(piece: bytes, width: int = 1) -> bytes:
    """Store a piece in few bytes.

    Decimal numbers such as 17.5 become whole ones, if that is exact (the idea of ALP: Afroozeh, Kuffo and
    Boncz, SIGMOD 2024); neighbours are subtracted where that helps; the bytes are turned, all first bytes
    first, so that those which hardly change stand together; zstd does the rest. It says nothing about what
    is stored already.
    """
    packed = _compressor().compress
    if width == 1 or not piece or len(piece) % width:
        return bytes([_AS_IT_IS, 1, 0]) + packed(piece)
    way, decimals = 0, 0
    numbers: np.ndarray[Any, Any] = np.frombuffer(piece, dtype=f"<i{width}")
    if width == 8 and (scaled := _whole(numbers.view("<f8"))):
        (decimals, numbers), way = scaled, _DECIMAL
    steps = np.diff(numbers, prepend=numbers.dtype.type(0))
    stored = [
        (packed(_turned(numbers)), way | _TURNED),
        (packed(_turned(steps)), way | _TURNED | _STEPS),
    ]
    if not way:
        stored.append((packed(piece), _AS_IT_IS))
    short, way = min(stored, key=lambda one: len(one[0]))
    return bytes([way, width, decimals]) + short


def unsqueeze(stored: bytes, size: int) -> bytes:
    """Give the piece back."""
    if len(stored) < 3:
        raise ValueError(f"{len(stored)} bytes are no stored piece")
    way, width, decimals = stored[:3]
    try:
        piece: bytes = _decompressor().decompress(stored[3:], max_output_size=max(size, 1))
        if way == _AS_IT_IS:
            return piece
        turned = np.frombuffer(piece, dtype=np.uint8).reshape(width, -1)
        numbers = np.ascontiguousarray(turned.T).reshape(-1).view(f"<i{width}")
        if way & _STEPS:
            numbers = np.cumsum(numbers, dtype=numbers.dtype)
        if way & _DECIMAL:
            numbers = np.where(numbers == _MISSING, np.nan, numbers / 10.0**decimals)
        return numbers.tobytes()
    except (zstandard.ZstdError, TypeError, ValueError) as broken:
        raise ValueError(f"this is no stored piece: {broken}") from broken


def _whole(values: np.ndarray[Any, Any]) -> tuple[int, np.ndarray[Any, Any]] | None:
    """Write decimal numbers as whole ones, if for some number of decimals all come back bit by bit."""
    missing = np.isnan(values)
    present = np.where(missing, 0.0, values)
    if not np.all(np.abs(present) < 2**40):
        return None
    for decimals in _DECIMALS:
        for part in (slice(16), slice(None)):  # a look at the first few saves most of the work
            scaled = np.rint(present[part] * 10.0**decimals).astype("<i8")
            back = np.where(missing[part], np.nan, scaled / 10.0**decimals)
            if back.tobytes() != values[part].tobytes():
                break
        else:
            return decimals, np.where(missing, _MISSING, scaled)
    return None


def _turned(numbers: np.ndarray[Any, Any]) -> bytes:
    return numbers.view(np.uint8).reshape(len(numbers), -1).T.tobytes()


@functools.cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=_LEVEL)


@functools.cache
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()
