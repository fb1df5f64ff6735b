"""Lesson 13's exercises: a price, an effect, a weak grade, a pager, groups, a channel, a score, a policy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab import reality
from mlops_lab.exercises import Rule
from mlops_lab.exercises.judging import Case, Mistake, number
from mlops_lab.exercises.season_judges import (
    channel,
    judge_channel,
    judge_effect,
    judge_policy,
    judge_weakest,
    score,
    weakest,
    with_mistakes,
)

__all__ = ["RULES"]

_NIGHTS = 1 - 0.95**30


# ------------------------------------------------------------------------------------------ 1: a mended label


def _price(looked: float, mended: float, look: float, guide: float) -> float:
    return (looked * look + guide) / mended if mended else math.inf


def _price_cases(seed: int) -> list[Case]:
    return [
        Case((400, 100, 2.0, 200.0), 10.0, "400 labels looked at, of which 100 were wrong"),
        Case((10, 10, 1.5, 0.0), 1.5, "ten labels that were all wrong, and no guide to pay"),
        Case((50, 0, 1.5, 200.0), math.inf, "50 labels that were all right"),
    ]


_PRICE_MISTAKES = (
    (2.5, "that is the price of one *look*. Only the labels that were wrong have been mended."),
    (8.0, "the guide is missing, and it was paid for, too."),
    (808.0, "the guide is paid once, not once for each label."),
    (0.1, "that is upside down: money is to be divided by labels."),
    (4.0, "half of the bill is missing: every look costs, also where the label was right."),
)


# ---------------------------------------------------------------------------------------------- 5: the floor


def _safest(table: pd.DataFrame) -> str:
    return str(table.max(axis=1).idxmin())


def _table(**rows: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, index=pd.Index(["belt", "handheld"])).T


_VERSIONS = {"v1": (0.3, 0.4), "v2": (0.02, 0.6), "v3": (0.5, 0.5), "v4": (0.2, 0.45), "v5": (0.46, 0.08)}


def _safest_cases(seed: int) -> list[Case]:
    return [
        Case((_table(**_VERSIONS),), "v1", "five versions"),
        Case((_table(v7=(0.1, 0.3), v8=(0.35, 0.0)),), "v7", "two versions"),
        Case((_table(v1=(0.9, 0.1), v2=(0.2, 0.8)),), "v2", "versions that each favour one group"),
    ]


_SAFEST_MISTAKES = (
    ("v2", "it is the best for one group, and the worst for the other."),
    ("v3", "its groups are treated alike: alike badly. Equal is not the same as good."),
    ("v5", "it is the best for one group or on the mean, and leaves the other far behind."),
    ("v4", "look again: in which version is the group that is worse off best off?"),
)


# ---------------------------------------------------------------------------------------------- 7: the score


def _score_cases(seed: int) -> list[Case]:
    fair, unfair, turned = (
        {"belt": 0.30, "handheld": 0.34},
        {"belt": 0.20, "handheld": 0.35},
        {"belt": 0.5, "handheld": 0.2},
    )
    return [
        Case((300.0, 100.0, 500.0, unfair), 0.3, "a gap of fifteen points"),
        Case((300.0, 100.0, 500.0, fair), 0.5, "a gap of four points, which is borne"),
        Case((300.0, 100.0, 500.0, turned), 0.0, "a gap that hurts the large group"),
        Case((60.0, 100.0, 500.0, fair), -0.1, "a season that brought less than the dream"),
    ]


_SCORE_MISTAKES = (
    (0.5, "the gap between the groups costs nothing there."),
    (0.2, "the whole gap is charged; five points are borne, and only what is beyond them costs."),
    (0.4, "what is beyond five points costs *twice*."),
    (0.7, "the penalty is *added*: unfairness would pay."),
)


# ------------------------------------------------------------------------------------------ 8: a policy


def _policy(project: Any) -> None:
    reads = [*project.scenario.features, project.scenario.device]
    project.collect(1200, source="recent", group="all")
    project.relabel(50, choose="random")
    project.collect(300, grade=project.scenario.rare)
    for _ in range(4):
        project.deploy(project.train(features=reads, recent_weight=4))
        project.tick(14, pager=False)
        project.choose_metric("money")
        for group in project.scenario.groups:
            project.collect(600, source="recent", group=group)


def _dream(project: Any) -> None:
    project.collect(2600)
    project.deploy(project.train())


def _bankrupt(project: Any) -> None:
    project.collect(40_000, expert=True)


def _greedy(project: Any) -> None:
    _dream(project)
    project.tick(28, pager=False)
    project.choose_metric("money", return_cost=0.0)


def _effect(project: Any, remedy: Callable[[Any], object], measure: Callable[[Any], float]) -> float:
    without, mended = project.fork(), project.fork()
    remedy(mended)
    return measure(mended) - measure(without)


def _lowest_f1(graded: Any, true: Any) -> str:
    said, real = np.array(graded), np.array(true)
    both = {grade: ((said == grade) & (real == grade)).sum() for grade in dict.fromkeys(true)}
    return str(min(both, key=lambda grade: both[grade] / ((said == grade).sum() + (real == grade).sum())))


RULES = (
    Rule(
        id="expectation_vs_reality.1",
        question="Write a function that returns what one mended label has cost.",
        judge=with_mistakes(_price_cases, lambda: (400, 100, 2.0, 200.0), _PRICE_MISTAKES),
        hints=(
            "What was the whole bill, and how many labels are better for it?",
            "The bill is a price for each label looked at, and once the guide. Then divide.",
            "`(looked * look + guide) / mended`; with no label mended, `float('inf')`.",
        ),
        right=lambda seed: [
            _price,
            lambda n, mended, look, guide: (guide + look * n) / mended if mended else float("inf"),
        ],
        wrong=lambda seed: [
            (lambda n, mended, look, guide: (n * look + guide) / n, "one *look*"),
            (lambda n, mended, look, guide: n * look / mended, "guide is missing"),
            (lambda n, mended, look, guide: n * (look + guide) / mended, "paid once"),
            (lambda n, mended, look, guide: mended / (n * look + guide), "upside down"),
            (lambda n, mended, look, guide: (mended * look + guide) / mended, "half of the bill"),
            (lambda n, mended, look, guide: (n * look + guide) / mended, "stopped"),
            (3.0, "without brackets"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.2",
        question="Write a function that returns the effect of a remedy, by two forks.",
        judge=judge_effect,
        hints=(
            "From which moment must both worlds start?",
            "Make both forks first; give the remedy to one of them; then measure both.",
            "`remedy(mended)` changes a fork in place. Return `measure(mended) - measure(without)`.",
        ),
        right=lambda seed: [
            _effect,
            lambda project, remedy, measure: (
                -measure(project.fork()) + [remedy(w := project.fork()), measure(w)][1]
            ),
        ],
        wrong=lambda seed: [
            (lambda project, remedy, measure: [remedy(project), measure(project)][1], "changed"),
            (
                lambda project, remedy, measure: (
                    [remedy(w := project.fork()), measure(w)][1] - measure(project)
                ),
                "measured",
            ),
            (lambda project, remedy, measure: -_effect(project, remedy, measure), "turned round"),
            (lambda project, remedy, measure: measure(project.fork()) - measure(project.fork()), "no effect"),
            (
                lambda project, remedy, measure: [project.fork(), remedy(w := project.fork()), measure(w)][2],
                "take away",
            ),
            (lambda project, remedy, measure: None, "returned None"),
            (lambda project, remedy: 0, "stopped"),
            (0.1, "without brackets"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.3",
        question="Write a function that returns the grade of which the smallest share is found.",
        judge=judge_weakest,
        hints=(
            "Of which crates is the share taken: of those that *are* a grade, or of those *called* it?",
            "Take the crates whose `true` is the grade, and the share of them with the same `graded`.",
            "Group `graded == true` by `true` with pandas, take means, then `idxmin`.",
        ),
        right=lambda seed: [
            weakest,
            lambda graded, true: (
                (pd.Series(np.array(graded)) == np.array(true)).groupby(np.array(true)).mean().idxmin()
            ),
        ],
        wrong=lambda seed: [
            (lambda graded, true: pd.Series(true)[graded != np.array(true)].mode()[0], "most mistakes"),
            (
                lambda graded, true: (
                    (pd.Series(np.array(graded)) == np.array(true)).groupby(np.array(graded)).mean().idxmin()
                ),
                "*called*",
            ),
            (lambda graded, true: pd.Series(true).value_counts().idxmin(), "rarest"),
            (_lowest_f1, "often given wrongly"),
            (lambda graded, true: float(np.mean(np.array(graded) == np.array(true))), "not right"),
            (lambda graded, true: None, "returned None"),
            ("spoiled", "without brackets"),
        ],
    ),
    Rule(
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
        right=lambda seed: [_NIGHTS, 0.785, np.float64(0.79)],
        wrong=lambda seed: [
            (1.5, "cannot be above 1"),
            (0.05, "of one night"),
            (0.95**30, "*quiet*"),
            (78.5, "in percent"),
            ("0.785", "without quotes"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.5",
        question="Write a function that returns the version whose worse-off group is best off.",
        judge=with_mistakes(
            _safest_cases, lambda: (_table(**_VERSIONS),), _SAFEST_MISTAKES, "Philosophers call it maximin."
        ),
        hints=(
            "For one version: which of its two numbers is the worse-off group's?",
            "Take the larger share in each row first, then the row in which that is smallest.",
            "`table.max(axis=1)` gives one number a version; then `idxmin`.",
        ),
        right=lambda seed: [
            _safest,
            lambda table: min(table.index, key=lambda version: max(table.loc[version])),
        ],
        wrong=lambda seed: [
            (lambda table: table["belt"].idxmin(), "best for one group"),
            (lambda table: (table["belt"] - table["handheld"]).abs().idxmin(), "alike badly"),
            (lambda table: table["handheld"].idxmin(), "leaves the other"),
            (lambda table: table.mean(axis=1).idxmin(), "leaves the other"),
            (lambda table: table.max(axis=1).min(), "not right"),
            ("v1", "without brackets"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.6",
        question="Write a function that returns the place of the channel that is expected to bring most.",
        judge=judge_channel,
        hints=(
            "If you knew the true grade, what would a channel bring once returns are paid for?",
            "Take `cost * returns` off `value`, weigh the rows by `likely`, add up, take the largest.",
            "`likely @ (value - cost * returns)` has one number for each channel; then `argmax`.",
        ),
        right=lambda seed: [
            channel,
            lambda likely, value, returns, cost: max(
                range(4),
                key=lambda k: sum(p * (value[g][k] - cost * returns[g][k]) for g, p in enumerate(likely)),
            ),
        ],
        wrong=lambda seed: [
            (lambda likely, value, returns, cost: int(np.argmax(likely)), "most likely grade"),
            (lambda likely, value, returns, cost: int((likely @ value).argmax()), "expected returns"),
            (
                lambda likely, value, returns, cost: (likely @ (value + cost * returns)).argmax(),
                "expected returns",
            ),
            (lambda likely, value, returns, cost: (likely @ (value - cost * returns)).max(), "not right"),
            (lambda likely, value, returns, cost: None, "returned None"),
            (1, "without brackets"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.7",
        question="Write a function that returns the score with its fairness floor.",
        judge=with_mistakes(
            _score_cases,
            lambda: (300.0, 100.0, 500.0, {"belt": 0.20, "handheld": 0.35}),
            _SCORE_MISTAKES,
        ),
        hints=(
            "Which part of the gap is borne, and what if the gap is smaller than that?",
            "The gap is `max` less `min` of the shares; what is beyond 0.05 is `max(0, gap - 0.05)`.",
            "Money: `(net - dream) / (oracle - dream)`. From it take twice what is beyond.",
        ),
        right=lambda seed: [
            score,
            lambda net, dream, oracle, low: (
                (net - dream) / (oracle - dream) - 2 * max(0, abs(np.subtract(*list(low.values()))) - 0.05)
            ),
        ],
        wrong=lambda seed: [
            (lambda net, dream, oracle, low: (net - dream) / (oracle - dream), "costs nothing"),
            (lambda net, dream, oracle, low: (net - dream) / (oracle - dream) - 2 * 0.15, "whole gap"),
            (lambda net, dream, oracle, low: (net - dream) / (oracle - dream) - 0.1, "*twice*"),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - 2 * max(0, low["handheld"] - low["belt"] - 0.05)
                ),
                "large group",
            ),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - 2 * (abs(low["handheld"] - low["belt"]) - 0.05)
                ),
                "borne",
            ),
            (0.3, "without brackets"),
        ],
    ),
    Rule(
        id="expectation_vs_reality.8",
        question="Write a policy that scores higher than the lecture's.",
        judge=judge_policy,
        hints=(
            "Which of the remedies could have been there before the harm was done?",
            "A guide before most labels; both groups and the rare grade in the first data; the device known.",
            "Every two weeks while the lamps change: collect `recent` items of each group, train, deploy.",
        ),
        right=lambda seed: [_policy, reality.POLICIES["prevention"]],
        wrong=lambda seed: [
            (_dream, "no more than the card"),
            (lambda project: None, "trained nothing"),
            (lambda project: [project.collect(500), project.train()], "never deployed"),
            (_bankrupt, "stopped"),
            (lambda: None, "stopped"),
            (_greedy, "forgotten"),
            ("prevention", "without brackets"),
        ],
    ),
)
