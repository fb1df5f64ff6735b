"""Is there a relation at all? Shuffle the answers and see whether the real ones score better.

`shuffle_test` is the whole idea in five lines and works with any score. `Relation` is a score made to be
asked hundreds of times: it tries four ways of looking at the inputs (straight lines, one column at a time,
pairs of columns, all at once) and is fast because a kernel smoother's left-one-out answers are one matrix
product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.problem import Problem

__all__ = ["ShuffleTest", "relation", "shuffle_test"]

ROWS = 500
COLUMNS = 120
FREEDOM = (4.0, 16.0, 60.0)


@dataclass(frozen=True)
class ShuffleTest:
    """Result of shuffling answers.

    Attributes
    ----------
    score
        Score of the real answers.
    shuffled
        Scores of shuffled answers.
    p_value
        Share of scores, the real one among them, that are at least as high as the real one.

    Examples
    --------
    >>> ShuffleTest(0.9, np.array([0.1, 0.2, 0.0]), 0.25).p_value
    0.25
    """

    score: float
    shuffled: NDArray[np.float64]
    p_value: float


def shuffle_test(
    score: Callable[[NDArray[np.generic]], float],
    answers: NDArray[np.generic],
    *,
    permutations: int = 199,
    seed: int = 0,
) -> ShuffleTest:
    """Ask whether the real answers score better than the same answers in random order.

    When inputs and answers have nothing to do with each other, every order is as likely as the real one, so
    the p-value is exact (Fisher 1935). It cannot tell a useful relation from a weak one. It misleads where
    neighbouring rows are alike (time series), for there a shuffled order is not a fair comparison.

    Parameters
    ----------
    score
        Takes answers, one a row, returns how well the inputs explain them (higher is better).
    answers
        The real answers.
    permutations
        How many shuffles; the smallest possible p-value is 1 / (1 + permutations).
    seed
        Which shuffles.

    Raises
    ------
    ValueError
        When `permutations` is below 1.

    Examples
    --------
    >>> inputs = np.arange(20.0)
    >>> result = shuffle_test(lambda answers: np.corrcoef(inputs, answers)[0, 1] ** 2, inputs * 2 + 1)
    >>> result.p_value
    0.005

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}; give at least 1, better 199 or more.")
    rng = np.random.default_rng(seed)
    real = float(score(answers))
    shuffled = np.array([score(rng.permutation(answers)) for _ in range(permutations)], dtype=float)
    return ShuffleTest(real, shuffled, (1 + int((shuffled >= real).sum())) / (1 + permutations))


class Relation:
    """A score for `shuffle_test`: how well inputs explain answers, each row by the other rows.

    For each of four kernels and three degrees of smoothness, every row's answer is estimated from the other
    rows (kernel ridge regression, left-one-out residuals in closed form); the score is the best share of
    variance explained. Numbers are replaced by their ranks. It misses relations in more than two columns at
    once when there are many columns.

    Parameters
    ----------
    values
        Inputs, shape (rows, columns); a few hundred rows.
    classes
        Number of classes, or 0 when answers are numbers.
    """

    def __init__(self, values: NDArray[np.float64], classes: int) -> None:
        self.classes = classes
        self.rows = len(values)
        self.left_out = np.concatenate([_left_out(kernel) for kernel in _kernels(values)])

    def __call__(self, answers: NDArray[np.generic]) -> float:
        """Give the best share of variance explained, each row by the others."""
        wanted = self._columns(answers)
        errors = (self.left_out @ wanted).reshape(-1, self.rows, wanted.shape[1])
        return float(1 - (errors**2).sum(axis=(1, 2)).min() / (wanted**2).sum())

    def _columns(self, answers: NDArray[np.generic]) -> NDArray[np.float64]:
        if self.classes == 0:
            wanted = answers.argsort().argsort().astype(float)[:, None]
        else:
            wanted = np.equal.outer(answers, np.arange(self.classes)).astype(float)
            wanted = wanted / np.sqrt(np.maximum(wanted.mean(axis=0), 1e-9))
            wanted = wanted[:, 1:] if self.classes == 2 else wanted
        return np.asarray(wanted - wanted.mean(axis=0))


def _kernels(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """How alike rows are: in a straight line, by columns, by pairs of columns, in all at once."""
    middle, spread = np.median(values, axis=0), values.std(axis=0)
    scaled = np.clip((values - middle) / np.where(spread > 1e-12, spread, np.inf), -4, 4)
    total = np.zeros((len(values), len(values)))
    squares = np.zeros_like(total)
    distance = np.zeros_like(total)
    for column in scaled.T:
        gap = np.subtract.outer(column, column) ** 2
        distance += gap
        alike = _centred(np.exp(-gap / 0.5))
        total += alike
        squares += alike**2
    straight = scaled @ scaled.T
    everything = np.exp(-distance / max(float(np.median(distance)), 1e-12))
    return [_centred(kernel) for kernel in (straight, total, total**2 - squares, everything)]


def _centred(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    means = kernel.mean(axis=0)
    return np.asarray(kernel - means - means[:, None] + means.mean())


def _left_out(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices that turn answers into left-one-out errors, one for each smoothness, stacked."""
    heights, directions = np.linalg.eigh(kernel)
    heights = np.maximum(heights, 0)
    size = len(kernel)
    stacked = []
    for freedom in FREEDOM:
        share = heights / (heights + _penalty(heights, min(freedom, 0.5 * size)))
        smoother = (directions * share) @ directions.T + 1 / size
        left = (np.eye(size) - smoother) / np.maximum(1 - np.diag(smoother), 1e-6)[:, None]
        stacked.append(left)
    return np.concatenate(stacked)


def _penalty(heights: NDArray[np.float64], freedom: float) -> float:
    """Ridge penalty at which the smoother has this many degrees of freedom (bisection on a log scale)."""
    top = max(float(heights.max()), 1e-12)
    low, high = top * 1e-9, top * 1e6
    for _ in range(50):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if float((heights / (heights + middle)).sum()) > freedom else (low, middle)
    return high


def relation(problem: Problem, *, permutations: int = 199, seed: int = 0) -> ShuffleTest:
    """Ask whether inputs and answers have anything to do with each other.

    At most 500 rows and 120 columns, chosen by chance, are looked at. See `shuffle_test` for what it
    cannot tell.

    Parameters
    ----------
    problem
        From `prepare`.
    permutations
        How many shuffles.
    seed
        Which rows and shuffles.

    Raises
    ------
    ValueError
        When there are too few rows.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("one_rule", seed=0)
    >>> relation(framing.prepare(case.data, case.target), permutations=99).p_value
    0.01

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if problem.too_few:
        raise ValueError(f"Too little to test: {problem.too_few} Collect more first.")
    rng = np.random.default_rng([seed, 3])
    rows = rng.choice(problem.size, min(ROWS, problem.size), replace=False)
    if not problem.numbers and len(np.unique(problem.answers[rows])) < len(problem.classes):
        problem = problem.part(ROWS, seed)  # some of every class
        rows = np.arange(problem.size)
    values = problem.inputs.values[rows]
    if values.shape[1] > COLUMNS:
        values = values[:, np.sort(rng.choice(values.shape[1], COLUMNS, replace=False))]
    score = Relation(values, len(problem.classes))
    return shuffle_test(score, problem.answers[rows], permutations=permutations, seed=seed)
