"""Lesson 07's exercises: the largest gap, Holm, a size that matters, PSI, a bill, who sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.exercises import Outcome, Rule, not_yet, right
from mlops_lab.exercises.drift_guesses import (
    GAP_GUESSES,
    HOLM_GUESSES,
    PSI_GUESSES,
    apart,
    gap,
    gap_cases,
    holm,
    holm_cases,
    one_number,
    psi,
    psi_cases,
)
from mlops_lab.exercises.guesses import judged, typical
from mlops_lab.exercises.judging import Mistake, number, read_number

__all__ = ["RULES"]

SHIFT = 0.5
GAP = float(2 * stats.norm.cdf(SHIFT / 2) - 1)
SUGAR = 0.4 * 0.6 / 0.9

SEES = {
    "an infinite reading in one crate of 500": "schema",
    "all belts read colour too high": "drift",
    "each crate has its neighbour's nir": "joint_drift",
    "only the handhelds read low, and one crate in 30 comes from one": "segment_drift",
    "buyers ask for less sugar in premium fruit": "labels",
}
"""The trouble -> the monitor that sees it."""

ALPHAS = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.4, 0.8)
"""The alphas of section 9."""

CHEAPEST = 0.01
"""The alpha that costs least at a look of 1,000 and a harm of 800, in each world."""

WHY_NOT = {
    "an infinite reading in one crate of 500": "one row moves no share of rows by more than chance does",
    "all belts read colour too high": "the values are whole, and one column shows it in most rows",
    "each crate has its neighbour's nir": "each column still holds the very same values",
    "only the handhelds read low, and one crate in 30 comes from one": (
        "a change in so few rows drowns in the whole table"
    ),
    "buyers ask for less sugar in premium fruit": "no reading of any crate is another than before",
}


def _judge_gap(answer: object, seed: int) -> Outcome:
    value = read_number(answer)
    if not isinstance(value, Outcome) and math.isclose(value, round(GAP, 1)):
        return not_yet(f"Your answer {value:g} is rounded too far: give three decimals.")
    return _GAP_NUMBER(answer, seed)


_GAP_NUMBER = number(
    lambda seed: GAP,
    within=0.002,
    fraction=True,
    mistakes=lambda seed: [
        Mistake(SHIFT, "is the move itself; a difference of two shares of rows is asked for."),
        Mistake(
            float(stats.norm.cdf(SHIFT) - 0.5),
            "is the gap in the middle of one of the curves; it is largest halfway between them.",
        ),
        Mistake(GAP / 2, "is the distance of one curve from the middle; there are two."),
        Mistake(float(2 * stats.norm.cdf(SHIFT) - 1), "takes the whole move to each side of half way."),
        Mistake(float(stats.norm.cdf(SHIFT / 2)), "is one of the two shares: take the other from it."),
        Mistake(float(stats.norm.cdf(SHIFT)), "is the share below one place, not a difference."),
    ],
    far="is not the gap",
    well="Smaller gaps would not hurt: that is your `min_effect`.",
)


def _judge_alpha(answer: object, seed: int) -> Outcome:
    value = read_number(answer)
    if isinstance(value, Outcome):
        return value
    said = f"Your answer {value:g}"
    if value >= 1:
        return not_yet(f"{said} is no alpha: one of `alphas` is asked for, a chance between 0 and 1.")
    if not any(math.isclose(value, each) for each in ALPHAS):
        return not_yet(f"{said} is not among `alphas`: look at them once more.")
    if math.isclose(value, CHEAPEST):
        return right("Same monitor, same data, other prices: another alpha.")
    if math.isclose(value, 0.05):
        return not_yet(f"{said} is customary, and dear here: what do the false alarms of a year cost?")
    if value > 0.05:
        return not_yet(f"{said} is cheap where a look is cheap, and here a look costs 1,000 dollars.")
    if value > CHEAPEST:
        return not_yet(f"{said} finds more, but pays for more looks than that saves.")
    return not_yet(f"{said} saves looks, but a drift goes unnoticed longer.")


def _judge_monitors(answer: object, seed: int) -> Outcome:
    if isinstance(answer, (set, frozenset)):
        return not_yet("Your answer is a set, and a set has no order: give a list, in square brackets.")
    parts = list(answer.values() if isinstance(answer, Mapping) else answer)  # type: ignore[call-overload]
    if isinstance(answer, str) or len(parts) != len(SEES):
        size = "one text" if isinstance(answer, str) else f"{len(parts)} parts"
        return not_yet(f"Your answer has {size}: a list of five monitors is asked for.")
    given = [str(part).strip().casefold() for part in parts]
    for tool in given:
        if tool not in SEES.values():
            known = ", ".join(sorted(SEES.values()))
            return not_yet(f"Your answer {tool!r} is no monitor here: choose among {known}.")
    told = [
        f"{tool!r} is not the one for {trouble!r}: {WHY_NOT[trouble]}"
        for tool, (trouble, true) in zip(given, SEES.items(), strict=True)
        if tool != true
    ]
    if told:
        good = len(SEES) - len(told)
        return not_yet(f"{good} of {len(SEES)} {'is' if good == 1 else 'are'} right. {told[0]}.")
    return right("Five troubles, five monitors: none of them sees all.")


def _but(place: int, tool: str) -> list[str]:
    """Give the right answer with another monitor in one place."""
    tools = list(SEES.values())
    return [*tools[:place], tool, *tools[place + 1 :]]


RULES = (
    Rule(
        id="monitoring_data.1",
        question="Write a function that returns the largest gap between the two curves of shares.",
        judge=one_number(
            judged(gap_cases, GAP_GUESSES, well="scipy's `ks_2samp` gives the same."),
            gap_cases,
            truth="the size of the gap is asked for",
            several="one number is asked for, the largest",
        ),
        hints=(
            "At which places can the gap between two staircases change?",
            "At each value `x` of both samples, compare `(before <= x).mean()` and `(now <= x).mean()`.",
            "`max(abs(... - ...) for x in np.concatenate([before, now]))`.",
        ),
        right=lambda seed: [
            gap,
            lambda before, now: np.abs(apart(before, now)).max(),
            lambda before, now: stats.ks_2samp(before, now).statistic,
        ],
        wrong=lambda seed: [
            *typical(GAP_GUESSES),
            (lambda b, n: abs(apart(b, n)), "9 values: one number is asked for, the largest"),
            (lambda b: 0.5, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_data.2",
        question="Write Holm's rule: a function of p-values that returns how many columns have drifted.",
        judge=one_number(
            judged(holm_cases, HOLM_GUESSES, well="`monitoring.correct` decides the same."),
            holm_cases,
            truth="how many columns is asked for",
            several="one number is asked for, how many",
        ),
        hints=(
            "Against which number is the smallest of `m` p-values held, and against which the next?",
            "Go through `sorted(p)`; hold the first against `0.05 / m`, the next against `0.05 / (m - 1)`.",
            "Loop over `enumerate(sorted(p))`: `break` above `0.05 / (len(p) - place)`, else count.",
        ),
        right=lambda seed: [holm, lambda p: (monitoring.correct(p) <= 0.05 + 1e-12).sum()],
        wrong=lambda seed: [
            *typical(HOLM_GUESSES),
            (lambda p: bool(min(p) <= 0.05 / len(p)), "returned True: how many columns is asked for"),
            (lambda p: monitoring.correct(p) <= 0.05, "4 values: one number is asked for, how many"),
            (lambda p: next((k for k in range(3) if p[k] > 0.05), None), "None, and numbers elsewhere"),
            (lambda p: None, "returned None: does it end with `return ...`?"),
            (2, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_data.3",
        question="Which largest gap does a bell curve make that moves by half a standard deviation?",
        judge=_judge_gap,
        hints=(
            "Where between the two middles, 0 and 0.5, are the curves furthest apart?",
            "Halfway, at 0.25. Which share of each curve lies below it? One is `stats.norm.cdf(0.25)`.",
            "`stats.norm.cdf(0.25) - stats.norm.cdf(0.25 - 0.5)`.",
        ),
        right=lambda seed: [GAP, 0.197, np.float64(0.198), [0.1974]],
        wrong=lambda seed: [
            (0.5, "the move itself"),
            (0.1915, "middle of one"),
            (0.383, "each side"),
            (0.5987, "one of the two shares"),
            (0.2, "rounded too far"),
            (0.0987, "there are two"),
            (19.7, "in percent"),
        ],
    ),
    Rule(
        id="monitoring_data.4",
        question="Write PSI: a function of two lists of shares; an empty bin counts as 0.0001.",
        judge=one_number(
            judged(psi_cases, PSI_GUESSES, well="Over the same bins `monitoring.psi` gives the same."),
            psi_cases,
            truth="the index is asked for, a number",
            several="one number is asked for, the sum over the bins",
        ),
        hints=(
            "What stands in the sum for a single bin whose share went from `p` to `q`?",
            "First lift shares to at least 0.0001 with `np.maximum`. Then `(q - p) * np.log(q / p)`, summed.",
            "`p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)`, then the sum of `(q - p) * np.log(q / p)`.",
        ),
        right=lambda seed: [psi, lambda p, q: psi(q, p), lambda p, q: np.array([psi(p, q)])],
        wrong=lambda seed: [
            *typical(PSI_GUESSES),
            (lambda p, q: (q - p) * np.log(q / p), "2 values: one number is asked for, the sum"),
            (0.27, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_data.5",
        question="By how much must sugar read differently, so that the card's points stay as they were?",
        judge=number(
            lambda seed: SUGAR,
            within=0.005,
            mistakes=lambda seed: [
                Mistake(
                    -SUGAR, "has the wrong sign: firmness takes points away, sugar must bring them back."
                ),
                Mistake(0.6, "moves sugar as far as firmness, but their weights differ."),
                Mistake(0.6 * 0.9 / 0.4, "has the two weights the wrong way round."),
                Mistake(0.4 * 0.6, "is the number of points lost: divide by what a step of sugar brings."),
                Mistake(0.0, "leaves sugar alone: then the crates lose points."),
            ],
            far="is not it: the points lost and won do not add up to 0",
            well="Two columns move, and every crate keeps its points.",
        ),
        hints=(
            "How many points does a crate lose when its firmness reads 0.6 lower?",
            "It loses `0.4 * 0.6` points. A step of 1 in sugar brings 0.9.",
            "Divide the points lost by 0.9.",
        ),
        right=lambda seed: [SUGAR, 0.27, 4 / 15, [0.2667]],
        wrong=lambda seed: [
            (-0.2667, "wrong sign"),
            (0.6, "weights differ"),
            (1.35, "wrong way round"),
            (0.24, "points lost"),
            (0, "alone"),
        ],
    ),
    Rule(
        id="monitoring_data.6",
        question="A look costs 1,000 dollars, a week of unnoticed drift 800: which alpha is cheapest?",
        judge=_judge_alpha,
        hints=(
            "What does `bill` say for these prices, alpha by alpha?",
            "`bill(1000, 800)` is a table with a column `sum`; in which row is that the smallest?",
            "`.idxmin()` of that column is the alpha.",
        ),
        right=lambda seed: [CHEAPEST, np.float64(0.01), [0.01]],
        wrong=lambda seed: [
            (0.05, "customary"),
            (0.4, "where a look is cheap"),
            (0.8, "where a look is cheap"),
            (0.03, "pays for more looks than that saves"),
            (0.003, "a drift goes unnoticed longer"),
            (0.001, "a drift goes unnoticed longer"),
            (0.02, "not among"),
            (1, "no alpha"),
            ("0.01", "without quotes"),
        ],
    ),
    Rule(
        id="monitoring_data.7",
        question="Which monitor sees which of the five troubles?",
        judge=_judge_monitors,
        hints=(
            "Does the trouble show in one cell, in one column, in two together, in a group, or nowhere?",
            "Broken values: `schema`. A column: `drift`. Columns together: `joint_drift`. A group?",
            "No reading changes when buyers change their mind. What else could tell you?",
        ),
        right=lambda seed: [
            list(SEES.values()),
            tuple(tool.upper() for tool in SEES.values()),
            np.array(list(SEES.values())),
            dict(SEES),
        ],
        wrong=lambda seed: [
            (_but(0, "drift"), "4 of 5 are right"),
            (set(SEES.values()), "a set has no order"),
            (_but(1, "schema"), "one column shows it"),
            (_but(2, "drift"), "very same values"),
            (_but(3, "drift"), "drowns"),
            (_but(4, "joint_drift"), "no reading"),
            (_but(0, "ks"), "no monitor here"),
            (["drift"] * 5, "1 of 5 is right"),
            (["schema", "drift"], "2 parts"),
            ("drift", "one text"),
        ],
    ),
)
