"""Importance weighting: the accuracy where no label has come, from old rows that look like today's.

Mix old rows and today's, and train a classifier to say which is which. Its probability turns into a ratio of
densities, and that into a weight for each old row. All that follows rests on this one step, and fails with
it: it is right if only the inputs moved, and confidently wrong if their meaning moved. No label, no news.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.performance.outcomes import (
    FEWEST_EFFECTIVE_ROWS,
    between_0_and_1,
    read_outcomes,
    require_aligned,
    weighted_interval,
)
from mlops_lab.report import Finding, Report

__all__ = ["importance_weighted", "importance_weights", "likely_current"]

Floats = npt.NDArray[np.float64]

_LEAST_SHARED = 0.2
"""Below this share of counterparts among the old rows, there is nothing to weight."""

_BROKEN = {
    "estimate.overlap": "too few old rows look like today's",
    "estimate.support": "most of today's rows have no counterpart among the old ones, and were not judged",
}
_BLIND = "a change of what inputs mean (of the labels, given the inputs), and inputs that it never met"


@dataclass(frozen=True, kw_only=True)
class WeightedEstimate(Report):
    """A performance without a label, with the assumption that it stands on.

    Parameters
    ----------
    title, findings
        As in every report; no finding says "in order", since no label has confirmed anything.
    value
        Estimated share of right answers.
    interval
        Where the share lies *if the assumption holds*. It does not cover a broken assumption.
    assumption
        What has to be true.
    blind_to
        What it cannot see.
    """

    value: float
    interval: tuple[float, float]
    assumption: str
    blind_to: str

    def headline(self) -> str:
        """Say the estimate and its condition, and where that is broken already."""
        low, high = self.interval
        told = f"{self.value:.1%} ({low:.1%} to {high:.1%}), if this holds: {self.assumption}."
        broken = [_BROKEN[finding.code] for finding in self.findings[1:] if finding.ok is None]
        return f"{told} It does not: {', and '.join(broken)}." if broken else told


def likely_current(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[Floats, Floats]:
    """Give for each row of both the probability that it is from the current data, were both equally large.

    A logistic regression on the columns, their squares and their products; columns of text become one column
    for each category. Finer differences stay invisible to it.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    both = _numeric(reference, current).to_numpy()
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
    return _weights(likely_current(reference, current)[0])


def _weights(likely: Floats) -> Floats:
    """Turn the probability of each reference row to be current into a ratio of densities, 1 on average."""
    ratio = likely / np.maximum(1 - likely, 1e-12)
    weights: Floats = ratio / ratio.mean()
    return weights


def _numeric(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
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


def importance_weighted(
    reference: pd.DataFrame, right: npt.ArrayLike, current: pd.DataFrame, *, confidence: float = 0.95
) -> WeightedEstimate:
    """Estimate accuracy on current rows from old rows with labels, weighted so that they look like today's.

    It answers "how good was the model on such rows as we get now?". It needs no confidence, so any model
    will do. It cannot see a change of what inputs mean, and it misleads where today's rows have hardly any
    counterpart among the old ones: look at the findings `estimate.overlap` and `estimate.support`.

    Parameters
    ----------
    reference
        Inputs of rows with labels that the model was not trained on.
    right
        Whether it was right on each of them.
    current
        Inputs of today's rows, without labels.
    confidence
        How often the interval holds the share, if the assumption is true and the weights are right.

    Raises
    ------
    ValueError
        If columns differ, values are missing, or there is not one outcome for each reference row.

    Notes
    -----
    Shimodaira (2000); the weights are those of `importance_weights`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> old, new = (pd.DataFrame({"x": rng.normal(shift, 1, 2000)}) for shift in (0, 1))
    >>> right_then = old["x"] < 1
    >>> estimate = importance_weighted(old, right_then, new)
    >>> float(right_then.mean().round(2)), round(estimate.value, 2), float((new["x"] < 1).mean().round(2))
    (0.84, 0.51, 0.51)

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    between_0_and_1(confidence=confidence)
    outcomes = read_outcomes(right)
    require_aligned("reference", len(reference), "right", outcomes.size)
    likely_then, likely_now = likely_current(reference, current)
    value, interval, effective = weighted_interval(outcomes, _weights(likely_then), confidence)
    assumption = "only the mix of rows has changed, and the old rows hold every kind that comes now"
    main = Finding(
        code="estimate.importance",
        title="Accuracy of old rows, weighted to look like today's",
        ok=None,
        statistic="estimated accuracy",
        value=value,
        interval=interval,
        explanation=f"It assumes that {assumption}. It cannot see {_BLIND}. Only labels can confirm it.",
        source="Shimodaira 2000",
    )
    overlap = Finding(
        code="estimate.overlap",
        title="Old rows that carry the weight",
        ok=True if effective >= FEWEST_EFFECTIVE_ROWS else None,
        statistic="effective rows",
        value=effective,
        limit=FEWEST_EFFECTIVE_ROWS,
        bound="at least",
        explanation=f"{outcomes.size:,} old rows know as much as {effective:.0f} that look like today's.",
        source="Kish 1965",
    )
    common = float(min(1.0, 2 * (1 - likely_now).mean()))  # 1: all have a counterpart, 0: none
    support = Finding(
        code="estimate.support",
        title="Today's rows with a counterpart among the old ones",
        ok=True if common >= _LEAST_SHARED else None,
        statistic="share",
        value=common,
        limit=_LEAST_SHARED,
        bound="at least",
        explanation="Where an old row and one of today's are never alike, the old one says nothing.",
        source="Cai, Namkoong and Yadlowsky 2023",
    )
    return WeightedEstimate(
        title="Estimate without labels",
        findings=(main, overlap, support),
        value=value,
        interval=interval,
        assumption=assumption,
        blind_to=_BLIND,
    )
