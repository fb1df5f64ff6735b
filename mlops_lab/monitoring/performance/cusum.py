"""One outcome after the other: when is it enough to wake somebody? Page's sum, with a known error rate.

The sum goes up with each wrong answer and down with each right one, never below 0. While all is well it is
pulled to 0; when errors become frequent it climbs. It is calibrated for a wanted chance of a false alarm
within a wanted number of steps: exactly, where outcomes are right or wrong; by simulation for other values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.cusum_markov_chain import lowest_limit, reached, whole_steps
from mlops_lab.monitoring.performance.outcomes import share_of_one

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cusum"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cusum:
    """A sum that climbs when errors become frequent, and the height at which it gives alarm.

    It answers "since when is it worse?" sooner than any fixed window of the same error rate. It cannot find a
    change much smaller than the one it was made for, or one to the better. It misleads when the promised rate
    is itself a guess: a rate a little above it gives false alarms. Use the upper end of its interval.

    Make one by `Cusum.for_errors` or `Cusum.for_values`.

    Parameters
    ----------
    gain, drag
        Each step adds `gain` times the value, less `drag`.
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
    (6.0, 1.0, 56.0)
    >>> round(chart.false_alarm, 3)
    0.048
    >>> chart.first_alarm([0, 1, 0, 1] * 100)
    21
    """

    gain: float
    drag: float
    limit: float
    horizon: int
    false_alarm: float

    @property
    def up(self) -> float:
        """What a wrong answer adds."""
        return self.gain - self.drag

    @property
    def down(self) -> float:
        """What a right answer takes away."""
        return self.drag

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
        share_of_one(promised=promised, feared=feared, false_alarm=false_alarm)
        if feared <= promised:
            raise ValueError(f"feared={feared!r} must lie above promised={promised!r}")
        if horizon < 1:
            raise ValueError(f"horizon={horizon!r}: at least one step is needed")
        up, down = whole_steps(promised, feared)
        if promised * up >= (1 - promised) * down:
            raise ValueError(
                f"promised={promised!r} and feared={feared!r} are too near to be told apart by steps"
            )
        limit, chance = lowest_limit(promised, up, down, int(horizon), false_alarm)
        return cls(float(up + down), float(down), float(limit), int(horizon), chance)

    @classmethod
    def for_values(
        cls,
        reference: npt.ArrayLike,
        shift: float,
        *,
        horizon: int = 10_000,
        false_alarm: float = 0.05,
        seed: int = 0,
        paths: int = 2_000,
    ) -> Cusum:
        """Make one for any values, such as seconds or amounts, by redrawing quiet ones.

        Parameters
        ----------
        reference
            Values while all is well; some hundred at least.
        shift
            The shift of the mean that shall be found soon; below 0 for a fall.
        horizon, false_alarm
            As for errors.
        seed
            Steers the simulation.
        paths
            How many quiet futures are drawn.

        Returns
        -------
        Cusum
            Its `false_alarm` is the share among the drawn futures, cautiously rounded.
        """
        share_of_one(false_alarm=false_alarm)
        values: Floats = np.asarray(reference, dtype=np.float64)
        if values.ndim != 1 or values.size < 20 or not np.isfinite(values).all():
            raise ValueError(f"reference has the shape {values.shape}: at least 20 finite values are needed")
        if shift == 0 or not math.isfinite(shift) or horizon < 1:
            raise ValueError(f"shift={shift!r}, horizon={horizon!r}: a shift other than 0, and some steps")
        gain = math.copysign(1.0, shift)
        drag = gain * float(values.mean()) + abs(shift) / 2
        rng, level, highest = np.random.default_rng(seed), np.zeros(paths), np.zeros(paths)
        for _ in range(int(horizon)):
            level = np.maximum(0.0, level + gain * rng.choice(values, paths) - drag)
            np.maximum(highest, level, out=highest)
        over = math.floor(false_alarm * (paths + 1)) - 1  # so many futures may reach the limit
        if over < 0:
            raise ValueError(f"paths={paths!r} are too few for false_alarm={false_alarm!r}")
        limit = float(np.nextafter(np.sort(highest)[paths - 1 - over], math.inf))
        return cls(gain, drag, limit, int(horizon), (over + 1) / (paths + 1))

    def after(self, level: float, value: float) -> float:
        """Give the next height: what a monitor keeps between two answers is this one number.

        Parameters
        ----------
        level
            The height before.
        value
            The new value; 1 is a wrong answer.
        """
        return max(0.0, level + self.gain * float(value) - self.drag)

    def path(self, values: npt.ArrayLike) -> Floats:
        """Give the heights after each of many values.

        Parameters
        ----------
        values
            In the order of time; 1 is a wrong answer.

        Raises
        ------
        ValueError
            If a value is missing or infinite.
        """
        steps = self.gain * _finite(values) - self.drag
        walk = np.cumsum(steps)
        heights: Floats = walk - np.minimum(0.0, np.minimum.accumulate(walk))
        return heights

    def first_alarm(self, values: npt.ArrayLike) -> int | None:
        """Give the step of the first alarm, counted from 0.

        Parameters
        ----------
        values
            In the order of time; 1 is a wrong answer.
        """
        over = np.flatnonzero(self.path(values) >= self.limit - 1e-9)
        return int(over[0]) if over.size else None

    def alarm_probability(self, rate: float, steps: int) -> float:
        """Give the exact chance of an alarm within some steps, at any share of wrong answers.

        Parameters
        ----------
        rate
            Share of wrong answers.
        steps
            Within how many.

        Raises
        ------
        ValueError
            If this one is for other values than right and wrong.
        """
        if not (self.up.is_integer() and self.down.is_integer() and self.limit.is_integer()):
            raise ValueError("only a chart for right and wrong answers has whole steps: use Cusum.for_errors")
        return float(reached(rate, int(self.up), int(self.down), int(self.limit), int(steps))[-1])

    def median_delay(self, rate: float) -> int | None:
        """Give the steps in which half of all alarms come, when the rate is this from the start.

        Parameters
        ----------
        rate
            Share of wrong answers.
        """
        chances = reached(rate, int(self.up), int(self.down), int(self.limit), self.horizon)
        late = np.flatnonzero(chances >= 0.5)
        return int(late[0]) + 1 if late.size else None

    def plot(self, values: npt.ArrayLike, ax: Axes | None = None) -> Axes:
        """Draw the height along the steps, and the limit.

        Parameters
        ----------
        values
            In the order of time.
        ax
            Axes to draw on; None makes a figure.
        """
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
