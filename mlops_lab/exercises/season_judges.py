"""Judges of lesson 13's longer answers: an effect by two forks, a weak grade, a channel, a whole policy.

They are held to by `checks/expectation_vs_reality.py`, where the questions and typical wrong answers stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mlops_lab import reality
from mlops_lab.exercises import Outcome, not_yet, right, told
from mlops_lab.exercises.judging import Case, function
from mlops_lab.reality.judging import underpaid
from mlops_lab.reality.story import FAIR_GAP, UNFAIR_COST

__all__ = [
    "channel",
    "judge_channel",
    "judge_effect",
    "judge_policy",
    "judge_weakest",
    "score",
    "weakest",
    "with_mistakes",
]


def _said(answer: object, arguments: tuple[object, ...], mistakes: Sequence[tuple[str | float, str]]) -> str:
    """Call a function once, and say which typical mistake its value is, if it is one."""
    try:
        got = answer(*arguments)  # type: ignore[operator]
        for made, why in mistakes:
            same = str(got) == made if isinstance(made, str) else math.isclose(float(got), made, abs_tol=1e-9)
            if same:
                seen = made if isinstance(made, str) else f"{float(got):.3g}"
                return f"Your function returned {seen}: {why}"
    except Exception:  # noqa: BLE001  the common judge tells what went wrong
        return ""
    return ""


def with_mistakes(
    cases: Callable[[int], Sequence[Case]],
    arguments: Callable[[], tuple[object, ...]],
    mistakes: Sequence[tuple[str | float, str]],
    well: str = "",
) -> Callable[[object, int], Outcome]:
    """Judge a function by cases, after telling typical mistakes by the value that it returns for one call."""

    def judge(answer: object, seed: int) -> Outcome:
        said = _said(answer, arguments(), mistakes) if callable(answer) else ""
        return not_yet(said) if said else function(cases, well=well)(answer, seed)

    return judge


class _Toy:
    """A world in a nutshell: it can be forked, changed, and measured; measuring costs it something, too."""

    def __init__(self, level: float, log: list[_Toy] | None = None) -> None:
        self.level, self.looks = level, 0
        self.forks: list[_Toy] = log if log is not None else []

    def fork(self) -> _Toy:
        other = _Toy(self.level, self.forks)
        other.looks = self.looks
        self.forks.append(other)
        return other


def _toy_measure(toy: _Toy) -> float:
    toy.looks += 1
    return toy.level - 10 * (toy.looks - 1)


def _toy_remedy(toy: _Toy) -> None:
    toy.level = 2 * toy.level + 3


def judge_effect(answer: object, seed: int) -> Outcome:
    """Judge a function that returns a remedy's effect by two forks, on worlds that notice being touched."""
    if not callable(answer):
        return not_yet(
            f"Your answer is a {type(answer).__name__}: give the function itself, without brackets."
        )
    for level in (4.0, -7.0):
        toy, expected = _Toy(level), level + 3
        try:
            got = answer(toy, _toy_remedy, _toy_measure)
        except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
            return not_yet(f"In a small trial world your function stopped: {told(error)}.")
        said = _effect_mistake(got, expected, toy, level)
        if said:
            return not_yet(said)
    return right("That is the whole method: one moment, two worlds, the same luck.")


def _effect_mistake(got: Any, expected: float, toy: _Toy, level: float) -> str:
    if toy.level != level or toy.looks:
        what = "changed" if toy.level != level else "measured, which can cost money and days,"
        return f"Your function {what} the project itself: do all on forks, and leave the game as it was."
    if got is None:
        return "Your function returned None: does it end with `return ...`?"
    if isinstance(got, (bool, str)) or not isinstance(got, (int, float, np.number)):
        return f"Your function returned a {type(got).__name__}: the effect is one number."
    value = float(got)
    if math.isclose(value, expected, abs_tol=1e-9):
        return ""
    if math.isclose(value, -expected, abs_tol=1e-9):
        return "Your function has the sign turned round: an effect is *with* less *without*."
    if len(toy.forks) < 2:
        return "Your function made fewer than two forks: both worlds must begin untouched."
    if math.isclose(value, 0.0, abs_tol=1e-9):
        return "Your function found no effect: is the remedy done in one world, before measuring?"
    if math.isclose(value, 2 * level + 3, abs_tol=1e-9):
        return "Your function returned the measure with the remedy, and did not take away the one without it."
    return f"Your function returned {value:.3g} in a trial world in which it is another number."


def weakest(graded: Sequence[str], true: Sequence[str]) -> str:
    """Name the grade of which the smallest share is found."""
    pairs = list(zip(graded, true, strict=True))
    recall = {
        grade: np.mean([said == grade for said, real in pairs if real == grade])
        for grade in dict.fromkeys(true)
    }
    return min(recall, key=lambda grade: recall[grade])


def _crates(counts: Mapping[tuple[str, str], int]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    pairs = [pair for pair, count in counts.items() for _ in range(count)]
    said, true = zip(*pairs, strict=True)
    return np.array(said, dtype=object), np.array(true, dtype=object)


# spoiled: recall 1/4, precision 1. table: the most mistakes. juice: the lowest precision. premium: the rarest
_MIXED = {
    ("spoiled", "spoiled"): 2,
    ("juice", "spoiled"): 6,
    ("table", "table"): 30,
    ("juice", "table"): 20,
    ("juice", "juice"): 12,
    ("premium", "premium"): 3,
    ("table", "premium"): 1,
}


def _weak_arguments() -> tuple[object, ...]:
    return _crates(_MIXED)


def _weak_cases(seed: int) -> list[Case]:
    never = {("fine", "fine"): 8, ("fine", "rotten"): 1}
    doubted = {("a", "a"): 6, ("b", "a"): 4, ("b", "b"): 7, ("c", "b"): 3, ("c", "c"): 20}
    words = {("a", "a"): 9, ("b", "a"): 1, ("b", "b"): 5, ("a", "b"): 5, ("c", "c"): 1}
    return [
        Case(_crates(_MIXED), "spoiled", "a mix in which another grade has more mistakes"),
        Case(_crates(never), "rotten", "a grade that is never given"),
        Case(_crates(words), "b", "other grades than the orchard's"),
        Case(_crates(doubted), "a", "a mix in which another grade is often given wrongly"),
        Case(tuple(list(each) for each in _crates(words)), "b", "plain lists"),
    ]


_WEAK_MISTAKES = (
    ("table", "it has the most mistakes, because it has the most crates. Take the *share* of those found."),
    ("juice", "of the crates *called* juice most are something else. Ask about those that *are* it."),
    ("premium", "it is the rarest here. Rare and weak are not the same: how many of them are found?"),
)


def judge_weakest(answer: object, seed: int) -> Outcome:
    """Judge a function that names the grade of which the smallest share is found."""
    return with_mistakes(_weak_cases, _weak_arguments, _WEAK_MISTAKES)(answer, seed)


_VALUE = ((-5.0, -5.0, -40.0, -50.0), (0.0, 3.0, 6.0, 7.0), (0.0, 3.0, 9.0, 11.0), (0.0, 2.0, 8.0, 16.0))
_DOUBTFUL = (0.0, 0.40, 0.35, 0.25)  # juice most likely; table brings most; premium, if nothing came back
_BACK = ((0.0, 0.0, 3.0, 3.0), (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0))


def channel(likely: Any, value: Any, returns: Any, cost: float) -> int:
    """Give the place of the channel that is expected to bring most money."""
    return int((np.asarray(likely) @ (np.asarray(value) - cost * np.asarray(returns))).argmax())


def _channel_arguments(likely: tuple[float, ...], cost: float) -> tuple[object, ...]:
    return np.array(likely), np.array(_VALUE), np.array(_BACK), cost


def _channel_cases(seed: int) -> list[Case]:
    rows = (
        (_DOUBTFUL, 10.0, "a crate that may be anything from juice to premium, at 10 a return"),
        (_DOUBTFUL, 0.0, "the same crate, if returns cost nothing"),
        ((0.0, 0.05, 0.15, 0.80), 10.0, "a crate that is premium, most likely"),
        ((0.9, 0.1, 0.0, 0.0), 5.0, "a crate that is spoiled, most likely"),
        ((0.25, 0.25, 0.25, 0.25), 30.0, "a crate of which nothing is known"),
    )
    return [
        Case(_channel_arguments(likely, cost), channel(likely, _VALUE, _BACK, cost), about)
        for likely, cost, about in rows
    ]


def judge_channel(answer: object, seed: int) -> Outcome:
    """Judge a function that returns the channel of the highest expected money."""
    if callable(answer):
        given = _channel_arguments(_DOUBTFUL, 10.0)
        for made, why in (
            (1.0, "the most likely grade. What matters is the money that each channel is expected to bring."),
            (3.0, "the channel that brings most if no crate came back. Take the expected returns off."),
        ):
            said = _said(answer, given, [(made, why)])
            if said:
                return not_yet(said)
    return function(_channel_cases, well="Section 6 gives `choose_metric` the same rule.")(answer, seed)


def score(net: float, dream: float, best: float, low: Mapping[str, float]) -> float:
    """Score a season from its money, two yardsticks, and the groups' shares of underpaid items."""
    gap = max(low.values()) - min(low.values())
    return round((net - dream) / (best - dream) - UNFAIR_COST * max(0.0, gap - FAIR_GAP), 9)


@lru_cache(maxsize=4)
def _bars(seed: int) -> reality.Yardsticks:
    return reality.yardsticks("orchard", seed=seed)


class _Season(NamedTuple):
    """What a season brought, and how far apart the groups were."""

    net: float
    gap: float
    score: float


def _judged(project: reality.Project) -> _Season:
    """Score a season as `reality.judge` does, without its forks: what each remedy did is not asked here."""
    bars, low = _bars(project.seed), underpaid(project)
    gap = max(low.values()) - min(low.values())
    return _Season(project.net, gap, score(project.net, bars.naive, bars.oracle, low))


@lru_cache(maxsize=4)
def _lecture(seed: int) -> _Season:
    project = reality.Project("orchard", seed=seed)
    reality.POLICIES["lecture"](project)
    return _judged(project)


def judge_policy(answer: object, seed: int) -> Outcome:
    """Judge a policy by playing it: it must score higher than the lecture's with the same luck."""
    if not callable(answer):
        return not_yet(
            f"Your answer is a {type(answer).__name__}: give the function itself, without brackets."
        )
    project = reality.Project("orchard", seed=seed)
    try:
        answer(project)
        project.finish()
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"On day {project.day} your policy stopped: {told(error)}.")
    if len(project.registry) == 1:
        return not_yet("Your policy has trained nothing: the card graded all season, by hand.")
    if all(week.version == "v0" for week in project.weeks):
        return not_yet("Your policy has trained a version and never deployed it: the card graded all season.")
    yours, lecture = _judged(project), _lecture(seed)
    said = f"Your season scores {yours.score:.2f}, the lecture's {lecture.score:.2f}."
    return right(said) if yours.score > lecture.score else not_yet(f"{said} {_why(yours, lecture, seed)}")


def _why(yours: _Season, lecture: _Season, seed: int) -> str:
    if yours.net <= _bars(seed).rule_card:
        return "It earns no more than the card: what becomes of a model when the lamps are swapped?"
    if yours.gap > lecture.gap:
        return f"The gap between the groups is {yours.gap:.2f}, larger than the lecture's. Who is forgotten?"
    return "Which of the five surprises meets your policy unprepared?"
