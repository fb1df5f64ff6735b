"""Values for AWS CloudWatch: as lines of a log, or sent through boto3. Nothing is sent without being asked.

Embedded Metric Format is a line of JSON that a program just prints: where a CloudWatch agent (or a Lambda
function) collects the log, the numbers in it become metrics. ``CloudWatch`` collects values, and sends them
when ``send()`` is called; credentials come from boto3's own chain (environment, profile, role) alone.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mlops_lab.monitoring.alerting.alarms import Alarm
from mlops_lab.monitoring.alerting.alerts import Alert

__all__ = ["CloudWatch", "emf_line"]

MOST_PER_CALL = 1000
MOST_WAITING = 10_000
MOST_IN_A_LINE = 100
MOST_DIMENSIONS = 30


def emf_line(
    values: Mapping[str, float],
    *,
    namespace: str,
    at_s: float,
    dimensions: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> str:
    """Write values as one line of CloudWatch's Embedded Metric Format; nothing is sent.

    JSON has no infinity and no not-a-number, and CloudWatch refuses them. Such a value is left out, and a
    metric ``<name>_not_finite`` with the value 1 stands in its place, so that an alarm can see it.

    Parameters
    ----------
    values
        Name -> number; at most 100.
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
        If there is nothing to write or too much, or a name stands twice.

    Examples
    --------
    >>> line = emf_line({"p99_ms": 212.0}, namespace="Orchard", at_s=1.0, units={"p99_ms": "Milliseconds"})
    >>> json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    [{'Name': 'p99_ms', 'Unit': 'Milliseconds'}]

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    tags, units = dict(dimensions or {}), dict(units or {})
    held = _sendable(values)
    if not 1 <= len(held) <= MOST_IN_A_LINE:
        raise ValueError(f"{len(held)} values: a line holds 1 to {MOST_IN_A_LINE}; write several lines")
    if len(tags) > MOST_DIMENSIONS:
        raise ValueError(f"{len(tags)} dimensions: at most {MOST_DIMENSIONS} are taken")
    if twice := sorted(held.keys() & tags.keys()):
        raise ValueError(f"{twice[0]!r} is both a metric and a dimension: rename one")
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

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Collect the values of one window."""
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
        excess = max(0, len(self.waiting) - MOST_WAITING)
        del self.waiting[:excess]
        self.dropped += excess
        if self._send_each:
            self.send()

    def alert(self, alert: Alert) -> None:
        """Collect an alert as the metric ``alert_<name>``: 1 as it begins to fire, 0 as it ends.

        Parameters
        ----------
        alert
            The alert.
        """
        self.log(alert.step, {f"alert_{alert.name}": float(alert.state == "firing")})

    def send(self) -> int:
        """Send what was collected; what could not be sent stays, for the next time."""
        sent = 0
        while self.waiting:
            some = self.waiting[:MOST_PER_CALL]
            self._reached().put_metric_data(Namespace=self.namespace, MetricData=some)
            del self.waiting[: len(some)]
            sent += len(some)
        return sent

    def put_alarm(self, alarm: Alarm) -> None:
        """Create the alarm in CloudWatch, with this sink's namespace and dimensions.

        Parameters
        ----------
        alarm
            The alarm.
        """
        self._reached().put_metric_alarm(**alarm.definition(self.namespace), Dimensions=self._tags)

    def close(self) -> None:
        """Send nothing: what is waiting was not asked to be sent."""

    def _reached(self) -> Any:
        if self._client is None:
            try:
                import boto3
            except ImportError as absent:
                raise ImportError("sending to CloudWatch needs boto3: install the extra 'cloud'") from absent
            self._client = boto3.client("cloudwatch")
        return self._client


def _sendable(values: Mapping[str, float]) -> dict[str, float]:
    """Give the finite values; in place of another one, a metric that says so."""
    numbers = {name: float(value) for name, value in values.items()}
    return {
        (name if math.isfinite(value) else f"{name}_not_finite"): value if math.isfinite(value) else 1.0
        for name, value in numbers.items()
    }
