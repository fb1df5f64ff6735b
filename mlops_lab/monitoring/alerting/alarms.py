"""An alarm as AWS CloudWatch documents it: periods, M of N data points, and what a missing one means.

The rules are those of the user guide, section "Configuring how CloudWatch alarms treat missing data". They
are run here because a simulated CloudWatch stores alarms and never evaluates them, and because whoever sets
an alarm should be able to try it before a night depends on it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

__all__ = ["Alarm", "AlarmState", "Missing", "alarm_state"]

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": lambda values: math.fsum(values) / len(values),
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}


def alarm_state(
    breaching: Sequence[bool | None],
    *,
    evaluation_periods: int,
    datapoints_to_alarm: int,
    missing: Missing = "missing",
    current: AlarmState = "INSUFFICIENT_DATA",
) -> AlarmState:
    """Decide an alarm's state from its latest data points, as CloudWatch documents it.

    If enough points are there, the latest N decide, and gaps do not matter. If not, the gaps are filled as
    ``missing`` says, as few of them as possible. One documented case is special: if all points there are are
    breaching, and the oldest is at least M periods old, ``missing`` alarms and ``ignore`` keeps the state.

    The guide does not say what happens if the few points are all breaching but not old enough; here the
    state stays as it is, until more is known.

    Parameters
    ----------
    breaching
        The evaluation range, the latest last: True, False, or None where there is no data point.
    evaluation_periods
        N: how many points are needed.
    datapoints_to_alarm
        M: how many of them must be breaching.
    missing
        What a missing point counts as.
    current
        The state so far.

    Examples
    --------
    >>> three_of_three = {"evaluation_periods": 3, "datapoints_to_alarm": 3}
    >>> alarm_state([False, True, True, None, True], **three_of_three)
    'ALARM'
    >>> alarm_state([None] * 5, **three_of_three, missing="breaching")
    'ALARM'
    >>> alarm_state([None] * 5, **three_of_three)
    'INSUFFICIENT_DATA'

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    n, m = evaluation_periods, datapoints_to_alarm
    points = [point for point in breaching if point is not None]
    if len(points) >= n:
        return "ALARM" if sum(points[-n:]) >= m else "OK"
    bad, gaps = sum(points), n - len(points)
    if missing == "breaching":
        return "ALARM" if bad + gaps >= m else "OK"
    if missing == "notBreaching":
        return "ALARM" if bad >= m else "OK"
    if not points:
        return current if missing == "ignore" else "INSUFFICIENT_DATA"
    if bad >= m:
        return "ALARM"
    if bad < len(points):
        return "OK"
    oldest = next(age for age, point in enumerate(reversed(breaching), 1) if _is_first(breaching, age))
    return "ALARM" if missing == "missing" and oldest >= m else current


def _is_first(breaching: Sequence[bool | None], age: int) -> bool:
    """Whether the point of this age (the latest is 1) is the oldest that is there."""
    return breaching[-age] is not None and not any(point is not None for point in breaching[:-age])


@dataclass
class Alarm:
    """An alarm on one metric, with CloudWatch's words and rules, on a clock that is passed in.

    It answers in which state the alarm is at a moment, given the values so far. It leaves out what the guide
    leaves open: how far back a real alarm looks depends on its period, here it is N and two more; percentiles
    interpolate as NumPy does.

    Parameters
    ----------
    name, metric
        What it is called, and what it watches.
    threshold, comparison
        A period's figure is breaching if, for example, it is a ``"GreaterThanThreshold"``.
    statistic
        What is made of the values of one period: Average, Sum, Minimum, Maximum, SampleCount, or a
        percentile such as ``"p99"``.
    period_s
        Seconds of one period; periods begin at its multiples.
    evaluation_periods, datapoints_to_alarm
        N, and M of it; M is N unless given.
    missing
        What a period without values counts as.

    Attributes
    ----------
    state
        The state now.
    history
        One entry for each change: (when, old state, new state).

    Raises
    ------
    ValueError
        If a part makes no sense.

    Examples
    --------
    >>> alarm = Alarm("slow", "p99_ms", 200.0, period_s=60, evaluation_periods=3, datapoints_to_alarm=2)
    >>> for minute, p99 in enumerate([150.0, 260.0, 270.0]):
    ...     alarm.add(p99, at_s=60.0 * minute + 5)
    >>> alarm.evaluate(now_s=180.0)
    'ALARM'
    >>> alarm.evaluate(now_s=900.0)  # nothing came for twelve minutes
    'INSUFFICIENT_DATA'
    >>> [new for _, _, new in alarm.history]
    ['ALARM', 'INSUFFICIENT_DATA']
    >>> alarm.definition("Orchard")["EvaluationPeriods"]
    3
    """

    name: str
    metric: str
    threshold: float
    comparison: str = "GreaterThanThreshold"
    statistic: str = "Average"
    period_s: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 0
    missing: Missing = "missing"
    state: AlarmState = "INSUFFICIENT_DATA"
    history: list[tuple[float, AlarmState, AlarmState]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.datapoints_to_alarm = self.datapoints_to_alarm or self.evaluation_periods
        if not 1 <= self.datapoints_to_alarm <= self.evaluation_periods:
            raise ValueError(
                f"{self.datapoints_to_alarm} of {self.evaluation_periods} data points makes no sense: "
                "1 <= M <= N"
            )
        if self.comparison not in COMPARISONS:
            raise ValueError(f"comparison={self.comparison!r} is none of {', '.join(COMPARISONS)}")
        if self.missing not in get_args(Missing):
            raise ValueError(f"missing={self.missing!r} is none of {', '.join(get_args(Missing))}")
        if self.period_s < 1 or not math.isfinite(self.threshold):
            raise ValueError(f"period_s={self.period_s!r}, threshold={self.threshold!r}: both must be finite")
        _percentile(self.statistic)
        self._values: defaultdict[int, list[float]] = defaultdict(list)

    def add(self, value: float, at_s: float) -> None:
        """Take a value of the metric.

        Parameters
        ----------
        value
            A finite number; CloudWatch refuses others.
        at_s
            When it was measured, in seconds of the same clock as ``now_s``.

        Raises
        ------
        ValueError
            If it is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is no value for {self.metric!r}: CloudWatch takes finite numbers")
        self._values[math.floor(at_s / self.period_s)].append(float(value))

    def evaluate(self, now_s: float) -> AlarmState:
        """Decide the state from the periods that are over.

        Parameters
        ----------
        now_s
            What time it is, in seconds.
        """
        last = math.floor(now_s / self.period_s) - 1
        first = last - self.evaluation_periods - 1  # N periods and two more
        for old in [period for period in self._values if period < first]:
            del self._values[old]
        points = [self._breaching(period) for period in range(first, last + 1)]
        new = alarm_state(
            points,
            evaluation_periods=self.evaluation_periods,
            datapoints_to_alarm=self.datapoints_to_alarm,
            missing=self.missing,
            current=self.state,
        )
        if new != self.state:
            self.history.append((now_s, self.state, new))
            self.state = new
        return new

    def definition(self, namespace: str) -> dict[str, Any]:
        """Give the alarm as boto3's ``put_metric_alarm`` takes it; nothing is sent.

        Parameters
        ----------
        namespace
            Where the metric stands in CloudWatch.
        """
        kind = "Statistic" if self.statistic in STATISTICS else "ExtendedStatistic"
        return {
            "AlarmName": self.name,
            "Namespace": namespace,
            "MetricName": self.metric,
            kind: self.statistic,
            "Period": self.period_s,
            "EvaluationPeriods": self.evaluation_periods,
            "DatapointsToAlarm": self.datapoints_to_alarm,
            "Threshold": self.threshold,
            "ComparisonOperator": self.comparison,
            "TreatMissingData": self.missing,
        }

    def _breaching(self, period: int) -> bool | None:
        values = self._values.get(period)
        if not values:
            return None
        share = _percentile(self.statistic)
        figure = STATISTICS[self.statistic](values) if share is None else float(np.quantile(values, share))
        return COMPARISONS[self.comparison](figure, self.threshold)


def _percentile(statistic: str) -> float | None:
    """Read "p99" as 0.99; None for a statistic with a name."""
    if statistic in STATISTICS:
        return None
    try:
        share = float(statistic.removeprefix("p")) / 100 if statistic.startswith("p") else math.nan
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise ValueError(f"statistic={statistic!r} is none of {', '.join(STATISTICS)}, nor one such as 'p99'")
    return share
