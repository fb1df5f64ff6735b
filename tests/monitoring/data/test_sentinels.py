"""Values written for a missing one are found in three rows of a table, and chance is seldom taken for one."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_lab.monitoring import Schema
from mlops_lab.monitoring.data.sentinels import End

BENCH = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "sentinels.py"))
WITHIN = {  # what a column itself may hold, or what its tail reaches
    "normal (0, 1)": {-1},
    "normal, to one digit": {-1},
    "t (2)": {-1},
    "lognormal (0, 2)": {999, 9999},
    "prices, to the cent": {999},
    "Pareto (1)": {999, 9999},
    "Pareto (2)": {999},
    "counts, Zipf (2)": {999, 9999},
    "whole, normal (3, 1)": {-1},
}


@pytest.mark.parametrize("name", BENCH["COLUMNS"])
def test_a_sentinel_in_three_of_5000_rows_is_found(name):
    then, now = BENCH["tables"](name, 5000, 0)
    schema = Schema.infer(pd.DataFrame({"x": then}))
    for sentinel in set(BENCH["SENTINELS"]) - WITHIN.get(name, set()):
        found = schema.check(pd.DataFrame({"x": BENCH["written"](now, sentinel)}))
        assert found.issues == (("x", "out_of_range"),), sentinel


@pytest.mark.parametrize("name", BENCH["DAYS"])
def test_a_date_that_stands_for_none_is_found_and_later_ones_are_left_alone(name):
    then, now = BENCH["tables"](name, 1000, 0)
    for stored in (lambda days: days, lambda days: days.astype(str)):
        schema = Schema.infer(pd.DataFrame({"x": stored(then)}))
        assert schema.check(pd.DataFrame({"x": stored(now)})).issues == ()
        for moment in set(BENCH["MOMENTS"]) - ({"1970-01-01"} if name == "days of birth" else set()):
            broken = pd.DataFrame({"x": stored(BENCH["written"](now, moment))})
            (issue,) = schema.check(broken).findings
            assert (issue.column, issue.issue) == ("x", "out_of_range")
            assert moment in issue.explanation


@pytest.mark.parametrize("name", BENCH["COLUMNS"])
def test_quiet_columns_are_seldom_out_of_range(name):
    def alarm(seed):
        then, now = BENCH["tables"](name, 1000, 1000 + seed)
        return not Schema.infer(pd.DataFrame({"x": then})).check(pd.DataFrame({"x": now})).ok

    assert sum(alarm(seed) for seed in range(12)) <= 2


def test_the_same_row_sent_twice_is_no_sentinel():
    rng = np.random.default_rng(0)
    then, now = rng.normal(size=500), rng.normal(size=500)
    now[:2] = then.max() + 1.5 * np.ptp(np.sort(then)[-2:]) + 0.1
    assert Schema.infer(pd.DataFrame({"x": then})).check(pd.DataFrame({"x": now})).issues == ()


def test_each_way_to_tell_a_sentinel_counts_for_itself():
    rng = np.random.default_rng(1)
    heavy = End.of(np.sort(rng.pareto(1, 2000)))
    equal = np.full(3, heavy.last + 1.5 * heavy.step)
    assert heavy.sentinel(equal, 0.001, lambda *_: 1.0) == equal[0], "no two outermost rows were equal"
    assert heavy.sentinel(equal[:2], 0.001, lambda *_: 0.0) is None
    ages = End.of(np.sort(rng.normal(40, 12, 5000).clip(0, 75).round()))
    assert not ages.abrupt
    assert ages.sentinel(np.full(3, 99.0), 0.001, lambda *_: 0.0) == 99.0, "the tail does not reach there"
    assert ages.sentinel(np.full(3, 99.0), 0.001, lambda *_: 1.0) is None
    assert End.of(np.repeat(np.arange(1.0, 6.0), 60)).abrupt


def test_a_few_late_rows_are_no_sentinel():
    year = pd.Series(pd.date_range("2024-01-01", periods=90).repeat(4))
    april = pd.Series(pd.date_range("2024-04-01", periods=30).repeat(4))
    late = april.mask(np.arange(120) < 3, pd.Timestamp("2023-12-20"))
    assert Schema.infer(pd.DataFrame({"x": year})).check(pd.DataFrame({"x": late})).issues == ()
