"""Lesson 13's exercises: a price, an effect, a weak grade, a pager, groups, a channel, a score, a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mlops_lab import reality
from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right, told
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    called,
    no_function,
    number,
    read_number,
    same,
)
from mlops_lab.reality.evaluation import underpaid
from mlops_lab.reality.played_season import FAIR_GAP, UNFAIR_COST

__all__ = ["EXERCISES"]


# --- 1: a mended label -----------------------------------------------------------------------------------


def _each(bill: float, mended: float) -> float:
    return bill / mended if mended else math.inf


def _price_trials(seed: int) -> list[Trial]:
    return [
        Trial((400, 100, 2.0, 200.0), 10.0, "400 labels looked at, of which 100 were wrong"),
        Trial((10, 10, 1.5, 0.0), 1.5, "ten labels that were all wrong, and no guide to pay"),
        Trial((50, 0, 1.5, 200.0), math.inf, "50 labels that were all right"),
    ]


_PRICE_MISTAKES = (
    Mistake(
        lambda looked, mended, look, guide: (looked * look + guide) / looked,
        "that is the price of one *look*. Only the labels that were wrong have been mended.",
    ),
    Mistake(
        lambda looked, mended, look, guide: _each(looked * look, mended),
        "the guide is missing, and it was paid for, too.",
    ),
    Mistake(
        lambda looked, mended, look, guide: _each(looked * (look + guide), mended),
        "the guide is paid once, not once for each label.",
    ),
    Mistake(
        lambda looked, mended, look, guide: mended / (looked * look + guide),
        "that is upside down: money is to be divided by labels.",
    ),
    Mistake(
        lambda looked, mended, look, guide: _each(mended * look + guide, mended),
        "half of the bill is missing: every look costs, also where the label was right.",
    ),
)


# --- 2: an effect ----------------------------------------------------------------------------------------


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


def _judge_effect(answer: object, seed: int) -> Outcome:
    """Judge a function that returns a remedy's effect by two forks, on worlds that notice being touched."""
    for level in (4.0, -7.0):
        toy = _Toy(level)
        got = called(answer, "a small trial world", toy, _toy_remedy, _toy_measure)
        if isinstance(got, Outcome):
            return got
        said = _effect_mistake(got, level + 3, toy, level)
        if said:
            return not_yet(said)
    return right("That is the whole method: one moment, two worlds, the same luck.")


def _effect_mistake(got: Any, expected: float, toy: _Toy, level: float) -> str:
    if toy.level != level or toy.looks:
        what = "changed" if toy.level != level else "measured, which can cost money and days,"
        return f"Your function {what} the project itself: do all on forks, and leave the game as it was."
    if got is None:
        return "Your function returned None: does it end with `return ...`?"
    value = read_number(got)
    if isinstance(value, Outcome):
        return f"Your function returned {a_kind(got)}: the effect is one number."
    if same(got, expected):
        return ""
    if same(got, -expected):
        return "Your function has the sign turned round: an effect is *with* less *without*."
    if len(toy.forks) < 2:
        return "Your function made fewer than two forks: both worlds must begin untouched."
    if same(got, 0.0):
        return "Your function found no effect: is the remedy done in one world, before measuring?"
    if same(got, 2 * level + 3):
        return "Your function returned the measure with the remedy, and did not take away the one without it."
    return f"Your function returned {value:.3g} in a trial world in which it is another number."


# --- 3: a weak grade -------------------------------------------------------------------------------------


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


def _weak_trials(seed: int) -> list[Trial]:
    never = {("fine", "fine"): 8, ("fine", "rotten"): 1}
    doubted = {("a", "a"): 6, ("b", "a"): 4, ("b", "b"): 7, ("c", "b"): 3, ("c", "c"): 20}
    words = {("a", "a"): 9, ("b", "a"): 1, ("b", "b"): 5, ("a", "b"): 5, ("c", "c"): 1}
    return [
        Trial(_crates(_MIXED), "spoiled", "a mix in which another grade has more mistakes"),
        Trial(_crates(never), "rotten", "a grade that is never given"),
        Trial(_crates(words), "b", "other grades than the orchard's"),
        Trial(_crates(doubted), "a", "a mix in which another grade is often given wrongly"),
        Trial(tuple(list(each) for each in _crates(words)), "b", "plain lists"),
    ]


_WEAK_MISTAKES = (
    Mistake(
        lambda graded, true: pd.Series(true)[np.asarray(graded) != np.asarray(true)].mode()[0],
        "it has the most mistakes, because it has the most crates. Take the *share* of those found.",
    ),
    Mistake(
        lambda graded, true: (
            (pd.Series(np.array(graded)) == np.array(true)).groupby(np.array(graded)).mean().idxmin()
        ),
        "of the crates *called* so most are something else. Ask about those that *are* it.",
    ),
    Mistake(
        lambda graded, true: pd.Series(true).value_counts().idxmin(),
        "it is the rarest here. Rare and weak are not the same: how many of them are found?",
    ),
)


# --- 4: thirty nights ------------------------------------------------------------------------------------

_NIGHTS = 1 - 0.95**30


# --- 5: the floor ----------------------------------------------------------------------------------------


def _table(**rows: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=pd.Index(["belt", "handheld"])).T


_VERSIONS = {"v1": (0.3, 0.4), "v2": (0.02, 0.6), "v3": (0.5, 0.5), "v4": (0.2, 0.45), "v5": (0.46, 0.08)}


def _safest_trials(seed: int) -> list[Trial]:
    return [
        Trial((_table(**_VERSIONS),), "v1", "five versions"),
        Trial((_table(v7=(0.1, 0.3), v8=(0.35, 0.0)),), "v7", "two versions"),
        Trial((_table(v1=(0.9, 0.1), v2=(0.2, 0.8)),), "v2", "versions that each favour one group"),
    ]


_SAFEST_MISTAKES = (
    Mistake(
        lambda table: table["belt"].idxmin(), "it is the best for one group, and the worst for the other."
    ),
    Mistake(
        lambda table: (table["belt"] - table["handheld"]).abs().idxmin(),
        "its groups are treated alike: alike badly. Equal is not the same as good.",
    ),
    Mistake(
        lambda table: table.mean(axis=1).idxmin(),
        "it is the best for one group or on the mean, and leaves the other far behind.",
    ),
)


# --- 6: a channel ----------------------------------------------------------------------------------------

_VALUE = ((-5.0, -5.0, -40.0, -50.0), (0.0, 3.0, 6.0, 7.0), (0.0, 3.0, 9.0, 11.0), (0.0, 2.0, 8.0, 16.0))
_DOUBTFUL = (0.0, 0.40, 0.35, 0.25)  # juice most likely; table brings most; premium, if nothing came back
_BACK = ((0.0, 0.0, 3.0, 3.0), (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 0.0))


def channel(likely: Any, value: Any, returns: Any, cost: float) -> int:
    """Give the place of the channel that is expected to bring most money."""
    return int((np.asarray(likely) @ (np.asarray(value) - cost * np.asarray(returns))).argmax())


def _channel_arguments(likely: tuple[float, ...], cost: float) -> tuple[object, ...]:
    return np.array(likely), np.array(_VALUE), np.array(_BACK), cost


def _channel_trials(seed: int) -> list[Trial]:
    rows = (
        (_DOUBTFUL, 10.0, "a crate that may be anything from juice to premium, at 10 a return"),
        (_DOUBTFUL, 0.0, "the same crate, if returns cost nothing"),
        ((0.0, 0.05, 0.15, 0.80), 10.0, "a crate that is premium, most likely"),
        ((0.9, 0.1, 0.0, 0.0), 5.0, "a crate that is spoiled, most likely"),
        ((0.25, 0.25, 0.25, 0.25), 30.0, "a crate of which nothing is known"),
    )
    return [
        Trial(_channel_arguments(likely, cost), channel(likely, _VALUE, _BACK, cost), about)
        for likely, cost, about in rows
    ]


_CHANNEL_MISTAKES = (
    Mistake(
        lambda likely, value, returns, cost: int(np.argmax(likely)),
        "that is the most likely grade. What matters is the money that each channel is expected to bring.",
    ),
    Mistake(
        lambda likely, value, returns, cost: int((likely @ value).argmax()),
        "that is the channel that brings most if no crate came back. Take the expected returns off.",
    ),
    Mistake(
        lambda likely, value, returns, cost: int((likely @ (value + cost * returns)).argmax()),
        "each return is paid for, and not earned. Take the expected returns off.",
    ),
)


# --- 7: the score ----------------------------------------------------------------------------------------


def score(net: float, dream: float, best: float, low: Mapping[str, float]) -> float:
    """Score a season from its money, two yardsticks, and the groups' shares of underpaid items."""
    return round(_money(net, dream, best) - UNFAIR_COST * max(0.0, _gap(low) - FAIR_GAP), 9)


def _money(net: float, dream: float, best: float) -> float:
    return (net - dream) / (best - dream)


def _gap(low: Mapping[str, float]) -> float:
    return max(low.values()) - min(low.values())


def _score_trials(seed: int) -> list[Trial]:
    fair, unfair, turned = (
        {"belt": 0.30, "handheld": 0.34},
        {"belt": 0.20, "handheld": 0.35},
        {"belt": 0.5, "handheld": 0.2},
    )
    return [
        Trial((300.0, 100.0, 500.0, unfair), 0.3, "a gap of fifteen points"),
        Trial((300.0, 100.0, 500.0, fair), 0.5, "a gap of four points, which is borne"),
        Trial((300.0, 100.0, 500.0, turned), 0.0, "a gap that hurts the large group"),
        Trial((60.0, 100.0, 500.0, fair), -0.1, "a season that brought less than the dream"),
    ]


_SCORE_MISTAKES = (
    Mistake(
        lambda net, dream, oracle, low: _money(net, dream, oracle),
        "the gap between the groups costs nothing there.",
    ),
    Mistake(
        lambda net, dream, oracle, low: _money(net, dream, oracle) - UNFAIR_COST * _gap(low),
        "the whole gap is charged; five points are borne, and only what is beyond them costs.",
    ),
    Mistake(
        lambda net, dream, oracle, low: _money(net, dream, oracle) - max(0.0, _gap(low) - FAIR_GAP),
        "what is beyond five points costs *twice*.",
    ),
    Mistake(
        lambda net, dream, oracle, low: (
            _money(net, dream, oracle) + UNFAIR_COST * max(0.0, _gap(low) - FAIR_GAP)
        ),
        "the penalty is *added*: unfairness would pay.",
    ),
    Mistake(
        lambda net, dream, oracle, low: _money(net, dream, oracle) - UNFAIR_COST * (_gap(low) - FAIR_GAP),
        "a gap that is borne costs nothing, and earns nothing either.",
    ),
)


# --- 8: a policy -----------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _bars(seed: int) -> reality.Yardsticks:
    return reality.yardsticks("orchard", seed=seed)


class _Season(NamedTuple):
    """What a season brought, and how far apart the groups were."""

    net: float
    gap: float
    score: float


def _judged(project: reality.Season) -> _Season:
    """Score a season as `reality.judge` does, without its forks: what each remedy did is not asked here."""
    bars, low = _bars(project.seed), underpaid(project)
    return _Season(project.net, _gap(low), score(project.net, bars.naive, bars.oracle, low))


@lru_cache(maxsize=4)
def _lecture(seed: int) -> _Season:
    project = reality.Season("orchard", seed=seed)
    reality.POLICIES["lecture"](project)
    return _judged(project)


def _judge_policy(answer: object, seed: int) -> Outcome:
    """Judge a policy by playing it: it must score higher than the lecture's with the same luck."""
    if not callable(answer):
        return no_function(answer)
    project = reality.Season("orchard", seed=seed)
    try:
        answer(project)
        if len(project.registry) == 1:
            return not_yet("Your policy has trained nothing: the card graded all season, by hand.")
        project.finish()
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"On day {project.day} your policy stopped: {told(error)}.")
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


EXERCISES = (
    Exercise(
        id="expectation_vs_reality.1",
        question="Write a function that returns what one mended label has cost.",
        judge=FunctionJudge(_price_trials, _PRICE_MISTAKES),
        hints=(
            "What was the whole bill, and how many labels are better for it?",
            "The bill is a price for each label looked at, and once the guide. Then divide.",
            "`(looked * look + guide) / mended`; with no label mended, `float('inf')`.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.2",
        question="Write a function that returns the effect of a remedy, by two forks.",
        judge=_judge_effect,
        hints=(
            "From which moment must both worlds start?",
            "Make both forks first; give the remedy to one of them; then measure both.",
            "`remedy(mended)` changes a fork in place. Return `measure(mended) - measure(without)`.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.3",
        question="Write a function that returns the grade of which the smallest share is found.",
        judge=FunctionJudge(_weak_trials, _WEAK_MISTAKES),
        hints=(
            "Of which crates is the share taken: of those that *are* a grade, or of those *called* it?",
            "Take the crates whose `true` is the grade, and the share of them with the same `graded`.",
            "Group `graded == true` by `true` with pandas, take means, then `idxmin`.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.4",
        question="With what chance does a nightly test at 5 % ring at least once in 30 quiet nights?",
        judge=number(
            lambda seed: _NIGHTS,
            within=0.006,
            fraction=True,
            mistakes=lambda seed: [
                Mistake(30 * 0.05, "adds the nights up; a chance cannot be above 1."),
                Mistake(0.05, "is the chance of one night."),
                Mistake(0.95**30, "is the chance that it stays *quiet* in all 30 nights."),
                Mistake(0.05**30, "is the chance that it rings in *every* night."),
            ],
            far="is not that chance",
            well="So a test that is looked at every night needs another kind of limit.",
        ),
        hints=(
            "With what chance does it stay quiet in one night, and with what in thirty?",
            "Quiet in all nights: the chance of one quiet night, thirty times multiplied by itself.",
            "One less `0.95` to the power of the nights.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.5",
        question="Write a function that returns the version whose worse-off group is best off.",
        judge=FunctionJudge(_safest_trials, _SAFEST_MISTAKES, well="Philosophers call it maximin."),
        hints=(
            "For one version: which of its two numbers is the worse-off group's?",
            "Take the larger share in each row first, then the row in which that is smallest.",
            "`table.max(axis=1)` gives one number a version; then `idxmin`.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.6",
        question="Write a function that returns the place of the channel that is expected to bring most.",
        judge=FunctionJudge(
            _channel_trials,
            _CHANNEL_MISTAKES,
            well="Section 6 gives `choose_metric` the same rule.",
        ),
        hints=(
            "If you knew the true grade, what would a channel bring once returns are paid for?",
            "Take `cost * returns` off `value`, weigh the rows by `likely`, add up, take the largest.",
            "`likely @ (value - cost * returns)` has one number for each channel; then `argmax`.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.7",
        question="Write a function that returns the score with its fairness floor.",
        judge=FunctionJudge(_score_trials, _SCORE_MISTAKES),
        hints=(
            "Which part of the gap is borne, and what if the gap is smaller than that?",
            "The gap is `max` less `min` of the shares; what is beyond 0.05 is `max(0, gap - 0.05)`.",
            "Money: `(net - dream) / (oracle - dream)`. From it take twice what is beyond.",
        ),
    ),
    Exercise(
        id="expectation_vs_reality.8",
        question="Write a policy that scores higher than the lecture's.",
        judge=_judge_policy,
        hints=(
            "Which of the remedies could have been there before the harm was done?",
            "A guide before most labels; both groups and the rare grade in the first data; the device known.",
            "Every two weeks while the lamps change: collect `recent` items of each group, train, deploy.",
        ),
    ),
)
