"""The share of rows at or below a value: of rows at hand, or of a profile that kept only bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_lab.monitoring.histogram_sketch import HistogramSketch

__all__ = ["Distribution", "shared_steps", "step_shares"]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Distribution:
    """Where a column's rows lie.

    Parameters
    ----------
    steps
        Values, rising. Rows at hand are kept one by one, ties included.
    upto
        Rows at or below each step; None where the steps are the rows themselves.
    shift
        0 where every value is known; else the bits that a sketch dropped, so that only its steps are exact.
    """

    steps: Floats
    upto: Wholes | None = None
    shift: int = 0

    @classmethod
    def of(cls, values: Floats) -> Distribution:
        """Sort finite values."""
        return cls(np.sort(values))

    @classmethod
    def kept(cls, sketch: HistogramSketch) -> Distribution:
        """Read a sketch's bins."""
        return cls(sketch.edges[1], np.cumsum(sketch.counts), sketch.shift)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        if self.upto is None:
            return len(self.steps)
        return int(self.upto[-1]) if len(self.upto) else 0

    def at(self, thresholds: Floats) -> Wholes:
        """Count the rows at or below each threshold."""
        place = np.searchsorted(self.steps, thresholds, side="right")
        return place if self.upto is None else np.concatenate([[0], self.upto])[place]

    def expanded(self) -> Floats:
        """Give one value for each row (a step where only bins are kept)."""
        return self.steps if self.upto is None else np.repeat(self.steps, np.diff(self.upto, prepend=0))

    def levels(self, most: int) -> tuple[Floats, Wholes] | None:
        """Give the different values with their rows, if there are at most so many; else None."""
        if self.shift:
            return None
        probe = self.steps[:: max(1, len(self.steps) // 4096)]
        if np.count_nonzero(np.diff(probe)) >= most:
            return None
        found = np.unique(self.steps) + 0.0  # minus zero is zero
        return (found, np.diff(self.at(found), prepend=0)) if len(found) <= most else None


def shared_steps(one: Distribution, other: Distribution) -> Floats:
    """Give the values at which both shares are exact, rising."""
    coarse = max(one.shift, other.shift)
    return np.unique(np.concatenate([each.steps for each in (one, other) if each.shift == coarse]))


def step_shares(one: Distribution, other: Distribution, steps: Floats) -> tuple[Floats, Floats]:
    """Give the share of rows at or below each step, for both."""
    return one.at(steps) / one.rows, other.at(steps) / other.rows
