"""Thirteen rows of evidence: the lecture's five conditions (L1), five properties that make ML shine (L2),
three reasons not to (L3).

Every row says what was looked at, what came out, the limit, what that means in plain words, and where it
comes from: *measured* in the data, *you told us*, or *unknown*. An unknown is never guessed. Whether we may
is a question no statistic can answer, so a named person must: `Attestation`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlops_lab.framing.costs import Costs, Part
from mlops_lab.framing.decision import (
    APART_LIMIT,
    DROP_LIMIT,
    LEAST_SKILL,
    P_LIMIT,
    STEEP_GAIN,
    Measured,
    gain_is_steep,
    group_pays,
    paper_earns_most,
    part_leads,
    shifted,
    signal,
    too_few_for_a_rule,
    undecided,
)
from mlops_lab.framing.problem import Problem
from mlops_lab.report import Finding

__all__ = ["Attestation", "Evidence", "conditions", "reasons", "shines"]

BASES = ("measured", "you told us", "unknown")
"""Where a row comes from."""

QUESTIONS = {
    "C1": "learn: do the inputs know the answer?",
    "C2": "complex: does a model beat the best on paper?",
    "C3": "data: are there enough?",
    "C4": "predictions: is a probable answer wanted?",
    "C5": "unseen: does live look like the past?",
    "S1": "shines: do more data still help?",
    "S2": "shines: is an error cheap enough?",
    "S3": "shines: does volume pay it back?",
    "S4": "shines: is it repetitive work?",
    "S5": "shines: do the patterns change?",
    "N1": "not if: illegal or unethical",
    "N2": "not if: something simple works",
    "N3": "not if: it does not pay",
}
"""What each row asks; C condition, S shines, N reason not to."""

NAN = math.nan


@dataclass(frozen=True)
class Evidence:
    """One row of evidence.

    Attributes
    ----------
    key
        C1 to C5, S1 to S5, N1 to N3.
    asks
        The question.
    status
        "for" machine learning, "against" it, "unclear", or "unknown".
    statistic
        What was looked at.
    value, low, high
        What came out, with its interval; NaN where there is none.
    limit
        Where the line is drawn.
    words
        What it means.
    basis
        One of `BASES`.
    """

    key: str
    asks: str
    status: str
    statistic: str
    value: float
    low: float
    high: float
    limit: str
    words: str
    basis: str

    def finding(self) -> Finding:
        """Give the row as a `report.Finding`: ok is True where it speaks for machine learning."""
        known = not math.isnan(self.low)
        return Finding(
            code=f"framing.{self.key}",
            title=self.asks,
            ok={"for": True, "against": False}.get(self.status),
            explanation=self.words,
            statistic=self.statistic,
            value=None if math.isnan(self.value) else self.value,
            interval=(min(self.low, self.high), max(self.low, self.high)) if known else None,
            severity="serious" if self.key == "N1" else "warning",
            source=self.basis,
        )


def row(
    key: str,
    status: str,
    words: str,
    *,
    statistic: str = "",
    value: float = NAN,
    low: float = NAN,
    high: float = NAN,
    limit: str = "",
    basis: str = "measured",
) -> Evidence:
    """Write one row; its question comes from `QUESTIONS`."""
    return Evidence(key, QUESTIONS[key], status, statistic, value, low, high, limit, words, basis)


@dataclass(frozen=True)
class Attestation:
    """What a named person says about law and ethics.

    It records an answer; it cannot check it. Without it every verdict is BLOCKED.

    Parameters
    ----------
    legal
        Whether the use is legal, or None where nobody has looked.
    ethical
        Whether it is right towards the people it touches, or None.
    by
        Who says so.

    Raises
    ------
    TypeError
        When an answer is not True, False or None, or `by` is not text.

    Examples
    --------
    >>> Attestation(legal=True, ethical=True, by="A. Meyer, data protection").given
    True
    >>> Attestation(legal=True, ethical=None, by="A. Meyer").why
    'Nobody has said whether this is ethical.'

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """

    legal: bool | None = None
    ethical: bool | None = None
    by: str = ""

    def __post_init__(self) -> None:
        for name, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is not None and not isinstance(value, bool):
                raise TypeError(
                    f"Attestation: {name} is {value!r}; give True, False, or None for not looked at."
                )
        if not isinstance(self.by, str):
            raise TypeError(f"Attestation: by is {self.by!r}; give the name of the person who says so.")

    @property
    def given(self) -> bool:
        """True when both answers are yes and somebody stands for them."""
        return not self.why

    @property
    def why(self) -> str:
        """Say what is missing or refused, or ""."""
        who = self.by.strip()
        for word, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is False:
                return f"{who or 'Somebody'} says that this is not {word}."
        for word, value in (("legal", self.legal), ("ethical", self.ethical)):
            if value is None:
                return f"Nobody has said whether this is {word}."
        return "" if who else "The answers on law and ethics bear no name."


def conditions(problem: Problem, found: Measured, costs: Costs | None = None) -> tuple[Evidence, ...]:
    """Write the rows C1 to C5: learn, complex, data, predictions, unseen."""
    return (
        _learn(problem, found),
        _complex(found),
        _data(problem, found),
        _predictions(found, costs),
        _unseen(problem, found),
    )


def _learn(problem: Problem, found: Measured) -> Evidence:
    if found.relation is None:
        return row("C1", "unknown", f"Not tested. {problem.too_few}", basis="unknown")
    answer = signal(found)
    p = found.relation.p_value
    tried = 0 if found.contest is None else len(found.contest.entries)
    words = {
        "yes": "The real answers fit the inputs better than shuffled ones.",
        "no": "Shuffled answers fit about as well as the real ones.",
        "unclear": "Too few rows to rule a useful relation in or out.",
    }[answer]
    return row(
        "C1",
        {"yes": "for", "no": "against", "unclear": "unclear"}[answer],
        f"{words} (best of {tried}: skill {found.skill:.2f}, {found.chosen_low:.2f} to "
        f"{found.chosen_high:.2f})",
        statistic="p-value of the shuffle test",
        value=p,
        limit=f"p <= {P_LIMIT} and skill > {LEAST_SKILL}",
    )


def _complex(found: Measured) -> Evidence:
    if found.contest is None:
        return row("C2", "unknown", "Not tested: too few rows.", basis="unknown")
    paper, model = found.contest.best_paper, found.contest.best_model
    gain = found.contest
    words = (
        f"{model.name} {model.answers.skill():.2f} against {paper.name} {paper.answers.skill():.2f} on paper."
    )
    if gain.answer != "model" and gain.high > gain.margin:
        words += f" A gain of up to {gain.high:.2f} is not ruled out; ties go to the rule."
    if gain.left_out:
        words += f" Not tried: {gain.left_out}."
    status = {"model": "for", "rule": "against", "unclear": "unclear"}[found.contest.answer]
    return row(
        "C2",
        status,
        words,
        statistic="skill of the best model less the best on paper",
        value=found.contest.gain,
        low=found.contest.low,
        high=found.contest.high,
        limit=f">= {found.contest.margin}, interval above 0",
    )


def _data(problem: Problem, found: Measured) -> Evidence:
    rows = float(problem.rows_given)
    if found.curve is None:
        return row("C3", "against", f"{problem.too_few} Start collecting.", statistic="rows", value=rows)
    half = (found.high - found.low) / 2
    leads = "" if found.contest is None else found.contest.answer
    if gain_is_steep(found, problem.size):
        status, words = "against", "Still weak, and the learning curve is steep: collect more first."
    elif leads != "model" and too_few_for_a_rule(found, problem.size):
        status = "against"
        words = "A rule leads, but on so few rows no model can show what it would learn: collect more."
    elif found.contest is not None and undecided(found, problem.size):
        low, high = found.contest.low, found.contest.high
        status = "against"
        words = f"Too few to tell a model from paper: the gain lies between {low:.2f} and {high:.2f}."
    elif signal(found) == "unclear":
        status, words = "against", f"Skill is only known to within {half:.2f} either way."
    else:
        status, words = "for", f"Enough to decide: skill is known to within {half:.2f} either way."
    return row(
        "C3",
        status,
        words,
        statistic="rows",
        value=rows,
        limit="enough to know skill to +-0.12, or to see it",
    )


def _predictions(found: Measured, costs: Costs | None) -> Evidence:
    if found.lookup is None:
        return row("C4", "unknown", "Not tested: too few rows.", basis="unknown")
    many = "" if costs is None else f" {costs.volume:,.0f} answers a year are wanted, you told us."
    if found.lookup.columns:
        verb = "settles" if len(found.lookup.columns) == 1 else "settle"
        words = f"No: {' and '.join(found.lookup.columns)} {verb} the answer exactly. Use a table."
        status = "against"
    else:
        words, status = (
            "No table of up to three columns settles the answer, so it must be predicted." + many,
            "for",
        )
    return row(
        "C4",
        status,
        words,
        statistic="unseen rows that a table answers exactly",
        value=found.lookup.hit_rate,
        limit="covers >= 0.95, right >= 0.99 of these",
    )


def _unseen(problem: Problem, found: Measured) -> Evidence:
    answer = shifted(found)
    if answer == "unknown":
        given = (
            "Too few rows."
            if problem.timed or problem.live is not None
            else "No time and no live inputs given."
        )
        return row("C5", "unknown", given, basis="unknown")
    parts = []
    if found.ageing is not None:
        parts.append(
            f"Skill {found.ageing.past:.2f} in the past, {found.ageing.latest:.2f} in the latest quarter."
        )
    if found.apart is not None:
        parts.append(
            f"A classifier tells live from past with an AUC of {found.apart.auc:.2f} (0.5 is a coin)."
        )
    status, words = "against" if answer == "yes" else "for", " ".join(parts)
    live_speaks = found.apart is not None and (found.ageing is None or found.apart.low > APART_LIMIT)
    if live_speaks and found.apart is not None:
        return row(
            "C5",
            status,
            words,
            statistic="AUC, live against past",
            value=found.apart.auc,
            low=found.apart.low,
            high=found.apart.high,
            limit=f"interval reaches down to {APART_LIMIT}",
        )
    ageing = found.ageing
    if ageing is None:
        return row("C5", "unknown", words, basis="unknown")
    return row(
        "C5",
        status,
        words,
        statistic="drop in skill, past to latest quarter",
        value=ageing.drop,
        low=ageing.low,
        high=ageing.high,
        limit=f"interval reaches down to {DROP_LIMIT}",
    )


MANY_HOURS = 200.0

HELPS = 0.02


def shines(found: Measured, costs: Costs | None = None) -> tuple[Evidence, ...]:
    """Write the rows S1 to S5: more data, cheap errors, volume, repetition, change."""
    return (_more_data(found), *_worth(found, costs), _dull(costs), _change(found))


def reasons(
    problem: Problem, found: Measured, costs: Costs | None, attest: Attestation
) -> tuple[Evidence, ...]:
    """Write the rows N1 to N3: illegal or unethical, something simple works, it does not pay."""
    return _may(attest), _simple(found), _pays(problem, found, costs)


def _more_data(found: Measured) -> Evidence:
    if found.curve is None:
        more = row("S1", "unknown", "No learning curve: too few rows.", basis="unknown")
    else:
        gain = round(found.curve.gain_at_4x, 4) + 0.0  # minus zero is zero
        more = row(
            "S1",
            "for" if gain > HELPS else "against",
            f"Four times the rows would add about {gain:.2f} of skill.",
            statistic="expected gain in skill at four times the rows",
            value=gain,
            limit=f"> {HELPS}; above {STEEP_GAIN} the curve is steep",
        )
    return more


def _worth(found: Measured, costs: Costs | None) -> tuple[Evidence, Evidence]:
    silent = "You gave no costs." if costs is None else "Errors cannot be counted here (see N3)."
    if found.money is None or costs is None:
        cheap, pays = (row(key, "unknown", silent, basis="unknown") for key in ("S2", "S3"))
    else:
        money = found.money
        cheap = row(
            "S2",
            "for" if money.error < money.break_even else "against",
            f"{money.error:.0%} of answers are wrong; {_bearable(money.break_even)}.",
            statistic="share of wrong answers",
            value=money.error,
            limit=f"< {money.break_even:.3f} (break-even)",
        )
        yearly = costs.volume * costs.years
        fixed = costs.build + costs.keep * costs.years
        pays = row(
            "S3",
            "for" if money.model.value > 0 else "against",
            f"Fixed costs spread over {yearly:,.0f} answers are {fixed / yearly:,.2f} each.",
            statistic="answers a year",
            value=costs.volume,
            limit="net value above 0",
            basis="you told us",
        )
    return cheap, pays


def _bearable(break_even: float) -> str:
    return f"it pays up to {break_even:.0%}" if break_even > 0 else "not even perfect answers would pay"


def _dull(costs: Costs | None) -> Evidence:
    if costs is None or costs.human_minutes == 0:
        dull = row(
            "S4", "unknown", "You did not say how long a person needs for one answer.", basis="unknown"
        )
    else:
        hours = costs.volume * costs.human_minutes / 60
        dull = row(
            "S4",
            "for" if hours > MANY_HOURS else "against",
            f"People spend {hours:,.0f} hours a year on it.",
            statistic="hours of human work a year",
            value=hours,
            limit=f"> {MANY_HOURS:.0f}",
            basis="you told us",
        )
    return dull


def _change(found: Measured) -> Evidence:
    if found.ageing is None:
        change = row("S5", "unknown", "Rows carry no time, so change cannot be seen.", basis="unknown")
    else:
        moves = found.ageing.refit_gain > DROP_LIMIT and found.ageing.low > 0
        past, latest = found.ageing.past, found.ageing.latest
        status = "for" if moves else "unclear" if found.ageing.drop > DROP_LIMIT else "against"
        words = {
            "for": "Refitting on recent rows wins back skill: a rule on the wall would go stale.",
            "against": "A model that stopped learning holds its skill: a rule would not go stale either.",
            "unclear": f"Skill falls from {past:.2f} to {latest:.2f}, and refitting does not win it back.",
        }[status]
        change = row(
            "S5",
            status,
            words,
            statistic="skill that refitting wins back",
            value=found.ageing.refit_gain,
            limit=f"> {DROP_LIMIT}",
        )
    return change


def _may(attest: Attestation) -> Evidence:
    if attest.given:
        return row("N1", "for", f"{attest.by} says that it is legal and ethical.", basis="you told us")
    refused = attest.legal is False or attest.ethical is False
    words = f"{attest.why} No statistic can answer this."
    return (
        row("N1", "against", words, basis="you told us")
        if refused
        else row("N1", "unknown", words, basis="unknown")
    )


def _simple(found: Measured) -> Evidence:
    if found.contest is None:
        return row("N2", "unknown", "Not tested: too few rows.", basis="unknown")
    paper = found.contest.best_paper
    status = {"model": "for", "rule": "against", "unclear": "unclear"}[found.contest.answer]
    if found.lookup is not None and found.lookup.columns:
        status = "against"
    if found.money is not None and paper_earns_most(found.money, found.contest.answer):
        status = "against"
    return row(
        "N2",
        status,
        f"The best on paper: {paper.words}.",
        statistic="skill on paper",
        value=paper.answers.skill(),
        limit="ties go to the rule",
    )


def _surest(part: Part) -> str:
    if part.share > 0.995:
        return "no smaller part of the answers brings more"
    if part.low <= 0:
        return "no part of the answers surely pays"
    return f"answering only the surest {part.share:.0%} brings {part.value:,.0f}"


def _pays(problem: Problem, found: Measured, costs: Costs | None) -> Evidence:
    if costs is None:
        return row("N3", "unknown", "You gave no costs, so there is no verdict on money.", basis="unknown")
    if found.money is None:
        lacking = "Costs lack a tolerance: how far off may a number be and still count as right?"
        words = lacking if problem.numbers and costs.tolerance is None else "Not tested: too few rows."
        return row("N3", "unknown", words, basis="unknown")
    money = found.money
    best = money.part if part_leads(money) else money.model
    lost = best.high < 0 or (found.contest is not None and paper_earns_most(money, found.contest.answer))
    status = "against" if lost else "for" if best.low > 0 else "unclear"
    words = (
        f"{money.model_name} brings {money.model.value:,.0f} over {costs.years:g} years, "
        f"paper ({money.paper_name}) {money.paper.value:,.0f}; {_surest(money.part)}."
    )
    if group_pays(found) and found.group is not None:
        words += f" Only {found.group.words} by a model of its own: {found.group.value:,.0f}."
    return row(
        "N3",
        status,
        words,
        statistic="net value over all years",
        value=best.value,
        low=best.low,
        high=best.high,
        limit="above 0, and above paper",
    )
