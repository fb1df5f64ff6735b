"""How are versions read? By anybody, at any time: whoever only reads waits for nobody and changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.artifacts import Aliases
from mlops_lab.versioning import diffs, integrity, provenance, serialization, store_layout
from mlops_lab.versioning.manifests import Book, Version
from mlops_lab.versioning.packfiles import Packs, get

__all__ = ["Shelf"]


class Shelf:
    """A store as its readers see it; ``Store`` adds what writes.

    Parameters
    ----------
    folder, chunked, timeout_s
        As in ``Store``.

    Taught in notebooks/04_versioning.ipynb.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, chunked: bool | None = None, timeout_s: float = 60.0
    ) -> None:
        self.folder = Path(folder)
        self.timeout_s = timeout_s
        self.chunked = store_layout.opened(self.folder, chunked, timeout_s)
        self.packs = Packs(self.folder / "packs")
        self.book = Book(self.folder / "versions")
        self._aliases = Aliases(self.folder / store_layout.ALIASES, timeout_s=timeout_s)

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}, chunked={self.chunked})"

    def load(
        self,
        ref: str | Version,
        *,
        to: str | os.PathLike[str] | None = None,
        trusted: Sequence[str | type] = (),
    ) -> Any:
        """Give back what was committed, every piece compared with its hash."""
        version = self.find(ref)
        if to is not None and version.kind != "file":
            raise ValueError(f"{version.ref} is a {version.kind}, not a file; load it without to=")
        plan, target = self.plan(version), None if to is None else Path(to)
        return serialization.take(self.packs, version.kind, plan, version.content, to=target, trusted=trusted)

    def labels(self, ref: str | Version) -> pd.Series[Any] | None:
        """Give the labels that were kept beside a table."""
        return serialization.labels_of(self.packs, self.plan(self.find(ref)))

    def find(self, ref: str | Version) -> Version:
        """Say which version a reference means; see ``load``."""
        return self.book.find(ref, self._aliases.targets)

    def plan(self, version: Version) -> dict[str, Any]:
        """Read how a version is put together: which rows of bytes it has, and where each is kept."""
        return dict(json.loads(get(self.packs, version.plan)))

    def log(self, name: str | None = None) -> pd.DataFrame:
        """List the versions of a name, or all."""
        versions = [one for one in self.book.all() if name in (None, one.name)]
        if name is not None and not versions:
            self.find(f"{name}@1")
        return pd.DataFrame(
            [
                (one.ref, one.id[:12], one.kind, one.message, one.size, (one.parent or "")[:12])
                for one in versions
            ],
            columns=["ref", "id", "kind", "message", "size", "parent"],
        ).set_index("ref")

    def diff(
        self,
        before: str | Version,
        after: str | Version,
        *,
        key: str | Sequence[str] | None = None,
        label: str | None = None,
    ) -> diffs.Diff:
        """Say what is different between two versions of one kind."""
        one, other = self.find(before), self.find(after)
        return diffs.compare(
            self.packs, (one, self.plan(one)), (other, self.plan(other)), key=key, label=label
        )

    def lineage(self, ref: str | Version) -> provenance.Lineage:
        """Say everything that made a version, and what made that, all the way back."""
        marks = self.book.files("forgotten").values()
        forgotten = {parts["id"]: f"{parts['name']}@{parts['number']}" for parts in marks}
        return provenance.trace(self.find(ref), {one.id: one for one in self.book.all()}, forgotten)

    def verify(self) -> integrity.Verified:
        """Look at every byte, and name what is damaged and which versions that harms."""
        return integrity.verify(self.folder, self.packs, self.book, self.chunked)

    def bytes(self) -> int:
        """Say how many bytes the store's files have, all together."""
        return store_layout.size(self.folder)

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases, and the ids of the versions they point at."""
        return self._aliases.targets()
