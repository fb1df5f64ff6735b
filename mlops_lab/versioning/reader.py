"""How are versions read? By anybody, at any time: whoever only reads waits for nobody and changes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.artifacts import Aliases
from mlops_lab.versioning import diffs, integrity, lineages, serialization, store_layout, version_diff
from mlops_lab.versioning.chunk_lists import get
from mlops_lab.versioning.manifests import Book, Version
from mlops_lab.versioning.packfiles import Packs

__all__ = ["Shelf"]


class Shelf:
    """A store as its readers see it; ``Store`` adds what writes.

    Parameters
    ----------
    folder, chunked, timeout_s
        As in ``Store``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(Shelf(folder).log())
    0

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
        """Give back what was committed, every piece compared with its hash.

        Parameters
        ----------
        ref
            A version, ``name@2``, a name (its latest), an alias, an id or at least four digits of one.
        to
            For a file: where to write it.
        trusted
            For a model: types that you have looked at, as ``artifacts.load_model`` takes them.

        Returns
        -------
        object
            The thing; a file's bytes, or the path it was written to.

        Raises
        ------
        KeyError
            If there is no such version; names that are near are given.
        ValueError
            If some digits of an id fit several versions; with ``DamagedError``, if a piece is damaged.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     _ = store.commit({"depth": 3}, "settings")
        ...     store.load("setting@1")
        Traceback (most recent call last):
        KeyError: "no version, alias or name 'setting@1'; there are: settings@1, settings"
        """
        version = self.find(ref)
        if to is not None and version.kind != "file":
            raise ValueError(f"{version.ref} is a {version.kind}, not a file; load it without to=")
        plan, target = self.plan(version), None if to is None else Path(to)
        return serialization.take(self.packs, version.kind, plan, version.content, to=target, trusted=trusted)

    def labels(self, ref: str | Version) -> pd.Series[Any] | None:
        """Give the labels that were kept beside a table.

        Parameters
        ----------
        ref
            As in ``load``.

        Returns
        -------
        pandas.Series or None
            The labels; None if there are none.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> crates = pd.DataFrame({"weight_kg": [17.5]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     store.labels(store.commit(crates, "crates", labels=pd.Series(["juice"]))).tolist()
        ['juice']
        """
        return serialization.labels_of(self.packs, self.plan(self.find(ref)))

    def find(self, ref: str | Version) -> Version:
        """Say which version a reference means; see ``load``.

        Parameters
        ----------
        ref
            As in ``load``.

        Returns
        -------
        Version
            The version.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     version = store.commit({"depth": 3}, "settings")
        ...     store.find(version.id[:6]) == version
        True
        """
        return self.book.find(ref, self._aliases.targets)

    def plan(self, version: Version) -> dict[str, Any]:
        """Read how a version is put together: which rows of bytes it has, and where each is kept.

        Parameters
        ----------
        version
            The version.

        Returns
        -------
        dict
            The plan.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     store.plan(store.commit({"depth": 3}, "settings"))
        {'params': {'depth': 3}}
        """
        return dict(json.loads(get(self.packs, version.plan)))

    def log(self, name: str | None = None) -> pd.DataFrame:
        """List the versions of a name, or all.

        Parameters
        ----------
        name
            The name; ``None`` lists all.

        Returns
        -------
        pandas.DataFrame
            One row for each version: its reference, ``id``, ``kind``, ``message``, ``size`` in bytes before
            anything was saved, and its ``parent``.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     _ = store.commit({"depth": 3}, "settings", "first"), store.commit({"depth": 4}, "settings")
        ...     store.log("settings")["message"].tolist()
        ['first', '']
        """
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
        """Say what is different between two versions of one kind.

        Parameters
        ----------
        before, after
            References, as in ``load``.
        key
            For tables: the columns that name a row. ``None``: see ``Diff``.
        label
            For tables: the column of labels. ``None`` takes labels that were kept beside both.

        Returns
        -------
        Diff
            Rows, columns, types and labels; for parameters and models, the settings.

        Raises
        ------
        ValueError
            If the two are of different kinds, or a key does not name each row once.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     old, new = (store.commit({"depth": depth}, "settings") for depth in (3, 4))
        ...     store.diff(old, new).columns["after"].tolist()
        ['4']
        """
        one, other = self.find(before), self.find(after)
        return version_diff.compare(
            self.packs, (one, self.plan(one)), (other, self.plan(other)), key=key, label=label
        )

    def lineage(self, ref: str | Version) -> lineages.Lineage:
        """Say everything that made a version, and what made that, all the way back.

        Parameters
        ----------
        ref
            As in ``load``.

        Returns
        -------
        Lineage
            Versions, steps, and what is not known.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(folder)
        ...     _ = store.commit({"depth": 3}, "settings")
        ...     store.lineage("settings").nodes.index.tolist()
        ['settings@1']
        """
        marks = self.book.files("forgotten").values()
        forgotten = {parts["id"]: f"{parts['name']}@{parts['number']}" for parts in marks}
        return lineages.trace(self.find(ref), {one.id: one for one in self.book.all()}, forgotten)

    def verify(self) -> integrity.Verified:
        """Look at every byte, and name what is damaged and which versions that harms.

        Returns
        -------
        Verified
            The answer; its ``ok`` is True if all is as it was written.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Store(folder).verify().ok
        True
        """
        return integrity.verify(self.folder, self.packs, self.book, self.chunked)

    def bytes(self) -> int:
        """Say how many bytes the store's files have, all together.

        Returns
        -------
        int
            Bytes.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Store(folder).bytes() > 0
        True
        """
        return store_layout.size(self.folder)

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases, and the ids of the versions they point at.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab.versioning import Store
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Store(folder).aliases
        {}
        """
        return self._aliases.targets()
