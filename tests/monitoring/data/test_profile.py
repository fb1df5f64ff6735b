"""Profiles: parts merge to the whole, files are read back, and broken ones are refused."""

import json

import numpy as np
import pandas as pd
import pytest

from mlops_lab import monitoring

Profile = monitoring.Profile


def _table(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "bell": rng.normal(size=n),
            "heavy": rng.standard_cauchy(n),
            "far": 1.7e9 + rng.uniform(0, 1e5, n),
            "count": rng.poisson(3, n),
            "sort": rng.choice(["a", "b", "c"], n),
            "name": [f"crate-{i}" for i in range(n)],
        }
    )
    table.loc[rng.random(n) < 0.1, "bell"] = np.nan
    return table


def test_chunks_and_partitions_merge_to_what_the_whole_gives():
    table = _table()
    whole = Profile.fit(table)
    parts = [Profile.fit(table.iloc[start : start + 3000]) for start in range(0, 20_000, 3000)]
    for order in (parts, parts[::-1]):
        merged = order[0]
        for part in order[1:]:
            merged = merged.merge(part)
        assert merged == whole


def test_partitions_of_dask_merge_to_the_same():
    delayed = pytest.importorskip("dask").delayed
    table = _table(4000)
    parts = [delayed(Profile.fit)(table.iloc[start::4]) for start in range(4)]
    left, right = (delayed(Profile.merge)(*parts[place : place + 2]) for place in (0, 2))
    assert delayed(Profile.merge)(left, right).compute(scheduler="synchronous") == Profile.fit(table)


def test_drift_from_a_file_decides_as_drift_from_rows(tmp_path):
    before, same, now = _table(seed=1), _table(seed=2), _table(seed=3)
    now = now.assign(bell=now["bell"] + 0.2, sort="a")
    profile = Profile.load(Profile.fit(before).save(tmp_path / "p.json"))
    assert profile == Profile.fit(before)
    for current in (same, now):
        for other in (current, Profile.fit(current)):
            one, two = monitoring.drift(before, current), monitoring.drift(profile, other)
            assert one.drifted == two.drifted
            assert np.allclose(one.table["effect"], two.table["effect"], atol=0.004)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held | {"format": "other"}, "Profile.save"),
        (lambda held: held | {"version": 99}, "99"),
        (lambda held: held | {"rows": 7}, "damaged"),
        (lambda held: held | {"columns": {"a": {}}}, "damaged"),
        (lambda held: held | {"columns": 3}, "damaged"),
    ],
)
def test_damaged_and_foreign_files_are_refused(tmp_path, change, said):
    file = Profile.fit(pd.DataFrame({"a": [1, 2]})).save(tmp_path / "p.json")
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(ValueError, match=said):
        Profile.load(file)


def test_half_a_file_is_refused(tmp_path):
    file = Profile.fit(pd.DataFrame({"a": [1, 2]})).save(tmp_path / "p.json")
    file.write_text(file.read_text()[:40])
    with pytest.raises(ValueError, match="no profile"):
        Profile.load(file)


def test_other_columns_or_kinds_do_not_merge():
    one = Profile.fit(pd.DataFrame({"a": [1]}))
    for other, said in ((pd.DataFrame({"b": [1]}), "'a', 'b'"), (pd.DataFrame({"a": ["x"]}), "numbers")):
        with pytest.raises(ValueError, match=said):
            one.merge(Profile.fit(other))
    assert one.merge(Profile.fit(pd.DataFrame({"a": [None]}))).columns["a"].missing == 1
