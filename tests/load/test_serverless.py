"""Serverless: one instance a request, against a second version with SimPy and by hand."""

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab import load


def simpy_serverless(arrive, service, keep_alive_s, cold_start_s):
    """Each instance is a process that waits for work until it cools down; the last one used is taken."""
    env = simpy.Environment()
    idle, starts, cold = [], np.zeros(len(arrive)), np.zeros(len(arrive), dtype=bool)

    def instance(number):
        yield env.timeout(cold_start_s)
        while number is not None:
            starts[number] = env.now
            yield env.timeout(service[number])
            me = {"since": env.now, "work": env.event()}
            idle.append(me)
            yield me["work"] | env.timeout(keep_alive_s)
            if me in idle:
                idle.remove(me)
            number = me["work"].value if me["work"].triggered else None

    def calls():
        for number, at in enumerate(arrive):
            yield env.timeout(max(0.0, at - env.now))
            if idle:
                idle.pop()["work"].succeed(number)
            else:
                cold[number] = cold_start_s > 0
                env.process(instance(number))

    env.process(calls())
    env.run()
    return starts, cold


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), keep=st.floats(0.5, 30), cold=st.floats(0, 5))
def test_serverless_equals_simpy(seed, keep, cold):
    rng = np.random.default_rng(seed)
    arrive, service = np.cumsum(rng.exponential(1.0, 150)), rng.exponential(1.5, 150)
    run = load.simulate(arrive, service, load.PerRequest(keep), cold_start_s=cold)
    starts, was_cold = simpy_serverless(arrive, service, keep, cold)
    np.testing.assert_allclose(run.start_s, starts, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(run.cold, was_cold)


def test_by_hand():
    run = load.simulate([0.0, 1.0, 10.0, 40.0], 2.0, load.PerRequest(20.0), cold_start_s=3.0, tick_s=4.0)
    assert run.start_s.tolist() == [3.0, 4.0, 10.0, 43.0]
    assert run.cold.tolist() == [True, True, False, True]
    # three cold starts of 3 s; the last request is served from 43 s to 45 s, and 44 s is the end
    assert run.paid_machine_s == 9.0 + 7.0
    free = load.PerRequest(20.0, bill_start=False)
    run_free = load.simulate([0.0, 1.0, 10.0, 40.0], 2.0, free, cold_start_s=3.0, tick_s=4.0)
    assert run_free.paid_machine_s == 7.0
    assert run_free.start_s.tolist() == run.start_s.tolist()
    rows = run.fleet.set_index("t_s")
    assert rows.loc[0.0, ["machines", "starting", "busy", "queue"]].tolist() == [0, 1, 0, 1]
    assert rows.loc[4.0, ["machines", "starting", "busy", "queue"]].tolist() == [2, 0, 2, 0]
    assert rows.loc[24.0, "machines"] == 2
    assert rows.loc[28.0, "machines"] == 1  # one cooled down at 26 s, the other lives until 32 s
    assert rows.loc[36.0, "machines"] == 0


def test_only_the_work_is_paid_and_nobody_queues_for_others():
    arrive = load.arrivals(load.daily_curve(mean=2.1, peak=16.0, base=0.2))
    run = load.simulate(arrive, 0.25, load.PerRequest(), cold_start_s=2.0)
    summary = run.summary()
    assert summary.machines == pytest.approx(2.1 / 4, rel=0.01)
    assert set(np.round(run.wait_s, 6)) == {0.0, 2.0}
    assert 0 < summary.cold < 0.001


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), most=st.integers(1, 6))
def test_at_the_limit_of_instances_it_is_a_queue_before_a_fixed_fleet(seed, most):
    rng = np.random.default_rng(seed)
    arrive, service = np.cumsum(rng.exponential(0.5, 150)), rng.exponential(1.5, 150)
    limited = load.simulate(arrive, service, load.PerRequest(1e6, most_instances=most))
    fleet = load.simulate(arrive, service, load.Fixed(most))
    np.testing.assert_allclose(limited.start_s, fleet.start_s, rtol=0, atol=1e-9)
    assert limited.fleet["machines"].max() <= most


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), most=st.integers(1, 40), new=st.integers(1, 20), cold=st.floats(0, 3))
def test_no_limit_is_ever_passed_and_nobody_is_overtaken(seed, most, new, cold):
    rng = np.random.default_rng(seed)
    arrive, service = np.sort(rng.uniform(0, 60, 300)), rng.exponential(1.5, 300)
    policy = load.PerRequest(5.0, most_instances=most, most_new_in_10_s=new)
    run = load.simulate(arrive, service, policy, cold_start_s=cold)
    ordered = run.start_s - np.where(run.cold, cold, 0.0)  # when each was given its instance
    assert (np.diff(ordered) >= -1e-9).all() and (run.wait_s >= 0).all()
    at_work = [((ordered <= t) & (t < run.start_s + service)).sum() for t in ordered]
    assert max(at_work) <= most
    if cold:
        begun = np.sort(ordered[run.cold])
        assert all(number <= new + 1e-6 + at * new / 10 for number, at in enumerate(begun, 1))


def test_new_instances_come_at_a_limited_pace_by_hand():
    burst = load.PerRequest(most_new_in_10_s=2)
    run = load.simulate([0.0] * 4, 60.0, burst, cold_start_s=1.0)
    assert run.start_s.tolist() == [1.0, 1.0, 6.0, 11.0]  # two at once, then one each five seconds
    freed = load.simulate([0.0] * 4, 3.0, burst, cold_start_s=1.0)
    assert freed.start_s.tolist() == [1.0, 1.0, 4.0, 4.0]  # those two are free again before
    assert freed.cold.tolist() == [True, True, False, False]
    for wrong in ({"most_instances": 0}, {"most_new_in_10_s": 0.5}):
        with pytest.raises(ValueError, match="whole number"):
            load.PerRequest(**wrong)
    assert load.PerRequest(most_instances=3).wanted(load.Seen(t_s=0.0, tick_s=1.0, busy=9)) == 3


def test_a_burst_beyond_the_limit_makes_people_wait_and_the_assumptions_are_shown():
    arrive = np.sort(np.r_[np.arange(60.0), np.full(400, 30.0)])
    free, limited = (
        load.simulate(arrive, 0.25, load.PerRequest(most_instances=most), cold_start_s=2.0)
        for most in (1000, 50)
    )
    assert free.wait_s.max() == 2.0 and free.fleet["machines"].max() > 300
    assert limited.summary().late > free.summary().late * 0.9 and limited.wait_s.max() > 3.0
    assert limited.fleet["machines"].max() <= 50
    assert "at most 50 instances" in limited.assumes and "takes 2 s and is billed" in limited.assumes
    table = load.compare({"fixed": load.simulate(arrive, 0.25, load.Fixed(9)), "limited": limited})
    assert table.attrs["assumes"] == {"limited": limited.assumes}
    assert "Assumed: a cold start takes 2 s" in limited.plot().get_xlabel()
    assert load.simulate(arrive, 0.25, load.Fixed(9)).plot().get_xlabel() == "hour"


def test_no_requests():
    run = load.simulate([], 1.0, load.PerRequest())
    assert run.requests.empty
    assert run.summary().machines == 0
