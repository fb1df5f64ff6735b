"""How far apart are two samples? PSI, Jensen-Shannon and Wasserstein: numbers without a p-value.

None of them knows how much chance alone would give: that falls with the number of rows, so one limit for all
tables is wrong for most of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.data.columns import ColumnSample, aligned
from mlops_lab.monitoring.data.two_samples import Ecdf, thresholds

__all__ = [
    "binned_shares",
    "category_shares",
    "jensen_shannon",
    "jensen_shannon_of",
    "psi",
    "psi_of",
    "total_variation",
    "wasserstein",
    "wasserstein_of",
]

Floats = npt.NDArray[np.float64]

FLOOR = 1e-4
"""The smallest share of a bin: the logarithm of an empty one has no value, so PSI needs an invented one."""


def psi(reference: npt.ArrayLike, current: npt.ArrayLike, *, bins: int = 10) -> float:
    """Give the population stability index: how differently the rows fall into the reference's bins.

    Answers: how large is a change? Of a bell curve that shifts by d standard deviations it is close to d
    squared, so the customary limits 0.1 and 0.25 are effect sizes: shifts by a third and by half a standard
    deviation. It misleads in four ways: it has no p-value, and chance alone gives about
    ``(bins - 1) (1 / n + 1 / m)``; it sees nothing that happens within a bin, such as outliers in the last
    one; it depends on the number of bins; and an empty bin counts as 0.01 % of the rows, which nothing
    derives.

    Parameters
    ----------
    reference, current
        Numbers, or categories; missing and infinite ones are left out.
    bins
        How many bins with about as many reference rows each; categories are their own bins.

    Raises
    ------
    ValueError
        If one of the two holds no value, the kinds differ, or there are fewer than two bins.

    Notes
    -----
    Lewis 1994, *An introduction to credit scoring*; it is Jeffreys' divergence (1946) of the bins. Its
    distribution by chance: Yurdakul 2018.

    Examples
    --------
    >>> psi(["red", "red", "green", "green"], ["red", "green", "green", "green"])
    0.2746...

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    return psi_of(*_shares(reference, current, bins))


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike, *, bins: int = 10) -> float:
    """Give the Jensen-Shannon distance of the bins: 0 is the same, 1 means that no bin is shared.

    Answers: how differently the rows fall into the bins, on a scale with an end. It needs no invented share
    for an empty bin, and has PSI's other blind spots.

    Parameters
    ----------
    reference, current
        Numbers, or categories; missing and infinite ones are left out.
    bins
        How many bins with about as many reference rows each; categories are their own bins.

    Raises
    ------
    ValueError
        If one of the two holds no value, the kinds differ, or there are fewer than two bins.

    Notes
    -----
    Lin 1991; as a distance: Endres and Schindelin 2003.

    Examples
    --------
    >>> jensen_shannon([1.0, 2.0], [8.0, 9.0])
    1.0

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    return jensen_shannon_of(*_shares(reference, current, bins))


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Give the mean distance that a row has to be moved to turn one sample into the other.

    Answers: how far, in the column's own unit, which a person can judge. It misleads across columns of
    different units, and one outlier far out can be all of it. Beyond 8,192 rows it is computed at 4,096
    places and in the outermost rows.

    Parameters
    ----------
    reference, current
        Numbers; missing and infinite ones are left out.

    Raises
    ------
    ValueError
        If one of the two holds no number.

    Notes
    -----
    Also called the earth mover's distance; Kantorovich 1942, Vaserstein 1969.

    Examples
    --------
    >>> wasserstein([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    1.0

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    one, other = _samples(reference, current)
    if one.kind != "number" or other.kind != "number":
        raise ValueError("wasserstein needs numbers in both samples; categories have no distance")
    return wasserstein_of(_ecdf(one, "reference"), _ecdf(other, "current"))


def wasserstein_of(one: Ecdf, other: Ecdf) -> float:
    """Give the Wasserstein distance of two distribution functions: the area between them."""
    steps = thresholds(one, other)
    with np.errstate(over="ignore"):
        area = float((np.abs(one.share(steps) - other.share(steps))[:-1] * np.diff(steps)).sum())
    return area if math.isfinite(area) else float(np.finfo(np.float64).max)


def binned_shares(one: Ecdf, other: Ecdf, bins: int = 10) -> tuple[Floats, Floats]:
    """Cut at the reference's quantiles, and give the share of rows in each bin, for both."""
    wanted = np.arange(1, bins) * one.rows / bins
    if one.upto is None:
        cuts = one.steps[np.ceil(wanted).astype(np.int64) - 1]
    else:
        cuts = one.steps[np.searchsorted(one.upto, wanted)]
    cuts = np.unique(cuts)
    first, second = (np.diff(each.share(cuts), prepend=0.0, append=1.0) for each in (one, other))
    return first, second


def category_shares(counts: Mapping[str, int], others: Mapping[str, int]) -> tuple[Floats, Floats]:
    """Give the share of rows in each category that occurs in either, in the order of their names."""
    names = sorted(counts.keys() | others.keys())
    both = np.array([[each.get(name, 0) for name in names] for each in (counts, others)], dtype=np.float64)
    first, second = both / both.sum(axis=1, keepdims=True)
    return first, second


def total_variation(shares: Floats, others: Floats) -> float:
    """Give the share of rows that would have to change their bin: 0 is the same, 1 that none is shared."""
    return float(np.abs(shares - others).sum() / 2)


def psi_of(shares: Floats, others: Floats) -> float:
    """Give PSI of two lists of shares, an empty bin's share being `FLOOR`."""
    p, q = np.maximum(shares, FLOOR), np.maximum(others, FLOOR)
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon_of(shares: Floats, others: Floats) -> float:
    """Give the Jensen-Shannon distance of two lists of shares."""
    middle = (shares + others) / 2
    bits = [
        (each[each > 0] * np.log2(each[each > 0] / middle[each > 0])).sum() / 2 for each in (shares, others)
    ]
    return math.sqrt(min(1.0, max(0.0, float(sum(bits)))))


def _shares(reference: npt.ArrayLike, current: npt.ArrayLike, bins: int) -> tuple[Floats, Floats]:
    if bins < 2:
        raise ValueError(f"bins={bins!r}: at least 2 are needed")
    one, other = _samples(reference, current)
    kinds = {one.kind, other.kind}
    if kinds <= {"category", "text"}:
        return category_shares(one.categories or {}, other.categories or {})
    if kinds != {"number"}:
        raise ValueError(f"reference holds {one.kind}, current {other.kind}; give one kind")
    return binned_shares(_ecdf(one, "reference"), _ecdf(other, "current"), bins)


def _samples(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[ColumnSample, ColumnSample]:
    one, other = (
        ColumnSample.of(values if isinstance(values, pd.Series) else pd.Series(np.asarray(values).ravel()))
        for values in (reference, current)
    )
    for name, each in (("reference", one), ("current", other)):
        if each.kind == "empty":
            raise ValueError(f"{name} holds no value: there is nothing to compare")
    return aligned(one, other) or (one, other)


def _ecdf(sample: ColumnSample, name: str) -> Ecdf:
    if sample.numbers is None or sample.numbers.rows == 0:
        raise ValueError(f"{name} holds no finite number: there is nothing to compare")
    return sample.numbers
