"""The judges of common answers: every right form is read, a mistake is named only where it explains all."""

import math
import time
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from mlops_lab.exercises import exercise, judging
from mlops_lab.exercises.exercise import Exercise
from mlops_lab.exercises.judging import FunctionJudge, Mistake, Trial, same

NUMBERS = [
    0.25,
    np.float32(0.25),
    np.array(0.25),
    np.array([0.25]),
    pd.Series([0.25], index=["x"]),
    [0.25],
    (0.25,),
    Fraction(1, 4),
]


@pytest.mark.parametrize("form", NUMBERS, ids=lambda form: type(form).__name__)
def test_a_number_is_read_in_every_form(form):
    assert judging.read_number(form) == 0.25
    assert judging.read_number(pd.DataFrame({"a": [0.25]})) == 0.25


@pytest.mark.parametrize(
    ("answer", "fragment"),
    [
        ("0.25", "without quotes"),
        (np.array("0.25"), "without quotes"),
        (True, "not true or false"),
        (np.False_, "not true or false"),
        (len, "call it"),
        ([1, 2], "a list of 2 values"),
        ([], "a list of 0 values"),
        (pd.Series([1, 2]), "a Series of 2 values"),
        (float("nan"), "missing value"),
        (None, "NoneType"),
        (1j, "complex"),
        ({"a": 1}, "dict"),
    ],
)
def test_what_is_no_number_is_told_apart(answer, fragment):
    assert fragment in judging.read_number(answer).message


def test_a_number_is_judged_with_tolerance_and_diagnosis():
    judge = judging.number(
        lambda seed: 0.25 + seed,
        within=0.01,
        fraction=True,
        mistakes=lambda seed: [Mistake(0.75, "counts the others.")],
    )
    assert judge(0.26, 0).state == judge(0.24, 0).state == "right"
    assert judge(0.2601, 0).state == judge(0.25, 1).state == "not yet"
    assert "counts the others" in judge(0.75, 0).message
    assert "percent" in judge(25, 0).message and "no share" in judge(30, 0).message
    assert "0.5 is not it" in judge(0.5, 0).message
    with pytest.raises(ValueError, match="within"):
        judging.number(lambda seed: 1.0, within=-1)


def test_a_mistake_that_coincides_with_the_truth_is_no_mistake():
    judge = judging.whole_number(
        lambda seed: 8, mistakes=lambda seed: [Mistake(8, "is the position."), Mistake(2, "is the position.")]
    )
    assert judge(8, 0).state == judge(np.int64(8), 0).state == judge([8.0], 0).state == "right"
    assert "position" in judge(2, 0).message and "whole number" in judge(8.5, 0).message
    assert judge(float("inf"), 0).state == "not yet"


def test_a_choice_forgives_capitals_and_explains_each_wrong_option():
    judge = judging.choice(lambda seed: "label noise", {"drift": "came later.", "label noise": "came later."})
    assert judge("  Label noise", 0).state == "right"
    assert "came later" in judge("drift", 0).message
    assert "not among the choices: 'drift', 'label noise'" in judge("noise", 0).message
    assert "in quotes" in judge(3, 0).message


def test_a_function_is_judged_by_what_it_returns():
    judge = FunctionJudge(lambda seed: [Trial((1.0,), 2.0, "one"), Trial((0.1 + 0.2,), 0.6, "a broken sum")])
    assert judge(lambda x: 2 * x, 0).state == judge(lambda x: np.float64(x + x), 0).state == "right"
    for answer, fragment in [
        (lambda x: None, "return"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda: 2, "TypeError"),
        (lambda x: 2, "a broken sum your function returned 2"),
        (lambda x: object(), "an object: one number is asked for"),
        (3, "function itself"),
    ]:
        assert fragment in judge(answer, 0).message


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_the_tolerance_is_that_of_the_numbers_own_kind(kind):
    judge = judging.number(lambda seed: 1 / 3, within=0.0)
    assert judge(kind(1 / 3), 0).state == judge([kind(1 / 3)], 0).state == "right"
    assert judge(pd.Series([1 / 3], dtype=kind), 0).state == "right"
    assert judge(kind(1 / 3) * kind(1.05), 0).state == "not yet"
    assert judge(1 / 3 + 1e-7, 0).state == "not yet"
    halves = FunctionJudge(lambda seed: [Trial((n,), [n / 3, n / 7], f"{n}") for n in (1, 2, 5)])
    assert halves(lambda n: np.array([n / 3, n / 7], dtype=kind), 0).state == "right"
    assert halves(lambda n: [kind(n / 3), kind(n / 7)], 0).state == "right"
    assert halves(lambda n: [n / 3, n / 7 + 1e-6], 0).state == "not yet"


def test_a_rounded_number_is_told_so_and_a_near_one_is_shown_in_full():
    judge = judging.number(lambda seed: 0.00996, within=0.00001)
    assert judge(0.01, 0).message == "Your answer 0.01 is rounded too far: give 5 decimals."
    assert "0.19740001 is not it" in judging.number(lambda seed: 0.1974, within=0)(0.19740001, 0).message
    shares = FunctionJudge(lambda seed: [Trial((n,), 1 / n, f"{n}") for n in (3, 7, 101)])
    assert shares(lambda n: round(1 / n, 2), 0).message.endswith(
        "For 3 your function returned 0.33: that is rounded: return the number as it comes out."
    )
    assert "returned 33.33: that is in percent" in shares(lambda n: 100 / n, 0).message
    assert "returned 0.3333334, which is not right" in shares(lambda n: 1 / n + 1e-7, 0).message


@pytest.mark.parametrize(
    "form", ["no signal", ["NO_SIGNAL"], np.array(["No-signal"]), pd.Series([" no_signal "])]
)
def test_a_choice_is_read_in_every_form(form):
    judge = judging.choice(lambda seed: "NO_SIGNAL", {"NO_SIGNAL": "is it.", "ML": "trusts the number."})
    assert judge(form, 0).state == "right"
    assert "trusts the number" in judge(["ml"], 0).message


def test_what_a_function_returns_and_what_is_wanted_is_told():
    judge = FunctionJudge(
        lambda seed: [Trial((n,), n / 4, f"{n}") for n in (1, 2)], wanted="one share is asked for"
    )
    for got, said in (
        ({"a": 1, "b": 2}, "a dict of 2 values: one share is asked for"),
        ([0.1, 0.2], "a list of 2 values: one share is asked for"),
        (np.zeros(3), "a ndarray of 3 values: one share is asked for"),
        ("0.25", "the text '0.25': one share is asked for"),
        (True, "True: one share is asked for"),
        (math.nan, "not a number, which is not right"),
    ):
        assert judge(lambda n, got=got: got, 0).message == f"For 1 your function returned {said}."
    words = FunctionJudge(lambda seed: [Trial((1,), "keep", "one")])
    assert words(lambda n: 1, 0).message.endswith("returned 1: one word is asked for.")
    assert words(lambda n: "drop", 0).message.endswith("returned 'drop', which is not right.")
    some = judge(lambda n: None if n == 2 else 0.25, 0).message
    assert some == "For 2 your function returned None: return something in every case."


def test_a_function_may_change_what_it_is_given():
    judge = FunctionJudge(lambda seed: [Trial(([3, 1, 2],), [1, 2, 3], "three")])

    def sorts(values):
        values.sort()
        return values

    assert judge(sorts, 0).state == "right"


# --- known mistakes ---------------------------------------------------------------------------------------

KNOWN = (
    Mistake(lambda x: x * x, "that is the square."),
    Mistake(lambda x: 4 / x, "that is four over it."),
)
DOUBLED = FunctionJudge(lambda seed: [Trial((n,), 2 * n, f"{n}") for n in (0, 1, 4)], KNOWN, well="Doubled.")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: x**2, "For 1 your function returned 1: that is the square."),
        (lambda x: x**2 + (x == 1), "For 4 your function returned 16, which is not right."),
        (lambda x: 4 / x, "ZeroDivisionError: division by zero. That is four over it."),
        (
            lambda x: {1: 4}[x],
            "For 0 your function stopped: KeyError: 0.",
        ),  # one value in common is no likeness
        (lambda x: 2 * x / x, "For 0 your function stopped: ZeroDivisionError: division by zero."),
        (lambda x: 4 / x if x else 0, "For 1 your function returned 4, which is not right."),
        (3, "give the function itself, without brackets."),
    ],
)
def test_a_mistake_is_named_only_where_it_explains_all_that_was_returned(answer, said):
    found = DOUBLED(answer, 0)
    assert found.state == "not yet" and found.message.endswith(said), found.message


def test_right_functions_are_right_and_each_trial_is_tried_once():
    assert (
        DOUBLED(lambda x: x + x, 0).message == DOUBLED(lambda x: np.array([2 * x]), 0).message == "Doubled."
    )
    calls = []
    DOUBLED(calls.append, 0)
    assert calls == [0, 1, 4]


def test_undefined_values_are_compared_too():
    judge = FunctionJudge(
        lambda seed: [Trial((0.0,), 1.0, "zero")], [Mistake(lambda x: np.log(x - 1), "a negative log.")]
    )
    assert "a negative log" in judge(lambda x: np.log(-1 - x), 0).message


@pytest.mark.parametrize("got", [(0.25, 0.5), [0.25, 0.5], np.array([0.25, 0.5]), pd.Series([0.25, 0.5])])
def test_a_pair_may_come_in_any_container_with_an_order(got):
    assert same(got, (0.25, 0.5)) and not same(got, (0.5, 0.25)) and not same(got, (0.25,))


@pytest.mark.parametrize("got", [{0.25, 0.5}, {"a": 0.25, "b": 0.5}, "0.25 0.5", None, 0.25, object()])
def test_what_has_no_order_or_no_numbers_is_not_the_same(got):
    assert not same(got, (0.25, 0.5))


def test_other_kinds_are_compared_as_what_they_are():
    assert (
        same(None, None) and not same(0, None) and same(np.array("keep"), "keep") and not same(True, "keep")
    )
    assert same([1, 2, 2], {1, 2}) and not same("12", {"1", "2"}) and not same(3, {3})
    assert (
        same(pd.Series({1: 0.5}), {1: 0.5})
        and not same({1: 0.5, 2: 1}, {1: 0.5})
        and not same([0.5], {0: 0.5})
    )
    assert same(({"a": 1, "b": None},), [{"a": 1.0, "b": None}]) and not same([{"a": 2}], [{"a": 1}])
    assert same(np.True_, True) and not same(1, True) and not same("True", True)


# --- exercises --------------------------------------------------------------------------------------------


def _exercise(judge):
    return Exercise("demo.1", "How many?", judge, ("Why?", "Look.", "Two."))


def test_a_loop_that_never_ends_is_stopped_and_told(monkeypatch):
    monkeypatch.setattr(exercise, "LIMIT_S", 0.2)

    def forever(x):
        while True:
            x += 1

    before = time.monotonic()
    found = _exercise(DOUBLED).outcome(forever)
    assert "did not come to an end in 0.2 s: does a loop in it never end?" in found.message
    assert time.monotonic() - before < 20
    assert _exercise(DOUBLED).outcome(lambda x: x + x).state == "right"
    time.sleep(0.3)  # and no late stop hits what comes after


def test_a_judge_that_fails_sends_the_answer_back():
    assert (
        "could not be judged: ZeroDivisionError" in _exercise(lambda answer, seed: 1 / 0).outcome(3).message
    )
