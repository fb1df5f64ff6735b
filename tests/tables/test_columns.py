"""A column means the same however it is stored, and other things are kept apart."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mlops_lab.tables import aligned_columns, as_precise, common_kind, number_text, read_column


def _objects(*cells):
    return pd.Series(list(cells), dtype=object)


READ = {
    "decimals": (_objects(Decimal("1.50"), None, Decimal("NaN")), "number", [1.5, np.nan, np.nan]),
    "number texts": (
        pd.Series([" 1.5", "2e3", "", "nan", "-.5"]),
        "number",
        [1.5, 2000, np.nan, np.nan, -0.5],
    ),
    "mixed numbers": (_objects(1, 2.5, "3", Decimal(4), True), "number", [1, 2.5, 3, 4, 1]),
    "huge whole numbers": (_objects(10**400, -(10**400), 1), "number", [np.inf, -np.inf, 1]),
    "spans of time": (_objects(dt.timedelta(minutes=1), None), "number", [60, np.nan]),
    "numbers as categories": (pd.Series([2, None, 1]).astype("category"), "number", [2, np.nan, 1]),
    "nullable numbers": (pd.Series([1, None], dtype="Int64"), "number", [1, np.nan]),
    "sparse numbers": (pd.Series(pd.arrays.SparseArray([0, 1.5])), "number", [0, 1.5]),
    "truth as texts": (pd.Series(["true", "False", "None"]), "category", ["True", "False", None]),
    "truth, some missing": (_objects(True, None), "category", ["True", None]),
    "nullable truth": (pd.Series([True, None], dtype="boolean"), "category", ["True", None]),
    "leading zeros": (pd.Series(["007", "12"]), "category", ["007", "12"]),
    "thousands separators": (pd.Series(["1,000", "2"]), "category", ["1,000", "2"]),
    "digits of another script": (pd.Series(["\u0661", "\u0662"]), "category", ["\u0661", "\u0662"]),
    "an underscore": (pd.Series(["1_000", "2"]), "category", ["1_000", "2"]),
    "a word among numbers": (_objects(1, 2.0, "2.0", "x"), "category", ["1", "2", "2", "x"]),
    "two Unicode forms": (pd.Series(["\u00e9", "e\u0301 "]), "category", ["\u00e9", "\u00e9"]),
    "no value": (_objects(None, "", "<NA>", np.nan), "empty", [None] * 4),
    "NaN alone": (pd.Series([np.nan, np.nan]), "empty", [None] * 2),
    "lists": (_objects([1], None), "nested", ["[1]", None]),
    "structs": (_objects({"a": 1}), "nested", ["{'a': 1}"]),
    "tuples": (_objects((1, 2)), "nested", ["(1, 2)"]),
    "dates": (_objects(dt.date(2024, 1, 1), None), "time", ["2024-01-01", None]),
    "far dates": (_objects(dt.date(9999, 12, 31), dt.date(1, 1, 1)), "time", ["9999-12-31", "0001-01-01"]),
    "far date texts": (pd.Series(["9999-12-31", "1900-01-01"]), "time", ["9999-12-31", "1900-01-01"]),
    "a zone": (pd.Series(["2024-01-01T01:00+01:00", "2024-01-01T00:00Z"]), "time", ["2024-01-01"] * 2),
    "periods": (pd.Series(pd.period_range("2024-02", periods=1, freq="M")), "time", ["2024-02-01"]),
    "no date": (pd.Series(["2024-13-01", "2024-01-01"]), "category", ["2024-13-01", "2024-01-01"]),
    "a season": (pd.Series(["2023-24", "2010-11"]), "category", ["2023-24", "2010-11"]),
}


@pytest.mark.parametrize("what", READ)
def test_a_column_is_read_by_what_it_means(what):
    series, kind, values = READ[what]
    column = read_column(series)
    assert column.kind == kind
    assert column.rows == len(series)
    if kind == "number":
        assert np.array_equal(column.numbers(), np.array(values, dtype=float), equal_nan=True)
    else:
        assert column.texts().tolist() == values
    known = [each for each in values if each is not None and each == each]
    assert column.missing.tolist() == [each is None or each != each for each in values]
    assert sum(column.counts().values()) == len(known)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ([True, False], [1, 0], "number"),
        (["True"], [1.0, 2.0], "number"),
        (["12", "13"], ["B1", "12"], "category"),
        ([12, 13], ["B1", "12"], ""),
        (["2024-01-01"], ["soon"], "category"),
        (["2024-01-01"], [1.0], ""),
        ([None], [1.0], "number"),
        ([[1]], ["a"], ""),
    ],
)
def test_two_columns_are_compared_as_one_kind_or_not_at_all(one, other, kind):
    columns = read_column(pd.Series(one)), read_column(pd.Series(other))
    assert common_kind(*columns) == common_kind(*columns[::-1]) == kind
    pair = aligned_columns(*columns)
    assert (pair is None) is (kind == "")
    assert pair is None or {each.kind for each in pair} - {"empty"} == {kind}


@pytest.mark.parametrize(
    ("dtype", "digits"), [("float16", 11), ("float32", 24), ("Float32", 24), ("float64", 53)]
)
def test_numbers_are_compared_in_the_coarser_of_two_float_types(dtype, digits):
    values = [0.1, 0.2, 1e4 / 3]
    fine, coarse = read_column(pd.Series(values)), read_column(pd.Series(values, dtype=dtype))
    assert coarse.digits == digits
    one, other = aligned_columns(fine, coarse)
    assert one.texts().tolist() == other.texts().tolist()
    assert (one.numbers() == other.numbers()).all()


def test_rounding_keeps_the_order_and_what_is_too_large_for_a_type():
    values = np.array([-np.inf, -1e300, 0.1, 1e300, np.inf])
    rounded = as_precise(values, 24)
    assert (np.diff(rounded) > 0).all()
    assert np.isfinite(rounded).tolist() == np.isfinite(values).tolist()
    assert [number_text(each) for each in (2.0, -0.5, 1e300, np.inf)] == ["2", "-0.5", "1e+300", "inf"]


def test_arrows_types_are_read_as_their_values():
    pa = pytest.importorskip("pyarrow")
    day = dt.date(2024, 1, 1)
    for cells, arrow, kind, digits in (
        ([1, None], pa.int64(), "number", 53),
        ([0.5, None], pa.float32(), "number", 24),
        ([Decimal("1.5"), None], pa.decimal128(5, 2), "number", 53),
        ([dt.timedelta(1), None], pa.duration("us"), "number", 53),
        ([day, None], pa.date32(), "time", 53),
        ([dt.datetime(2024, 1, 1), None], pa.timestamp("us", tz="UTC"), "time", 53),
        ([True, None], pa.bool_(), "category", 53),
        (["a", None], pa.string(), "category", 53),
        ([[1], None], pa.list_(pa.int64()), "nested", 53),
        ([{"a": 1}, None], pa.struct([("a", pa.int64())]), "nested", 53),
    ):
        column = read_column(pd.Series(cells, dtype=pd.ArrowDtype(arrow)))
        assert (column.kind, column.digits, column.missing.tolist()) == (kind, digits, [False, True])
    coded = pd.Series(pd.arrays.ArrowExtensionArray(pa.array([7, 8]).dictionary_encode()))
    assert read_column(coded).numbers().tolist() == [7, 8]
