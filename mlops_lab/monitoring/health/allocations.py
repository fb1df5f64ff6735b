"""Which line of code asked for the memory that is still held? Python's own records, through tracemalloc."""

from __future__ import annotations

import gc
import linecache
import sysconfig
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd

__all__ = ["allocating_lines"]

_FRAMES = 15
_COLUMNS = ["where", "line", "bytes_per_step", "blocks_per_step"]


def allocating_lines(step: Callable[[int], object], *, steps: int = 50, top: int = 5) -> pd.DataFrame:
    """Find the lines that asked for what a step leaves behind.

    It answers which line of *your* code allocated memory that is still held after the step: of each chain of
    calls it names the innermost line that belongs neither to Python nor to an installed package. That line
    *asked* for the memory; who *keeps* it may stand elsewhere. It cannot see memory that a C library takes
    without telling Python (NumPy does tell), and it makes the work two to four times slower, so it is no
    monitor for production. A cache that is still filling is listed too.

    Parameters
    ----------
    step
        Does one unit of work; takes the number of the step.
    steps
        How many steps are compared; a fifth as many come first, uncounted.
    top
        How many lines to name at most.

    Returns
    -------
    pandas.DataFrame
        The largest first: ``where`` (file and line number), ``line`` (its text), ``bytes_per_step``,
        ``blocks_per_step``. Lines below 16 bytes a step are left out.

    Raises
    ------
    ValueError
        If `steps` or `top` is below 1.

    Examples
    --------
    >>> kept = []
    >>> def leak(step):
    ...     kept.append(bytearray(5_000))
    >>> found = allocating_lines(leak, steps=20)
    >>> bool(4_900 < found["bytes_per_step"].iloc[0] < 5_300)
    True

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    if steps < 1 or top < 1:
        raise ValueError(f"steps={steps!r} and top={top!r} must be at least 1")
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start(_FRAMES)
    try:
        early = max(1, steps // 5)
        for number in range(early):
            step(number)
        before = _held_by_line()
        for number in range(early, early + steps):
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
    held: dict[tuple[str, int], tuple[int, int]] = {}
    for statistic in tracemalloc.take_snapshot().statistics("traceback"):
        frames = [(frame.filename, frame.lineno) for frame in reversed(statistic.traceback)]
        place = next((frame for frame in frames if not _foreign(frame[0])), frames[0])
        if place[0] == __file__:
            continue
        size, blocks = held.get(place, (0, 0))
        held[place] = size + statistic.size, blocks + statistic.count
    return held


def _foreign(name: str) -> bool:
    """Whether a file belongs to Python or to an installed package."""
    homes = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    return name.startswith(("<frozen", *homes))


def _short(name: str) -> str:
    """Give a file's name without its folder; a cell of a notebook has a name that differs in every run."""
    return "a cell" if "ipykernel" in name or name.startswith("<ipython") else Path(name).name
