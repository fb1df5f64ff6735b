"""May this model be loaded? Saving and loading models without running what is inside the file.

A pickle is a program: loading one runs whatever its author wrote, before any check of yours. The skops format
stores names of types and plain arrays, and loading builds only harmless types, or those that you name.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlops_lab.artifacts.files import atomic_write
from mlops_lab.artifacts.hashes import array_bytes

__all__ = ["UntrustedModelError", "load_model", "model_hash", "save_model"]

_MODEL_FORM = b"mlops_lab model, form 1"
_SCHEMA = "schema.json"


class UntrustedModelError(ValueError):
    """A model file was refused: nothing in it has been run.

    Raised by ``load_model`` for a pickle, for a file that is no skops file, for a file whose content is not
    the expected one, and for types that nobody has named as trusted.

    Attributes
    ----------
    types
        The names of the types that were not trusted; empty if the file was refused for another reason.

    Examples
    --------
    >>> UntrustedModelError("refused", types=("shop.Grader",)).types
    ('shop.Grader',)
    """

    def __init__(self, message: str, *, types: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.types = tuple(types)


def save_model(model: object, path: str | os.PathLike[str]) -> str:
    """Save a model as a skops file, replaced in one step, and give the fingerprint of its content.

    It does not say whether the model can be loaded again: ``load_model`` refuses types that the reader has
    not named, and lists them. Functions written in a notebook are saved by name only, without their code.

    Parameters
    ----------
    model
        A scikit-learn estimator or anything else that skops can store.
    path
        The file to write, by custom ending in ``.skops``; its folder must exist.

    Raises
    ------
    TypeError
        If skops cannot store the model; its message names the part.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.linear_model import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fingerprint = save_model(model, Path(folder, "line.skops"))
    ...     load_model(Path(folder, "line.skops"), expected_hash=fingerprint).predict([[2.0]])
    array([5.])
    """
    content = _dumped(model)
    fingerprint = model_hash(content)
    atomic_write(path, content)
    return fingerprint


def load_model(
    path: str | os.PathLike[str], *, trusted: Sequence[str | type] = (), expected_hash: str | None = None
) -> Any:
    """Load a skops file, building only types that are harmless or that you name.

    Nothing in the file is run before its types have been looked at. That does not make its answers right: a
    file can hold a model that was trained to be wrong, and numbers that a compiled predictor does not check,
    which is why tree models have to be named. For those, compare ``expected_hash`` with what was noted when
    the model was saved, in a place that the file's author could not write to.

    Parameters
    ----------
    path
        The file to load.
    trusted
        Types that you have looked at and accept, as names or as types.
    expected_hash
        The fingerprint that ``save_model`` gave; ``None`` compares nothing.

    Raises
    ------
    UntrustedModelError
        If the file is a pickle, is no whole skops file, holds other content than expected, or needs types
        that were not named.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bad = atomic_write(Path(folder, "model.pkl"), pickle.dumps({"harmless": "or not"}))
    ...     load_model(bad)
    Traceback (most recent call last):
    mlops_lab.artifacts.models.UntrustedModelError: ...model.pkl' is a pickle, ...
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    # Read once: what was looked at is what is loaded, even if the file changes in between.
    content = Path(path).read_bytes()
    found = model_hash(_checked(content, path))
    if expected_hash is not None and found != expected_hash:
        raise UntrustedModelError(
            f"{str(path)!r} does not hold the expected model: its content hash is {found}, "
            f"expected was {expected_hash}. "
            "Fetch the file again, or find out who changed it."
        )
    try:
        return skops.io.loads(content, trusted=list(trusted))
    except UntrustedTypesFoundException as refusal:
        named = {_type_name(one) for one in trusted}
        missing = [name for name in skops.io.get_untrusted_types(data=content) if name not in named]
        raise UntrustedModelError(
            f"{str(path)!r} needs types that nobody has named as trusted: {', '.join(missing)}. "
            f"Nothing was run. If you know where the file comes from and have looked at each of them: "
            f"load_model(path, trusted={[*sorted(named), *missing]!r}). What skops says: {refusal}",
            types=missing,
        ) from None


def model_hash(model: Any) -> str:
    """Fingerprint what a model holds: every type, setting and learned number in it.

    Two skops files of one model differ in their bytes, because skops writes memory addresses into them. This
    hash leaves the addresses out. So a model, its file, and the model loaded from it have one hash.

    Two models that answer alike may differ (another number of threads in the settings is another content),
    and a release of scikit-learn that stores other attributes gives another hash for the same training.

    Parameters
    ----------
    model
        The model; or the path of its skops file; or that file's bytes. A file is read, never loaded.

    Raises
    ------
    UntrustedModelError
        If a file is a pickle, is no whole skops file, or contradicts itself.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> first, second = (Ridge().fit([[0.0], [1.0]], [0.0, 1.0]) for _ in range(2))
    >>> model_hash(first) == model_hash(second)
    True
    >>> model_hash(first) == model_hash(Ridge(alpha=2.0).fit([[0.0], [1.0]], [0.0, 1.0]))
    False
    """
    where = "the model"
    if isinstance(model, bytes):
        content = model
    elif isinstance(model, str | os.PathLike):
        content, where = Path(model).read_bytes(), str(model)
    else:
        content = _dumped(model)
    _checked(content, where)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            schema = json.loads(archive.read(_SCHEMA))
            schema.pop("_skops_version", None)
            return hashlib.sha256(_MODEL_FORM + _Canonical(archive).digest(schema)).hexdigest()
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
        RecursionError,
        EOFError,
    ) as broken:
        raise UntrustedModelError(f"{where!r} is no whole skops file: {broken}") from broken


class _Canonical:
    """The digest of a skops schema, without the memory addresses in it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members: dict[str, str] = {}
        self._seen: dict[Any, bytes] = {}

    def digest(self, part: Any) -> bytes:
        is_node = isinstance(part, dict) and isinstance(part.get("__loader__"), str)
        if isinstance(part, dict):
            is_set = is_node and part["__loader__"] == "SetNode"
            form: Any = [
                (key, self._value(key, value, is_node, is_set))
                for key, value in part.items()
                if not (is_node and key == "__id__")
            ]
        elif isinstance(part, list):
            form = [self.digest(value).hex() for value in part]
        else:
            form = part
        digest = hashlib.sha256(json.dumps([type(part).__name__, form]).encode()).digest()
        # The reader builds one object for each address, from the first node that bears it. A file whose
        # second says something else would be loaded as one thing and hashed as another.
        if is_node and self._seen.setdefault(part.get("__id__", digest), digest) != digest:
            raise ValueError(f"two parts share the address {part['__id__']!r} and differ")
        return digest

    def _value(self, key: str, value: Any, is_node: bool, is_set: bool) -> Any:
        if is_node and key == "file":
            if value not in self._members:
                self._members[value] = self._member(value)
            return self._members[value]
        if is_set and key == "content":  # a set is stored in an order that chance decides
            return sorted(self.digest(item).hex() for item in value)
        return self.digest(value).hex()

    def _member(self, name: str) -> str:
        content = self._archive.read(name)
        if name.endswith(".npy"):
            content = array_bytes(np.load(io.BytesIO(content), allow_pickle=False))
        elif name.endswith(".npz"):
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                content = b"".join(key.encode() + array_bytes(arrays[key]) for key in sorted(arrays))
        return hashlib.sha256(content).hexdigest()


def _dumped(model: object) -> bytes:
    import skops.io

    if isinstance(model, type):
        raise TypeError(f"{model.__name__} is a class; save a model made from it, {model.__name__}(...)")
    content: bytes = skops.io.dumps(model)
    return content


def _checked(content: bytes, where: object) -> bytes:
    """Give the content back if it looks like a skops file; say what it is otherwise."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _SCHEMA in archive.namelist():
                return content
        raise UntrustedModelError(
            f"{str(where)!r} is a zip archive, but no skops file: it holds no {_SCHEMA!r}"
        )
    ending = Path(str(where)).suffix.lower()
    if content[:1] == b"\x80" or ending in {".pkl", ".pickle", ".joblib"}:
        raise UntrustedModelError(
            f"{str(where)!r} is a pickle, and loading a pickle runs the program that its author put in, "
            "before any check. It was not opened. If you made it, load it where you made it and save it "
            "again with save_model(model, path)."
        )
    raise UntrustedModelError(
        f"{str(where)!r} is no skops file ({len(content)} bytes); it may be cut short or of another kind"
    )


def _type_name(one: str | type) -> str:
    return one if isinstance(one, str) else f"{one.__module__}.{one.__qualname__}"
