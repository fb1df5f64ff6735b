"""Whatever is thrown at it: a verdict or a clear error, never a traceback from inside."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mlops_lab import framing
from mlops_lab.framing.problem import encode, kind_of

RNG = np.random.default_rng(0)


def table(rows: int = 120, **columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    made = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    return made.assign(y=np.where(made["a"] > 0, "yes", "no")).assign(**columns)


@pytest.mark.parametrize(
    ("data", "target", "options", "kind", "message"),
    [
        ([[1, 2]], "y", {}, TypeError, "data is a list; give a pandas DataFrame"),
        (table().to_numpy(), "y", {}, TypeError, "data is a ndarray"),
        (table()["a"], "a", {}, TypeError, "data is a Series"),
        (table(), "y_", {}, ValueError, "There is no column 'y_'.*Did you mean 'y'"),
        (pd.DataFrame(), "y", {}, ValueError, "the columns are none"),
        (table()[["y"]], "y", {}, ValueError, "'y' is the only column"),
        (table().rename(columns={"b": "a"}), "y", {}, ValueError, "several columns named 'a'"),
        (table(b=np.inf), "y", {}, ValueError, "'b' holds 120 infinite values"),
        (table(y=np.r_[np.inf, np.arange(119.0)]), "y", {}, ValueError, "'y' holds 1 infinite"),
        (
            table(t="soon"),
            "y",
            {"time": "t"},
            ValueError,
            "120 times in 't' cannot be read, the first is 'soon'",
        ),
        (table(), "y", {"time": "t"}, ValueError, "There is no column 't'"),
        (table(), "y", {"time": "y"}, ValueError, "Name two different columns"),
        (table(), "y", {"live": table()[["a"]]}, ValueError, "live lacks the columns b"),
        (table(), "y", {"live": [1]}, TypeError, "live is a list"),
        (table(), "y", {"live": table(b="high")}, ValueError, "live has other kinds of values"),
        (
            table(y=[f"a sentence of words {i}" for i in range(120)]),
            "y",
            {},
            ValueError,
            "120 different answers",
        ),
        (table(y=pd.date_range("2026", periods=120)), "y", {}, ValueError, "holds dates"),
        (table(a=1j), "y", {}, ValueError, "complex numbers"),
        (table()[["a", "y"]].assign(a=3.0), "y", {}, ValueError, "No usable input column is left"),
    ],
)
def test_a_clear_error(data, target, options, kind, message):
    with pytest.raises(kind, match=message):
        framing.should_use_ml(data, target, **options)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (table().head(0), "no rows with an answer"),
        (table().head(1), "same answer"),
        (table(y="yes"), "same answer"),
        (table(y=np.nan), "no rows with an answer"),
        (table(y=None), "no rows with an answer"),
        (table().head(30), "at least 40"),
        (table(y=["yes"] * 115 + ["no"] * 5), "Only 5 rows of class"),
    ],
)
def test_too_little_is_an_answer(data, words):
    verdict = framing.should_use_ml(data, "y")
    assert verdict.evidence_decision == "COLLECT"
    assert words in verdict.frame().loc["C3", "words"]
    assert len(verdict.evidence) == 13
    assert verdict.plot() is not None and str(verdict)


def test_all_kinds_of_columns_in_one_table():
    rows = 120
    rng = np.random.default_rng(1)
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(rows), unit="D")
    data = table(
        rows,
        wet=rng.random(rows) < 0.5,
        shed=pd.Categorical(rng.choice(["hill", "dale", "moor"], rows)),
        day=day,
        text_day=day.strftime("%Y-%m-%d"),
        wait=pd.to_timedelta(rng.integers(1, 99, rows), unit="h"),
        count=pd.array(rng.integers(0, 9, rows), dtype="Int64"),
        crate_id=np.arange(rows) * 3 + 7,
        code=[f"K{i:04d}" for i in range(rows)],
        remark=[f"the crate number {i} was fine" for i in range(rows)],
        always=1,
        mixed=[1, "one"] * (rows // 2),
        lists=[[1], [2]] * (rows // 2),
    )
    data.loc[::7, "b"] = np.nan
    data.loc[::5, "shed"] = np.nan
    data[3] = rng.normal(size=rows)
    problem = framing.prepare(data, "y")
    names = problem.inputs.names
    assert {
        "wet",
        "shed = missing",
        "month of day",
        "month of text_day",
        "wait",
        "count",
        "b is missing",
        "3",
    } <= set(names)
    aside = " ".join(problem.notes)
    assert all(f"'{name}' was set aside" in aside for name in ("crate_id", "code", "remark", "always"))
    assert np.isfinite(problem.inputs.values).all()
    verdict = framing.should_use_ml(data, "y")
    assert verdict.evidence_decision == "RULE" and verdict.rule.startswith("a <= ")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, False], "flag"), ([1.5, 2.5], "number"), (["a", "b"], "category"), ([1, 1], "constant"),
        (list(range(100, 130)), "id"), ([5, 900, 13, 77] * 3, "number"),
        (["2026-01-01", "2026-02-02"], "date"),
        ([f"u{i}" for i in range(30)], "id"), ([f"we saw crate {i}" for i in range(30)], "text"),
        ([None, None], "constant"), (pd.period_range("2026-01", periods=3, freq="M"), "date"),
    ],
)  # fmt: skip
def test_kinds(values, kind):
    assert kind_of(pd.Series(values, name="x")) == kind


@pytest.mark.parametrize(
    "stored",
    [
        lambda v: v.astype(str),
        lambda v: v.astype("Float64"),
        lambda v: v.astype("category"),
        lambda v: v.map(lambda each: Decimal(str(each))),
        lambda v: pd.Series(v.tolist(), dtype=object),
    ],
)
def test_numbers_are_numbers_however_they_are_stored(stored):
    plain = table().round(3)
    data = plain.assign(a=stored(plain["a"]).set_axis(plain.index), n=(plain["a"] * 7).round())
    asked = data.assign(n=stored(data["n"]))
    problem, peer = framing.prepare(asked, "n"), framing.prepare(plain.assign(n=data["n"]), "n")
    assert problem.inputs.names == peer.inputs.names and problem.classes == peer.classes
    assert np.array_equal(problem.inputs.values, peer.inputs.values)
    assert np.array_equal(problem.answers, peer.answers) and np.array_equal(problem.codes, peer.codes)
    assert framing.prepare(plain, "y", live=data[["a", "b"]]).live.shape == (len(plain), 2)


def test_dates_flags_and_blanks_are_read_by_what_they_mean():
    days = [date(2026, 1, 1) + timedelta(each) for each in range(60)]
    assert kind_of(pd.Series(days)) == kind_of(pd.Series(list(map(str, days)))) == "date"
    assert (
        kind_of(pd.Series(["True", "false", ""])) == kind_of(pd.Series([True, None], dtype=object)) == "flag"
    )
    assert kind_of(pd.Series(["1.5", "", "2.5"])) == "number"
    blanks = table(n=["", *map(str, np.arange(119) % 30)])
    problem = framing.prepare(blanks, "n")
    assert problem.numbers and problem.size == 119 and "1 rows without an answer" in problem.notes[0]
    with pytest.raises(ValueError, match="holds dates"):
        framing.prepare(table().head(60).assign(n=days), "n")
    with pytest.raises(ValueError, match="infinite values"):
        framing.prepare(table(b=["inf", "1"] * 60), "y")


def test_distinct_whole_numbers_are_an_id_only_by_name_or_by_counting_up():
    income = RNG.choice(100_000, 200, replace=False)
    assert kind_of(pd.Series(income, name="income")) == "number"
    assert kind_of(pd.Series(income, name="customer_id")) == "id"


def test_live_gets_the_columns_of_the_past_whatever_its_values():
    past = pd.DataFrame({"shed": ["hill", "dale", "moor"] * 4, "kg": [1.0, 2.0, np.nan] * 4})
    live = pd.DataFrame({"extra": [1, 2], "kg": [np.nan, 9.0], "shed": ["sea", "hill"]})
    encoded = encode(live[["shed", "kg"]], like=past)
    assert encoded.names == encode(past).names
    assert encoded.values[0].tolist() == [0, 0, 0, 1.5, 1] and encoded.values[1].tolist() == [1, 0, 0, 9, 0]


def hours(count: int) -> list[str]:
    return [f"2026-01-{1 + i // 12:02d}T{i % 12:02d}:00" for i in range(count)]


def days(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2026", periods=count)


@pytest.mark.parametrize("as_time", [np.arange, days, hours])
def test_unsorted_time_is_sorted(as_time):
    data = table(240, t=as_time(240), y=np.arange(240.0))
    shuffled = data.sample(frac=1, random_state=0)
    problem = framing.prepare(shuffled, "y", time="t")
    assert problem.answers.tolist() == list(range(240)) and "t" not in problem.inputs.sources


def test_numbers_and_classes_are_told_apart():
    assert framing.prepare(table(y=np.arange(120) % 3), "y").classes == ("0", "1", "2")
    assert framing.prepare(table(y=RNG.normal(size=120)), "y").numbers
    assert framing.prepare(table(y=np.arange(120) % 30), "y").numbers
    assert framing.prepare(table(y=[True, False] * 60), "y").classes == ("False", "True")


def test_rare_classes_are_set_aside_with_a_note():
    problem = framing.prepare(table(y=["a"] * 60 + ["b"] * 55 + ["odd"] * 5), "y")
    assert problem.classes == ("a", "b") and problem.size == 115 and "odd" in problem.notes[0]


@pytest.mark.slow
def test_five_hundred_columns_within_the_time():
    import time

    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 500))
    data = pd.DataFrame(x, columns=[f"c{i}" for i in range(500)]).assign(y=x[:, 3] > 0.1)
    start = time.process_time()
    verdict = framing.should_use_ml(data, "y")
    assert verdict.evidence_decision == "RULE" and "c3" in verdict.rule
    assert time.process_time() - start < 15


def test_row_labels_and_input_are_left_alone():
    data = table()
    data.index = pd.Index(["same"] * len(data))
    before = data.copy()
    framing.prepare(data, "y")
    pd.testing.assert_frame_equal(data, before)
