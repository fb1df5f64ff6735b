"""The one question, whether machine learning should be used here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from mlops_lab.framing.attestation import Attestation
from mlops_lab.framing.conditions import conditions
from mlops_lab.framing.costs import Costs
from mlops_lab.framing.inputs import prepare
from mlops_lab.framing.measure import measure
from mlops_lab.framing.precedence import evidence_decision
from mlops_lab.framing.reasons import reasons, shines
from mlops_lab.framing.verdict import Verdict

__all__ = ["should_use_ml"]


def should_use_ml(
    data: pd.DataFrame,
    target: str,
    *,
    time: str | None = None,
    live: pd.DataFrame | None = None,
    costs: Costs | None = None,
    attest: Attestation | None = None,
    rule: Callable[[pd.DataFrame], Any] | None = None,
    seed: int = 0,
) -> Verdict:
    """Decide from data, costs and volume: a table, a rule, a model, more data, or leave it.

    The first that holds wins: BLOCKED (no named person said that it is legal and ethical), LOOKUP (a table
    answers exactly), COLLECT (too few rows to test), SHIFT (tomorrow does not look like the past), PARTIAL
    (over all rows no model pays or none is clearly better than paper, in one group it does and is), COLLECT
    (too few rows to see a relation), NO_SIGNAL (the inputs do not know the answer), COLLECT (weak and the
    learning curve is steep, a weak rule leads on few rows, or paper against model is undecided), RULE (the
    best on paper is as good, or brings as much money), ML, PARTIAL (only the surest answers pay),
    NOT_COST_EFFECTIVE.

    It cannot tell whether a column is known in time, whether the labels mean what they should, or whether
    the use is right; it does not read free text. It misleads where rows are copies of each other, and its
    error rates (benchmarks/results/framing.json) are rates over our own cases. Of more than 3,000 rows a
    random 3,000 are read.

    Parameters
    ----------
    data
        One row per example: numbers, categories, flags, dates, with gaps where they are.
    target
        The column with the answers: classes or numbers.
    time
        The column that says when each row arose; without it change cannot be seen.
    live
        Recent inputs without answers.
    costs
        What answers are worth; without them there is no cost verdict.
    attest
        What a named person says about law and ethics; without it the decision is BLOCKED.
    rule
        A rule of your own to compete on paper: reads a table of inputs, returns one answer a row.
    seed
        Which rows are held back, shuffled and redrawn.

    Raises
    ------
    TypeError
        When `data` or `live` is no DataFrame, or costs or attest are of another kind.
    ValueError
        When the table cannot be read; the message names the column and the way out.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("one_rule")
    >>> yes = framing.Attestation(legal=True, ethical=True, by="A. Meyer")
    >>> verdict = framing.should_use_ml(case.data, case.target, attest=yes)
    >>> verdict.decision, verdict.rule
    ('RULE', 'x2 <= 0.3...: 0; otherwise: 1')

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if costs is not None and not isinstance(costs, Costs):
        raise TypeError(f"costs is a {type(costs).__name__}; give framing.Costs(...) or None.")
    if attest is not None and not isinstance(attest, Attestation):
        raise TypeError(f"attest is a {type(attest).__name__}; give framing.Attestation(...) or None.")
    problem = prepare(data, target, time=time, live=live, seed=seed)
    found = measure(problem, costs=costs, rule=rule, seed=seed)
    signed = Attestation() if attest is None else attest
    evidence = (
        *conditions(problem, found, costs),
        *shines(found, costs),
        *reasons(problem, found, costs, signed),
    )
    decision, because = evidence_decision(found, problem.size)
    rule_words = "" if found.contest is None else found.contest.best_paper.words
    if found.lookup is not None and found.lookup.columns:
        rule_words = f"a table by {' and '.join(found.lookup.columns)}"
    return Verdict(
        title="Should machine learning be used here?",
        findings=tuple(row.finding() for row in evidence),
        decision=decision if signed.given else "BLOCKED",
        evidence_decision=decision,
        because=because if signed.given else ("N1",),
        evidence=evidence,
        rule=rule_words,
        notes=problem.notes,
        measured=found,
        costs=costs,
    )
