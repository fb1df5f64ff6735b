"""What chance does to rows from one source: shares that differ, rows that repeat, values far out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Tail", "copies_p", "share_p"]

TAIL = 20
"""How many of the outermost rows tell how fast a column's values thin out; a tenth of a small table."""

FAR = {1: 7.0, 2: 3.0, 4: 2.0, 8: 1.5}
"""So many rows are judged together, if all lie so many times as far from the median as any learned row."""


@dataclass(frozen=True)
class Tail:
    """How fast the values of a column thin out at one end, so that a few far out can be judged.

    Parameters
    ----------
    share
        Share of the rows that lie in the tail.
    rows
        How many that were.
    start, end
        Where it begins, and the outermost row, as distances from the median.
    spread
        How far the tail's rows lie beyond its start, on the average: as a difference if `heavy` is False, as
        a difference of logarithms if it is True (Hill 1975).
    heavy
        Whether the distances from the median vary more than exponential ones do.
    """

    share: float
    rows: int
    start: float
    end: float
    spread: float
    heavy: bool

    @classmethod
    def of(cls, distances: np.ndarray[Any, Any]) -> Tail | None:
        """Learn from distances to the median, those on its other side being negative; None of too few."""
        far = np.sort(distances)[::-1]
        beyond = far[far > 0]
        rows = min(TAIL, far.size // 10, beyond.size - 1)
        if rows < 1:
            return None
        with np.errstate(over="ignore"):
            heavy = bool(beyond.std() > beyond.mean())
        steps = np.log(far[:rows]) - np.log(far[rows]) if heavy else far[:rows] - far[rows]
        # Equal rows, such as counts of one, tell only that the next step is no smaller than the last.
        spread = float(steps.mean()) or (math.log(2) if heavy else float(far[rows]))
        return cls(rows / far.size, rows, float(far[rows]), float(far[0]), spread, heavy)

    def chance(self, distance: float, rows: int, reached: int = 1) -> float:
        """Bound the chance that so many of the new rows lie at least so far from the median.

        Right for exponential tails, and if `heavy` for those that fall like a power, with what the few rows
        cannot tell about their spread taken into account; an upper bound for tails that fall faster.
        """
        if distance <= self.start:
            return 1.0
        beyond = np.log(distance) - np.log(self.start) if self.heavy else distance - self.start
        thinned = -self.rows * math.log1p(reached * float(beyond) / self.spread / self.rows)
        drawn = reached * math.log(rows * self.share) - math.lgamma(reached + 1)
        return math.exp(min(0.0, drawn + thinned))

    def too_far(self, distances: np.ndarray[Any, Any], level: float) -> bool:
        """Say whether one, two, four or eight of the new rows lie farther out than the tail reaches."""
        far = np.sort(distances)[::-1]
        return any(
            far.size >= few
            and far[few - 1] > times * self.end
            and self.chance(float(far[few - 1]), far.size, few) < level / len(FAR)
            for few, times in FAR.items()
        )


def share_p(now: int, rows: int, then: int, learned: int) -> float:
    """Give the chance of at least `now` of the rows, if their share is that of `then` in the learned ones.

    Fisher's exact test (1935).
    """
    from scipy import stats

    table = np.array([[now, rows - now], [then, learned - then]])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def copies_p(now: int, rows: int, then: int, learned: int) -> float:
    """Bound the chance of at least `now` rows that stood there before, if `then` of the learned ones did.

    Twice the rows make up to four times the pairs, so a larger table has a larger share of equal rows.
    """
    from scipy import stats

    part = max(rows / (rows + learned), rows**2 / (rows**2 + learned**2))
    return float(stats.binom.sf(now - 1, now + then, part))
