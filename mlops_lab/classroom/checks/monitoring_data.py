"""Lesson 07's exercises: the largest gap, Holm, a size that matters, PSI, a bill, who sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.classroom.checks import Outcome, Rule, not_yet, right
from mlops_lab.classroom.checks.judges import Case, Mistake, number, read_number
from mlops_lab.classroom.guesses import Guess, judged, typical

__all__ = ["RULES"]

Array = npt.NDArray[np.float64]

SHIFT = 0.5
GAP = float(2 * stats.norm.cdf(SHIFT / 2) - 1)
SUGAR = 0.4 * 0.6 / 0.9

SEES = {
    "an infinite reading in one crate of 500": "schema",
    "all belts read colour too high": "drift",
    "each crate has its neighbour's nir": "joint_drift",
    "one grower in 30 has a handheld that reads low": "segment_drift",
    "buyers ask for less sugar in premium fruit": "labels",
}
"""The trouble -> the monitor that sees it."""

ALPHAS = (0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.2, 0.4)
"""The alphas of section 9. At a look of 2,000 and a harm of 800, one of 0.003 to 0.03 costs the least."""

WHY_NOT = {
    "an infinite reading in one crate of 500": "one row moves no share of rows by more than chance does",
    "all belts read colour too high": "the values are whole, and one column shows it in all rows",
    "each crate has its neighbour's nir": "each column still holds the very same values",
    "one grower in 30 has a handheld that reads low": "a change in so few rows drowns in the whole table",
    "buyers ask for less sugar in premium fruit": "no reading of any crate is another than before",
}


def _apart(before: Array, now: Array, places: Array | None = None) -> Array:
    """Give the difference of the shares at or below each place, by default at all values."""
    chosen = np.concatenate([before, now]) if places is None else places
    return np.array([(before <= x).mean() - (now <= x).mean() for x in chosen])


def _gap(before: Array, now: Array) -> float:
    return max(abs(float((before <= x).mean() - (now <= x).mean())) for x in np.concatenate([before, now]))


def _grid(before: Array, now: Array) -> Array:
    return np.linspace(min(before.min(), now.min()), max(before.max(), now.max()), 12)


GAP_GUESSES: tuple[Guess, ...] = (
    Guess(lambda b, n: _apart(b, n).max(), "a gap counts in both directions: take its size without the sign"),
    Guess(lambda b, n: abs(_apart(b, n, b)).max(), "look at the values of the second sample, too"),
    Guess(
        lambda b, n: abs(_apart(b, n)).mean(), "that is the mean of the gaps, and the largest is asked for"
    ),
    Guess(lambda b, n: abs(b.mean() - n.mean()), "that is the distance of the means, not of the curves"),
    Guess(
        lambda b, n: max(abs(int((b <= x).sum()) - int((n <= x).sum())) for x in np.concatenate([b, n])),
        "that counts rows: divide by each sample's own number of rows",
    ),
    Guess(
        lambda b, n: abs(_apart(b, n, _grid(b, n))).max(),
        "the largest gap can lie between the places of a grid: look at every value",
    ),
)

_LOW, _HIGH = np.array([5.0, 6.0, 7.0, 8.0, 9.0]), np.array([1.0, 2.0, 6.5, 7.5])


def _gap_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng([7, seed])
    one, other = rng.normal(size=60), rng.normal(0.4, 1.2, size=45)
    return [
        Case((_LOW, _HIGH), 0.5, "samples of 5 and 4 values, the second lower"),
        Case((np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 2.0, 2.0, 2.0])), 0.25, "samples with ties"),
        Case((np.array([1.0, 2.0]), np.array([8.0, 9.0])), 1.0, "samples that do not overlap"),
        Case((np.array([3.0, 4.0]), np.array([4.0, 3.0])), 0.0, "the same values in another order"),
        Case((one, other), float(stats.ks_2samp(one, other).statistic), "60 and 45 chance values"),
    ]


def _holm(p: Sequence[float]) -> int:
    found = 0
    for place, each in enumerate(sorted(p)):
        if each > 0.05 / (len(p) - place):
            break
        found += 1
    return found


def _bonferroni(p: Sequence[float]) -> int:
    return sum(each <= 0.05 / len(p) for each in p)


def _no_stop(p: Sequence[float]) -> int:
    return sum(each <= 0.05 / (len(p) - place) for place, each in enumerate(sorted(p)))


def _unsorted(p: Sequence[float]) -> int:
    found = 0
    for place, each in enumerate(p):
        if each > 0.05 / (len(p) - place):
            break
        found += 1
    return found


def _false_discoveries(p: Sequence[float]) -> int:
    ordered = np.sort(p)
    good = np.flatnonzero(ordered <= 0.05 * np.arange(1, len(ordered) + 1) / len(ordered))
    return int(good[-1]) + 1 if good.size else 0


HOLM_GUESSES: tuple[Guess, ...] = (
    Guess(lambda p: sum(each <= 0.05 for each in p), "that holds each p-value against 0.05, uncorrected"),
    Guess(
        _bonferroni, "that holds each against 0.05 / m; after each rejection one fewer is left to divide by"
    ),
    Guess(_no_stop, "it must stop at the first p-value that is too large, whatever comes behind it"),
    Guess(_unsorted, "the p-values must be taken from the smallest to the largest"),
    Guess(_false_discoveries, "that is the rule of Benjamini and Hochberg, which promises something else"),
)


def _holm_cases(seed: int) -> list[Case]:
    lists = (
        ([0.2, 0.013, 0.02, 0.01], "four p-values of which three are small"),
        ([0.04, 0.02, 0.03, 0.01], "four p-values just below 0.05"),
        ([0.001, 0.9, 0.02, 0.024], "four p-values of which one is very small"),
        ([0.7, 0.6, 0.0125, 0.5], "a p-value that is exactly 0.05 / m"),
        ([0.04, 0.3], "two p-values, one just below 0.05"),
    )
    return [Case((np.array(p),), _holm(p), about) for p, about in lists]


def _psi(p: Array, q: Array) -> float:
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(((q - p) * np.log(q / p)).sum())


def _psi_without_floor(p: Array, q: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.nansum((q - p) * np.log(q / p)))


PSI_GUESSES: tuple[Guess, ...] = (
    Guess(lambda p, q: -_psi(p, q), "it must not be below 0: take `q - p` and `q / p` in the same order"),
    Guess(lambda p, q: _psi(p, q) / math.log(10), "the natural logarithm is meant, `np.log`"),
    Guess(
        lambda p, q: float((np.maximum(q, 1e-4) * np.log(np.maximum(q, 1e-4) / np.maximum(p, 1e-4))).sum()),
        "in front of the logarithm stands the *difference* `q - p`, not `q` alone",
    ),
    Guess(
        lambda p, q: float((np.abs(q - p) * np.log(np.maximum(q, 1e-4) / np.maximum(p, 1e-4))).sum()),
        "leave the sign of `q - p`: where it is negative the logarithm is, too",
    ),
    Guess(_psi_without_floor, "an empty bin needs a share of 0.0001, or the logarithm has no value"),
    Guess(lambda p, q: _psi(p, q) / len(p), "the sum over the bins is asked for, not the mean"),
)


def _psi_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng([8, seed])
    before, now = rng.normal(size=400), rng.normal(0.4, 1, 300)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    bins = (np.bincount(np.searchsorted(edges, each), minlength=10) / len(each) for each in (before, now))
    shares = (
        ([0.5, 0.5], [0.25, 0.75], "two bins"),
        ([0.5, 0.5, 0.0], [0.5, 0.25, 0.25], "a bin that was empty before"),
        ([0.5, 0.4, 0.1], [0.6, 0.4, 0.0], "a bin that is empty now"),
        ([0.7, 0.3], [0.7, 0.3], "shares that did not change"),
    )
    cases = [
        Case((np.array(p), np.array(q)), _psi(np.array(p), np.array(q)), about) for p, q, about in shares
    ]
    return [*cases, Case(tuple(bins), monitoring.psi(before, now), "ten bins of a column that moved")]


def _judge_alpha(answer: object, seed: int) -> Outcome:
    value = read_number(answer)
    if isinstance(value, Outcome):
        return value
    said = f"Your answer {value:g}"
    if value >= 1:
        return not_yet(f"{said} is no alpha: one of `alphas` is asked for, a chance between 0 and 1.")
    if not any(math.isclose(value, each) for each in ALPHAS):
        return not_yet(f"{said} is not among `alphas`: look at them once more.")
    if math.isclose(value, 0.05):
        return not_yet(f"{said} is customary, and dear here: what do the false alarms of a year cost?")
    if value > 0.05:
        return not_yet(f"{said} is cheap where a look is cheap, and here a look costs 2,000.")
    if value < 0.003:
        return not_yet(f"{said} saves looks, but a drift then goes unnoticed for weeks.")
    return right("Same monitor, same data, other prices: another alpha.")


def _judge_monitors(answer: object, seed: int) -> Outcome:
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
        return not_yet(f"{len(SEES) - len(told)} of {len(SEES)} are right. {told[0]}.")
    return right("Five troubles, five monitors: none of them sees all.")


def _but(place: int, tool: str) -> list[str]:
    """Give the right answer with another monitor in one place."""
    tools = list(SEES.values())
    return [*tools[:place], tool, *tools[place + 1 :]]


RULES = (
    Rule(
        id="monitoring_data.1",
        question="Write a function that returns the largest gap between the two curves of shares.",
        judge=judged(_gap_cases, GAP_GUESSES, well="scipy's `ks_2samp` gives the same."),
        hints=(
            "At which places can the gap between two staircases change?",
            "At each value `x` of both samples, compare `(before <= x).mean()` and `(now <= x).mean()`.",
            "`max(abs(... - ...) for x in np.concatenate([before, now]))`.",
        ),
        right=lambda seed: [
            _gap,
            lambda before, now: np.abs(_apart(before, now)).max(),
            lambda before, now: stats.ks_2samp(before, now).statistic,
        ],
        wrong=lambda seed: [*typical(GAP_GUESSES), (lambda b: 0.5, "stopped"), (0.5, "without brackets")],
    ),
    Rule(
        id="monitoring_data.2",
        question="Write Holm's rule: a function of p-values that returns how many columns have drifted.",
        judge=judged(_holm_cases, HOLM_GUESSES, well="`monitoring.correct` decides the same."),
        hints=(
            "Against which number is the smallest of `m` p-values held, and against which the next?",
            "Go through `sorted(p)`; hold the first against `0.05 / m`, the next against `0.05 / (m - 1)`.",
            "Loop over `enumerate(sorted(p))`: `break` above `0.05 / (len(p) - place)`, else count.",
        ),
        right=lambda seed: [_holm, lambda p: (monitoring.correct(p) <= 0.05 + 1e-12).sum()],
        wrong=lambda seed: [
            *typical(HOLM_GUESSES),
            (lambda p: None, "returned None"),
            (2, "without brackets"),
        ],
    ),
    Rule(
        id="monitoring_data.3",
        question="Which largest gap does a bell curve make that moves by half a standard deviation?",
        judge=number(
            lambda seed: GAP,
            within=0.002,
            fraction=True,
            mistakes=lambda seed: [
                Mistake(SHIFT, "is the move itself; a difference of two shares of rows is asked for."),
                Mistake(
                    float(stats.norm.cdf(SHIFT) - 0.5),
                    "is the gap in the middle of one of the curves; it is largest halfway between them.",
                ),
                Mistake(
                    float(2 * stats.norm.cdf(SHIFT) - 1), "takes the whole move to each side of half way."
                ),
                Mistake(
                    float(stats.norm.cdf(SHIFT / 2)), "is one of the two shares: take the other from it."
                ),
                Mistake(float(stats.norm.cdf(SHIFT)), "is the share below one place, not a difference."),
            ],
            far="is not the gap",
            well="Smaller gaps would not hurt: that is your `min_effect`.",
        ),
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
            (19.7, "in percent"),
        ],
    ),
    Rule(
        id="monitoring_data.4",
        question="Write PSI: a function of two lists of shares; an empty bin counts as 0.0001.",
        judge=judged(_psi_cases, PSI_GUESSES, well="Over the same bins `monitoring.psi` gives the same."),
        hints=(
            "What stands in the sum for a single bin whose share went from `p` to `q`?",
            "First lift shares to at least 0.0001 with `np.maximum`. Then `(q - p) * np.log(q / p)`, summed.",
            "`p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)`, then the sum of `(q - p) * np.log(q / p)`.",
        ),
        right=lambda seed: [_psi, lambda p, q: _psi(q, p), lambda p, q: np.array([_psi(p, q)])],
        wrong=lambda seed: [
            *typical(PSI_GUESSES),
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
            well="Two columns drift, and no grade changes.",
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
        question="A look costs 2,000 and a week of unnoticed drift 800: which of the alphas is cheapest?",
        judge=_judge_alpha,
        hints=(
            "What does `bill` say for these prices, alpha by alpha?",
            "`bill(2000, 800)` is a table with a column `sum`; in which row is that the smallest?",
            "`.idxmin()` of that column is the alpha.",
        ),
        right=lambda seed: [0.01, 0.003, 0.03, np.float64(0.01), [0.01]],
        wrong=lambda seed: [
            (0.05, "customary"),
            (0.4, "where a look is cheap"),
            (0.001, "unnoticed for weeks"),
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
            (_but(1, "schema"), "one column shows it"),
            (_but(2, "drift"), "very same values"),
            (_but(3, "drift"), "drowns"),
            (_but(4, "joint_drift"), "no reading"),
            (_but(0, "ks"), "no monitor here"),
            (["drift"] * 5, "1 of 5 are right"),
            (["schema", "drift"], "2 parts"),
            ("drift", "one text"),
        ],
    ),
)
