"""versioning: cut by content, keep, give back exactly, name what is meant, refuse what cannot come back."""

import datetime
import decimal
import hashlib
import json

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mlops_lab import versioning, worlds
from mlops_lab.artifacts import UntrustedModelError, frame_hash, model_hash
from mlops_lab.versioning.packfiles import compress, decompress


@pytest.fixture
def store(tmp_path):
    return versioning.Store(tmp_path / "store")


def crates(rows=2000, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "crate": np.arange(rows),
            "weight_kg": rng.normal(18, 2, rows).round(1),
            "firmness": rng.normal(size=rows),
            "scanner": rng.choice(["belt", "handheld"], rows),
            "grade": pd.Categorical(rng.choice(worlds.GRADES, rows)),
        }
    )


# --- where to cut ------------------------------------------------------------------------------------------

BYTES = st.one_of(
    st.binary(max_size=3000),
    st.builds(
        lambda seed, size: np.random.default_rng(seed).bytes(size), st.integers(0, 99), st.integers(0, 9000)
    ),
    st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=9), st.integers(0, 900)),
)


def cut_by_the_definition(data, average=8192, step=1):
    """Say where pieces end, byte by byte, in the words of the idea."""
    hard, easy = 2**32 * step // (4 * average), min(4 * 2**32 * step // average, 2**32 - 1)
    ends, start = [], 0
    while start < len(data):
        fingerprint = 0
        for end in range(start + 1, min(start + 4 * average, len(data)) + 1):
            fingerprint = (fingerprint * 2 + versioning.GEAR[data[end - 1]]) % 2**32
            length = end - start
            small = fingerprint < (hard if length < average else easy)
            if small and length >= average // 4 and length % step == 0:
                break
        ends.append(end)
        start = end
    return ends


@settings(deadline=None, max_examples=150)
@given(BYTES, st.sampled_from([256, 512, 1024]), st.sampled_from([1, 2, 4, 8, 32]))
def test_the_fast_cut_is_the_readable_cut(data, average, step):
    ends = versioning.cut(data, average=average, step=step)
    assert ends == cut_by_the_definition(data, average=average, step=step)
    pieces = np.diff([0, *ends])
    assert (ends[-1] if ends else 0) == len(data)
    assert all(pieces[:-1] >= average // 4) and all(pieces <= average * 4)
    assert all(end % step == 0 for end in ends[:-1])


@pytest.mark.parametrize("place", [0, 131_071, 131_072, 131_073, 262_144 + 31])
def test_the_fast_cut_sees_across_its_blocks(place):
    data = np.random.default_rng(place).bytes(300_000)
    shifted = data[place:] + data[:place]
    for step in (1, 8):
        assert versioning.cut(shifted, step=step) == cut_by_the_definition(shifted, step=step)


def test_a_byte_put_in_front_moves_few_cuts():
    data = np.random.default_rng(1).bytes(500_000)
    old, new = versioning.cut(data), versioning.cut(b"x" + data)
    assert len({end + 1 for end in old} & set(new)) >= len(old) - 3


def test_pieces_are_of_the_average_length_within_a_quarter():
    data = np.random.default_rng(2).bytes(4_000_000)
    for average in (1024, 8192):
        assert np.mean(np.diff([0, *versioning.cut(data, average=average)])) == pytest.approx(
            average, rel=0.25
        )


@pytest.mark.parametrize(("average", "step"), [(0, 1), (128, 1), (-8, 1), (8192, 0), (1000, 3)])
def test_an_average_that_makes_no_sense_is_refused(average, step):
    with pytest.raises(ValueError, match="average"):
        versioning.cut(b"crates", average=average, step=step)


# --- in how few bytes --------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.lists(st.floats(width=64), max_size=40).map(lambda held: np.array(held, "<f8")),
    st.lists(st.integers(-(10**6), 10**6), max_size=40).map(lambda held: np.array(held, "<f8") / 100),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40).map(lambda held: np.array(held, "<i8")),
)


@settings(deadline=None, max_examples=100)
@given(NUMBERS, st.sampled_from([1, 2, 4, 8]))
def test_what_is_compressed_comes_back_bit_by_bit(numbers, width):
    piece = numbers.tobytes()
    assert decompress(compress(piece, width), len(piece)) == piece


@pytest.mark.parametrize(
    "values",
    [
        [0.1, np.nan, -3.5],
        [-0.0, 1.0],
        [np.inf, 1.5],
        [-(2.0**52), 0.5],
        [2.0**52, -(2.0**52)],
        [1e300, 5e-324],
        [float(2**40), 0.25],
        [np.nan] * 5,
        [],
    ],
)
def test_unusual_decimals_come_back_bit_by_bit(values):
    piece = np.array(values * 30, "<f8").tobytes()
    assert decompress(compress(piece, 8), len(piece)) == piece


# --- tables ------------------------------------------------------------------------------------------------

NOON = pd.Timestamp("2026-09-01 12:00")
TABLES = {
    "plain": crates(50),
    "no rows": crates(0),
    "no columns": pd.DataFrame(index=["a", "b"]),
    "nothing": pd.DataFrame(),
    "numbers": pd.DataFrame(
        {kind: np.arange(5).astype(kind) for kind in ("i1", "u2", "i4", "u8", "f2", "f4", "c8", "c16")}
    ),
    "booleans": pd.DataFrame({"a": [True, False], "b": pd.array([True, None], dtype="boolean")}),
    "missing": pd.DataFrame(
        {
            "a": [1.5, np.nan],
            "b": pd.array([1, None], dtype="Int64"),
            "c": pd.array([1.5, None], dtype="Float32"),
        }
    ),
    "text": pd.DataFrame({"a": ["x", None, "", "ü\n\\n\\", "a\0b"], "b": ["", "", "1", "\ud800", "z"]}),
    "text of NA": pd.DataFrame({"a": pd.array(["x", None], dtype=pd.StringDtype("python"))}),
    "objects": pd.DataFrame(
        {
            "a": pd.Series(
                [
                    *(
                        "x",
                        None,
                        pd.NA,
                        pd.NaT,
                        np.nan,
                        3,
                        2**80,
                        True,
                        1.5,
                        b"\0\n",
                        2j,
                        (1, ("y", None)),
                        -0.0,
                    ),
                    *(
                        decimal.Decimal("1.50"),
                        datetime.date(2026, 9, 1),
                        datetime.time(12, 30),
                        NOON,
                        "\\\n",
                    ),
                    *(
                        datetime.datetime(2026, 9, 1, 12),
                        datetime.timedelta(1, 2, 3),
                        pd.Timedelta("1s"),
                        np.int8(4),
                    ),
                    *(NOON.tz_localize("Europe/Berlin"), NOON.tz_localize("UTC").as_unit("s")),
                ],
                dtype=object,
            )
        }
    ),
    "dates": pd.DataFrame(
        {
            "s": pd.to_datetime(["2026-09-01", None]).astype("datetime64[s]"),
            "ns": pd.to_datetime(["1700-01-01", None]).astype("datetime64[ns]"),
            "zone": pd.to_datetime(["2026-10-25 00:30", "2026-10-25 01:30"], utc=True).tz_convert(
                "Europe/Berlin"
            ),
            "offset": pd.to_datetime(["2026-09-01T12:00+02:00", None]),
            "span": pd.to_timedelta([1, None], unit="s"),
        }
    ),
    "categories": pd.DataFrame(
        {
            "a": pd.Categorical(["x", None, "y"], categories=["y", "x", "unused"], ordered=True),
            "b": pd.Categorical([3, 4, 3]),
            "c": pd.Categorical([NOON, NOON, None]),
            "d": pd.Categorical([None, None, None]),
        }
    ),
    "index": crates(5).set_index("scanner"),
    "named range": crates(5).rename_axis("place").iloc[1::2],
    "levels": crates(9).set_index(["grade", "crate"]),
    "dates as index": pd.DataFrame(
        {"a": range(3)}, index=pd.date_range("2026-09-01", periods=3, freq="D", name="day")
    ),
    "zones as index": pd.DataFrame(
        {"a": range(3)}, index=pd.date_range("2026-09-01", periods=3, freq="h", tz="Europe/Berlin")
    ),
    "column levels": pd.DataFrame(
        [[1, 2.5]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")], names=["p", "q"])
    ),
    "odd columns": pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", 3, ("b", None)]),
    "counted columns": pd.DataFrame([[1, 2]]),
    "strided": crates(20).iloc[::-2],
}


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize("chunked", [True, False])
def test_a_table_comes_back_exactly(tmp_path, what, chunked):
    table = TABLES[what]
    store = versioning.Store(tmp_path / "store", chunked=chunked)
    version = store.commit(table, "crates")
    back = versioning.Store(tmp_path / "store").load(version)
    pd.testing.assert_frame_equal(back, table)
    assert [type(one) for one in back.to_numpy().ravel()] == [
        type(one) for one in table.to_numpy().ravel()
    ] or (
        what == "objects" and [type(one) for one in back["a"]][:-3] == [type(one) for one in table["a"]][:-3]
    )
    if what not in ("objects", "numbers", "text of NA"):  # kinds that the hash refuses or names otherwise
        assert frame_hash(back) == frame_hash(table)


def test_a_large_table_of_text_and_numbers_comes_back(store):
    table = crates(60_000)
    pd.testing.assert_frame_equal(store.load(store.commit(table, "crates")), table)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.floats(), st.integers(-(2**63), 2**63 - 1), st.text(), st.none() | st.text() | st.integers()
        ),
        max_size=30,
    )
)
def test_any_table_comes_back(tmp_path_factory, rows):
    table = pd.DataFrame(rows, columns=["float", "whole", "text", "mixed"]).astype(
        {"mixed": object, "text": "str"}
    )
    store = versioning.Store(tmp_path_factory.mktemp("any") / "store")
    pd.testing.assert_frame_equal(store.load(store.commit(table, "crates")), table)


def test_bytes_do_not_depend_on_memory_or_on_the_nan(store):
    table = crates(300)
    table.loc[3, "firmness"] = np.nan
    other = table.copy()
    strange = np.array([0x7FF8000000000123], dtype="<u8").view("<f8")[0]
    other["firmness"] = np.where(other["firmness"].isna(), strange, other["firmness"])
    assert store.commit(table, "crates") == store.commit(other.iloc[:, ::-1].iloc[:, ::-1], "crates")


@pytest.mark.parametrize("cell", [["a"], {"a": 1}, {1}, object(), Ridge(), np.array([1])])
def test_cells_without_an_exact_form_are_refused(store, cell):
    table = pd.DataFrame({"odd": pd.Series(["x", cell], dtype=object)})
    with pytest.raises(TypeError, match=f"'odd' holds a {type(cell).__name__}.*keep numbers"):
        store.commit(table, "crates")
    assert len(store.log()) == 0


def test_columns_without_an_exact_form_are_refused(store):
    local = pd.to_datetime(["2026-09-01"] * 2).tz_localize(dateutil.tz.tzlocal())
    for column in (
        local,
        pd.period_range("2026", periods=2),
        pd.interval_range(0, 2),
        pd.arrays.SparseArray([0, 1]),
    ):
        with pytest.raises(TypeError, match="column 'odd'"):
            store.commit(pd.DataFrame({"odd": column}), "crates")


# --- what two versions share -------------------------------------------------------------------------------


def _added(store, table, name="crates"):
    before = store.bytes()
    store.commit(table, name)
    return store.bytes() - before


def test_versions_share_what_they_have_in_common(store):
    table = crates(50_000)
    first = _added(store, table)
    rng = np.random.default_rng(1)
    edited = table.copy()
    edited.loc[rng.choice(50_000, 500, replace=False), "weight_kg"] = 17.5
    appended = pd.concat([table, crates(500, seed=1)], ignore_index=True)
    deleted = table.drop(index=range(20_000, 20_500)).reset_index(drop=True)
    assert _added(store, edited) < first / 8  # one column of five, and that of few decimals
    assert _added(store, appended) < first / 8
    assert _added(store, deleted) < first / 8
    for number, one in enumerate((table, edited, appended, deleted), start=1):
        pd.testing.assert_frame_equal(store.load(f"crates@{number}"), one, check_dtype=True)


def test_whole_files_share_all_or_nothing(tmp_path):
    store = versioning.Store(tmp_path / "store", chunked=False)
    path = tmp_path / "crates.csv"
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    first = _added(store, path, "file")
    assert _added(store, path, "copy") < 2_000
    path.write_bytes(path.read_bytes() + b"x")
    assert _added(store, path, "file") > first * 0.9


def test_files_of_several_blocks_are_cut_as_if_read_at_once(store, tmp_path, monkeypatch):
    path = tmp_path / "crates.bin"
    path.write_bytes(np.random.default_rng(3).bytes(300_000))
    whole = store.commit(path, "file")
    monkeypatch.setattr("mlops_lab.versioning.serialization._BLOCK", 7_001)
    again = versioning.Store(tmp_path / "other").commit(path, "file")
    assert again == whole
    assert store.load("file") == path.read_bytes()
    assert store.load("file", to=tmp_path / "back.bin").read_bytes() == path.read_bytes()


def test_empty_things_have_versions(store, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert store.load(store.commit(tmp_path / "empty", "file")) == b""
    assert store.load(store.commit({}, "settings")) == {}


# --- parameters and models ---------------------------------------------------------------------------------


def test_parameters_come_back_as_they_were(store):
    held = {"depth": 3, "rate": 0.1, "names": ["a", None], "deep": {"on": True, "gone": float("inf")}}
    assert store.load(store.commit(held, "settings")) == held
    assert store.commit(dict(reversed(held.items())), "settings").number == 1  # order is no content
    assert store.load(store.commit({"depth": np.int64(4)}, "settings")) == {"depth": 4}
    assert np.isnan(store.load(store.commit({"x": float("nan")}, "settings"))["x"])


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, {1}, b"x", Ridge(), datetime.date(2026, 9, 1)])
def test_parameters_that_would_change_are_refused(store, value):
    with pytest.raises(TypeError, match=r"'deep'.*JSON"):
        store.commit({"deep": value}, "settings")


def test_a_model_is_known_by_its_content(store):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    version = store.commit(model, "grader")
    assert version.kind == "pipeline" and version.content == model_hash(model)
    before = store.bytes()
    assert store.commit(model, "grader") == version
    assert store.commit(model, "copy").content == version.content
    store.gc()
    assert store.bytes() < before + 2_000
    assert store.load("copy").predict([[0.9]]) == [1]


def test_a_model_of_unnamed_types_is_loaded_only_when_they_are_trusted(store):
    tree = store.commit(DecisionTreeClassifier().fit([[0], [1]], [0, 1]), "tree")
    with pytest.raises(UntrustedModelError, match=r"sklearn\.tree\._tree\.Tree"):
        store.load(tree)
    assert store.load(tree, trusted=["sklearn.tree._tree.Tree"]).predict([[1]]) == [1]


def test_things_without_versions_are_refused(store):
    for thing in ("crates.csv", 3, [1], None, Ridge, np.array([1])):
        with pytest.raises(TypeError, match="has no versions here"):
            store.commit(thing, "thing")
    with pytest.raises(FileNotFoundError):
        store.commit(store.folder / "none.csv", "thing")
    with pytest.raises(ValueError, match="is a folder"):
        store.commit(store.folder, "thing")
    with pytest.raises(ValueError, match="labels"):
        store.commit({"a": 1}, "thing", labels=pd.Series([1]))
    with pytest.raises(ValueError, match="index"):
        store.commit(crates(2), "thing", labels=pd.Series([1]))


# --- names -------------------------------------------------------------------------------------------------


def test_equal_work_gives_equal_ids(tmp_path):
    ids = [versioning.Store(tmp_path / name).commit(crates(), "crates", "why").id for name in ("a", "b")]
    assert ids[0] == ids[1]
    files = list((tmp_path / "a" / "versions").iterdir())
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == ids[:1]


def test_a_version_is_found_by_every_name_it_has(store):
    first = store.commit({"depth": 3}, "settings", "first")
    second = store.commit({"depth": 4}, "settings", "second")
    store.point("champion", first)
    for ref in (first, first.id, first.id[:6], "settings@1", "champion"):
        assert store.find(ref) == first
    assert store.find("settings") == second and second.parent == first.id
    assert repr(second) == f"settings@2 (params, {second.id[:12]}): second"
    assert store.log("settings")["message"].tolist() == ["first", "second"]
    assert store.commit({"depth": 3}, "settings", parents=[first]).parents == (first.id,)


def test_unknown_versions_name_the_near_ones(store):
    with pytest.raises(KeyError, match="none yet"):
        store.load("crates")
    store.commit({"depth": 3}, "settings")
    store.point("champion", "settings")
    for ref, near in (
        ("setings", "settings"),
        ("settings@7", "settings@1"),
        ("chmpion", "champion"),
        ("0123abcd", "settings"),
    ):
        with pytest.raises(KeyError, match=near):
            store.load(ref)
    for ref in ("", "@", "@1", "settings@", "settings@x", "..", "a/b"):
        with pytest.raises(KeyError):
            store.load(ref)
    with pytest.raises(TypeError, match="named by text"):
        store.load(3)
    with pytest.raises(KeyError, match="settings"):
        store.log("setting")
    with pytest.raises(KeyError, match="settings"):
        store.point("champion", "settings@9")


def test_an_ambiguous_start_of_an_id_lists_what_it_may_mean(store, monkeypatch):
    one, other = (store.commit({"depth": depth}, "settings") for depth in (3, 4))
    same = [type(one)(**{**vars(held), "id": "abcd" + held.id[4:]}) for held in (one, other)]
    monkeypatch.setattr(store.manifests, "all", lambda: same)
    with pytest.raises(
        ValueError, match=r"'abcd' begins the id of 2 versions: abcd.*settings@1.*more digits"
    ):
        store.find("abcd")
    with pytest.raises(KeyError):
        store.find("abc")


@pytest.mark.parametrize("name", ["a/b", "..", "../a", "a\\b", "", ".a", "con", "a b", "crates@1", "x" * 101])
def test_names_that_are_no_file_names_are_refused(store, name):
    with pytest.raises(ValueError, match="not accepted"):
        store.commit({"depth": 3}, name)
    store.commit({"depth": 3}, "settings")
    with pytest.raises(ValueError, match="not accepted"):
        store.point(name, "settings")


def test_aliases_are_moved_and_never_mistaken_for_names(store):
    one, other = (store.commit({"depth": depth}, "settings") for depth in (3, 4))
    store.promote(one)
    store.promote(other)
    assert store.aliases == {"champion": other.id, "previous": one.id}
    assert store.rollback() == one
    with pytest.raises(ValueError, match="'settings' is the name of versions"):
        store.point("settings", one)
    with pytest.raises(ValueError, match="'champion' is an alias"):
        store.commit({"depth": 5}, "champion")
    assert store.verify().ok


# --- folders -----------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no store and not empty: 'thesis\.txt'"):
        versioning.Store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ValueError, match="is a file"):
        versioning.Store(tmp_path / "thesis.txt")


def test_a_store_of_a_newer_form_or_another_mode_is_refused(tmp_path):
    versioning.Store(tmp_path / "store", chunked=False)
    assert versioning.Store(tmp_path / "store").chunked is False
    with pytest.raises(ValueError, match="chunked=False"):
        versioning.Store(tmp_path / "store", chunked=True)
    mark = tmp_path / "store" / "store.json"
    mark.write_text(json.dumps({"form": 2, "chunked": True}), encoding="utf-8")
    with pytest.raises(ValueError, match="form 2, and this program reads form 1"):
        versioning.Store(tmp_path / "store")
    mark.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        versioning.Store(tmp_path / "store")


def test_a_version_of_a_newer_form_says_so(store):
    store.commit({"depth": 3}, "settings")
    path = next((store.folder / "versions").iterdir())
    content = path.read_bytes().replace(b'"form": 1', b'"form": 2')
    path.unlink()
    path.with_name(f"settings@1.{hashlib.sha256(content).hexdigest()[:24]}.version").write_bytes(content)
    with pytest.raises(ValueError, match="form 2"):
        versioning.Store(store.folder).load("settings@1")
