"""Memory leaks: what the system says a program holds, step after step, and the line that asked for it.

The system's figure (RSS, the pages in real memory) sees everything, also what lies outside Python, but it is
noisy: memory that is freed is kept for later, new things fill old holes, and caches fill once. So no line is
fitted through it. The steps are cut into blocks, each block is represented by its lowest reading, and each
block of the first half is compared with its counterpart in the second (trend test of Cox and Stuart 1955).
The line is found in Python's own records of allocations, through tracemalloc.
"""

from __future__ import annotations

import functools
import gc
import linecache
import math
import sysconfig
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["allocating_lines", "memory_growth", "resident_bytes", "watch_memory"]

_BLOCKS = 12
_LIMIT_BYTES = 16 * 1024
_KIB, _MIB = 1024, 1024**2
_FRAMES = 15
_COLUMNS = ["where", "line", "bytes_per_step", "blocks_per_step"]


@dataclass(frozen=True, kw_only=True)
class MemoryReport(Report):
    """How memory moved over the steps, and whether it grows without end.

    Attributes
    ----------
    bytes_per_step
        The typical growth after the warm-up, the median over pairs of blocks.
    low, high
        The smallest and largest of those pairs; they hold the true growth with a confidence of 97 %.
    goes_on
        Whether the second half alone grows too. A cache that filled once makes it False.
    readings
        Bytes after each step, the warm-up included.
    warm_up
        How many of the first readings were not used.

    Examples
    --------
    >>> report = memory_growth([50_000_000 + 65_536 * step for step in range(100)])
    >>> report.ok, report.leaks, report.bytes_per_step
    (False, True, 65536.0)
    >>> from matplotlib.figure import Figure
    >>> report.plot(ax=Figure().subplots()).get_xlabel()
    'step'
    """

    bytes_per_step: float
    low: float
    high: float
    goes_on: bool
    readings: npt.NDArray[np.float64]
    warm_up: int

    @property
    def leaks(self) -> bool:
        """Whether a leak is reported; False also where it could not be decided."""
        return self.ok is False

    def headline(self) -> str:
        """Say the growth and what it was judged by."""
        return f"{self.bytes_per_step / _KIB:.1f} KiB a step after {self.warm_up} steps of warm-up."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw memory over the steps, with the end of the warm-up."""
        held = pd.Series((self.readings - self.readings[0]) / _MIB, name="memory")
        return plots.line(
            held,
            xlabel="step",
            ylabel="memory since the first step (MiB)",
            title=self.title,
            events={self.warm_up: "warm-up ends"},
            ax=ax,
        )


def memory_growth(
    readings: Sequence[float] | npt.ArrayLike,
    *,
    warm_up: float = 0.25,
    limit_bytes: float = _LIMIT_BYTES,
) -> MemoryReport:
    """Decide from readings after each step whether memory grows without end.

    It is a leak if *every* pair of blocks grew by more than the limit, and the second half alone still does.
    So one jump, wherever it comes, is none. It cannot see a leak below the limit, nor one that strikes less
    often than a block is long, nor memory of a graphics card, nor what was swapped out. A leak first
    fills the holes that freed memory has left, unseen by the system: watch until the leak you fear has taken
    several times what comes and goes (benchmarks/monitoring_leaks.py has the figures). It misleads about a
    cache that is still filling: that looks like a leak until it is full.

    Parameters
    ----------
    readings
        Bytes held after each step, in order; at least 48 after the warm-up.
    warm_up
        The share of the first readings that is left out: imports, caches and pools fill there.
    limit_bytes
        Growth for each step that is too small to matter.

    Returns
    -------
    MemoryReport
        ``ok`` is False for a leak, True if no pair grew by more than the limit, else None: watch longer.

    Raises
    ------
    ValueError
        If there are too few readings, or one is not a finite number.

    Examples
    --------
    >>> jump = [50_000_000] * 60 + [80_000_000] * 60
    >>> memory_growth(jump).leaks
    False

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    held = np.asarray(readings, dtype=float)
    if held.ndim != 1 or not np.isfinite(held).all():
        raise ValueError("readings must be a row of finite numbers of bytes, one for each step")
    if not 0 <= warm_up < 1:
        raise ValueError(f"warm_up={warm_up!r} must be a share from 0 to below 1, such as 0.25")
    if not 0 <= limit_bytes < math.inf:
        raise ValueError(f"limit_bytes={limit_bytes!r} must be a finite number of bytes, 0 or more")
    first = int(held.size * warm_up)
    used = held[first:]
    if used.size < 4 * _BLOCKS:
        raise ValueError(
            f"{used.size} readings after the warm-up are too few: at least {4 * _BLOCKS} are needed; "
            "take more steps, or a shorter warm-up"
        )
    width = used.size // _BLOCKS
    first = held.size - width * _BLOCKS
    floors = held[first:].reshape(_BLOCKS, width).min(axis=1)
    half = _BLOCKS // 2
    pairs = (floors[half:] - floors[:half]) / (half * width)
    lately = (floors[-1] - floors[half]) / ((half - 1) * width)
    low, high, middle = float(pairs.min()), float(pairs.max()), float(np.median(pairs))
    goes_on = bool(lately > limit_bytes)
    leaks, flat = low > limit_bytes and goes_on, high <= limit_bytes
    ok = False if leaks else True if flat else None
    said = {
        False: "It grew between all blocks, and still does. Find the line with "
        f"allocating_lines(step, first={held.size}): steps that ran before may be answered from a cache.",
        True: "It does not grow by more than the limit. Slower or rarer leaks would not be seen.",
        None: "It grew at times and not at others: a cache, a one-off, or a slow leak. Watch longer.",
    }
    finding = Finding(
        code="memory.growth",
        title="Memory held after each step",
        ok=ok,
        explanation=said[ok],
        statistic="growth for each step",
        value=middle / _KIB,
        interval=(low / _KIB, high / _KIB),
        limit=limit_bytes / _KIB,
        unit="KiB",
        severity="serious" if leaks else "warning",
        source="trend test: Cox and Stuart 1955",
    )
    return MemoryReport(
        title="Memory",
        findings=(finding,),
        bytes_per_step=middle,
        low=low,
        high=high,
        goes_on=goes_on,
        readings=held,
        warm_up=first,
    )


def resident_bytes() -> int:
    """Ask the system how much real memory this process holds.

    It counts pages, so small things are seen late or not at all, and memory that Python has freed is often
    still held. What was swapped out is not counted.

    Examples
    --------
    >>> resident_bytes() > 1_000_000
    True

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    import psutil

    return int(psutil.Process().memory_info().rss)


def watch_memory(
    step: Callable[[int], object],
    *,
    steps: int = 1600,
    warm_up: float = 0.25,
    limit_bytes: float = _LIMIT_BYTES,
    read: Callable[[], float] = resident_bytes,
) -> MemoryReport:
    """Call a function many times, read the memory after each call, and say whether it leaks.

    Parameters
    ----------
    step
        Does one unit of work, such as one request; takes the number of the step.
    steps
        How often it is called; a short watch of a noisy service often cannot decide.
    warm_up, limit_bytes
        As for ``memory_growth``.
    read
        Gives bytes; by default what the system says of this process. Other threads count too.

    Raises
    ------
    ValueError
        If the steps are too few.

    Examples
    --------
    >>> kept = []
    >>> report = watch_memory(kept.append, steps=100, read=lambda: 70_000 * len(kept))
    >>> report.leaks
    True

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    if steps < 4 * _BLOCKS:
        raise ValueError(f"steps={steps!r} are too few: at least {4 * _BLOCKS}, better some hundreds")
    readings = np.empty(steps)
    gc.collect()
    for number in range(steps):
        step(number)
        readings[number] = read()
    return memory_growth(readings, warm_up=warm_up, limit_bytes=limit_bytes)


def allocating_lines(
    step: Callable[[int], object], *, steps: int = 50, top: int = 5, first: int = 0
) -> pd.DataFrame:
    """Find the lines that asked for what a step leaves behind.

    It answers which line of *your* code allocated memory that is still held after the step: of each chain of
    calls it names the innermost line that belongs neither to Python nor to an installed package. That line
    *asked* for the memory; who *keeps* it may stand elsewhere. It cannot see memory that a C library takes
    without telling Python (NumPy does tell), and it makes the work two to four times slower, so it is no
    monitor for production. A cache that is still filling is listed too.

    It sees only what the steps do now. Steps that a watch has run before may find their answers in a cache,
    ask for nothing, and no line is named: go on behind them, with numbers that are new (`first`).

    Parameters
    ----------
    step
        Does one unit of work; takes the number of the step.
    steps
        How many steps are compared; a fifth as many come first, uncounted.
    top
        How many lines to name at most.
    first
        The number of the first step; after a watch of 1,600 steps, 1,600.

    Returns
    -------
    pandas.DataFrame
        The largest first: ``where`` (file and line number), ``line`` (its text), ``bytes_per_step``,
        ``blocks_per_step``. Lines below 16 bytes a step are left out.

    Raises
    ------
    ValueError
        If `steps` or `top` is below 1, or `first` below 0.

    Examples
    --------
    >>> kept = []
    >>> def leak(step):
    ...     kept.append(bytearray(5_000))
    >>> found = allocating_lines(leak, steps=20)
    >>> bool(4_900 < found["bytes_per_step"].iloc[0] < 5_300)
    True
    >>> answers = {}
    >>> def cached(step):
    ...     if step not in answers:
    ...         answers[step] = bytearray(90_000)
    >>> watched = watch_memory(cached, steps=100, read=lambda: 90_000 * len(answers))
    >>> watched.leaks, allocating_lines(cached).empty  # all of these steps are in the cache
    (True, True)
    >>> found = allocating_lines(cached, first=100)
    >>> found["line"].iloc[0]
    'answers[step] = bytearray(90_000)'

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    if steps < 1 or top < 1:
        raise ValueError(f"steps={steps!r} and top={top!r} must be at least 1")
    if first < 0:
        raise ValueError(f"first={first!r} must be the number of a step, 0 or more")
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start(_FRAMES)
    try:
        counted_from = first + max(1, steps // 5)
        for number in range(first, counted_from):
            step(number)
        before = _held_by_line()
        for number in range(counted_from, counted_from + steps):
            step(number)
        after = _held_by_line()
    finally:
        if not was_tracing:
            tracemalloc.stop()
    sizes = Counter({place: size - before.get(place, (0, 0))[0] for place, (size, _) in after.items()})
    rows = []
    for (name, number), size in sizes.most_common(top):
        if size / steps < 16:
            break
        blocks = after[name, number][1] - before.get((name, number), (0, 0))[1]
        text = linecache.getline(name, number).strip()
        rows.append((f"{_short(name)}:{number}", text, size / steps, blocks / steps))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _held_by_line() -> dict[tuple[str, int], tuple[int, int]]:
    """Give bytes and blocks that are held, by the line of the user's code that asked for them."""
    gc.collect()
    foreign = _foreign_folders()
    held: dict[tuple[str, int], tuple[int, int]] = {}
    for statistic in tracemalloc.take_snapshot().statistics("traceback"):
        frames = [(frame.filename, frame.lineno) for frame in reversed(statistic.traceback)]
        place = next((frame for frame in frames if not frame[0].startswith(foreign)), frames[0])
        if place[0] == __file__:
            continue
        size, blocks = held.get(place, (0, 0))
        held[place] = size + statistic.size, blocks + statistic.count
    return held


@functools.cache
def _foreign_folders() -> tuple[str, ...]:
    """Give what the names of files begin with that belong to Python or to an installed package."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    return ("<frozen", *{sysconfig.get_path(kind) for kind in kinds})


def _short(name: str) -> str:
    """Give a file's name without its folder; a cell of a notebook has a name that differs in every run."""
    return "a cell" if "ipykernel" in name or name.startswith("<ipython") else Path(name).name
