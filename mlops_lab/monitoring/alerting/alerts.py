"""Alert rules: k of the last n windows beyond a limit, one message for each time that a rule breaks.

A limit that is crossed once by chance wakes somebody for nothing. A message for each window that is bad makes
a hundred of one fault. So a rule asks for k bad windows among the last n, speaks when it begins to fire and
when it ends, and says what to do. One function decides, `alarm_state`, also for the alarms in cloudwatch.py.
"""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO, get_args

import pandas as pd

__all__ = ["AlarmState", "Alert", "AlertRule", "Console", "Missing", "Monitor", "alarm_state"]

Severity = Literal["page", "ticket", "note"]
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]
MissingWindow = Literal["good", "hold"]


def alarm_state(
    breaching: Sequence[bool | None],
    *,
    k: int,
    n: int,
    missing: Missing = "missing",
    current: AlarmState = "INSUFFICIENT_DATA",
) -> AlarmState:
    """Give the state of an alarm that k of the latest n data points must breach; None is a missing point.

    The rules are CloudWatch's. If enough points are there, the latest n decide, and gaps do not matter. If
    not, the gaps are filled as ``missing`` says, as few of them as possible. One documented case is special:
    if all points there are are breaching, and the oldest is at least k periods old, ``missing`` alarms and
    ``ignore`` keeps the state. The guide does not say what happens if the few points are all breaching but
    not old enough; here the state stays as it is, until more is known.
    """
    points = [point for point in breaching if point is not None]
    if len(points) >= n:
        return "ALARM" if sum(points[-n:]) >= k else "OK"
    bad, gaps = sum(points), n - len(points)
    if missing == "breaching":
        return "ALARM" if bad + gaps >= k else "OK"
    if missing == "notBreaching":
        return "ALARM" if bad >= k else "OK"
    if not points:
        return current if missing == "ignore" else "INSUFFICIENT_DATA"
    if bad >= k:
        return "ALARM"
    if bad < len(points):
        return "OK"
    oldest = len(breaching) - next(place for place, point in enumerate(breaching) if point is not None)
    return "ALARM" if missing == "missing" and oldest >= k else current


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """When a metric is an alarm: k of the last n windows are beyond a limit.

    It answers whether the metric was bad often enough lately. It misleads where no values come: a window
    without one counts as ``missing`` says, and neither choice tells that a service died. So watch that values
    come at all, or use an ``Alarm``. A value that is not a number is always bad.

    Parameters
    ----------
    name
        A short name that stays the same, such as ``"slow_answers"``.
    metric
        Which value it watches.
    above, below
        The limit; exactly one. The limit itself is still good.
    k, n
        How many of how many windows must be bad.
    severity
        ``"page"`` wakes somebody, ``"ticket"`` waits until tomorrow, ``"note"`` is only kept.
    missing
        What a window without a value counts as: ``"good"``, as if nothing bad had happened in it, or
        ``"hold"``, as the last value that came, as a gauge does that Prometheus reads again and again.
    runbook
        What to do, in a line. An alert that nobody can act on is noise.

    Raises
    ------
    ValueError
        If a part is missing or contradicts another.

    Examples
    --------
    >>> rule = AlertRule(name="slow_answers", metric="p99_ms", above=200.0, k=2, n=3, severity="page",
    ...     runbook="Halve the batch size, then look for the slow request in the log.")
    >>> rule.fires([150.0, 250.0, 260.0]), rule.fires([150.0, 250.0, 140.0])
    (True, False)
    >>> from dataclasses import replace
    >>> one_bad_then_nothing = [150.0, 250.0, None, None]
    >>> rule.fires(one_bad_then_nothing), replace(rule, missing="hold").fires(one_bad_then_nothing)
    (False, True)
    """

    name: str
    metric: str
    above: float | None = None
    below: float | None = None
    k: int = 1
    n: int = 1
    severity: Severity = "ticket"
    missing: MissingWindow = "good"
    runbook: str

    def __post_init__(self) -> None:
        for part in ("name", "metric"):
            text = getattr(self, part)
            if not isinstance(text, str) or not text.isidentifier() or not text.isascii():
                raise ValueError(f"{part}={text!r} must be one word of letters, digits and underscores")
        if not self.runbook.strip() or "\n" in self.runbook:
            raise ValueError(f"runbook={self.runbook!r} must say in one line what to do")
        if (self.above is None) == (self.below is None):
            raise ValueError(
                f"give one limit, above= or below=; got above={self.above!r}, below={self.below!r}"
            )
        if not math.isfinite(self.limit):
            raise ValueError(f"the limit of {self.name!r} is {self.limit!r}, and must be a finite number")
        if not 1 <= self.k <= self.n:
            raise ValueError(f"k={self.k!r} of n={self.n!r} makes no sense: 1 <= k <= n")
        if self.severity not in get_args(Severity):
            raise ValueError(f"severity={self.severity!r} is none of {', '.join(get_args(Severity))}")
        if self.missing not in get_args(MissingWindow):
            raise ValueError(f"missing={self.missing!r} is none of {', '.join(get_args(MissingWindow))}")

    @property
    def limit(self) -> float:
        """The limit, whichever side it is on."""
        return float(self.above if self.above is not None else self.below)  # type: ignore[arg-type]

    def bad(self, value: float | None) -> bool:
        """Say whether one window's value is beyond the limit; None, no value, is not."""
        if value is None:
            return False
        beyond = value > self.limit if self.above is not None else value < self.limit
        return bool(beyond or math.isnan(value))

    def counted(self, value: float | None, last: float | None) -> float | None:
        """Give what a window counts as, if the one before it counted as ``last``."""
        return last if value is None and self.missing == "hold" else value

    def fires(self, values: Iterable[float | None]) -> bool:
        """Say whether k of the last n values are bad; one for each window, the latest last."""
        held, last = [], None
        for value in values:
            last = self.counted(value, last)
            held.append(last)
        points = [None if value is None else self.bad(value) for value in held[-self.n :]]
        return alarm_state(points, k=self.k, n=self.n, missing="notBreaching") == "ALARM"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A message: a rule began to fire, or stopped.

    Attributes
    ----------
    name, severity, runbook, metric
        The rule's.
    state
        ``"firing"`` or ``"resolved"``.
    value
        The metric's last value.
    step
        The number of the window.
    at_s
        When, in seconds, by the clock that the monitor was given.

    Examples
    --------
    >>> str(Alert(name="slow_answers", severity="page", state="firing", metric="p99_ms", value=260.0, step=7,
    ...     at_s=420.0, runbook="Halve the batch size."))
    'page: slow_answers is firing (p99_ms = 260, window 7). Halve the batch size.'
    """

    name: str
    severity: str
    state: Literal["firing", "resolved"]
    metric: str
    value: float | None
    step: int
    at_s: float
    runbook: str

    def __str__(self) -> str:
        value = "no value" if self.value is None else f"{self.value:.4g}"
        told = f"{self.severity}: {self.name} is {self.state} ({self.metric} = {value}, window {self.step})."
        return f"{told} {self.runbook}" if self.state == "firing" else told


class Monitor:
    """Takes the values of one window after the other, and tells sinks when a rule begins or ceases to fire.

    It is itself a sink: hand it to whatever logs. A sink that fails never stops it: the first failure of each
    is a warning, the rest are counted. Each rule speaks once when it begins and once when it ends.

    Each call of ``log`` is a window, for all rules, also one without values: ``log(step, {})``. Where nobody
    calls it, no time passes for it, and what fires goes on firing. A sink with ``no_value(step, names)`` is
    told which metrics have no value in a window that counts as good, so that a page need not show an old one.

    Parameters
    ----------
    rules
        The rules; no two of one name.
    sinks
        Each has ``log(step, values)``, or ``alert(alert)``, or both, and perhaps ``close()`` and
        ``no_value(step, names)``.
    clock
        Gives seconds; passed in, so that tests and lessons decide what time it is.

    Raises
    ------
    ValueError
        If two rules have one name.
    TypeError
        If a sink can take neither values nor alerts.

    Examples
    --------
    >>> rule = AlertRule(name="slow", metric="p99_ms", above=200.0, k=2, n=3, severity="page",
    ...     runbook="Halve the batch size.")
    >>> monitor = Monitor([rule], clock=lambda: 0.0)
    >>> for step, p99 in enumerate([100.0, 250.0, 260.0, 270.0, 90.0, 95.0]):
    ...     monitor.log(step, {"p99_ms": p99})
    >>> [(alert.step, alert.state) for alert in monitor.alerts]
    [(2, 'firing'), (5, 'resolved')]
    >>> monitor.firing
    ()
    >>> monitor.frame()[["step", "state", "severity"]].values.tolist()
    [[2, 'firing', 'page'], [5, 'resolved', 'page']]
    >>> monitor.close()
    """

    def __init__(
        self,
        rules: Iterable[AlertRule],
        sinks: Iterable[Any] = (),
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.rules = tuple(rules)
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError(f"two rules have one name: {', '.join(names)}")
        self.sinks = tuple(sinks)
        for sink in self.sinks:
            if not callable(getattr(sink, "log", None)) and not callable(getattr(sink, "alert", None)):
                raise TypeError(f"{type(sink).__name__} has neither log(step, values) nor alert(alert)")
        self.alerts: list[Alert] = []
        self.failures = [0] * len(self.sinks)
        self._clock = clock
        self._windows = {rule.name: deque[float | None](maxlen=rule.n) for rule in self.rules}
        self._firing: set[str] = set()

    @property
    def firing(self) -> tuple[str, ...]:
        """The names of the rules that fire now."""
        return tuple(rule.name for rule in self.rules if rule.name in self._firing)

    def log(self, step: int, values: Mapping[str, float | None]) -> None:
        """Take the values of one window, pass them on, and speak if a rule begins or ceases to fire.

        A metric that is not among them, or is None, has no value in this window.
        """
        self._tell("log", step, values)
        came = {name for name, value in values.items() if value is not None}
        good = {rule.metric for rule in self.rules if rule.missing == "good"}
        if gone := tuple(sorted(good - came)):
            self._tell("no_value", step, gone)
        for rule in self.rules:
            window = self._windows[rule.name]
            value = values.get(rule.metric)
            last = window[-1] if window else None
            window.append(rule.counted(None if value is None else float(value), last))
            fires = rule.fires(window)
            if fires != (rule.name in self._firing):
                self._firing ^= {rule.name}
                alert = Alert(
                    name=rule.name,
                    severity=rule.severity,
                    state="firing" if fires else "resolved",
                    metric=rule.metric,
                    value=window[-1],
                    step=step,
                    at_s=self._clock(),
                    runbook=rule.runbook,
                )
                self.alerts.append(alert)
                self._tell("alert", alert)

    def close(self) -> None:
        """Close the sinks."""
        self._tell("close")

    def frame(self) -> pd.DataFrame:
        """Give all alerts as a table."""
        return pd.DataFrame([vars(alert) for alert in self.alerts], columns=list(Alert.__annotations__))

    def _tell(self, verb: str, *told: Any) -> None:
        """Hand something to each sink that takes it; a failure is counted, and the first is a warning."""
        for number, sink in enumerate(self.sinks):
            take = getattr(sink, verb, None)
            if not callable(take):
                continue
            try:
                take(*(dict(part) if isinstance(part, Mapping) else part for part in told))
            except Exception as failure:  # noqa: BLE001  (whatever a sink raises, the monitor goes on)
                self.failures[number] += 1
                if self.failures[number] == 1:
                    warnings.warn(
                        f"{type(sink).__name__} failed ({type(failure).__name__}: {failure}); the monitor "
                        "goes on, and further failures of it are only counted",
                        RuntimeWarning,
                        stacklevel=3,
                    )


class Console:
    r"""The plainest sink: writes each alert as a line on a stream, values only if asked to.

    Parameters
    ----------
    stream
        Where the lines go, such as ``sys.stdout``.
    values
        Whether the values of each window are written too.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> sink = Console(stream, values=True)
    >>> sink.log(3, {"p99_ms": 212.0})
    >>> sink.close()
    >>> stream.getvalue()
    'window 3: p99_ms = 212\n'
    """

    def __init__(self, stream: TextIO, *, values: bool = False) -> None:
        self._stream = stream
        self._values = values

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values of one window, if that was asked for."""
        if self._values:
            told = ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
            self._stream.write(f"window {step}: {told}\n")

    def alert(self, alert: Alert) -> None:
        """Write an alert."""
        self._stream.write(f"{alert}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: it is not ours."""
        self._stream.flush()
