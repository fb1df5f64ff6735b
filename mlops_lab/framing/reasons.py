"""The rows for what makes ML shine (L2) and for the reasons not to use it (L3)."""

from __future__ import annotations

from mlops_lab.framing.attestation import Attestation
from mlops_lab.framing.costs import Costs
from mlops_lab.framing.evidence import Evidence, row
from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.measure import Measured
from mlops_lab.framing.precedence import DROP_LIMIT, STEEP_GAIN, group_pays

__all__ = ["reasons", "shines"]

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
        gain = found.curve.gain_at_4x
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
            f"{money.error:.0%} of answers are wrong; it pays up to {money.break_even:.0%}.",
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
        words = (
            "Refitting on recent rows wins back skill: a rule on the wall would go stale."
            if moves
            else ("A model that stopped learning holds its skill: a rule would not go stale either.")
        )
        change = row(
            "S5",
            "for" if moves else "against",
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
    if (
        found.money is not None
        and found.money.paper.value > 0
        and found.money.paper.value >= found.money.model.value
    ):
        status = "against"
    return row(
        "N2",
        status,
        f"The best on paper: {paper.words}.",
        statistic="skill on paper",
        value=paper.answers.skill(),
        limit="ties go to the rule",
    )


def _pays(problem: Problem, found: Measured, costs: Costs | None) -> Evidence:
    if costs is None:
        return row("N3", "unknown", "You gave no costs, so there is no verdict on money.", basis="unknown")
    if found.money is None:
        lacking = "Costs lack a tolerance: how far off may a number be and still count as right?"
        words = lacking if problem.numbers and costs.tolerance is None else "Not tested: too few rows."
        return row("N3", "unknown", words, basis="unknown")
    money = found.money
    status = "for" if money.model.low > 0 else "against" if money.model.high < 0 else "unclear"
    words = (
        f"{money.model_name} brings {money.model.value:,.0f} over {costs.years:g} years, "
        f"paper ({money.paper_name}) {money.paper.value:,.0f}; "
        f"answering only the surest {money.part.share:.0%} brings {money.part.value:,.0f}."
    )
    if group_pays(found) and found.group is not None:
        words += f" Only {found.group.words} by a model of its own: {found.group.value:,.0f}."
    return row(
        "N3",
        status,
        words,
        statistic="net value over all years",
        value=money.model.value,
        low=money.model.low,
        high=money.model.high,
        limit="above 0, and above paper",
    )
