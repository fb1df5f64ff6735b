"""The store's folder: its mark, its format, and the checksum of its aliases."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops_lab.artifacts import Aliases, atomic_write, locked, sha256

__all__ = ["ALIASES", "alias_problems", "explained", "opened", "sealed", "size", "text"]

ALIASES, _MARK, _SEAL = "aliases.json", "store.json", "aliases.sha256"
_FORM = 1
_MOVING = "an alias is being moved\n"
_OWN = {"packs", "versions", "store.lock"}


def opened(folder: Path, chunked: bool | None, timeout_s: float) -> bool:
    """Open a store or make one, and say whether it is chunked."""
    path = folder / _MARK
    if not path.exists():
        _make(folder, chunked is not False, timeout_s)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        form, mode = held["form"], held["chunked"]
    except (ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"{str(path)!r} is damaged ({problem}); restore it from a copy") from problem
    if form != _FORM:
        raise ValueError(
            f"{str(folder)!r} is a store of form {form!r}, and this program reads form {_FORM}; "
            "use the release of mlops_lab that made it, or a newer one"
        )
    if chunked is not None and chunked != mode:
        raise ValueError(
            f"{str(folder)!r} is a store with chunked={mode}; open it so, or give another folder"
        )
    return bool(mode)


def text(chunked: bool) -> str:
    """Give the content of a store's mark."""
    return json.dumps({"form": _FORM, "chunked": chunked}) + "\n"


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Say of a read-only folder or a full disk what it means here."""
    try:
        yield
    except OSError as problem:
        what = f"nothing was changed in the store {str(folder)!r}, and all its versions are whole"
        if problem.errno == errno.ENOSPC:
            problem.add_note(f"{what}; make room and try again")
        elif problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            problem.add_note(f"{what}; it can be read here, but not written: ask for the right to write")
        raise


@contextlib.contextmanager
def sealed(folder: Path) -> Iterator[None]:
    """Move aliases inside the block; their file's hash is noted beside it, for ``verify``."""
    if _seal_problem(folder) is None:
        atomic_write(folder / _SEAL, _MOVING)
    try:
        yield
    finally:
        if (folder / ALIASES).exists() and (folder / _SEAL).read_text(encoding="utf-8") == _MOVING:
            atomic_write(folder / _SEAL, sha256(folder / ALIASES) + "\n")


def alias_problems(folder: Path, ids: set[str]) -> list[tuple[str, str, str]]:
    """Name what is wrong with the aliases."""
    problem = _seal_problem(folder)
    found = [("aliases", ALIASES, problem)] if problem else []
    try:
        targets: Mapping[str, str] = Aliases(folder / ALIASES).targets()
    except ValueError:
        return found or [("aliases", ALIASES, "the file cannot be read")]
    return found + [
        (alias, ALIASES, f"the alias points at {target[:12]}, which is no version here")
        for alias, target in targets.items()
        if target not in ids
    ]


def size(folder: Path) -> int:
    """Add up the bytes of all files in a folder and below."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # another program may collect garbage at the same time
            total += path.stat().st_size if path.is_file() else 0
    return total


def _make(folder: Path, chunked: bool, timeout_s: float) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is a file; a store needs a folder")
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    strange = sorted(one.name for one in folder.iterdir() if one.name not in _OWN and one.suffix != ".part")
    if strange and not (folder / _MARK).exists():
        raise ValueError(
            f"{str(folder)!r} is no store and not empty: {strange[0]!r} lies there; give a new folder"
        )
    with explained(folder), locked(folder / "store", timeout_s=timeout_s):
        for name in ("packs", "versions"):
            (folder / name).mkdir(exist_ok=True)
        if not (folder / _MARK).exists():
            atomic_write(folder / _MARK, text(chunked))


def _seal_problem(folder: Path) -> str | None:
    """Say what is wrong between the aliases and their seal; a move that was interrupted is nothing wrong."""
    aliases, seal = folder / ALIASES, folder / _SEAL
    if not seal.exists():
        return "the aliases have no seal; a file is missing" if aliases.exists() else None
    held = seal.read_bytes().decode("utf-8", "replace")
    if held == _MOVING:
        return None
    if not aliases.exists():
        return "the file is missing"
    return (
        None
        if held == sha256(aliases) + "\n"
        else f"the file, or its seal {_SEAL!r}, is not what was written"
    )
