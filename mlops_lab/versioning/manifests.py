"""Manifests: one small file for each version, which says what was kept, under which name, and from what.

The file is written once and never changed, and its hash is the version's id: whoever changes a letter of it
makes another version. A commit is visible from the moment this file is whole, and not before.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_lab.artifacts import atomic_write
from mlops_lab.versioning.packfiles import Blob, DamagedError

__all__ = ["Manifests", "Version"]

_FORM = 1
_FILE = re.compile(r"(?P<name>.+)@(?P<number>\d+)\.(?P<id>[0-9a-f]{24})\.(?P<state>version|forgotten)")
_SHORT = 12  # digits of an id that are shown
_LEAST = 4  # digits of an id that can be asked for


@dataclass(frozen=True)
class Version:
    """One version of one thing: what ``commit`` gives, and what a reference such as ``"crates@2"`` means.

    Two versions of equal content, name, number, message and lineage have one id, in every store. There is no
    time in it, so that the same work gives the same id tomorrow.

    Parameters
    ----------
    id
        64 hexadecimal digits, the hash of all below.
    name, number
        What it is a version of, and the how-manyth, from 1.
    kind
        ``"frame"``, ``"params"``, ``"model"``, ``"pipeline"`` or ``"file"``.
    message
        Why it was made.
    content
        The hash of what was kept, whatever it is called: in stores of one mode, equal content has an equal
        hash. For a model it is ``artifacts.model_hash``, else the hash at the top of its pieces.
    size
        Bytes that were kept, before any piece was shared or compressed.
    parents
        Ids of the versions that it follows.
    lineage
        What it was made from, as ``lineage`` writes it.
    plan
        Where the store keeps it.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import versioning
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = versioning.Store(folder)
    ...     version = store.commit({"depth": 3}, "settings", "first try")
    >>> version
    settings@1 (params, 4cbc5146c379): first try
    >>> version.ref, version.parent is None
    ('settings@1', True)

    Taught in notebooks/04_versioning.ipynb.
    """

    id: str
    name: str
    number: int
    kind: str
    message: str
    content: str
    size: int
    parents: tuple[str, ...] = ()
    lineage: Mapping[str, Any] = field(default_factory=dict)
    plan: Blob = field(default_factory=lambda: Blob("", 0, 0))

    @property
    def ref(self) -> str:
        """The reference for people, such as ``"crates@2"``."""
        return f"{self.name}@{self.number}"

    @property
    def parent(self) -> str | None:
        """The id of the version that it follows, or None."""
        return self.parents[0] if self.parents else None

    def __repr__(self) -> str:
        said = f": {self.message}" if self.message else ""
        return f"{self.ref} ({self.kind}, {self.id[:_SHORT]}){said}"

    def __hash__(self) -> int:
        return hash(self.id)


def written(**said: Any) -> tuple[Version, bytes]:
    """Make a version from all that is said about it, and the bytes of its file."""
    held = asdict(Version(id="", **said))
    del held["id"]
    content = (json.dumps({"form": _FORM, **held}, indent=1, sort_keys=True) + "\n").encode()
    return Version(id=hashlib.sha256(content).hexdigest(), **said), content


class Manifests:
    """The versions in a folder, and what a reference means.

    Parameters
    ----------
    folder
        The folder of the versions' files; it must exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Version] = {}

    def files(self, state: str = "version") -> dict[str, re.Match[str]]:
        """Give the names of the files of versions, or of forgotten versions, taken apart."""
        found = {path.name: _FILE.fullmatch(path.name) for path in self.folder.iterdir()}
        return {name: parts for name, parts in sorted(found.items()) if parts and parts["state"] == state}

    def read(self, name: str, *, again: bool = False) -> Version:
        """Read one file; if it is not as it was written, that is a DamagedError."""
        if again or name not in self._read:
            content = (self.folder / name).read_bytes()
            parts = _FILE.fullmatch(name)
            found = hashlib.sha256(content).hexdigest()
            if parts is None or not found.startswith(parts["id"]):
                raise DamagedError(f"the file of version {name!r} is damaged", what=name)
            held = json.loads(content)
            if (form := held.pop("form")) != _FORM:
                raise ValueError(f"version {name!r} is of form {form!r}; this program reads form {_FORM}")
            held |= {"parents": tuple(held["parents"]), "plan": Blob(**held["plan"])}
            self._read[name] = Version(id=found, **held)
        return self._read[name]

    def all(self) -> list[Version]:
        """Give every version, by name and number; one that is damaged is left out (``verify`` names it)."""
        found = []
        for name in self.files():
            try:
                found.append(self.read(name))
            except (DamagedError, FileNotFoundError):
                continue
        return sorted(found, key=lambda one: (one.name, one.number))

    def next_number(self, name: str) -> int:
        """Give the number of the next version of a name; numbers of forgotten versions are not used again."""
        used = [*self.files().values(), *self.files("forgotten").values()]
        return max((int(parts["number"]) for parts in used if parts["name"] == name), default=0) + 1

    def write(self, **said: Any) -> Version:
        """Write a version; from here on everybody sees it."""
        version, content = written(**said)
        atomic_write(self.folder / f"{version.ref}.{version.id[:24]}.version", content)
        return version

    def forget(self, version: Version) -> None:
        """Take a version out of the list; its file stays as a mark that the number was used."""
        path = self.folder / f"{version.ref}.{version.id[:24]}.version"
        self._read.pop(path.name, None)
        os.replace(path, path.with_suffix(".forgotten"))  # noqa: PTH105  (as in artifacts)

    def find(self, ref: str | Version, read_aliases: Callable[[], Mapping[str, str]]) -> Version:
        """Say which version is meant: by ``name@2``, an alias, a name (its latest), an id or its start."""
        if not isinstance(ref, str | Version):
            raise TypeError(f"a version is named by text such as 'crates@2', not by {ref!r}")
        wanted = ref.id if isinstance(ref, Version) else ref
        # Damaged aliases are no reason not to give a version that is asked for by its own name.
        aliases = {} if "@" in wanted or isinstance(ref, Version) else read_aliases()
        wanted = aliases.get(wanted, wanted)
        versions = self.all()
        if "@" in wanted:
            found = [one for one in versions if one.ref == wanted]
        else:
            found = [one for one in versions if one.name == wanted][-1:]
        if not found and len(wanted) >= _LEAST:
            found = [one for one in versions if one.id.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"{one.id[:_SHORT]} ({one.ref})" for one in found)
            raise ValueError(f"{wanted!r} begins the id of {len(found)} versions: {listed}; give more digits")
        raise KeyError(self._unknown(str(ref), wanted, versions, aliases))

    def _unknown(self, ref: str, wanted: str, versions: list[Version], aliases: Mapping[str, str]) -> str:
        for name, parts in self.files().items():
            if wanted == f"{parts['name']}@{parts['number']}" or wanted[:24] == parts["id"]:
                return f"the file of version {ref!r}, {name!r}, is damaged: see verify()"
        names = [*dict.fromkeys(one.name for one in versions), *(one.ref for one in versions), *aliases]
        near = difflib.get_close_matches(ref, names, n=3, cutoff=0.5) or names[-3:]
        forgotten = [name for name in self.files("forgotten") if name.startswith(f"{wanted}.")]
        said = f"version {ref!r} was forgotten" if forgotten else f"no version, alias or name {ref!r}"
        return f"{said}; there are: {', '.join(near) or 'none yet'}"
