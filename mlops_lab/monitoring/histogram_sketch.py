"""A histogram that can be merged: parts of a table, or many servers, add up to exactly what the whole gives.

Percentiles and distances cannot be added, counts of the same bins can. A *scale* reads numbers as whole
numbers in the same order, and a bin is a run of ``2 ** shift`` of these. With `FloatScale` a bin is a run of
floating-point numbers: it serves any column, keeps few different values exactly, and narrows where the rows
are. With `LogScale` each bin is wider than the last by a constant factor: it serves times, each known to the
same relative accuracy (HdrHistogram: Tene 2012; DDSketch: Masson, Rim, Lee 2019).
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "HistogramSketch", "LogScale"]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]

MOST = 4096
"""The most bins of a column's sketch; a column with at most so many different values is kept exactly."""


@dataclass(frozen=True)
class FloatScale:
    """Each floating-point number by its own bits, which keep the order: fine near zero, coarse far out.

    Heavy tails, dates in seconds since 1970, or values far from zero and close to each other are no trouble:
    only bins that hold rows count. Beyond `most` of them, last bits are dropped until so many are left. How
    many that takes depends on the set of values alone, so the order of merging makes no difference.
    """

    most: int = MOST
    _bits: ClassVar[np.int64] = np.int64(0x7FFF_FFFF_FFFF_FFFF)
    _largest: ClassVar[np.int64] = np.int64(0x7FEF_FFFF_FFFF_FFFF)

    def whole(self, values: Floats) -> Wholes:
        """Read finite numbers as whole numbers in the same order; minus zero is zero."""
        bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.int64)
        return np.where(bits < 0, -(bits & self._bits), bits)

    def edges(self, first: Wholes, last: Wholes) -> tuple[Floats, Floats]:
        """Give the smallest and the largest number of runs from `first` to `last`."""
        return self._number(first), self._number(last)

    def _number(self, whole: Wholes) -> Floats:
        whole = np.clip(whole, -self._largest, self._largest)
        size = np.abs(whole).view(np.float64)
        return np.where(whole < 0, -size, size)


@dataclass(frozen=True)
class LogScale:
    """Bins that grow by a constant factor: the middle of one is within `accuracy` of all that it holds."""

    accuracy: float
    smallest: float = 1e-6
    most: ClassVar[int] = sys.maxsize

    @property
    def growth(self) -> float:
        """How many times as far from zero a bin ends as it begins."""
        return (1 + self.accuracy) / (1 - self.accuracy)

    def whole(self, values: Floats) -> Wholes:
        """Read numbers by their logarithm, upwards; what is below the smallest counts as that."""
        logs = np.log(np.maximum(values, self.smallest)) / math.log(self.growth)
        return np.ceil(logs).astype(np.int64)

    def whole_below(self, value: float) -> int:
        """Give the last bin of which nothing lies above a value."""
        return math.floor(math.log(max(value, self.smallest)) / math.log(self.growth) + 1e-9)

    def edges(self, first: Wholes, last: Wholes) -> tuple[Floats, Floats]:
        """Give the numbers above which runs begin, and at which they end."""
        low, high = ([self.growth**each for each in ends.tolist()] for ends in (first - 1, last))
        return np.array(low), np.array(high)


@dataclass(frozen=True, eq=False)
class HistogramSketch:
    """Bins and how many rows are in each.

    It knows exactly how many rows lie at or below an upper edge, and cannot tell rows within a bin apart.

    Parameters
    ----------
    bins
        The bins' numbers, rising; only those that hold rows.
    counts
        Rows in each bin.
    shift
        How many bits of the scale were dropped; 0 on `FloatScale` means that every value is kept as it is.
    scale
        How numbers are read as whole numbers.
    """

    bins: Wholes
    counts: Wholes
    shift: int = 0
    scale: FloatScale | LogScale = field(default_factory=FloatScale)

    @classmethod
    def of(cls, values: Floats, scale: FloatScale | LogScale | None = None) -> HistogramSketch:
        """Count finite values, of a column unless another scale is given."""
        scale = scale or FloatScale()
        found, counts = np.unique(scale.whole(values), return_counts=True)
        return _summed(found, counts.astype(np.int64), 0, scale)

    def merge(self, other: HistogramSketch) -> HistogramSketch:
        """Add another part's rows; the order of merging makes no difference."""
        if self.scale != other.scale:
            raise ValueError(f"{self.scale} and {other.scale} have different bins: they cannot be added")
        shift = max(self.shift, other.shift)
        both = np.concatenate([part.bins >> (shift - part.shift) for part in (self, other)])
        order = np.argsort(both, kind="stable")
        return _summed(both[order], np.concatenate([self.counts, other.counts])[order], shift, self.scale)

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return int(self.counts.sum())

    @property
    def edges(self) -> tuple[Floats, Floats]:
        """The bins' lower and upper edges, rising."""
        return self._edges(self.bins)

    def edges_at(self, rank: int) -> tuple[float, float]:
        """Give the edges of the bin that holds the row of a rank; the smallest row has rank 1."""
        place = int(np.searchsorted(np.cumsum(self.counts), rank))
        low, high = self._edges(self.bins[place : place + 1])
        return float(low[0]), float(high[0])

    def _edges(self, bins: Wholes) -> tuple[Floats, Floats]:
        first = bins << self.shift
        return self.scale.edges(first, first + np.int64((1 << self.shift) - 1))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HistogramSketch):
            return NotImplemented
        return (
            (self.shift, self.scale) == (other.shift, other.scale)
            and np.array_equal(self.bins, other.bins)
            and np.array_equal(self.counts, other.counts)
        )

    def plain(self) -> dict[str, Any]:
        """Give whole numbers and lists, for a JSON file."""
        return {"shift": self.shift, "bins": self.bins.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def read(cls, held: Any, scale: FloatScale | LogScale | None = None) -> HistogramSketch:
        """Read what `plain` gave, and refuse anything that no sketch can be (ValueError)."""
        try:
            bins, counts = (np.array(held[name], dtype=np.int64) for name in ("bins", "counts"))
            shift = int(held["shift"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"a histogram is damaged: {error!r}") from None
        sound = bins.ndim == 1 and bins.shape == counts.shape and 0 <= shift < 64
        if not sound or (np.diff(bins) <= 0).any() or (counts < 1).any():
            raise ValueError("a histogram is damaged: bins must rise and each must hold a row")
        return cls(bins, counts, shift, scale or FloatScale())


def _summed(bins: Wholes, counts: Wholes, shift: int, scale: FloatScale | LogScale) -> HistogramSketch:
    """Add up the counts of equal bins, which lie side by side; drop as few bits as leave few enough bins."""

    def few_enough(dropped: int) -> bool:
        return 1 + int(np.count_nonzero(np.diff(bins >> dropped))) <= scale.most

    dropped = 0 if len(bins) <= scale.most else bisect_left(range(63), True, key=few_enough)
    kept = bins >> dropped
    first = np.flatnonzero(np.diff(kept, prepend=kept[:1] - 1))
    return HistogramSketch(kept[first], np.add.reduceat(counts, first), shift + dropped, scale)
