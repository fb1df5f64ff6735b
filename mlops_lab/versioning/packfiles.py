"""Where do pieces lie on the disk? In packs: files that are written once, whole, and never changed.

A hundred thousand small files are slow on every system, so the new pieces of a commit go into one file
together, with a table of contents at its end. A pack is named only when it is whole (``atomic_write``), so a
program that is killed, or a full disk, leaves no half pack; and as it never changes, readers need no lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from mlops_lab.artifacts import atomic_write
from mlops_lab.versioning.compression import squeeze, unsqueeze

__all__ = ["DamagedError", "Packs", "contents", "unsqueezed"]

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


class Packs:
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
            self.keep(key, squeeze(bytes(piece), width), len(piece))
        return key

    def keep(self, key: bytes, stored: bytes, size: int) -> None:
        """Put a piece that is squeezed already into the pack that is being filled."""
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
            yield unsqueezed(piece, stored, size)

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
        for _ in range(3):  # between a look and a read, another program may have swept packs together
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


def unsqueezed(piece: bytes, stored: bytes, size: int) -> bytes:
    """Unpack a piece and compare it with its id."""
    name = piece.hex()
    try:
        content = unsqueeze(stored, size)
    except ValueError as broken:
        raise DamagedError(f"piece {name[:12]} is damaged: {broken}", what=name) from broken
    if hashlib.sha256(content).digest() != piece:
        raise DamagedError(f"piece {name[:12]} is damaged: its content has another hash", what=name)
    return content
