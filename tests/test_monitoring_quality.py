"""Each planted fault is found by its name, and good rows have none."""

import numpy as np
import pandas as pd
import pytest

from mlops_lab.monitoring import Schema


def _rows(seed, n=2000):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"mass": rng.normal(150, 10, n), "tail": rng.lognormal(0, 1.5, n), "sort": rng.choice(["a", "b"], n)}
    )
    table.loc[rng.random(n) < 0.03, "mass"] = np.nan
    return table


def test_good_rows_have_no_faults():
    found = [Schema.infer(_rows(seed)).check(_rows(seed + 100)).issues for seed in range(40)]
    assert sum(map(bool, found)) <= 2


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
