"""CUSUM (Page's sum): after which outcome is it enough to wake somebody? With a known rate of false alarms.

The sum goes up with each wrong answer and down with each right one, never below 0. While all is well it is
pulled to 0; when errors become frequent it climbs. It is calibrated for a wanted chance of a false alarm
within a wanted number of steps, exactly: a sum of whole steps can only be at a few hundred heights, where it
is after each step is a list of chances, and what has left the list has given alarm.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.outcomes import between_0_and_1, exact_interval
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cusum", "alarm_probability"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cusum:
    """A sum that climbs when errors become frequent, and the height at which it gives alarm.

    It answers "since when is it worse?" sooner than any fixed window of the same error rate. It cannot find a
    change much smaller than the one it was made for, or one to the better. It misleads when the promised rate
    is itself a guess: a rate a little above it gives false alarms.

    Make one by `Cusum.from_holdout`, which takes the upper end of what a hold-out says, or, where the rate is
    known, by `Cusum.for_errors`. Its text says what it was made for, and what that promises.

    Parameters
    ----------
    up, down
        What a wrong answer adds, and what a right one takes away.
    limit
        The height of the alarm.
    horizon
        Number of steps for which it is calibrated.
    false_alarm
        Chance of an alarm within the horizon at the rate `promised`; at a lower rate it is smaller.
    promised
        The share of wrong answers up to which that holds; None for a chart that was put together by hand.
    basis
        Where `promised` comes from.

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
    >>> chart
    CUSUM +6 -1, alarm at 56. At most 4.8 % false alarms in 1,000 steps while at most 10.00 % are wrong: as
    given, taken for certain. Above that there are more.
    >>> Cusum.from_holdout(wrong=91, rows=650, horizon=2000)
    CUSUM +3 -1, alarm at 31. At most 4.8 % false alarms in 2,000 steps while at most 16.44 % are wrong:
    the upper end of 91 wrong of 650 (95 % one-sided). So it is for 95 % of all hold-outs. Above that there
    are more.
    """

    up: int
    down: int
    limit: int
    horizon: int
    false_alarm: float
    promised: float | None = None
    basis: str = ""

    @classmethod
    def from_holdout(
        cls,
        wrong: int,
        rows: int,
        *,
        times: float = 2.0,
        confidence: float = 0.95,
        horizon: int = 10_000,
        false_alarm: float = 0.05,
    ) -> Cusum:
        """Make one for a model that was wrong on some rows of a hold-out.

        A hold-out is a sample: the true share may lie above what it shows, and then a chart made for that
        cries wolf. This one is made for the upper end of the exact one-sided interval. So of all hold-outs
        that one could have drawn, at least `confidence` give a chart that keeps `false_alarm`, and over
        hold-outs and streams together at most ``1 - confidence + false_alarm`` are false. The price is that
        it comes later; more rows bring it down.

        Parameters
        ----------
        wrong, rows
            How many answers were wrong, of how many; rows on which the model was not trained.
        times
            How many times the upper end is the share that must be found soon.
        confidence
            For how many of all hold-outs the promise holds.
        horizon, false_alarm
            As for `for_errors`.

        Raises
        ------
        ValueError
            If the counts are none, or the hold-out is too small to tell so many errors from certainty.
        """
        if rows < 1 or not 0 <= wrong <= rows or int(wrong) != wrong or int(rows) != rows:
            raise ValueError(f"wrong={wrong!r} of rows={rows!r}: give whole numbers, at most as many as rows")
        if not times > 1:
            raise ValueError(f"times={times!r}: what is feared must be more than is promised, such as 2.0")
        if not 0.5 < confidence < 1:
            raise ValueError(f"confidence={confidence!r}: a number between 0.5 and 1 is needed, such as 0.95")
        high = exact_interval(wrong, rows, 2 * confidence - 1)[1]  # 5 % beyond the upper end alone
        if times * high >= 1:
            raise ValueError(
                f"{wrong} wrong of {rows} may be {high:.0%}, and times={times:g} that is everything: "
                "take a larger hold-out or smaller times"
            )
        chart = cls.for_errors(high, times * high, horizon=horizon, false_alarm=false_alarm)
        basis = f"the upper end of {wrong:,} wrong of {rows:,} ({100 * confidence:g} % one-sided)"
        return replace(chart, basis=f"{basis}. So it is for {100 * confidence:g} % of all hold-outs")

    @classmethod
    def for_errors(
        cls,
        promised: float | tuple[float, float],
        feared: float,
        *,
        horizon: int = 10_000,
        false_alarm: float = 0.05,
    ) -> Cusum:
        """Make one for answers that are right (0) or wrong (1).

        Parameters
        ----------
        promised
            The share of wrong answers while all is well; or the interval (low, high) that it is known to lie
            in, of which the upper end is taken. A single number is taken for certain: if it was measured on
            a hold-out, use `from_holdout`.
        feared
            The share that shall be found soon, such as twice as many.
        horizon
            For how many steps the false alarm is promised.
        false_alarm
            The largest chance of an alarm within these steps, while all is well.
        """
        basis = "as given, taken for certain"
        if not isinstance(promised, int | float | np.number):
            low, promised = _interval(promised)
            basis = f"the upper end of what was given, {low:.4g} to {promised:.4g}"
        promised = float(promised)
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
        return cls(up, down, limit, int(horizon), chance, promised, basis)

    def __str__(self) -> str:
        told = f"CUSUM +{self.up} -{self.down}, alarm at {self.limit}. "
        if self.promised is None:
            return f"{told}Made by hand: what it promises, nobody has computed."
        told += (
            f"At most {100 * self.false_alarm:.1f} % false alarms in {self.horizon:,} steps while at most "
        )
        told += f"{100 * self.promised:.2f} % are wrong: {self.basis}. Above that there are more."
        return "\n".join(textwrap.wrap(told, 104))

    __repr__ = __str__

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

    def report(self, values: npt.ArrayLike) -> Report:
        """Say whether these values give alarm, since when, and what the chart promises about false ones."""
        heights, at = self.path(values), self.first_alarm(values)
        said = "None of the steps gave alarm." if at is None else f"Alarm at step {at}, counted from 0."
        finding = Finding(
            code="cusum.alarm",
            title=f"Errors in {heights.size:,} steps",
            ok=None if not heights.size else at is None,
            statistic="largest height",
            value=float(heights.max()) if heights.size else None,
            limit=self.limit if heights.size else None,
            explanation=f"{said} {' '.join(str(self).split())}",
            source="Page 1954; Brook and Evans 1972",
        )
        return Report(title="CUSUM", findings=(finding,))

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


def _interval(promised: tuple[float, float]) -> tuple[float, float]:
    """Read (low, high)."""
    ends = np.asarray(promised, dtype=np.float64)
    if ends.shape != (2,) or not ends[0] <= ends[1]:
        raise ValueError(f"promised={promised!r}: give a share of wrong answers, or its interval (low, high)")
    return float(ends[0]), float(ends[1])


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
