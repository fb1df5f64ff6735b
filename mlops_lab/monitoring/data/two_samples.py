"""Do two samples of a column come from one distribution? Kolmogorov-Smirnov, Anderson-Darling, chi-squared.

Each test is written as its textbook has it, on the shares of rows at or below a value. `largest_gap` has a
second, faster way for many rows; a test proves that it gives the same number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_lab.monitoring.data.distributions import Distribution, shared_steps, step_shares

__all__ = ["Outcome", "anderson_darling", "chi_squared", "gap_p", "largest_gap", "places", "smallest_p"]

Floats = NDArray[np.float64]
Wholes = NDArray[np.int64]

EXACT_ROWS = 10_000
"""Up to so many rows in the larger sample the p-value of the largest gap is exact, as in scipy."""

GRID = 2048
DRAWS = 9_999


@dataclass(frozen=True)
class Outcome:
    """What one test found.

    Parameters
    ----------
    statistic
        The test's own number.
    p
        Chance of a statistic at least this large if nothing has changed; never NaN.
    """

    statistic: float
    p: float


def largest_gap(one: Distribution, other: Distribution) -> float:
    """Give the Kolmogorov-Smirnov distance: the largest gap between two shares of rows at or below a value.

    For two large samples at hand it looks at every hundredth row first, and then only where between two of
    these places the gap could still be larger than the largest seen: the answer is the same.
    """
    if one.upto is None and other.upto is None and min(one.rows, other.rows) > 4 * GRID:
        return _bracketed_gap(one, other)
    first, second = step_shares(one, other, shared_steps(one, other))
    return float(np.abs(first - second).max())


def _bracketed_gap(one: Distribution, other: Distribution) -> float:
    ranks = np.linspace(0, one.rows - 1, one.rows // 100).astype(np.int64)
    grid = np.concatenate([[-np.inf], one.steps[ranks], [max(one.steps[-1], other.steps[-1])]])
    first, second = one.at(grid), other.at(grid)
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
        inside, outside = step_shares(one, other, steps)
        best = max(best, float(np.abs(inside - outside).max(initial=0.0)))
    return best


def gap_p(gap: float, one: Distribution, other: Distribution) -> float:
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
    """The smallest p-value that so few rows can reach, where all of one lie above all of the other."""
    ways = math.lgamma(rows + others + 1) - math.lgamma(rows + 1) - math.lgamma(others + 1)
    return round(2 * math.exp(-ways), 12)


def anderson_darling(one: Distribution, other: Distribution) -> Outcome:
    """Compare two samples with an eye on the tails, where the largest gap sees little.

    The squared gap is divided by what chance makes of it at each place, so the tails count as much as the
    middle. The p-value is the tail of the limiting law, ``sqrt(3 / (pi a)) exp(-a)``: never below the true
    one by more than a tenth of a percent of it, and up to 4 % above it where that matters. At least 25 rows
    in each are asked for. Large samples are compared at 4,096 places and in the outermost rows.

    Notes
    -----
    Anderson and Darling 1952; two samples: Pettitt 1976; tail: Zolotarev 1961.
    """
    steps = shared_steps(one, other) if one.shift or other.shift else places(one, other)
    first, second = step_shares(one, other, steps)
    rows, others = one.rows, other.rows
    pooled = (rows * first + others * second) / (rows + others)
    mass = np.diff(pooled, prepend=0.0)
    inside = (pooled > 0) & (pooled < 1)
    weight = ((mass + np.append(mass[1:], 0.0)) / 2)[inside]
    squared = (first - second)[inside] ** 2 / (pooled * (1 - pooled))[inside]
    value = rows * others / (rows + others) * float((weight * squared).sum())
    p = 1.0 if value <= 0 else min(1.0, math.sqrt(3 / (math.pi * value)) * math.exp(-value))
    return Outcome(value, p)


def places(one: Distribution, other: Distribution) -> Floats:
    """Give all values of small samples; of large ones evenly many by rank, and the outermost 256."""
    chosen = []
    for each in (one, other):
        size = len(each.steps)
        if size > 4 * GRID:
            ranks = np.linspace(0, size - 1, GRID).astype(np.int64)
            ranks = np.unique(np.concatenate([np.arange(256), ranks, np.arange(size - 256, size)]))
            chosen.append(each.steps[ranks])
        else:
            chosen.append(each.steps)
    return np.unique(np.concatenate(chosen))


def chi_squared(counts: Wholes, others: Wholes) -> Outcome:
    """Compare how two samples fall into the same categories (Pearson 1900).

    Categories of which the smaller sample expects less than one row are put together. Where it expects fewer
    than five in some, and there are at most 50, the p-value comes from 9,999 random redistributions of the
    rows (always the same ones), and is valid for any number of rows.
    """
    table = np.array([counts, others], dtype=np.int64)
    table = table[:, table.sum(axis=0) > 0]
    smaller = table.sum(axis=1).min() / table.sum()
    rare = table.sum(axis=0) * smaller < 1
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    if table.shape[1] < 2:
        return Outcome(0.0, 1.0)
    totals = table.sum(axis=0)
    value = float(_distance(table[0], totals, table[0].sum()))
    if totals.min() * smaller < 5 and table.shape[1] <= 50:
        draws = np.random.default_rng(0).multivariate_hypergeometric(totals, table[0].sum(), size=DRAWS)
        beyond = int((_distance(draws, totals, table[0].sum()) >= value * (1 - 1e-9)).sum())
        return Outcome(value, (1 + beyond) / (1 + DRAWS))
    from scipy import special

    return Outcome(value, float(special.gammaincc((table.shape[1] - 1) / 2, value / 2)))


def _distance(drawn: Wholes, totals: Wholes, rows: int) -> Floats:
    """Give Pearson's statistic of a table of two rows, from its first row and the totals."""
    share = rows / totals.sum()
    expected = totals * share
    return np.asarray(((drawn - expected) ** 2 / (expected * (1 - share))).sum(axis=-1), dtype=np.float64)
