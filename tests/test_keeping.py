"""The race of ways to keep versions: each brings back what it kept, and one that does not is seen."""

import pandas as pd
import pytest

from mlops_lab import worlds
from mlops_lab.classroom import keeping


@pytest.fixture(scope="module")
def tables():
    batch = worlds.Orchard(seed=3, p_rare=0).archive(300)
    first = batch.crates.assign(grade=batch.labels).round(3)
    edited = first.copy()
    edited.iloc[[5, 200], -1] = "spoiled"
    return {"edit": [first, edited, first], "delete": [first, first.drop(first.index[10:60])]}


@pytest.mark.parametrize("name", [name for name in keeping.WAYS if name != "DVC"])
def test_every_way_brings_every_version_back(tables, name):
    found = keeping.race(tables, {name: keeping.WAYS[name]})
    assert list(found.index.get_level_values("change")) == list(tables)
    assert found["lost"].sum() == 0 and found["tables"].gt(0).all() and found["seconds"].gt(0).all()


@pytest.mark.slow
def test_dvc_brings_every_version_back_and_keeps_whole_files(tables):
    found = keeping.race(tables, {"DVC": keeping.WAYS["DVC"]})
    assert found["lost"].sum() == 0
    lengths = [len(keeping.text(table)) for table in tables["delete"]]
    assert found.loc[("DVC", "delete"), "tables"] == sum(lengths) / lengths[0]
    assert 1.9 < found.loc[("DVC", "edit"), "tables"] < 2.1  # the third version is the first again
    from dvc.ui import ui

    assert ui.error_console.quiet and not ui.error_console.is_jupyter  # no spinner becomes an output


def test_a_way_that_loses_a_version_is_seen(tables):
    def forgetful(folder, versions, blobs):
        (folder / "last.csv").write_bytes(blobs[-1])
        return folder, lambda number: (folder / "last.csv").read_bytes()

    def rounding(folder, versions, blobs):
        return folder, lambda number: versions[number].assign(nir=0.0)

    found = keeping.race(tables, {"forgetful": forgetful, "rounding": rounding})
    assert found["lost"].tolist() == [1, 1, 3, 2]


def test_a_way_without_its_program_is_left_out(tables, monkeypatch):
    monkeypatch.setattr(keeping, "_NEEDS", {"copies": ("no-such-tool",)})
    assert keeping.race(tables, {"copies": keeping.WAYS["copies"]}).empty


def test_the_difference_names_changed_new_and_gone_rows(tables):
    first, edited, _ = tables["edit"]
    assert keeping.difference(first, edited).index.tolist() == first.index[[5, 200]].tolist()
    gone = keeping.difference(*tables["delete"])
    assert gone.index.tolist() == first.index[10:60].tolist() and gone.isna().all(axis=None)
    assert keeping.difference(first, first).empty
    assert keeping.difference(first.head(0), first).equals(first)


def test_sizes_are_those_of_the_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    assert keeping.size(tmp_path) == 5 and keeping.size(tmp_path / "none") == 0
    assert keeping.text(pd.DataFrame({"a": [1.5]})) == b",a\n0,1.5\n"
