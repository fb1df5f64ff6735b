"""The race of ways to keep versions: each brings back what it kept, and one that does not is seen."""

import pandas as pd
import pytest

from mlops_lab import worlds
from mlops_lab.lesson import storage_race


@pytest.fixture(scope="module")
def tables():
    batch = worlds.Orchard(seed=3, p_rare=0).archive(300)
    first = batch.crates.assign(grade=batch.labels).round(3)
    edited = first.copy()
    edited.iloc[[5, 200], -1] = "spoiled"
    return {"edit": [first, edited, first], "delete": [first, first.drop(first.index[10:60])]}


@pytest.mark.parametrize("name", [name for name in storage_race.WAYS if name != "DVC"])
def test_every_way_brings_every_version_back(tables, name):
    found = storage_race.race(tables, {name: storage_race.WAYS[name]})
    assert list(found.index.get_level_values("change")) == list(tables)
    assert found["lost"].sum() == 0 and found["tables"].gt(0).all() and found["seconds"].gt(0).all()


@pytest.mark.slow
def test_dvc_brings_every_version_back_and_keeps_whole_files(tables):
    found = storage_race.race(tables, {"DVC": storage_race.WAYS["DVC"]})
    assert found["lost"].sum() == 0
    lengths = [len(storage_race.csv_bytes(table)) for table in tables["delete"]]
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

    found = storage_race.race(tables, {"forgetful": forgetful, "rounding": rounding})
    assert found["lost"].tolist() == [1, 1, 3, 2]


def test_a_way_without_its_program_is_left_out(tables, monkeypatch):
    monkeypatch.setattr(storage_race, "_NEEDS", {"copies": ("no-such-tool",)})
    assert storage_race.race(tables, {"copies": storage_race.WAYS["copies"]}).empty


def test_the_difference_names_changed_new_and_gone_rows(tables):
    first, edited, _ = tables["edit"]
    assert storage_race.difference(first, edited).index.tolist() == first.index[[5, 200]].tolist()
    gone = storage_race.difference(*tables["delete"])
    assert gone.index.tolist() == first.index[10:60].tolist() and gone.isna().all(axis=None)
    assert storage_race.difference(first, first).empty
    assert storage_race.difference(first.head(0), first).equals(first)


def test_sizes_are_those_of_the_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    assert storage_race.folder_bytes(tmp_path) == 5 and storage_race.folder_bytes(tmp_path / "none") == 0
    assert storage_race.csv_bytes(pd.DataFrame({"a": [1.5]})) == b",a\n0,1.5\n"
