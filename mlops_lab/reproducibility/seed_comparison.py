"""Comparison over seeds: which of two trainings is better, and how sure is that? Never from one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Comparison", "compare_over_seeds", "paired_interval"]


def paired_interval(
    differences: npt.ArrayLike, *, confidence: float = 0.95, overlap: float = 0.0
) -> tuple[float, float]:
    """Give the interval for the mean difference of two trainings, from one difference for each seed.

    It answers whether a difference could be luck of the draw. It is exact for differences that are normal and
    independent, and good from about ten on. It misleads where all runs share what a new run would not share:
    with one training table and one exam it speaks of these alone.

    Parameters
    ----------
    differences
        Score of the one minus score of the other, both from the same seed: at least two.
    confidence
        How often such an interval holds the true mean, between 0 and 1.
    overlap
        0 where the seeds alone differ. Where each run has another random split of the same rows, the runs are
        not independent: give the number of test rows divided by that of training rows, which widens the
        interval (Nadeau and Bengio 2003, *Inference for the generalization error*).

    Raises
    ------
    ValueError
        If there are fewer than two differences, one is not finite, or a parameter is out of range.

    Examples
    --------
    >>> low, high = paired_interval([0.01, 0.03, 0.02, 0.02])
    >>> round(low, 3), round(high, 3)
    (0.007, 0.033)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    from scipy.special import stdtrit

    values = np.asarray(differences, dtype=np.float64).ravel()
    if values.size < 2 or not np.isfinite(values).all():
        raise ValueError(f"{values.size} differences, all must be finite and at least two: give more seeds")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r}: a number between 0 and 1 is needed, such as 0.95")
    if not 0 <= overlap < math.inf:
        raise ValueError(f"overlap={overlap!r}: test rows divided by training rows, or 0")
    wide = float(stdtrit(values.size - 1, (1 + confidence) / 2))
    half = wide * float(values.std(ddof=1)) * math.sqrt(1 / values.size + overlap)
    middle = float(values.mean())
    return middle - half, middle + half


@dataclass(frozen=True, kw_only=True)
class Comparison(Report):
    """What `compare_over_seeds` found.

    Attributes
    ----------
    scores
        One row for each seed, a column for each of the two, named like them.
    difference, low, high
        Mean of the first minus the second, and the interval that it lies in.
    winner
        The name of the better one, or an empty text where the interval holds zero.
    wrong
        Share of single seeds that would have named the other one, or neither: against the one with the higher
        mean.
    wrong_pairs
        The same for all pairs of one run of each, whatever their seeds: how people compare with a figure that
        somebody else published.

    Examples
    --------
    >>> compare_over_seeds(lambda seed: 0.8, lambda seed: 0.7 + 0.01 * seed, range(5)).winner
    'a'
    """

    scores: pd.DataFrame
    difference: float
    low: float
    high: float
    winner: str
    wrong: float
    wrong_pairs: float

    def headline(self) -> str:
        """Name the winner, or say that there is none."""
        if not self.winner:
            return "The interval holds zero: no winner is shown."
        return f"{self.winner} is better, by {100 * abs(self.low):.1f} to {100 * abs(self.high):.1f} points."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the difference of each single seed, and below them the mean with its interval.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
        one, other = self.scores.columns
        gaps = (self.scores[one] - self.scores[other]).to_numpy()
        label = f"{one} minus {other} (share right)"
        ax = plots.axes(ax, title=self.title, xlabel=label, size=(7, 2.6))
        ax.grid(visible=False, axis="y")
        place = np.linspace(-0.28, 0.28, len(gaps))
        for way, shape, colour in ((gaps > 0, "o", "blue"), (gaps <= 0, "X", "vermillion")):
            ax.plot(gaps[way], place[way], shape, color=plots.PALETTE[colour], markersize=6, alpha=0.85)
        ax.plot([self.low, self.high], [1, 1], color="black", linewidth=2.4, marker="|", markersize=10)
        ax.plot(self.difference, 1, "D", color="black", markersize=7)
        ax.axvline(0, color="black", linewidth=1.0, linestyle="--")
        ax.set_yticks([0, 1], [f"{len(gaps)} single seeds", "their mean, with\nits interval"])
        ax.set_ylim(1.5, -0.6)
        return ax


def compare_over_seeds(
    train_a: Callable[[int], float],
    train_b: Callable[[int], float],
    seeds: Iterable[int],
    *,
    names: tuple[str, str] = ("a", "b"),
    confidence: float = 0.95,
    overlap: float = 0.0,
    title: str = "Which training is better?",
) -> Comparison:
    """Train two ways once for each seed, and tell how sure the difference is.

    It answers which of two ways to train is better on average, and how often one seed alone would have named
    the wrong one. It cannot tell which single model to deploy. It misleads where one side chose its seeds
    after seeing the scores: then it measures the search.

    Parameters
    ----------
    train_a, train_b
        Take a seed, train, and return a score; higher is better. Let everything that chance decides depend on
        the seed.
    seeds
        The seeds, fixed before looking; at least two different ones, better twenty.
    names
        What the two are called.
    confidence, overlap
        As for `paired_interval`.
    title
        What the report is about.

    Returns
    -------
    Comparison
        The report. Its finding is in order if the interval lies on one side of zero, else not decided.

    Raises
    ------
    ValueError
        If seeds are repeated or fewer than two, the names are the same, or a score is not finite.

    Examples
    --------
    >>> def noisy(mean):
    ...     return lambda seed: mean + 0.01 * np.random.default_rng([seed, round(1000 * mean)]).normal()
    >>> found = compare_over_seeds(noisy(0.81), noisy(0.80), range(20), names=("new", "old"))
    >>> found.winner, found.wrong > 0.05
    ('new', True)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    drawn = list(seeds)
    if len(drawn) < 2 or len(set(drawn)) < len(drawn):
        raise ValueError(f"seeds={drawn}: give at least two, all different; one seed is no evidence")
    if names[0] == names[1]:
        raise ValueError(f"names={names!r}: the two need different names")
    rows = [(float(train_a(seed)), float(train_b(seed))) for seed in drawn]
    scores = pd.DataFrame(rows, index=pd.Index(drawn, name="seed"), columns=list(names))
    gaps = (scores[names[0]] - scores[names[1]]).to_numpy()
    low, high = paired_interval(gaps, confidence=confidence, overlap=overlap)
    difference = float(gaps.mean())
    winner = names[0] if low > 0 else names[1] if high < 0 else ""
    side = 1.0 if difference >= 0 else -1.0
    pairs = scores[names[0]].to_numpy()[:, None] - scores[names[1]].to_numpy()[None, :]
    wrong, wrong_pairs = float((side * gaps <= 0).mean()), float((side * pairs <= 0).mean())
    finding = Finding(
        code="reproducibility.difference",
        title=f"{names[0]} minus {names[1]}",
        ok=True if winner else None,
        statistic=f"mean difference over {len(drawn)} seeds",
        value=difference,
        interval=(low, high),
        explanation=f"A single seed would have named the wrong one, or none, {100 * wrong:.0f} times in 100.",
        source="Student 1908, paired" + (", corrected by Nadeau and Bengio 2003" if overlap else ""),
    )
    return Comparison(
        title=title,
        findings=(finding,),
        scores=scores,
        difference=difference,
        low=low,
        high=high,
        winner=winner,
        wrong=wrong,
        wrong_pairs=wrong_pairs,
    )
