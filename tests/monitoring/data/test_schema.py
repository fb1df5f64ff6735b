"""Each planted fault is found by its name, and good rows have none."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlops_lab.monitoring import Schema
from mlops_lab.monitoring.data.schema import Tail
from mlops_lab.monitoring.data.two_samples import share_p


def _rows(seed, n=2000):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"mass": rng.normal(150, 10, n), "tail": rng.lognormal(0, 1.5, n), "sort": rng.choice(["a", "b"], n)}
    )
    table.loc[rng.random(n) < 0.03, "mass"] = np.nan
    return table


FAULTS = {
    "missing": lambda t: t.assign(mass=t["mass"].where(np.arange(len(t)) % 10 > 0)),
    "new_category": lambda t: t.assign(sort=["c", *t["sort"][1:]]),
    "out_of_range": lambda t: t.assign(mass=t["mass"].where(np.arange(len(t)) > 3, -999.0)),
    "constant": lambda t: t.assign(mass=150.0),
    "infinite": lambda t: t.assign(mass=t["mass"].where(np.arange(len(t)) > 3, np.inf)),
    "dtype": lambda t: t.assign(mass=t["mass"].astype(str)),
    "duplicate_rows": lambda t: pd.concat([t, t.head(300)], ignore_index=True),
}


@pytest.mark.parametrize("issue", FAULTS)
def test_a_planted_fault_is_found_by_its_name(issue):
    report = Schema.infer(_rows(0)).check(FAULTS[issue](_rows(1)))
    assert [name for _, name in report.issues] == [issue]
    (finding,) = report.findings
    assert finding.issue == issue
    assert finding.column in ("mass", "sort", "")
    assert report.frame()["issue"].tolist() == [issue]


def test_only_a_share_that_has_grown_is_a_fault():
    for now, rows, then, learned in ((9, 60, 3, 200), (1, 60, 30, 200), (0, 5, 0, 7)):
        exact = stats.hypergeom(rows + learned, now + then, rows).sf(now - 1)
        assert share_p(now, rows, then, learned) == pytest.approx(exact)


def test_limits_that_a_person_knows_are_hard():
    schema = Schema.infer(_rows(0)).with_("mass", low=0)
    assert schema.check(_rows(1)).ok
    assert schema.check(_rows(1).assign(mass=[-1.0] + [150.0, 151.0] * 999 + [1.0])).issues == (
        ("mass", "out_of_range"),
    )
    with pytest.raises(ValueError, match="mass, tail"):
        schema.with_("sort", low=0)


def test_missing_columns_empty_tables_and_odd_cells():
    schema = Schema.infer(_rows(0))
    assert ("tail", "missing") in schema.check(_rows(1).drop(columns="tail")).issues
    with pytest.raises(ValueError, match="no rows"):
        schema.check(_rows(1).head(0))
    odd = pd.DataFrame({"cells": [[1], [2]] * 30})
    assert Schema.infer(odd).check(odd).ok


RATES = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "monitoring_rates.py"))


@pytest.mark.parametrize(
    ("learned", "rows"),
    [
        (200, 2000),
        *(pytest.param(*sizes, marks=pytest.mark.slow) for sizes in ((200, 200), (2000, 2000), (2000, 200))),
    ],
)
def test_twenty_quiet_columns_with_heavy_tails_and_rare_categories_seldom_have_a_fault(learned, rows):
    quiet = RATES["faults"](learned, rows)
    assert sum(quiet(np.random.default_rng([70, seed])) for seed in range(40)) <= 3


@pytest.mark.parametrize("name", RATES["FAULTS"])
def test_planted_faults_are_found_among_2000_rows(name):
    found = [RATES["caught"](name, 2000)(np.random.default_rng([80, seed])) for seed in range(2)]
    assert all(found) or name == "heavy tail 9999, 1 row", "only a single row of a heavy tail may be right"


@pytest.mark.parametrize(
    "draw", ["normal", "exponential", "lognormal", "standard_t", "standard_cauchy", "pareto"]
)
def test_the_tail_does_not_call_too_far_what_chance_reaches(draw):
    options = {"lognormal": {"sigma": 2.0}, "pareto": {"a": 1.0}, "standard_t": {"df": 3}}.get(draw, {})
    alarms = 0
    for seed in range(400):
        rng = np.random.default_rng([90, seed])
        before, now = (getattr(rng, draw)(size=200, **options) for _ in range(2))
        middle = np.median(before)
        alarms += Tail.of(before - middle).too_far(now - middle, 0.02)
    assert alarms / 400 <= 0.02 + 3 * np.sqrt(0.02 * 0.98 / 400)


def test_a_new_category_in_few_of_few_rows_is_a_note_and_no_fault():
    few, many = (pd.DataFrame({"sort": ["a", "b"] * half}) for half in (100, 1000))
    now = pd.DataFrame({"sort": ["a", "b"] * 50 + ["c"]})
    report = Schema.infer(few).check(now)
    assert report.ok
    assert report.issues == ()
    assert [(each.issue, each.ok) for each in report.findings] == [("", True), ("new_category", None)]
    assert Schema.infer(many).check(now).issues == (("sort", "new_category"),)
    alone = pd.concat([many, pd.DataFrame({"sort": ["rare"]})], ignore_index=True)
    assert Schema.infer(alone).check(now).issues == (), "one category stood there once: there may be others"
    flood = pd.DataFrame({"sort": ["a"] * 80 + ["c"] * 20})
    assert Schema.infer(few).check(flood).issues == (("sort", "new_category"),)


def test_a_truth_value_has_no_third_value_and_may_be_rare():
    rare = pd.DataFrame({"bruised": [True, *[False] * 199]})
    assert Schema.infer(rare.tail(199)).check(rare).issues == ()
    assert Schema.infer(rare).check(rare.tail(199)).issues == (), "one true value in 200 may not come again"
    common = pd.DataFrame({"bruised": [True, False] * 100})
    assert Schema.infer(common).check(rare.tail(199)).issues == (("bruised", "constant"),)


def test_one_missing_value_in_a_small_table_is_a_note():
    def rows(empty, count):
        numbers = np.arange(float(count))
        return pd.DataFrame({"crate": numbers, "mass": np.where(numbers < empty, np.nan, numbers)})

    schema = Schema.infer(rows(0, 200))
    assert [each.ok for each in schema.check(rows(1, 60)).findings] == [True, None]
    assert schema.check(rows(9, 60)).issues == (("mass", "missing"),)


def test_more_rows_have_more_equal_rows_and_that_is_no_fault():
    def rows(seed, count):
        rng = np.random.default_rng(seed)
        return pd.DataFrame(
            {"sort": rng.choice(list("abcdefgh"), count), "size": rng.integers(0, 200, count)}
        )

    schema = Schema.infer(rows(0, 200))
    assert rows(1, 2000).duplicated().mean() > 3 * rows(0, 200).duplicated().mean()
    assert schema.check(rows(1, 2000)).issues == ()
    planted = pd.concat([rows(2, 200), rows(2, 200).head(100)])
    assert schema.check(planted).issues == (("", "duplicate_rows"),)


def test_one_row_is_not_constant_and_huge_numbers_do_no_harm():
    assert Schema.infer(_rows(0)).check(_rows(1).head(1)).issues == ()
    huge = pd.DataFrame({"mass": [1e308, -1e308, 0.0, 5.0] * 50})
    assert Schema.infer(huge).check(huge).ok


def test_counts_that_happened_to_be_small_may_be_larger_in_more_rows():
    rng = np.random.default_rng(0)
    schema = Schema.infer(
        pd.DataFrame({"bruises": np.minimum(rng.poisson(0.2, 200), 1), "mass": rng.random(200)})
    )
    now = pd.DataFrame({"bruises": rng.poisson(0.2, 2000), "mass": rng.random(2000)})
    assert (now["bruises"] > 1).sum() == 20
    assert schema.check(now).issues == ()
    assert schema.check(now.replace({"bruises": {3: 9999}})).issues == (("bruises", "out_of_range"),)
