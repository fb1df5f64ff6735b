"""Integrity check: is every byte as it was written, and which versions does damage harm? Reads it all."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.report import Finding, Report
from mlops_lab.versioning import serialization, store_layout
from mlops_lab.versioning.manifests import Manifests, Version
from mlops_lab.versioning.packfiles import (
    DamagedError,
    Packfiles,
    contents,
    decompress_checked,
    get_blob,
    pieces_of,
)

__all__ = ["Verified", "needs", "verify"]

_COLUMNS = ["object", "file", "problem", "versions"]
_SOURCE = (
    "SHA-256 of every object and CRC-32 of every stored byte, compared with what was noted at the commit"
)


@dataclass(frozen=True, kw_only=True)
class Verified(Report):
    """Whether a store is as it was written: what ``Store.verify`` answers.

    It finds what a disk or a hand changed by accident. It is no signature: who may write to the folder can
    write a consistent lie.

    Parameters
    ----------
    title, findings
        As in every report.
    damaged
        One row for each damaged object: ``object`` (the id of a piece, a version, a pack, a file), ``file``,
        ``problem``, and ``versions``, the references of those it harms.
    checked
        Number of pieces looked at.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import versioning
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = versioning.Store(folder)
    ...     _ = store.commit({"depth": 3}, "settings")
    ...     pack = next((store.folder / "packs").iterdir())
    ...     content = bytearray(pack.read_bytes())
    ...     content[30] ^= 1
    ...     _ = pack.write_bytes(content)
    ...     store.verify().damaged["versions"].tolist()
    [('settings@1',)]

    Taught in notebooks/04_versioning.ipynb.
    """

    damaged: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_COLUMNS))
    checked: int = 0

    def headline(self) -> str:
        """Say how much is damaged, and which versions that harms."""
        if not len(self.damaged):
            return f"{self.checked:,} pieces are as they were written."
        harmed = sorted({ref for refs in self.damaged["versions"] for ref in refs})
        return f"{len(self.damaged)} damaged; versions harmed: {', '.join(harmed) or 'none'}."


def needs(packs: Packfiles, version: Version, *, strict: bool = True) -> set[bytes]:
    """Name every piece that a version needs."""
    pieces = set(pieces_of(packs, version.plan, strict=strict))
    try:
        plan = json.loads(get_blob(packs, version.plan))
    except DamagedError:
        if strict:
            raise
        return pieces
    return pieces.union(*(pieces_of(packs, row, strict=strict) for row in serialization.blobs_of(plan)))


def verify(folder: Path, packs: Packfiles, manifests: Manifests, chunked: bool) -> Verified:
    """Look at every byte of a store.

    Taught in notebooks/04_versioning.ipynb.
    """
    packs.refresh()
    bad: dict[bytes, tuple[str, str]] = {}
    rows: list[tuple[str, str, str, tuple[str, ...]]] = []
    broken: list[str] = []
    checked = 0
    for path in sorted((folder / "packs").glob("*.pack")):
        try:
            table = contents(path)
        except DamagedError as problem:
            broken.append(path.name)
            rows.append((path.name, f"packs/{path.name}", str(problem), ()))
            continue
        checked += len(table)
        bad |= {piece: (f"packs/{path.name}", problem) for piece, problem in _damaged_pieces(path, table)}
    versions, lost = [], []
    for state in ("version", "forgotten"):
        for name, parts in manifests.files(state).items():
            try:
                version = manifests.read(name, again=True)
            except (DamagedError, ValueError) as problem:
                ref = f"{parts['name']}@{parts['number']}"
                harmed = (ref,) if state == "version" else ()
                rows.append((ref, f"versions/{name}", str(problem), harmed))
            else:
                versions += [version] if state == "version" else []
    harm: dict[bytes, list[str]] = {piece: [] for piece in bad}
    for version in versions:
        pieces = needs(packs, version, strict=False)
        for piece in pieces & bad.keys():
            harm[piece].append(version.ref)
        if any(piece not in packs for piece in pieces):
            lost.append(version.ref)
    rows += [(piece.hex(), *bad[piece], tuple(refs)) for piece, refs in harm.items()]
    if lost and broken:
        rows = [(*row[:3], tuple(lost)) if row[0] in broken else row for row in rows]
    elif lost:
        rows.append(
            ("pieces", "packs", "a pack is missing: pieces of these versions are nowhere", tuple(lost))
        )
    if (folder / "store.json").read_bytes() != store_layout.text(chunked).encode():
        rows.append(("store", "store.json", "the file is not what was written", ()))
    rows += [(*row, ()) for row in store_layout.alias_problems(folder, {version.id for version in versions})]
    damaged = pd.DataFrame(rows, columns=_COLUMNS)
    return Verified(
        title="Store",
        findings=tuple(_findings(damaged, checked, len(versions))),
        damaged=damaged,
        checked=checked,
    )


def _damaged_pieces(path: Path, table: Any) -> Iterable[tuple[bytes, str]]:
    with path.open("rb") as file:
        for entry in table:
            piece, at, stored, size, crc = entry.item()
            file.seek(at)
            content = file.read(stored)
            try:
                decompress_checked(piece, content, size)
            except DamagedError as problem:
                yield piece, str(problem)
            else:
                if zlib.crc32(content) != crc:
                    yield piece, "its stored bytes were changed, though its content can still be read"


def _findings(damaged: pd.DataFrame, checked: int, versions: int) -> Iterable[Finding]:
    if not len(damaged):
        yield Finding(
            code="store.whole",
            title="Every object",
            ok=True,
            statistic="damaged objects",
            value=0,
            explanation=f"{checked:,} pieces and {versions} versions are as they were written.",
            source=_SOURCE,
        )
    for what, file, problem, refs in damaged[_COLUMNS].to_numpy().tolist():
        harmed = ", ".join(refs) or "no version"
        yield Finding(
            code="store.damaged",
            title=f"{what[:40]} in {file}",
            ok=False,
            severity="serious",
            explanation=f"{problem}. Harmed: {harmed}. Restore the file from a copy; all else loads.",
            source=_SOURCE,
        )
