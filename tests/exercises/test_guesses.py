"""A wrong function is told which typical mistake it made, if it makes it in every case, and nothing else."""

import numpy as np
import pytest

from mlops_lab.exercises.guesses import Guess, judged, typical
from mlops_lab.exercises.judging import Case

CASES = [Case((2.0,), 4.0, "two"), Case((3.0,), 9.0, "three"), Case((0.0,), 0.0, "zero")]
DOUBLED, CUBED = Guess(lambda x: 2 * x, "that doubles"), Guess(lambda x: x**3, "that is the cube")
JUDGE = judged(lambda seed: CASES, [DOUBLED, CUBED], well="A square.")


def test_right_answers_are_right_in_any_form():
    assert JUDGE(lambda x: x * x, 0) == JUDGE(lambda x: np.array([x**2]), 0)
    assert JUDGE(lambda x: x * x, 0).message == "A square."


def test_a_mistake_is_named_at_the_first_case_where_it_shows():
    assert JUDGE(lambda x: x + x, 0).message == "For three your function returned 6: that doubles."
    assert JUDGE(lambda x: x * x * x, 0).message == "For two your function returned 8: that is the cube."


def test_a_mistake_that_fits_some_cases_only_is_not_named():
    said = JUDGE(lambda x: 4.0 if x == 2 else 2 * x + 1, 0).message
    assert "doubles" not in said and said == "For three your function returned 7, which is not right."


def test_undefined_values_are_compared_too():
    judge = judged(
        lambda seed: [Case((0.0,), 1.0, "zero")], [Guess(lambda x: np.log(x - 1), "a negative log")]
    )
    assert "a negative log" in judge(lambda x: np.log(-1 - x), 0).message


@pytest.mark.parametrize(
    ("answer", "said"), [(4, "without brackets"), (lambda: 4, "stopped"), (lambda x: None, "returned None")]
)
def test_what_is_no_such_function_is_told_by_the_common_judge(answer, said):
    assert said in JUDGE(answer, 0).message


def test_guesses_serve_as_typical_wrong_answers():
    for answer, why in typical([DOUBLED, CUBED]):
        assert why in JUDGE(answer, 0).message
