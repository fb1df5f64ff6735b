"""Lesson 07's exercises: the largest gap, Holm, a size that matters, PSI, a bill, who sees it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import takewhile

import numpy as np
import numpy.typing as npt
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import FunctionJudge, Mistake, Trial, items, number, read_number, tolerance

__all__ = ["EXERCISES"]


Array = npt.NDArray[np.float64]


# --- 1: the largest gap ----------------------------------------------------------------------------------


def apart(before: Array, now: Array, places: Array | None = None) -> Array:
    """Give the difference of the shares at or below each place, by default at all values."""
    chosen = np.concatenate([before, now]) if places is None else places
    return np.array([(before <= x).mean() - (now <= x).mean() for x in chosen])


def gap(before: Array, now: Array) -> float:
    """Give the largest gap between two curves of shares."""
    return max(abs(float((before <= x).mean() - (now <= x).mean())) for x in np.concatenate([before, now]))


def _grid(before: Array, now: Array) -> Array:
    return np.linspace(min(before.min(), now.min()), max(before.max(), now.max()), 12)


_GAP_MISTAKES = (
    Mistake(
        lambda b, n: apart(b, n).max(), "a gap counts in both directions: take its size without the sign."
    ),
    Mistake(lambda b, n: abs(apart(b, n, b)).max(), "look at the values of the second sample, too."),
    Mistake(
        lambda b, n: abs(apart(b, n)).mean(), "that is the mean of the gaps, and the largest is asked for."
    ),
    Mistake(lambda b, n: abs(b.mean() - n.mean()), "that is the distance of the means, not of the curves."),
    Mistake(
        lambda b, n: max(abs(int((b <= x).sum()) - int((n <= x).sum())) for x in np.concatenate([b, n])),
        "that counts rows: divide by each sample's own number of rows.",
    ),
    Mistake(
        lambda b, n: abs(apart(b, n, _grid(b, n))).max(),
        "the largest gap can lie between the places of a grid: look at every value.",
    ),
    Mistake(
        lambda b, n: abs(apart(b, n, np.linspace(-4, 4, 161))).max(),
        "a fixed grid misses gaps between its places and beyond its ends: look at every value that occurs.",
    ),
    Mistake(
        lambda b, n: stats.ks_2samp(b, n).pvalue, "that is a p-value; the gap itself is asked for, a share."
    ),
)

_LOW, _HIGH = np.array([5.0, 6.0, 7.0, 8.0, 9.0]), np.array([1.0, 2.0, 6.5, 7.5])


def _gap_trials(seed: int) -> list[Trial]:
    """Give pairs of samples and the gap of each."""
    rng = np.random.default_rng([7, seed])
    one, other = rng.normal(size=60), rng.normal(0.4, 1.2, size=45)
    pairs = (
        (_LOW, _HIGH, 0.5, "samples of 5 and 4 values, the second lower"),
        ([1, 1, 2, 2], [1, 2, 2, 2], 0.25, "samples with ties"),
        ([1, 2], [8, 9], 1.0, "samples that do not overlap"),
        ([3, 4], [4, 3], 0.0, "the same values in another order"),
        ([10, 20, 30], [15, 25, 35], 1 / 3, "values from 10 to 35"),
        ([0.01, 0.02], [0.03, 0.04], 1.0, "values that lie close together"),
        ([0.01, 0.02, 900], [0.03, 0.04, 900], 2 / 3, "values close together, and one far away"),
        (one, other, float(stats.ks_2samp(one, other).statistic), "60 and 45 chance values"),
    )
    return [Trial((np.array(b, float), np.array(n, float)), value, about) for b, n, value, about in pairs]


# --- 2: Holm's rule --------------------------------------------------------------------------------------


def holm(p: Sequence[float]) -> int:
    """Count the p-values that Holm's rule calls small, at alpha 0.05."""
    return _stepped(p, len(p))


def _leading(passing: Iterable[bool]) -> int:
    """Count what passes before the first that does not."""
    return sum(1 for _ in takewhile(bool, passing))


def _stepped(p: Sequence[float], divisor: int) -> int:
    return _leading(each <= 0.05 / (divisor - place) for place, each in enumerate(sorted(p)))


def _passing(p: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Hold each of the sorted p-values against its own limit, without a stop."""
    return np.array([each <= 0.05 / (len(p) - place) for place, each in enumerate(sorted(p))])


def _unsorted(p: Sequence[float]) -> int:
    return _leading(each <= 0.05 / (len(p) - place) for place, each in enumerate(p))


def _below(p: Sequence[float]) -> int:
    return _leading(each < 0.05 / (len(p) - place) for place, each in enumerate(sorted(p)))


def _last(good: npt.NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(good)[-1]) + 1 if good.any() else 0


def _false_discoveries(p: Sequence[float]) -> int:
    return _last(np.sort(p) <= 0.05 * np.arange(1, len(p) + 1) / len(p))


_HOLM_MISTAKES = (
    Mistake(
        lambda p: sum(each <= 0.05 for each in p), "that holds each p-value against 0.05, without correction."
    ),
    Mistake(
        lambda p: sum(each <= 0.05 / len(p) for each in p),
        "that holds each against 0.05 / m; after each rejection one fewer is left to divide by.",
    ),
    Mistake(
        lambda p: int(_passing(p).sum()),
        "it must stop at the first p-value that is too large, whatever comes behind it.",
    ),
    Mistake(
        lambda p: _stepped(p, 20),
        "that divides by 20: divide by how many p-values there are, `len(p)`.",
    ),
    Mistake(_unsorted, "the p-values must be taken from the smallest to the largest."),
    Mistake(_below, "a p-value exactly at its limit passes."),
    Mistake(
        lambda p: _last(_passing(p)),
        "it starts from the large p-values: start from the smallest and stop at the first that is too large.",
    ),
    Mistake(_false_discoveries, "that is the rule of Benjamini and Hochberg, which promises something else."),
    Mistake(
        lambda p: int(_passing(p).argmin()),
        "that looks for the first p-value that is too large, and here none is.",
    ),
)


def _holm_trials(seed: int) -> list[Trial]:
    """Give lists of p-values and how many of each pass."""
    lists = (
        ([0.2, 0.013, 0.02, 0.01], "four p-values of which three are small"),
        ([0.04, 0.02, 0.03, 0.01], "four p-values just below 0.05"),
        ([0.001, 0.9, 0.02, 0.024], "four p-values of which one is very small"),
        ([0.7, 0.6, 0.0125, 0.5], "a p-value that is exactly 0.05 / m"),
        ([0.04, 0.3], "two p-values, one just below 0.05"),
        ([0.3, 0.012, 0.5, 0.021], "four p-values of which two are small"),
        ([0.001, 0.002, 0.003], "three p-values that are all small"),
    )
    return [Trial((np.array(p),), holm(p), about) for p, about in lists]


# --- 4: PSI ----------------------------------------------------------------------------------------------


def _lifted(*shares: Array) -> list[Array]:
    return [np.maximum(each, 1e-4) for each in shares]


def psi(p: Array, q: Array) -> float:
    """Give the population stability index of two lists of shares, each at least 0.0001."""
    p, q = _lifted(p, q)
    return float(((q - p) * np.log(q / p)).sum())


def _psi_without_floor(p: Array, q: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.nansum((q - p) * np.log(q / p)))


def _log_ratio(p: Array, q: Array) -> Array:
    p, q = _lifted(p, q)
    return np.log(q / p)


def _full(p: Array, q: Array) -> tuple[Array, Array]:
    full = (p > 0) & (q > 0)
    return p[full], q[full]


_PSI_MISTAKES = (
    Mistake(lambda p, q: -psi(p, q), "it must not be below 0: take `q - p` and `q / p` in the same order."),
    Mistake(
        lambda p, q: psi(p, q) / math.log(10),
        "that is the logarithm to base 10; the natural one is meant, `np.log`.",
    ),
    Mistake(
        lambda p, q: psi(p, q) / math.log(2),
        "that is the logarithm to base 2; the natural one is meant, `np.log`.",
    ),
    Mistake(
        lambda p, q: float((_lifted(q)[0] * _log_ratio(p, q)).sum()),
        "in front of the logarithm stands the *difference* `q - p`, not `q` alone.",
    ),
    Mistake(
        lambda p, q: float((np.abs(q - p) * _log_ratio(p, q)).sum()),
        "leave the sign of `q - p`: where it is negative the logarithm is, too.",
    ),
    Mistake(_psi_without_floor, "an empty bin needs a share of 0.0001, or the logarithm has no value."),
    Mistake(
        lambda p, q: _psi_without_floor(np.where(p == 0, 1e-4, p), np.where(q == 0, 1e-4, q)),
        "that lifts shares of exactly 0 alone: *every* share below 0.0001 counts as 0.0001.",
    ),
    Mistake(
        lambda p, q: float(((q - p) * _log_ratio(p, q)).sum()),
        "the shares are lifted inside the logarithm alone: lift them in front of it, too.",
    ),
    Mistake(
        lambda p, q: _psi_without_floor(*_full(p, q)),
        "that leaves out bins that are empty: count them with a share of 0.0001.",
    ),
    Mistake(
        lambda p, q: psi(*_full(p, q)),
        "that leaves out bins that are empty: count them, too, with a share of 0.0001.",
    ),
    Mistake(lambda p, q: psi(p, q) / len(p), "the sum over the bins is asked for, not the mean."),
)


def _psi_trials(seed: int) -> list[Trial]:
    """Give pairs of lists of shares and the index of each."""
    rng = np.random.default_rng([8, seed])
    before, now = rng.normal(size=400), rng.normal(0.4, 1, 300)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    bins = (np.bincount(np.searchsorted(edges, each), minlength=10) / len(each) for each in (before, now))
    shares = (
        ([0.5, 0.5], [0.25, 0.75], "two bins"),
        ([0.5, 0.5, 0.0], [0.5, 0.25, 0.25], "a bin that was empty before"),
        ([0.5, 0.4, 0.1], [0.6, 0.4, 0.0], "a bin that is empty now"),
        ([0.5, 0.49995, 0.00005], [0.4, 0.5, 0.1], "a bin with a share of 0.00005"),
        ([0.7, 0.3], [0.7, 0.3], "shares that did not change"),
    )
    cases = [
        Trial((np.array(p), np.array(q)), psi(np.array(p), np.array(q)), about) for p, q, about in shares
    ]
    return [*cases, Trial(tuple(bins), monitoring.psi(before, now), "ten bins of a column that moved")]


# --- 3, 5, 6 and 7: numbers and choices ------------------------------------------------------------------

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


_judge_gap = number(
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
    value = next((each for each in ALPHAS if abs(value - each) <= tolerance(answer, each)), value)
    if value not in ALPHAS:
        return not_yet(f"{said} is not among `alphas`: look at them once more.")
    if value == CHEAPEST:
        return right("Same monitor, same data, other prices: another alpha.")
    if value == 0.05:
        return not_yet(f"{said} is customary, and dear here: what do the false alarms of a year cost?")
    if value > 0.05:
        return not_yet(f"{said} is cheap where a look is cheap, and here a look costs 1,000 dollars.")
    if value > CHEAPEST:
        return not_yet(f"{said} finds more, but pays for more looks than that saves.")
    return not_yet(f"{said} saves looks, but a drift goes unnoticed longer.")


def _judge_monitors(answer: object, seed: int) -> Outcome:
    if isinstance(answer, (set, frozenset)):
        return not_yet("Your answer is a set, and a set has no order: give a list, in square brackets.")
    parts = items(answer)
    if parts is None or len(parts) != len(SEES):
        size = "one text" if isinstance(answer, str) else f"{len(parts or ())} parts"
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


EXERCISES = (
    Exercise(
        id="monitoring_data.1",
        question="Write a function that returns the largest gap between the two curves of shares.",
        judge=FunctionJudge(
            _gap_trials,
            _GAP_MISTAKES,
            wanted="one number is asked for, the largest",
            well="scipy's `ks_2samp` gives the same.",
        ),
        hints=(
            "At which places can the gap between two staircases change?",
            "At each value `x` of both samples, compare `(before <= x).mean()` and `(now <= x).mean()`.",
            "`max(abs(... - ...) for x in np.concatenate([before, now]))`.",
        ),
    ),
    Exercise(
        id="monitoring_data.2",
        question="Write Holm's rule: a function of p-values that returns how many columns have drifted.",
        judge=FunctionJudge(
            _holm_trials,
            _HOLM_MISTAKES,
            wanted="one number is asked for, how many",
            well="`monitoring.correct` decides the same.",
        ),
        hints=(
            "Against which number is the smallest of `m` p-values held, and against which the next?",
            "Go through `sorted(p)`; hold the first against `0.05 / m`, the next against `0.05 / (m - 1)`.",
            "Loop over `enumerate(sorted(p))`: `break` above `0.05 / (len(p) - place)`, else count.",
        ),
    ),
    Exercise(
        id="monitoring_data.3",
        question="Which largest gap does a bell curve make that moves by half a standard deviation?",
        judge=_judge_gap,
        hints=(
            "Where between the two middles, 0 and 0.5, are the curves furthest apart?",
            "Halfway, at 0.25. Which share of each curve lies below it? One is `stats.norm.cdf(0.25)`.",
            "`stats.norm.cdf(0.25) - stats.norm.cdf(0.25 - 0.5)`.",
        ),
    ),
    Exercise(
        id="monitoring_data.4",
        question="Write PSI: a function of two lists of shares; an empty bin counts as 0.0001.",
        judge=FunctionJudge(
            _psi_trials,
            _PSI_MISTAKES,
            wanted="one number is asked for, the sum over the bins",
            well="Over the same bins `monitoring.psi` gives the same.",
        ),
        hints=(
            "What stands in the sum for a single bin whose share went from `p` to `q`?",
            "First lift shares to at least 0.0001 with `np.maximum`. Then `(q - p) * np.log(q / p)`, summed.",
            "`p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)`, then the sum of `(q - p) * np.log(q / p)`.",
        ),
    ),
    Exercise(
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
    ),
    Exercise(
        id="monitoring_data.6",
        question="A look costs 1,000 dollars, a week of unnoticed drift 800: which alpha is cheapest?",
        judge=_judge_alpha,
        hints=(
            "What does `bill` say for these prices, alpha by alpha?",
            "`bill(1000, 800)` is a table with a column `sum`; in which row is that the smallest?",
            "`.idxmin()` of that column is the alpha.",
        ),
    ),
    Exercise(
        id="monitoring_data.7",
        question="Which monitor sees which of the five troubles?",
        judge=_judge_monitors,
        hints=(
            "Does the trouble show in one cell, in one column, in two together, in a group, or nowhere?",
            "Broken values: `schema`. A column: `drift`. Columns together: `joint_drift`. A group?",
            "No reading changes when buyers change their mind. What else could tell you?",
        ),
    ),
)
