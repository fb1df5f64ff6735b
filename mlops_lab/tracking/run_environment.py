"""Where a run ran: the versions that can change its numbers, and the process that may still be alive."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

__all__ = ["alive", "here", "process"]

_LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn")
_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "PYTHONHASHSEED")
# A process's start is known to a hundredth of a second, and moves a little when the clock is set.
_SAME_START_S = 2.0


def here() -> dict[str, str]:
    """Name what can change a training's numbers on this machine: versions, system, numerical settings."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {name: os.environ[name] for name in _SETTINGS if name in os.environ}


def process() -> dict[str, Any]:
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
