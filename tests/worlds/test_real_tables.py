"""Real tables are scikit-learn's own, row by row, and nothing is downloaded."""

import socket

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from mlops_lab import worlds


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a real table must not touch the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", worlds.REAL)
def test_a_table_holds_scikit_learns_numbers(name):
    table = worlds.real(name)
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    np.testing.assert_array_equal(table.data.to_numpy(dtype=float), bunch.data)
    assert table.target.name == "target" and table.target.index.equals(table.data.index)
    if table.task == "regression":
        np.testing.assert_array_equal(table.target, bunch.target)
    else:
        assert {type(label) for label in table.target} == {str}
        codes = pd.Series(bunch.target)
        one_to_one = pd.crosstab(table.target.to_numpy(), codes)
        assert ((one_to_one > 0).sum(axis=0) == 1).all() and ((one_to_one > 0).sum(axis=1) == 1).all()


def test_classes_carry_their_names():
    found = {name: sorted(set(worlds.real(name).target)) for name in worlds.REAL if name != "diabetes"}
    assert found == {
        "breast_cancer": ["benign", "malignant"],
        "digits": list("0123456789"),
        "wine": ["cultivar_1", "cultivar_2", "cultivar_3"],
        "iris": ["setosa", "versicolor", "virginica"],
    }
    # against the class counts in the data's own description, so that the names are not swapped
    assert "212 - Malignant, 357 - Benign" in datasets.load_breast_cancer().DESCR
    assert worlds.real("breast_cancer").target.value_counts().to_dict() == {"benign": 357, "malignant": 212}
    digits = worlds.real("digits")
    assert digits.data.loc[digits.target == "0", "pixel_3_3"].mean() < 6  # a nought is hollow


@pytest.mark.parametrize("name", worlds.REAL)
def test_a_table_carries_its_papers_and_typeable_names(name):
    table = worlds.real(name)
    assert table.source and table.licence
    assert all(column.isidentifier() for column in table.data) and table.data.columns.is_unique
    assert name in repr(table) and "<" not in repr(table)


@pytest.mark.parametrize("name", worlds.REAL)
def test_what_we_say_of_the_licence_is_what_the_description_says(name):
    description = getattr(datasets, f"load_{name}")().DESCR.lower()
    assert "licen" not in description
    assert worlds.real(name).licence.startswith("no licence stated")


def test_no_bundled_table_is_dated():
    for name in worlds.REAL:
        columns = set(worlds.real(name).data)
        assert not columns & {"date", "day", "week", "month", "year", "time", "timestamp"}


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'boston'.*breast_cancer"):
        worlds.real("boston")
