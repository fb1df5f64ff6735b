"""A histogram that forgets little, fits in a file, and gives the same answer however the rows were cut up.

Floating-point numbers, read as whole numbers, keep their order. Dropping the last bits of those whole numbers
puts neighbours into one bin: fine near zero, coarse far out, so heavy tails cost nothing. A column with at
most `MOST` different values keeps them all; beyond that, bits are dropped until at most `MOST` bins are left.
How many bits that takes depends on the set of values alone, not on their order: parts merge to what the whole
gives (the idea of a bin that halves its resolution: HdrHistogram, Tene 2012; DDSketch, Masson et al. 2019).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST", "Sketch", "edges", "keys"]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]

MOST = 4096
"""The most bins a sketch keeps; a column with at most so many different values is kept exactly."""

_BITS = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_LARGEST = np.int64(0x7FEF_FFFF_FFFF_FFFF)


def keys(values: Floats) -> Wholes:
    """Read finite numbers as whole numbers in the same order; minus zero is zero."""
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.int64)
    return np.where(bits < 0, -(bits & _BITS), bits)


def edges(whole: Wholes) -> Floats:
    """Give back the numbers that `keys` read."""
    size = np.abs(whole).view(np.float64)
    return np.where(whole < 0, -size, size)


@dataclass(frozen=True, eq=False)
class Sketch:
    """Bins of one column and how many rows are in each.

    Answers: how many rows lie at or below an upper edge, exactly. It cannot tell rows within a bin apart; a
    bin is at most ``2 ** shift`` floating-point numbers wide. Dates in seconds since 1970, or any values far
    from zero and close to each other, are no trouble: only the bins that hold rows count.

    Parameters
    ----------
    bins
        The bins' numbers, rising.
    counts
        Rows in each bin.
    shift
        How many bits were dropped; 0 means that every value is kept as it is.
    """

    bins: Wholes
    counts: Wholes
    shift: int = 0

    @classmethod
    def of(cls, values: Floats, *, most: int = MOST) -> Sketch:
        """Count finite values."""
        found, counts = np.unique(keys(values), return_counts=True)
        return _narrowed(found, counts.astype(np.int64), 0, most)

    def merge(self, other: Sketch, *, most: int = MOST) -> Sketch:
        """Add another part's rows; the order of merging makes no difference."""
        shift = max(self.shift, other.shift)
        both = np.concatenate([part.bins >> (shift - part.shift) for part in (self, other)])
        found, place = np.unique(both, return_inverse=True)
        counts = np.zeros(len(found), dtype=np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return _narrowed(found, counts, shift, most)

    @property
    def values(self) -> Floats:
        """The bins' upper edges, rising: the largest number that falls into each."""
        return edges(np.minimum((self.bins << self.shift) + np.int64((1 << self.shift) - 1), _LARGEST))

    @property
    def middles(self) -> Floats:
        """The middle of each bin, rising."""
        low = edges(np.maximum(self.bins << self.shift, -_LARGEST))
        return low / 2 + self.values / 2

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return int(self.counts.sum())

    @property
    def resolution(self) -> float:
        """The largest share of rows that lies in one bin of more than one number; 0 if all is exact."""
        return float(self.counts.max() / self.rows) if self.shift and self.rows else 0.0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        return (
            self.shift == other.shift
            and np.array_equal(self.bins, other.bins)
            and np.array_equal(self.counts, other.counts)
        )

    def plain(self) -> dict[str, Any]:
        """Give whole numbers and lists, for a JSON file."""
        return {"shift": self.shift, "bins": self.bins.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def read(cls, held: Any) -> Sketch:
        """Read what `plain` gave, and refuse anything that no sketch can be (ValueError)."""
        try:
            bins, counts = (np.array(held[name], dtype=np.int64) for name in ("bins", "counts"))
            shift = int(held["shift"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"a histogram is damaged: {error!r}") from None
        sound = bins.ndim == 1 and bins.shape == counts.shape and 0 <= shift < 64
        if not sound or (np.diff(bins) <= 0).any() or (counts < 1).any():
            raise ValueError("a histogram is damaged: bins must rise and each must hold a row")
        return cls(bins, counts, shift)


def _narrowed(bins: Wholes, counts: Wholes, shift: int, most: int) -> Sketch:
    """Drop as few bits as leave at most so many bins."""
    if len(bins) <= most:
        return Sketch(bins, counts, shift)

    def few_enough(dropped: int) -> bool:
        kept = bins >> dropped
        return 1 + int(np.count_nonzero(np.diff(kept))) <= most

    dropped = bisect_left(range(63), True, key=few_enough)
    kept = bins >> dropped
    first = np.flatnonzero(np.concatenate([[True], np.diff(kept) != 0]))
    return Sketch(kept[first], np.add.reduceat(counts, first), shift + dropped)
