"""Conditions are read as Python means them, and nothing else is run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_lab.lesson.conditions import first_that_holds, holds, names, parsed

CONDITIONS = (
    "a <= 0.1",
    "0.1 < a <= b",
    "a == b or not a > 0",
    "a < -1 and b >= 2 or a != 3",
    "not (a < b and b < 5)",
    "a",
    "not b",
)


@given(st.sampled_from(CONDITIONS), st.integers(-3, 6), st.floats(-3, 6))
def test_a_condition_holds_where_python_says_so(condition, a, b):
    assert holds(condition, {"a": a, "b": b}) == bool(eval(condition, {"a": a, "b": b}))


@pytest.mark.parametrize(
    "condition",
    [
        *(
            "a + 1 > 2",
            "f(a)",
            "a.b",
            "a[0]",
            "[a]",
            "lambda: a",
            "a if b else 0",
            "a in 'x'",
            "f'{a}'",
            "-a > 1",
        ),
        *(
            "__import__('os')",
            "(a := 1)",
            "a <",
            "",
            "None",
            "b'x'",
            "a > 1j",
            "a; b",
            "a is True",
            "{a}",
            "*a",
        ),
    ],
)
def test_what_is_more_than_a_comparison_is_refused(condition):
    with pytest.raises(ValueError, match="the condition"):
        parsed(condition)


def test_texts_and_truths_are_compared_too():
    assert holds("best == 'lot' and sure", {"best": "lot", "sure": True})
    assert names("best == 'lot' and sure or n > 1") == {"best", "sure", "n"} and names("otherwise") == set()


def test_the_first_that_holds_wins():
    conditions = ["x <= 0.1", "x <= 0.5", "otherwise"]
    assert [first_that_holds(conditions, {"x": x}) for x in (0.1, 0.3, 2)] == [0, 1, 2]
    assert first_that_holds(conditions[:2], {"x": 1}) is None


def test_a_value_that_is_missing_is_named():
    with pytest.raises(ValueError, match="asks for 'share', and flood was passed"):
        holds("share > 0.5", {"flood": 1})
