"""How the exercises of a lesson are tried: on forms that are right, and on typical wrong answers.

`tests/exercises/test_<topic>.py` holds `ANSWERS`, one for each exercise, and `test_answers = tried(...)`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from mlops_lab import exercises
from mlops_lab.exercises.exercise import Exercise
from mlops_lab.exercises.judging import FunctionJudge


class Answers(NamedTuple):
    """Answers to one exercise; both functions take the seed.

    `right` gives accepted forms, of which the first is the solution; `wrong` at least four typical wrong
    answers, each with a part of what it must be told. `slow`: its judge plays or simulates for seconds.
    """

    right: Callable[[int], Sequence[object]]
    wrong: Callable[[int], Sequence[tuple[object, str]]]
    seeds: tuple[int, ...] = (0, 1)
    slow: bool = False


NONSENSE = (
    None,
    object(),
    [],
    {},
    set(),
    "",
    b"",
    3,
    1j,
    -1e300,
    np.nan,
    np.inf,
    True,
    [[]],
    pd.DataFrame(),
    pd.Series(dtype=float),
    np.array("x"),
    lambda: None,
    lambda *given: None,
    lambda *given: given,
    lambda *given: {"a": 1},
    lambda *given: 1 / 0,
    lambda *given: np.array([]),
    lambda *given: object(),
    lambda *given: iter(()),
)


def tried(topic: str, answers: Mapping[str, Answers]) -> Callable[..., None]:
    """Make the test that tries each exercise of a topic on its answers."""
    own = exercises.of_topic(topic)

    marks = {id: pytest.mark.slow for id, held in answers.items() if held.slow}
    params = [pytest.param(each, id=each.id, marks=marks.get(each.id, ())) for each in own]

    @pytest.mark.parametrize("exercise", params)
    def test(exercise):
        assert set(answers) == {each.id for each in own}, "each exercise needs its answers, and nothing else"
        is_tried(exercise, answers[exercise.id])

    return test


def is_tried(exercise: Exercise, answers: Answers) -> None:
    """Hold an exercise to its answers, to nonsense, and to the mistakes that it knows by name."""
    for seed in answers.seeds:
        accepts(exercise, answers.right(seed), seed)
        refuses(exercise, answers.wrong(seed), seed, str(answers.right(seed)[0]))
        if isinstance(exercise.judge, FunctionJudge):
            names_its_mistakes(exercise, seed)
    for answer in NONSENSE:
        found = exercise.outcome(answer, answers.seeds[0])
        assert found.state == "not yet", answer
        assert "could not be judged" not in found.message, (answer, found.message)
    assert exercise.outcome(..., answers.seeds[0]).state == "not attempted"


def accepts(exercise: Exercise, forms: Sequence[object], seed: int) -> None:
    """Check that every right form is right."""
    assert forms, f"{exercise.id} needs its solution"
    for form in forms:
        found = exercise.outcome(form, seed)
        assert found.state == "right", (exercise.id, form, found.message)


def refuses(exercise: Exercise, wrong: Sequence[tuple[object, str]], seed: int, solution: str) -> None:
    """Check that typical wrong answers are told why, in at least four ways, and never the solution."""
    assert len({part for _, part in wrong}) >= 4, "four different mistakes, not one four times"
    for answer, part in wrong:
        found = exercise.outcome(answer, seed)
        assert found.state == "not yet", (exercise.id, answer)
        assert len(part) >= 5 and part in found.message, (exercise.id, answer, part, found.message)
        if isinstance(answer, (int, float, str)):
            words = found.message.replace(repr(answer), "").replace(str(answer), "")
            assert not re.search(rf"(?<![\w.]){re.escape(solution)}(?![\w]|\.\d)", words), (answer, words)


def names_its_mistakes(exercise: Exercise, seed: int) -> None:
    """Check that no known mistake looks right, or like one before it of which something else is said."""
    for mistake in exercise.judge.mistakes:
        found = exercise.outcome(mistake.answer, seed)
        said = found.message[-len(mistake.message) :]
        assert found.state == "not yet" and said.casefold() == mistake.message.casefold(), found.message
