"""Lesson 08's exercises: certainty's price, bounds, weights, trust, a CUSUM, a policy, a probability."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from mlops_lab.classroom.checks import Outcome, Rule, not_yet, right
from mlops_lab.classroom.checks.judges import Case, Mistake, choice, function, number
from mlops_lab.monitoring import SoFar

__all__ = ["RULES"]

_CRATES = 0.85 * 0.15 * (2 / 0.03) ** 2
_ADJUSTED = (0.8 * 0.1 / 0.5) / (0.8 * 0.1 / 0.5 + 0.2 * 0.9 / 0.5)

TRUST = {
    "stricter buyers": "moves what premium is. No reading changes, so no estimate from readings moves.",
    "smaller fruit": "does not fit.",
    "dirty lens": "makes ripe fruit read as unripe: the same reading now means another fruit.",
    "new variety": "has never been scanned before: no old crate speaks for it.",
    "new scanner": "gives readings with a meaning of their own, and no old crate was read by it.",
}


def _close(got: Any, expected: Any) -> bool:
    """Compare two pairs of numbers, in any container."""
    low, high = got
    return math.isclose(low, expected[0], abs_tol=1e-9) and math.isclose(high, expected[1], abs_tol=1e-9)


def _bounds(right: float, known: float, crates: float) -> tuple[float, float]:
    return right / crates, (right + crates - known) / crates


def _bounds_cases(seed: int) -> list[Case]:
    return [
        Case((6, 10, 40), (0.15, 0.9), "6 right of 10 known, 40 crates"),
        Case((8, 10, 10), (0.8, 0.8), "a week whose labels have all come"),
        Case((0, 0, 25), (0.0, 1.0), "a week without any label"),
    ]


_BOUNDS_MISTAKES = (
    ((0.6, 0.6), "the share among the known labels, and says nothing about the missing ones"),
    ((0.15, 0.75), "as best the share that is *missing*; those that were right already count too"),
    ((0.9, 0.15), "the best before the worst: turn them round"),
)


def _judge_bounds(answer: object, seed: int) -> Outcome:
    try:
        got = answer(6, 10, 40)  # type: ignore[operator]
        if isinstance(got, (int, float, np.number)):
            return not_yet(
                f"Your function returned {got:.3g}, one number: two are asked for, worst and best."
            )
        for made, why in _BOUNDS_MISTAKES:
            if _close(got, made):
                return not_yet(f"For 6 right of 10 known, 40 crates, your function returned {why}.")
    except Exception:  # noqa: BLE001  the common judge tells what went wrong
        return function(_bounds_cases)(answer, seed)
    return function(_bounds_cases, agree=_close)(answer, seed)


def _weighted(right: Sequence[float], chance: Sequence[float]) -> float:
    pairs = list(zip(right, chance, strict=True))
    return sum(good / odds for good, odds in pairs) / sum(1 / odds for _, odds in pairs)


def _weighted_cases(seed: int) -> list[Case]:
    return [
        Case((np.array([1, 0]), np.array([0.5, 0.5])), 0.5, "two crates with equal chances"),
        Case(
            (np.array([1, 1, 0]), np.array([0.9, 0.9, 0.1])), 2 / 11, "a wrong crate that was hardly opened"
        ),
        Case(
            (np.array([True, False, True]), np.array([0.2, 0.4, 1.0])),
            6 / 8.5,
            "three crates of True and False",
        ),
    ]


def _judge_weighted(answer: object, seed: int) -> Outcome:
    if callable(answer):
        arguments = np.array([1, 1, 0]), np.array([0.9, 0.9, 0.1])
        try:
            got = float(answer(*arguments))
        except Exception:  # noqa: BLE001  told by the common judge below
            got = math.nan
        for made, why in (
            (2 / 3, "counts all crates alike"),
            (1.8 / 1.9, "counts a crate *more* if its chance was high: it should be the other way round"),
            ((2 / 0.9) / 3, "divides by the number of crates, not by the sum of the weights"),
        ):
            if math.isclose(got, made, abs_tol=1e-9):
                return not_yet(
                    f"Your function returned {got:.3g} for a wrong crate that was hardly opened: it {why}."
                )
    outcome: Outcome = function(
        _weighted_cases, well="That is Horvitz and Thompson's idea, in Hájek's form."
    )(answer, seed)
    return outcome


def _first_alarm(wrong: Iterable[float], up: float, down: float, limit: float) -> int | None:
    level = 0.0
    for step, bad in enumerate(wrong):
        level = max(0, level + (up if bad else -down))
        if level >= limit:
            return step
    return None


_STREAMS: tuple[tuple[list[int], float, float, float, str], ...] = (
    ([0] * 20 + [1, 1], 3, 1, 5, "a stream that is bad only after many right grades"),
    ([1, 1, 0, 0, 0], 3, 1, 6, "a stream that reaches the limit exactly"),
    ([1, 0, 0, 0, 1, 0, 0, 0], 3, 1, 6, "a stream with an error now and then"),
    ([1, 0, 1, 0, 1, 0, 1], 4, 2, 9, "a stream in which every other grade is wrong"),
    ([], 3, 1, 6, "an empty stream"),
)


def _judge_alarm(answer: object, seed: int) -> Outcome:
    if not callable(answer):
        return not_yet(
            f"Your answer is a {type(answer).__name__}: give the function itself, without brackets."
        )
    rng = np.random.default_rng(seed)
    drawn = [((rng.random(300) < 0.3).astype(int).tolist(), 5, 2, 17, "300 grades with many errors")]
    for wrong, up, down, limit, about in (*_STREAMS, *drawn):
        expected = _first_alarm(wrong, up, down, limit)
        try:
            got = answer(np.array(wrong), up, down, limit)
        except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
            return not_yet(f"For {about} your function stopped: {type(error).__name__}: {error}")
        said = _alarm_mistake(got, expected, about)
        if said:
            return not_yet(said)
    return right("The same lines have run in factories since 1954.")


def _alarm_mistake(got: Any, expected: int | None, about: str) -> str:
    if expected is None:
        return (
            ""
            if got is None
            else f"For {about} your function returned {got!r}; no alarm is due: return None."
        )
    if got is None:
        hint = {
            "a stream that is bad only after many right grades": " May the sum fall below 0?",
            "a stream that reaches the limit exactly": " Is *at* the limit an alarm too?",
        }.get(about, "")
        return f"For {about} your function returned None, and an alarm is due.{hint}"
    if isinstance(got, (bool, np.bool_)) or not isinstance(got, (int, np.integer)):
        return f"For {about} your function returned {got!r}: return the number of the step."
    if got == expected + 1:
        return (
            f"For {about} your function returned {got}, one step late: count from 0, and look after adding."
        )
    return (
        "" if got == expected else f"For {about} your function returned {got}, which is not the first alarm."
    )


def _act(seen: SoFar) -> str:
    newest = seen.right[-1]
    bad = len(newest) >= 30 and float(np.mean(newest)) < 0.7
    return "retrain" if bad and seen.since >= 2 else "keep"


def _seen(good: int, rows: int, since: int, before: tuple[int, int] = (45, 50)) -> SoFar:
    weeks = tuple(np.arange(all_rows) < all_good for all_good, all_rows in (before, (good, rows)))
    return SoFar(week=5, since=since, right=weeks)


def _act_cases(seed: int) -> list[Case]:
    return [
        Case((_seen(55, 60, 4),), "keep", "a good week"),
        Case((_seen(30, 60, 4),), "retrain", "a bad week of 60 outcomes, 4 weeks after the last training"),
        Case((_seen(10, 20, 4),), "keep", "a bad week of only 20 outcomes"),
        Case((_seen(30, 60, 1),), "keep", "a bad week just after a training"),
        Case((_seen(30, 60, 2),), "retrain", "a bad week exactly 2 weeks after a training"),
        Case((_seen(15, 30, 3),), "retrain", "a bad week of exactly 30 outcomes"),
        Case((_seen(42, 60, 3),), "keep", "a week with exactly 70 % right"),
        Case((_seen(55, 60, 4, before=(5, 50)),), "keep", "a good week after a bad one"),
    ]


def _act_variant(
    least: int = 30, share: float = 0.7, since: int = 2, week: int = -1, word: str = "retrain"
) -> Callable[[SoFar], str]:
    def act(seen: SoFar) -> str:
        outcomes = seen.right[week]
        bad = len(outcomes) >= least and float(np.mean(outcomes)) < share
        return word if bad and seen.since >= since else "keep"

    return act


def _no_floor(wrong: Iterable[float], up: float, down: float, limit: float) -> int | None:
    level = 0.0
    for step, bad in enumerate(wrong):
        level += up if bad else -down
        if level >= limit:
            return step
    return None


def _above_only(wrong: Iterable[float], up: float, down: float, limit: float) -> int | None:
    level = 0.0
    for step, bad in enumerate(wrong):
        level = max(0, level + (up if bad else -down))
        if level > limit:
            return step
    return None


def _by_cumsum(wrong: Sequence[float], up: float, down: float, limit: float) -> int | None:
    walk = np.cumsum(np.where(np.asarray(wrong, dtype=bool), up, -down))
    over = np.flatnonzero(walk - np.minimum(0, np.minimum.accumulate(walk)) >= limit) if walk.size else walk
    return int(over[0]) if over.size else None


RULES = (
    Rule(
        id="monitoring_performance.1",
        question="How many crates must be opened so that the interval reaches 3 points to either side?",
        judge=number(
            lambda seed: _CRATES,
            within=8,
            mistakes=lambda seed: [
                Mistake(_CRATES / 4, "leaves out the 2 in front of the root."),
                Mistake(
                    4 * 0.85 * 0.15 / 0.03, "forgets to square: the reach goes with the *root* of the crates."
                ),
                Mistake(4 * 0.85 * 0.15 / 0.06**2, "lets the whole interval be 3 points wide to both sides."),
                Mistake(16 * 0.85 * 0.15 / 0.03**2, "makes it half as wide as needed."),
            ],
            far="is not the number of crates",
        ),
        hints=(
            "Which equation must the number of crates fulfil?",
            "Solve `2 * sqrt(0.85 * 0.15 / n) = 0.03`: divide by 2, square both sides, then take out `n`.",
            "`n` is `0.85 * 0.15` divided by the square of `0.03 / 2`.",
        ),
        right=lambda seed: [_CRATES, 567, 566.0, [567]],
        wrong=lambda seed: [
            (_CRATES / 4, "leaves out the 2"),
            (17, "forgets to square"),
            (60, "not the number of crates"),
            ("567", "without quotes"),
        ],
    ),
    Rule(
        id="monitoring_performance.2",
        question="Write a function that returns the lowest and highest share of right grades of all crates.",
        judge=_judge_bounds,
        hints=(
            "How many crates are right at the least, whatever the missing labels say?",
            "Worst: no missing label is right. Best: all `crates - known` are. Divide both by `crates`.",
            "Return `right / crates` first. For the best, add `crates - known` to `right` before dividing.",
        ),
        right=lambda seed: [
            _bounds,
            lambda right, known, crates: [right / crates, 1 - (known - right) / crates],
            lambda right, known, crates: np.array([right, right + crates - known]) / crates,
        ],
        wrong=lambda seed: [
            (lambda right, known, crates: (right / max(known, 1),) * 2, "among the known"),
            (lambda right, known, crates: (right / crates, (crates - known) / crates), "*missing*"),
            (lambda right, known, crates: _bounds(right, known, crates)[::-1], "turn them round"),
            (lambda right, known, crates: right / crates, "one number"),
            (lambda right, known: right / known, "stopped"),
            (0.15, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.3",
        question="Write a function that returns the share of right grades, each crate counted 1 / chance.",
        judge=_judge_weighted,
        hints=(
            "If one crate speaks for ten and another for two, for how many crates do both speak?",
            "Add up `right / chance`, and divide by the sum of the weights.",
            "`np.average` takes `weights=`; here they are `1 / chance`.",
        ),
        right=lambda seed: [
            _weighted,
            lambda right, chance: np.average(right, weights=1 / chance),
            lambda right, chance: np.array([(right / chance).sum() / (1 / chance).sum()]),
        ],
        wrong=lambda seed: [
            (lambda right, chance: np.mean(right), "counts all crates alike"),
            (lambda right, chance: np.average(right, weights=chance), "other way round"),
            (lambda right, chance: np.mean(right / chance), "not by the sum of the weights"),
            (lambda right, chance: None, "returned None"),
            (lambda right: 0.5, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.4",
        question="In which of the five months is an estimate without labels right?",
        judge=choice(lambda seed: "smaller fruit", TRUST, well="Only the mix moves, within what was known."),
        hints=(
            "In which month does a reading still mean what it meant in the archive?",
            "Ask of each month: would an expert, seeing the same readings as before, find the same grade?",
            "Two of them change what a reading says about a fruit, one changes what buyers call a grade.",
        ),
        right=lambda seed: ["smaller fruit", " Smaller Fruit "],
        wrong=lambda seed: [
            ("stricter buyers", "No reading changes"),
            ("dirty lens", "read as unripe"),
            ("new scanner", "no old crate"),
            ("new variety", "never been scanned"),
        ],
    ),
    Rule(
        id="monitoring_performance.5",
        question="Write the CUSUM: a function that returns the step of the first alarm, or None.",
        judge=_judge_alarm,
        hints=(
            "Which single number has to be remembered from one grade to the next?",
            "In a loop over `enumerate(wrong)`: add `up` or take `down` away, and cut off below 0 by `max`.",
            "After `level = max(0, level + ...)`: if `level >= limit`, return the step. Last, `None`.",
        ),
        right=lambda seed: [_first_alarm, _by_cumsum],
        wrong=lambda seed: [
            (_no_floor, "below 0"),
            (_above_only, "*at* the limit"),
            (lambda *all: None if (at := _first_alarm(*all)) is None else at + 1, "one step late"),
            (lambda wrong, up, down, limit: _first_alarm(wrong, up, 0, limit), "no alarm is due"),
            (lambda *all: _first_alarm(*all) is not None or None, "number of the step"),
            (lambda wrong: None, "stopped"),
            (7, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.6",
        question="Write a policy: retrain after a bad week of enough outcomes, not just after a training.",
        judge=function(_act_cases, well="`operate` takes an object with this method, and runs it."),
        hints=(
            "Which three conditions must hold together?",
            "The newest week is `seen.right[-1]`: look at its length, at its mean, and at `seen.since`.",
            "`len(...) >= 30 and np.mean(...) < 0.7 and seen.since >= 2` decides between the two words.",
        ),
        right=lambda seed: [_act, _act_variant()],
        wrong=lambda seed: [
            (_act_variant(least=0), "only 20 outcomes"),
            (_act_variant(least=31), "exactly 30 outcomes"),
            (_act_variant(since=0), "just after a training"),
            (_act_variant(since=3), "exactly 2 weeks"),
            (_act_variant(share=0.70001), "exactly 70 %"),
            (_act_variant(week=0), "a bad week of 60"),
            (_act_variant(word="train"), "a bad week of 60"),
            ("retrain", "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.7",
        question="What should a model say that has learned half and half, if one crate in ten is spoiled?",
        judge=number(
            lambda seed: _ADJUSTED,
            within=0.005,
            fraction=True,
            mistakes=lambda seed: [
                Mistake(
                    0.8 * 0.1 / 0.5, "is one of the two products: both have still to be made to add up to 1."
                ),
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
        right=lambda seed: [_ADJUSTED, 0.31, np.float64(0.308)],
        wrong=lambda seed: [
            (0.16, "one of the two products"),
            (0.8, "shares are not used"),
            (0.1, "share alone"),
            (1 - _ADJUSTED, "*not* spoiled"),
            (0.08, "multiplies by the new share"),
            (30.8, "in percent"),
        ],
    ),
)
