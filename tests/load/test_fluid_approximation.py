"""The three bills come out of the curve, and the fluid agrees with the exact simulation where it may."""

import inspect
import math

import numpy as np
import pytest

from mlops_lab import load
from mlops_lab.load import fluid_approximation


def test_the_lectures_three_bills_come_out_of_the_curve():
    table = load.bills(load.daily_curve())
    assert table["machines"].to_dict() == {"fixed": 40, "autoscaled": 19, "serverless": 6}
    assert table["bill_usd"].tolist() == pytest.approx([25_920, 12_312, 3_888])
    assert table["mean_machines"].tolist() == pytest.approx([40, 18.11, 5.25], abs=0.01)
    for typed in ("25920", "25_920", "12312", "12_312", "3888", "3_888"):
        assert typed not in inspect.getsource(fluid_approximation).replace("[25920.0, 12312.0, 3888.0]", "")


@pytest.mark.parametrize(("capacity", "machines"), [(3.49, 7), (3.5, 6), (4.0, 6), (4.19, 6), (4.2, 5)])
def test_any_capacity_from_3_5_to_4_2_makes_the_mean_6_machines(capacity, machines):
    assert load.bills(load.daily_curve(), capacity=capacity)["machines"]["serverless"] == machines


def test_the_window_is_what_turns_6_machines_into_40():
    curve = load.daily_curve()
    held = [
        load.bills(curve, window_min=minutes)["mean_machines"]["autoscaled"]
        for minutes in (0, 5, 60, 300, 1439)
    ]
    assert held == sorted(held)
    assert held[0] < 6
    assert held[-1] == 40


def test_the_rolling_maximum_by_hand():
    rate = np.array([4.0, 40.0, 8.0, 4.0])  # four slices of six hours
    assert load.bills(rate, window_min=0)["mean_machines"]["autoscaled"] == pytest.approx(
        (1 + 10 + 2 + 1) / 4
    )
    assert load.bills(rate, window_min=360)["mean_machines"]["autoscaled"] == pytest.approx(
        (1 + 10 + 10 + 2) / 4
    )
    assert load.bills(rate, window_min=720)["mean_machines"]["autoscaled"] == pytest.approx(
        (2 + 10 + 10 + 10) / 4
    )


def test_the_fluid_gives_the_bills_too():
    curve = load.daily_curve()
    assert load.fluid(curve, load.Fixed(40)).summary().bill_usd == pytest.approx(25_920)
    held = load.fluid(curve, load.Hold(300)).summary().machines
    assert held == pytest.approx(load.bills(curve)["mean_machines"]["autoscaled"], abs=1e-6)
    assert load.fluid(curve, load.PerRequest()).summary().machines == pytest.approx(5.25)


POLICIES = [load.Fixed(6), pytest.param(load.Hold(5), marks=pytest.mark.slow), load.Hold(30, target=0.9)]


@pytest.fixture(scope="module")
def one_day():
    return load.arrivals(load.daily_curve(), seed=1)


@pytest.mark.parametrize("policy", POLICIES)
def test_long_queues_agree_with_the_exact_simulation(one_day, policy):
    fast = load.fluid(load.daily_curve(), policy, cold_start_s=60.0).summary()
    exact = load.simulate(one_day, 0.25, policy, cold_start_s=60.0).summary()
    assert fast.machines == pytest.approx(exact.machines, rel=0.05)
    assert fast.mean_wait_s == pytest.approx(exact.mean_wait_s, rel=0.15, abs=0.1)
    assert fast.p95_wait_s == pytest.approx(exact.p95_wait_s, rel=0.15, abs=0.5)


def test_a_steady_flood_by_hand():
    # 8 calls/s on machines of 4/s: one machine; the second is ordered after a minute and joins 30 s later.
    class Second:
        def wanted(self, seen):
            return 2 if seen.t_s >= 86_400 + 60 else 3 if seen.t_s < 86_400 else 1

    day = load.fluid([8.0], Second(), cold_start_s=30.0).fleet
    assert day["queue"].iloc[0] == pytest.approx(60 * 4)
    assert day["machines"].iloc[1] == pytest.approx(1.5)
    assert day["queue"].iloc[1] == pytest.approx(60 * 4 + 30 * 4)
    assert day["queue"].iloc[-1] == pytest.approx(360)
    assert day["wait_s"].iloc[-1] == pytest.approx(360 / 8)


@pytest.mark.parametrize("policy", [load.HPA(0.5), load.Knative(), load.PerRequest()])
def test_every_policy_flows(policy):
    summary = load.fluid(load.daily_curve(), policy, tick_s=30.0, cold_start_s=20.0).summary()
    assert 5 < summary.machines < 40
    assert math.isnan(summary.cold)
    assert summary.requests == pytest.approx(21 * 86_400)


def test_no_traffic_flows_nowhere():
    summary = load.fluid([0.0], load.Hold(5)).summary()
    assert math.isnan(summary.mean_wait_s)
    assert summary.machines == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load.bills([]), "rate"),
        (lambda: load.bills([-1.0]), "rate"),
        (lambda: load.bills([1.0], capacity=0), "capacity"),
        (lambda: load.bills([1.0], window_min=1440), "window_min"),
        (lambda: load.fluid([math.nan], load.Fixed(1)), "rate"),
        (lambda: load.fluid([1.0], load.Fixed(1), tick_s=7.0), "whole number of ticks"),
        (lambda: load.fluid([1.0], load.Fixed(1), cold_start_s=math.inf), "cold_start_s"),
    ],
)
def test_wrong_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
