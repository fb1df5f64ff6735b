"""How far can a measured percentile be trusted? Two of the sorted values enclose the true one."""

from __future__ import annotations

__all__ = ["quantile_ranks"]


def quantile_ranks(count: int, quantile: float, *, confidence: float = 0.95) -> tuple[int, int]:
    """Find which two sorted values enclose a quantile of where the values came from.

    It answers how far a measured p99 can be trusted, whatever the shape of the distribution: the number of
    values below the true quantile is binomial (Hahn and Meeker 1991). It takes the values as independent;
    slow answers come in bursts, and then the truth lies outside more often than promised.

    Parameters
    ----------
    count
        How many values there are.
    quantile
        The quantile, between 0 and 1, such as 0.99.
    confidence
        How often the interval is to hold the truth, at least.

    Returns
    -------
    tuple of int
        The ranks of the lower and the upper value, the smallest value being 1. Rank 0 or ``count + 1`` means
        that there are too few values for an end on that side.

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> quantile_ranks(1000, 0.5)
    (469, 532)
    >>> quantile_ranks(100, 0.99)  # the slowest of 100 says little about one in a hundred
    (97, 101)

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    from scipy.stats import binom

    if count < 1:
        raise ValueError(f"count={count!r}: at least one value is needed")
    for name, share in (("quantile", quantile), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ValueError(f"{name}={share!r} must lie between 0 and 1; 0.99 is the 99th percentile")
    low = binom.ppf((1 - confidence) / 2, count, quantile)
    high = binom.ppf((1 + confidence) / 2, count, quantile)
    return int(low), int(high) + 1
