"""Garbage collection: pieces that no version needs any more go, without harm. Copied first, removed last."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from mlops_lab.report import Finding, Report
from mlops_lab.versioning import store_layout
from mlops_lab.versioning.integrity import needs
from mlops_lab.versioning.manifests import Manifests
from mlops_lab.versioning.packfiles import DamagedError, Packfiles, contents, decompress_checked

__all__ = ["GarbageCollection", "collect"]

_SMALL, _MANY = 1_000_000, 8  # so many packs of fewer bytes are put together


@dataclass(frozen=True, kw_only=True)
class GarbageCollection(Report):
    """What garbage collection has removed: what ``Store.gc`` answers.

    Parameters
    ----------
    title, findings
        As in every report.
    removed_pieces, kept_pieces
        How many pieces are gone, and how many are still there.
    removed_bytes
        Bytes that the disk has back.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import versioning
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = versioning.Store(folder)
    ...     _ = store.commit({"depth": 3}, "settings"), store.commit({"depth": 4}, "settings")
    ...     _ = store.forget("settings@1")
    ...     gone = store.gc()
    ...     store.load("settings@2"), gone.removed_pieces
    ({'depth': 4}, 1)

    Taught in notebooks/04_versioning.ipynb.
    """

    removed_pieces: int = 0
    kept_pieces: int = 0
    removed_bytes: int = 0

    def headline(self) -> str:
        """Say what is gone and what is kept."""
        return (
            f"{self.removed_pieces:,} unneeded pieces are gone, {self.removed_bytes:,} bytes are "
            f"free; {self.kept_pieces:,} pieces are kept."
        )


def collect(folder: Path, packs: Packfiles, manifests: Manifests) -> GarbageCollection:
    """Remove what no version needs. The caller holds the store's lock.

    What is needed is copied into new packs first; only when those are whole on the disk are the old ones
    removed. A kill in between leaves pieces twice, which the next run mends.

    Taught in notebooks/04_versioning.ipynb.
    """
    before = store_layout.size(folder)
    with packs.adding():
        needed: set[bytes] = set()
        for name in manifests.files():
            needed |= needs(packs, manifests.read(name, again=True))
        for piece in needed:
            if piece not in packs:
                raise DamagedError(
                    f"piece {piece.hex()[:12]} is missing, so what is needed cannot be told; nothing was "
                    "removed. See verify(), and restore the damaged file from a copy",
                    what=piece.hex(),
                )
        tables = {path: contents(path) for path in sorted(packs.folder.glob("*.pack"))}
        small = [path for path in tables if path.stat().st_size < _SMALL]
        seen: set[bytes] = set()
        old: list[Path] = []
        removed = 0
        for path, table in tables.items():
            ids = table["id"].tolist()
            keep = [piece in needed and piece not in seen for piece in ids]
            seen.update(piece for piece, kept in zip(ids, keep, strict=True) if kept)
            removed += len(keep) - sum(keep)
            if not any(keep):
                _unlink(path)  # at once: on a full disk, this makes the room to copy the others
            elif not all(keep) or (len(small) >= _MANY and path in small):
                old.append(path)
                _copy(packs, path, table[keep])
        written = packs.flush()
    for path in old:
        if path.name not in written:
            _unlink(path)
    for path in (
        *packs.folder.glob("*.part"),
        *packs.folder.glob(".*.part"),
        *manifests.folder.glob(".*.part"),
    ):
        path.unlink(missing_ok=True)
    packs.refresh()
    freed = before - store_layout.size(folder)
    return GarbageCollection(
        title="Sweep",
        findings=(
            Finding(
                code="store.swept",
                title="Pieces that no version needs",
                ok=True,
                statistic="bytes freed",
                value=freed,
                explanation="Every version that is listed can still be loaded.",
            ),
        ),
        removed_pieces=removed,
        kept_pieces=len(seen),
        removed_bytes=freed,
    )


def _unlink(path: Path) -> None:
    with contextlib.suppress(PermissionError):  # Windows keeps what somebody has open: next time
        path.unlink(missing_ok=True)


def _copy(packs: Packfiles, path: Path, table: object) -> None:
    with path.open("rb") as file:
        for entry in table:  # type: ignore[attr-defined]
            piece, at, stored, size, _ = entry.item()
            file.seek(at)
            content = file.read(stored)
            decompress_checked(piece, content, size)
            packs.keep(piece, content, size)
