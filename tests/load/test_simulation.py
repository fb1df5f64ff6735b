"""The simulation against SimPy, against Erlang, against Little's law, and against bad input."""

import importlib.util
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simpy_oracle import simpy_fleet

from mlops_lab import load
from mlops_lab.load import simulation
from mlops_lab.load.formulas import erlang_c

ENGINES = [
    "plain",
    pytest.param(
        "compiled",
        marks=pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed"),
    ),
]
ENGINE_NAMES = ["plain"] + (["compiled"] if importlib.util.find_spec("numba") else [])


@dataclass(frozen=True)
class Scripted:
    """Wants what the script says, then the last of it."""

    script: tuple[int, ...]

    def wanted(self, seen):
        return self.script[min(seen.calls_per_s.size, len(self.script) - 1)]


def agree(arrive, service, policy, *, tick_s, cold_start_s, engine="plain"):
    """Hold one run against SimPy: starts, cold, fleet, bill. Give the run and its number of fleet changes."""
    starts, cold, rows, paid = simpy_fleet(arrive, service, policy, tick_s=tick_s, cold_start_s=cold_start_s)
    run = load.simulate(arrive, service, policy, tick_s=tick_s, cold_start_s=cold_start_s, engine=engine)
    np.testing.assert_allclose(run.start_s, starts, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(run.cold, cold)
    np.testing.assert_array_equal(run.fleet.to_numpy(), rows)
    assert run.paid_machine_s == pytest.approx(paid, rel=1e-9, abs=1e-6)
    return run, int((np.diff(run.fleet["machines"]) != 0).sum())


@pytest.mark.slow
def test_a_hundred_thousand_requests_equal_simpy():
    curve = load.daily_curve()
    rng = np.random.default_rng(7)
    arrive = load.arrivals(curve, seed=7)
    arrive = arrive[arrive >= 7 * 3600][:100_000] - 7 * 3600
    service = rng.exponential(0.27, arrive.size)
    run, changes = agree(arrive, service, load.Hold(0.5), tick_s=15.0, cold_start_s=40.0)
    assert arrive.size == 100_000
    assert changes >= 20
    assert run.cold.sum() >= 20
    assert run.wait_s.max() > 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("policy", "tick_s", "cold_start_s"),
    [
        (load.Hold(2), 60.0, 60.0),  # machines join exactly when the policy decides
        (load.Hold(0, target=0.7), 15.0, 40.0),
        (load.HPA(0.6), 15.0, 20.0),
        (load.Knative(), 2.0, 3.0),
        (load.Fixed(3), 60.0, 5.0),
        (Scripted((2, 9, 1, 12, 0, 3, 8, 2, 30, 4)), 20.0, 50.0),  # orders are cancelled again
    ],
)
@pytest.mark.parametrize("constant", [True, False])
def test_every_policy_equals_simpy(engine, policy, tick_s, cold_start_s, constant):
    rng = np.random.default_rng(3)
    rates = enumerate([5, 30, 2, 40, 0, 12])  # calls per second, minute by minute
    arrive = np.sort(np.concatenate([rng.uniform(60 * k, 60 * k + 60, 60 * rate) for k, rate in rates]))
    service = np.full(arrive.size, 0.25) if constant else rng.exponential(0.25, arrive.size)
    agree(arrive, service, policy, tick_s=tick_s, cold_start_s=cold_start_s, engine=engine)


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 8), min_size=1, max_size=60),
    work=st.lists(st.integers(0, 30), min_size=60, max_size=60),
    script=st.lists(st.integers(0, 5), min_size=1, max_size=6),
    cold=st.integers(0, 12),
    engine=st.sampled_from(ENGINE_NAMES),
)
def test_whole_seconds_so_that_everything_happens_at_once_still_equal_simpy(gaps, work, script, cold, engine):
    arrive = np.cumsum(gaps).astype(float)
    service = np.array(work[: len(gaps)], dtype=float)
    policy = Scripted((*script, 2))
    agree(arrive, service, policy, tick_s=5.0, cold_start_s=float(cold), engine=engine)


def test_a_request_in_line_is_taken_by_a_machine_that_joins_later():
    # One pass over the requests would give the second one to the first machine, at 100 s.
    run = load.simulate([0.0, 1.0], 100.0, Scripted((1, 2)), tick_s=10.0, cold_start_s=5.0)
    assert run.start_s.tolist() == [0.0, 15.0]
    assert run.cold.tolist() == [False, True]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("machines", "load_share"), [(1, 0.5), (3, 0.8), (10, 0.7), (40, 0.9)])
def test_waits_equal_erlang_c_within_four_standard_errors(engine, machines, load_share):
    service_s, means, shares = 0.25, [], []
    rate = machines * load_share / service_s
    for seed in range(20):
        rng = np.random.default_rng([seed, machines])
        arrive = np.cumsum(rng.exponential(1 / rate, 12_000))
        run = load.simulate(
            arrive, rng.exponential(service_s, arrive.size), load.Fixed(machines), engine=engine
        )
        settled = run.wait_s[2_000:]
        means.append(settled.mean())
        shares.append((settled > 0).mean())
    for values, theory in (
        (means, load.mean_wait_s(machines, rate, service_s)),
        (shares, erlang_c(machines, machines * load_share)),
    ):
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert abs(np.mean(values) - theory) < 4 * error
        assert error < 0.1 * theory  # a test that would see an answer that is 40 % wrong


def test_littles_law_from_the_fleet_table():
    rng = np.random.default_rng(5)
    arrive = np.sort(rng.uniform(0, 3000, 3000 * 11))
    run = load.simulate(arrive, rng.exponential(0.25, arrive.size), load.Fixed(3), tick_s=0.5)
    inside = run.fleet[run.fleet["t_s"] <= 3000]
    assert inside["queue"].mean() == pytest.approx(11 * run.wait_s.mean(), rel=0.03)
    assert inside["busy"].mean() == pytest.approx(11 * 0.25, rel=0.03)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), machines=st.integers(1, 6))
def test_one_more_machine_never_makes_anybody_wait_longer(seed, machines):
    rng = np.random.default_rng(seed)
    arrive, service = np.cumsum(rng.exponential(0.1, 200)), rng.exponential(0.3, 200)
    few = load.simulate(arrive, service, load.Fixed(machines)).wait_s
    more = load.simulate(arrive, service, load.Fixed(machines + 1)).wait_s
    assert (more <= few + 1e-9).all()


def test_the_bill_of_a_fixed_fleet_is_its_size_and_the_work_done_is_served():
    run = load.simulate([0.0, 5.0, 59.0], 1.0, load.Fixed(7))
    assert run.summary().machines == pytest.approx(7)
    assert run.summary().bill_usd == pytest.approx(7 * 648)


def test_a_leaving_machine_is_paid_until_its_last_request_is_done():
    run = load.simulate([0.0, 0.0, 25.0], 15.0, Scripted((2, 1)), tick_s=10.0)
    # Two machines; one is told to leave at 10 s, and is done at 15 s. Paid to 30 s: 30 + 15.
    assert run.paid_machine_s == pytest.approx(45.0)
    assert run.fleet["busy"].tolist()[1] == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_streaming_days_equals_one_long_run(engine):
    curve = np.full(1440, 0.2)
    settings_ = {"tick_s": 60.0, "cold_start_s": 70.0, "engine": engine}
    days = [load.arrivals(curve, seed=4, first_day=day) for day in range(3)]
    whole = load.simulate(np.concatenate(days), 9.0, load.Hold(10, capacity=1 / 9, target=0.5), **settings_)
    runs = list(
        load.stream([(day, 9.0) for day in days], load.Hold(10, capacity=1 / 9, target=0.5), **settings_)
    )
    np.testing.assert_array_equal(np.concatenate([run.start_s for run in runs]), whole.start_s)
    np.testing.assert_array_equal(np.concatenate([run.cold for run in runs]), whole.cold)
    rows = np.concatenate([run.fleet.to_numpy() for run in runs])
    np.testing.assert_array_equal(rows, whole.fleet.to_numpy())
    assert sum(run.paid_machine_s for run in runs) == pytest.approx(whole.paid_machine_s)
    assert whole.cold.any()
    assert runs[-1].until_s == whole.until_s


@dataclass
class Noting:
    """Notes what it sees, and answers like another policy."""

    policy: object
    seen: list

    def wanted(self, seen):
        self.seen.append((seen.t_s, seen.now_per_s, seen.busy, seen.queue, seen.machines))
        return self.policy.wanted(seen)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.floats(0, 1), max_size=5),
    policy=st.sampled_from([load.Hold(0, target=0.7), load.HPA(0.6), load.Knative(), load.Fixed(2)]),
    tick_s=st.sampled_from([15.0, 7.0, 0.7]),
)
def test_a_stream_cut_anywhere_is_one_run_and_its_policy_sees_the_same(seed, cuts, policy, tick_s):
    rng = np.random.default_rng(seed)
    arrive = np.sort(rng.uniform(0, 90, 250))
    service = rng.exponential(0.8, arrive.size)
    places = np.sort((np.array(cuts) * arrive.size).astype(int))
    blocks = zip(np.split(arrive, places), np.split(service, places), strict=True)
    once, cut = Noting(policy, []), Noting(policy, [])
    whole = load.simulate(arrive, service, once, tick_s=tick_s, cold_start_s=4.0)
    runs = list(load.stream(blocks, cut, tick_s=tick_s, cold_start_s=4.0))
    np.testing.assert_array_equal(np.concatenate([run.start_s for run in runs]), whole.start_s)
    np.testing.assert_array_equal(np.concatenate([run.fleet.to_numpy() for run in runs]), whole.fleet)
    np.testing.assert_allclose(cut.seen, once.seen, rtol=0, atol=1e-12)
    assert runs[-1].until_s == whole.until_s
    assert sum(run.paid_machine_s for run in runs) == pytest.approx(whole.paid_machine_s)


def test_a_stream_may_reuse_its_buffer():
    def one_by_one():
        buffer = np.zeros(1)
        for at in (0.0, 100.0, 200.0):
            buffer[0] = at
            yield buffer, 1.0

    runs = load.stream(one_by_one(), load.Fixed(1))
    assert [run.arrive_s.tolist() for run in runs] == [[0.0], [100.0], [200.0]]


@pytest.mark.parametrize("policy", [load.Fixed(1), load.PerRequest()])
def test_a_run_keeps_its_own_numbers(policy):
    arrive, service = np.array([0.0, 1.0]), np.array([4.0, 4.0])
    run = load.simulate(arrive, service, policy)
    before = run.summary()
    arrive += 100
    service *= 2
    assert run.summary() == before
    for values in (run.arrive_s, run.start_s, run.service_s):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 7.0


def test_a_machine_that_joins_and_leaves_at_one_decision_makes_nobody_cold():
    run = load.simulate([0.0] * 3, 0.0, Scripted((0, 2, 1)), tick_s=60.0, cold_start_s=60.0)
    assert run.cold.tolist() == [True, False, False]


def test_utilisation_of_a_machine_that_has_just_joined_is_no_noise():
    seen = []

    @dataclass(frozen=True)
    class Look:
        def wanted(self, now):
            seen.append(now.utilisation[-1:].tolist())
            return (0, 0, 2)[min(now.calls_per_s.size, 2)]

    load.simulate([0.0, 0.1], [5.0, 0.01], Look(), tick_s=0.3, cold_start_s=17 * 0.3, until_s=9.0)
    first = next(use[0] for use in seen if use and use[0] > 0)
    assert first == pytest.approx((0.3 + 0.01) / 0.6)  # not the 1.0 of the tick in which they joined


def test_a_queue_that_outlives_all_patience_is_told(monkeypatch):
    monkeypatch.setattr(simulation, "_MOST_TICKS", 1_000)
    with pytest.raises(ValueError, match=r"after 1,000 decisions, at 1e.03 s, 40 requests still"):
        load.simulate([0.0] * 50, 100.0, load.Fixed(1), tick_s=1.0)


def test_streams_refuse_what_they_cannot_carry_over():
    with pytest.raises(ValueError, match="must follow each other"):
        list(load.stream([([500.0], 1.0), ([], 1.0), ([1.0], 1.0)], load.Fixed(1)))
    with pytest.raises(ValueError, match="in seconds"):
        list(load.stream([([1e15], 1.0)], load.Fixed(1)))
    with pytest.raises(ValueError, match="must follow each other"):
        list(load.stream([([5.0], 1.0), ([4.0], 1.0)], load.Fixed(1)))
    with pytest.raises(ValueError, match="PerRequest"):
        list(load.stream([([5.0], 1.0)], load.PerRequest()))


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_at_all_zero_work_and_all_at_once(engine):
    empty = load.simulate([], 1.0, load.Fixed(2), engine=engine)
    assert empty.requests.empty
    assert math.isnan(empty.summary().mean_wait_s)
    assert empty.summary().machines == pytest.approx(2)
    assert load.simulate([1.0] * 50, 0.0, load.Fixed(1), engine=engine).wait_s.tolist() == [0.0] * 50
    together = load.simulate([3.0] * 4, 2.0, load.Fixed(2), engine=engine)
    assert together.wait_s.tolist() == [0.0, 0.0, 2.0, 2.0]
    assert load.simulate([0.0], 1.0, load.Fixed(1), until_s=600.0, engine=engine).until_s == 600.0


@pytest.mark.parametrize(
    ("arrive", "service", "options", "message"),
    [
        ([2.0, 1.0], 1.0, {}, "must be sorted; request 1"),
        ([-1.0, 1.0], 1.0, {}, "finite and >= 0; request 0"),
        ([0.0, math.nan], 1.0, {}, "finite and >= 0; request 1"),
        ([0.0, math.inf], 1.0, {}, "finite and >= 0; request 1"),
        ([0.0], -1.0, {}, "service_s must be finite"),
        ([0.0, 1.0], [1.0], {}, "one number or one for each of 2"),
        ([[0.0]], 1.0, {}, "one-dimensional"),
        ([0.0], 1.0, {"tick_s": 0.0}, "tick_s"),
        ([0.0], 1.0, {"cold_start_s": -1.0}, "cold_start_s"),
        ([0.0], 1.0, {"until_s": math.nan}, "until_s"),
        ([0.0], 1.0, {"engine": "fast"}, "engine"),
        ([1e15], 1.0, {}, "in seconds"),
        ([0.0, 1.0], [1e12, 1.0], {}, "service_s: .* in seconds"),
        ([0.0, 0.0], 1.0, {"tick_s": 1e-9}, "decisions of 1e-09 s"),
        ([0.0], 1.0, {"tick_s": "60"}, "tick_s must be a finite number above 0; got '60'"),
        (["0", "1"], 1.0, {}, "arrivals_s must be numbers"),
        (np.array(["2026-01-01"], "M8[D]"), 1.0, {}, "arrivals_s must be numbers"),
        ([0.0], np.timedelta64(5, "ms"), {}, "divide time differences"),
        (np.ma.array([0.0, 1.0], mask=[0, 1]), 1.0, {}, "1 masked"),
    ],
)
def test_bad_input_is_refused_with_its_value_and_the_way_out(arrive, service, options, message):
    with pytest.raises(ValueError, match=message):
        load.simulate(arrive, service, load.Fixed(1), **options)
    with pytest.raises(ValueError, match=message):
        load.simulate(arrive, service, load.PerRequest(), **options)


@pytest.mark.parametrize("policy", [3, None, load.Fixed, lambda seen: 1])
def test_what_is_no_policy_is_refused(policy):
    for use in (
        lambda: load.simulate([0.0], 1.0, policy),
        lambda: load.stream([([0.0], 1.0)], policy),
        lambda: load.fluid([1.0], policy),
    ):
        with pytest.raises(ValueError, match="policy"):
            use()


@dataclass(frozen=True)
class Says:
    answer: object

    def wanted(self, seen):
        return self.answer


@pytest.mark.parametrize("answer", [-1, 2.5, math.nan, math.inf, None, "three", 10**9, np.ones(2)])
def test_a_policy_that_answers_no_fleet_is_told_so(answer):
    with pytest.raises(ValueError, match=r"Says\.wanted must answer a whole number"):
        load.simulate([0.0], 1.0, Says(answer))


def test_a_policy_that_keeps_no_machine_is_stopped(monkeypatch):
    monkeypatch.setattr(simulation, "_PATIENCE", 1_000)
    with pytest.raises(ValueError, match="keeps no machine while 1 requests wait"):
        load.simulate([0.0], 1.0, Says(0), tick_s=1.0)


def test_a_policy_cannot_change_the_past_or_see_the_future():
    @dataclass(frozen=True)
    class Forger:
        def wanted(self, seen):
            assert seen.calls_per_s.size == round(seen.t_s / seen.tick_s)
            seen.calls_per_s[:] = 0
            return 1

    with pytest.raises(ValueError, match="read-only"):
        load.simulate([0.0, 100.0], 1.0, Forger())


def test_without_numba_the_compiled_engine_says_what_to_do(monkeypatch):
    from mlops_lab.load import queues

    def gone(name):
        raise ImportError(name)

    queues._compiled.cache_clear()
    monkeypatch.setattr(queues.importlib, "import_module", gone)
    with pytest.raises(ImportError, match='use engine="plain"'):
        load.simulate([0.0], 1.0, load.Fixed(1), engine="compiled")
