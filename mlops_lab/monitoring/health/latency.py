"""How long do answers take? A histogram that can be merged, with p50, p95, p99 and their intervals.

A mean hides the slow answers, and percentiles cannot be averaged: the p99 of two servers is not the mean of
their two p99s. What can be added are the counts of a histogram. Its buckets grow by a constant factor, so
that every answer, fast or slow, is known to the same relative accuracy (DDSketch: Masson, Rim, Lee 2019).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.histogram_sketch import HistogramSketch, LogScale
from mlops_lab.report import Finding, Report

__all__ = ["Latency"]

_QUANTILES = (0.50, 0.95, 0.99)
_SMALLEST_MS = 1e-6
_KIND = "mlops_lab latency, version 1"


class Latency:
    """A histogram of answer times that can be merged: p50, p95, p99, each with an interval.

    It answers how long all but one in a hundred answers take, on one server or on many together, in memory
    that does not grow with the number of answers. It cannot tell when the slow ones came or why. It misleads
    if the measuring waits for each answer before it asks again: while the server stands still, the questions
    that would have waited are never asked ("coordinated omission").

    Parameters
    ----------
    accuracy
        The largest relative error of a percentile, such as 0.01 for one percent.

    Raises
    ------
    ValueError
        If the accuracy is not between 0.0001 and 0.5.

    Examples
    --------
    >>> latency = Latency()
    >>> latency.update([12.0] * 990 + [250.0] * 10)
    >>> latency.update(260.0)
    >>> round(latency.quantile(0.5)), round(latency.quantile(0.995))
    (12, 252)
    >>> other = Latency()
    >>> other.update([15.0] * 500)
    >>> latency.merge(other).count
    1501
    >>> latency.frame().round(1)
         value   low   high
    p50   12.1  11.9   12.2
    p95   12.1  11.9   12.2
    p99  252.2  11.9  254.7
    >>> latency.check({0.50: 20.0}).ok
    True
    >>> Latency.from_dict(latency.as_dict()) == latency
    True
    >>> with latency.timed():
    ...     answer = 6 * 7
    >>> latency.count
    1002
    """

    def __init__(self, accuracy: float = 0.01) -> None:
        if not 1e-4 <= accuracy <= 0.5:
            raise ValueError(f"accuracy={accuracy!r} must lie between 0.0001 and 0.5; 0.01 is one percent")
        self.accuracy = float(accuracy)
        self.total_ms = 0.0
        self.fastest_ms = math.inf
        self.slowest_ms = -math.inf
        self._scale = LogScale(self.accuracy, smallest=_SMALLEST_MS)
        self._sketch = HistogramSketch.of(np.empty(0), self._scale)

    def update(self, ms: npt.ArrayLike) -> None:
        """Count one answer or many; nothing is counted if one of them is no time (ValueError).

        Times below a nanosecond count as one.
        """
        times = np.atleast_1d(np.asarray(ms, dtype=float)).ravel()
        wrong = ~np.isfinite(times) | (times < 0)
        if wrong.any():
            raise ValueError(
                f"{times[wrong][0]!r} is no time in milliseconds ({wrong.sum()} of {times.size} are none): "
                "times are finite and not negative; count failed requests separately"
            )
        if times.size == 0:
            return
        self._sketch = self._sketch.merge(HistogramSketch.of(times, self._scale))
        self.total_ms += float(times.sum())
        self.fastest_ms = min(self.fastest_ms, float(times.min()))
        self.slowest_ms = max(self.slowest_ms, float(times.max()))

    @contextmanager
    def timed(self, clock: Callable[[], float] = time.perf_counter) -> Iterator[None]:
        """Time what stands in a ``with`` block by a clock in seconds, and count it, also where it fails."""
        begin = clock()
        try:
            yield
        finally:
            self.update(max(0.0, clock() - begin) * 1000)

    def merge(self, other: Latency) -> Latency:
        """Put two histograms of one accuracy together: the same as one that had counted everything."""
        if self.accuracy != other.accuracy:
            raise ValueError(
                f"accuracy {self.accuracy} and {other.accuracy} have different buckets; "
                "give all servers the same accuracy"
            )
        both = Latency(self.accuracy)
        both._sketch = self._sketch.merge(other._sketch)
        both.total_ms = self.total_ms + other.total_ms
        both.fastest_ms = min(self.fastest_ms, other.fastest_ms)
        both.slowest_ms = max(self.slowest_ms, other.slowest_ms)
        return both

    @property
    def count(self) -> int:
        """How many answers were counted."""
        return self._sketch.rows

    @property
    def mean_ms(self) -> float:
        """The mean, which hides the slow answers; not a number before the first."""
        return self.total_ms / self.count if self.count else math.nan

    def quantile(self, quantile: float) -> float:
        """Give the time in ms that the share ``quantile`` of all answers did not exceed, to the accuracy.

        Not a number before the first answer.
        """
        if not 0 < quantile < 1:
            raise ValueError(f"quantile={quantile!r} must lie between 0 and 1, such as 0.99")
        if not self.count:
            return math.nan
        _, high = self._sketch.edges_at(max(1, math.ceil(quantile * self.count - 1e-9)))
        middle = 2 * high / (self._scale.growth + 1)  # the number from which neither edge is far
        return min(max(middle, self.fastest_ms), self.slowest_ms)

    def interval(self, quantile: float, *, confidence: float = 0.95) -> tuple[float, float]:
        """Give the range in ms in which the quantile lies of the service that these answers came from.

        Widened by the buckets; 0 or infinity where there are too few answers for an end (`quantile_ranks`).
        """
        if not self.count:
            return 0.0, math.inf
        low, high = quantile_ranks(self.count, quantile, confidence=confidence)
        bottom = 0.0 if low < 1 else self._sketch.edges_at(low)[0]
        top = math.inf if high > self.count else self._sketch.edges_at(high)[1]
        return bottom, top

    def below(self, ms: float) -> int:
        """Count the answers that took at most so long, to the accuracy of the buckets."""
        return int(self._sketch.counts[self._sketch.bins <= self._scale.whole_below(ms)].sum())

    def frame(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Give p50, p95 and p99 in rows, with the columns ``value``, ``low`` and ``high`` in milliseconds."""
        rows = {
            f"p{100 * each:g}": (self.quantile(each), *self.interval(each, confidence=confidence))
            for each in _QUANTILES
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])

    def check(self, limits_ms: Mapping[float, float], *, confidence: float = 0.95) -> Report:
        """Hold quantiles against limits: quantile -> the most milliseconds that it may take.

        A limit inside the interval is not decided: measure more answers.
        """
        findings = []
        for quantile, limit in limits_ms.items():
            value, (low, high) = self.quantile(quantile), self.interval(quantile, confidence=confidence)
            ok = None if not self.count else True if high <= limit else False if low > limit else None
            share = 100 * (1 - quantile)
            said = {
                True: f"At most {share:.3g} % of the answers take longer than the limit.",
                False: f"More than {share:.3g} % of the answers take longer than the limit.",
                None: f"{self.count} answers cannot decide it: measure more.",
            }
            findings.append(
                Finding(
                    code=f"latency.p{100 * quantile:g}",
                    title=f"p{100 * quantile:g} of {self.count} answers",
                    ok=ok,
                    explanation=said[ok],
                    statistic="time",
                    value=value if self.count else None,
                    interval=(low, high) if self.count else None,
                    limit=limit,
                    unit="ms",
                    source="Masson, Rim, Lee 2019; interval: Hahn and Meeker 1991",
                )
            )
        return Report(title="Latency", findings=tuple(findings))

    def as_dict(self) -> dict[str, Any]:
        """Give all of it as plain values, for JSON, to be merged elsewhere."""
        bins, counts = self._sketch.bins.tolist(), self._sketch.counts.tolist()
        return {
            "kind": _KIND,
            "accuracy": self.accuracy,
            "total_ms": self.total_ms,
            "fastest_ms": self.fastest_ms if self.count else None,
            "slowest_ms": self.slowest_ms if self.count else None,
            "buckets": dict(zip(map(str, bins), counts, strict=True)),
        }

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Latency:
        """Make a histogram of what ``as_dict`` gave, and refuse anything else (ValueError)."""
        if held.get("kind") != _KIND:
            raise ValueError(f"this is no {_KIND}, but {held.get('kind')!r}: give what as_dict() returned")
        made = cls(held["accuracy"])
        buckets = sorted((int(bucket), int(number)) for bucket, number in held["buckets"].items())
        bins, counts = [bucket for bucket, _ in buckets], [number for _, number in buckets]
        made._sketch = HistogramSketch.read({"shift": 0, "bins": bins, "counts": counts}, made._scale)
        made.total_ms = float(held["total_ms"])
        if made.count:
            made.fastest_ms, made.slowest_ms = float(held["fastest_ms"]), float(held["slowest_ms"])
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Latency):
            return NotImplemented
        return self._sketch == other._sketch and math.isclose(self.total_ms, other.total_ms, rel_tol=1e-9)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Latency({self.count} answers, p99 {self.quantile(0.99):.4g} ms)"


def quantile_ranks(count: int, quantile: float, *, confidence: float = 0.95) -> tuple[int, int]:
    """Give the ranks of the two sorted values that enclose a quantile of where the values came from.

    It answers how far a measured p99 can be trusted, whatever the shape of the distribution: the number of
    values below the true quantile is binomial (Hahn and Meeker 1991). It takes the values as independent;
    slow answers come in bursts, and then the truth lies outside more often than promised.

    The smallest value has rank 1. Rank 0 or ``count + 1`` means that there are too few values for an end on
    that side: the slowest of 100 says little about one in a hundred.

    >>> quantile_ranks(1000, 0.5), quantile_ranks(100, 0.99)
    ((469, 532), (97, 101))
    """
    from scipy.stats import binom

    if count < 1:
        raise ValueError(f"count={count!r}: at least one value is needed")
    for name, share in (("quantile", quantile), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ValueError(f"{name}={share!r} must lie between 0 and 1; 0.99 is the 99th percentile")
    low = binom.ppf((1 - confidence) / 2, count, quantile)
    high = binom.ppf((1 + confidence) / 2, count, quantile)
    return int(low), int(high) + 1
