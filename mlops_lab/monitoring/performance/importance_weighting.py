"""How good is the model where no label has come? Two estimates, and what each cannot see.

Both are right if only the inputs moved. Both are confidently wrong if their meaning moved: no label, no news.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.performance.density_ratio import importance_weights, shared
from mlops_lab.monitoring.performance.outcomes import (
    aligned,
    normal_quantile,
    read_outcomes,
    read_probabilities,
    share_of_one,
    weighted_interval,
)
from mlops_lab.report import Finding, Report

__all__ = ["Estimate", "confidence_estimate", "importance_weighted"]

LEAST_SHARED = 0.2
"""Below this share of counterparts among the old rows, there is nothing to weight."""

FEWEST_ROWS = 30.0
"""Below so many effective rows a weighted estimate rests on a few of them."""

_BLIND = "a change of what inputs mean (of the labels, given the inputs), and inputs that it never met"


@dataclass(frozen=True, kw_only=True)
class Estimate(Report):
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

    Examples
    --------
    >>> sure = confidence_estimate([[0.9, 0.1], [0.2, 0.8]])
    >>> sure.ok is None, "calibrated" in sure.assumption
    (True, True)
    """

    value: float
    interval: tuple[float, float]
    assumption: str
    blind_to: str

    def headline(self) -> str:
        """Say the estimate and its condition in one sentence."""
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%}), if this holds: {self.assumption}."


def confidence_estimate(
    probabilities: npt.ArrayLike,
    *,
    holdout: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """Estimate accuracy from the model's own confidence: the mean of its highest probability in each row.

    It answers "how often would a model be right that knows itself this well?". It cannot see anything that
    the model does not see. It misleads where the meaning of the inputs has moved: then the model is as
    confident as ever, or more so, and wrong.

    Parameters
    ----------
    probabilities
        What `predict_proba` gives for the current rows.
    holdout
        Probabilities and outcomes (right or not) of rows with labels, to test there whether confidence is
        the share of right answers.
    confidence
        How often the interval holds the share among these rows, if the assumption is true.

    Returns
    -------
    Estimate
        Never in order by itself: `ok` is None, or False where the hold-out refutes the assumption.

    Raises
    ------
    ValueError
        For rows that are no probabilities.

    Notes
    -----
    Average confidence: Hendrycks and Gimpel (2017), Guillory et al. (2021); monitoring tools call it CBPE.

    Examples
    --------
    >>> confidence_estimate([[0.75, 0.25], [0.5, 0.5]]).value
    0.625

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    share_of_one(confidence=confidence)
    best = read_probabilities(probabilities).max(axis=1)
    value = float(best.mean())
    half = normal_quantile(confidence) * math.sqrt(float((best * (1 - best)).sum())) / best.size
    assumption = (
        "the model is calibrated on these rows, so that of answers given with 0.8 four in five are right"
    )
    findings = [
        _unproven("estimate.confidence", "Accuracy by the model's confidence", value, half, assumption)
    ]
    if holdout is not None:
        findings.append(_calibrated(*holdout, confidence))
    return Estimate(
        title="Estimate without labels",
        findings=tuple(findings),
        value=value,
        interval=(max(0.0, value - half), min(1.0, value + half)),
        assumption=assumption,
        blind_to=_BLIND,
    )


def _unproven(code: str, title: str, value: float, half: float, assumption: str) -> Finding:
    return Finding(
        code=code,
        title=title,
        ok=None,
        statistic="estimated accuracy",
        value=value,
        interval=(max(0.0, value - half), min(1.0, value + half)),
        explanation=f"It assumes that {assumption}. It cannot see {_BLIND}. Only labels can confirm it.",
        source="Guillory et al. 2021",
    )


def _calibrated(probabilities: npt.ArrayLike, right: npt.ArrayLike, confidence: float) -> Finding:
    best, outcomes = read_probabilities(probabilities, "holdout").max(axis=1), read_outcomes(right, "holdout")
    aligned("the hold-out's probabilities", best.size, "its outcomes", outcomes.size)
    apart = best - outcomes
    gap = float(apart.mean())
    half = normal_quantile(confidence) * float(apart.std()) / math.sqrt(apart.size)
    holds = gap - half <= 0 <= gap + half
    return Finding(
        code="estimate.calibration",
        title="Confidence less accuracy on the hold-out",
        ok=holds,
        statistic="difference",
        value=gap,
        interval=(gap - half, gap + half),
        explanation="On rows with labels the confidence fits."
        if holds
        else "Already on rows with labels the confidence does not fit: calibrate the model first.",
        source="mean of both over the same rows",
    )


def importance_weighted(
    reference: pd.DataFrame, right: npt.ArrayLike, current: pd.DataFrame, *, confidence: float = 0.95
) -> Estimate:
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
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> old, new = (pd.DataFrame({"x": rng.normal(shift, 1, 2000)}) for shift in (0, 1))
    >>> right_then = old["x"] < 1
    >>> estimate = importance_weighted(old, right_then, new)
    >>> float(right_then.mean().round(2)), round(estimate.value, 2), float((new["x"] < 1).mean().round(2))
    (0.84, 0.51, 0.51)

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    share_of_one(confidence=confidence)
    outcomes = read_outcomes(right)
    aligned("reference", len(reference), "right", outcomes.size)
    value, interval, effective = weighted_interval(
        outcomes, importance_weights(reference, current), confidence
    )
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
        ok=True if effective >= FEWEST_ROWS else None,
        statistic="effective rows",
        value=effective,
        limit=FEWEST_ROWS,
        bound="at least",
        explanation=f"{outcomes.size:,} old rows know as much as {effective:.0f} that look like today's.",
        source="Kish 1965",
    )
    common = shared(reference, current)
    support = Finding(
        code="estimate.support",
        title="Today's rows with a counterpart among the old ones",
        ok=True if common >= LEAST_SHARED else None,
        statistic="share",
        value=common,
        limit=LEAST_SHARED,
        bound="at least",
        explanation="Where an old row and one of today's are never alike, the old one says nothing.",
        source="Cai, Namkoong and Yadlowsky 2023",
    )
    return Estimate(
        title="Estimate without labels",
        findings=(main, overlap, support),
        value=value,
        interval=interval,
        assumption=assumption,
        blind_to=_BLIND,
    )
