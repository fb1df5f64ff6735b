"""Lesson 07's exercises: a p-value by dealing out, Holm, a size that matters, who sees it, PSI."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

import numpy as np
import numpy.typing as npt
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    called_number,
    items,
    no_function,
    number,
)
from mlops_lab.report import shown

__all__ = ["EXERCISES"]


Array = npt.NDArray[np.float64]


# --- 1: the p-value ----------------------------------------------------------------------------------------

DEALS = 199
_LEAST = 1 / (1 + DEALS)
_SPREAD = 5.5
"""So many standard errors of 199 deals may lie between a right function's p-value and the exact one."""

_QUANTILES = [stats.norm.ppf((np.arange(rows) + 0.5) / rows) for rows in (40, 30)]
_APART = np.arange(12.0), np.arange(20.0, 30.0)
_EQUAL = np.full(8, 3.0), np.full(6, 3.0)
_WIDER = _QUANTILES[0], 2.0 * _QUANTILES[1] + 0.003
_FEW = np.arange(40.0), np.array([16.5, 21.5, 26.5, 31.5, 36.5])

P_TRIALS = {
    "two samples that lie wholly apart": _APART,
    "two samples in which all values are the same": _EQUAL,
    "two samples around one centre, the second wider": _WIDER,
    "a sample of 40 and one of 5": _FEW,
}
"""What a student's function is tried on. In the first no deal reaches the real gap, in the second all do."""


def gap(before: Array, now: Array) -> float:
    """Give the largest gap between two curves of shares."""
    places = np.concatenate([before, now])
    one, other = (np.searchsorted(np.sort(each), places, side="right") / len(each) for each in (before, now))
    return float(np.abs(one - other).max())


def p_value(before: Array, now: Array, rng: np.random.Generator) -> float:
    """Give the share of deals, the real one among them, with a gap at least as large as the real one."""
    both, real = np.concatenate([before, now]), gap(before, now)
    deals = [rng.permutation(both) for _ in range(DEALS)]
    return (1 + sum(gap(deal[: len(before)], deal[len(before) :]) >= real for deal in deals)) / (1 + DEALS)


_WITHOUT_THE_ONES = (
    "that is count / 199, without the ones. The real split is one of the possible deals and counts as well, "
    "above and below the line; a p-value is never 0."
)


def _judge_p_value(answer: object, seed: int) -> Outcome:
    """Try a function on four pairs of samples; chance may move the last two, by what 199 deals allow."""
    if not callable(answer):
        return no_function(answer)
    got = []
    for about, (before, now) in P_TRIALS.items():
        value = called_number(answer, about, before.copy(), now.copy(), np.random.default_rng([7, seed]))
        if isinstance(value, Outcome):
            return value
        got.append(value)
    for about, value, why in zip(P_TRIALS, got, _p_problems(got), strict=True):
        if why:
            return not_yet(f"For {about} your function returned {shown(value)}: {why}")
    return right("The real deal counts as well, so p is (1 + count) / (1 + 199) and never 0.")


def _p_problems(got: Sequence[float]) -> Iterator[str]:
    """Say what is wrong with each of the four values; an empty text where it is right."""
    yield _apart_problem(got)
    yield (
        ""
        if _near(got[1], 1.0)
        else ("a deal whose gap is exactly as large as the real one counts, too; here all are, and p is 1.")
    )
    for value, (before, now), what in zip(
        got[2:],
        (_WIDER, _FEW),
        ("does each deal give its `largest_gap`?", "each side must get as many rows as it had before."),
        strict=True,
    ):
        exact = float(stats.ks_2samp(before, now, method="exact").pvalue)
        far = abs(value - exact) > _SPREAD * math.sqrt(exact * (1 - exact) / DEALS)
        if far:
            yield f"chance gives about {exact:.2f}; {what}"
        elif not _whole(value / _LEAST):
            yield _WITHOUT_THE_ONES if _whole(value * DEALS) else "199 deals and the real one are 200 in all."
        else:
            yield ""


def _apart_problem(got: Sequence[float]) -> str:
    """Tell from samples that no deal brings apart so far how the deals were counted."""
    value = got[0]
    if _near(value, _LEAST):
        return ""
    if max(got) > 1.5:
        return "that is a count: the share of deals is asked for."
    if _near(value, 0.0):
        return _WITHOUT_THE_ONES
    if all(_near(each, 1.0) for each in (value, *got[2:])):
        return "every deal has the real gap: mix the rows of both sides before you part them again."
    if value > 0.9:
        return "that counts the deals with the smaller gaps; those at least as large speak for chance."
    if _near(value, 1 / DEALS):
        return "the real deal is counted above the line and not below: it makes 200 of 199."
    if value < _LEAST / 4:
        return "that comes from a formula: deal the rows out 199 times, and count."
    if _whole(1 / value):
        return f"that looks like {round(1 / value) - 1} deals, and 199 are asked for."
    return "no deal reaches the real gap here, and only the real one counts."


def _near(value: float, other: float) -> bool:
    return abs(value - other) < 1e-7


def _whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-6 * max(1.0, abs(value))


# --- 2: Holm's rule --------------------------------------------------------------------------------------


def holm(p: Sequence[float]) -> int:
    """Count the p-values that Holm's rule flags, at alpha 0.05."""
    return _stepped(p, len(p))


def _leading(passing: Iterable[bool]) -> int:
    """Count what is flagged before the first that is not."""
    return sum(1 for _ in takewhile(bool, passing))


def _stepped(p: Sequence[float], divisor: int) -> int:
    return _leading(each <= 0.05 / (divisor - place) for place, each in enumerate(sorted(p)))


def _passing(p: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Compare each of the sorted p-values with its own limit, without a stop."""
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
        "it must stop at the first p-value above its limit, whatever comes after it.",
    ),
    Mistake(
        lambda p: _stepped(p, 20),
        "that divides by 20: divide by how many p-values there are, `len(p)`.",
    ),
    Mistake(_unsorted, "the p-values must be taken from the smallest to the largest."),
    Mistake(_below, "a p-value exactly at its limit is flagged."),
    Mistake(
        lambda p: _last(_passing(p)),
        "it starts from the large p-values: start from the smallest and stop at the first above its limit.",
    ),
    Mistake(_false_discoveries, "that is the rule of Benjamini and Hochberg, which promises something else."),
    Mistake(
        lambda p: int(_passing(p).argmin()),
        "that looks for the first p-value above its limit, and here there is none.",
    ),
)


def _holm_trials(seed: int) -> list[Trial]:
    """Give lists of p-values and how many of each are flagged."""
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


# --- 5: PSI ----------------------------------------------------------------------------------------------


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
    Mistake(
        monitoring.psi,
        "that takes its arguments for readings and bins them; here they are the shares of the bins already.",
    ),
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


# --- 3 and 4: a number and a choice ------------------------------------------------------------------------

SHIFT = 0.3
GAP = float(2 * stats.norm.cdf(SHIFT / 2) - 1)

SEES = {
    "an infinite reading in one crate of 500": "schema",
    "all belts read colour too high": "drift",
    "two tables are joined one row too late": "joint_drift",
    "only the handhelds read low, and one crate in 30 comes from one": "segment_drift",
    "the graders are told to be stricter": "labels",
}
"""The trouble -> the monitor that sees it."""

WHY_NOT = {
    "an infinite reading in one crate of 500": "one row moves no share of rows by more than chance does",
    "all belts read colour too high": "the values are whole, and one column shows it in most rows",
    "two tables are joined one row too late": "each column still holds the very same values",
    "only the handhelds read low, and one crate in 30 comes from one": (
        "a change in so few rows drowns in the whole table"
    ),
    "the graders are told to be stricter": "no reading of any crate is another than before",
}


_judge_gap = number(
    lambda seed: GAP,
    within=0.001,
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
    well="A whole column that shifts by less stays below this limit; a few broken rows do, too.",
)


def _judge_monitors(answer: object, seed: int) -> Outcome:
    if isinstance(answer, (set, frozenset)):
        return not_yet("Your answer is a set, and a set has no order: give a list, in square brackets.")
    parts = items(answer)
    if parts is None:
        size = "one text" if isinstance(answer, (str, bytes)) else a_kind(answer)
        return not_yet(f"Your answer is {size}: a list of five monitors is asked for, in square brackets.")
    if len(parts) != len(SEES):
        return not_yet(f"Your answer has {len(parts)} part{'s' * (len(parts) != 1)}: give five monitors.")
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
        question="Write a function that returns the p-value of the largest gap, by 199 deals.",
        judge=_judge_p_value,
        hints=(
            "What must stay as it was when the rows are dealt out again, and what must not?",
            "Put both sides together, then 199 times: `rng.permutation`, cut at `len(before)`, take the gap.",
            "Count the deals with `largest_gap(...) >= real`. Does the real deal belong to that count?",
        ),
    ),
    Exercise(
        id="monitoring_data.2",
        question="Write Holm's rule: a function of p-values that returns how many columns are flagged.",
        judge=FunctionJudge(
            _holm_trials,
            _HOLM_MISTAKES,
            wanted="one number is asked for, how many",
            well="`monitoring.correct` decides the same.",
        ),
        hints=(
            "With which number is the smallest of `m` p-values compared, and with which the next?",
            "Go through `sorted(p)`; compare the first with `0.05 / m`, the next with `0.05 / (m - 1)`.",
            "Loop over `enumerate(sorted(p))`: `break` above `0.05 / (len(p) - place)`, else count.",
        ),
    ),
    Exercise(
        id="monitoring_data.3",
        question="Which largest gap does a bell curve make that moves by half a standard deviation?",
        judge=_judge_gap,
        hints=(
            "Where between the two middles, 0 and 0.3, are the curves furthest apart?",
            "Halfway, at 0.15. Which share of each curve lies below it? One is `stats.norm.cdf(0.15)`.",
            "`stats.norm.cdf(0.15) - stats.norm.cdf(0.15 - 0.3)`.",
        ),
    ),
    Exercise(
        id="monitoring_data.4",
        question="Which monitor sees which of the five troubles?",
        judge=_judge_monitors,
        hints=(
            "Does the trouble show in one cell, in one column, in two together, in a group, or nowhere?",
            "Broken values: `schema`. A column: `drift`. Columns together: `joint_drift`. A group?",
            "No reading changes when graders become stricter. What else could tell you?",
        ),
    ),
    Exercise(
        id="monitoring_data.5",
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
)
