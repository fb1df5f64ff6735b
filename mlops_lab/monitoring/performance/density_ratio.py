"""How likely is a row in the current data, compared with the reference? A classifier can tell.

Mix both, and train a classifier to say which is which. Its probability turns into a ratio of densities. All
that follows from weighting rests on this one step, and fails with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["importance_weights", "likely_current"]

Floats = npt.NDArray[np.float64]


def likely_current(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[Floats, Floats]:
    """Give for each row of both the probability that it is from the current data, were both equally large.

    A logistic regression on the columns, their squares and their products; columns of text become one column
    for each category. Finer differences stay invisible to it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    both = numeric(reference, current)
    is_current = np.repeat([0, 1], [len(reference), len(current)])
    steps = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        LogisticRegression(class_weight="balanced", solver="newton-cholesky"),
    )
    found: Floats = steps.fit(both, is_current).predict_proba(both)[:, 1]
    return found[: len(reference)], found[len(reference) :]


def importance_weights(reference: pd.DataFrame, current: pd.DataFrame) -> Floats:
    """Give each reference row a weight, so that the weighted reference looks like the current data.

    It answers "how much more often does such a row come now?": its density now, divided by its density then.
    It cannot make rows that the reference does not have, and it misleads where current rows lie outside the
    reference, or differ from it in ways that squares and products of columns do not show.

    Parameters
    ----------
    reference, current
        The model's inputs then and now, the same columns, without missing values.

    Raises
    ------
    ValueError
        If the columns differ, a frame is empty, or a value is missing or infinite.

    Notes
    -----
    The weights: Shimodaira (2000). Their estimate by a classifier: Bickel, Brückner and Scheffer (2009).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> old, new = (pd.DataFrame({"x": rng.normal(shift, 1, 500)}) for shift in (0, 1))
    >>> weights = importance_weights(old, new)
    >>> float(np.average(old["x"], weights=weights).round(1)), float(new["x"].mean().round(1))
    (0.9, 0.9)

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    likely, _ = likely_current(reference, current)
    ratio = likely / np.maximum(1 - likely, 1e-12)
    weights: Floats = ratio / ratio.mean()
    return weights


def shared(reference: pd.DataFrame, current: pd.DataFrame) -> float:
    """Give how much of the current data has a counterpart in the reference: 1 is all, 0 none."""
    _, likely = likely_current(reference, current)
    return float(min(1.0, 2 * (1 - likely).mean()))


def numeric(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Put both under each other as numbers, and refuse what cannot be compared."""
    if len(reference) == 0 or len(current) == 0:
        raise ValueError(f"{len(reference)} reference and {len(current)} current rows: both need some")
    if set(reference.columns) != set(current.columns):
        odd = sorted(map(str, set(reference.columns) ^ set(current.columns)))
        raise ValueError(f"columns {odd} are not in both: give the model's inputs, the same then and now")
    both = pd.concat([reference, current[list(reference.columns)]], ignore_index=True)
    words = [name for name in both if not pd.api.types.is_numeric_dtype(both[name])]
    for name in both:
        column: pd.Series[Any] = both[name]
        if column.isna().any() or (name not in words and not np.isfinite(column.astype(float)).all()):
            raise ValueError(f"column {name!r} has missing or infinite values: fill or leave out those rows")
    return pd.get_dummies(both, columns=words, dtype=float)
