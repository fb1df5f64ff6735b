"""Lesson 07's three functions: the right ones, hidden cases, and what each typical wrong one is told.

The gap between two curves of shares, Holm's rule, and PSI. They are held to by `checks/monitoring_data.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

import numpy as np
import numpy.typing as npt
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.exercises import Outcome, not_yet
from mlops_lab.exercises.guesses import Guess
from mlops_lab.exercises.judging import Case

__all__ = [
    "GAP_GUESSES",
    "HOLM_GUESSES",
    "PSI_GUESSES",
    "apart",
    "gap",
    "gap_cases",
    "holm",
    "holm_cases",
    "one_number",
    "psi",
    "psi_cases",
]

Array = npt.NDArray[np.float64]


def apart(before: Array, now: Array, places: Array | None = None) -> Array:
    """Give the difference of the shares at or below each place, by default at all values."""
    chosen = np.concatenate([before, now]) if places is None else places
    return np.array([(before <= x).mean() - (now <= x).mean() for x in chosen])


def gap(before: Array, now: Array) -> float:
    """Give the largest gap between two curves of shares."""
    return max(abs(float((before <= x).mean() - (now <= x).mean())) for x in np.concatenate([before, now]))


def _grid(before: Array, now: Array) -> Array:
    return np.linspace(min(before.min(), now.min()), max(before.max(), now.max()), 12)


GAP_GUESSES: tuple[Guess, ...] = (
    Guess(lambda b, n: apart(b, n).max(), "a gap counts in both directions: take its size without the sign"),
    Guess(lambda b, n: abs(apart(b, n, b)).max(), "look at the values of the second sample, too"),
    Guess(lambda b, n: abs(apart(b, n)).mean(), "that is the mean of the gaps, and the largest is asked for"),
    Guess(lambda b, n: abs(b.mean() - n.mean()), "that is the distance of the means, not of the curves"),
    Guess(
        lambda b, n: max(abs(int((b <= x).sum()) - int((n <= x).sum())) for x in np.concatenate([b, n])),
        "that counts rows: divide by each sample's own number of rows",
    ),
    Guess(
        lambda b, n: abs(apart(b, n, _grid(b, n))).max(),
        "the largest gap can lie between the places of a grid: look at every value",
    ),
    Guess(
        lambda b, n: abs(apart(b, n, np.linspace(-4, 4, 161))).max(),
        "a fixed grid misses gaps between its places and beyond its ends: look at every value that occurs",
    ),
    Guess(lambda b, n: 100 * gap(b, n), "that is in percent: give a share between 0 and 1"),
    Guess(
        lambda b, n: stats.ks_2samp(b, n).pvalue, "that is a p-value; the gap itself is asked for, a share"
    ),
)

_LOW, _HIGH = np.array([5.0, 6.0, 7.0, 8.0, 9.0]), np.array([1.0, 2.0, 6.5, 7.5])


def gap_cases(seed: int) -> list[Case]:
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
    return [Case((np.array(b, float), np.array(n, float)), value, about) for b, n, value, about in pairs]


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


HOLM_GUESSES: tuple[Guess, ...] = (
    Guess(
        lambda p: sum(each <= 0.05 for each in p), "that holds each p-value against 0.05, without correction"
    ),
    Guess(
        lambda p: sum(each <= 0.05 / len(p) for each in p),
        "that holds each against 0.05 / m; after each rejection one fewer is left to divide by",
    ),
    Guess(
        lambda p: int(_passing(p).sum()),
        "it must stop at the first p-value that is too large, whatever comes behind it",
    ),
    Guess(
        lambda p: _stepped(p, 20),
        "that divides by 20: divide by how many p-values there are, `len(p)`",
    ),
    Guess(_unsorted, "the p-values must be taken from the smallest to the largest"),
    Guess(_below, "a p-value exactly at its limit passes"),
    Guess(
        lambda p: _last(_passing(p)),
        "it starts from the large p-values: start from the smallest and stop at the first that is too large",
    ),
    Guess(_false_discoveries, "that is the rule of Benjamini and Hochberg, which promises something else"),
    Guess(
        lambda p: int(_passing(p).argmin()),
        "that looks for the first p-value that is too large, and here none is",
    ),
)


def holm_cases(seed: int) -> list[Case]:
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
    return [Case((np.array(p),), holm(p), about) for p, about in lists]


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


PSI_GUESSES: tuple[Guess, ...] = (
    Guess(lambda p, q: -psi(p, q), "it must not be below 0: take `q - p` and `q / p` in the same order"),
    Guess(
        lambda p, q: psi(p, q) / math.log(10),
        "that is the logarithm to base 10; the natural one is meant, `np.log`",
    ),
    Guess(
        lambda p, q: psi(p, q) / math.log(2),
        "that is the logarithm to base 2; the natural one is meant, `np.log`",
    ),
    Guess(
        lambda p, q: float((_lifted(q)[0] * _log_ratio(p, q)).sum()),
        "in front of the logarithm stands the *difference* `q - p`, not `q` alone",
    ),
    Guess(
        lambda p, q: float((np.abs(q - p) * _log_ratio(p, q)).sum()),
        "leave the sign of `q - p`: where it is negative the logarithm is, too",
    ),
    Guess(_psi_without_floor, "an empty bin needs a share of 0.0001, or the logarithm has no value"),
    Guess(
        lambda p, q: _psi_without_floor(np.where(p == 0, 1e-4, p), np.where(q == 0, 1e-4, q)),
        "that lifts shares of exactly 0 alone: *every* share below 0.0001 counts as 0.0001",
    ),
    Guess(
        lambda p, q: float(((q - p) * _log_ratio(p, q)).sum()),
        "the shares are lifted inside the logarithm alone: lift them in front of it, too",
    ),
    Guess(
        lambda p, q: _psi_without_floor(*_full(p, q)),
        "that leaves out bins that are empty: count them with a share of 0.0001",
    ),
    Guess(
        lambda p, q: psi(*_full(p, q)),
        "that leaves out bins that are empty: count them, too, with a share of 0.0001",
    ),
    Guess(lambda p, q: psi(p, q) / len(p), "the sum over the bins is asked for, not the mean"),
)


def psi_cases(seed: int) -> list[Case]:
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
    cases = [Case((np.array(p), np.array(q)), psi(np.array(p), np.array(q)), about) for p, q, about in shares]
    return [*cases, Case(tuple(bins), monitoring.psi(before, now), "ten bins of a column that moved")]


def one_number(
    judge: Callable[[object, int], Outcome],
    cases: Callable[[int], Sequence[Case]],
    *,
    truth: str,
    several: str,
) -> Callable[[object, int], Outcome]:
    """Refuse a function that returns true or false, several values or sometimes nothing; else judge it."""

    def judged(answer: object, seed: int) -> Outcome:
        if callable(answer):
            for about, value, others in _returned(answer, cases(seed)):
                said = f"For {about} your function returned"
                if isinstance(value, (bool, np.bool_)):
                    return not_yet(f"{said} {bool(value)}: {truth}.")
                if value is None and others:
                    return not_yet(f"{said} None, and numbers elsewhere: return one here, too.")
                size = len(value) if isinstance(value, (list, tuple, set, dict)) else np.size(value)  # type: ignore[arg-type]
                if size != 1:
                    return not_yet(f"{said} {size} values: {several}.")
        return judge(answer, seed)

    return judged


def _returned(answer: Callable[..., object], cases: Sequence[Case]) -> list[tuple[str, object, bool]]:
    """Call a function on all cases: what each is about, its value, whether any gave one; [] if it stops."""
    try:
        with np.errstate(all="ignore"):
            got = [answer(*case.arguments) for case in cases]
    except Exception:  # noqa: BLE001  a student's function can fail in any way; the common judge tells how
        return []
    others = any(value is not None for value in got)
    return [(case.about, value, others) for case, value in zip(cases, got, strict=True)]
