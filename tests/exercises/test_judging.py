"""Every rule of every topic is held to its own right and wrong answers; and the judges of common answers."""

import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from mlops_lab import exercises
from mlops_lab.exercises import judging, start_here
from mlops_lab.exercises.judging import Case, Mistake

RULES = [rule for topic in exercises.topics() for rule in exercises.rules(topic)]
named = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
seeded = pytest.mark.parametrize("seed", [0, 1])


@named
@seeded
def test_every_right_form_is_accepted(rule, seed):
    forms = rule.right(seed)
    assert forms, "a rule needs its solution"
    for form in forms:
        found = rule.outcome(form, seed)
        assert found.state == "right", (form, found.message)


@named
@seeded
def test_typical_wrong_answers_are_told_why(rule, seed):
    wrong = rule.wrong(seed)
    assert len(wrong) >= 4
    assert len({fragment for _, fragment in wrong}) >= 4, "four different mistakes, not one four times"
    for answer, fragment in wrong:
        found = rule.outcome(answer, seed)
        assert found.state == "not yet", answer
        assert len(fragment) >= 5 and fragment in found.message, (answer, found.message)


@named
@seeded
def test_no_message_prints_the_solution(rule, seed):
    solution = str(rule.right(seed)[0])
    for answer, _ in rule.wrong(seed):
        if isinstance(answer, (int, float, str)):
            words = rule.outcome(answer, seed).message.replace(repr(answer), "").replace(str(answer), "")
            assert not re.search(rf"(?<![\w.]){re.escape(solution)}(?![\w]|\.\d)", words), (answer, words)


@named
def test_a_rule_belongs_to_its_topic_and_has_three_different_hints(rule):
    topic, _, number = rule.id.partition(".")
    assert rule in exercises.rules(topic) and number.isdigit() and exercises.find(rule.id) is rule
    assert len(set(rule.hints)) == 3 and rule.hints[0].rstrip(".").count("?") >= 1
    assert rule.question.endswith("?") or rule.question.endswith(".")


@named
def test_nonsense_is_never_right(rule):
    for answer in (None, object(), [], {}, "", np.nan, np.inf, pd.DataFrame(), lambda: None, b"", -1e300, 1j):
        assert rule.outcome(answer, 0).state == "not yet", answer
    assert rule.outcome(..., 0).state == "not attempted"


def test_ids_are_unique():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids)) and "start_here.1" in ids
    assert "judges" not in exercises.topics()


@pytest.mark.parametrize("seed", range(6))
def test_the_first_bad_week_agrees_with_a_plain_loop(seed):
    found = start_here.first_weeks(seed)
    far = [
        week
        for week, accuracy in zip(found.weeks["week"], found.weeks["accuracy"], strict=True)
        if found.promised - accuracy > 0.05
    ]
    accepted = [
        candidate
        for candidate in range(100)
        if exercises.find("start_here.1").outcome(candidate, seed).state == "right"
    ]
    assert accepted == far[:1]


def test_a_students_table_is_their_own():
    weeks = start_here.first_weeks(0).weeks
    weeks["accuracy"] = 0.0
    assert start_here.first_weeks(0).weeks["accuracy"].min() > 0.3


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
        ([1, 2], "list with 2 values"),
        ([], "list with 0 values"),
        (pd.Series([1, 2]), "Series with 2 values"),
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
    judge = judging.function(lambda seed: [Case((1.0,), 2.0, "one"), Case((0.1 + 0.2,), 0.6, "a broken sum")])
    assert judge(lambda x: 2 * x, 0).state == judge(lambda x: np.float64(x + x), 0).state == "right"
    for answer, fragment in [
        (lambda x: None, "return"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda: 2, "TypeError"),
        (lambda x: 2, "a broken sum your function returned 2"),
        (lambda x: object(), "a object"),
        (3, "function itself"),
    ]:
        assert fragment in judge(answer, 0).message
    tables = judging.function(
        lambda seed: [Case((2,), pd.Series([1, 2]), "two rows")], agree=lambda a, b: a.equals(b)
    )
    assert tables(lambda n: pd.Series(range(1, n + 1)), 0).state == "right"
    assert tables(lambda n: pd.Series([n]), 0).state == "not yet"
