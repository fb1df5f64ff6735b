"""Values for Prometheus: a page that it reads, and rules in its language.

Prometheus comes and asks, every few seconds; nothing is sent to it. The page is plain text, the "text
exposition format, version 0.0.4". The server listens on this machine alone.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlops_lab.monitoring.alerting.alerts import Alert, AlertRule
from mlops_lab.monitoring.health.latency import Latency

__all__ = ["Prometheus", "prometheus_rules"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "mlops_lab_"


class Prometheus:
    """A sink whose latest values Prometheus can read, on this machine's loopback address.

    It holds the last value of each metric, not the course: Prometheus keeps that. What happens between two
    of its visits it never sees, so export counts and histograms of what is frequent.

    Parameters
    ----------
    prefix
        Stands before each name, so that names of several programs do not meet.
    port
        Where to listen; 0 takes a free one.
    about
        Name -> a line that says what it is and in which unit.

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
        self, *, prefix: str = PREFIX, port: int = 0, about: Mapping[str, str] | None = None
    ) -> None:
        self.prefix = prefix
        self._port = port
        self._about = dict(about or {})
        self._values: dict[str, float] = {}
        self._alerts: dict[tuple[str, str], float] = {}
        self._histograms: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Remember the latest values; the step is not told, for Prometheus has its own clock."""
        named = {self._name(name): float(value) for name, value in values.items()}
        with self._lock:
            self._values |= named

    def alert(self, alert: Alert) -> None:
        """Remember whether an alert fires, as the series ``alert_firing``.

        Parameters
        ----------
        alert
            The alert.
        """
        with self._lock:
            self._alerts[alert.name, alert.severity] = float(alert.state == "firing")

    def histogram(self, name: str, latency: Latency, bounds_ms: Iterable[float]) -> None:
        """Remember a histogram, which Prometheus can add up over servers.

        Parameters
        ----------
        name
            Its name.
        latency
            The answer times.
        bounds_ms
            The upper ends of the bars, in milliseconds, rising.
        """
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
        with self._lock:
            values, alerts = dict(self._values), dict(self._alerts)
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
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _page_of(self))
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


def prometheus_rules(rules: Iterable[AlertRule], *, window_s: float = 60.0, prefix: str = PREFIX) -> str:
    """Write rules in the language of Prometheus, as a file that it and ``promtool`` read.

    The expression counts the windows in which the metric was beyond the limit, or not a number. It differs
    from ``AlertRule`` where no values come: Prometheus goes on with the last one for five minutes.

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
        If the window is below 10 ms.

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
    written = []
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


def _page_of(sink: Prometheus) -> type[BaseHTTPRequestHandler]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.split("?")[0] == "/metrics"
            body = sink.text().encode() if found else b"the values are at /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing for each visit."""

    return Page
