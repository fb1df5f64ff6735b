"""Lesson 08's exercises: certainty's price, bounds, weights, trust, a CUSUM, a policy, a probability."""

from __future__ import annotations

import math

import numpy as np

from mlops_lab.exercises import Outcome, Rule, not_yet
from mlops_lab.exercises.judging import Mistake, choice, number, read_number
from mlops_lab.exercises.metric_judges import (
    ALARM_MISTAKES,
    BOUNDS_MISTAKES,
    bounds,
    by_cumsum,
    first_alarm,
    judge_act,
    judge_alarm,
    judge_bounds,
    judge_weighted,
    mean_first,
    one_less,
    policy,
    weighted,
)
from mlops_lab.report import shown

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

_CRATES_MISTAKES = (
    (_CRATES / 4, "leaves out the 2 in front of the root, or lets the interval reach 6 points."),
    (4 * 0.85 * 0.15 / 0.03, "forgets to square: the reach goes with the *root* of the crates."),
    (math.sqrt(_CRATES), "is the root of the number of crates: it has still to be squared."),
    (_CRATES * 4, "makes it half as wide as needed: 3 points from end to end."),
    (_CRATES * 0.98**2, "takes 1.96 for the 2: use the rule of thumb as it stands."),
    (0.25 * (2 / 0.03) ** 2, "is the number for a share of one half: here 85 % are right."),
)


def _judge_crates(answer: object, seed: int) -> Outcome:
    value = read_number(answer)
    for made, why in _CRATES_MISTAKES:
        if not isinstance(value, Outcome) and math.isclose(value, made, rel_tol=0.01):
            return not_yet(f"Your answer {shown(value)} {why}")
    outcome: Outcome = number(lambda seed: _CRATES, within=8, far="is not the number of crates")(answer, seed)
    return outcome


RULES = (
    Rule(
        id="monitoring_performance.1",
        question="How many crates must be opened so that the interval reaches 3 points to either side?",
        judge=_judge_crates,
        hints=(
            "Which equation must the number of crates fulfil?",
            "Solve `2 * sqrt(0.85 * 0.15 / n) = 0.03`: divide by 2, square both sides, then take out `n`.",
            "`n` is `0.85 * 0.15` divided by the square of `0.03 / 2`.",
        ),
        right=lambda seed: [_CRATES, 567, 566.0, [567]],
        wrong=lambda seed: [
            (_CRATES / 4, "leaves out the 2"),
            (17, "forgets to square"),
            (10, "not the number of crates"),
            (23.8, "root of the number"),
            (544, "takes 1.96"),
            (1111, "one half"),
            (_CRATES * 4, "half as wide"),
            ("567", "without quotes"),
        ],
    ),
    Rule(
        id="monitoring_performance.2",
        question="Write a function that returns the lowest and highest share of right grades of all crates.",
        judge=judge_bounds,
        hints=(
            "How many crates are right at the least, whatever the missing labels say?",
            "Worst: no missing label is right. Best: all `crates - known` are. Divide both by `crates`.",
            "Return `right / crates` first. For the best, add `crates - known` to `right` before dividing.",
        ),
        right=lambda seed: [
            bounds,
            lambda right, known, crates: [right / crates, 1 - (known - right) / crates],
            lambda right, known, crates: np.array([right, right + crates - known]) / crates,
        ],
        wrong=lambda seed: [
            *zip(
                (mistake for mistake, _ in BOUNDS_MISTAKES),
                (
                    "among the known",
                    "*missing*",
                    "turn them round",
                    "worst is",
                    "best is",
                    "known to be wrong",
                ),
                strict=False,
            ),
            (lambda *week: (100 * bounds(*week)[0], 100 * bounds(*week)[1]), "These are percent"),
            (lambda right, known, crates: (right, right + crates - known), "counts of crates"),
            (lambda *week: tuple(round(share, 2) for share in bounds(*week)), "rounded"),
            (lambda *week: dict(zip("wb", bounds(*week), strict=True)), "which is not right"),
            (lambda right, known, crates: right / crates, "one number"),
            (lambda right, known: right / known, "stopped"),
            (0.15, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.3",
        question="Write a function that returns the share of right grades, each crate counted 1 / chance.",
        judge=judge_weighted,
        hints=(
            "If one crate speaks for ten and another for two, for how many crates do both speak?",
            "Add up `right / chance`, and divide by the sum of the weights.",
            "`np.average` takes `weights=`; here they are `1 / chance`.",
        ),
        right=lambda seed: [
            weighted,
            lambda right, chance: np.average(right, weights=1 / chance),
            lambda right, chance: np.array([(right / chance).sum() / (1 / chance).sum()]),
        ],
        wrong=lambda seed: [
            (lambda right, chance: np.mean(right), "counts all crates alike"),
            (lambda right, chance: np.average(right, weights=chance), "other way round"),
            (lambda right, chance: np.mean(right / chance), "not by the sum of the weights"),
            (lambda right, chance: np.average(right, weights=1 - chance), "1 - chance"),
            (lambda right, chance: np.average(right, weights=1 / np.maximum(chance, 0.1)), "hardly opened"),
            (lambda right, chance: 1 - weighted(right, chance), "*wrong* grades"),
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
        judge=judge_alarm,
        hints=(
            "Which single number has to be remembered from one grade to the next?",
            "In a loop over `enumerate(wrong)`: add `up` or take `down` away, and cut off below 0 by `max`.",
            "After `level = max(0, level + ...)`: if `level >= limit`, return the step. Last, `None`.",
        ),
        right=lambda seed: [first_alarm, by_cumsum],
        wrong=lambda seed: [
            *zip(
                (mistake for mistake, _ in ALARM_MISTAKES),
                ("below 0", "*at* the limit", "one step late", "first grade count", "Step 0", "never gives"),
                strict=False,
            ),
            (lambda wrong, up, down, limit: first_alarm(1 - wrong, up, down, limit), "*wrong* grade"),
            (lambda wrong, up, down, limit: first_alarm(wrong, up, 0, limit), "no alarm is due"),
            (lambda wrong, *given: first_alarm(wrong[:-1], *given), "an alarm is due."),
            (lambda wrong, *given: first_alarm(wrong, *map(int, given)), "no whole numbers"),
            (lambda *all: first_alarm(*all) is not None or None, "number of the step"),
            (lambda wrong: None, "stopped"),
            (7, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_performance.6",
        question="Write a policy: retrain after a bad week of enough outcomes, not just after a training.",
        judge=judge_act,
        hints=(
            "Which three conditions must hold together?",
            "The newest week is `seen.right[-1]`: look at its length, at its mean, and at `seen.since`.",
            "`len(...) >= 30 and np.mean(...) < 0.7 and seen.since >= 2` decides between the two words.",
        ),
        right=lambda seed: [policy(), mean_first],
        wrong=lambda seed: [
            (policy(least=0), "only 29 outcomes"),
            (policy(least=31), "exactly 30 outcomes"),
            (policy(since=0), "just after a training"),
            (policy(since=3), "exactly 2 weeks"),
            (policy(share=0.70001), "exactly 70 %"),
            (policy(share=0.65), "68 % right"),
            (policy(newest=np.concatenate), "all weeks together"),
            (policy(newest=lambda weeks: weeks[0]), "first week"),
            (policy(newest=lambda weeks: weeks[1]), "second week"),
            (policy(word="train"), "'retrain' or 'keep'"),
            (one_less, "a hair above"),
            (lambda seen: seen.right[-1].sum() // len(seen.right[-1]) and "keep", "'retrain' or 'keep'"),
            ("retrain", "without brackets"),
        ],
    ),
    Rule(
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
        right=lambda seed: [_ADJUSTED, 0.31, 0.3, np.float64(0.308)],
        wrong=lambda seed: [
            (0.16, "one of the two products"),
            (0.36, "product of *not*"),
            (0.16 / 0.36, "is the odds"),
            (0.973, "turn the two shares"),
            (0.8, "shares are not used"),
            (0.1, "share alone"),
            (1 - _ADJUSTED, "*not* spoiled"),
            (0.08, "multiplies by the new share"),
            (30.8, "in percent"),
        ],
    ),
)
