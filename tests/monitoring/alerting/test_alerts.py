"""Alerts fire by their rules and once; alarms follow the tables of CloudWatch's user guide."""

import io
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_lab.monitoring import Alarm, AlertRule, Console, Monitor
from mlops_lab.monitoring.alerting.alerts import alarm_state
from mlops_lab.report import MemorySink, Sink


def _rule(**changed):
    given = {"name": "slow", "metric": "p99_ms", "above": 200.0, "k": 2, "n": 3, "severity": "page"}
    return AlertRule(**{**given, "runbook": "Halve the batch size.", **changed})


def _run(monitor, values):
    for step, value in enumerate(values):
        monitor.log(step, {} if value is None else {"p99_ms": value})
    return [(alert.step, alert.state) for alert in monitor.alerts]


@given(st.lists(st.sampled_from([100.0, 300.0, None]), max_size=30), st.integers(1, 5), st.integers(1, 5))
def test_k_of_n_windows_by_counting(values, k, n):
    k, n = sorted((k, n))
    monitor, fired = Monitor([_rule(k=k, n=n)]), []
    for step, value in enumerate(values):
        monitor.log(step, {} if value is None else {"p99_ms": value})
        fired.append(bool(monitor.firing))
    counted = [sum(v == 300.0 for v in values[max(0, i - n + 1) : i + 1]) >= k for i in range(len(values))]
    assert fired == counted
    changes = sum(a != b for a, b in itertools.pairwise([False, *counted]))
    assert len(monitor.alerts) == changes  # one message for each beginning and each end, no more


def test_one_bad_window_wakes_nobody_and_a_fault_is_told_once():
    assert _run(Monitor([_rule()]), [100, 300, 100, 100, 300, 100]) == []
    assert _run(Monitor([_rule()]), [100] + [300] * 50) == [(2, "firing")]
    assert _run(Monitor([_rule()]), [300, 300, 100, 100]) == [(1, "firing"), (3, "resolved")]


def test_the_limit_itself_is_good_and_not_a_number_is_bad():
    assert not _rule().bad(200.0)
    assert _rule().bad(math.nextafter(200.0, 300))
    assert _rule().bad(math.nan)
    below = _rule(above=None, below=0.8)
    assert (below.bad(0.79), below.bad(0.8), below.bad(math.nan), below.bad(None)) == (
        True,
        False,
        True,
        False,
    )


def test_an_alert_says_what_to_do_and_when_by_the_clock_it_was_given():
    stream = io.StringIO()
    monitor = Monitor([_rule()], [Console(stream)], clock=lambda: 1234.5)
    _run(monitor, [300, 300])
    assert stream.getvalue() == "page: slow is firing (p99_ms = 300, window 1). Halve the batch size.\n"
    assert monitor.alerts[0].at_s == 1234.5
    assert monitor.frame()["runbook"].tolist() == ["Halve the batch size."]
    assert monitor.frame().shape == (1, 8)
    assert Monitor([]).frame().empty


def test_a_monitor_is_a_sink_and_passes_values_on():
    memory = MemorySink()
    monitor = Monitor([_rule()], [memory])
    assert isinstance(monitor, Sink)
    _run(monitor, [100, 120])
    monitor.close()
    assert memory.frame()["p99_ms"].tolist() == [100, 120]
    assert memory.closed


def test_a_sink_that_fails_never_takes_the_monitor_down_and_is_reported_once():
    class Broken:
        def log(self, step, values):
            raise OSError("no network")

        def alert(self, alert):
            raise RuntimeError("still none")

        def close(self):
            raise ValueError("and again")

    stream = io.StringIO()
    monitor = Monitor([_rule()], [Broken(), Console(stream)])
    with pytest.warns(RuntimeWarning, match="no network") as said:
        fired = _run(monitor, [300] * 5)
        monitor.close()
    assert len(said) == 1
    assert fired == [(1, "firing")]
    assert monitor.failures == [7, 0]  # five values, one alert, one close
    assert "slow is firing" in stream.getvalue()


def test_a_sink_cannot_change_what_the_next_one_gets():
    class Greedy:
        def log(self, step, values):
            values.clear()

    memory = MemorySink()
    monitor = Monitor([_rule()], [Greedy(), memory])
    assert _run(monitor, [300, 300]) == [(1, "firing")]
    assert memory.frame()["p99_ms"].tolist() == [300, 300]


def test_a_keyboard_interrupt_passes():
    class Stopped:
        def log(self, step, values):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Monitor([], [Stopped()]).log(0, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "two words"},
        {"metric": "p99-ms"},
        {"runbook": " "},
        {"runbook": "two\nlines"},
        {"above": None},
        {"below": 1.0},
        {"above": math.nan},
        {"k": 4},
        {"k": 0},
        {"severity": "red"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "above" not in wrong else "limit"):
        _rule(**wrong)


def test_a_monitor_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="one name"):
        Monitor([_rule(), _rule(metric="loss")])
    with pytest.raises(TypeError, match="neither"):
        Monitor([], [object()])


# --- alarms: the two tables of "Configuring how CloudWatch alarms treat missing data" -----------------------

TABLES = {
    3: """
    0 - X - X | OK                OK     OK    OK
    0 - - - - | OK                OK     OK    OK
    - - - - - | INSUFFICIENT_DATA retain ALARM OK
    0 X X - X | ALARM             ALARM  ALARM ALARM
    - - X - - | ALARM             retain ALARM OK
    """,
    2: """
    0 - X - X | ALARM             ALARM  ALARM ALARM
    0 0 X 0 X | ALARM             ALARM  ALARM ALARM
    0 - X - - | OK                OK     ALARM OK
    - - - - 0 | OK                OK     ALARM OK
    - - - X - | ALARM             retain ALARM OK
    """,
}
ROWS = [
    (m, *(part.split() for part in line.split("|")))
    for m, table in TABLES.items()
    for line in table.strip().splitlines()
]
POINT = {"0": False, "X": True, "-": None}


@pytest.mark.parametrize("current", ["OK", "ALARM", "INSUFFICIENT_DATA"])
@pytest.mark.parametrize(("m", "points", "states"), ROWS)
def test_the_documented_tables(m, points, states, current):
    for missing, state in zip(("missing", "ignore", "breaching", "notBreaching"), states, strict=True):
        got = alarm_state(
            [POINT[point] for point in points],
            k=m,
            n=3,
            missing=missing,
            current=current,
        )
        assert got == (current if state == "retain" else state), missing


def test_no_premature_alarm_from_one_young_point():
    for points in ("----X", "---X-"):
        for missing in ("missing", "ignore"):
            got = alarm_state(
                [POINT[p] for p in points],
                k=3,
                n=3,
                missing=missing,
                current="OK",
            )
            assert got == "OK"


@given(st.lists(st.booleans(), min_size=5, max_size=5), st.integers(1, 4), st.integers(1, 4))
def test_without_gaps_the_latest_n_decide(points, m, n):
    m, n = sorted((m, n))
    got = alarm_state(points, k=m, n=n)
    assert got == ("ALARM" if sum(points[-n:]) >= m else "OK")


def _alarm(**changed):
    return Alarm("slow", "p99_ms", 200.0, **{"evaluation_periods": 3, "datapoints_to_alarm": 2, **changed})


@given(st.lists(st.sampled_from([100.0, 300.0]), max_size=20), st.integers(1, 4), st.integers(1, 4))
def test_where_no_value_is_missing_a_rule_and_an_alarm_say_the_same(values, k, n):
    k, n = sorted((k, n))
    monitor = Monitor([_rule(k=k, n=n)])
    alarm = _alarm(evaluation_periods=n, datapoints_to_alarm=k, missing="notBreaching")
    for minute, value in enumerate(values):
        monitor.log(minute, {"p99_ms": value})
        alarm.add(value, at_s=60 * minute)
        assert (alarm.evaluate(60 * (minute + 1)) == "ALARM") == bool(monitor.firing)


def test_an_alarm_goes_there_and_back_on_the_clock_it_is_given():
    alarm = _alarm()
    for minute, value in enumerate([100, 100, 100, 300, 300, 100, 100, 100]):
        alarm.add(value, at_s=60 * minute + 30)
        alarm.evaluate(60 * (minute + 1))
    assert [(when, new) for when, _, new in alarm.history] == [(60, "OK"), (300, "ALARM"), (420, "OK")]


def test_a_period_counts_only_when_it_is_over_and_late_values_still_count():
    alarm = _alarm(evaluation_periods=1, datapoints_to_alarm=1)
    alarm.add(300.0, at_s=61.0)
    assert alarm.evaluate(119.9) == "INSUFFICIENT_DATA"
    assert alarm.evaluate(120.0) == "ALARM"
    alarm.add(100.0, at_s=125.0)
    assert alarm.evaluate(180.0) == "OK"
    alarm.add(900.0, at_s=179.0)
    assert alarm.evaluate(181.0) == "ALARM"


@pytest.mark.parametrize(
    ("statistic", "figure"),
    [("Average", 2.5), ("Sum", 10), ("Minimum", 1), ("Maximum", 4), ("SampleCount", 4), ("p50", 2.5)],
)
def test_statistics_of_a_period(statistic, figure):
    for threshold, state in ((figure - 0.01, "ALARM"), (figure + 0.01, "OK")):
        alarm = Alarm("a", "m", threshold, statistic=statistic)
        for number, value in enumerate([1, 2, 3, 4]):
            alarm.add(value, at_s=number)
        assert alarm.evaluate(60) == state


@pytest.mark.parametrize(
    ("comparison", "at", "over", "under"),
    [
        ("GreaterThanThreshold", "OK", "ALARM", "OK"),
        ("GreaterThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
        ("LessThanThreshold", "OK", "OK", "ALARM"),
        ("LessThanOrEqualToThreshold", "ALARM", "OK", "ALARM"),
    ],
)
def test_comparisons(comparison, at, over, under):
    for value, state in ((5.0, at), (6.0, over), (4.0, under)):
        alarm = Alarm("a", "m", 5.0, comparison=comparison)
        alarm.add(value, at_s=0)
        assert alarm.evaluate(60) == state


def test_old_values_are_forgotten():
    alarm = _alarm()
    for minute in range(1000):
        alarm.add(1.0, at_s=60.0 * minute)
        alarm.evaluate(60.0 * (minute + 1))
    assert len(alarm._values) <= 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"datapoints_to_alarm": 4},
        {"comparison": "Bigger"},
        {"missing": "nothing"},
        {"statistic": "Median"},
        {"statistic": "p100"},
        {"statistic": "pX"},
        {"period_s": 0},
        {"threshold": math.inf},
    ],
)
def test_an_alarm_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"=|of"):
        Alarm(**{"name": "a", "metric": "m", "threshold": 1.0, "evaluation_periods": 3, **wrong})
    with pytest.raises(ValueError, match="finite"):
        _alarm().add(math.nan, 0.0)
