"""Packfiles: pieces of bytes under their SHA-256, compressed, many in one file that is written once.

A piece is known by the hash of what it says, never of how it is stored, so the way of storing may differ from
piece to piece: numbers are rearranged, whichever way is smallest, then zstd does the rest.

A hundred thousand small files are slow on every system, so the new pieces of a commit go into one packfile
together, with a table of contents at its end. It is named only when it is whole (``atomic_write``), so a
program that is killed, or a full disk, leaves no half pack; and as it never changes, readers need no lock.

A long row of bytes is cut by content, and the list of its pieces' hashes is a row of bytes again: it is kept
in the same way, until one hash is left (Merkle 1979). Two versions that share most pieces share most of their
lists too, and the one hash at the top stands for every byte below it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import zstandard

from mlops_lab.artifacts import atomic_write
from mlops_lab.versioning.chunking import cut

__all__ = [
    "Blob",
    "DamagedError",
    "Packfiles",
    "contents",
    "decompress_checked",
    "get_blob",
    "pieces_of",
    "put_blob",
]

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

# The first byte of what is stored says how; the second is the width of a number, the third the decimals.
_AS_IT_IS, _TURNED, _STEPS, _DECIMAL = 0, 1, 2, 4
_DECIMALS = (0, 1, 2, 3, 4)
_LEVEL = 3
_MISSING = -(2**62)  # no scaled number comes near it


def compress(piece: bytes, width: int = 1) -> bytes:
    """Compress a piece, so that `decompress` gives it back bit by bit.

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


def decompress(stored: bytes, size: int) -> bytes:
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


_MAGIC = b"mlops_lab pack 1"
_ENTRY = np.dtype([("id", "V32"), ("at", "<u8"), ("stored", "<u8"), ("size", "<u8"), ("crc", "<u4")])
_TAIL = np.dtype([("entries", "<u8"), ("sha256", "V32")])
_LARGEST = 64_000_000  # bytes after which a pack is closed and the next begun


class DamagedError(ValueError):
    """Something in the store is not what was written: a disk error, or somebody's hand.

    Attributes
    ----------
    what
        The object: the id of a piece, or the name of a file.

    Examples
    --------
    >>> DamagedError("piece 12ab is damaged", what="12ab").what
    '12ab'
    """

    def __init__(self, message: str, *, what: str) -> None:
        super().__init__(message)
        self.what = what


class Packfiles:
    """Pieces in a folder of packs, found by their SHA-256.

    It knows nothing of versions. Writers need a lock among them, readers do not.

    Parameters
    ----------
    folder
        The folder; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._where: dict[bytes, tuple[str, int, int, int]] = {}  # id -> pack, place, stored bytes, bytes
        self._known: set[str] = set()
        self._parts: list[bytes] = []
        self._new: dict[bytes, tuple[int, int, int, int]] = {}
        self._size = 0
        self._written: set[str] = set()

    def __contains__(self, piece: bytes) -> bool:
        return piece in self._where or piece in self._new

    def refresh(self) -> None:
        """Read the tables of the packs that are new; a broken one counts as none."""
        names = {path.name for path in self.folder.glob("*.pack")}
        if gone := self._known - names:
            self._where = {piece: at for piece, at in self._where.items() if at[0] not in gone}
        for name in sorted(names - self._known):
            with contextlib.suppress(DamagedError, FileNotFoundError):
                table = contents(self.folder / name)
                rows = zip(*(table[field].tolist() for field in ("id", "at", "stored", "size")), strict=True)
                self._where |= {piece: (name, at, stored, size) for piece, at, stored, size in rows}
        self._known = names

    def add(self, piece: bytes | memoryview, width: int = 1) -> bytes:
        """Keep a piece, unless it is known; give its id."""
        key = hashlib.sha256(piece).digest()
        if key not in self:
            self.keep(key, compress(bytes(piece), width), len(piece))
        return key

    def keep(self, key: bytes, stored: bytes, size: int) -> None:
        """Put a piece that is compressed already into the pack that is being filled."""
        self._new[key] = (len(_MAGIC) + self._size, len(stored), size, zlib.crc32(stored))
        self._parts.append(stored)
        self._size += len(stored)
        if self._size >= _LARGEST:
            self._close_pack()

    @contextlib.contextmanager
    def adding(self) -> Iterator[None]:
        """Write what is added inside the block; if the block fails, forget it."""
        self.refresh()
        self._written = set()
        try:
            yield
            self.flush()
        finally:
            self._parts, self._new, self._size = [], {}, 0

    def flush(self) -> set[str]:
        """Write what was added so far; give the names of the packs written since ``adding`` began."""
        self._close_pack()
        return self._written

    def read(self, piece: bytes) -> bytes:
        """Give a piece, compared with its id; a piece that is missing or differs is a DamagedError."""
        return next(self.read_many([piece]))

    def read_many(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Give pieces in turn, each compared with its id."""
        for piece, (stored, size) in self.stored(pieces):
            yield decompress_checked(piece, stored, size)

    def stored(self, pieces: Iterable[bytes]) -> Iterator[tuple[bytes, tuple[bytes, int]]]:
        """Give each piece's id, what lies on the disk for it, and how long it is when it is unpacked."""
        with contextlib.ExitStack() as closing:
            files: dict[str, IO[bytes]] = {}
            for piece in pieces:
                name, at, stored, size = self._open(piece, files, closing)
                files[name].seek(at)
                yield piece, (files[name].read(stored), size)

    def _open(
        self, piece: bytes, files: dict[str, IO[bytes]], closing: contextlib.ExitStack
    ) -> tuple[str, int, int, int]:
        for _ in range(3):  # between a look and a read, another program may have put packs together
            if piece not in self._where:
                self.refresh()
            if piece not in self._where:
                break
            place = self._where[piece]
            try:
                if place[0] not in files:
                    files[place[0]] = closing.enter_context((self.folder / place[0]).open("rb"))
            except FileNotFoundError:
                self.refresh()
            else:
                return place
        raise DamagedError(f"piece {piece.hex()[:12]} is missing in {str(self.folder)!r}", what=piece.hex())

    def _close_pack(self) -> None:
        if not self._new:
            return
        table = np.array([(key, *row) for key, row in self._new.items()], dtype=_ENTRY).tobytes()
        tail = np.array((len(self._new), hashlib.sha256(table).digest()), dtype=_TAIL).tobytes()
        name = hashlib.sha256(table).hexdigest()[:32] + ".pack"
        atomic_write(self.folder / name, b"".join([_MAGIC, *self._parts, table, tail]))
        self._where |= {key: (name, *row[:3]) for key, row in self._new.items()}
        self._known.add(name)
        self._written.add(name)
        self._parts, self._new, self._size = [], {}, 0


def contents(pack: Path) -> np.ndarray[Any, Any]:
    """Read a pack's table of contents."""
    size = pack.stat().st_size
    with pack.open("rb") as file:
        magic = file.read(len(_MAGIC))
        file.seek(max(0, size - _TAIL.itemsize))
        tail = file.read()
        if magic == _MAGIC and len(tail) == _TAIL.itemsize:
            entries, expected = np.frombuffer(tail, dtype=_TAIL)[0].item()
            begin = size - _TAIL.itemsize - entries * _ENTRY.itemsize
            if begin >= len(_MAGIC):
                file.seek(begin)
                table = file.read(entries * _ENTRY.itemsize)
                rows = np.frombuffer(table, dtype=_ENTRY)
                whole = len(_MAGIC) + int(rows["stored"].sum()) == begin
                if whole and hashlib.sha256(table).digest() == expected:
                    return rows
    raise DamagedError(f"the table of contents of pack {pack.name!r} is damaged", what=pack.name)


def decompress_checked(piece: bytes, stored: bytes, size: int) -> bytes:
    """Unpack a piece and compare it with its id."""
    name = piece.hex()
    try:
        content = decompress(stored, size)
    except ValueError as broken:
        raise DamagedError(f"piece {name[:12]} is damaged: {broken}", what=name) from broken
    if hashlib.sha256(content).digest() != piece:
        raise DamagedError(f"piece {name[:12]} is damaged: its content has another hash", what=name)
    return content


ID = 32  # bytes of a SHA-256


@dataclass(frozen=True)
class Blob:
    """Where a row of bytes, of any length, is kept.

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


def put_blob(packs: Packfiles, blocks: Iterable[bytes], *, width: int = 1, whole: bool = False) -> Blob:
    """Keep a row of bytes, which may come in several blocks; pieces that are known are not kept again."""
    if whole:
        everything = b"".join(blocks)
        return Blob(packs.add(everything, width).hex(), 0, len(everything))
    ids, size = [], 0
    for piece in _pieces(blocks, width):
        ids.append(packs.add(piece, width))
        size += len(piece)
    lists = 0
    while len(ids) > 1:
        ids = [packs.add(piece) for piece in _pieces([b"".join(ids)], ID)]
        lists += 1
    return Blob(ids[0].hex() if ids else packs.add(b"").hex(), lists, size)


def get_blob(packs: Packfiles, row: Blob) -> bytes:
    """Give the bytes of a row, each piece compared with its hash."""
    ids = [bytes.fromhex(row.top)]
    for _ in range(row.lists):
        ids = _ids(b"".join(packs.read_many(ids)))
    content = b"".join(packs.read_many(ids))
    if len(content) != row.size:
        raise DamagedError(f"{row.top[:12]} gives {len(content)} bytes, not {row.size}", what=row.top)
    return content


def pieces_of(packs: Packfiles, row: Blob, *, strict: bool = True) -> Iterator[bytes]:
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
