"""Many tests at once: what a small p-value means when it is the smallest of twenty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["METHODS", "correct"]

METHODS = ("holm", "bonferroni", "fdr", "none")
"""The corrections that `correct` knows."""


def correct(p: npt.ArrayLike, method: str = "holm") -> npt.NDArray[np.float64]:
    """Give p-values that may be held against alpha although there are many of them.

    "holm" and "bonferroni" keep the chance of *any* false alarm below alpha, whatever the tests have to do
    with each other; holm never finds less. "fdr" (Benjamini and Hochberg) keeps the expected share of false
    alarms among the alarms below alpha: right when there will be many true ones. "none" corrects nothing, and
    with twenty quiet columns raises a false alarm in up to 64 % of the comparisons.

    Parameters
    ----------
    p
        The p-values.
    method
        One of `METHODS`.

    Raises
    ------
    ValueError
        For an unknown method, or what is no p-value.

    Notes
    -----
    Holm 1979; Benjamini and Hochberg 1995.

    Examples
    --------
    >>> correct([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    values = np.asarray(p, dtype=np.float64)
    if method not in METHODS:
        raise ValueError(f"correction={method!r}: choose one of {', '.join(METHODS)}")
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values are a list of numbers from 0 to 1")
    tests = len(values)
    if method == "none" or tests == 0:
        return values.copy()
    if method == "bonferroni":
        return np.minimum(values * tests, 1.0)
    order = np.argsort(values, kind="stable")
    if method == "holm":
        stepped = np.maximum.accumulate(values[order] * (tests - np.arange(tests)))
    else:
        scaled = values[order] * tests / np.arange(1, tests + 1)
        stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    corrected = np.empty(tests)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected
