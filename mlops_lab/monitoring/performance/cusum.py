"""CUSUM (Page's sum): after which outcome is it enough to wake somebody? With a known rate of false alarms.

The sum goes up with each wrong answer and down with each right one, never below 0. While all is well it is
pulled to 0; when errors become frequent it climbs. It is calibrated for a wanted chance of a false alarm
within a wanted number of steps, exactly: a sum of whole steps can only be at a few hundred heights, where it
is after each step is a list of chances, and what has left the list has given alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.outcomes import between_0_and_1

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cusum", "alarm_probability"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cusum:
    """A sum that climbs when errors become frequent, and the height at which it gives alarm.

    It answers "since when is it worse?" sooner than any fixed window of the same error rate. It cannot find a
    change much smaller than the one it was made for, or one to the better. It misleads when the promised rate
    is itself a guess: a rate a little above it gives false alarms. Use the upper end of its interval.

    Make one by `Cusum.for_errors`.

    Parameters
    ----------
    up, down
        What a wrong answer adds, and what a right one takes away.
    limit
        The height of the alarm.
    horizon
        Number of steps for which it is calibrated.
    false_alarm
        Chance of an alarm within the horizon while all is well.

    Notes
    -----
    Page (1954). For right and wrong, steps are whole numbers in the ratio of Wald's (1947) log likelihoods,
    so that the sum is a Markov chain on a few hundred heights, and the chance of an alarm is exact (Brook
    and Evans 1972).

    Examples
    --------
    >>> chart = Cusum.for_errors(promised=0.1, feared=0.2, horizon=1000)
    >>> chart.up, chart.down, chart.limit
    (6, 1, 56)
    >>> round(chart.false_alarm, 3)
    0.048
    >>> chart.first_alarm([0, 1, 0, 1] * 100)
    21
    """

    up: int
    down: int
    limit: int
    horizon: int
    false_alarm: float

    @classmethod
    def for_errors(
        cls, promised: float, feared: float, *, horizon: int = 10_000, false_alarm: float = 0.05
    ) -> Cusum:
        """Make one for answers that are right (0) or wrong (1).

        Parameters
        ----------
        promised
            The share of wrong answers while all is well.
        feared
            The share that shall be found soon, such as twice as many.
        horizon
            For how many steps the false alarm is promised.
        false_alarm
            The largest chance of an alarm within these steps, while all is well.
        """
        between_0_and_1(promised=promised, feared=feared, false_alarm=false_alarm)
        if feared <= promised:
            raise ValueError(f"feared={feared!r} must lie above promised={promised!r}")
        if horizon < 1:
            raise ValueError(f"horizon={horizon!r}: at least one step is needed")
        up, down = _whole_steps(promised, feared)
        if promised * up >= (1 - promised) * down:
            raise ValueError(
                f"promised={promised!r} and feared={feared!r} are too near to be told apart by steps"
            )
        limit, chance = _lowest_limit(promised, up, down, int(horizon), false_alarm)
        return cls(up, down, limit, int(horizon), chance)

    def path(self, values: npt.ArrayLike) -> Floats:
        """Give the heights after each value, in the order of time; 1 is a wrong answer."""
        steps = (self.up + self.down) * _finite(values) - self.down
        walk = np.cumsum(steps)
        heights: Floats = walk - np.minimum(0.0, np.minimum.accumulate(walk))
        return heights

    def first_alarm(self, values: npt.ArrayLike) -> int | None:
        """Give the step of the first alarm, counted from 0; None if there is none. A value of 1 is wrong."""
        over = np.flatnonzero(self.path(values) >= self.limit - 1e-9)
        return int(over[0]) if over.size else None

    def plot(self, values: npt.ArrayLike, ax: Axes | None = None) -> Axes:
        """Draw the height along the steps, and the limit."""
        heights = pd.Series(self.path(values), name="cumulative sum")
        return plots.line(
            heights,
            xlabel="step",
            ylabel="height of the sum",
            limit=self.limit,
            limit_label="alarm at",
            ax=ax,
        )


def _finite(values: npt.ArrayLike) -> Floats:
    numbers: Floats = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError(f"values of shape {numbers.shape}: give finite numbers in the order of time")
    return numbers


def _whole_steps(promised: float, feared: float) -> tuple[int, int]:
    """Give whole steps up and down, nearly in the ratio of both answers' log likelihoods."""
    ratio = math.log(feared / promised) / math.log((1 - promised) / (1 - feared))
    near = Fraction(ratio).limit_denominator(max(1, round(8 / ratio)))
    return max(1, near.numerator), near.denominator


def alarm_probability(rate: float, up: int, down: int, limit: int, steps: int) -> Floats:
    """Give after each step the exact chance of an alarm so far, at any share of wrong answers.

    The chance of each height below the limit is carried on step by step; what has left them has given alarm
    (Brook and Evans 1972).
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate={rate!r}: a share from 0 to 1 is needed")
    mass = np.zeros(limit)
    mass[0] = 1.0
    inside = np.empty(steps)
    for step in range(steps):
        moved = np.zeros(limit)
        moved[: max(0, limit - down)] = (1 - rate) * mass[down:]
        moved[0] += (1 - rate) * mass[:down].sum()
        if up < limit:
            moved[up:] += rate * mass[: limit - up]
        mass = moved
        inside[step] = mass.sum()
    return 1 - inside


@lru_cache(maxsize=256)
def _lowest_limit(rate: float, up: int, down: int, horizon: int, wanted: float) -> tuple[int, float]:
    """Find the lowest limit that keeps the wanted chance, and the chance that it has."""
    from scipy.optimize import brentq

    def chance(limit: int) -> float:
        return float(alarm_probability(rate, up, down, limit, horizon)[-1])

    # while all is well, e to the power of (slope x height) drifts nowhere; so a limit is surely high enough
    # once that power is horizon / wanted
    slope = brentq(
        lambda x: rate * math.expm1(x * up) + (1 - rate) * math.expm1(-x * down),
        math.log((1 - rate) * down / (rate * up)) / (up + down),  # the dip: below 0
        -math.log(rate) / up,  # above 0
    )
    high = math.ceil(math.log(2 * horizon / wanted) / slope) + up
    low = 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) <= wanted else (middle + 1, high)
    return low, chance(low)
