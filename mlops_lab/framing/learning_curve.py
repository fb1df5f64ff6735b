"""Is there enough data? Learn from a fifth, a third, a half of the rows, and see where that leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.contest import MOST_IN_FOLDS, Model, credit, models
from mlops_lab.framing.paper_rivals import prior
from mlops_lab.framing.problem import Problem
from mlops_lab.framing.skill import Answers

__all__ = ["LearningCurve", "learning_curve"]

SHARES = (0.2, 0.35, 0.55, 0.8)
SHARES_OF_MANY = (0.03, 0.08, 0.18, 0.4)
REPEATS = 3


@dataclass(frozen=True)
class LearningCurve:
    """Skill on held-back rows against rows learned from.

    Attributes
    ----------
    rows
        Rows learned from.
    skill
        Mean skill on the held-back fifth.
    gain_at_4x
        What four times all rows would add, by a power law through the points.
    """

    rows: tuple[int, ...]
    skill: tuple[float, ...]
    gain_at_4x: float


def extrapolate(rows: NDArray[np.float64], skill: NDArray[np.float64], *, now: float, later: float) -> float:
    """Say what skill rises by between `now` and `later` rows, if it follows top - a * rows**-b.

    Such a power law fits most learning curves (Hestness and others 2017). The exponent is searched from 0.2
    to 1.5, the rest is least squares; a falling or flat curve gives 0. It misleads from few and noisy
    points, and cannot foresee a ceiling that lies in the labels.
    """
    if len(rows) < 3 or len(rows) != len(skill):
        raise ValueError(f"{len(rows)} row counts and {len(skill)} skills; give at least 3 of each.")
    best, rise = np.inf, 0.0
    for power in np.linspace(0.2, 1.5, 27):
        shape = (rows / now) ** -power
        slope = float(np.cov(shape, skill, bias=True)[0, 1] / max(float(shape.var()), 1e-12))
        a = max(-slope, 0.0)
        top = min(float((skill + a * shape).mean()), 1.0)
        error = float(((top - a * shape - skill) ** 2).sum())
        if error < best - 1e-12:
            best, rise = error, float(a * (1 - (later / now) ** -power))
    return rise


def learning_curve(problem: Problem, *, model: str = "trees", seed: int = 0) -> LearningCurve:
    """Measure skill at 20, 35, 55 and 80 % of the rows, on a fifth held back, three times over.

    Of more than 3,000 rows it looks once, at 3, 8, 18 and 40 %: chance moves these points less.

    It answers whether more rows of the same kind would still help. It cannot tell whether better columns
    would help more.

    Parameters
    ----------
    problem
        From `prepare`.
    model
        Name of one of `models(problem)`.
    seed
        Which rows are held back.

    Raises
    ------
    ValueError
        When there are too few rows or there is no such model.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("complex", seed=0)
    >>> learning_curve(framing.prepare(case.data, case.target)).rows
    (180, 315, 495, 720)

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if problem.too_few:
        raise ValueError(f"Too little for a curve: {problem.too_few} Collect more first.")
    named = {candidate.name: candidate for candidate in models(problem)}
    if model not in named:
        raise ValueError(f"No model '{model}' for this problem; choose one of {', '.join(named)}.")
    return _measure(problem, named[model], seed)


def _measure(problem: Problem, model: Model, seed: int) -> LearningCurve:
    rng = np.random.default_rng([seed, 5])
    many = problem.size > MOST_IN_FOLDS
    rows_read = min(problem.size, int(model.most / SHARES[-1]))
    sizes = [int(rows_read * share) for share in (SHARES_OF_MANY if many else SHARES)]
    found: list[list[float]] = [[] for _ in sizes]
    for _ in range(1 if many else REPEATS):
        order = rng.permutation(problem.size)
        held = order[sizes[-1] :]
        for position, size in enumerate(sizes):
            train = order[:size]
            if not problem.numbers and len(np.unique(problem.answers[train])) < 2:
                continue
            usual = None if problem.numbers else np.maximum(prior(problem, train), 1 / problem.size)
            chances = model.fit(problem, train).chances(problem, held)
            right = credit(problem, held, chances, usual)
            found[position].append(Answers(problem.answers[held], right, len(problem.classes)).skill())
    points = [(size, float(np.mean(values))) for size, values in zip(sizes, found, strict=True) if values]
    rows, means = np.array([size for size, _ in points], dtype=float), np.array([mean for _, mean in points])
    gain = extrapolate(rows, means, now=problem.size, later=4 * problem.size) if len(points) >= 3 else 0.0
    return LearningCurve(tuple(size for size, _ in points), tuple(mean for _, mean in points), gain)
