"""CloudWatch: what is sent is what a simulated CloudWatch gives back; nothing is sent without being asked."""

import json
import math
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mlops_lab.monitoring import Alarm, AlertRule, CloudWatch, Monitor, emf_line

START = 1_700_000_040.0  # a whole minute


class Recorder:
    def __init__(self, fail=False):
        self.calls, self.fail = [], fail

    def put_metric_data(self, **asked):
        if self.fail:
            raise ConnectionError("no route to the region")
        self.calls.append(asked)


def test_a_line_has_the_documented_form():
    line = emf_line(
        {"p99_ms": 212.5, "rows": 3},
        namespace="Orchard",
        at_s=1.5,
        dimensions={"model": "7"},
        units={"p99_ms": "Milliseconds"},
    )
    assert "\n" not in line
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Orchard",
                    "Dimensions": [["model"]],
                    "Metrics": [
                        {"Name": "p99_ms", "Unit": "Milliseconds"},
                        {"Name": "rows", "Unit": "None"},
                    ],
                }
            ],
        },
        "model": "7",
        "p99_ms": 212.5,
        "rows": 3.0,
    }


def test_what_is_not_finite_becomes_a_metric_that_says_so():
    held = json.loads(emf_line({"loss": math.nan, "norm": math.inf, "ok": 1.0}, namespace="N", at_s=0))
    assert (held["loss_not_finite"], held["norm_not_finite"], held["ok"]) == (1.0, 1.0, 1.0)
    assert "loss" not in held


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"loss": math.nan, "loss_not_finite": 0.0}, {"loss_not_finite": 1.0}),
        ({"loss_not_finite": 0.0, "loss": math.inf}, {"loss_not_finite": 1.0}),
        ({"loss": -math.inf, "loss_not_finite": -3}, {"loss_not_finite": 1.0}),
        ({"loss": math.nan, "loss_not_finite": 4}, {"loss_not_finite": 4.0}),
        ({"loss": 0.5, "loss_not_finite": 0.0}, {"loss": 0.5, "loss_not_finite": 0.0}),
        (
            {"loss": math.nan, "loss_not_finite": math.nan, "loss_not_finite_not_finite": 0},
            {"loss_not_finite": 1.0, "loss_not_finite_not_finite": 1.0},
        ),
        ({"loss": np.float16(np.inf), "norm": np.float16(0.5)}, {"loss_not_finite": 1.0, "norm": 0.5}),
        ({"loss": np.array([np.nan], np.float32), "n": np.int64(3)}, {"loss_not_finite": 1.0, "n": 3.0}),
        ({"loss": Decimal("NaN"), "usd": Decimal("1.5")}, {"loss_not_finite": 1.0, "usd": 1.5}),
        ({"loss": Decimal("sNaN"), "big": Decimal("1e999")}, {"loss_not_finite": 1.0, "big_not_finite": 1.0}),
        (
            {"big": 10**400, "none": None, "na": pd.NA},
            {"big_not_finite": 1.0, "none_not_finite": 1.0, "na_not_finite": 1.0},
        ),
        ({"up": True, "down": np.bool_(False)}, {"up": 1.0, "down": 0.0}),
        (
            {"loss": {"train": math.nan, "test": 0.5}, "loss.train_not_finite": 0},
            {"loss.test": 0.5, "loss.train_not_finite": 1.0},
        ),
    ],
)
def test_a_fault_is_seen_whatever_stands_beside_it(values, seen):
    held = json.loads(emf_line(values, namespace="N", at_s=0))
    assert held.pop("_aws")["CloudWatchMetrics"][0]["Metrics"] == [
        {"Name": name, "Unit": "None"} for name in held
    ]
    assert held == seen
    sink = CloudWatch("N", clock=lambda: 0.0)
    sink.log(0, values)
    assert {one["MetricName"]: one["Value"] for one in sink.waiting} == seen


@pytest.mark.parametrize(
    ("values", "dimensions", "told"),
    [
        ({"_aws": 1.0}, {}, "its own data"),
        ({"a": 1.0}, {"_aws": "x"}, "its own data"),
        ({"loss": 1.0}, {"loss_not_finite": "x"}, "both a metric and a dimension"),
        ({"loss": [1.0, math.nan]}, {}, "2 values: a metric is one number"),
        ({"loss": "none"}, {}, "a metric is a number"),
        ({"loss": object()}, {}, "a metric is a number"),
        ({"a": {"b": 1}, "a.b": 2}, {}, "stands twice"),
        ({}, {}, "0 values"),
        ({f"m{n}": 1.0 for n in range(101)}, {}, "101 values"),
        ({"a": 1.0}, {f"d{n}": "x" for n in range(31)}, "31 dimensions"),
        ({"a": 1.0}, {"a": "x"}, "both a metric and a dimension"),
    ],
)
def test_a_line_that_cloudwatch_would_not_take_is_refused(values, dimensions, told):
    with pytest.raises(ValueError, match=told):
        emf_line(values, namespace="N", at_s=0, dimensions=dimensions)


def test_nothing_is_sent_without_being_asked():
    client = Recorder()
    sink = CloudWatch("Orchard", client=client)
    for step in range(5):
        sink.log(step, {"p99_ms": 1.0})
    sink.close()
    assert client.calls == []
    assert sink.send() == 5
    assert sink.waiting == []
    assert sink.send() == 0
    assert len(client.calls) == 1


def test_large_heaps_go_in_parts_and_what_fails_stays():
    client = Recorder()
    sink = CloudWatch("Orchard", client=client)
    for step in range(2500):
        sink.log(step, {"p99_ms": float(step)})
    client.fail = True
    with pytest.raises(ConnectionError):
        sink.send()
    assert len(sink.waiting) == 2500
    client.fail = False
    assert sink.send() == 2500
    assert [len(call["MetricData"]) for call in client.calls] == [1000, 1000, 500]


def test_a_network_that_is_away_for_long_does_not_eat_the_memory():
    sink = CloudWatch("Orchard", client=Recorder())
    for step in range(10_050):
        sink.log(step, {"p99_ms": float(step)})
    assert (len(sink.waiting), sink.dropped) == (10_000, 50)
    assert sink.waiting[0]["Value"] == 50.0


def test_a_cloudwatch_that_fails_does_not_take_the_monitor_down():
    rule = AlertRule(name="slow", metric="p99_ms", above=200.0, runbook="Look.")
    monitor = Monitor([rule], [CloudWatch("Orchard", client=Recorder(fail=True), send_each=True)])
    with pytest.warns(RuntimeWarning, match="no route") as said:
        for step in range(4):
            monitor.log(step, {"p99_ms": 300.0})
    assert len(said) == 1
    assert len(monitor.alerts) == 1


def test_without_boto3_the_way_out_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    sink = CloudWatch("Orchard")
    sink.log(0, {"p99_ms": 1.0})
    with pytest.raises(ImportError, match="extra 'cloud'"):
        sink.send()
    assert len(sink.waiting) == 1


@pytest.fixture
def simulated(monkeypatch):
    boto3, moto = pytest.importorskip("boto3"), pytest.importorskip("moto")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with moto.mock_aws():
        yield boto3.client("cloudwatch")


@pytest.mark.slow
def test_values_and_alarms_come_back_from_a_simulated_cloudwatch(simulated):
    now = [START]
    sink = CloudWatch(  # without a client: boto3's own chain finds the credentials
        "Orchard", dimensions={"model": "7"}, units={"p99_ms": "Milliseconds"}, clock=lambda: now[0]
    )
    for minute in range(5):
        now[0] = START + 60 * minute
        sink.log(minute, {"p99_ms": 100.0 * minute, "loss": math.nan if minute == 3 else 0.5})
    assert simulated.list_metrics()["Metrics"] == []
    assert sink.send() == 10
    answer = simulated.get_metric_statistics(
        Namespace="Orchard",
        MetricName="p99_ms",
        Dimensions=[{"Name": "model", "Value": "7"}],
        StartTime=datetime.fromtimestamp(START, UTC) - timedelta(minutes=1),
        EndTime=datetime.fromtimestamp(START, UTC) + timedelta(minutes=10),
        Period=60,
        Statistics=["Maximum"],
    )
    assert sorted(point["Maximum"] for point in answer["Datapoints"]) == [0, 100, 200, 300, 400]
    assert {point["Unit"] for point in answer["Datapoints"]} == {"Milliseconds"}
    names = {metric["MetricName"] for metric in simulated.list_metrics()["Metrics"]}
    assert names == {"p99_ms", "loss", "loss_not_finite"}
    for alarm in (
        Alarm("slow", "p99_ms", 200.0, evaluation_periods=3, datapoints_to_alarm=2, missing="breaching"),
        Alarm("late", "p99_ms", 200.0, statistic="p99", period_s=300),
    ):
        asked = alarm.definition("Orchard")
        simulated.put_metric_alarm(**asked)
        (held,) = simulated.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"]
        assert {key: held[key] for key in asked} == asked
