"""What is noted of a run so that it can be made again: the function that trained, versions, and the process.

A record is a file, and a file can come from anybody. To train again from it means to run the function that it
names, with the arguments that it names. ``mlops_lab.setup.environment:child`` would start any program at
all. So only functions that say of themselves that they may be started from a record are run unasked.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import platform
import re
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped,unused-ignore]

__all__ = [
    "UntrustedRecordError",
    "alive",
    "code_hash",
    "entry_name",
    "load_entry",
    "rerunnable",
    "this_process",
    "versions_here",
]

_ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_MARK = "__mlops_lab_rerunnable__"
_OURS = "mlops_lab"

Function = TypeVar("Function", bound=Callable[..., Any])


class UntrustedRecordError(PermissionError):
    """Raised instead of running the code that a record names, if nobody has vouched for it."""


def rerunnable(function: Function) -> Function:
    """Mark a training function of this package as one that a record may start.

    Mark only what can do no harm, whatever arguments a stranger writes into a record.

    Parameters
    ----------
    function
        The function; called as ``function(run, seed=seed, **params)``.

    Examples
    --------
    >>> @rerunnable
    ... def train(run, *, seed): ...
    >>> train.__mlops_lab_rerunnable__
    True

    Taught in notebooks/06_tracking.ipynb.
    """
    setattr(function, _MARK, True)
    return function


def entry_name(train: Callable[..., Any] | str | None) -> str | None:
    """Give a training function's name, from which another process can import it."""
    if train is None:
        return None
    name = train
    if not isinstance(train, str):
        name = f"{getattr(train, '__module__', '')}:{getattr(train, '__qualname__', '')}"
    if not _ENTRY.fullmatch(str(name)) or str(name).startswith("__main__:"):
        raise ValueError(
            f"{name!r} cannot be imported by its name: put the training function into a module and give "
            "'package.module:function', or train=None if nobody shall run it again"
        )
    return str(name)


def code_hash(entry: str | None) -> str | None:
    """Fingerprint the source of the module that an entry stands in, without running it."""
    if entry is None:
        return None
    try:
        found = importlib.util.find_spec(entry.partition(":")[0])
        source = Path(found.origin).read_bytes() if found and found.origin else b""
    except (ImportError, AttributeError, ValueError, OSError):
        return None
    return hashlib.sha256(source.replace(b"\r\n", b"\n")).hexdigest() if source else None


def load_entry(entry: str | None, *, trust: bool) -> Callable[..., Any]:
    """Import the function that a record names, if that may be."""
    if entry is None:
        raise ValueError(
            "the record names no training function, so it can be read but not rerun; give "
            "Run(..., train='package.module:function') when you train"
        )
    entry = entry_name(entry) or ""
    module, _, name = entry.partition(":")
    ours = module.split(".")[0] == _OURS
    if not ours and not trust:
        raise _untrusted(entry)
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as failure:
        raise ValueError(
            f"the record's training function {entry!r} cannot be imported here ({failure}); install or check "
            "out the code that it was trained with"
        ) from failure
    if not (ours and getattr(function, _MARK, False)) and not trust:
        raise _untrusted(entry)
    if not callable(function):
        raise ValueError(f"{entry!r} is no function; a record names one that trains")
    return function


def _untrusted(entry: str) -> UntrustedRecordError:
    return UntrustedRecordError(
        f"the record asks to run {entry!r}, and a record from a stranger can name any code; read that "
        "function and the record's params first, then say rerun(record, trust=True)"
    )


_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn")
_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "PYTHONHASHSEED")
# A process's start is known to a hundredth of a second, and moves a little when the clock is set.
_SAME_START_S = 2.0


def versions_here() -> dict[str, str]:
    """Name what can change a training's numbers on this machine: versions, system, numerical settings."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {name: os.environ[name] for name in _SETTINGS if name in os.environ}


def this_process() -> dict[str, Any]:
    """Name this process so that it is never taken for a later one that gets the same number."""
    return {
        "pid": os.getpid(),
        "process_started": psutil.Process().create_time(),
        "host": platform.node(),
    }


def alive(written: Mapping[str, Any]) -> bool | None:
    """Ask whether a process still runs; None if it ran on another machine, which nobody can see from here."""
    if written.get("host") != platform.node():
        return None
    try:
        found = psutil.Process(int(written["pid"]))
        started = found.create_time()
        # One that has ended and whose parent has not noticed yet still has its number.
        ended = found.status() == psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError):
        return False
    except psutil.AccessDenied:
        return None
    return not ended and abs(started - float(written["process_started"])) < _SAME_START_S
