"""Everything that must be true of the course, step by step: what ``python -m mlops_lab test`` runs.

Each step is a command of its own, so that one broken step hides no other and each can be run by hand.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_lab.course import offline
from mlops_lab.setup import environment

__all__ = ["test"]


@dataclass(frozen=True)
class SuiteStep:
    """One command of the test run.

    Parameters
    ----------
    name
        What a reader of the log sees.
    command
        The arguments after the Python interpreter.
    offline
        Whether it runs with loopback as its only network.
    silent
        Whether it says nothing while it works, so that the time is said instead.
    """

    name: str
    command: tuple[str, ...]
    offline: bool = False
    silent: bool = False


# the order of files is that of tests/conftest.py; nbval is for notebooks, and slow to load
_PYTEST = ("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-p", "no:nbval")
_QUICK = (
    SuiteStep("lint", ("-m", "ruff", "check")),
    SuiteStep("format", ("-m", "ruff", "format", "--check")),
    SuiteStep("unit tests and doctests", (*_PYTEST, "-m", "not slow")),
)
_FULL = (
    *_QUICK,
    SuiteStep("types", ("-m", "mypy"), silent=True),
    SuiteStep("tests with kernels, servers, installs", (*_PYTEST, "-m", "slow", "tests")),
    SuiteStep("lesson rules", ("-m", "mlops_lab.cli", "lint")),
    SuiteStep("lessons against their stored outputs", ("-m", "mlops_lab.cli", "validate"), offline=True),
    SuiteStep("results of benchmarks", ("benchmarks/stale.py",)),
    # at seed 0 they have just held: where a claim breaks, a lesson does not run to its end
    SuiteStep(
        "claims at seed 1", ("-m", "mlops_lab.cli", "verify", "--first", "1", "--seeds", "1"), offline=True
    ),
)


def steps(quick: bool = False) -> tuple[SuiteStep, ...]:
    """List what a test run does, in order."""
    return _QUICK if quick else _FULL


def test(quick: bool = False, *, root: Path, plan: Sequence[SuiteStep] | None = None) -> int:
    """Run every step, go on past a broken one, and end with a table of what held."""
    plan = steps(quick) if plan is None else plan
    table: list[tuple[str, str, float]] = []
    for number, step in enumerate(plan, start=1):
        _say(f"\n== {number}/{len(plan)} {step.name}")
        start = time.perf_counter()
        with _command(step) as (command, env), _clock(start if step.silent else None):
            code = subprocess.run(command, cwd=root, env=env, check=False).returncode
        verdict = "held" if code == 0 else f"BROKEN (exit code {code})"
        table.append((step.name, verdict, time.perf_counter() - start))
    _say("\n== summary")
    for name, verdict, seconds in table:
        _say(f"{seconds:7.1f} s  {verdict:24} {name}")
    return int(any(verdict != "held" for _, verdict, _ in table))


test.__test__ = False  # type: ignore[attr-defined]  # a command of ours, not a test that pytest should collect


@contextmanager
def _command(step: SuiteStep) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Give the step's full command and environment, cut off from the network where it asks for that."""
    command, env = [sys.executable, *step.command], environment.prepared(strict=True)
    if not step.offline:
        yield command, env
        return
    with offline.guarded(env) as inside:
        yield offline.namespace_command(command) or command, inside


@contextmanager
def _clock(start: float | None, every_s: float = 10.0) -> Iterator[None]:
    """Say how long a step has been at work that says nothing itself."""
    over = threading.Event()

    def tick() -> None:
        while start is not None and not over.wait(every_s):
            _say(f"   still at it, {time.perf_counter() - start:.0f} s")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _say(line: str) -> None:
    """Write a line now, so that it stands before the output of the step it announces."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
