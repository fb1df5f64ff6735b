"""Judges of lesson 08's functions: bounds, weights, a CUSUM and a policy, with the mistakes that they know.

They are held to by `checks/monitoring_performance.py`, where the questions and the rules stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mlops_lab.exercises import Outcome, not_yet, right, told
from mlops_lab.exercises.judging import Case, function
from mlops_lab.exercises.known_mistakes import Known, alike, explained
from mlops_lab.monitoring import Observation

__all__ = [
    "ALARM_MISTAKES",
    "BOUNDS_MISTAKES",
    "bounds",
    "by_cumsum",
    "cusum",
    "first_alarm",
    "judge_act",
    "judge_alarm",
    "judge_bounds",
    "judge_weighted",
    "mean_first",
    "one_less",
    "policy",
    "weighted",
]


def bounds(right: float, known: float, crates: float) -> tuple[float, float]:
    """Give the lowest and the highest share of right grades that all crates can have."""
    return right / crates, (right + crates - known) / crates


def _bounds_cases(seed: int) -> list[Case]:
    known, crates = np.sort(np.random.default_rng(seed).integers(20, 500, 2)).tolist()
    weeks = {
        "6 right of 10 known, 40 crates": (6, 10, 40),
        "a week whose labels have all come": (8, 10, 10),
        "7 right of 23 known, 61 crates": (7, 23, 61),
        "a week without any label": (0, 0, 25),
        f"{known // 3} right of {known} known, {crates} crates": (known // 3, known, crates),
    }
    return [Case(week, bounds(*week), about) for about, week in weeks.items()]


BOUNDS_MISTAKES: Known = (
    (
        lambda right, known, crates: (right / known,) * 2,
        "That is the share among the known labels, and says nothing about the missing ones.",
    ),
    (
        lambda right, known, crates: (right / crates, (crates - known) / crates),
        "The best is the share that is *missing*; those that were right already count too.",
    ),
    (lambda *week: bounds(*week)[::-1], "The best stands before the worst: turn them round."),
    (
        lambda right, known, crates: (right / known, bounds(right, known, crates)[1]),
        "The worst is the share among the known labels: might the missing ones not all be wrong?",
    ),
    (
        lambda right, known, crates: (right / crates, right / known),
        "The best is the share among the known labels: might the missing ones not all be right?",
    ),
    (
        lambda right, known, crates: (right / crates, 1),
        "The best forgets the labels that are known to be wrong.",
    ),
    (
        lambda *week: np.multiply(bounds(*week), week[2]),
        "These are counts of crates, and shares are asked for.",
    ),
    (lambda *week: np.multiply(bounds(*week), 100), "These are percent: write them as fractions of 1."),
    (lambda *week: np.round(bounds(*week), 2), "These are rounded: return them as they come out."),
    (lambda *week: bounds(*week)[0], "That is one number: two are asked for, worst and best."),
    (lambda right, known, crates: right / known, "That is one number: two are asked for, worst and best."),
)


def weighted(right: Sequence[float], chance: Sequence[float]) -> float:
    """Give the share of right grades, each crate counted one over its chance."""
    pairs = list(zip(right, chance, strict=True))
    return sum(good / odds for good, odds in pairs) / sum(1 / odds for _, odds in pairs)


def _weighted_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    opened: dict[str, tuple[Any, Any]] = {
        "two crates with equal chances": ([1, 0], [0.5, 0.5]),
        "a wrong crate that was hardly opened": ([1, 1, 0], [0.9, 0.8, 0.05]),
        "three crates of True and False": ([True, False, True], [0.2, 0.4, 1.0]),
        "two crates that are both right": ([1, 1], [0.1, 0.7]),
        "50 crates with all kinds of chances": (rng.random(50) < 0.6, rng.uniform(0.02, 1, 50)),
    }
    return [
        Case((np.array(grades), np.array(chance)), weighted(grades, chance), about)
        for about, (grades, chance) in opened.items()
    ]


_WEIGHTED_MISTAKES: Known = (
    (lambda right, chance: np.mean(right), "It counts all crates alike."),
    (
        lambda right, chance: np.average(right, weights=chance),
        "It counts a crate *more* if its chance was high: it should be the other way round.",
    ),
    (
        lambda right, chance: np.average(right, weights=1 - chance),
        "Its weight is 1 - chance. A crate with one chance in ten speaks for ten, not for 0.9.",
    ),
    (
        lambda right, chance: np.mean(right / chance),
        "It divides by the number of crates, not by the sum of the weights.",
    ),
    (lambda right, chance: np.sum(right / chance), "That is a number of crates, and a share is asked for."),
    (lambda *crates: 1 - weighted(*crates), "That is the share of *wrong* grades."),
    (lambda *crates: 100 * weighted(*crates), "That is in percent: write it as a fraction of 1."),
)


def cusum(
    wrong: Iterable[float],
    up: float,
    down: float,
    limit: float,
    *,
    floor: float = 0,
    above: bool = False,
    skip: int = 0,
) -> int | None:
    """Give the step of the first alarm; the keywords are typical mistakes."""
    level = 0.0
    for step, bad in enumerate(wrong):
        if step >= skip:
            level = max(floor, level + (up if bad else -down))
        if level > limit or (level == limit and not above):
            return step
    return None


def first_alarm(wrong: Iterable[float], up: float, down: float, limit: float) -> int | None:
    """Give the step of the first alarm, as exercise 5 asks for it."""
    return cusum(wrong, up, down, limit)


def _later(*given: Any) -> int | None:
    return None if (at := first_alarm(*given)) is None else at + 1


def by_cumsum(wrong: Sequence[float], up: float, down: float, limit: float) -> int | None:
    """Give the step of the first alarm without a loop."""
    walk = np.cumsum(np.where(np.asarray(wrong, dtype=bool), up, -down))
    over = np.flatnonzero(walk - np.minimum(0, np.minimum.accumulate(walk)) >= limit) if walk.size else walk
    return int(over[0]) if over.size else None


def _alarm_cases(seed: int) -> list[Case]:
    drawn = (np.random.default_rng(seed).random(300) < 0.3).astype(int)
    streams: dict[str, tuple[Any, float, float, float]] = {
        "a stream that is bad only after many right grades": ([0] * 20 + [1, 1], 3, 1, 5),
        "a stream that reaches the limit exactly": ([1, 1, 0, 0, 0], 3, 1, 6),
        "a stream with an error now and then": ([1, 0, 0, 0, 1, 0, 0, 0], 3, 1, 6),
        "a stream in which every other grade is wrong": ([1, 0, 1, 0, 1, 0, 1], 4, 2, 9),
        "a stream whose very first grade reaches the limit": ([1, 0, 0], 3, 1, 3),
        "steps and a limit that are no whole numbers": ([1, 0, 1, 1, 1, 0], 1.5, 0.25, 4.25),
        "an empty stream": ([], 3, 1, 6),
        "300 grades with many errors": (drawn, 5, 2, 17),
    }
    return [
        Case((np.array(wrong, dtype=int), up, down, limit), first_alarm(wrong, up, down, limit), about)
        for about, (wrong, up, down, limit) in streams.items()
    ]


ALARM_MISTAKES: Known = (
    (lambda *given: cusum(*given, floor=-math.inf), "May the sum fall below 0?"),
    (lambda *given: cusum(*given, above=True), "Is *at* the limit an alarm too?"),
    (_later, "Each alarm is one step late: count from 0, and look after adding."),
    (lambda *given: cusum(*given, skip=1), "Does the first grade count?"),
    (lambda *given: first_alarm(*given) or None, "Step 0 is an alarm too, and `if step` takes it for none."),
    (lambda *given: None, "It never gives an alarm at all: does each wrong grade add `up`?"),
    (lambda wrong, up, down, limit: first_alarm(1 - wrong, up, down, limit), "A 1 is a *wrong* grade."),
    (
        lambda wrong, up, down, limit: first_alarm(wrong, up, 0, limit),
        "What does a right grade do to the sum?",
    ),
)


def judge_alarm(answer: object, seed: int) -> Outcome:
    """Judge the CUSUM of exercise 5, where None can be the right answer."""
    if not callable(answer):
        return function(_alarm_cases)(answer, seed)
    for case in _alarm_cases(seed):
        try:
            got = answer(*case.arguments)
        except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
            return not_yet(f"For {case.about} your function stopped: {told(error)}.")
        said = _alarm_mistake(got, case.expected)
        if said:
            why = alike(answer, _alarm_cases, seed, ALARM_MISTAKES)
            return not_yet(f"For {case.about} your function returned {said}.{why}")
    return right("The same lines have run in factories since 1954.")


def _alarm_mistake(got: Any, expected: object) -> str:
    if got is None or expected is None:
        if got is expected:
            return ""
        return "None, and an alarm is due" if got is None else f"{got!r}; no alarm is due: return None"
    if isinstance(got, (bool, np.bool_)) or not isinstance(got, (int, np.integer)):
        return f"{got!r}: return the number of the step, a whole number"
    return "" if got == expected else f"{got}, which is not the first alarm"


def policy(
    least: int = 30,
    share: float = 0.7,
    since: int = 2,
    newest: Callable[[Sequence[Any]], Any] = lambda weeks: weeks[-1],
    word: str = "retrain",
) -> Callable[[Observation], str]:
    """Make the policy of exercise 6, or one that is off in one point."""

    def act(seen: Observation) -> str:
        outcomes = newest(seen.right)
        bad = len(outcomes) >= least and float(np.mean(outcomes)) < share
        return word if bad and seen.since >= since else "keep"

    return act


def mean_first(seen: Observation) -> str:
    """Decide as the policy of exercise 6, written in another order."""
    bad = np.mean(seen.right[-1]) < 0.7 and len(seen.right[-1]) > 29
    return "keep" if seen.since < 2 or not bad else "retrain"


def one_less(seen: Observation) -> str:
    """Compare `1 - share` with 0.3, which goes wrong at exactly 70 %."""
    outcomes = seen.right[-1]
    return "retrain" if len(outcomes) >= 30 and 1 - np.mean(outcomes) > 0.3 and seen.since >= 2 else "keep"


def _act_cases(seed: int) -> list[Case]:
    usual = (45, 50)
    weeks: dict[str, tuple[int, Sequence[tuple[int, int]]]] = {
        "a good week": (4, [usual, (55, 60)]),
        "a bad week of 60 outcomes, 4 weeks after the last training": (4, [usual, (30, 60)]),
        "a bad week of only 29 outcomes": (4, [usual, (10, 29)]),
        "a bad week just after a training": (1, [usual, (30, 60)]),
        "a bad week exactly 2 weeks after a training": (2, [usual, (30, 60)]),
        "a bad week of exactly 30 outcomes": (3, [usual, (15, 30)]),
        "a week with exactly 70 % right": (3, [usual, (42, 60)]),
        "a week with 68 % right": (3, [usual, (41, 60)]),
        "a good week after a bad one": (4, [(5, 50), (55, 60)]),
        "a bad week after two good ones": (3, [usual, usual, (30, 60)]),
        "the first week of all, and a bad one": (2, [(90, 200)]),
        "a bad week of 200 outcomes, 12 weeks after the last training": (12, [usual, (90, 200)]),
        "a week in which no crate was opened": (4, [usual, (0, 0)]),
    }
    cases = []
    for about, (since, counts) in weeks.items():
        seen = Observation(week=5, since=since, right=tuple(np.arange(rows) < good for good, rows in counts))
        cases.append(Case((seen,), policy()(seen), about))
    return cases


_ACT_MISTAKES: Known = (
    (policy(newest=np.concatenate), "It looks at all weeks together, not at the newest."),
    (policy(newest=lambda weeks: weeks[0]), "It looks at the first week, not at the newest."),
    (policy(newest=lambda weeks: weeks[1]), "It looks at the second week: the newest is the last."),
    (one_less, "Exactly 70 % are not fewer than 70 %; in a computer, `1 - 0.7` is a hair above 0.3."),
)


def judge_act(answer: object, seed: int) -> Outcome:
    """Judge the policy of exercise 6; any other word than the two is told."""
    outcome = explained(
        _act_cases, _ACT_MISTAKES, "`operate` takes an object with this method, and runs it."
    )(answer, seed)
    said = outcome.message
    if outcome.state == "right" or "returned" not in said or "None" in said:
        return outcome
    words = "returned 'keep'", "returned 'retrain'"
    return (
        outcome if any(word in said for word in words) else not_yet(f"{said} It may say 'retrain' or 'keep'.")
    )


judge_bounds = explained(_bounds_cases, BOUNDS_MISTAKES)
judge_weighted = explained(
    _weighted_cases, _WEIGHTED_MISTAKES, "That is Horvitz and Thompson's idea, in Hájek's form."
)
