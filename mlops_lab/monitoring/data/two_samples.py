"""Do two samples of a column come from one distribution? Kolmogorov-Smirnov, Anderson-Darling, chi-squared.

Each test is written as its textbook has it, on the shares of rows at or below a value (`Ecdf`) or on counts.
`largest_gap` has a second, faster way for many rows; a test proves that it gives the same number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlops_lab.monitoring.histogram_sketch import HistogramSketch

__all__ = [
    "Ecdf",
    "anderson_darling",
    "chi_squared",
    "kolmogorov_smirnov_p",
    "largest_gap",
    "mostly_single",
    "new_categories_p",
    "share_p",
    "smallest_p",
    "thresholds",
]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]

EXACT_ROWS = 10_000
"""Up to so many rows in the larger sample the p-value of the largest gap is exact, as in scipy."""

GRID = 2048
"""Of more than four times so many rows, as many values stand for all where a sum over them is enough."""

DRAWS = 9_999


class TestResult(NamedTuple):
    """A test's own number, and the chance of one at least as large if nothing has changed (never NaN)."""

    statistic: float
    p: float


# --- the share of rows at or below a value -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ecdf:
    """The empirical distribution function of a column: the share of its rows at or below a value.

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
    def of(cls, values: Floats) -> Ecdf:
        """Sort finite values."""
        return cls(np.sort(values))

    @classmethod
    def of_sketch(cls, sketch: HistogramSketch) -> Ecdf:
        """Read the upper edges of a sketch's bins, at which its shares are exact."""
        return cls(sketch.edges[1], np.cumsum(sketch.counts), sketch.shift)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        if self.upto is None:
            return len(self.steps)
        return int(self.upto[-1]) if len(self.upto) else 0

    def count(self, values: Floats) -> Wholes:
        """Count the rows at or below each value."""
        place = np.searchsorted(self.steps, values, side="right")
        return place if self.upto is None else np.concatenate([[0], self.upto])[place]

    def share(self, values: Floats) -> Floats:
        """Give the share of rows at or below each value."""
        return self.count(values) / self.rows

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
        return (found, np.diff(self.count(found), prepend=0)) if len(found) <= most else None


def thresholds(one: Ecdf, other: Ecdf, *, every: bool = False) -> Floats:
    """Give values at which both shares are exact, rising.

    Of a sketch these are its bins' edges; of few rows, or if asked for, every value; of many, evenly many by
    rank and the outermost 256.
    """
    coarse = max(one.shift, other.shift)
    steps = [each.steps for each in (one, other) if each.shift == coarse]
    return np.unique(np.concatenate(steps if every or coarse else list(map(_thinned, steps))))


def _thinned(steps: Floats) -> Floats:
    size = len(steps)
    if size <= 4 * GRID:
        return steps
    ranks = np.linspace(0, size - 1, GRID).astype(np.int64)
    chosen = np.unique(np.concatenate([np.arange(256), ranks, np.arange(size - 256, size)]))
    return np.take(steps, chosen)


# --- tests for numbers -------------------------------------------------------------------------------------


def largest_gap(one: Ecdf, other: Ecdf) -> float:
    """Give the Kolmogorov-Smirnov distance: the largest gap between two shares of rows at or below a value.

    For two large samples at hand it looks at every hundredth row first, and then only where between two of
    these places the gap could still be larger than the largest seen: the answer is the same.
    """
    if one.upto is None and other.upto is None and min(one.rows, other.rows) > 4 * GRID:
        return _bracketed_gap(one, other)
    steps = thresholds(one, other, every=True)
    return float(np.abs(one.share(steps) - other.share(steps)).max())


def _bracketed_gap(one: Ecdf, other: Ecdf) -> float:
    ranks = np.linspace(0, one.rows - 1, one.rows // 100).astype(np.int64)
    grid = np.concatenate([[-np.inf], one.steps[ranks], [max(one.steps[-1], other.steps[-1])]])
    first, second = one.count(grid), other.count(grid)
    share, other_share = first / one.rows, second / other.rows
    best = float(np.abs(share - other_share).max())
    # Within a stretch the gap is at most this: one share has come to its end, the other is at its beginning.
    bound = np.maximum(share[1:] - other_share[:-1], other_share[1:] - share[:-1])
    # A stretch whose rows all lie at its end (ties) has no inside.
    lowest = [
        np.append(each.steps, np.inf)[begin] for each, begin in ((one, first[:-1]), (other, second[:-1]))
    ]
    bound[np.minimum(*lowest) >= grid[1:]] = 0.0
    for place in np.argsort(-bound):
        if bound[place] <= best:
            break
        steps = np.concatenate(
            [one.steps[first[place] : first[place + 1]], other.steps[second[place] : second[place + 1]]]
        )
        best = max(best, float(np.abs(one.share(steps) - other.share(steps)).max(initial=0.0)))
    return best


def kolmogorov_smirnov_p(gap: float, one: Ecdf, other: Ecdf) -> float:
    """Give the chance of so large a gap if nothing has changed; with ties it is less than that.

    Exact up to 10,000 rows; beyond, Kolmogorov's limit with Vrbik's (2018) correction, which differs from
    scipy's value by less than 0.2 % of itself where that is above 1e-6.
    """
    from scipy import special, stats

    rows, others = one.rows, other.rows
    if max(rows, others) <= EXACT_ROWS and not (one.shift or other.shift):
        found = stats.ks_2samp(one.expanded(), other.expanded(), method="exact")
        return float(min(1.0, max(0.0, found.pvalue)))
    effective = rows * others / (rows + others)
    if effective <= 5_000:
        return float(stats.kstwo.sf(gap, round(effective)))
    root = math.sqrt(round(effective))
    scaled = root * gap
    return float(special.kolmogorov(scaled + 1 / (6 * root) + (scaled - 1) / (4 * root**2)))


def smallest_p(rows: int, others: int) -> float:
    """Give the smallest p-value that so few rows can reach, where all of one lie above all of the other."""
    ways = math.lgamma(rows + others + 1) - math.lgamma(rows + 1) - math.lgamma(others + 1)
    return round(2 * math.exp(-ways), 12)


def anderson_darling(one: Ecdf, other: Ecdf) -> TestResult:
    """Compare two samples with an eye on the tails, where the largest gap sees little.

    The squared gap is divided by what chance makes of it at each place, so the tails count as much as the
    middle. The p-value is the tail of the limiting law, ``sqrt(3 / (pi a)) exp(-a)``: never below the true
    one by more than a tenth of a percent of it, and up to 4 % above it where that matters. At least 25 rows
    in each are asked for. Large samples are compared at 4,096 places and in the outermost rows (Anderson and
    Darling 1952; two samples: Pettitt 1976; tail: Zolotarev 1961).
    """
    steps = thresholds(one, other)
    first, second = one.share(steps), other.share(steps)
    rows, others = one.rows, other.rows
    pooled = (rows * first + others * second) / (rows + others)
    mass = np.diff(pooled, prepend=0.0)
    inside = (pooled > 0) & (pooled < 1)
    weight = ((mass + np.append(mass[1:], 0.0)) / 2)[inside]
    squared = (first - second)[inside] ** 2 / (pooled * (1 - pooled))[inside]
    value = rows * others / (rows + others) * float((weight * squared).sum())
    return TestResult(value, _anderson_darling_tail(value))


def _anderson_darling_tail(value: float) -> float:
    return 1.0 if value <= 0 else min(1.0, math.sqrt(3 / (math.pi * value)) * math.exp(-value))


# --- a test for categories ---------------------------------------------------------------------------------


def chi_squared(counts: Wholes, others: Wholes) -> TestResult:
    """Compare how two samples fall into the same categories (Pearson 1900).

    Categories of which the smaller sample expects less than one row are put together. Where it expects fewer
    than five in some, and there are at most 50, the p-value comes from 9,999 random redistributions of the
    rows (always the same ones), and is valid for any number of rows.
    """
    table = np.array([counts, others], dtype=np.int64)
    table = table[:, table.sum(axis=0) > 0]
    smaller = table.sum(axis=1).min() / table.sum()
    rare = _rare(table)
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    if table.shape[1] < 2:
        return TestResult(0.0, 1.0)
    totals = table.sum(axis=0)
    value = float(_pearson(table[0], totals, table[0].sum()))
    if totals.min() * smaller < 5 and table.shape[1] <= 50:
        draws = np.random.default_rng(0).multivariate_hypergeometric(totals, table[0].sum(), size=DRAWS)
        beyond = int((_pearson(draws, totals, table[0].sum()) >= value * (1 - 1e-9)).sum())
        return TestResult(value, (1 + beyond) / (1 + DRAWS))
    from scipy import special

    return TestResult(value, float(special.chdtrc(table.shape[1] - 1, value)))


def _rare(table: Wholes) -> NDArray[np.bool_]:
    """Say of which categories the smaller of two samples expects less than one row."""
    return np.asarray(table.sum(axis=0) * (table.sum(axis=1).min() / table.sum()) < 1)


def mostly_single(counts: Wholes, others: Wholes) -> bool:
    """Say whether shares of categories say little: most rows have a rare one, or one of their own."""
    table = np.array([counts, others], dtype=np.int64)
    rows = table.sum(axis=1)
    rare = table[:, _rare(table)].sum(axis=1) / rows
    alone = (table == 1).sum(axis=1) / rows
    return bool(rare.max() > 0.5 or alone.min() > 0.5)


def new_categories_p(counts: Wholes, others: Wholes) -> float:
    """Give the chance that so many rows have a category that the other sample lacks; both ways are paid for.

    A row's category is new about as often as a category stood alone among the other rows (Good 1953), which
    Fisher's exact test (1935) compares. Where all stand alone nothing is too new.
    """
    ways = []
    for then, now in ((counts, others), (others, counts)):
        unseen, alone = int(now[then == 0].sum()), int((then == 1).sum())
        ways.append(share_p(unseen, int(now.sum()), alone, int(then.sum())))
    return min(1.0, 2 * min(ways))


def share_p(now: int, rows: int, then: int, learned: int) -> float:
    """Give the chance of at least `now` of the rows, if their share is that of `then` in the learned ones.

    Fisher's exact test (1935).
    """
    from scipy import stats

    table = np.array([[now, rows - now], [then, learned - then]])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def _pearson(drawn: Wholes, totals: Wholes, rows: int) -> Floats:
    """Give Pearson's statistic of a table of two rows, from its first row and the totals."""
    share = rows / totals.sum()
    expected = totals * share
    return np.asarray(((drawn - expected) ** 2 / (expected * (1 - share))).sum(axis=-1), dtype=np.float64)
