"""How good answers are: 0 is no better than always saying the same, 1 is perfect.

For classes the score is the mean share right over the classes, stretched so that guessing gives 0: a rare
class counts as much as a common one. For numbers it is the share of the variance explained, R squared.
Left out: what an error costs (see `costs`), and how sure an answer was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Answers", "interval", "redraws", "skill"]


def skill(actual: ArrayLike, predicted: ArrayLike, *, numbers: bool = False) -> float:
    """Score answers: 0 is no better than always the same answer, 1 is perfect.

    For classes: (mean of the classes' hit rates - 1/K) / (1 - 1/K), K the number of classes seen in
    `actual`; this is scikit-learn's `balanced_accuracy_score(adjusted=True)`. For numbers: R squared. It
    cannot say what an error costs. It misleads where classes matter by how common they are: a 3 % class
    weighs here as much as the rest.

    Parameters
    ----------
    actual, predicted
        One value per example, of equal length (at least 1).
    numbers
        True scores numbers, False classes.

    Raises
    ------
    ValueError
        When lengths differ or there is no example.

    Examples
    --------
    >>> skill(["good", "good", "good", "bad"], ["good", "good", "good", "good"])
    0.0
    >>> round(skill([1.0, 2.0, 3.0], [1.1, 2.0, 2.9], numbers=True), 2)
    0.99

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    truth, answer = np.asarray(actual), np.asarray(predicted)
    if truth.shape != answer.shape or truth.ndim != 1 or truth.size == 0:
        raise ValueError(
            f"skill needs two lists of equal length, at least 1; got {truth.shape} and {answer.shape}. "
            "Give one actual and one predicted value for each example."
        )
    if numbers:
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((truth - answer) ** 2).sum()) / spread if spread > 0 else 0.0
    rates = [float((answer[truth == label] == label).mean()) for label in np.unique(truth)]
    if len(rates) == 1:
        return 0.0
    return (float(np.mean(rates)) - 1 / len(rates)) / (1 - 1 / len(rates))


@dataclass(frozen=True)
class Answers:
    """A candidate's answers for rows it was not fitted on, with what is needed to score them again and again.

    Attributes
    ----------
    actual
        True values: class codes 0..K-1, or numbers.
    credit
        For classes: 1.0 where right, 0.0 where wrong (a mean over repeats). For numbers: the squared error.
    classes
        K, or 0 for numbers.
    """

    actual: NDArray[np.float64] | NDArray[np.int64]
    credit: NDArray[np.float64]
    classes: int

    def skill(self) -> float:
        """Score all rows once."""
        return float(self.skills(np.ones((1, len(self.actual))))[0])

    def skills(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score every row of `weights` (how often each example was drawn), shape (draws, examples)."""
        if self.classes == 0:
            actual = self.actual - self.actual.mean()
            total = weights.sum(1)
            spread = weights @ actual**2 - (weights @ actual) ** 2 / total
            return np.asarray(1 - (weights @ self.credit) / np.maximum(spread, 1e-12))
        member = np.equal.outer(self.actual, np.arange(self.classes)).astype(float)
        seen = weights @ member
        right = weights @ (member * self.credit[:, None])
        rates = np.divide(right, seen, out=np.full_like(right, np.nan), where=seen > 0)
        chance = 1 / self.classes
        return np.asarray((np.nanmean(rates, axis=1) - chance) / (1 - chance))


@lru_cache(maxsize=2)
def redraws(examples: int, seed: int, draws: int = 300) -> NDArray[np.float64]:
    """Bootstrap weights (Efron 1979): how often each example is drawn, shape (draws, examples)."""
    rng = np.random.default_rng([seed, 11])
    weights = rng.multinomial(examples, np.full(examples, 1 / examples), size=draws).astype(float)
    weights.setflags(write=False)
    return weights


def interval(values: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Give the middle `level` share of bootstrap values as (low, high).

    It tells how far a figure would move with other rows from the same source; not how far with another
    source.
    """
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
