"""Latency against exact order statistics, numpy's quantiles and known coverage."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab.monitoring.health.latency import Latency, quantile_ranks

TIMES = st.lists(st.floats(1e-5, 1e7), min_size=1, max_size=200)
QUANTILES = st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999])


def _of(times, accuracy=0.01):
    latency = Latency(accuracy)
    latency.update(times)
    return latency


@settings(deadline=None, max_examples=80)
@given(TIMES, QUANTILES)
def test_a_quantile_is_the_exact_order_statistic_within_the_accuracy(times, quantile):
    exact = np.quantile(times, quantile, method="inverted_cdf")
    assert _of(times).quantile(quantile) == pytest.approx(exact, rel=0.010001)


@settings(deadline=None, max_examples=80)
@given(TIMES, QUANTILES)
def test_an_interval_holds_the_exact_order_statistics_and_no_more_than_a_bucket(times, quantile):
    low_rank, high_rank = quantile_ranks(len(times), quantile)
    low, high = _of(times).interval(quantile)
    ordered = np.sort(times)
    if low_rank < 1:
        assert low == 0.0
    else:
        assert low <= ordered[low_rank - 1] * (1 + 1e-9)
        assert low >= ordered[low_rank - 1] / 1.0203
    if high_rank > len(times):
        assert high == math.inf
    else:
        assert ordered[high_rank - 1] * (1 - 1e-9) <= high <= ordered[high_rank - 1] * 1.0203


@settings(deadline=None, max_examples=80)
@given(TIMES, st.data())
def test_merged_parts_equal_the_whole(times, data):
    cut = data.draw(st.integers(0, len(times)))
    merged, whole = _of(times[:cut]).merge(_of(times[cut:])), _of(times)
    assert merged == whole
    assert merged.count == whole.count
    assert merged.slowest_ms == whole.slowest_ms
    assert merged.frame().equals(whole.frame())


def test_merging_in_any_order_is_the_same():
    rng = np.random.default_rng(0)
    parts = [_of(rng.lognormal(3, 1, size)) for size in (10, 300, 0, 50)]
    one = parts[0].merge(parts[1]).merge(parts[2]).merge(parts[3])
    other = parts[3].merge(parts[2].merge(parts[1].merge(parts[0])))
    assert one == other


def test_percentiles_cannot_be_averaged_but_histograms_can():
    fast, slow = _of([10.0] * 9_900 + [20.0] * 100), _of([10.0] * 50 + [900.0] * 50)
    averaged = (fast.quantile(0.99) + slow.quantile(0.99)) / 2
    exact = np.quantile([10.0] * 9_950 + [20.0] * 100 + [900.0] * 50, 0.99, method="inverted_cdf")
    assert fast.merge(slow).quantile(0.99) == pytest.approx(exact, rel=0.01)
    assert averaged > 20 * exact


def test_intervals_hold_the_truth_as_often_as_promised():
    # exponential answers: the true quantile is known
    rng = np.random.default_rng(1)
    for quantile, size in ((0.5, 60), (0.95, 400), (0.99, 1500)):
        truth = -100 * math.log(1 - quantile)
        held = 0
        for _ in range(400):
            low, high = _of(rng.exponential(100, size)).interval(quantile)
            held += low <= truth <= high
        assert held / 400 >= 0.93, (quantile, held)
        assert held / 400 < 1.0


def test_ranks_by_direct_summation_of_the_binomial():
    for count, quantile in ((20, 0.5), (500, 0.99), (33, 0.9)):
        chances = [
            math.comb(count, k) * quantile**k * (1 - quantile) ** (count - k) for k in range(count + 1)
        ]
        low, high = quantile_ranks(count, quantile)
        assert math.fsum(chances[low:high]) >= 0.95
        assert math.fsum(chances[:low]) <= 0.025
        assert math.fsum(chances[high:]) <= 0.025
        assert math.fsum(chances[: low + 1]) > 0.025  # and no narrower


def test_p99_has_no_upper_end_before_368_answers():
    assert quantile_ranks(367, 0.99)[1] == 368
    assert quantile_ranks(368, 0.99)[1] <= 368
    assert _of([5.0] * 367).interval(0.99)[1] == math.inf
    assert math.isfinite(_of([5.0] * 368).interval(0.99)[1])


def test_limits_are_kept_broken_or_not_decided():
    latency = _of(np.random.default_rng(0).exponential(20, 3000))
    report = latency.check({0.5: 100.0, 0.95: 30.0, 0.99: latency.quantile(0.99)})
    assert [finding.ok for finding in report.findings] == [True, False, None]
    assert report.ok is False
    assert _of([1.0]).check({0.99: 10.0}).ok is None
    assert Latency().check({0.99: 10.0}).ok is None


def test_a_timer_counts_by_the_clock_it_is_given_and_also_what_fails():
    ticks = iter([10.0, 10.25, 20.0, 20.75])
    latency = Latency()
    with latency.timed(lambda: next(ticks)):
        pass
    with pytest.raises(KeyError), latency.timed(lambda: next(ticks)):
        raise KeyError("x")
    assert latency.count == 2
    assert latency.mean_ms == pytest.approx(500)


def test_it_travels_as_json():
    latency = _of(np.random.default_rng(0).lognormal(3, 2, 500))
    back = Latency.from_dict(json.loads(json.dumps(latency.as_dict())))
    assert back == latency
    assert back.frame().equals(latency.frame())
    assert Latency.from_dict(Latency().as_dict()).count == 0
    with pytest.raises(ValueError, match="no mlops_lab latency"):
        Latency.from_dict({"kind": "something"})


def test_counts_below_a_bound_are_exact_up_to_a_bucket():
    times = np.random.default_rng(0).lognormal(3, 1, 2000)
    latency = _of(times)
    for bound in (1.0, 10.0, 20.0, 100.0, 1e9):
        assert (times <= bound / 1.0203).sum() <= latency.below(bound) <= (times <= bound).sum()
    assert [a <= b for a, b in pairwise(latency.below(x) for x in range(1, 100))] == [True] * 98


def test_memory_does_not_grow_with_the_number_of_answers():
    latency = Latency()
    for _ in range(50):
        latency.update(np.random.default_rng(0).lognormal(3, 1, 1000))
    assert len(latency.as_dict()["buckets"]) < 700


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_what_is_no_time_is_refused_and_counts_nothing(wrong):
    latency = Latency()
    with pytest.raises(ValueError, match="no time in milliseconds"):
        latency.update([1.0, wrong])
    assert latency.count == 0


def test_bad_input_is_told():
    latency = _of([0.0, 1.0])  # zero is a time: below a nanosecond
    assert latency.quantile(0.4) == pytest.approx(0.0, abs=1e-5)
    for call in (
        lambda: Latency(0.0),
        lambda: latency.quantile(1.0),
        lambda: latency.quantile(99),
        lambda: quantile_ranks(0, 0.5),
        lambda: quantile_ranks(5, 0.5, confidence=95),
        lambda: latency.merge(Latency(0.02)),
    ):
        with pytest.raises(ValueError, match=r"accuracy|quantile|count|confidence"):
            call()
    assert math.isnan(Latency().mean_ms)
    assert math.isnan(Latency().quantile(0.5))
    assert Latency().interval(0.5) == (0.0, math.inf)


def test_no_answers_decide_nothing_whatever_the_limit():
    report = Latency().check({0.99: math.inf, 0.5: 10.0})
    assert report.ok is None
    assert report.headline() == "2 not decided."
