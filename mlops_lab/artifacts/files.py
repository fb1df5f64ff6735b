"""Files that are whole or absent, and a lock that dies with its owner.

A program can be killed, or a disk can fill up, in the middle of a write. A reader must never see half a
model. So the new content is written beside the old file, forced to the disk, and only then given the name.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_write", "locked", "safe_name"]

# Windows refuses to replace a file that a virus scanner or a reader holds open for a moment: try again.
_REPLACE_ATTEMPTS = 6
_REPLACE_PAUSE_S = 0.05
_LOCK_PAUSE_S = 0.01

# Windows keeps these names for devices, with any ending and in any case.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


def safe_name(name: str, *, what: str = "name") -> str:
    """Accept a name that can be a file's name on every system, and refuse every other.

    It refuses slashes, ``..``, a leading or a last dot, spaces, and what Windows keeps for devices, so that a
    name which comes from outside cannot point out of the folder it belongs to. It does not ask whether the
    file exists.

    Parameters
    ----------
    name
        The name to look at.
    what
        What the name stands for; used in the error.

    Raises
    ------
    ValueError
        If the name is not accepted.

    Examples
    --------
    >>> safe_name("grader-3")
    'grader-3'
    >>> safe_name("../grader", what="model name")
    Traceback (most recent call last):
    ValueError: model name '../grader' is not accepted: use 1 to 100 letters, digits, '-', '_' and '.', ...
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} must be text, not {name!r}")
    device = name.split(".")[0].lower() in _DEVICES
    if device or not _NAME.fullmatch(name) or ".." in name or name.endswith("."):
        raise ValueError(
            f"{what} {name!r} is not accepted: use 1 to 100 letters, digits, '-', '_' and '.', not beginning "
            "with '.' or '-', not ending with '.', without '..', slashes or a device name such as 'con'"
        )
    return name


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write a file so that every reader sees the old content or the new one, never a part of it.

    The content goes to a new file in the same folder, is forced to the disk, and then takes the name in one
    step. If anything fails, the old file is untouched and the new one is removed. A process that is killed
    in between leaves the old file whole, and beside it a hidden file ending in ``.part`` that may be deleted.

    It does not order two writers: the last one wins. Use ``locked`` around reading and writing for that.
    A link at ``path`` is replaced by a file.

    Parameters
    ----------
    path
        The file to write; its folder must exist.
    data
        Bytes, or text that is written as UTF-8 with its line ends as they are.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the disk is full or the folder is read-only; a note says that the old file is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = atomic_write(Path(folder, "week.txt"), "7")
    ...     written.read_text(encoding="utf-8"), len(list(Path(folder).iterdir()))
    ('7', 1)
    """
    target = Path(path)
    if not isinstance(data, bytes | str):
        raise TypeError(f"atomic_write takes bytes or text, not {type(data).__name__}")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"the folder {str(target.parent)!r} does not exist; make it before writing {target.name!r}"
        )
    part = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        _replace(part, target)
    except BaseException as failure:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        failure.add_note(f"{str(target)!r} was not written; what it held before is unchanged")
        raise
    _sync_folder(target.parent)
    return target


def _replace(part: Path, target: Path) -> None:
    for attempt in range(1, _REPLACE_ATTEMPTS + 1):
        try:
            os.replace(part, target)  # noqa: PTH105  (one call, so that a test can make it fail)
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_ATTEMPTS:
                raise
            time.sleep(_REPLACE_PAUSE_S * attempt)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Force the new name itself to the disk, where the system can do so (Windows cannot)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], *, timeout_s: float = 10.0) -> Iterator[None]:
    """Let one writer at a time through, among the threads and processes of this machine.

    The lock is held by the operating system, not by the file's existence: when its owner is killed, it is
    free at once. It binds only those who ask for it, and it is not made for network drives. Asking twice in
    one thread waits for itself until the time is up.

    Parameters
    ----------
    path
        What is to be protected; the lock is a file beside it whose name ends in ``.lock``, and stays there.
    timeout_s
        How long to wait for another writer, in seconds.

    Raises
    ------
    TimeoutError
        If another writer still holds the lock after ``timeout_s``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, "counter.json")):
    ...     [file.name for file in Path(folder).iterdir()]
    ['counter.json.lock']
    """
    lock = Path(path).with_name(Path(path).name + ".lock")
    give_up = time.monotonic() + timeout_s
    with lock.open("a+b") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= give_up:
                raise TimeoutError(
                    f"another writer has held {str(lock)!r} for {timeout_s:g} s; try again or raise timeout_s"
                )
            time.sleep(_LOCK_PAUSE_S)
        try:
            yield
        finally:
            _unlock(file.fileno())


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
