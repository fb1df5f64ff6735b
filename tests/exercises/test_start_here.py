"""Lesson 00's exercises and the answers that each is tried on."""

import numpy as np
import pandas as pd
import pytest
from exercise_answers import Answers, tried

from mlops_lab import exercises
from mlops_lab.exercises import start_here as lesson


def _right(seed: int) -> list[object]:
    week = lesson._first_far_below(seed)
    return [week, float(week), np.int64(week), np.array(week), pd.Series([week], index=[3]), [week]]


def _wrong(seed: int) -> list[tuple[object, str]]:
    found, true = lesson.first_weeks(seed), lesson._first_far_below(seed)
    weeks = found.weeks
    far = weeks.accuracy < found.promised - lesson.POINTS
    row = int(far.argmax())
    after = far & (weeks.week > true)
    wrong: list[tuple[object, str]] = [
        (row, "a row's position"),
        (far, "marks weeks with True and False"),
        (weeks.loc[far, "week"], f"{int(far.sum())} values"),
        (float(weeks.accuracy[row]), "looks like an accuracy"),
        (f"{true}", "without quotes"),
        (99, "no week here"),
        (weeks.loc[far].index, "values"),
    ]
    worst = int(weeks.week.to_numpy()[weeks.accuracy.argmin()])
    if worst != true:
        wrong.append((worst, "the worst week"))
    wrong += [(int(week), "an earlier week is so too") for week in weeks.week[after] if week != worst]
    for week, accuracy in zip(weeks.week[:row], weeks.accuracy[:row], strict=True):
        if week != row:
            kept = accuracy >= found.promised
            wrong.append((int(week), "keeps the promise" if kept else "not by more than five points"))
    return wrong


ANSWERS = {
    "start_here.1": Answers(right=_right, wrong=_wrong),
}

test_answers = tried("start_here", ANSWERS)


@pytest.mark.parametrize("seed", range(3))
def test_the_first_bad_week_agrees_with_a_plain_loop(seed):
    found = lesson.first_weeks(seed)
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
    weeks = lesson.first_weeks(0).weeks
    weeks["accuracy"] = 0.0
    assert lesson.first_weeks(0).weeks["accuracy"].min() > 0.3
