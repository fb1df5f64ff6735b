"""Run every test once, and come from the results to one decision: the first line that holds wins.

1. LOOKUP: a table of at most three columns answers exactly.
2. COLLECT: too few rows to test.
3. SHIFT: there is a relation, but tomorrow does not look like the past.
4. PARTIAL: over all rows no model pays or none is clearly better than paper, but in one group of rows it does
   and is.
5. COLLECT, NO_SIGNAL: too few rows to rule a useful relation in or out; no relation.
6. COLLECT: a weak relation on a steep learning curve, or a rule that leads on few rows with half of the skill
   still to be had.
7. COLLECT: paper against model is undecided, on fewer than 1,500 rows and with a skill on paper below 0.8.
8. With costs, what brings most, as far as chance lets us tell: the best on paper (RULE), the model (ML), its
   surest part (PARTIAL), or nothing (NOT_COST_EFFECTIVE). Where the best on paper has as much skill, the
   others must earn more beyond chance.
9. Without costs: RULE where the best on paper has as much skill, else ML.

BLOCKED stands above them all: without a named person's yes to law and ethics nothing is recommended. The
evidence is gathered all the same, and `evidence_decision` says what it alone would recommend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mlops_lab.framing.contest import Contest, Entry, contest
from mlops_lab.framing.costs import (
    Costs,
    Group,
    NetValue,
    Part,
    answered_sure,
    break_even_error,
    each_and_fixed,
    group_that_pays,
    lead,
    net_value,
    part_that_pays,
)
from mlops_lab.framing.learning_curve import LearningCurve, learning_curve
from mlops_lab.framing.lookup_tables import Lookup, find_lookup
from mlops_lab.framing.permutation_test import ShuffleTest, relation
from mlops_lab.framing.problem import Problem
from mlops_lab.framing.settling_column import settling_column
from mlops_lab.framing.shift import FEWEST_LIVE, FEWEST_TIMED, Ageing, Apart, over_time, separation
from mlops_lab.framing.skill import interval, redraws

__all__ = [
    "DECISIONS",
    "Measured",
    "evidence_decision",
    "gain_is_steep",
    "group_pays",
    "measure",
    "paper_earns_most",
    "part_leads",
    "shifted",
    "signal",
    "too_few_for_a_rule",
    "undecided",
]


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
    part_lead
        What this part brings more than all answers of the model.
    paper_lead
        What the better of the two, model or part, brings more than paper.
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
    part_lead: NetValue
    paper_lead: NetValue
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
    chosen_low, chosen_high
        The interval that allows for having chosen the best of so many candidates (Bonferroni).
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
    settled_by
        Columns that answer by themselves, or nearly: are they known before the answer is?
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
    settled_by: tuple[str, ...] = ()
    chosen_low: float = 0.0
    chosen_high: float = 0.0


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
    """
    if problem.too_few:
        return Measured(None)
    lookup = find_lookup(problem, seed=seed)
    result = contest(problem, rule=rule, seed=seed)
    best = max(result.best_model, result.best_paper, key=lambda entry: entry.answers.skill())
    drawn = best.answers.skills(redraws(len(best.rows), seed))
    low, high = interval(drawn)
    reach = float(stats.norm.ppf(1 - 0.025 / len(result.entries)) * drawn.std())
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
        chosen_low=best.answers.skill() - reach,
        chosen_high=best.answers.skill() + reach,
        settled_by=lookup.columns or settling_column(problem, best.answers.skill(), seed=seed),
    )


def _money(problem: Problem, result: Contest, costs: Costs, seed: int) -> Money | None:
    if problem.numbers and costs.tolerance is None:
        return None

    def right_share(entry: Entry) -> float:
        return float(entry.right(problem, costs.tolerance).mean())

    model = max((entry for entry in result.entries if entry.kind == "model"), key=right_share)
    paper = max((entry for entry in result.entries if entry.kind == "paper"), key=right_share)
    right, by_paper = (entry.right(problem, costs.tolerance) for entry in (model, paper))
    # A number comes without a chance: all answers count as equally sure, so the part is all or nothing.
    sure = right * 0 if problem.numbers else model.chances.max(axis=1)
    whole, part = net_value(right, costs, seed=seed), part_that_pays(right, sure, costs, seed=seed)
    each, fixed = each_and_fixed(right, costs, paper=False)
    on_paper, paper_fixed = each_and_fixed(by_paper, costs, paper=True)
    surest = np.where(answered_sure(each, sure, seed=seed), each, 0.0)
    part_lead = lead(surest, each, costs, 0.0, seed=seed)
    better = surest if part.value > whole.value else each
    return Money(
        model=whole,
        paper=net_value(by_paper, costs, paper=True, seed=seed),
        model_name=model.name,
        paper_name=paper.name,
        part=part,
        part_lead=part_lead,
        paper_lead=lead(better, on_paper, costs, fixed - paper_fixed, seed=seed),
        error=1 - right_share(model),
        break_even=break_even_error(costs),
    )


DECISIONS = {
    "LOOKUP": "Use a table: it answers exactly.",
    "NO_SIGNAL": "Do not use ML: the inputs do not know the answer.",
    "COLLECT": "Collect more before you decide.",
    "SHIFT": "Not yet: tomorrow does not look like the past.",
    "RULE": "Use a rule: it does as well.",
    "PARTIAL": "Use ML for the part it is sure of, people for the rest.",
    "NOT_COST_EFFECTIVE": "Do not use ML: it does not earn its cost.",
    "ML": "Use ML.",
    "BLOCKED": "Stop: a named person must first answer for law and ethics.",
}
"""Every decision, in words."""

P_LIMIT = 0.01

LEAST_SKILL = 0.02

CLEAR_SKILL = 0.05

USEFUL_SKILL = 0.12

FEWEST_HELD_BACK = 1000

STEEP_GAIN = 0.10

MANY_ROWS = 1500

FEW_ROWS = 200

HALF_OPEN = 0.5

DROP_LIMIT = 0.05

APART_LIMIT = 0.70

SMALLEST_PART = 0.05

TWICE = 2.0

GOOD_ENOUGH = 0.8


def signal(found: Measured) -> str:
    """Give "yes", "no", or "unclear" (too few rows to rule a useful relation out).

    Yes: p at most 0.01 and skill above 0.02, or p at most 0.05 and the skill's low end above 0.05, or a low
    end above 0.24 whatever p says; or, on at least 1,000 rows held back, the low end above 0.02 and a
    p-value of at most 0.01 by shuffling the answers of these rows, over all candidates. Held-back skill alone
    is no proof: the best of nine candidates may owe it to a chance pattern of this very sample. Nor is it
    "no" while the interval that allows for this choice lies above 0.02.
    """
    if found.relation is None:
        return "unclear"
    p = found.relation.p_value
    if (p <= P_LIMIT and found.skill > LEAST_SKILL) or (p <= 5 * P_LIMIT and found.low > CLEAR_SKILL):
        return "yes"
    if found.low > 2 * USEFUL_SKILL:
        return "yes"
    shuffled = found.contest
    many = shuffled is not None and len(shuffled.best_model.rows) >= FEWEST_HELD_BACK
    if shuffled is not None and many and found.low > LEAST_SKILL and shuffled.p_value <= P_LIMIT:
        return "yes"
    wide = (found.high - found.low) / 2 > USEFUL_SKILL
    return "unclear" if wide or found.chosen_low > LEAST_SKILL else "no"


def gain_is_steep(found: Measured, rows: int) -> bool:
    """Tell whether four times the rows would add over 0.10 of skill to what is still weak (low end under
    0.12).
    """
    steep = found.curve is not None and found.curve.gain_at_4x > STEEP_GAIN and rows < MANY_ROWS
    return steep and found.low < USEFUL_SKILL


def too_few_for_a_rule(found: Measured, rows: int) -> bool:
    """Whether a rule leads only because few rows (under 200) starve the models: half the skill is open."""
    return rows < FEW_ROWS and found.low < HALF_OPEN


def group_pays(found: Measured) -> bool:
    """Whether in one group of rows a model beats paper, and brings more than paper does over all rows."""
    if found.group is None or not found.group.beats_paper:
        return False
    paper = 0.0 if found.money is None else found.money.paper.value
    return found.group.low > max(paper, 0.0)


def shifted(found: Measured) -> str:
    """Say whether inputs or patterns moved: "no", "yes" or "unknown".

    Yes: skill on the latest quarter is lower by more than 0.05 (whole interval), or a classifier tells live
    from past with an AUC above 0.70 (whole interval).
    """
    moved = (found.ageing is not None and found.ageing.low > DROP_LIMIT) or (
        found.apart is not None and found.apart.low > APART_LIMIT
    )
    return "yes" if moved else "unknown" if found.ageing is None and found.apart is None else "no"


def evidence_decision(found: Measured, rows: int) -> tuple[str, tuple[str, ...]]:
    """Decide from the evidence alone, by the order above."""
    if found.lookup is not None and found.lookup.columns:
        return "LOOKUP", ("C4", "N2")
    if found.contest is None:
        return "COLLECT", ("C3", "C1")
    related = signal(found)
    if related == "yes" and shifted(found) == "yes":
        return "SHIFT", ("C5",)
    if group_pays(found):
        return "PARTIAL", ("N3", "S2")
    if related == "unclear":
        return "COLLECT", ("C3", "C1")
    if related == "no":
        return "NO_SIGNAL", ("C1",)
    if gain_is_steep(found, rows):
        return "COLLECT", ("C3", "S1")
    if found.contest.answer != "model" and too_few_for_a_rule(found, rows):
        return "COLLECT", ("C3", "C2")
    if undecided(found, rows):
        return "COLLECT", ("C2", "C3")
    if found.money is not None:
        return _by_money(found.money, found.contest.answer)
    return ("ML", ("C1", "C2", "C3")) if found.contest.answer == "model" else ("RULE", ("C2", "N2"))


def undecided(found: Measured, rows: int) -> bool:
    """Tell whether paper against model is undecided for lack of rows.

    Of many rows, or where the best on paper has a skill of at least 0.8 already, a tie goes to the rule.
    """
    if found.contest is None or found.contest.answer != "unclear":
        return False
    return rows < MANY_ROWS and found.contest.best_paper.answers.skill() < GOOD_ENOUGH


def part_leads(money: Money) -> bool:
    """Tell whether the surest part is the model's best use.

    It must pay beyond chance, and bring more than the whole. Where the whole beats paper, it must bring twice
    as much: leaving cases to people costs them work that no sum here counts.
    """
    if money.part.low <= 0 or money.part.share < SMALLEST_PART:
        return False
    if money.model.value <= max(money.paper.value, 0.0):
        return money.part.value > money.model.value
    return money.part_lead.low > 0 and money.part.value >= TWICE * money.model.value


def paper_earns_most(money: Money, answer: str) -> bool:
    """Tell whether the best on paper pays and brings most; where it has as much skill, a tie is its own."""
    earned = money.part.value if part_leads(money) else money.model.value
    ahead = earned > money.paper.value if answer == "model" else money.paper_lead.low > 0
    return money.paper.value > 0 and not ahead


def _by_money(money: Money, answer: str) -> tuple[str, tuple[str, ...]]:
    earned = money.part.value if part_leads(money) else money.model.value
    if paper_earns_most(money, answer):
        return "RULE", ("N2", "N3") if answer == "model" else ("C2", "N2", "N3")
    if earned <= 0:
        return "NOT_COST_EFFECTIVE", ("N3", "S2")
    return ("PARTIAL", ("N3", "S2")) if part_leads(money) else ("ML", ("C1", "C2", "C3", "N3"))
