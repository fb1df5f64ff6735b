"""The same values in another storage are no drift, and a shift is found in every storage."""

import datetime as dt
import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mlops_lab import monitoring
from mlops_lab.monitoring import Profile, Schema


def _every(values, *also):
    """Store values in the ways that any column can be."""
    plain = pd.Series(values)
    return {
        "plain": plain,
        "objects": pd.Series(list(values), dtype=object),
        "texts": plain.astype(str),
        "text objects": pd.Series([str(each) for each in plain], dtype=object),
        "categories": plain.astype("category"),
        "text categories": plain.astype(str).astype("category"),
        **dict(also),
    }


def _numbers(values):
    whole = (np.asarray(values) == np.round(values)).all()
    decimals = [Decimal(repr(each)) for each in np.asarray(values).tolist()]
    mixed = [
        (int(each) if whole else float(each), str(each), Decimal(str(each)))[i % 3]
        for i, each in enumerate(values)
    ]
    also = {
        "decimals": pd.Series(decimals),
        "float32": pd.Series(values, dtype="float32"),
        "nullable": pd.Series(values, dtype="Int64" if whole else "Float64"),
        "float texts": pd.Series(values, dtype=float).astype(str),
        "mixed": pd.Series(mixed, dtype=object),
        "padded": pd.Series([f" {each}" for each in values]),
    }
    return _every(values, *also.items())


def _truths(values):
    also = {
        "numbers": pd.Series(values).astype(int),
        "floats": pd.Series(values).astype(float),
        "nullable": pd.Series(values, dtype="boolean"),
        "lower": pd.Series(values).astype(str).str.lower(),
        "digits": pd.Series(values).astype(int).astype(str),
    }
    return _every(values, *also.items())


def _texts(values):
    apart = pd.Series([unicodedata.normalize("NFD", each) for each in values])
    return _every(values, ("apart", apart), ("padded", pd.Series([f"{each}  " for each in values])))


RNG = np.random.default_rng(0)
ROWS = 300
BLANKS = np.arange(ROWS) % 7 == 0
KINDS = {
    "wide": (_numbers, RNG.integers(0, 200, ROWS), lambda v: v + 90),
    "codes": (_numbers, RNG.integers(1, 4, ROWS), lambda v: np.minimum(v + 1, 3)),
    "readings": (_numbers, RNG.normal(10, 2, ROWS).round(3), lambda v: (v + 2).round(3)),
    "tenths": (_numbers, RNG.choice([0.1, 0.2, 0.3], ROWS), lambda v: np.where(v < 0.15, 0.3, v)),
    "truths": (_truths, RNG.random(ROWS) < 0.4, lambda v: v | (np.arange(ROWS) < 150)),
    "words": (
        _texts,
        RNG.choice(["\u00e9t\u00e9", "\u00f6l", "a"], ROWS),
        lambda v: np.where(np.arange(ROWS) < 150, "a", v),
    ),
}


def _table(series):
    return pd.DataFrame({"x": series})


def _row(before, now):
    return monitoring.drift(before, now).table.iloc[0]


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_storage_is_no_drift_and_a_shift_is_found_in_every_storage(kind, blank):
    stored, values, moved = KINDS[kind]
    tables = [
        {name: _table(series.mask(BLANKS) if blank else series) for name, series in stored(each).items()}
        for each in (values, moved(values))
    ]
    then, now = tables
    effect = _row(then["plain"], now["plain"])["effect"]
    learned = Schema.infer(then["plain"])
    for name in then:
        for one, other in ((then["plain"], then[name]), (then[name], then["plain"])):
            same = _row(one, other)
            assert (same["verdict"], same["effect"]) == ("no drift", 0.0), name
        for one, other in ((then["plain"], now[name]), (then[name], now["plain"])):
            row = _row(one, other)
            assert row["verdict"] == "drifted", name
            assert row["effect"] == pytest.approx(effect, abs=1e-9), name
        profile = _row(Profile.fit(then[name]), Profile.fit(now["plain"]))
        assert (profile["verdict"], profile["effect"]) == ("drifted", pytest.approx(effect, abs=0.004)), name
        written = kind not in ("words", "truths") and ("text" in name or name in ("padded", "mixed"))
        assert learned.check(then[name]).issues == ((("x", "dtype"),) if written else ()), name
        assert Schema.infer(then[name]).check(then["plain"]).issues == (), name


@pytest.mark.parametrize("later", [0, 200])
def test_dates_are_set_aside_and_said_so_however_they_are_stored(later):
    def stored(first):
        days = [first + dt.timedelta(i % 28) for i in range(ROWS)]
        moments = pd.Series(pd.to_datetime(days))
        return {
            "moments": moments,
            "dates": pd.Series(days, dtype=object),
            "texts": pd.Series([each.isoformat() for each in days]),
            "periods": pd.Series(pd.PeriodIndex(moments, freq="D")),
            "zone": moments.dt.tz_localize("UTC"),
            "categories": moments.astype("category"),
        }

    day = dt.date(2024, 1, 1)
    then, now = stored(day), stored(day + dt.timedelta(later))
    for name, series in now.items():
        before = pd.DataFrame({"x": then["texts"], "still": 1.0})
        after = pd.DataFrame({"x": series, "still": 1.0})
        report = monitoring.drift(before, after)
        assert report.headline() == "None of 1 compared columns is seen to have drifted. Not decided: x."
        assert report.table["verdict"].tolist() == ["not decided", "no drift"]
        assert "Not compared: x." in monitoring.joint_drift(before, after).headline()
        assert Schema.infer(before).check(after).issues == (), name


def test_ids_that_are_all_others_are_not_decided_and_a_flood_of_new_categories_is_drift():
    ids = [[f"id{i}" for i in range(start, start + 2000)] for start in (0, 2000)]
    before, now = (pd.DataFrame({"id": each, "still": 1.0}) for each in ids)
    report = monitoring.drift(before, now)
    assert report.table["verdict"].tolist() == ["not decided", "no drift"]
    assert report.headline() == "None of 1 compared columns is seen to have drifted. Not decided: id."
    assert monitoring.drift(before[["id"]], now[["id"]]).ok is None
    assert "Not compared: id" in monitoring.joint_drift(before, now).headline()
    half = pd.DataFrame({"id": [*ids[0][:1000], *ids[1][:1000]]})
    assert monitoring.drift(before[["id"]], half).table["verdict"].item() == "not decided"
    many = pd.DataFrame({"id": [f"kind {i % 500}" for i in range(5000)]})
    new = pd.DataFrame({"id": [f"other {i % 100}" for i in range(200)]})
    assert monitoring.drift(many, new).drifted == ("id",)
    assert monitoring.drift(before[["id"]], pd.DataFrame({"id": ["a"] * 20})).drifted == ("id",)


def test_rare_categories_of_one_source_are_seldom_called_new():
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng([5, seed])
        before, now = (pd.DataFrame({"x": rng.integers(0, 3000, n).astype(str) + "k"}) for n in (2000, 1000))
        alarms += bool(monitoring.drift(before, now).drifted)
    assert alarms <= 6


def test_lists_and_structs_are_named_and_not_compared():
    before = pd.DataFrame({"tags": [["a"], ["b"]] * 60, "place": [{"x": 1}] * 120, "still": range(120)})
    now = before.assign(tags=[["c"], ["d"]] * 60)
    assert monitoring.drift(before, now).headline().endswith("Not decided: tags, place.")
    assert monitoring.joint_drift(before, now).headline().endswith("Not compared: tags, place.")
    assert (
        monitoring.segment_drift(before.assign(by="a"), now.assign(by="a"), by="by")
        .headline()
        .endswith("Not decided: tags, place.")
    )
    report = Schema.infer(before).check(now.assign(new=1))
    assert report.headline() == "No fault was found. Not checked: tags, place, new."


def test_arrows_nested_columns_are_named_and_not_compared():
    pa = pytest.importorskip("pyarrow")
    kinds = (([[1], [2]], pa.list_(pa.int64())), ([{"a": 1}, {"a": 2}], pa.struct([("a", pa.int64())])))
    for cells, arrow in kinds:
        table = _table(pd.Series(cells * 60, dtype=pd.ArrowDtype(arrow)))
        assert monitoring.drift(table, table).headline() == "No column could be compared. Not decided: x."
        assert Profile.fit(table).columns["x"].kind == "nested"
        assert Schema.infer(table).check(table).headline() == "No fault was found. Not checked: x."
        assert monitoring.joint_drift(table, table).headline().endswith("Not compared: x.")


def test_slices_are_the_same_however_their_names_are_stored():
    rng = np.random.default_rng(3)
    before = pd.DataFrame({"by": [1, 2, None] * 200, "x": rng.normal(size=600)})
    now = before.assign(by=pd.Series([1, 2, None] * 200, dtype="Int64").astype("category"), x=before["x"] + 1)
    report = monitoring.segment_drift(before, now, by="by")
    assert {segment for segment, _ in report.slices} == {"1", "2"}
    assert report.headline().endswith("400 rows without a value of by are in no slice.")
    apart = monitoring.segment_drift(before, now.assign(x=None), by="by", columns=["x"])
    assert "0 of" not in apart.headline()


def test_a_batch_of_codes_may_hold_digits_alone():
    mixed, digits = pd.DataFrame({"x": ["A1", "12", "13"] * 60}), pd.DataFrame({"x": ["12", "13"] * 60})
    assert Schema.infer(mixed).check(digits).issues == ()
    assert "held" not in monitoring.drift(mixed, digits).table["reason"].item()
    whole = Profile.fit(pd.concat([mixed, digits], ignore_index=True))
    parts = Profile.fit(digits), Profile.fit(mixed)
    assert parts[0].merge(parts[1]) == parts[1].merge(parts[0]) == whole


def test_a_profile_of_any_storage_is_read_back_and_merges(tmp_path):
    for values in (
        [Decimal("1.5"), None],
        ["2", "x"],
        ["2024-01-01"],
        [True, None],
        [[1]],
        np.float32([0.1]),
    ):
        profile = Profile.fit(_table(pd.Series(values)))
        assert Profile.load(profile.save(tmp_path / "p.json")) == profile
    flags, numbers = Profile.fit(_table(pd.Series([True, False]))), Profile.fit(_table(pd.Series([0, 1])))
    both = flags.merge(numbers)
    assert both == numbers.merge(flags) == Profile.fit(_table(pd.Series([0, 0, 1, 1])))
    assert (both.columns["x"].lowest, both.columns["x"].highest) == (0.0, 1.0)


def test_distances_read_columns_by_what_they_mean():
    assert monitoring.psi([1, 2, 2], ["1", "2.0", " 2"]) == 0.0
    assert monitoring.wasserstein([Decimal(1), Decimal(3)], ["2", "4"]) == 1.0
    assert monitoring.jensen_shannon([True, False], np.array([1, 0])) == 0.0
