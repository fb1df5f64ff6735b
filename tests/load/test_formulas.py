"""Erlang's formulas against their definitions and published values, and the lecture's dollars."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import load
from mlops_lab.load.formulas import erlang_b, erlang_c


@given(machines=st.integers(0, 300), offered=st.floats(0.01, 400))
def test_erlang_b_is_a_truncated_poisson(machines, offered):
    theory = stats.poisson.pmf(machines, offered) / stats.poisson.cdf(machines, offered)
    assert erlang_b(machines, offered) == pytest.approx(theory, rel=1e-6, abs=1e-300)


def test_erlang_c_by_its_sum():
    for machines, offered in [(1, 0.3), (2, 1.0), (5, 4.0), (40, 38.0)]:
        tail = offered**machines / math.factorial(machines) * machines / (machines - offered)
        head = sum(offered**k / math.factorial(k) for k in range(machines))
        assert erlang_c(machines, offered) == pytest.approx(tail / (head + tail))


def test_one_machine_is_the_mm1_queue():
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert load.mean_wait_s(1, 0.7, 1.0) == pytest.approx(0.7 / 0.3)


@given(machines=st.integers(1, 60), offered=st.floats(0, 80))
def test_more_machines_never_wait_longer(machines, offered):
    assert erlang_c(machines + 1, offered) <= erlang_c(machines, offered) + 1e-12
    assert load.mean_wait_s(machines + 1, offered, 1.0) <= load.mean_wait_s(machines, offered, 1.0)


def test_unstable_is_infinite_and_never_a_number():
    assert load.mean_wait_s(40, 160.0, 0.25) == math.inf
    assert load.mean_wait_s(6, 160.0, 0.25) == math.inf
    assert load.mean_wait_s(0, 1.0, 0.25) == math.inf
    assert load.mean_wait_s(0, 1.0, 0.0) == math.inf
    assert erlang_c(4, 4.0) == 1.0
    for rate in (49.0, 98.0, 103.0, 107.0, 161.0):  # rate x (1 / rate) is not always 1 in a computer
        assert load.mean_wait_s(1, rate, 1 / rate) == math.inf
        assert erlang_c(1, rate * (1 / rate)) == 1.0


def test_no_load_waits_for_nothing():
    assert load.mean_wait_s(3, 0.0, 1.0) == 0.0
    assert load.mean_wait_s(0, 0.0, 1.0) == 0.0
    assert load.mean_wait_s(3, 5.0, 0.0) == 0.0
    assert erlang_c(0, 0.0) == 0.0
    assert erlang_b(0, 0.0) == 1.0


@pytest.mark.parametrize("function", [erlang_b, erlang_c])
@pytest.mark.parametrize(
    ("machines", "offered"), [(-1, 1.0), (1.5, 1.0), (math.nan, 1.0), (2, -1.0), (2, math.nan)]
)
def test_what_is_no_fleet_or_no_load_is_refused(function, machines, offered):
    with pytest.raises(ValueError, match="must be"):
        function(machines, offered)


@pytest.mark.parametrize(("rate", "service"), [(-1.0, 1.0), (1.0, math.inf), (math.nan, 1.0)])
def test_what_is_no_rate_is_refused(rate, service):
    with pytest.raises(ValueError, match="finite"):
        load.mean_wait_s(2, rate, service)


def test_the_lectures_dollars():
    dollars = [load.monthly_cost_usd(n) for n in (1, 40, 19, 6)]
    assert dollars == pytest.approx([648, 25_920, 12_312, 3_888])
    with pytest.raises(ValueError, match="machines"):
        load.monthly_cost_usd(-1)
