"""versioning: what differs between versions, and what made them, held against what the test did itself."""

import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.linear_model import Ridge

from mlops_lab import versioning, worlds
from mlops_lab.versioning.diffs import compare_frames


def crates(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    table = {"crate": np.arange(rows) + 1000 * seed, "weight_kg": rng.normal(18, 2, rows).round(1)}
    return pd.DataFrame(table | {"grade": rng.choice(worlds.GRADES, rows)})


@pytest.fixture
def store(tmp_path):
    return versioning.Store(tmp_path / "store")


# --- differences -------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(["key", "index", "content"]))
def test_the_difference_is_what_was_done(seed, by):
    rng = np.random.default_rng(seed)
    before = crates(60)
    gone = set(rng.choice(60, rng.integers(0, 9), replace=False).tolist())
    stay = [row for row in range(60) if row not in gone]
    after = before.iloc[stay].copy()
    relabelled = rng.choice(stay, rng.integers(0, 9), replace=False)
    new = crates(int(rng.integers(0, 9)), seed=1)
    moves = {}
    for row in relabelled:
        was = before.loc[row, "grade"]
        after.loc[row, "grade"] = rng.choice([grade for grade in worlds.GRADES if grade != was])
        move = (was, after.loc[row, "grade"])
        moves[move] = moves.get(move, 0) + 1
    after = pd.concat([after, new], ignore_index=True)
    if by == "index":
        before, after = before.set_index("crate"), after.set_index("crate")
    diff = compare_frames(before, after, key="crate" if by == "key" else None, label="grade")
    if by == "content":  # gaps of unequal length are not guessed at, so some changes count as gone and come
        assert diff.rows_added - diff.rows_removed == len(new) - len(gone)
        assert diff.rows_changed + diff.rows_removed <= len(gone) + len(relabelled)
        return
    assert (diff.rows_added, diff.rows_removed, diff.rows_changed) == (len(new), len(gone), len(relabelled))
    assert set(diff.added) == set(new["crate"]) and set(diff.removed) == gone
    assert set(diff.changed) == set(relabelled)
    assert diff.labels_changed == len(relabelled)
    assert {(a, b): n for a, row in diff.labels.iterrows() for b, n in row.items() if n} == moves
    assert diff.ok is (not new.size and not gone and not len(relabelled))


def test_without_a_key_edits_appends_and_deletes_come_out_right():
    before = crates()
    edited = before.copy()
    edited.loc[[3, 4, 500], "grade"] = "none of these"
    edited.loc[7, "weight_kg"] = np.nan
    diff = compare_frames(before, edited, label="grade")
    assert (diff.rows_added, diff.rows_removed, diff.rows_changed, diff.labels_changed) == (0, 0, 4, 3)
    assert diff.changed.tolist() == [3, 4, 7, 500]
    assert diff.columns.set_index("column")["cells"].to_dict() == {"weight_kg": 1, "grade": 3}
    longer = pd.concat([before, crates(5, seed=1)], ignore_index=True)
    assert compare_frames(before, longer).added.tolist() == list(range(600, 605))
    shorter = before.drop(index=range(100, 150)).reset_index(drop=True)
    assert compare_frames(before, shorter).removed.tolist() == list(range(100, 150))
    assert compare_frames(before, shorter).rows_changed == 0


def test_equal_rows_that_stand_often_are_counted():
    before = pd.DataFrame({"a": [1, 1, 2, 2, 2]})
    diff = compare_frames(before, pd.DataFrame({"a": [1, 2, 2, 2, 2, 2]}))
    assert (diff.rows_added, diff.rows_removed) == (2, 1)


def test_another_order_is_said_and_nothing_else():
    before = crates(50)
    diff = compare_frames(before, before.sample(frac=1, random_state=0).reset_index(drop=True))
    assert {f.code: f.ok for f in diff.findings} == {
        "diff.rows": True,
        "diff.order": False,
        "diff.schema": True,
    }


def test_columns_and_types_are_compared():
    before = crates(20)
    after = before.drop(columns="grade").assign(sweet=1.5, crate=before["crate"].astype("float64"))
    diff = compare_frames(before, after)
    assert diff.columns.set_index("column")["change"].to_dict() == {
        "crate": "type",
        "grade": "removed",
        "sweet": "added",
    }
    assert diff.rows_changed == 0  # 3 and 3.0 are one value
    assert "crate type (int64 to float64)" in diff.headline()
    turned = compare_frames(before, before[["grade", "weight_kg", "crate"]])
    assert turned.columns["change"].tolist() == ["moved"] and turned.rows_changed == 0


def test_missing_cells_are_equal_and_categories_are_compared_by_what_they_say():
    before = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None], "c": pd.Categorical(["u", None])})
    assert compare_frames(before, before.copy()).ok
    after = before.assign(c=pd.Categorical(["u", None], categories=["u", "v"]), a=[np.nan, 1.0])
    diff = compare_frames(before, after)
    assert diff.columns.set_index("column")["cells"].to_dict() == {"a": 2, "c": 0}


def test_keys_that_do_not_name_a_row_are_refused():
    before, after = crates(10), crates(10)
    with pytest.raises(KeyError, match=r"no column 'nr' in both tables; both have: crate, weight_kg, grade"):
        compare_frames(before, after, key="nr")
    with pytest.raises(KeyError, match="no column 'label'"):
        compare_frames(before, after, label="label")
    with pytest.raises(ValueError, match=r"key 'grade' names .* more than once"):
        compare_frames(before, after, key="grade")
    with pytest.raises(ValueError, match="'crate' stands in a table twice"):
        compare_frames(before, pd.concat([after, after[["crate"]]], axis=1))
    assert compare_frames(before, after, key=["crate", "grade"]).ok


@pytest.mark.parametrize("rows", [(0, 0), (0, 5), (5, 0)])
def test_tables_without_rows_are_compared(rows):
    diff = compare_frames(crates(rows[0]), crates(rows[1]), label="grade")
    assert (diff.rows_added, diff.rows_removed, diff.labels_changed) == (rows[1], rows[0], 0)


def test_labels_beside_the_table_are_compared(store):
    table = crates(30)
    labels = table.pop("grade")
    store.commit(table, "crates", labels=labels)
    store.commit(table, "crates", labels=labels.replace("juice", "table"))
    assert store.log().shape[0] == 2
    diff = store.diff("crates@1", "crates@2", key="crate")
    assert diff.labels_changed == (labels == "juice").sum() > 0
    pd.testing.assert_series_equal(store.labels("crates@1"), labels)
    assert store.labels(store.commit(table, "bare")) is None
    pd.testing.assert_frame_equal(store.load("crates@2"), table)


def test_parameters_models_and_files_are_compared(store, tmp_path):
    store.commit({"depth": 3, "old": 1}, "settings")
    store.commit({"depth": 4, "new": 1}, "settings")
    diff = store.diff("settings@1", "settings@2")
    assert diff.columns.set_index("column")["change"].to_dict() == {
        "depth": "values",
        "old": "removed",
        "new": "added",
    }
    for alpha in (1.0, 2.0):
        store.commit(Ridge(alpha=alpha).fit([[0.0], [1.0]], [0.0, 1.0]), "grader")
    assert store.diff("grader@1", "grader@2").columns["after"].tolist() == ["2.0"]
    (tmp_path / "a").write_bytes(b"x")
    store.commit(tmp_path / "a", "file")
    assert store.diff("file", "file").ok
    with pytest.raises(ValueError, match="two of one kind"):
        store.diff("grader", "file")
    with pytest.raises(ValueError, match="are for tables"):
        store.diff("file", "file", key="a")


def test_differences_are_drawn():
    before = crates(40)
    after = before.assign(grade="juice")
    ax = compare_frames(before, after, key="crate", title="crates").plot(ax=Figure().subplots())
    assert [text.get_text() for text in ax.texts][2] == str((before["grade"] != "juice").sum())
    assert compare_frames(before, before).plot(ax=Figure().subplots()).get_ylabel() == "number"


# --- lineage -----------------------------------------------------------------------------------------------


def test_lineage_leads_all_the_way_back(store):
    raw = store.commit(crates(30), "raw")
    clean = store.commit(crates(20), "clean", lineage=versioning.lineage(raw))
    depth = store.commit({"alpha": 2.0}, "settings")
    origin = versioning.lineage({"train": clean, "test": "raw@1"}, params=depth, seed=7)
    model = store.commit(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), "grader", lineage=origin)
    store.promote(model)
    found = store.lineage("champion")
    assert found.nodes["depth"].to_dict() == {"grader@1": 0, "clean@1": 1, "settings@1": 1, "raw@1": 2}
    assert set(found.edges.itertuples(index=False, name=None)) == {
        ("grader@1", "train", "clean@1"),
        ("grader@1", "test", "raw@1"),
        ("grader@1", "params", "settings@1"),
        ("clean@1", "raw", "raw@1"),
    }
    assert found.origin["seed"] == 7 and found.headline() == "grader@1 rests on 3 other versions."
    ok = {finding.code: finding.ok for finding in found.findings}
    assert ok["lineage.inputs"] and ok["lineage.seed"] and ok["lineage.machine"]
    texts = [text.get_text() for text in found.plot(ax=Figure().subplots()).texts]
    assert [text for text in texts if text] == [
        "grader@1\nmodel",
        "clean@1\nframe",
        "settings@1\nparams",
        "raw@1\nframe",
    ]
    assert store.lineage("raw").ok is None
    with pytest.raises(KeyError, match="raw"):
        store.commit({"a": 1}, "settings", lineage=versioning.lineage("raw@9"))


def test_a_forgotten_source_is_named(store, monkeypatch):
    raw = store.commit(crates(30), "raw")
    store.commit(crates(20), "clean", lineage=versioning.lineage(raw))
    store.manifests.forget(raw)  # as somebody's hand would do it: forget() refuses
    found = store.lineage("clean")
    assert found.ok is False and "raw@1 (raw of clean@1)" in str(found)


def test_other_libraries_than_here_are_named(store):
    origin = versioning.lineage(seed=0, packages=["numpy", "no-such-library"])
    assert origin["packages"]["no-such-library"] is None
    assert origin["packages"]["numpy"] == np.__version__
    origin["packages"]["numpy"] = "1.0"
    store.commit({"a": 1}, "settings", lineage=origin)
    assert f"numpy 1.0 then, {np.__version__} now" in str(store.lineage("settings")).replace("\n    ", " ")


def _git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_of_the_code_is_noted(store, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    assert versioning.lineage(code=code)["code"]["why"] == "no Git repository with a commit"
    assert "no folder" in versioning.lineage(code=tmp_path / "none")["code"]["why"]
    _git(code, "init", "-q")
    (code / "train.py").write_text("x = 1\n", encoding="utf-8")
    _git(code, "add", ".")
    _git(code, "commit", "-qm", "first")
    head = _git(code, "rev-parse", "HEAD")
    assert versioning.lineage(code=code)["code"] == {"commit": head, "changed": False}
    store.commit({"a": 1}, "settings", lineage=versioning.lineage(code=code))
    assert store.lineage("settings").findings[1].ok is True
    (code / "train.py").write_text("x = 2\n", encoding="utf-8")
    assert versioning.lineage(code=code)["code"] == {"commit": head, "changed": True}
    store.commit({"a": 2}, "settings", lineage=versioning.lineage(code=code))
    assert store.lineage("settings").findings[1].ok is False
    assert store.lineage("settings").nodes["code"].tolist() == [head[:12]]


def test_a_machine_without_git_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versioning.lineage(code=tmp_path)["code"] == {
        "commit": None,
        "changed": None,
        "why": "Git is not installed",
    }


def test_lineage_of_other_things_is_refused(store):
    with pytest.raises(TypeError, match="'data' must be a version"):
        versioning.lineage({"data": 3})
    with pytest.raises(TypeError, match="the lineage"):
        store.commit({"a": 1}, "settings", lineage={"when": (1, 2)})
    names = versioning.lineage(["a@1", "b@1"])["inputs"]
    assert names == {"data 1": "a@1", "data 2": "b@1"}


def test_the_same_content_made_from_other_sources_is_another_version(store):
    raw = [store.commit(crates(30, seed=seed), "raw") for seed in (0, 1)]
    versions = [store.commit({"a": 1}, "settings", lineage={"inputs": {"data": one.ref}}) for one in raw]
    assert [one.number for one in versions] == [1, 2]
    assert store.commit({"a": 1}, "settings", lineage={"inputs": {"data": "raw@2"}}) == versions[1]
