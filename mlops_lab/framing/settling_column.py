"""Does one column settle the answer? Then ask whether it is known before the answer is (leakage).

A column that is filled in after the answer was known makes every test of a table look perfect, and is empty
on the day the answer is wanted. No statistic can tell when a column was written; a person can, once asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.contest import credit, folds
from mlops_lab.framing.paper_rivals import Tree, prior
from mlops_lab.framing.problem import Problem
from mlops_lab.framing.skill import Answers

__all__ = ["settling_column"]

SETTLES = 0.9
"""Skill that a column must have by itself, on rows held back."""

OF_THE_BEST = 0.97
"""Share of the best candidate's skill that a column must have by itself where that is at least 0.7."""

LEAVES = 8

ROWS = 1500


def settling_column(problem: Problem, best: float, *, seed: int = 0) -> tuple[str, ...]:
    """Find the column that answers nearly as well by itself as the best candidate does with all of them.

    Every column is given to a tree of eight leaves, in two folds on at most 1,500 rows. It cannot see two
    columns that settle the answer only together, unless a table of them does (`find_lookup`).

    Parameters
    ----------
    problem
        From `prepare`.
    best
        Skill of the best candidate with all columns.
    seed
        How rows fall into folds.
    """
    close = problem.part(ROWS, seed)
    sources = np.array(close.inputs.sources)
    if len(set(sources)) < 2 and best < SETTLES:
        return ()
    found = {
        name: _alone(close, np.flatnonzero(sources == name), seed)
        for name in dict.fromkeys(close.inputs.sources)
    }
    name, skill = max(found.items(), key=lambda item: item[1])
    nearly_all = best >= 0.7 and skill >= OF_THE_BEST * best and len(found) > 1
    return (name,) if skill >= SETTLES or nearly_all else ()


def _alone(problem: Problem, columns: NDArray[np.int64], seed: int) -> float:
    """Give the skill of a small tree that sees these columns alone."""
    alone = problem.only(columns)
    marks = np.zeros(problem.size)
    for train, held in folds(problem, 2, seed=seed):
        usual = None if problem.numbers else np.maximum(prior(problem, train), 1 / problem.size)
        tree = Tree("one column", LEAVES).fit(alone, train)
        marks[held] = credit(problem, held, tree.chances(alone, held), usual)
    return Answers(problem.answers, marks, len(problem.classes)).skill()
