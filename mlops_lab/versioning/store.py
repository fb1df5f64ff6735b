"""Keep versions of data, parameters, models, pipelines and files, and give each back exactly.

    store.json   what this folder is          versions/      one small file for each version
    packs/       the pieces of all versions   aliases.json   champion -> version

A commit first writes the pieces that are new (a pack), then the version's file. Whatever happens in between,
a kill or a full disk, leaves at most a pack that nobody needs, which ``gc`` takes away.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.artifacts import Aliases, locked, safe_name
from mlops_lab.versioning import diffs, garbage_collection, integrity, provenance, serialization, store_layout
from mlops_lab.versioning.manifests import Manifests, Version
from mlops_lab.versioning.packfiles import Packfiles, get_blob, put_blob

__all__ = ["Store"]


class Store:
    """A folder of versions, in which bytes that two versions share lie once.

    Names are for people (``crates@2``), ids are hashes of everything below them, aliases (``champion``) are
    moved. One writer at a time is let through, among all processes of this machine; readers never wait. It is
    not made for network drives, and it does not say who may write: that is a question of access.

    Parameters
    ----------
    folder
        The folder; it is made if there is none, and must be a store or empty otherwise.
    chunked
        True: bytes are cut by content, so that versions share what they have in common. False: every version
        is kept whole, unless all of it is known. ``None`` takes what the store is; a new one is chunked.
    timeout_s
        How long a change waits for another writer, in seconds.

    Raises
    ------
    ValueError
        If the folder holds something else, or a store of another form or mode.

    Examples
    --------
    >>> import tempfile
    >>> crates = pd.DataFrame({"weight_kg": [17.5, 18.0], "grade": ["table", "juice"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     first = store.commit(crates, "crates", "as scanned")
    ...     second = store.commit(crates.assign(grade="table"), "crates", "graded again")
    ...     old = store.load("crates@1")
    ...     changed = store.diff(first, second, label="grade").labels_changed
    >>> second.ref, old.equals(crates), changed
    ('crates@2', True, 1)

    Taught in notebooks/04_versioning.ipynb.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, chunked: bool | None = None, timeout_s: float = 60.0
    ) -> None:
        self.folder = Path(folder)
        self.timeout_s = timeout_s
        self.chunked = store_layout.opened(self.folder, chunked, timeout_s)
        self.packs = Packfiles(self.folder / "packs")
        self.manifests = Manifests(self.folder / "versions")
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
        return serialization.deserialize(
            self.packs, version.kind, plan, version.content, to=target, trusted=trusted
        )

    def labels(self, ref: str | Version) -> pd.Series[Any] | None:
        """Give the labels that were kept beside a table."""
        return serialization.labels_of(self.packs, self.plan(self.find(ref)))

    def find(self, ref: str | Version) -> Version:
        """Say which version a reference means; see ``load``."""
        return self.manifests.find(ref, self._aliases.targets)

    def plan(self, version: Version) -> dict[str, Any]:
        """Read how a version is put together: which rows of bytes it has, and where each is kept."""
        return dict(json.loads(get_blob(self.packs, version.plan)))

    def log(self, name: str | None = None) -> pd.DataFrame:
        """List the versions of a name, or all."""
        versions = [one for one in self.manifests.all() if name in (None, one.name)]
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
        marks = self.manifests.files("forgotten").values()
        forgotten = {parts["id"]: f"{parts['name']}@{parts['number']}" for parts in marks}
        return provenance.trace(self.find(ref), {one.id: one for one in self.manifests.all()}, forgotten)

    def verify(self) -> integrity.Verified:
        """Look at every byte, and name what is damaged and which versions that harms."""
        return integrity.verify(self.folder, self.packs, self.manifests, self.chunked)

    def bytes(self) -> int:
        """Say how many bytes the store's files have, all together."""
        return store_layout.size(self.folder)

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases, and the ids of the versions they point at."""
        return self._aliases.targets()

    def commit(
        self,
        thing: Any,
        name: str,
        message: str = "",
        *,
        lineage: Mapping[str, Any] | None = None,
        labels: pd.Series[Any] | None = None,
        parents: Sequence[str | Version] | None = None,
    ) -> Version:
        """Keep a version of a thing. What the latest version holds already makes no new one.

        Parameters
        ----------
        thing
            A DataFrame, a dict of parameters, an estimator, a pipeline, or ``pathlib.Path`` of a file.
        name
            What it is a version of: ``"crates"``.
        message
            Why it was made, for people.
        lineage
            What it was made from, as ``versioning.lineage`` writes it.
        labels
            Labels kept beside a table, with its index.
        parents
            The versions it follows; ``None`` is the latest of its name.

        Returns
        -------
        Version
            The new version; or the latest one, if content, labels and lineage are the same.

        Raises
        ------
        TypeError
            If a part of it would not come back as it was; the message names the part.
        ValueError
            If the name is not accepted or is an alias.
        OSError
            If the disk is full or the folder is read-only. Nothing is committed then, and all else is whole.
        """
        kind, message = serialization.kind_of(thing), str(message)
        with self._writing():
            if safe_name(name) in self.aliases:
                raise ValueError(f"{name!r} is an alias here; give the thing a name of its own")
            origin = self._resolved(lineage or {})
            versions = self.manifests.all()
            latest = [one for one in versions if one.name == name][-1:]
            follows = latest if parents is None else [self.find(parent) for parent in parents]
            with self.packs.adding():
                plan, content = serialization.serialize(self.packs, thing, labels, whole=not self.chunked)
                row = put_blob(self.packs, [serialization.text_of(plan)], whole=not self.chunked)
            # A model's file differs at each dump: what is known by its content is not kept twice.
            same = [one for one in versions if one.content == content and one.kind == kind and kind != "file"]
            row = same[-1].plan if same else row
            if latest and parents is None and (latest[0].plan, latest[0].lineage) == (row, origin):
                return latest[0]
            return self.manifests.write(
                name=name,
                number=self.manifests.next_number(name),
                kind=kind,
                message=message,
                content=content or row.top,
                size=row.size + sum(one.size for one in serialization.blobs_of(plan)),
                parents=tuple(one.id for one in follows),
                lineage=origin,
                plan=row,
            )

    def forget(self, ref: str | Version) -> Version:
        """Take a version out of the list; ``gc`` then frees what no other version needs.

        Parameters
        ----------
        ref
            As in ``load``.

        Raises
        ------
        ValueError
            If an alias points at it, or another version was made from it.
        """
        with self._writing():
            version = self.find(ref)
            users = [alias for alias, target in self.aliases.items() if target == version.id]
            users += [
                one.ref
                for one in self.manifests.all()
                if version.id in one.lineage.get("inputs", {}).values()
            ]
            if users:
                raise ValueError(f"{version.ref} is needed by {', '.join(users)}; move or forget that first")
            self.manifests.forget(version)
        return version

    def gc(self) -> garbage_collection.GarbageCollection:
        """Free the bytes that no version needs, and what interrupted commits have left.

        Raises
        ------
        DamagedError
            If something is damaged, so that nobody can say what is needed. Nothing is removed then.
        """
        with self._writing():
            return garbage_collection.collect(self.folder, self.packs, self.manifests)

    def point(self, alias: str, ref: str | Version) -> Version:
        """Point an alias at a version, in one step.

        Parameters
        ----------
        alias
            The alias, such as ``"challenger"``.
        ref
            As in ``load``.

        Raises
        ------
        ValueError
            If versions bear the alias as their name.
        """
        with self._moving():
            version = self.find(ref)
            if alias in {one.name for one in self.manifests.all()}:
                raise ValueError(f"{alias!r} is the name of versions here; take another alias")
            self._aliases.move(alias, version.id)
        return version

    def promote(self, ref: str | Version) -> Version:
        """Make a version the champion, and the champion before it ``previous``, in one step.

        Parameters
        ----------
        ref
            As in ``load``.
        """
        with self._moving():
            version = self.find(ref)
            self._aliases.promote(version.id)
        return version

    def rollback(self) -> Version:
        """Swap ``champion`` and ``previous``, in one step; see ``promote``.

        Raises
        ------
        KeyError
            If there is no champion to go back to.
        """
        with self._moving():
            self._aliases.rollback()
            return self.find("champion")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with store_layout.explained(self.folder), locked(self.folder / "store", timeout_s=self.timeout_s):
            yield

    @contextlib.contextmanager
    def _moving(self) -> Iterator[None]:
        with self._writing(), store_layout.sealed(self.folder):
            yield

    def _resolved(self, origin: Mapping[str, Any]) -> dict[str, Any]:
        said = dict(serialization.plain(origin, "the lineage"))
        if "inputs" in said:
            said["inputs"] = {role: self.find(ref).id for role, ref in said["inputs"].items()}
        return said
