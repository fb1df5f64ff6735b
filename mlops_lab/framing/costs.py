"""Does it pay? Break-even error, the net value over the years, and the part or group of rows that pays (L3).

No statistic knows what an error costs: you say it, and everything here is arithmetic on what you said.
Left out: discounting, growing volume, costs that differ from class to class or grow with size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mlops_lab.framing.contest import answered_right, folds, models, rivals
from mlops_lab.framing.problem import CLOSE_ROWS, Problem
from mlops_lab.framing.skill import interval, redraws

__all__ = [
    "Costs",
    "Group",
    "NetValue",
    "Part",
    "answered_sure",
    "break_even_error",
    "each_and_fixed",
    "group_that_pays",
    "lead",
    "net_value",
    "part_that_pays",
]


@dataclass(frozen=True)
class Costs:
    """What answers are worth and what it costs to give them, in one currency.

    Parameters
    ----------
    value_correct
        Gain from one right answer over doing nothing.
    cost_wrong
        Loss from one wrong answer.
    run
        Cost of giving one answer.
    build
        Cost of building the model, once.
    keep
        Cost of keeping it, a year: monitoring, retraining, somebody on call.
    volume
        Answers a year.
    years
        Years of use.
    build_rule, keep_rule
        The same for a rule on paper.
    human_minutes
        Minutes a person needs for one answer now.
    tolerance
        For numbers: an answer counts as right when it is off by at most this much.

    Raises
    ------
    ValueError
        When an amount is negative or no number, or volume or years are not positive.

    Examples
    --------
    >>> Costs(value_correct=1.0, cost_wrong=2.0, run=0.01, build=20_000, keep=10_000, volume=100_000).years
    3.0
    """

    value_correct: float
    cost_wrong: float
    run: float
    build: float
    keep: float
    volume: float
    years: float = 3.0
    build_rule: float = 0.0
    keep_rule: float = 0.0
    human_minutes: float = 0.0
    tolerance: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "tolerance" and value is None:
                continue
            if not isinstance(value, (int, float, np.number)) or not math.isfinite(value) or value < 0:
                raise ValueError(f"Costs: {field.name} is {value!r}; give a finite amount of at least 0.")
        if self.volume <= 0 or self.years <= 0:
            raise ValueError(
                f"Costs: volume is {self.volume} a year for {self.years} years; both must be above 0. "
                "Leave costs out where the volume is not known: then there is no cost verdict."
            )
        if self.value_correct + self.cost_wrong <= 0:
            raise ValueError("Costs: value_correct and cost_wrong are both 0; then no answer matters.")


def break_even_error(costs: Costs) -> float:
    """Give the largest share of wrong answers at which the model still pays.

    (value_correct - run - (build / years + keep) / volume) / (value_correct + cost_wrong). Below 0 means
    that not even perfect answers pay.

    Parameters
    ----------
    costs
        What you said.

    Examples
    --------
    >>> costs = Costs(value_correct=1, cost_wrong=3, run=0, build=30_000, keep=10_000, volume=100_000)
    >>> break_even_error(costs)
    0.2

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    fixed = (costs.build / costs.years + costs.keep) / costs.volume
    return (costs.value_correct - costs.run - fixed) / (costs.value_correct + costs.cost_wrong)


@dataclass(frozen=True)
class NetValue:
    """Money over all years, with the 95 % interval that the rows tested leave.

    Parameters
    ----------
    value, low, high
        The value and the ends of its interval, in the money of `Costs`.
    """

    value: float
    low: float
    high: float


def net_value(right: NDArray[np.float64], costs: Costs, *, paper: bool = False, seed: int = 0) -> NetValue:
    """Add up a candidate's money over all years.

    Parameters
    ----------
    right
        1.0 where an unseen row was answered rightly, 0.0 where not.
    costs
        What you said.
    paper
        True charges the rule's building and keeping and no running; False the model's.
    seed
        How rows are redrawn.
    """
    each, fixed = each_and_fixed(right, costs, paper=paper)
    answers = costs.years * costs.volume
    draws = answers * (redraws(len(each), seed) @ each) / len(each) - fixed
    return NetValue(answers * float(each.mean()) - fixed, *interval(draws))


@dataclass(frozen=True)
class Part:
    """The surest part of the answers, chosen so that it pays best.

    Attributes
    ----------
    share
        Share of cases that the model would answer; people keep the rest.
    value, low, high
        Money over all years from this part, with its 95 % interval.
    """

    share: float
    value: float
    low: float
    high: float


def part_that_pays(
    right: NDArray[np.float64], sure: NDArray[np.float64], costs: Costs, *, seed: int = 0
) -> Part:
    """Let the model answer only where it is sure: how much of it pays best.

    The bar is chosen on one half of the rows and paid out on the other, both ways, so that the sum is not
    flattered by the choice. It misleads where a model is confidently wrong on cases unlike those it was
    tested on.

    Parameters
    ----------
    right
        1.0 where an unseen row was answered rightly.
    sure
        How sure the model was of each answer; only the order counts.
    costs
        What you said; building and keeping are charged in full.
    seed
        How rows are halved and redrawn.
    """
    each, fixed = each_and_fixed(right, costs, paper=False)
    answered = answered_sure(each, sure, seed=seed)
    paid = np.where(answered, each, 0.0)
    answers = costs.years * costs.volume
    draws = answers * (redraws(len(each), seed) @ paid) / len(each) - fixed
    return Part(float(answered.mean()), answers * float(paid.mean()) - fixed, *interval(draws))


def answered_sure(
    each: NDArray[np.float64], sure: NDArray[np.float64], *, seed: int = 0
) -> NDArray[np.bool_]:
    """Tell which rows the model would answer, from what each answer brings and how sure it was.

    On each half of the rows the bar is the one that pays best on the other half.
    """
    half = np.random.default_rng([seed, 7]).permutation(len(each)) % 2
    answered = np.zeros(len(each), dtype=bool)
    for chosen in (0, 1):
        bars = np.quantile(sure, np.linspace(0, 0.98, 50))
        sums = [each[(half == chosen) & (sure >= bar)].sum() for bar in bars]
        best = int(np.argmax(sums))
        answered |= (half != chosen) & (sure >= bars[best]) & (sums[best] > 0)
    return answered


def lead(
    first: NDArray[np.float64], second: NDArray[np.float64], costs: Costs, more_fixed: float, *, seed: int = 0
) -> NetValue:
    """Say how much more one way of answering brings than another, on the same redrawn rows.

    Parameters
    ----------
    first, second
        What each answer brings, one value for each row asked.
    costs
        Gives years and volume.
    more_fixed
        How much more the first costs over all years, however many answers there are.
    seed
        How rows are redrawn.
    """
    apart, answers = first - second, costs.years * costs.volume
    draws = answers * (redraws(len(apart), seed) @ apart) / len(apart) - more_fixed
    return NetValue(answers * float(apart.mean()) - more_fixed, *interval(draws))


def each_and_fixed(
    right: NDArray[np.float64], costs: Costs, *, paper: bool
) -> tuple[NDArray[np.float64], float]:
    """Give what each answer brings, and what is paid over all years however many answers there are."""
    each = np.asarray(right * costs.value_correct - (1 - right) * costs.cost_wrong)
    if paper:
        return each, costs.build_rule + costs.keep_rule * costs.years
    return each - costs.run, costs.build + costs.keep * costs.years


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
    describe. At most 3,000 rows are read.

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
    """
    if problem.too_few or (problem.numbers and costs.tolerance is None):
        return None
    problem = problem.part(CLOSE_ROWS, seed)
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
