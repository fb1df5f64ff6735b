"""The sub-problem that pays although the whole does not (L3): one group of rows, asked by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mlops_lab.framing.contest import answered_right, folds, rivals
from mlops_lab.framing.costs import Costs, each_and_fixed
from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.models import models

__all__ = ["Group", "group_that_pays"]

FEWEST_ROWS = 200
MOST_LEVELS = 6
MOST_GROUPS = 6
FOLDS = 5


@dataclass(frozen=True)
class Group:
    """The rows that share one value of a column, answered by a model of their own.

    Attributes
    ----------
    words
        Which rows, such as "plant = north".
    share
        Their share of all rows.
    value, low, high
        Money over all years when only these rows are answered, with an interval that allows for all groups
        tried.
    beats_paper
        True where the model is right more often there than the best on paper, beyond chance.

    Examples
    --------
    >>> Group("plant = north", 0.35, 9000.0, 2000.0, 16000.0, beats_paper=True).words
    'plant = north'
    """

    words: str
    share: float
    value: float
    low: float
    high: float
    beats_paper: bool


def group_that_pays(
    problem: Problem,
    costs: Costs,
    *,
    rule: Callable[[pd.DataFrame], Any] | None = None,
    least: float = 0.0,
    seed: int = 0,
) -> Group | None:
    """Ask each large group of rows by itself, and give the one in which a model brings most.

    A group is a value of a column with two to six values, held by at least 200 rows. Up to six are looked at
    quickly, the largest first: quick models, fitted to the group's rows alone, in two folds. The one that
    brings most, if it may bring enough, is asked with all models and all of paper in five folds. Intervals
    are widened for the number of groups (Bonferroni). It cannot find a group that takes two columns to
    describe.

    Parameters
    ----------
    problem
        From `prepare`.
    costs
        What answers are worth; building and keeping are charged in full.
    rule
        A rule of your own to compete on paper.
    least
        What the group must bring to be worth a closer look, such as what paper brings over all rows.
    seed
        How rows fall into folds.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("one_group_pays")
    >>> group_that_pays(framing.prepare(case.data, case.target), case.options["costs"]).words
    'shed = hill'

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if problem.too_few or (problem.numbers and costs.tolerance is None):
        return None
    groups = sorted(_groups(problem), key=lambda group: -len(group[1]))[:MOST_GROUPS]
    if not groups:
        return None
    quick = [model for model in models(problem) if model.name != "trees"]  # many trees cost the most time
    rights = [_best_right(problem, rows, quick, costs, 2, seed) for _, rows in groups]
    z = float(stats.norm.ppf(1 - 0.025 / len(groups)))
    looks = [
        _money(problem, words, rows, right, costs, z)
        for (words, rows), right in zip(groups, rights, strict=True)
    ]
    best = max(range(len(groups)), key=lambda place: looks[place].value)
    if looks[best].high <= least:
        return looks[best]
    words, rows = groups[best]
    by_model = _best_right(problem, rows, models(problem), costs, FOLDS, seed)
    by_paper = _best_right(problem, rows, rivals(problem, rule), costs, FOLDS, seed)
    lead = by_model - by_paper
    beats = bool(lead.mean() - z * _error(lead) > 0)
    return replace(_money(problem, words, rows, by_model, costs, z), beats_paper=beats)


def _groups(problem: Problem) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for position, name in enumerate(problem.code_names):
        codes = problem.codes[:, position]
        levels = np.unique(codes)
        if not 2 <= len(levels) <= MOST_LEVELS:
            continue
        for level in levels:
            rows = np.flatnonzero(codes == level)
            if FEWEST_ROWS <= len(rows) < problem.size and _varied(problem, rows):
                yield f"{name} = {problem.table[name].iloc[rows[0]]}", rows


def _varied(problem: Problem, rows: NDArray[np.int64]) -> bool:
    """Tell whether a group has answers enough to be divided into folds: two classes, 20 rows of each."""
    if problem.numbers:
        return True
    _, counts = np.unique(problem.answers[rows], return_counts=True)
    return len(counts) > 1 and counts.min() >= 20


def _money(
    problem: Problem, words: str, rows: NDArray[np.int64], right: NDArray[np.float64], costs: Costs, z: float
) -> Group:
    each, fixed = each_and_fixed(right, costs, paper=False)
    share = len(rows) / problem.size
    answers = costs.years * costs.volume * share
    value, half = answers * float(each.mean()) - fixed, z * answers * _error(each)
    return Group(words, share, value, value - half, value + half, beats_paper=False)


def _best_right(
    problem: Problem,
    rows: NDArray[np.int64],
    candidates: Sequence[Any],
    costs: Costs,
    count: int,
    seed: int,
) -> NDArray[np.float64]:
    """Give 1.0 for each row of the group that the best candidate answers rightly, unseen; else 0.0."""
    split = folds(problem, count, seed=seed, rows=rows)
    found = []
    for candidate in candidates:
        shape = problem.answers.shape if problem.numbers else (problem.size, len(problem.classes))
        chances = np.zeros(shape)
        for train, held in split:
            chances[held] = candidate.fit(problem, train).chances(problem, held)
        found.append(answered_right(problem, chances, costs.tolerance)[rows])
    return max(found, key=lambda right: float(right.mean()))


def _error(each: NDArray[np.float64]) -> float:
    """Give the standard error of a mean."""
    return float(each.std(ddof=1)) / math.sqrt(len(each))
