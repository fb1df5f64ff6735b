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
    assert run.paid_machine_s == 7.0  # the last one is served from 43 s to 45 s, and 44 s is the end
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


def test_no_requests():
    run = load.simulate([], 1.0, load.PerRequest())
    assert run.requests.empty
    assert run.summary().machines == 0
