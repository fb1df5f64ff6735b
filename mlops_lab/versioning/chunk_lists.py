"""How does a long row of bytes become pieces under one id, and come back? By lists of hashes.

It is cut by content, each piece is kept under its hash, and the list of hashes is a row of bytes again: it is
kept in the same way, until one hash is left (Merkle 1979). Two versions that share most pieces share most of
their lists too, and the one hash at the top stands for every byte below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlops_lab.versioning.chunking import cut
from mlops_lab.versioning.packfiles import DamagedError, Packs

__all__ = ["Row", "get", "pieces_of", "put"]

ID = 32  # bytes of a SHA-256


@dataclass(frozen=True)
class Row:
    """Where a row of bytes is kept.

    Parameters
    ----------
    top
        The id at the top, in hexadecimal digits.
    lists
        How many lists of ids lie between the top and the bytes: 0 if the top is the one piece itself.
    size
        How many bytes the row has.
    """

    top: str
    lists: int
    size: int


def put(packs: Packs, blocks: Iterable[bytes], *, width: int = 1, whole: bool = False) -> Row:
    """Keep a row of bytes, which may come in several blocks; pieces that are known are not kept again."""
    if whole:
        everything = b"".join(blocks)
        return Row(packs.add(everything, width).hex(), 0, len(everything))
    ids, size = [], 0
    for piece in _pieces(blocks, width):
        ids.append(packs.add(piece, width))
        size += len(piece)
    lists = 0
    while len(ids) > 1:
        ids = [packs.add(piece) for piece in _pieces([b"".join(ids)], ID)]
        lists += 1
    return Row(ids[0].hex() if ids else packs.add(b"").hex(), lists, size)


def get(packs: Packs, row: Row) -> bytes:
    """Give the bytes of a row, each piece compared with its hash."""
    ids = [bytes.fromhex(row.top)]
    for _ in range(row.lists):
        ids = _ids(b"".join(packs.read_many(ids)))
    content = b"".join(packs.read_many(ids))
    if len(content) != row.size:
        raise DamagedError(f"{row.top[:12]} gives {len(content)} bytes, not {row.size}", what=row.top)
    return content


def pieces_of(packs: Packs, row: Row, *, strict: bool = True) -> Iterator[bytes]:
    """Name every piece that a row needs, lists included."""
    ids = [bytes.fromhex(row.top)]
    yield from ids
    for _ in range(row.lists):
        below: list[bytes] = []
        for piece in ids:
            try:
                below += _ids(packs.read(piece))
            except DamagedError:
                if strict:
                    raise
        ids = below
        yield from ids


def _pieces(blocks: Iterable[bytes], width: int) -> Iterator[memoryview]:
    """Cut blocks by content. The last piece of a block may go on in the next, so it is cut again with it."""
    rest = b""
    for block in blocks:
        data = memoryview(rest + block if rest else block)
        start = 0
        for end in cut(data, step=width)[:-1]:
            yield data[start:end]
            start = end
        rest = bytes(data[start:])
    if rest:
        yield memoryview(rest)


def _ids(listed: bytes) -> list[bytes]:
    return [listed[start : start + ID] for start in range(0, len(listed), ID)]
