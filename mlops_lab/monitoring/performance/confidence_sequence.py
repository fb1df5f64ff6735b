"""Confidence sequence: an interval for a rate that stays valid however often it is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.outcomes import between_0_and_1

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confidence_sequence"]

Floats = npt.NDArray[np.float64]
_PRIOR = (0.5, 0.5)
"""Which rates the bet expects: Jeffreys' choice, none in particular."""


@dataclass(frozen=True, eq=False)
class ConfidenceSequence:
    """An interval for each step; with the promised confidence *all* of them hold the true rate.

    Parameters
    ----------
    frame
        A row for each step: `value`, the mean so far, `low` and `high`.
    confidence
        How often no interval of the whole sequence ever misses.

    Examples
    --------
    >>> sequence = confidence_sequence([0, 1] * 100)
    >>> sequence.first_excluding(0.1)
    9
    """

    frame: pd.DataFrame
    confidence: float

    def first_excluding(self, rate: float) -> int | None:
        """Give the first step, counted from 0, at which the interval no longer holds a rate."""
        out = np.flatnonzero((self.frame["low"] > rate) | (self.frame["high"] < rate))
        return int(out[0]) if out.size else None

    def plot(self, promised: float | None = None, ax: Axes | None = None) -> Axes:
        """Draw the mean and the interval along the steps, and a promised rate to compare with."""
        shown = self.frame.rename(columns={"value": "mean so far", "low": "lower end", "high": "upper end"})
        return plots.line(shown, xlabel="step", ylabel="rate", limit=promised, limit_label="promised", ax=ax)


def confidence_sequence(
    values: npt.ArrayLike, *, confidence: float = 0.95, prior: tuple[float, float] = _PRIOR
) -> ConfidenceSequence:
    """Give after each value an interval for the rate; they hold *together*, at every step and for ever.

    The interval keeps every rate against which a bet has not yet won `1 / (1 - confidence)` times its stake.
    It answers "may I stop and decide now?": yes, at any time. It is wider than an interval for one look, and
    it assumes that the rate stays the same: after a change it follows slowly, since the good past counts as
    much as today; a `Cusum` forgets it. It misleads where neighbouring values depend on each other.

    Parameters
    ----------
    values
        Numbers from 0 to 1 in the order of time, such as 1 for a wrong answer.
    confidence
        How often no interval ever misses the rate.
    prior
        Where it should be narrowest: a beta distribution over rates.

    Raises
    ------
    ValueError
        For values outside 0 to 1, or none.

    Notes
    -----
    Ville (1939) for the chance. Beta-binomial mixture: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon
    (2021). For values between 0 and 1 it stays valid, since the bet is convex in the value (Hoeffding 1963).

    Examples
    --------
    >>> confidence_sequence([0, 0, 1, 0] * 50).frame.iloc[-1].round(3).to_dict()
    {'value': 0.25, 'low': 0.156, 'high': 0.363}

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    between_0_and_1(confidence=confidence)
    numbers: Floats = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or numbers.size == 0 or not ((numbers >= 0) & (numbers <= 1)).all():
        raise ValueError(f"values of shape {numbers.shape}: give at least one, each from 0 to 1")
    if min(prior) <= 0:
        raise ValueError(f"prior={prior!r}: both numbers must be above 0")
    total, steps = np.cumsum(numbers), np.arange(1.0, numbers.size + 1)
    mean, wanted = total / steps, -math.log(1 - confidence)
    mixture = _log_mixture(total, steps, prior)
    low = _edge(np.zeros_like(mean), mean, total, steps, mixture, wanted)
    high = _edge(np.ones_like(mean), mean, total, steps, mixture, wanted)
    frame = pd.DataFrame({"value": mean, "low": low, "high": high})
    frame.index.name = "step"
    return ConfidenceSequence(frame, confidence)


def _log_mixture(total: Floats, steps: Floats, prior: tuple[float, float]) -> Floats:
    """Give the log of the likelihood, averaged over all rates."""
    from scipy import special

    a, b = prior
    likelihood: Floats = special.betaln(a + total, b + steps - total) - special.betaln(a, b)
    return likelihood


def _log_wealth(rate: Floats, total: Floats, steps: Floats, mixture: Floats) -> Floats:
    """Give the log of the money that a bet against a rate has won, from a stake of 1.

    Bet on wrong answers at odds that are fair if the rate is true, the stake spread over all other rates. As
    long as it is true, nobody can expect to win, and the chance that the money *ever* reaches 20 is at most
    1 in 20. Here 0 log 0 is 0, and a rate that cannot be loses everything.
    """
    from scipy import special

    won: Floats = mixture - (special.xlogy(total, rate) + special.xlog1py(steps - total, -rate))
    return won


def _edge(
    out: Floats, inside: Floats, total: Floats, steps: Floats, mixture: Floats, wanted: float
) -> Floats:
    """Halve the way between a rate outside and the mean, which is always inside, for all steps at once."""
    whole = _log_wealth(out, total, steps, mixture) < wanted  # the end of the range itself may be inside
    for _ in range(50):
        middle = (out + inside) / 2
        keeps = _log_wealth(middle, total, steps, mixture) < wanted
        inside, out = np.where(keeps, middle, inside), np.where(keeps, out, middle)
    return np.where(whole, np.round(inside), out)
