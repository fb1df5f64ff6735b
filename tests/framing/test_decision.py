"""The decision from given results, and verdicts on the kinds of tables that people bring."""

from __future__ import annotations

import functools
import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_lab import framing
from mlops_lab.framing.contest import Contest, Entry, held_back_p
from mlops_lab.framing.costs import NetValue, Part
from mlops_lab.framing.decision import Measured, Money, evidence_decision, signal
from mlops_lab.framing.learning_curve import LearningCurve
from mlops_lab.framing.lookup_tables import Lookup
from mlops_lab.framing.permutation_test import ShuffleTest
from mlops_lab.framing.skill import Answers

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

YES = framing.Attestation(legal=True, ethical=True, by="A. Meyer")


def entry(name: str, kind: str, rows: int = 2000) -> Entry:
    """Make a candidate that was asked about so many rows."""
    answers = Answers(np.arange(rows) % 2, np.where(np.arange(rows) % 8 < 2, 0.0, 1.0), 2)
    return Entry(name, kind, answers, np.ones((rows, 2)), "a rule", np.arange(rows))


def found(
    *,
    gain: tuple[float, float, float] = (0.1, 0.05, 0.15),
    skill: tuple[float, float, float] = (0.5, 0.45, 0.55),
    p: float = 0.005,
    p_held: float = 0.005,
    rows: int = 2000,
    money: Money | None = None,
    chosen_low: float = 0.1,
) -> Measured:
    """Make results as `measure` gives them."""
    paper, model = entry("one rule", "paper", rows), entry("trees", "model", rows)
    return Measured(
        Lookup((), 0.0, 0.0),
        ShuffleTest(0.1, np.zeros(199), p),
        Contest((paper, model), paper, model, *gain, p_value=p_held),
        *skill,
        chosen_low=chosen_low,
        chosen_high=skill[2] + 0.01,
        curve=LearningCurve((100, 200, 400), (0.4, 0.45, 0.5), 0.01),
        money=money,
    )


def money(model: float, paper: float, part: float = 0.0, *, lead: float = 1.0, share: float = 0.6) -> Money:
    """Make money whose intervals reach `lead` to either side."""
    ahead = part if part > model else model
    return Money(
        NetValue(model, model - lead, model + lead),
        NetValue(paper, paper - lead, paper + lead),
        "trees",
        "one rule",
        Part(share, part, part - lead, part + lead),
        NetValue(part - model, part - model - lead, part - model + lead),
        NetValue(ahead - paper, ahead - paper - lead, ahead - paper + lead),
        0.1,
        0.2,
    )


BETTER, AS_GOOD = (0.1, 0.05, 0.15), (0.0, -0.02, 0.02)


@pytest.mark.parametrize(
    ("gain", "earned", "right"),
    [
        (BETTER, money(220, 320, 420), "PARTIAL"),  # the surest part earns most, paper more than the whole
        (BETTER, money(220, 320, 300), "RULE"),
        (BETTER, money(220, -50, 450), "PARTIAL"),  # the whole pays, its part twice as much
        (BETTER, money(220, -50, 430), "ML"),  # more, but not twice as much
        (BETTER, money(220, 100, 0), "ML"),
        (BETTER, money(-20, -50, 40), "PARTIAL"),
        (BETTER, money(-20, -50, 0.5), "NOT_COST_EFFECTIVE"),
        (BETTER, money(-20, -50, 40, share=0.01), "NOT_COST_EFFECTIVE"),
        (AS_GOOD, money(-20, -50, 40), "PARTIAL"),  # a rule that loses money is no way out
        (AS_GOOD, money(-20, -50, -10), "NOT_COST_EFFECTIVE"),
        (AS_GOOD, money(100.5, 100, 0), "RULE"),  # as good, and the lead may be chance
        (AS_GOOD, money(200, 100, 0), "ML"),
    ],
)
def test_with_costs_what_earns_most_is_recommended(gain, earned, right):
    assert evidence_decision(found(gain=gain, money=earned), 2000)[0] == right


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"p": 0.3, "skill": (0.14, 0.12, 0.17)}, "yes"),  # shuffled among 2,000 rows held back
        ({"p": 0.3, "p_held": 0.3, "skill": (0.14, 0.12, 0.17)}, "unclear"),
        ({"p": 0.3, "p_held": 0.3, "skill": (0.14, 0.12, 0.17), "rows": 300}, "unclear"),
        ({"p": 0.3, "p_held": 0.3, "skill": (0.04, 0.03, 0.05), "chosen_low": 0.01}, "no"),
        ({"p": 0.3, "p_held": 0.3, "skill": (0.1, -0.2, 0.3), "rows": 60}, "unclear"),
    ],
)
def test_a_relation_is_never_denied_against_its_own_interval(given, answer):
    assert signal(found(**given)) == answer


def test_of_many_rows_an_open_contest_goes_to_the_rule_and_of_few_to_more_rows():
    wide = found(gain=(0.02, -0.2, 0.25))
    assert evidence_decision(wide, 200)[0] == "COLLECT"
    assert evidence_decision(wide, 2000)[0] == "RULE"


def test_held_back_p_is_as_often_small_as_it_says():
    rng = np.random.default_rng(0)
    small = 0
    for trial in range(200):
        truth, given = rng.integers(0, 2, 120), rng.random((4, 120))
        table = pd.DataFrame({"x": np.arange(120) % 7, "y": truth})
        problem = framing.prepare(table, "y")
        tried = [
            Entry(str(k), "model", Answers(problem.answers, np.zeros(120), 2),
                  np.column_stack([1 - each, each]), "", np.arange(120))
            for k, each in enumerate(given)
        ]  # fmt: skip
        small += held_back_p(problem, tried, permutations=39, seed=trial) <= 0.05
    assert 1 <= small <= 21  # of 200, 10 are expected; beyond 21 comes once in a thousand such tests


@functools.cache
def many(kind: str) -> framing.Verdict:
    """Ask about a table of 24,000 rows."""
    rng = np.random.default_rng(5)
    rows = 24_000
    x = rng.normal(size=(rows, 4))
    table = pd.DataFrame(x, columns=list("abcd"))
    if kind == "rare":
        table["y"] = np.where((x[:, 0] > 2.2) & (x[:, 1] > 1), "rare", "usual")
    else:
        weak = 0.22 * x[:, 0] + 0.22 * np.sin(3 * x[:, 1])
        table["y"] = np.where(weak + rng.normal(size=rows) > 0, "yes", "no")
    return framing.should_use_ml(table, "y", attest=YES, seed=1)


def test_a_class_that_is_rare_is_not_lost_with_the_rows_that_were_not_read():
    verdict = many("rare")
    assert verdict.decision in ("RULE", "ML") and verdict.measured.contest is not None
    assert "From 20,0" in verdict.headline() and "of 24,000 rows" in verdict.headline()


def test_many_rows_are_held_back_once_and_a_weak_relation_is_seen():
    verdict = many("weak")
    assert len(verdict.measured.contest.best_model.rows) > 6000
    assert verdict.decision in ("RULE", "ML") and verdict.measured.low > 0.02


def test_a_column_that_settles_the_answer_is_asked_about():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(500, 4)), columns=list("abcd"))
    sold = table["a"] + table["b"] + rng.normal(size=500) > 0
    leak = np.where(rng.random(500) < 0.02, rng.normal(size=500), np.where(sold, 1.0, -1.0) * 5)
    verdict = framing.should_use_ml(table.assign(paid=leak, y=sold), "y", attest=YES)
    assert "is 'paid' known before the answer is?" in verdict.headline()
    clean = framing.should_use_ml(table.assign(y=sold), "y", attest=YES)
    assert clean.question == ""


contradictions = runpy.run_path(str(BENCHMARKS / "contradictions.py"))["contradictions"]


@pytest.mark.parametrize(
    "name", ["noise_small", "few_rule", "points_rare", "concept_drift", "rule_earns_more"]
)
def test_no_sentence_denies_the_row_beside_it(name):
    case = framing.case(name, seed=11)
    assert contradictions(framing.should_use_ml(case.data, case.target, attest=YES, **case.options)) == []


def test_nor_does_one_in_any_answer_of_the_benchmark():
    stored = json.loads((BENCHMARKS / "results" / "framing.json").read_text(encoding="utf-8"))
    assert stored["contradictions"] == {}


def test_a_rule_of_many_classes_can_still_be_read():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1200, 5))
    kinds = np.array([f"kind {k}" for k in range(25)])[np.clip((x[:, 0] * 6 + 12).astype(int), 0, 24)]
    verdict = framing.should_use_ml(pd.DataFrame(x, columns=list("abcde")).assign(y=kinds), "y", attest=YES)
    assert contradictions(verdict) == [] and "four-leaf" not in str(verdict.measured.contest.frame())
    assert "Not tried: boosted trees" in verdict.headline()
