"""The rows for the lecture's five conditions (L1)."""

from __future__ import annotations

from mlops_lab.framing.costs import Costs
from mlops_lab.framing.evidence import Evidence, row
from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.measure import Measured
from mlops_lab.framing.precedence import (
    APART_LIMIT,
    DROP_LIMIT,
    LEAST_SKILL,
    P_LIMIT,
    gain_is_steep,
    shifted,
    signal,
    too_few_for_a_rule,
)

__all__ = ["conditions"]


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
    words = {
        "yes": "The real answers fit the inputs better than shuffled ones.",
        "no": "Shuffled answers fit about as well as the real ones.",
        "unclear": "Too few rows to rule a useful relation in or out.",
    }[answer]
    return row(
        "C1",
        {"yes": "for", "no": "against", "unclear": "unclear"}[answer],
        f"{words} (best skill {found.skill:.2f}, {found.low:.2f} to {found.high:.2f})",
        statistic="p-value of the shuffle test",
        value=p,
        limit=f"p <= {P_LIMIT} and skill > {LEAST_SKILL}",
    )


def _complex(found: Measured) -> Evidence:
    if found.contest is None:
        return row("C2", "unknown", "Not tested: too few rows.", basis="unknown")
    paper, model = found.contest.best_paper, found.contest.best_model
    words = (
        f"{model.name} {model.answers.skill():.2f} against {paper.name} {paper.answers.skill():.2f} on paper."
    )
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
        words = f"No: {' and '.join(found.lookup.columns)} settle the answer exactly. Use a table."
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
