"""Does the model do what was promised? A metric against its expectation, as an interval and not as a number.

There are three answers, not two: yes, no, and "these rows cannot decide".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlops_lab.monitoring.performance.outcomes import between_0_and_1, exact_interval, read_outcomes
from mlops_lab.report import Finding, Report

__all__ = ["expectation"]

_SAID = {
    True: "It keeps the promise: the whole interval lies above the limit.",
    False: "It breaks the promise: the whole interval lies below the limit.",
    None: "The interval holds the limit, so these rows cannot decide. Wait for more labels, or buy some.",
}


@dataclass(frozen=True, kw_only=True)
class Expectation(Report):
    """What was measured, beside what was promised.

    Parameters
    ----------
    title, findings
        As in every report.
    value
        Share of right answers among the rows with a label.
    interval
        Where the true share lies.
    promised
        What was expected of it.
    gap
        Interval of the difference, measured minus promised; it also knows how sure the promise is.
    possible
        Lowest and highest share that all rows together can have, whatever the labels to come will say.

    Examples
    --------
    >>> expectation([True] * 70 + [False] * 30, promised=0.85).interval[1] < 0.85
    True
    """

    value: float
    interval: tuple[float, float]
    promised: float
    gap: tuple[float, float]
    possible: tuple[float, float]

    def headline(self) -> str:
        """Say the share, its interval and the promise, and how many rows are not in it."""
        low, high = self.interval
        told = f"{self.value:.1%} right ({low:.1%} to {high:.1%}); {self.promised:.1%} were promised."
        left_out = [finding.title for finding in self.findings if finding.code == "expectation.waiting"]
        return " ".join([told, *(f"{rows} are not in it." for rows in left_out)])


def expectation(
    right: npt.ArrayLike,
    promised: float | npt.ArrayLike,
    *,
    margin: float = 0.02,
    confidence: float = 0.95,
    waiting: int = 0,
) -> Expectation:
    """Hold the share of right answers to what was promised, and say when the rows cannot decide.

    It answers "is the model still as good as promised, less a margin?". It cannot look behind the labels: if
    they are wrong, or if only some crates ever get one, it is about those labels and those crates. It
    misleads when it is asked again after each new label: see `confidence_sequence`.

    Parameters
    ----------
    right
        For each row with a label whether the answer was right.
    promised
        The share expected, or the outcomes of the hold-out that it came from. A hold-out is itself a sample:
        give its outcomes, and its own uncertainty counts too.
    margin
        How far below the promise is still in order.
    confidence
        How often the intervals hold the truth; each wrong verdict has half of the rest as its chance.
    waiting
        How many rows have no label yet.

    Raises
    ------
    ValueError
        For outcomes that are missing or neither right nor wrong, or a promise that is no share.

    Notes
    -----
    The interval is Clopper and Pearson's (1934). Against a hold-out, that of the difference is Newcombe's
    (1998, his method 10). What is possible, whatever the missing labels say, is after Manski (1990).

    Examples
    --------
    >>> expectation([True] * 70 + [False] * 30, promised=0.85)
    Expectation: needs attention. 70.0% right (60.0% to 78.8%); 85.0% were promised.
    ✗ needs attention: Share of right answers (expectation.metric), accuracy 0.7 (0.6002 to 0.7876),
      limit: at least 0.83
        It breaks the promise: the whole interval lies below the limit. [Clopper and Pearson 1934]
    >>> expectation([True] * 8 + [False] * 2, promised=0.85).ok is None
    True

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    between_0_and_1(confidence=confidence)
    if waiting < 0 or margin < 0:
        raise ValueError(f"waiting={waiting!r}, margin={margin!r}: neither can be below 0")
    outcomes = read_outcomes(right)
    rows, count = outcomes.size, float(outcomes.sum())
    value, interval = count / rows, exact_interval(count, rows, confidence)
    promise, gap, source = _against(value, interval, count, rows, promised, confidence)
    ok = True if gap[0] >= -margin else False if gap[1] < -margin else None
    possible = count / (rows + waiting), (count + waiting) / (rows + waiting)
    limit = promise - margin
    findings = [
        Finding(
            code="expectation.metric",
            title="Share of right answers",
            ok=ok,
            statistic="accuracy",
            value=value,
            interval=interval,
            limit=limit,
            bound="at least",
            explanation=_SAID[ok],
            source=source,
        )
    ]
    if waiting:
        settled = True if possible[0] >= limit else False if possible[1] < limit else None
        findings.append(
            Finding(
                code="expectation.waiting",
                title=f"{waiting:,} rows without a label",
                ok=settled,
                statistic="accuracy of all rows",
                value=value,
                interval=possible,
                limit=limit,
                bound="at least",
                severity="note",
                explanation="The interval is what all these rows can still come to, if the labels that wait "
                "differ from those that came. The line above holds only if they wait by chance.",
                source="Manski 1990",
            )
        )
    return Expectation(
        title="Expectation",
        findings=tuple(findings),
        value=value,
        interval=interval,
        promised=promise,
        gap=gap,
        possible=possible,
    )


def _against(
    value: float,
    interval: tuple[float, float],
    count: float,
    rows: int,
    promised: float | npt.ArrayLike,
    confidence: float,
) -> tuple[float, tuple[float, float], str]:
    """Give the promise, the interval of measured minus promised, and whose method that is."""
    if np.ndim(promised) == 0:
        promise = float(promised)  # type: ignore[arg-type]
        if not 0 <= promise <= 1:
            raise ValueError(f"promised={promised!r}: give a share from 0 to 1, or the hold-out's outcomes")
        return promise, (interval[0] - promise, interval[1] - promise), "Clopper and Pearson 1934"
    before = read_outcomes(promised, "promised")
    promise = float(before.mean())
    low, high = _wilson(count, rows, confidence)
    low_before, high_before = _wilson(float(before.sum()), before.size, confidence)
    gap = (
        value - promise - math.hypot(value - low, high_before - promise),
        value - promise + math.hypot(high - value, promise - low_before),
    )
    return promise, gap, "Clopper and Pearson 1934; difference: Newcombe 1998"


def _wilson(count: float, rows: int, confidence: float) -> tuple[float, float]:
    """Give Wilson's (1927) interval for a share, the building block of intervals for a difference."""
    from scipy import stats

    found = stats.binomtest(int(count), rows).proportion_ci(confidence, "wilson")
    return float(found.low), float(found.high)
