"""Prometheus: the page by its own parser, the rules by promtool, and a real server that visits and fires."""

import json
import math
import shutil
import subprocess
import time
from dataclasses import replace
from http.client import HTTPConnection
from unittest.mock import ANY

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mlops_lab.monitoring import (
    AlertRule,
    Latency,
    Monitor,
    Prometheus,
    PrometheusServer,
    prometheus_program,
    prometheus_rules,
)
from mlops_lab.monitoring.alerting.alerts import Alert

RULE = AlertRule(
    name="slow", metric="p99_ms", above=200.0, k=2, n=3, severity="page", runbook='Halve the "batch" size.'
)
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: the package prometheus)"
)
needs_prometheus = pytest.mark.skipif(
    prometheus_program() is None, reason="prometheus is not installed (Debian: the package prometheus)"
)


def _samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _alert(name="slow", state="firing"):
    return Alert(
        name=name, severity="page", state=state, metric="p99_ms", value=1.0, step=0, at_s=0.0, runbook="Look."
    )


def test_the_page_is_what_prometheus_own_parser_reads():
    sink = Prometheus(about={"p99_ms": 'back\\slash, "quote"\nand line'})
    sink.log(0, {"p99_ms": 1.0})
    sink.log(1, {"p99_ms": 212.25, "loss/train": math.nan, "norm": math.inf, "low": -math.inf, "tiny": 1e-30})
    sink.alert(_alert('odd "name"\\\n'))
    held = _samples(sink.text())
    assert held["mlops_lab_p99_ms",] == 212.25
    assert math.isnan(held["mlops_lab_loss_train",])
    assert held["mlops_lab_norm",] == math.inf
    assert held["mlops_lab_low",] == -math.inf
    assert held["mlops_lab_tiny",] == 1e-30
    assert held["mlops_lab_alert_firing", ("name", 'odd "name"\\\n'), ("severity", "page")] == 1.0
    (family,) = [f for f in text_string_to_metric_families(sink.text()) if f.name == "mlops_lab_p99_ms"]
    assert family.documentation == 'back\\slash, "quote"\nand line'


def test_a_histogram_is_cumulative_and_adds_up():
    times = np.random.default_rng(0).lognormal(3, 1, 1000)
    latency, sink = Latency(), Prometheus()
    latency.update(times)
    sink.histogram("answer_ms", latency, [10, 100, 1000])
    held = _samples(sink.text())
    bars = [held["mlops_lab_answer_ms_bucket", ("le", le)] for le in ("10.0", "100.0", "1000.0", "+Inf")]
    assert bars == sorted(bars)
    assert bars[-1] == held["mlops_lab_answer_ms_count",] == 1000
    assert bars[1] == pytest.approx((times <= 100).sum(), abs=15)
    assert held["mlops_lab_answer_ms_sum",] == pytest.approx(times.sum())
    with pytest.raises(ValueError, match="rise"):
        sink.histogram("answer_ms", latency, [10, 5])


def test_the_page_is_served_on_loopback_alone():
    sink = Prometheus()
    sink.log(0, {"p99_ms": 5.0})
    host, port = sink.start().split(":")
    assert sink.start() == f"{host}:{port}"
    assert host == "127.0.0.1"
    for path, status in (("/metrics", 200), ("/metrics?x=1", 200), ("/", 404)):
        connection = HTTPConnection(host, int(port), timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == status
        if status == 200:
            assert _samples(body) == {("mlops_lab_p99_ms",): 5.0}
            assert "version=0.0.4" in answer.headers["Content-Type"]
        connection.close()
    sink.close()
    with pytest.raises(OSError, match=r".*"):
        HTTPConnection(host, int(port), timeout=2).request("GET", "/metrics")
    sink.close()


def test_alerts_end_on_the_page_too():
    sink = Prometheus()
    monitor = Monitor([RULE], [sink])
    key = ("mlops_lab_alert_firing", ("name", "slow"), ("severity", "page"))
    for step, value in enumerate([300, 300]):
        monitor.log(step, {"p99_ms": value})
    assert _samples(sink.text())[key] == 1
    for step, value in enumerate([100, 100], 2):
        monitor.log(step, {"p99_ms": value})
    assert _samples(sink.text())[key] == 0


def test_a_window_must_have_a_length():
    with pytest.raises(ValueError, match="window_s"):
        prometheus_rules([RULE], window_s=0.001)


@needs_promtool
@pytest.mark.slow
def test_promtool_accepts_the_rules(tmp_path):
    rules = [RULE, AlertRule(name="poor", metric="accuracy", below=0.8, runbook="Ask for labels: 50 % more.")]
    path = tmp_path / "rules.yml"
    path.write_text(prometheus_rules(rules), encoding="utf-8")
    ran = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 rules found" in ran.stdout


def _fires(rule, values, sinks=()):
    """Give for each window whether the rule fires; None is a window without a value."""
    monitor, fires = Monitor([rule], sinks), []
    for step, value in enumerate(values):
        monitor.log(step, {} if value is None else {"p99_ms": value})
        fires.append(bool(monitor.firing))
    return fires


def _promtool(tmp_path, rule, points, fires):
    """Let promtool evaluate the rule on points of a series, a minute each, and hold it to our windows."""
    (tmp_path / "rules.yml").write_text(prometheus_rules([rule]), encoding="utf-8")
    expected = [{"exp_labels": {"severity": "page"}, "exp_annotations": {"runbook": "Look."}}]
    checks = [
        {"eval_time": f"{step}m", "alertname": "slow", "exp_alerts": expected if firing else []}
        for step, firing in enumerate(fires)
        if firing is not None
    ]
    series = {"series": "mlops_lab_p99_ms", "values": " ".join(points)}
    test = {"interval": "1m", "input_series": [series], "alert_rule_test": checks}
    path = tmp_path / "test.yml"
    path.write_text(
        json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]}),
        encoding="utf-8",
    )
    ran = subprocess.run(
        ["promtool", "test", "rules", path], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    return ran.returncode, ran.stdout + ran.stderr


def _written(value):
    return "stale" if value is None else "NaN" if value != value else f"{value:g}"


@needs_promtool
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("k", "n"), [(1, 1), (2, 3), (4, 5)])
def test_prometheus_fires_in_the_very_windows_in_which_the_monitor_fires(tmp_path, seed, k, n):
    rng = np.random.default_rng([seed, k])
    values = rng.choice([150.0, 250.0, math.nan], 30, p=[0.55, 0.35, 0.1]).tolist()
    rule = AlertRule(name="slow", metric="p99_ms", above=200.0, k=k, n=n, severity="page", runbook="Look.")
    fires = _fires(rule, values)
    assert 0 < sum(fires) < 30
    assert _promtool(tmp_path, rule, map(_written, values), fires) == (0, ANY)


class Page(Prometheus):
    """A page that notes what each visit, one a window, would find of p99_ms; None once it is gone."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.found = []

    def visit(self):
        self.found.append(_samples(self.text()).get(("mlops_lab_p99_ms",)))


@needs_promtool
@pytest.mark.slow
@pytest.mark.parametrize("missing", ["good", "hold"])
@pytest.mark.parametrize(("k", "n"), [(1, 2), (3, 5)])
def test_where_windows_have_no_value_prometheus_fires_as_the_monitor_does(tmp_path, missing, k, n):
    rng = np.random.default_rng(k)
    values = [None, 250.0, *[None] * 6, *rng.choice([150.0, 250.0, math.nan, None], 30).tolist()]
    rule = AlertRule(
        name="slow", metric="p99_ms", above=200.0, k=k, n=n, severity="page", missing=missing, runbook="Look."
    )
    page = Page()
    monitor, fires = Monitor([rule], [page]), []
    for step, value in enumerate(values):
        monitor.log(step, {"p99_ms": value, "other": 1.0})
        page.visit()
        fires.append(bool(monitor.firing))
    assert fires[7] is (missing == "hold")  # one bad window, then nothing
    assert _promtool(tmp_path, rule, map(_written, page.found), fires) == (0, ANY)
    turned = [not fires[7] if step == 7 else firing for step, firing in enumerate(fires)]
    assert _promtool(tmp_path, rule, map(_written, page.found), turned)[0] != 0


@needs_promtool
@pytest.mark.slow
def test_a_series_that_ends_without_a_mark_counts_for_five_minutes_and_with_one_no_longer(tmp_path):
    rule = AlertRule(name="slow", metric="p99_ms", above=200.0, k=2, n=3, severity="page", runbook="Look.")
    points = ["250", "250", *["_"] * 10]
    marked = ["250", "250", "stale", *["_"] * 9]
    assert _promtool(tmp_path, rule, marked, [False, True, True, *[False] * 9]) == (0, ANY)
    # the value of minute 1 counts until minute 5, or 6 below version 3: it fires until 6 or 7
    assert _promtool(tmp_path, rule, points, [False, *[True] * 6, None, *[False] * 4]) == (0, ANY)


def test_a_page_keeps_a_value_until_it_is_told_or_too_old():
    page = Page()
    page.log(0, {"p99_ms": 250.0})
    page.log(1, {"loss": 1.0, "p99_ms": None})
    page.visit()
    page.no_value(2, ["p99_ms", "never_seen"])
    page.visit()
    page.log(3, {"p99_ms": 150.0})
    page.visit()
    assert page.found == [250.0, None, 150.0]
    now = [0.0]
    page = Page(most_age_s=90.0, clock=lambda: now[0])
    page.log(0, {"p99_ms": 250.0})
    for now[0] in (60.0, 90.0, 91.0):
        page.visit()
    page.log(1, {"p99_ms": 250.0})
    page.visit()
    assert page.found == [250.0, 250.0, None, 250.0]
    with pytest.raises(ValueError, match="most_age_s=0"):
        Prometheus(most_age_s=0)


def test_a_fault_is_seen_though_two_names_become_one():
    for values in ({"loss/a": math.nan, "loss_a": 0.5}, {"loss_a": 0.5, "loss/a": math.nan}):
        sink = Prometheus()
        sink.log(0, values)
        assert math.isnan(_samples(sink.text())["mlops_lab_loss_a",])


def test_rules_that_no_page_can_serve_together_are_refused():
    rules = [RULE, replace(RULE, name="other", missing="hold")]
    with pytest.raises(ValueError, match="missing=good and hold"):
        prometheus_rules(rules)
    assert '"other"' in prometheus_rules([RULE, replace(rules[1], metric="loss")])
    with pytest.raises(ValueError, match="missing='never'"):
        replace(RULE, missing="never")


def _firing_windows(server, name, start_s):
    """Give the windows at whose end the server's own evaluations fired."""
    found = server.query(f'ALERTS{{alertname="{name}",alertstate="firing"}}[60s]')
    return sorted({math.floor(float(at) - start_s) - 1 for series in found for at, _ in series["values"]})


@needs_prometheus
@pytest.mark.slow
def test_a_real_prometheus_fires_and_ends_in_the_windows_of_the_monitor(tmp_path):
    """One second is a window. One bad value and then none, held and not; a jam; then the page dies."""
    about = {"above": 200.0, "k": 2, "n": 3, "severity": "page", "runbook": "Look."}
    rules = [
        AlertRule(name="holds", metric="held_ms", missing="hold", **about),
        AlertRule(name="drops", metric="dropped_ms", **about),
        AlertRule(name="jam", metric="jam_ms", **about),
    ]
    frozen, jam = [150.0, 250.0, None, None, None], [250.0, 250.0, 150.0, 150.0, 250.0]
    death, windows = len(frozen), len(frozen) + 2
    page = Prometheus()
    monitor, fires = Monitor(rules, [page]), []
    with PrometheusServer(tmp_path, page.start(), prometheus_rules(rules, window_s=1), every_s=0.1) as server:
        while not server.query("up == 1"):  # it begins to visit some seconds after its start
            time.sleep(0.1)
        start_s = math.ceil(time.time())
        for window in range(windows):
            time.sleep(max(0.0, start_s + window + 0.2 - time.time()))
            assert time.time() < start_s + window + 0.7, "too busy here to tell one window from another"
            if window < death:
                monitor.log(
                    window, {"held_ms": frozen[window], "dropped_ms": frozen[window], "jam_ms": jam[window]}
                )
                fires.append(monitor.firing)
            if window == death:
                page.close()
        time.sleep(max(0.0, start_s + windows + 1 - time.time()))
        found = {rule.name: _firing_windows(server, rule.name, start_s) for rule in rules}
    # with the page all its series are stale, also what it held: what was bad leaves the last 3 windows
    shown = {"holds": [150.0, *[250.0] * 4], "drops": frozen, "jam": jam}
    for rule in rules:
        expected = _fires(replace(rule, metric="p99_ms", missing="good"), [*shown[rule.name], None, None])
        assert found[rule.name] == [window for window, firing in enumerate(expected) if firing], rule.name
        assert [rule.name in names for names in fires] == expected[:death], rule.name
    assert found == {"holds": [2, 3, 4, 5], "drops": [], "jam": [1, 2]}


@needs_prometheus
@pytest.mark.slow
def test_a_real_prometheus_visits_fires_and_is_read_back(tmp_path):
    sink = Prometheus()
    sink.log(0, {"p99_ms": 250.5})
    try:
        with PrometheusServer(tmp_path, sink.start(), prometheus_rules([RULE], window_s=1.0)) as server:
            alert = server.wait_for("slow", seconds=60)
            assert alert is not None
            assert alert["labels"].items() >= {"alertname": "slow", "severity": "page"}.items()
            assert alert["annotations"] == {"runbook": 'Halve the "batch" size.'}
            (found,) = server.query("mlops_lab_p99_ms")
            assert float(found["value"][1]) == 250.5
            assert server.wait_for("no_such_alert", seconds=0.5) is None
    finally:
        sink.close()
    assert server._process is None


@needs_prometheus
@pytest.mark.slow
def test_a_broken_rules_file_is_told(tmp_path):
    with (
        pytest.raises(RuntimeError, match="prometheus stopped at its start"),
        PrometheusServer(tmp_path, "127.0.0.1:1", '{"groups": [{"name": "a", "rules": [{"expr": "("}]}]}'),
    ):
        pass


def test_without_the_program_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("mlops_lab.monitoring.alerting.prometheus.shutil.which", lambda name: None)
    with (
        pytest.raises(FileNotFoundError, match="the package prometheus"),
        PrometheusServer(tmp_path, "127.0.0.1:1", prometheus_rules([])),
    ):
        pass
