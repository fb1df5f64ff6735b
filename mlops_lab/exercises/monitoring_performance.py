"""Lesson 08's exercises: certainty's price, bounds, weights, trust, a CUSUM, a policy, a probability."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mlops_lab.exercises.exercise import Exercise, Outcome
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    choice,
    number,
    one_word,
    read_number,
)
from mlops_lab.monitoring import Observation

__all__ = ["EXERCISES"]


# --- 2: bounds -------------------------------------------------------------------------------------------


def bounds(right: float, known: float, crates: float) -> tuple[float, float]:
    """Give the lowest and the highest share of right grades that all crates can have."""
    return right / crates, (right + crates - known) / crates


def _bounds_trials(seed: int) -> list[Trial]:
    known, crates = np.sort(np.random.default_rng(seed).integers(20, 500, 2)).tolist()
    weeks = {
        "6 right of 10 known, 40 crates": (6, 10, 40),
        "a week whose labels have all come": (8, 10, 10),
        "7 right of 23 known, 61 crates": (7, 23, 61),
        "a week without any label": (0, 0, 25),
        f"{known // 3} right of {known} known, {crates} crates": (known // 3, known, crates),
    }
    return [Trial(week, bounds(*week), about) for about, week in weeks.items()]


_BOUNDS_MISTAKES = (
    Mistake(
        lambda right, known, crates: (right / known,) * 2,
        "that is the share among the known labels, and says nothing about the missing ones.",
    ),
    Mistake(
        lambda right, known, crates: (right / crates, (crates - known) / crates),
        "the best is the share that is *missing*; those that were right already count too.",
    ),
    Mistake(lambda *week: bounds(*week)[::-1], "the best stands before the worst: turn them round."),
    Mistake(
        lambda right, known, crates: (right / known, bounds(right, known, crates)[1]),
        "the worst is the share among the known labels: might the missing ones not all be wrong?",
    ),
    Mistake(
        lambda right, known, crates: (right / crates, right / known),
        "the best is the share among the known labels: might the missing ones not all be right?",
    ),
    Mistake(
        lambda right, known, crates: (right / crates, 1),
        "the best forgets the labels that are known to be wrong.",
    ),
    Mistake(
        lambda *week: np.multiply(bounds(*week), week[2]),
        "these are counts of crates, and shares are asked for.",
    ),
    Mistake(
        lambda *week: np.multiply(bounds(*week), 100), "these are percent: write them as fractions of 1."
    ),
    Mistake(lambda *week: np.round(bounds(*week), 2), "these are rounded: return them as they come out."),
    Mistake(lambda *week: bounds(*week)[0], "that is one number: two are asked for, worst and best."),
    Mistake(
        lambda right, known, crates: right / known, "that is one number: two are asked for, worst and best."
    ),
)


# --- 3: weights ------------------------------------------------------------------------------------------


def weighted(right: Sequence[float], chance: Sequence[float]) -> float:
    """Give the share of right grades, each crate counted one over its chance."""
    pairs = list(zip(right, chance, strict=True))
    return sum(good / odds for good, odds in pairs) / sum(1 / odds for _, odds in pairs)


def _weighted_trials(seed: int) -> list[Trial]:
    rng = np.random.default_rng(seed)
    opened: dict[str, tuple[Any, Any]] = {
        "two crates with equal chances": ([1, 0], [0.5, 0.5]),
        "a wrong crate that was hardly opened": ([1, 1, 0], [0.9, 0.8, 0.05]),
        "three crates of True and False": ([True, False, True], [0.2, 0.4, 1.0]),
        "two crates that are both right": ([1, 1], [0.1, 0.7]),
        "50 crates with all kinds of chances": (rng.random(50) < 0.6, rng.uniform(0.02, 1, 50)),
    }
    return [
        Trial((np.array(grades), np.array(chance)), weighted(grades, chance), about)
        for about, (grades, chance) in opened.items()
    ]


_WEIGHTED_MISTAKES = (
    Mistake(lambda right, chance: np.mean(right), "it counts all crates alike."),
    Mistake(
        lambda right, chance: np.average(right, weights=chance),
        "it counts a crate *more* if its chance was high: it should be the other way round.",
    ),
    Mistake(
        lambda right, chance: np.average(right, weights=1 - chance),
        "its weight is 1 - chance. A crate with one chance in ten speaks for ten, not for 0.9.",
    ),
    Mistake(
        lambda right, chance: np.mean(right / chance),
        "it divides by the number of crates, not by the sum of the weights.",
    ),
    Mistake(
        lambda right, chance: np.sum(right / chance), "that is a number of crates, and a share is asked for."
    ),
    Mistake(lambda *crates: 1 - weighted(*crates), "that is the share of *wrong* grades."),
)


# --- 5: a CUSUM ------------------------------------------------------------------------------------------


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


def _alarm_trials(seed: int) -> list[Trial]:
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
        Trial((np.array(wrong, dtype=int), up, down, limit), first_alarm(wrong, up, down, limit), about)
        for about, (wrong, up, down, limit) in streams.items()
    ]


_ALARM_MISTAKES = (
    Mistake(lambda *given: cusum(*given, floor=-math.inf), "may the sum fall below 0?"),
    Mistake(lambda *given: cusum(*given, above=True), "is *at* the limit an alarm too?"),
    Mistake(_later, "each alarm is one step late: count from 0, and look after adding."),
    Mistake(lambda *given: cusum(*given, skip=1), "does the first grade count?"),
    Mistake(
        lambda *given: first_alarm(*given) or None, "step 0 is an alarm too, and `if step` takes it for none."
    ),
    Mistake(lambda *given: None, "it never gives an alarm at all: does each wrong grade add `up`?"),
    Mistake(
        lambda wrong, up, down, limit: first_alarm(1 - wrong, up, down, limit), "a 1 is a *wrong* grade."
    ),
    Mistake(
        lambda wrong, up, down, limit: first_alarm(wrong, up, 0, limit),
        "what does a right grade do to the sum?",
    ),
)


def _alarm_problem(got: Any, expected: object) -> str:
    """Say what is wrong with a step, where None can be the right answer."""
    if got is None:
        return "" if expected is None else "None, and an alarm is due"
    step = read_number(got)
    if isinstance(step, Outcome) or not step.is_integer():
        return f"{got!r}: return the number of the step, a whole number"
    if expected is None:
        return f"{step:g}, and no alarm is due (return None)"
    return "" if step == expected else f"{step:g}, which is not the first alarm"


# --- 6: a policy -----------------------------------------------------------------------------------------


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


def one_less(seen: Observation) -> str:
    """Compare `1 - share` with 0.3, which goes wrong at exactly 70 %."""
    outcomes = seen.right[-1]
    return "retrain" if len(outcomes) >= 30 and 1 - np.mean(outcomes) > 0.3 and seen.since >= 2 else "keep"


def _act_trials(seed: int) -> list[Trial]:
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
        cases.append(Trial((seen,), policy()(seen), about))
    return cases


_ACT_MISTAKES = (
    Mistake(policy(newest=np.concatenate), "it looks at all weeks together, not at the newest."),
    Mistake(policy(newest=lambda weeks: weeks[0]), "it looks at the first week, not at the newest."),
    Mistake(policy(newest=lambda weeks: weeks[1]), "it looks at the second week: the newest is the last."),
    Mistake(one_less, "exactly 70 % are not fewer than 70 %; in a computer, `1 - 0.7` is a hair above 0.3."),
)


def _act_problem(got: Any, expected: str) -> str:
    """Say what is wrong with a decision; `operate` knows two words, and in these letters."""
    word = one_word(got)
    if word not in {"keep", "retrain"}:
        seen = "None" if got is None else a_kind(got) if word is None else repr(word)
        return f"{seen}: it may say 'retrain' or 'keep'"
    return "" if word == expected else f"{word!r}, which is not right"


# --- 1, 4 and 7: numbers and a choice --------------------------------------------------------------------

_CRATES = 0.85 * 0.15 * (2 / 0.03) ** 2
_ADJUSTED = (0.8 * 0.1 / 0.5) / (0.8 * 0.1 / 0.5 + 0.2 * 0.9 / 0.5)

TRUST = {
    "stricter buyers": "moves what premium is. No reading changes, so no estimate from readings moves.",
    "smaller fruit": "does not fit.",
    "dirty lens": "makes ripe fruit read as unripe: the same reading now means another fruit.",
    "new variety": "has never been scanned before: no old crate speaks for it.",
    "new scanner": "gives readings with a meaning of their own, and no old crate was read by it.",
}


def _crates_mistakes(seed: int) -> list[Mistake]:
    return [
        Mistake(_CRATES / 4, "leaves out the 2 in front of the root, or lets the interval reach 6 points."),
        Mistake(4 * 0.85 * 0.15 / 0.03, "forgets to square: the reach goes with the *root* of the crates."),
        Mistake(math.sqrt(_CRATES), "is the root of the number of crates: it has still to be squared."),
        Mistake(_CRATES * 4, "makes it half as wide as needed: 3 points from end to end."),
        Mistake(_CRATES * 0.98**2, "takes 1.96 for the 2: use the rule of thumb as it stands."),
        Mistake(0.25 * (2 / 0.03) ** 2, "is the number for a share of one half: here 85 % are right."),
    ]


EXERCISES = (
    Exercise(
        id="monitoring_performance.1",
        question="How many crates must be opened so that the interval reaches 3 points to either side?",
        judge=number(
            lambda seed: _CRATES,
            within=8,
            near=0.01,
            mistakes=_crates_mistakes,
            far="is not the number of crates",
        ),
        hints=(
            "Which equation must the number of crates fulfil?",
            "Solve `2 * sqrt(0.85 * 0.15 / n) = 0.03`: divide by 2, square both sides, then take out `n`.",
            "`n` is `0.85 * 0.15` divided by the square of `0.03 / 2`.",
        ),
    ),
    Exercise(
        id="monitoring_performance.2",
        question="Write a function that returns the lowest and highest share of right grades of all crates.",
        judge=FunctionJudge(
            _bounds_trials, _BOUNDS_MISTAKES, wanted="two shares are asked for, worst and best"
        ),
        hints=(
            "How many crates are right at the least, whatever the missing labels say?",
            "Worst: no missing label is right. Best: all `crates - known` are. Divide both by `crates`.",
            "Return `right / crates` first. For the best, add `crates - known` to `right` before dividing.",
        ),
    ),
    Exercise(
        id="monitoring_performance.3",
        question="Write a function that returns the share of right grades, each crate counted 1 / chance.",
        judge=FunctionJudge(
            _weighted_trials, _WEIGHTED_MISTAKES, well="That is Horvitz and Thompson's idea, in Hájek's form."
        ),
        hints=(
            "If one crate speaks for ten and another for two, for how many crates do both speak?",
            "Add up `right / chance`, and divide by the sum of the weights.",
            "`np.average` takes `weights=`; here they are `1 / chance`.",
        ),
    ),
    Exercise(
        id="monitoring_performance.4",
        question="In which of the five months is an estimate without labels right?",
        judge=choice(lambda seed: "smaller fruit", TRUST, well="Only the mix moves, within what was known."),
        hints=(
            "In which month does a reading still mean what it meant in the archive?",
            "Ask of each month: would an expert, seeing the same readings as before, find the same grade?",
            "Two of them change what a reading says about a fruit, one changes what buyers call a grade.",
        ),
    ),
    Exercise(
        id="monitoring_performance.5",
        question="Write the CUSUM: a function that returns the step of the first alarm, or None.",
        judge=FunctionJudge(
            _alarm_trials,
            _ALARM_MISTAKES,
            problem=_alarm_problem,
            well="The same lines have run in factories since 1954.",
        ),
        hints=(
            "Which single number has to be remembered from one grade to the next?",
            "In a loop over `enumerate(wrong)`: add `up` or take `down` away, and cut off below 0 by `max`.",
            "After `level = max(0, level + ...)`: if `level >= limit`, return the step. Last, `None`.",
        ),
    ),
    Exercise(
        id="monitoring_performance.6",
        question="Write a policy: retrain after a bad week of enough outcomes, not just after a training.",
        judge=FunctionJudge(
            _act_trials,
            _ACT_MISTAKES,
            problem=_act_problem,
            well="`operate` takes an object with this method, and runs it.",
        ),
        hints=(
            "Which three conditions must hold together?",
            "The newest week is `seen.right[-1]`: look at its length, at its mean, and at `seen.since`.",
            "`len(...) >= 30 and np.mean(...) < 0.7 and seen.since >= 2` decides between the two words.",
        ),
    ),
    Exercise(
        id="monitoring_performance.7",
        question="What should a model say that has learned half and half, if one crate in ten is spoiled?",
        judge=number(
            lambda seed: _ADJUSTED,
            within=0.008,
            fraction=True,
            mistakes=lambda seed: [
                Mistake(
                    0.8 * 0.1 / 0.5, "is one of the two products: both have still to be made to add up to 1."
                ),
                Mistake(0.2 * 0.9 / 0.5, "is the product of *not* spoiled: make both products add up to 1."),
                Mistake(0.16 / 0.36, "is the odds, one product over the other: divide by the *sum* of both."),
                Mistake(0.973, "multiplies by learned over new: turn the two shares round."),
                Mistake(0.8, "is what it said before: the shares are not used."),
                Mistake(0.1, "is the share alone: what the model saw of this crate is lost."),
                Mistake(1 - _ADJUSTED, "is the probability that it is *not* spoiled."),
                Mistake(
                    0.08, "multiplies by the new share and leaves out the learned one and the other class."
                ),
            ],
            far="is not it: multiply both probabilities, then divide by their sum",
        ),
        hints=(
            "By which number is the probability of *not* spoiled multiplied?",
            "Spoiled: `0.8 * 0.1 / 0.5`. Not spoiled: `0.2 * 0.9 / 0.5`.",
            "Divide the first product by the sum of both.",
        ),
    ),
)
