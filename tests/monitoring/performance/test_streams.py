"""CUSUM and confidence sequence: held against every possible sequence, and against sums over counts."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import monitoring
from mlops_lab.monitoring.performance.confidence_sequence import _PRIOR, _log_mixture, _log_wealth
from mlops_lab.monitoring.performance.cusum import Cusum, alarm_probability

# --- CUSUM -------------------------------------------------------------------------------------------------


def _by_hand(wrong, up, down, limit):
    level = 0
    for step, bad in enumerate(wrong):
        level = max(0, level + (up if bad else -down))
        if level >= limit:
            return step
    return None


@pytest.mark.parametrize(("up", "down", "limit"), [(3, 1, 5), (2, 3, 4), (1, 1, 3), (5, 2, 4), (3, 1, 1)])
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.7, 1.0])
def test_the_chance_of_an_alarm_is_the_sum_over_every_sequence(up, down, limit, rate):
    steps = 10
    total = np.zeros(steps)
    for wrong in itertools.product((0, 1), repeat=steps):
        at = _by_hand(wrong, up, down, limit)
        if at is not None:
            total[at:] += rate ** sum(wrong) * (1 - rate) ** (steps - sum(wrong))
    assert alarm_probability(rate, up, down, limit, steps) == pytest.approx(total, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), max_size=80), st.sampled_from([(0.1, 0.2), (0.3, 0.6), (0.5, 0.8)]))
def test_the_chart_is_the_plain_loop(wrong, rates):
    chart = monitoring.Cusum.for_errors(*rates, horizon=60, false_alarm=0.2)
    assert chart.first_alarm(wrong) == _by_hand(wrong, chart.up, chart.down, chart.limit)
    level = 0
    for bad, height in zip(wrong, chart.path(wrong), strict=True):
        level = max(0, level + (chart.up if bad else -chart.down))
        assert level == height


def _chances(chart, rate):
    return alarm_probability(rate, chart.up, chart.down, chart.limit, chart.horizon)


@pytest.mark.parametrize(
    ("promised", "feared"), [(0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.5, 0.6), (0.15, 0.2)]
)
def test_the_limit_is_the_lowest_that_keeps_the_wanted_chance(promised, feared):
    chart = monitoring.Cusum.for_errors(promised, feared, horizon=600, false_alarm=0.05)
    assert chart.false_alarm == _chances(chart, promised)[-1] <= 0.05
    assert alarm_probability(promised, chart.up, chart.down, chart.limit - 1, 600)[-1] > 0.05


def test_simulated_alarms_are_as_frequent_and_as_soon_as_computed():
    chart = monitoring.Cusum.for_errors(0.1, 0.2, horizon=1000, false_alarm=0.2)
    rng = np.random.default_rng(0)
    alarms = sum(chart.first_alarm(rng.random(1000) < 0.1) is not None for _ in range(600))
    assert abs(alarms / 600 - chart.false_alarm) < 4 * math.sqrt(0.2 * 0.8 / 600)
    delays = [chart.first_alarm(rng.random(1000) < 0.2) for _ in range(301)]
    half_in = np.flatnonzero(_chances(chart, 0.2) >= 0.5)[0] + 1
    assert abs(np.median([999 if at is None else at + 1 for at in delays]) - half_in) < 12


def test_a_doubled_rate_is_found_within_300_steps():
    chart = monitoring.Cusum.for_errors(0.1, 0.2)
    assert chart.horizon == 10_000 and chart.false_alarm <= 0.05
    assert alarm_probability(0.2, chart.up, chart.down, chart.limit, 300)[-1] >= 0.5


def _over_all_holdouts(make, true=0.1, rows=200):
    """Give each hold-out's chance, and the chance of a false alarm that its chart then has: no sampling."""
    wrong = np.arange(rows + 1)
    weights = stats.binom.pmf(wrong, rows, true)
    likely = weights > 1e-4
    chances = [float(_chances(make(int(each), rows), true)[-1]) for each in wrong[likely]]
    return weights[likely], np.array(chances)


def test_a_chart_from_a_hold_out_keeps_its_promise_over_hold_outs():
    about = {"horizon": 200, "false_alarm": 0.05}
    weights, safe = _over_all_holdouts(lambda wrong, rows: Cusum.from_holdout(wrong, rows, **about))
    assert weights[safe > 0.05].sum() <= 0.05  # 95 % of all hold-outs give a chart that keeps to 5 %
    assert weights @ safe <= 0.05
    assert weights[safe > 0.05].sum() > 0  # and it is no wider than it need be
    weights, plain = _over_all_holdouts(lambda wrong, n: Cusum.for_errors(wrong / n, 2 * wrong / n, **about))
    assert weights[plain > 0.05].sum() > 0.3
    assert weights @ plain > 0.07


def test_a_chart_says_what_was_taken_and_what_that_promises():
    safe = Cusum.from_holdout(91, 650, horizon=200)
    high = monitoring.exact_interval(91, 650, 0.9)[1]
    assert safe.promised == high
    assert Cusum.for_errors((0.11, high), 2 * high, horizon=200).limit == safe.limit
    assert Cusum.for_errors(np.array([0.11, high]), 2 * high, horizon=200).promised == high
    assert f"{100 * high:.2f} % are wrong" in str(safe) and "91 wrong of 650" in str(safe)
    assert "95 % of all hold-outs" in " ".join(str(safe).split())
    assert "taken for certain" in str(Cusum.for_errors(np.float32(0.25), 0.5, horizon=50))
    assert "Made by hand" in str(Cusum(3, 1, 9, 100, 0.05))
    report = safe.report([1] * 60)
    assert report.ok is False
    assert "91 wrong of 650" in report.findings[0].explanation
    assert safe.report([0] * 60).ok is True
    assert safe.report([]).ok is None


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Cusum.from_holdout(5, 4), "at most as many as rows"),
        (lambda: Cusum.from_holdout(-1, 4), "at most as many as rows"),
        (lambda: Cusum.from_holdout(0.1, 100), "whole numbers"),
        (lambda: Cusum.from_holdout(4, 8), "larger hold-out"),
        (lambda: Cusum.from_holdout(4, 80, times=1.0), "more than is promised"),
        (lambda: Cusum.from_holdout(4, 80, confidence=0.4), "between 0.5 and 1"),
        (lambda: Cusum.for_errors((0.2, 0.1), 0.3), "its interval"),
        (lambda: Cusum.for_errors((0.1, 0.2, 0.3), 0.4), "its interval"),
        (lambda: Cusum.for_errors((0.1, 0.2), 0.15), "must lie above"),
        (lambda: monitoring.Cusum.for_errors(0.2, 0.1), "must lie above"),
        (lambda: monitoring.Cusum.for_errors(0.0, 0.1), "between 0 and 1"),
        (lambda: monitoring.Cusum.for_errors(0.5, 0.501), "too near"),
        (lambda: monitoring.Cusum.for_errors(0.1, 0.2, horizon=0), "at least one step"),
        (lambda: monitoring.Cusum.for_errors(0.1, 0.2, horizon=9).path([0, math.nan]), "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# --- confidence sequence -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_chance_of_ever_missing_is_at_most_as_promised(rate, confidence):
    """Sum over all counts step by step: what is left after 600 steps has never missed. No sampling."""
    steps = 600
    alive, missed = np.array([1.0]), 0.0
    for step in range(1, steps + 1):
        moved = np.zeros(step + 1)
        moved[:-1] += (1 - rate) * alive
        moved[1:] += rate * alive
        out = _won(rate, np.arange(step + 1), step) >= -math.log(1 - confidence)
        missed += moved[out].sum()
        moved[out] = 0
        alive = moved
    assert missed <= 1 - confidence and missed > (1 - confidence) / 20


def _won(rate, total, steps):
    return _log_wealth(rate, total, steps, _log_mixture(total, steps, _PRIOR))


def test_the_ends_are_where_the_money_is_twenty():
    rng = np.random.default_rng(0)
    values = rng.random(300) < 0.2
    frame = monitoring.confidence_sequence(values).frame
    for step in (3, 20, 299):
        total = values[: step + 1].sum()
        for end in ("low", "high"):
            at = frame.loc[step, end]
            if 0 < at < 1:
                assert _won(at, total, step + 1) == pytest.approx(math.log(20), abs=1e-6)
        assert frame.loc[step, "low"] <= frame.loc[step, "value"] <= frame.loc[step, "high"]


def test_money_against_a_rate_is_fair_at_that_rate():
    """Summed over every sequence of 12 outcomes, what the bet is expected to hold is its stake."""
    held = sum(
        math.comb(12, count) * 0.3**count * 0.7 ** (12 - count) * math.exp(money)
        for count in range(13)
        for money in [_won(0.3, count, 12)]
    )
    assert held == pytest.approx(1)


def test_values_between_0_and_1_are_covered_too():
    missed = 0
    for seed in range(100):
        values = np.random.default_rng(seed).beta(1.0, 3.0, 400)
        missed += monitoring.confidence_sequence(values).first_excluding(0.25) is not None
    assert missed / 100 <= 0.05


def test_looking_every_day_breaks_the_plain_interval_and_not_this_one():
    plain = ours = 0
    for seed in range(100):
        wrong = np.random.default_rng(seed).random(600) < 0.15
        steps = np.arange(1, 601)
        mean = wrong.cumsum() / steps
        half = 1.96 * np.sqrt(np.maximum(mean * (1 - mean), 1e-9) / steps)
        plain += (abs(mean - 0.15) > half)[50:].any()
        ours += monitoring.confidence_sequence(wrong).first_excluding(0.15) is not None
    assert plain / 100 > 0.25 and ours / 100 <= 0.05


def test_extremes_and_bad_values():
    frame = monitoring.confidence_sequence([0] * 100).frame
    assert (
        (frame["low"] == 0).all() and frame["high"].is_monotonic_decreasing and frame["high"].iloc[-1] < 0.1
    )
    frame = monitoring.confidence_sequence([1] * 100).frame
    assert (frame["high"] == 1).all() and frame["low"].iloc[-1] > 0.9
    assert monitoring.confidence_sequence([0.5]).plot(promised=0.2).get_xlabel() == "step"
    for bad in ([], [1.5], [math.nan], [[0, 1]]):
        with pytest.raises(ValueError, match="from 0 to 1"):
            monitoring.confidence_sequence(bad)
    with pytest.raises(ValueError, match="above 0"):
        monitoring.confidence_sequence([1], prior=(0, 1))
