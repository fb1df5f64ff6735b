"""AWS CloudWatch: an alarm by its documented rules, and values for it. Nothing is sent without being asked.

The rules of an alarm are those of the user guide, section "Configuring how CloudWatch alarms treat missing
data". They are run here because a simulated CloudWatch stores alarms and never evaluates them, and because
whoever sets an alarm should be able to try it before a night depends on it.

Embedded Metric Format is a line of JSON that a program just prints: where an agent (or a Lambda function)
forwards the log, CloudWatch Logs makes metrics of the numbers in it. ``CloudWatch`` collects values, and
sends them when ``send()`` is called; credentials come from boto3's own chain (environment, profile, role).
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import numpy as np

from mlops_lab.monitoring.alerting.alerts import AlarmState, Alert, Missing, alarm_state

__all__ = ["Alarm", "CloudWatch", "emf_line"]

_MOST_PER_CALL = 1000
_MOST_WAITING = 10_000
_MOST_IN_A_LINE = 100
_MOST_DIMENSIONS = 30
_NOT_FINITE = "_not_finite"
_RESERVED = "_aws"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
_STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Average": lambda values: math.fsum(values) / len(values),
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}


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
        if self.comparison not in _COMPARISONS:
            raise ValueError(f"comparison={self.comparison!r} is none of {', '.join(_COMPARISONS)}")
        if self.missing not in get_args(Missing):
            raise ValueError(f"missing={self.missing!r} is none of {', '.join(get_args(Missing))}")
        if self.period_s < 1 or not math.isfinite(self.threshold):
            raise ValueError(f"period_s={self.period_s!r}, threshold={self.threshold!r}: both must be finite")
        _percentile(self.statistic)
        self._values: defaultdict[int, list[float]] = defaultdict(list)

    def add(self, value: float, at_s: float) -> None:
        """Take a value, which CloudWatch wants finite, measured at ``at_s`` of the clock of ``evaluate``."""
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is no value for {self.metric!r}: CloudWatch takes finite numbers")
        self._values[math.floor(at_s / self.period_s)].append(float(value))

    def evaluate(self, now_s: float) -> AlarmState:
        """Decide the state at a moment from the periods that are over."""
        last = math.floor(now_s / self.period_s) - 1
        first = last - self.evaluation_periods - 1  # N periods and two more
        for old in [period for period in self._values if period < first]:
            del self._values[old]
        points = [self._breaching(period) for period in range(first, last + 1)]
        new = alarm_state(
            points,
            k=self.datapoints_to_alarm,
            n=self.evaluation_periods,
            missing=self.missing,
            current=self.state,
        )
        if new != self.state:
            self.history.append((now_s, self.state, new))
            self.state = new
        return new

    def definition(self, namespace: str) -> dict[str, Any]:
        """Give the alarm as boto3's ``put_metric_alarm(**definition)`` takes it; nothing is sent."""
        kind = "Statistic" if self.statistic in _STATISTICS else "ExtendedStatistic"
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
        figure = _STATISTICS[self.statistic](values) if share is None else float(np.quantile(values, share))
        return _COMPARISONS[self.comparison](figure, self.threshold)


def _percentile(statistic: str) -> float | None:
    """Read "p99" as 0.99; None for a statistic with a name."""
    if statistic in _STATISTICS:
        return None
    try:
        share = float(statistic.removeprefix("p")) / 100 if statistic.startswith("p") else math.nan
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        known = ", ".join(_STATISTICS)
        raise ValueError(f"statistic={statistic!r} is none of {known}, nor one such as 'p99'")
    return share


def emf_line(
    values: Mapping[str, Any],
    *,
    namespace: str,
    at_s: float,
    dimensions: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> str:
    """Write values as one line of CloudWatch's Embedded Metric Format; nothing is sent.

    JSON has no infinity and no not-a-number, and CloudWatch refuses them. Such a value, or one that is
    missing or larger than any float, is left out, and a metric ``<name>_not_finite`` with the value 1 stands
    in its place, so that an alarm can see it. A metric of yours that has this name already cannot hide the
    fault: its value becomes at least 1.

    Parameters
    ----------
    values
        Name -> number, of Python, NumPy or ``decimal``; at most 100. A mapping inside is laid flat:
        ``{"loss": {"train": 1.0}}`` becomes ``loss.train``.
    namespace
        What the metrics are filed under.
    at_s
        When, in seconds since 1970.
    dimensions
        Name -> text, such as the model's version; at most 30. Each combination is billed as a metric of its
        own: never put a user or a request into one.
    units
        Name -> unit, such as ``"Milliseconds"``; by default none.

    Raises
    ------
    ValueError
        If there is nothing to write or too much, a value is a text or several numbers, or a name stands
        twice: that of a dimension must not be a metric's, nor a metric's with ``_not_finite`` behind it.

    Examples
    --------
    >>> line = emf_line({"p99_ms": 212.0}, namespace="Orchard", at_s=1.0, units={"p99_ms": "Milliseconds"})
    >>> json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    [{'Name': 'p99_ms', 'Unit': 'Milliseconds'}]
    >>> line = emf_line({"loss": float("nan"), "loss_not_finite": 0.0}, namespace="Orchard", at_s=1.0)
    >>> json.loads(line)["loss_not_finite"]
    1.0

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    tags, units = dict(dimensions or {}), dict(units or {})
    held = _sendable(values)
    if not 1 <= len(held) <= _MOST_IN_A_LINE:
        raise ValueError(f"{len(held)} values: a line holds 1 to {_MOST_IN_A_LINE}; write several lines")
    if len(tags) > _MOST_DIMENSIONS:
        raise ValueError(f"{len(tags)} dimensions: at most {_MOST_DIMENSIONS} are taken")
    # a name that only a fault would take is refused on every day, not in the night of the fault
    taken = {*held, *(name + _NOT_FINITE for name, _ in _flat(values))}
    if twice := sorted(taken & tags.keys()):
        raise ValueError(f"{twice[0]!r} is both a metric and a dimension: rename one")
    if _RESERVED in taken | tags.keys():
        raise ValueError(f"{_RESERVED!r} is where the format keeps its own data: rename that value")
    metrics = [{"Name": name, "Unit": units.get(name, "None")} for name in held]
    directive = {"Namespace": namespace, "Dimensions": [list(tags)], "Metrics": metrics}
    about = {"Timestamp": round(at_s * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, **tags, **held}, allow_nan=False)


class CloudWatch:
    """A sink that collects values for CloudWatch, and sends them when it is told to.

    Parameters
    ----------
    namespace
        What the metrics are filed under.
    dimensions
        Name -> text, for all of them.
    units
        Name -> unit.
    client
        A boto3 client of CloudWatch; by default one is made at the first ``send()``, which needs the extra
        ``cloud``.
    send_each
        True sends at each ``log``: that is asking once for all.
    clock
        Gives seconds since 1970.

    Attributes
    ----------
    waiting
        What was collected and not sent, as ``put_metric_data`` takes it; the latest 10,000 values.
    dropped
        How many older ones had to go.

    Examples
    --------
    >>> sink = CloudWatch("Orchard", clock=lambda: 0.0)
    >>> sink.log(0, {"p99_ms": 212.0, "loss": float("nan")})
    >>> [(one["MetricName"], one["Value"]) for one in sink.waiting]
    [('p99_ms', 212.0), ('loss_not_finite', 1.0)]
    >>> class Recorder:
    ...     def put_metric_data(self, **asked):
    ...         self.asked = asked
    >>> recorder = Recorder()
    >>> CloudWatch("Orchard", client=recorder, send_each=True).log(0, {"p99_ms": 212.0})
    >>> recorder.asked["Namespace"]
    'Orchard'
    """

    def __init__(
        self,
        namespace: str,
        *,
        dimensions: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        client: Any = None,
        send_each: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.namespace = namespace
        self.waiting: list[dict[str, Any]] = []
        self.dropped = 0
        self._tags = [{"Name": name, "Value": value} for name, value in (dimensions or {}).items()]
        self._units = dict(units or {})
        self._client = client
        self._send_each = send_each
        self._clock = clock

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Collect the values of one window; what is not finite is told, as by ``emf_line``."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        for name, value in _sendable(values).items():
            self.waiting.append(
                {
                    "MetricName": name,
                    "Timestamp": at,
                    "Value": value,
                    "Unit": self._units.get(name, "None"),
                    "Dimensions": self._tags,
                }
            )
        excess = max(0, len(self.waiting) - _MOST_WAITING)
        del self.waiting[:excess]
        self.dropped += excess
        if self._send_each:
            self.send()

    def alert(self, alert: Alert) -> None:
        """Collect an alert as the metric ``alert_<name>``: 1 as it begins to fire, 0 as it ends."""
        self.log(alert.step, {f"alert_{alert.name}": float(alert.state == "firing")})

    def send(self) -> int:
        """Send what was collected; what could not be sent stays, for the next time."""
        sent = 0
        while self.waiting:
            some = self.waiting[:_MOST_PER_CALL]
            self._connected().put_metric_data(Namespace=self.namespace, MetricData=some)
            del self.waiting[: len(some)]
            sent += len(some)
        return sent

    def close(self) -> None:
        """Send nothing: what is waiting was not asked to be sent."""

    def _connected(self) -> Any:
        if self._client is None:
            try:
                import boto3
            except ImportError as absent:
                raise ImportError("sending to CloudWatch needs boto3: install the extra 'cloud'") from absent
            self._client = boto3.client("cloudwatch")
        return self._client


def _sendable(values: Mapping[str, Any]) -> dict[str, float]:
    """Give the finite values; in place of another one, a metric that says so and that no value can undo."""
    held, faults = dict[str, float](), list[str]()
    for name, value in _flat(values):
        number = _number(name, value)
        if name in held:
            raise ValueError(f"{name!r} stands twice among the values: rename one")
        held[name] = number
        if not math.isfinite(number):
            faults.append(name)
    for name in faults:
        del held[name]
    for name in faults:
        told = name + _NOT_FINITE
        held[told] = max(1.0, held.get(told, 1.0))
    return held


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give names and values, those of a mapping inside as "outer.inner"."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", part) for inner, part in _flat(value))
        else:
            yield str(name), value


def _number(name: str, value: Any) -> float:
    """Read a number of any kind; what is none because it is missing or too large is not a number here."""
    array = value if isinstance(value, Decimal | int) else np.asarray(value)
    if isinstance(array, np.ndarray):
        if array.size != 1:
            raise ValueError(
                f"{name!r} holds {array.size} values: a metric is one number, such as their mean"
            )
        value = array.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError) as wrong:
        if isinstance(value, int | Decimal):  # beyond every float, or a signalling not-a-number
            return math.nan
        raise ValueError(f"{name!r} is {value!r}: a metric is a number; a text may be a dimension") from wrong
