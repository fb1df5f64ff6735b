"""Run every test once and keep what came out; decide nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlops_lab.framing.contest import Contest, Entry, contest
from mlops_lab.framing.costs import Costs, NetValue, Part, break_even_error, net_value, part_that_pays
from mlops_lab.framing.enough import LearningCurve, learning_curve
from mlops_lab.framing.groups import Group, group_that_pays
from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.signal import ShuffleTest, relation
from mlops_lab.framing.skill import interval, redraws
from mlops_lab.framing.tables import Lookup, find_lookup
from mlops_lab.framing.unseen import FEWEST_LIVE, FEWEST_TIMED, Ageing, Apart, over_time, separation

__all__ = ["Measured", "Money", "measure"]


@dataclass(frozen=True)
class Money:
    """What the best model and the best paper bring.

    Attributes
    ----------
    model, paper
        Money over all years.
    model_name, paper_name
        Whose it is.
    part
        The surest part of the model's answers that pays best.
    error
        Share of wrong answers of the model.
    break_even
        Share of wrong answers at which it still pays.
    """

    model: NetValue
    paper: NetValue
    model_name: str
    paper_name: str
    part: Part
    error: float
    break_even: float


@dataclass(frozen=True)
class Measured:
    """All results; None where a test could not run.

    Attributes
    ----------
    lookup
        Whether a table answers exactly.
    relation
        The shuffle test.
    contest
        Paper against models.
    skill, low, high
        Skill of the best candidate of all, with its 95 % interval.
    curve
        The learning curve.
    ageing
        Past against latest quarter, where there is time.
    apart
        Past against live, where there are live inputs.
    money
        Costs, where they were given and errors can be counted.
    group
        The group of rows in which a model of its own brings most, where costs were given and over all rows
        no model pays or none is clearly better than paper.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("lookup")
    >>> measure(framing.prepare(case.data, case.target)).lookup.columns
    ('country', 'band')
    """

    lookup: Lookup | None
    relation: ShuffleTest | None = None
    contest: Contest | None = None
    skill: float = 0.0
    low: float = 0.0
    high: float = 0.0
    curve: LearningCurve | None = None
    ageing: Ageing | None = None
    apart: Apart | None = None
    money: Money | None = None
    group: Group | None = None


def measure(
    problem: Problem,
    *,
    costs: Costs | None = None,
    rule: Callable[[pd.DataFrame], Any] | None = None,
    seed: int = 0,
) -> Measured:
    """Run every test that this problem allows.

    Parameters
    ----------
    problem
        From `prepare`.
    costs
        What answers are worth, or None.
    rule
        A rule of your own, or None.
    seed
        Which rows are held back, shuffled and redrawn.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("few_rows")
    >>> measure(framing.prepare(case.data.head(20), case.target)).contest is None
    True

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if problem.too_few:
        return Measured(None)
    lookup = find_lookup(problem, seed=seed)
    result = contest(problem, rule=rule, seed=seed)
    best = max(result.best_model, result.best_paper, key=lambda entry: entry.answers.skill())
    low, high = interval(best.answers.skills(redraws(problem.size, seed)))
    name = result.best_model.name
    timed = problem.timed and problem.size >= FEWEST_TIMED
    seen = problem.live is not None and len(problem.live) >= FEWEST_LIVE
    money = None if costs is None else _money(problem, result, costs, seed)
    return Measured(
        lookup=lookup,
        relation=relation(problem, seed=seed),
        contest=result,
        skill=best.answers.skill(),
        low=low,
        high=high,
        curve=learning_curve(problem, model=name, seed=seed),
        ageing=over_time(problem, model=name, seed=seed) if timed else None,
        apart=separation(problem.inputs.values, problem.live, problem.inputs.names, seed)
        if seen and problem.live is not None
        else None,
        money=money,
        group=None
        if costs is None or (result.answer == "model" and money is not None and money.model.value > 0)
        else group_that_pays(
            problem, costs, rule=rule, least=0.0 if money is None else max(money.paper.value, 0.0), seed=seed
        ),
    )


def _money(problem: Problem, result: Contest, costs: Costs, seed: int) -> Money | None:
    if problem.numbers and costs.tolerance is None:
        return None

    def right_share(entry: Entry) -> float:
        return float(entry.right(problem, costs.tolerance).mean())

    model = max((entry for entry in result.entries if entry.kind == "model"), key=right_share)
    paper = max((entry for entry in result.entries if entry.kind == "paper"), key=right_share)
    right = model.right(problem, costs.tolerance)
    # A number comes without a chance: all answers count as equally sure, so the part is all or nothing.
    sure = right * 0 if problem.numbers else model.chances.max(axis=1)
    return Money(
        net_value(right, costs, seed=seed),
        net_value(paper.right(problem, costs.tolerance), costs, paper=True, seed=seed),
        model.name,
        paper.name,
        part_that_pays(right, sure, costs, seed=seed),
        1 - right_share(model),
        break_even_error(costs),
    )
