"""The verdict, against cases whose answer is known, and the contract of its parts."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd
import pytest

from mlops_lab import framing
from mlops_lab.framing.cases import tangled
from mlops_lab.framing.decision import Measured, _money
from mlops_lab.framing.evidence import BASES, QUESTIONS, reasons

YES = framing.Attestation(legal=True, ethical=True, by="A. Meyer")


@functools.cache
def ask(name: str) -> framing.Verdict:
    """Ask a case once, for all tests that look at its verdict."""
    case = framing.case(name, seed=3)
    return framing.should_use_ml(case.data, case.target, attest=YES, **case.options)


@pytest.mark.parametrize(
    "name",
    [
        "noise",
        "one_rule",
        "complex",
        "few_rows",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("lookup", "live_moved", "too_dear", "part_pays")
        ),
    ],
)
def test_each_decision_is_reached_where_it_is_right(name):
    verdict = ask(name)
    assert verdict.decision in framing.case(name, seed=3).right
    assert verdict.decision == verdict.evidence_decision
    assert verdict.ok == (verdict.decision in ("ML", "PARTIAL"))
    assert set(verdict.because) <= set(QUESTIONS)


def test_thirteen_rows_each_with_its_basis():
    frame = ask("one_rule").frame()
    assert list(frame.index) == list(QUESTIONS)
    assert set(frame["basis"]) <= set(BASES)
    assert frame.loc["N3", "basis"] == "unknown" and "no costs" in frame.loc["N3", "words"]
    assert frame.loc["N1", "basis"] == "you told us"
    assert frame.loc["C5", "basis"] == "unknown" and frame.loc["S5", "basis"] == "unknown"
    assert frame.loc["C1", "basis"] == "measured" and frame.loc["C1", "value"] <= 0.01
    measured = frame[frame["basis"] == "measured"]
    assert measured["value"].notna().all()
    assert (frame["words"].str.len() > 10).all()


@pytest.mark.parametrize(
    ("attest", "why"),
    [
        (None, "Nobody has said whether this is legal"),
        (framing.Attestation(True, None, "A. Meyer"), "Nobody has said whether this is ethical"),
        (framing.Attestation(True, True), "bear no name"),
        (framing.Attestation(True, True, "   "), "bear no name"),
        (framing.Attestation(True, False, "A. Meyer"), "not ethical"),
    ],
)
def test_blocked_without_a_full_attestation_and_says_why(attest, why):
    case = framing.case("few_rows")
    verdict = framing.should_use_ml(case.data.head(20), case.target, attest=attest)
    assert verdict.decision == "BLOCKED" and verdict.evidence_decision == "COLLECT"
    assert verdict.because == ("N1",)
    assert why in verdict.deciding[0].words and "No statistic" in verdict.deciding[0].words
    assert not verdict.ok


def test_no_cost_verdict_without_costs_and_one_with():
    bare, paid = ask("complex"), ask("pays")
    assert bare.measured.money is None and paid.measured.money is not None
    assert bare.measured.group is None
    row = paid.frame().loc["N3"]
    assert row["low"] <= row["value"] <= row["high"] and row["basis"] == "measured"
    assert paid.frame().loc["S3", "basis"] == "you told us" and paid.frame().loc["S4", "value"] > 10_000


def test_a_number_needs_a_tolerance_before_money_is_counted():
    case = framing.case("points_number")
    problem = framing.prepare(case.data, case.target)
    result = framing.contest(problem)
    bare, wide = (framing.Costs(1, 1, 0, 0, 0, volume=1000, tolerance=limit) for limit in (None, 1.0))
    assert _money(problem, result, bare, 0) is None
    unpaid = reasons(problem, Measured(None, contest=result), bare, YES)[-1]
    assert unpaid.basis == "unknown" and "tolerance" in unpaid.words
    assert _money(problem, result, wide, 0).model.value > 0


def test_your_own_rule_competes_and_wins_ties():
    case = framing.case("few_rows", seed=1)

    def secret(table: pd.DataFrame) -> np.ndarray:
        x = table[[f"x{i}" for i in range(8)]].to_numpy()
        return (tangled(x) > 0).astype(int)

    verdict = framing.should_use_ml(case.data, case.target, attest=YES, rule=secret)
    assert verdict.decision == "RULE" and "secret" in verdict.rule


def test_same_seed_same_verdict():
    case = framing.case("few_rows", seed=3)
    again = framing.should_use_ml(case.data, case.target, attest=YES)
    pd.testing.assert_frame_equal(ask("few_rows").frame(), again.frame())


def test_a_verdict_is_a_report():
    from mlops_lab.report import Report

    verdict = ask("few_rows")
    assert isinstance(verdict, Report) and len(verdict.findings) == 13
    unknown = [finding for finding in verdict.findings if finding.source == "unknown"]
    assert unknown and all(finding.ok is None for finding in unknown)


def test_pictures_and_texts():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    verdict = ask("one_rule")
    axes = verdict.plot()
    written = [text.get_text() for text in axes.texts]
    assert written.count("decides") == len(verdict.because)
    assert sum(text.startswith(("for ML", "against", "unclear", "unknown")) for text in written) == 13
    own = plt.subplots()[1]
    assert verdict.plot(own) is own
    plt.close("all")
    assert "RULE" in str(verdict) and verdict.rule in str(verdict)
    assert "<table>" in verdict._repr_html_() and "x2 &lt;=" in verdict._repr_html_()


def test_the_row_cap_is_stated_and_kept():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(framing.ROW_CAP + 500, 3)), columns=list("abc"))
    problem = framing.prepare(table.assign(y=table["a"] > 0), "y")
    assert problem.size == framing.ROW_CAP and problem.rows_given == framing.ROW_CAP + 500
    assert any("20,000 of 20,500 rows" in note for note in problem.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value_correct": -1}, "value_correct is -1"),
        ({"run": math.nan}, "run is nan"),
        ({"volume": 0}, "volume is 0"),
        ({"years": 0}, "both must be above 0"),
        ({"value_correct": 0, "cost_wrong": 0}, "no answer matters"),
        ({"build": "much"}, "build is 'much'"),
    ],
)
def test_costs_say_what_is_wrong(arguments, message):
    good = {"value_correct": 1, "cost_wrong": 1, "run": 0, "build": 1, "keep": 1, "volume": 10}
    with pytest.raises(ValueError, match=message):
        framing.Costs(**{**good, **arguments})


def test_attestation_takes_no_guesses():
    with pytest.raises(TypeError, match="legal is 'yes'"):
        framing.Attestation("yes", True, "A. Meyer")
    with pytest.raises(TypeError, match="by is 7"):
        framing.Attestation(True, True, 7)


@pytest.mark.parametrize("wrong", [{"costs": {"volume": 3}}, {"attest": True}])
def test_other_kinds_of_costs_or_attestation_are_refused(wrong):
    case = framing.case("few_rows")
    with pytest.raises(TypeError, match="give framing"):
        framing.should_use_ml(case.data, case.target, **wrong)
