"""A known mistake is named only where it explains every value that a function returned."""

import numpy as np
import pytest

from mlops_lab.exercises.judging import Case
from mlops_lab.exercises.known_mistakes import alike, explained, same


def _cases(seed):
    return [Case((number,), 2 * number, f"{number}") for number in (0, 1, 4)]


KNOWN = [(lambda x: x * x, "That is the square."), (lambda x: 4 / x, "That is four over it.")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda x: x**2, " That is the square."),
        (lambda x: x**2 + (x == 1), ""),  # the same as the square at two of three
        (lambda x: 4 / x, " That is four over it."),  # both stop at 0, and agree wherever they answer
        (lambda x: {1: 4}[x], ""),  # one value in common is no likeness
    ],
)
def test_one_value_in_common_is_no_explanation(answer, why):
    assert alike(answer, _cases, 0, KNOWN) == why


def test_a_right_function_is_right_and_no_function_is_told():
    judge = explained(_cases, KNOWN, well="Doubled.")
    assert judge(lambda x: x + x, 0).message == "Doubled."
    assert judge(3, 0).message.endswith("give the function itself, without brackets.")
    assert judge(lambda x: x * x, 0).message.endswith("returned 1, which is not right. That is the square.")


def test_each_case_meets_the_answer_at_most_twice():
    calls = []
    explained(_cases, KNOWN * 5)(calls.append, 0)
    assert len(calls) <= 2 * len(_cases(0))


@pytest.mark.parametrize("got", [(0.25, 0.5), [0.25, 0.5], np.array([0.25, 0.5])])
def test_a_pair_may_come_in_any_container_with_an_order(got):
    assert same(got, (0.25, 0.5)) and not same(got, (0.5, 0.25)) and not same(got, (0.25,))


@pytest.mark.parametrize("got", [{0.25, 0.5}, {"a": 0.25, "b": 0.5}, "0.25 0.5", None, 0.25, object()])
def test_what_has_no_order_or_no_numbers_is_not_the_same(got):
    assert not same(got, (0.25, 0.5))


def test_none_and_words_are_compared_as_they_are():
    assert (
        same(None, None) and not same(0, None) and same(np.array("keep"), "keep") and not same(True, "keep")
    )
