"""Selective labels: only checked crates have one. What that hides, and how weighting undoes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlops_lab.monitoring.performance.outcomes import (
    FEWEST_EFFECTIVE_ROWS,
    Floats,
    between_0_and_1,
    read_outcomes,
    require_aligned,
    weighted_interval,
)
from mlops_lab.report import Finding, Report

__all__ = ["selective_labels"]


@dataclass(frozen=True, kw_only=True)
class SelectiveLabels(Report):
    """The share of right answers among checked rows, and what it says about all rows.

    Parameters
    ----------
    title, findings
        As in every report.
    plain
        Share among the checked rows as they are.
    value
        Share among all rows, by weighting.
    interval
        Where the share among all rows lies.
    gap
        Interval of the difference, checked rows as they are less all rows.
    effective
        How many rows, drawn alike, would know as much.

    Examples
    --------
    >>> selective_labels([1, 1, 0, 1], [0.5, 0.5, 0.1, 0.5]).value
    0.375
    """

    plain: float
    value: float
    interval: tuple[float, float]
    gap: tuple[float, float]
    effective: float

    def headline(self) -> str:
        """Say both shares in one sentence, and where too few rows stand for all."""
        low, high = self.interval
        told = (
            f"{self.plain:.1%} right among the checked rows, {self.value:.1%} ({low:.1%} to {high:.1%}) "
            "among all."
        )
        few = self.effective < FEWEST_EFFECTIVE_ROWS
        return f"{told} Only {self.effective:.0f} rows carry that: too few to tell." if few else told


def selective_labels(
    right: npt.ArrayLike, chance: npt.ArrayLike, *, confidence: float = 0.95
) -> SelectiveLabels:
    """Undo the choice of the rows that were checked, where the chance of each is known.

    A row that had one chance in ten speaks for ten rows. It answers "how good is the model on *all* rows?"
    from labels of a few. It cannot speak for rows that had no chance at all, and it misleads where the
    chances are guesses that leave out what the choice really went by. A few rows with a tiny chance carry
    most of the weight: look at `effective`. The cure is a rule that leaves every row some chance.

    Parameters
    ----------
    right
        For each *checked* row whether the answer was right.
    chance
        The chance that this row had of being checked, above 0 and at most 1.
    confidence
        How often the interval holds the true share.

    Returns
    -------
    SelectiveLabels
        Its finding `selective.overlap` is None where the weights rest on fewer than 30 effective rows.

    Raises
    ------
    ValueError
        For a chance that is not above 0 and at most 1, or rows that do not match.

    Notes
    -----
    Horvitz and Thompson (1952), in Hájek's (1971) form, which divides by the sum of the weights. Interval
    after Korn and Graubard (1998).

    Examples
    --------
    >>> fair = selective_labels([True, False] * 50, [0.1] * 100)
    >>> fair.plain, fair.value, round(fair.effective)
    (0.5, 0.5, 100)

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    between_0_and_1(confidence=confidence)
    outcomes = read_outcomes(right)
    chances = np.asarray(chance).astype(np.float64)
    require_aligned("right", outcomes.size, "chance", chances.size)
    if not ((chances > 0) & (chances <= 1)).all():
        bad = chances[~((chances > 0) & (chances <= 1))][0]
        raise ValueError(f"chance={bad!r}: a row that was checked had a chance above 0 and at most 1")
    plain = float(outcomes.mean())
    value, interval, effective = weighted_interval(outcomes, 1 / chances, confidence)
    gap = _difference(outcomes, 1 / chances, confidence)
    enough, fair = effective >= FEWEST_EFFECTIVE_ROWS, gap[0] <= 0 <= gap[1]
    bias = Finding(
        code="selective.bias",
        title="Checked rows as they are, less all rows",
        ok=None if not enough else fair,
        statistic="difference",
        value=plain - value,
        interval=gap,
        explanation=f"The checked rows say {plain:.3f}, weighted they say {value:.3f} of all. "
        + ("No difference shows beyond chance." if fair else "They are no fair sample of all."),
        source="Horvitz and Thompson 1952",
    )
    overlap = Finding(
        code="selective.overlap",
        title="Rows that carry the weight",
        ok=True if enough else None,
        statistic="effective rows",
        value=effective,
        limit=FEWEST_EFFECTIVE_ROWS,
        bound="at least",
        explanation=f"{outcomes.size:,} checked rows know as much as {effective:.0f} drawn alike. "
        f"The least likely of them had a chance of {chances.min():.2g}.",
        source="Kish 1965",
    )
    return SelectiveLabels(
        title="Selective labels",
        findings=(bias, overlap),
        plain=plain,
        value=value,
        interval=interval,
        gap=gap,
        effective=effective,
    )


def _difference(right: Floats, weights: Floats, confidence: float) -> tuple[float, float]:
    """Give the interval of plain less weighted share, from what each row adds to both."""
    from scipy import special

    plain, weighted = float(right.mean()), float(weights @ right / weights.sum())
    parts = (right - plain) / right.size - weights * (right - weighted) / weights.sum()
    deviations = float(special.ndtri((1 + confidence) / 2))
    half = deviations * float(np.sqrt(parts @ parts)) + 1e-12  # rounding is no bias
    return plain - weighted - half, plain - weighted + half
