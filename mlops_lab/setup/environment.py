"""What must stand before a lesson's first import, and how a program is started with it.

Numerical libraries read their settings once, while they are imported, so a setting made later in a notebook
comes too late. Lab, run, test, Binder and the test suite all take their environment from here. Only the
standard library is used: this module also serves a machine on which nothing is installed yet.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

__all__ = ["apply", "child", "prepared"]

# Two threads on a busy two-core machine were measured to be more than twenty times slower than one.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# OpenBLAS picks its kernels by processor, and other kernels round differently: stored outputs would differ.
_KERNELS = {"OPENBLAS_CORETYPE": "Haswell"}

_QUIET = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
    "WANDB_ERROR_REPORTING": "false",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


def _settings(strict: bool) -> dict[str, str]:
    """Return the variables that are set, whatever the student's shell says."""
    settings = {**_THREADS, **_QUIET, "PYTHONUTF8": "1"}
    if platform.machine().lower() in {"x86_64", "amd64"}:
        settings.update(_KERNELS)
    if strict:
        settings["MLOPS_LAB_STRICT"] = "1"
    return settings


def prepared(strict: bool = False) -> dict[str, str]:
    """Return a copy of this process's environment, made ready for a lesson.

    One thread per process, the same numerical kernels on every x86-64 machine, Weights & Biases offline and
    silent, no telemetry, UTF-8 everywhere, and bytecode written (without it every kernel compiles its imports
    anew). It says nothing about a process that already runs: there the libraries have read their settings.
    """
    environment = dict(os.environ)
    for name in ("PYTHONDONTWRITEBYTECODE", "MLOPS_LAB_STRICT"):
        environment.pop(name, None)
    environment.update(_settings(strict))
    return environment


def apply(strict: bool = False) -> None:
    """Set the same variables in this very process: for a test suite, before its first numerical import.

    It misleads after the first import of numpy, whose threads are then fixed, and it cannot switch a running
    interpreter to UTF-8: start a child process where that matters.
    """
    wanted = prepared(strict)
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    os.environ.update(wanted)


def _signals() -> list[signal.Signals]:
    """Return the signals of this system that ask a program to stop."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _at_a_terminal() -> bool:
    try:
        return os.isatty(0)
    except OSError:  # standard input is closed
        return False


@contextmanager
def _passed_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Let a child answer the signals meant for both of us; give the function that says which child.

    Ctrl-C in a terminal reaches parent and child alike, so there the parent only waits: sent twice, it tells
    JupyterLab to stop without asking. Away from a terminal, and for every other signal, it is handed on. A
    signal that comes while the child is being started waits for it.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        if not started:
            early.append(number)
            return
        process = started[0]
        from_keyboard = number in (signal.SIGINT, getattr(signal, "SIGBREAK", None))
        if process.poll() is None and not (from_keyboard and (_at_a_terminal() or os.name == "nt")):
            process.send_signal(number)

    before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}

    def listen(numbers: Iterable[signal.Signals]) -> None:
        with suppress(ValueError):  # not in the main thread, where Python allows no handlers
            for number in numbers:
                before[number] = signal.signal(number, hand_on)

    def hand_to(process: subprocess.Popen[bytes]) -> None:
        listen(ignored)
        started.append(process)
        for number in early:
            hand_on(number, None)

    # What is ignored (in the background, under nohup) the child shall ignore too, and it inherits that.
    ignored = [number for number in _signals() if signal.getsignal(number) is signal.SIG_IGN]
    try:
        listen(number for number in _signals() if number not in ignored)
        yield hand_to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def child(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
) -> int:
    """Run a program to its end as a child process; pass signals to it and its exit code back."""
    # started and waited for by hand: subprocess.call kills the child at Ctrl-C, before it could tidy up
    with _passed_on() as hand_to:
        process = subprocess.Popen(command, env=dict(environment or prepared()), cwd=folder)
        hand_to(process)
        code = None
        while code is None:  # a signal just before a wait without end would be handed on after it
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=1)
    return code if code >= 0 else 128 - code
