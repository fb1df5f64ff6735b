"""Is a value that a few rows share no value at all? Sentinels: -1, 999 or 1900-01-01 for a missing one.

One row far out may be a tail that reaches further. Three rows with the very same value beyond all that a
column ever held are another matter, and four things tell them from chance: how often rows of the outermost
part are equal at all; how far the value stands from the last one, beside the steps before it and beside how
the tail thins out; whether the column ends abruptly, with many rows on its last step and none beyond; and
whether whole numbers that never were negative now are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["End", "stray_moment"]

FEWEST = 3
"""So many equal rows are asked for: the same row sent twice is another fault."""

OUTERMOST = 20
"""So many different values, and at least so many rows, tell how a column ends; a twentieth of a long one."""

ISOLATED = 3.0
"""How many times the largest step among the outermost values a sentinel is away from the last."""

EXPECTED = 20.0
"""A column ends abruptly if so many rows should stand on its next step, and none does."""

RARE = 0.2
"""Whole numbers of a sign that none had are sentinels, unless chance misses so rare a value more often."""

FAR = 0.25
"""A moment is far out if it lies so large a part of all known time away from it: late rows are no fault."""


@dataclass(frozen=True)
class End:
    """How a column ends upwards, learned from good rows; of negated values, how it ends downwards.

    Parameters
    ----------
    last
        The outermost value.
    step
        The largest step between neighbours among the 20 outermost different values.
    equal
        An upper bound for the chance that two of the outermost rows are equal.
    abrupt
        Whether many rows should stand on the next step, had the column thinned out as it began to.
    counted
        Rows that whole numbers were learned from; 0 if they are no whole numbers.

    Examples
    --------
    >>> ages = End.of(np.repeat(np.arange(18.0, 91.0), 60))
    >>> ages.sentinel(np.array([30.0, 45.0, 999.0, 999.0, 999.0]), 0.01, lambda value, rows: 0.0)
    999.0
    """

    last: float
    step: float
    equal: float
    abrupt: bool
    counted: int = 0

    @classmethod
    def of(cls, values: NDArray[Any]) -> End:
        """Learn from finite values in rising order, at least one."""
        ordered = values
        rows = min(len(ordered), max(OUTERMOST, len(ordered) // 20))
        counts = np.unique(ordered[-rows:], return_counts=True)[1]
        tied, pairs = float((counts * (counts - 1)).sum() / 2), max(1.0, rows * (rows - 1) / 2)
        equal = min(1.0, (tied + 3 + 2 * math.sqrt(tied)) / pairs)  # the upper end of Poisson's 95 %
        starts = np.append(0, np.flatnonzero(np.diff(ordered)) + 1)  # of each different value
        found = ordered[starts[-OUTERMOST:]]
        counts = np.diff(np.append(starts[-OUTERMOST:], len(ordered)))
        steps = np.diff(found / 2)[::-1] * 2  # halves: no difference of numbers is too large
        step = float(steps.max()) if len(steps) else math.inf
        whole = len(ordered) if (found == np.round(found)).all() else 0
        return cls(float(ordered[-1]), step, equal, _abrupt(steps, counts[::-1]), whole)

    def sentinel(
        self, values: NDArray[Any], level: float, chance: Callable[[float, int], float]
    ) -> float | None:
        """Give the value beyond the last that stands in too many rows to be a value; None if none does.

        `chance` bounds that of so many rows at least so far out, by the tail of the values.
        """
        far = values[values > self.last]
        if len(far) < FEWEST:
            return None
        found, counts = np.unique(far, return_counts=True)
        for value, count in zip(found.tolist(), counts.tolist(), strict=True):
            if count < FEWEST:
                continue
            away = value / 2 - self.last / 2
            equal = away > self.step / 2 and math.comb(len(far), count) * self.equal ** (count - 1) < level
            apart = away > ISOLATED * self.step / 2 and chance(value, count) < level
            likely = (len(values) / (len(values) + self.counted)) ** count > RARE
            other_sign = self.last <= 0 < value and self.counted > 0 and not likely
            if self.abrupt or other_sign or equal or apart:
                return float(value)
        return None


def _abrupt(steps: NDArray[Any], counts: NDArray[Any]) -> bool:
    """Say whether counts on equal steps, from the end inwards, would go on: as those of a bell curve do.

    Their logarithms are continued as a parabola that does not open upwards.
    """
    if len(steps) < 1 or counts[0] < EXPECTED:
        return False
    logs = np.log(counts[:3].astype(np.float64))
    slope = logs[0] - logs[1]
    if len(steps) >= 2 and math.isclose(steps[0], steps[1], rel_tol=1e-9):
        slope += min(0.0, slope - (logs[1] - logs[2]))
    elif len(steps) >= 2 and slope < 0:
        return False
    return bool(math.log(counts[0]) + min(0.0, slope) >= math.log(EXPECTED))


def stray_moment(step: float, low: float, high: float, moments: NDArray[Any]) -> float | None:
    """Give the moment that a few rows share far from all others, before or after; None if there is none.

    Dates move on, so it is held against the other new rows as well as against the learned ones, of which
    `step` is the largest step at their ends, `low` and `high` the first and the last moment; all in seconds.
    """
    found, counts = np.unique(moments, return_counts=True)
    for value, count in ((found[0], counts[0]), (found[-1], counts[-1])) if len(found) > 1 else ():
        if count < FEWEST or count > len(moments) / 2 or low <= value <= high:
            continue
        rest = found[found != value]
        first, last = min(low, float(rest[0])), max(high, float(rest[-1]))
        away = first - value if value < first else value - last
        part = rest[:OUTERMOST] if value < first else rest[-OUTERMOST:]
        usual = max(step, float(np.diff(part).max(initial=0.0)))
        if away > ISOLATED * usual and away > FAR * (last - first):
            return float(value)
    return None
