"""Curves keep their mean and peak, draws keep their curve, and wrong ones are refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import load


def test_the_day_has_three_rushes_a_mean_of_21_and_a_peak_of_160():
    curve = load.daily_curve()
    tops = [k for k in range(1440) if 2.1 < curve[k] > curve[k - 1] and curve[k] >= curve[(k + 1) % 1440]]
    assert [top / 60 for top in tops] == [8.0, 12.5, 19.0]
    assert curve.mean() == pytest.approx(21, abs=1e-9)
    assert curve.max() == pytest.approx(160, abs=1e-9)
    assert curve.min() == pytest.approx(2, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(10, 60), peak=st.floats(120, 1000), base=st.floats(0, 5))
def test_any_mean_and_peak_are_met_or_refused(mean, peak, base):
    try:
        curve = load.daily_curve(mean=mean, peak=peak, base=base)
    except ValueError as refused:
        assert "the mean must lie between" in str(refused)
        return
    assert curve.mean() == pytest.approx(mean, rel=1e-6)
    assert curve.max() == pytest.approx(peak)


@pytest.mark.parametrize(
    "wrong", [{"mean": 200.0}, {"mean": math.nan}, {"base": -1.0}, {"base": 30.0}, {"mean": 159.9}]
)
def test_impossible_days_are_refused(wrong):
    with pytest.raises(ValueError, match=r"mean|base"):
        load.daily_curve(**wrong)


@settings(max_examples=40, deadline=None)
@given(bursts=st.integers(1, 8), minutes=st.integers(1, 15), seed=st.integers(0, 99))
def test_bursts_have_their_length_never_touch_and_keep_the_mean(bursts, minutes, seed):
    curve = load.bursty(bursts=bursts, minutes=minutes, seed=seed)
    assert curve.mean() == pytest.approx(21)
    starts = np.flatnonzero((curve[1:] == 160) & (curve[:-1] != 160)).size + (curve[0] == 160)
    assert starts == bursts
    assert (curve == 160).sum() == bursts * minutes


def test_bursts_come_anywhere_in_the_day():
    begins = [int(np.argmax(load.bursty(bursts=1, minutes=10, seed=seed) == 160)) for seed in range(300)]
    assert stats.kstest(begins, "uniform", args=(0, 1429)).pvalue > 0.001


@pytest.mark.parametrize(
    "wrong",
    [{"bursts": 0}, {"minutes": 0}, {"bursts": 2.5}, {"bursts": 200}, {"bursts": 30, "minutes": 10}],
)
def test_impossible_bursts_are_refused(wrong):
    with pytest.raises(ValueError, match=r"bursts|minutes"):
        load.bursty(**wrong)


def test_arrivals_are_poisson_with_the_curves_rate():
    curve = load.daily_curve()
    drawn = load.arrivals(curve, days=2, seed=11)
    assert (np.diff(drawn) >= 0).all()
    counts = np.histogram(drawn, bins=np.arange(2 * 1440 + 1) * 60.0)[0]
    expected = np.tile(curve * 60, 2)
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    assert 0.001 < stats.chi2.cdf(chi2, counts.size) < 0.999
    inside = drawn % 60 / 60
    assert stats.kstest(inside[::50], "uniform").pvalue > 0.001


def test_days_are_keyed_so_that_a_month_can_be_drawn_day_by_day():
    curve = np.full(24, 0.05)
    whole = load.arrivals(curve, days=3, seed=2)
    parts = [load.arrivals(curve, seed=2, first_day=day) for day in range(3)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(parts[0], parts[1] - load.traffic.DAY_S)
    assert not np.array_equal(parts[0], load.arrivals(curve, seed=3))


@pytest.mark.parametrize("rate", [[], [-1.0], [math.nan], [[1.0]]])
def test_wrong_rates_are_refused(rate):
    with pytest.raises(ValueError, match="rate must be"):
        load.arrivals(rate)


def test_no_day_is_refused():
    with pytest.raises(ValueError, match="days"):
        load.arrivals([1.0], days=0)


def test_a_quiet_day_has_no_arrivals():
    assert load.arrivals([0.0, 0.0]).size == 0


def test_what_is_assumed_or_fitted_is_said():
    table = load.assumptions().set_index("quantity")
    assert table.loc["capacity of a machine", "kind"] == "assumed"
    assert table.loc["window of the local maximum", "kind"] == "fitted"
    assert table.loc["mean traffic", "kind"] == "lecture"
