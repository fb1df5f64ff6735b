"""Prometheus: values as the page that it reads, rules in its language, and the real server where installed.

Prometheus comes and asks, every few seconds; nothing is sent to it. The page is plain text, the "text
exposition format, version 0.0.4". What listens here listens on this machine alone.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from mlops_lab.monitoring.alerting.alerts import Alert, AlertRule
from mlops_lab.monitoring.health.latency import Latency

__all__ = ["Prometheus", "PrometheusServer", "prometheus_program", "prometheus_rules"]

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "mlops_lab_"


class Prometheus:
    """A sink whose latest values Prometheus can read, on this machine's loopback address.

    It holds the last value of each metric, not the course: Prometheus keeps that. What happens between two
    of its visits it never sees, so export counts and histograms of what is frequent. And it reads a value
    again at each visit, however old that is: where nobody logs any more, one bad value becomes many. Behind a
    `Monitor` a window without a value takes the metric off the page, unless its rule holds the last one; and
    ``most_age_s`` takes off what nobody has renewed.

    Parameters
    ----------
    prefix
        Stands before each name, so that names of several programs do not meet.
    port
        Where to listen; 0 takes a free one.
    about
        Name -> a line that says what it is and in which unit.
    most_age_s
        A value that is older than so many seconds leaves the page until it is renewed; None keeps it for
        ever. Give a little more than the time from one window to the next.
    clock
        Gives seconds that never go back, for that age.

    Examples
    --------
    >>> sink = Prometheus(about={"p99_ms": "99th percentile of answer times, milliseconds"})
    >>> sink.log(0, {"p99_ms": 212.5})
    >>> print(sink.text(), end="")
    # HELP mlops_lab_p99_ms 99th percentile of answer times, milliseconds
    # TYPE mlops_lab_p99_ms gauge
    mlops_lab_p99_ms 212.5
    >>> address = sink.start()
    >>> address.startswith("127.0.0.1:")
    True
    >>> sink.close()
    """

    def __init__(
        self,
        *,
        prefix: str = _PREFIX,
        port: int = 0,
        about: Mapping[str, str] | None = None,
        most_age_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if most_age_s is not None and not most_age_s > 0:
            raise ValueError(f"most_age_s={most_age_s!r} must be a number of seconds above 0, or None")
        self.prefix = prefix
        self._most_age_s = math.inf if most_age_s is None else most_age_s
        self._clock = clock
        self._renewed_s: dict[str, float] = {}
        self._port = port
        self._about = dict(about or {})
        self._values: dict[str, float] = {}
        self._alerts: dict[tuple[str, str], float] = {}
        self._histograms: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def log(self, step: int, values: Mapping[str, float | None]) -> None:
        """Remember the latest values; None is none. The step is not told: Prometheus has its own clock.

        Of two names that are one to Prometheus, as ``a/b`` and ``a_b``, a value that is not finite stays.
        """
        named: dict[str, float] = {}
        for name, value in values.items():
            full = self._name(name)
            if value is not None and math.isfinite(named.get(full, 0.0)):
                named[full] = float(value)
        now = self._clock()
        with self._lock:
            self._values |= named
            self._renewed_s |= dict.fromkeys(named, now)

    def no_value(self, step: int, names: Iterable[str]) -> None:
        """Take metrics off the page until they have a value again: Prometheus then marks them as stale."""
        with self._lock:
            for name in names:
                self._values.pop(self._name(name), None)

    def alert(self, alert: Alert) -> None:
        """Remember whether an alert fires, as the series ``alert_firing``."""
        with self._lock:
            self._alerts[alert.name, alert.severity] = float(alert.state == "firing")

    def histogram(self, name: str, latency: Latency, bounds_ms: Iterable[float]) -> None:
        """Remember a histogram, which Prometheus can add up over servers; the bounds are upper ends."""
        full, bounds = self._name(name), list(bounds_ms)
        if bounds != sorted(set(bounds)) or not all(math.isfinite(bound) for bound in bounds):
            raise ValueError(f"bounds_ms={bounds} must be finite and rise")
        lines = [f'{full}_bucket{{le="{_written(bound)}"}} {latency.below(bound)}' for bound in bounds]
        lines += [f'{full}_bucket{{le="+Inf"}} {latency.count}']
        lines += [f"{full}_sum {_written(latency.total_ms)}", f"{full}_count {latency.count}"]
        with self._lock:
            self._histograms[full] = lines

    def text(self) -> str:
        """Write the page that Prometheus reads."""
        since = self._clock() - self._most_age_s
        with self._lock:
            values = {name: value for name, value in self._values.items() if self._renewed_s[name] >= since}
            alerts = dict(self._alerts)
            histograms = dict(self._histograms)
        about = {self._name(name): said for name, said in self._about.items()}
        lines = []
        for name, value in values.items():
            lines += [*_head(name, "gauge", about.get(name, "")), f"{name} {_written(value)}"]
        for name, rows in histograms.items():
            lines += [*_head(name, "histogram", about.get(name, "")), *rows]
        if alerts:
            full = self._name("alert_firing")
            lines += _head(full, "gauge", "1 while the alert fires")
            for (name, severity), value in alerts.items():
                labels = f'name="{_escaped(name)}",severity="{_escaped(severity)}"'
                lines.append(f"{full}{{{labels}}} {_written(value)}")
        return "".join(f"{line}\n" for line in lines)

    def start(self) -> str:
        """Begin to listen, in a thread of its own."""
        if self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler_of(self))
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _name(self, name: str) -> str:
        return self.prefix + re.sub(r"[^a-zA-Z0-9_]", "_", name)


def prometheus_rules(rules: Iterable[AlertRule], *, window_s: float = 60.0, prefix: str = _PREFIX) -> str:
    """Write rules in the language of Prometheus, as a file that it and ``promtool`` read.

    The expression counts, at the end of each window, whether the value on the page was beyond the limit or
    not a number. It is the rule of a `Monitor` on the same windows, if that `Monitor` has the `Prometheus`
    page among its sinks and Prometheus visits at least once a window. Where values are missing:

    - A window without a value, which the rule counts as good: the page leaves the metric out, Prometheus
      marks it as stale at its next visit, and neither of the two counts it.
    - The same, and the rule holds the last value: the page goes on showing it, and both count it again.
    - Nobody calls ``log`` any more: for the `Monitor` no window passes. Prometheus goes on reading what the
      page shows: one bad value fires after k windows. ``Prometheus(most_age_s=...)`` ends that.
    - The page dies: at the next visit, which fails, all of its series are stale, so the alert ends once fewer
      than k of the last n windows are bad. To be told of the death, alert on ``up == 0``.
    - A series ends without a mark (it was sent with timestamps, or Prometheus itself stood still): its last
      value counts for five minutes more, the look-back of Prometheus.

    Parameters
    ----------
    rules
        The rules.
    window_s
        Seconds of one window.
    prefix
        As for the ``Prometheus`` sink.

    Raises
    ------
    ValueError
        If the window is below 10 ms, or two rules on one metric differ in what a missing window counts as:
        there is one page.

    Examples
    --------
    >>> rule = AlertRule(name="slow", metric="p99_ms", above=200.0, k=2, n=3, severity="page",
    ...     runbook="Halve the batch size.")
    >>> json.loads(prometheus_rules([rule]))["groups"][0]["rules"][0]["expr"]
    'count_over_time((mlops_lab_p99_ms > 200.0 or ...)[179999ms:60000ms]) >= 2'

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    window_ms = round(window_s * 1000)
    if window_ms < 10:
        raise ValueError(f"window_s={window_s!r} must be at least 0.01 seconds")
    rules, written = tuple(rules), []
    for metric in {rule.metric for rule in rules}:
        if len(told := sorted({rule.missing for rule in rules if rule.metric == metric})) > 1:
            raise ValueError(
                f"rules on {metric!r} have missing={' and '.join(told)}: a page can do one; give all the same"
            )
    for rule in rules:
        name, sign = prefix + rule.metric, ">" if rule.above is not None else "<"
        bad = f"{name} {sign} {_written(rule.limit)} or {name} != {name}"
        written.append(
            {
                "alert": rule.name,
                # a millisecond short of n windows, so that n of them fit whether the start counts or not
                "expr": f"count_over_time(({bad})[{rule.n * window_ms - 1}ms:{window_ms}ms]) >= {rule.k}",
                "labels": {"severity": rule.severity},
                "annotations": {"runbook": rule.runbook},
            }
        )
    group = {"name": "mlops_lab", "interval": f"{window_ms}ms", "rules": written}
    return json.dumps({"groups": [group]}, indent=2) + "\n"


def _head(name: str, kind: str, about: str) -> list[str]:
    said = about.replace("\\", "\\\\").replace("\n", "\\n")
    return [*([f"# HELP {name} {said}"] if said else []), f"# TYPE {name} {kind}"]


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _written(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(float(value)) if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"


def _handler_of(sink: Prometheus) -> type[BaseHTTPRequestHandler]:
    class ExpositionHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.split("?")[0] == "/metrics"
            body = sink.text().encode() if found else b"the values are at /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", _CONTENT_TYPE if found else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing for each visit."""

    return ExpositionHandler


def prometheus_program() -> str | None:
    """Find the program ``prometheus`` on this machine.

    Examples
    --------
    >>> found = prometheus_program()
    >>> found is None or "prometheus" in found
    True

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    return shutil.which("prometheus")


class PrometheusServer:
    """A Prometheus that visits one address again and again, and evaluates rules: for lessons and tests.

    Use it in a ``with`` block; leaving that stops it. In the block, ``server.wait_for("Slow")`` waits until
    an alert fires, and ``server.alerts()`` and ``server.query("up")`` read what there is. It keeps its data
    in the given folder, listens on loopback, and has no access control: not for production.

    Parameters
    ----------
    folder
        An empty folder for its settings and data.
    target
        The address to visit, ``127.0.0.1:port``.
    rules
        The text of a rules file, as from ``prometheus_rules``.
    every_s
        Seconds between visits, and between evaluations of rules that name no time of their own.

    Raises
    ------
    FileNotFoundError
        If Prometheus is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> server = PrometheusServer(Path(tempfile.mkdtemp()), "127.0.0.1:1", '{"groups": []}')
    >>> server.every_s
    1
    >>> server.alerts()
    Traceback (most recent call last):
    RuntimeError: this Prometheus is not running: ask it inside its with block
    """

    def __init__(self, folder: Path, target: str, rules: str, *, every_s: float = 1) -> None:
        self.folder, self.target, self.rules, self.every_s = Path(folder), target, rules, every_s
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrometheusServer:
        program = prometheus_program()
        if program is None:
            raise FileNotFoundError(
                "the program prometheus is not installed: on Debian, the package prometheus"
            )
        (self.folder / "rules.yml").write_text(self.rules, encoding="utf-8")
        every = f"{round(1000 * self.every_s)}ms"
        settings = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "model", "static_configs": [{"targets": [self.target]}]}],
        }
        path = self.folder / "prometheus.yml"
        path.write_text(json.dumps(settings), encoding="utf-8")
        self._port = _free_port()
        command = [program, f"--config.file={path}", f"--storage.tsdb.path={self.folder / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{self._port}", "--log.level=error"]
        with (self.folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        try:
            self._until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def alerts(self) -> list[dict[str, Any]]:
        """Read the alerts that fire or are pending: ``labels``, ``annotations``, ``state``, ``value``."""
        found: list[dict[str, Any]] = self._ask("/api/v1/alerts")["data"]["alerts"]
        return found

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Ask for the present value of a PromQL expression: for each series ``metric`` and ``value``."""
        found: list[dict[str, Any]] = self._ask(f"/api/v1/query?query={quote(expression)}")["data"]["result"]
        return found

    def wait_for(self, name: str, *, seconds: float = 20.0) -> dict[str, Any] | None:
        """Wait until an alert fires; None if it has not within these seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for alert in self.alerts():
                if alert["labels"]["alertname"] == name and alert["state"] == "firing":
                    return alert
            time.sleep(0.2)
        return None

    def _until_ready(self, seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                said = (self.folder / "prometheus.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"prometheus stopped at its start: {said.strip()[-300:]}")
            try:
                if self._get("/-/ready")[0] == 200:
                    return
            except (OSError, HTTPException):
                pass
            time.sleep(0.1)
        raise RuntimeError(f"prometheus was not ready within {seconds:g} seconds")

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _ask(self, path: str) -> dict[str, Any]:
        if self._process is None:
            raise RuntimeError("this Prometheus is not running: ask it inside its with block")
        status, body = self._get(path)
        if status != 200:
            raise RuntimeError(f"prometheus answered {status}: {body[:200].decode(errors='replace')}")
        found: dict[str, Any] = json.loads(body)
        return found

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
