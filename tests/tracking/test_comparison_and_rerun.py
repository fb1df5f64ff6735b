"""Runs side by side, and a run made again: the bad one is found, and equal means equal to the last bit."""

import dataclasses
import json
import math
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.neural_network import MLPClassifier

from mlops_lab import artifacts, tracking, worlds
from mlops_lab.report import MemorySink, guarded
from mlops_lab.tracking import run_environment, training
from mlops_lab.tracking.comparison import LIMIT, distances
from mlops_lab.tracking.record import Record
from mlops_lab.tracking.rerun import _difference
from mlops_lab.tracking.training import train

ENTRY = "mlops_lab.tracking.training:train"


# --- the training -------------------------------------------------------------------------------------------


def test_the_training_is_what_scikit_learn_gives_when_it_is_written_out():
    """The lesson's ten lines, equal to the last bit."""
    sink = MemorySink()
    model = train(sink, seed=3, epochs=4)
    batch = worlds.Orchard(0).archive(600)
    X = batch.crates[list(worlds.FEATURES)].to_numpy()
    y = batch.labels.map(sorted(worlds.GRADES).index).to_numpy()
    order = np.random.default_rng(3).permutation(600)
    seen, unseen = order[:300], order[300:]
    other = MLPClassifier((64,), learning_rate_init=0.01, batch_size=32, random_state=3)
    for row in sink.rows:
        other.partial_fit(X[seen], y[seen], classes=range(4))
        chance = other.predict_proba(X)
        loss = -np.log(chance[np.arange(600), y])
        assert row["loss"] == loss[seen].mean()
        assert row["validation_loss"] == loss[unseen].mean()
        assert row["validation_accuracy"] == other.score(X[unseen], y[unseen])
        assert row["accuracy"] == other.score(X[seen], y[seen])
    assert all((a == b).all() for a, b in zip(model.coefs_, other.coefs_, strict=True))


def test_the_seed_decides_everything_and_no_global_chance_does():
    def losses(seed):
        sink = MemorySink()
        train(sink, seed=seed, epochs=3)
        return sink.frame()["loss"].tolist()

    np.random.seed(1)  # noqa: NPY002
    first = losses(0)
    np.random.seed(2)  # noqa: NPY002
    assert losses(0) == first
    assert losses(1) != first


@pytest.mark.parametrize(
    "wrong", [{"epochs": 10**9}, {"hidden": 10**6}, {"rate": math.nan}, {"crates": 0}, {"orchard": -1}]
)
def test_a_record_from_a_stranger_cannot_start_a_training_without_end(wrong):
    with pytest.raises(ValueError, match="is accepted"):
        train(MemorySink(), seed=0, **wrong)


def test_every_parameter_of_the_training_has_its_limit():
    taken = set(train.__kwdefaults__)
    assert taken == set(training.LIMITS)


# --- compare ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """Twelve runs that differ by their seed; the ninth was told a rate that is too high."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(12):
        params = {"rate": 5.0 if number == 8 else 0.01, "epochs": 8}
        with tracking.Run(folder, f"run-{number:02d}", params=params, seed=number, train=train) as run:
            train(run, seed=number, **params)
    return tracking.read_all(folder)


@pytest.mark.parametrize(("metric", "better"), [("loss", "lower"), ("accuracy", "higher")])
def test_the_one_bad_run_among_twelve_is_found_by_its_curve(twelve, metric, better):
    found = tracking.compare(twelve, metric=metric, better=better)
    assert found.bad == ("run-08",)
    assert found.ok is False
    assert "run-08 of 12 runs needs a look" in str(found)
    assert found.table["distance"].idxmax() == "run-08"
    assert found.curves().equals(pd.DataFrame({r.name: r.metrics[metric] for r in twelve}))


def test_eleven_healthy_runs_raise_no_alarm(twelve):
    found = tracking.compare([record for record in twelve if record.name != "run-08"])
    assert (found.ok, found.bad) == (True, ())
    assert "none stands out" in found.headline()


@pytest.mark.slow
def test_false_alarms_among_healthy_runs_are_as_rare_as_documented():
    """Of 1,000 sweeps of twelve runs that differ by a normal offset, about 1 in 100 raises an alarm."""
    rng = np.random.default_rng(0)
    base = 1 / np.sqrt(1 + np.arange(30))[:, None]
    alarms = {"offset": 0, "noise": 0, "walk": 0}
    for _ in range(250):
        curves = {
            "offset": 0.02 * rng.normal(size=(1, 12)),
            "noise": 0.02 * rng.normal(size=(30, 12)),
            "walk": np.cumsum(0.01 * rng.normal(size=(30, 12)), axis=0),
        }
        for kind, added in curves.items():
            alarms[kind] += bool((distances(pd.DataFrame(base + added), "lower") > LIMIT).any())
    assert alarms["offset"] <= 0.024 * 250
    assert alarms["noise"] == 0
    assert alarms["walk"] <= 0.01 * 250


def made(curve, name="a", state="finished", **more):
    """Make a record of one curve; None is a step without a value."""
    values = {step: value for step, value in enumerate(curve) if value is not None}
    broken = [step for step, value in values.items() if not math.isfinite(value)]
    return Record(
        name=name,
        folder=None,
        state=state,
        metrics=pd.DataFrame({"loss": pd.Series(values, dtype="float64")}).rename_axis("step"),
        not_finite={"loss": broken[0]} if broken else {},
        **more,
    )


def healthy(count=6, steps=20):
    rng = np.random.default_rng(0)
    return [
        made(1 / np.arange(1, steps + 1) + 0.01 * rng.normal(size=steps), f"h{number}")
        for number in range(count)
    ]


def test_a_run_that_was_never_finite_or_has_no_result_is_bad_however_few_runs_there_are():
    runs = [
        made([1.0, math.nan, 1.0], "nan"),
        made([1.0, math.inf], "inf"),
        made([1.0], "cut", "killed"),
        made([1.0], "error", "failed", error="ValueError: x"),
        made([1.0, 0.5], "well"),
    ]
    found = tracking.compare(runs[:2] + runs[2:4] + runs[4:])
    by_name = {one.title: one for one in found.findings}
    assert found.bad == ("nan", "inf", "cut", "error")
    assert "Not finite from step 1" in by_name["nan"].explanation
    assert "failed by ValueError: x" in by_name["error"].explanation


def test_with_few_runs_it_does_not_decide():
    found = tracking.compare(healthy(4))
    assert found.ok is None
    assert all(one.ok is None for one in found.findings)
    assert "4 could not be judged" in found.headline()


def test_runs_of_different_lengths_are_compared_at_the_steps_they_share():
    late = made([*(1 / np.arange(1, 15)), *[5.0] * 6], "late")
    short = made(1 / np.arange(1, 4), "short")
    found = tracking.compare([*healthy(), late, short])
    assert found.bad == ("late",)  # it went wrong after the short run had ended
    assert next(one for one in found.findings if one.code == "steps").severity == "note"
    assert found.table.loc["short", "steps"] == 3
    assert found.table.loc["late", "at common step"] == pytest.approx(1 / 3)
    assert found.table.loc["short", "last loss"] == pytest.approx(1 / 3)


def test_what_only_one_run_has_beyond_the_others_is_not_judged():
    long = made([*(1 / np.arange(1, 21)), *[99.0] * 50], "long")
    assert tracking.compare([*healthy(), long]).bad == ()


def test_a_better_run_is_no_bad_one_and_better_can_be_higher():
    best = made(0.01 / np.arange(1, 21), "best")
    assert tracking.compare([*healthy(), best]).bad == ()
    assert tracking.compare([*healthy(), best], better="higher").bad == ("best",)


def test_equal_runs_have_no_distance():
    found = tracking.compare([made([1.0, 0.5], f"r{number}") for number in range(6)])
    assert found.table["distance"].tolist() == [0.0] * 6
    assert found.ok is True


def test_a_run_without_the_metric_is_not_decided(tmp_path):
    with tracking.Run(tmp_path, "empty") as run:
        pass
    found = tracking.compare([*healthy(), tracking.read(run.folder)])
    (one,) = [one for one in found.findings if one.title == "empty"]
    assert (one.ok, one.explanation) == (None, "It logged no loss.")


def test_two_runs_of_one_name_are_told_apart():
    found = tracking.compare([made([1.0]), made([2.0]), made([3.0])])
    assert list(found.records) == ["a", "a (2)", "a (3)"]


def test_the_table_names_only_the_parameters_that_differ(twelve):
    table = tracking.compare(twelve).table
    assert list(table)[:3] == ["seed", "rate", "state"]
    assert table.loc["run-08", "rate"] == 5.0
    assert table.loc["run-03", "last loss"] == twelve[3].metrics["loss"].iloc[-1]
    assert table.loc["run-03", "best"] == twelve[3].metrics["loss"].min()
    assert table.loc["run-03", "best step"] == twelve[3].metrics["loss"].idxmin()


def test_the_picture_names_the_bad_run_and_greys_the_others(twelve):
    found = tracking.compare(twelve)
    ax = found.plot(Figure().subplots())
    assert [text.get_text() for text in ax.texts] == ["run-08"]
    assert len(ax.lines) == 12
    assert len({line.get_color() for line in ax.lines}) == 2
    ax = found.plot(Figure().subplots(), metric="accuracy", highlight=["run-01", "run-02"])
    assert {text.get_text() for text in ax.texts} == {"run-01", "run-02"}
    with pytest.raises(ValueError, match="no run is called 'run-99'"):
        found.plot(Figure().subplots(), highlight=["run-99"])
    with pytest.raises(ValueError, match="no run has a finite value of 'f1'; metrics are loss"):
        found.plot(Figure().subplots(), metric="f1")


def test_the_picture_of_a_diverging_run_says_where_it_ends():
    runs = [*healthy(), made([1.0, 1e4, 1e9, math.inf], "steep")]
    ax = tracking.compare(runs).plot(Figure().subplots())
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.texts] == ["steep, not finite at step 3"]


def test_what_cannot_be_compared_is_named():
    with pytest.raises(ValueError, match="no run has a metric 'f1'; there are loss"):
        tracking.compare(healthy(), metric="f1")
    with pytest.raises(ValueError, match="'lower' or 'higher'"):
        tracking.compare(healthy(), better="more")


# --- rerun --------------------------------------------------------------------------------------------------


def trained(folder, name="a", seed=1, function=train, **params):
    with tracking.Run(folder, name, params={"epochs": 4, **params}, seed=seed, train=ENTRY) as run:
        function(run, seed=seed, **run.params)
    return tracking.read(run.folder)


def test_a_run_comes_out_again_from_its_record_alone(tmp_path):
    record = trained(tmp_path)
    again = tracking.rerun(record)
    assert again.ok is True
    assert (again.first_difference, again.max_difference) == ({}, 0.0)
    assert again.versions.empty
    assert again.again.metrics.equals(record.metrics)
    codes = [one.code for one in again.findings]
    assert codes == ["seed", "trainer", "code", "versions", "data", "end", "steps", "metrics"]
    kept = tracking.rerun(record, folder=tmp_path / "again")
    assert kept.again.folder == tmp_path / "again" / "a"
    assert again.plot(Figure().subplots()).get_ylabel() == "loss"


def changed(record, **values):
    return dataclasses.replace(record, **values)


def found(again, code):
    return next(one for one in again.findings if one.code == code)


def test_the_smallest_difference_is_found_at_its_step(tmp_path):
    record = trained(tmp_path)
    metrics = record.metrics.copy()
    metrics.loc[2, "accuracy"] = np.nextafter(metrics.loc[2, "accuracy"], 2)
    metrics.loc[3, "loss"] += 0.5
    again = tracking.rerun(changed(record, metrics=metrics))
    assert again.ok is False
    assert (again.first_difference["step"], again.first_difference["metric"]) == (2, "accuracy")
    assert again.first_difference["again"] == record.metrics.loc[2, "accuracy"]
    assert again.max_difference == pytest.approx(0.5)
    assert "accuracy differs first at step 2" in found(again, "metrics").explanation
    assert again.plot(Figure().subplots()).get_ylabel() == "accuracy"


def test_another_seed_or_parameter_in_the_record_does_not_come_out(tmp_path):
    record = trained(tmp_path)
    for other in (changed(record, seed=2), changed(record, params={"epochs": 4, "rate": 0.02})):
        again = tracking.rerun(other)
        assert (again.ok, again.first_difference["step"]) == (False, 0)
    again = tracking.rerun(changed(record, params={"epochs": 5}))
    assert (found(again, "metrics").ok, found(again, "steps").ok, again.ok) == (True, False, False)


def test_other_data_is_named_before_the_numbers(tmp_path):
    again = tracking.rerun(changed(trained(tmp_path), params={"epochs": 4, "orchard": 5}))
    assert found(again, "data").ok is False
    assert "Other data than recorded: crates is" in found(again, "data").explanation


@pytest.mark.parametrize("kind", ["text", "frame", "file", "named", "by its run.data"])
def test_data_that_is_given_is_held_against_the_lineage_before_anything_is_trained(tmp_path, kind):
    right, wrong = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})
    record = changed(trained(tmp_path), lineage={"data": artifacts.frame_hash(right)})
    if kind == "text":
        right, wrong = artifacts.frame_hash(right), artifacts.frame_hash(wrong)
    elif kind == "file":
        (tmp_path / "right.csv").write_text("a\n1\n", encoding="utf-8")
        (tmp_path / "wrong.csv").write_text("a\n2\n", encoding="utf-8")
        right, wrong = tmp_path / "right.csv", tmp_path / "wrong.csv"
        record = changed(record, lineage={"data": artifacts.sha256(right)})
    elif kind == "named":
        record = changed(record, lineage={"data": {"crates.csv": artifacts.frame_hash(right)}})
        right, wrong = {"crates.csv": right}, {"other.csv": right}
    elif kind == "by its run.data":
        record = changed(record, lineage={})
        right, wrong = {"crates": record.data["crates"]}, {"crates": "0" * 64}
    assert tracking.rerun(record, data=right).ok is True
    again = tracking.rerun(record, data=wrong)
    assert (again.ok, again.again, found(again, "data").ok) == (False, None, False)
    assert math.isnan(again.max_difference)


def test_what_changed_in_the_environment_is_noted_and_decides_nothing(tmp_path):
    record = trained(tmp_path)
    other = {**record.environment, "numpy": "1.26.4"}
    other.pop("scipy")
    again = tracking.rerun(changed(record, environment=other, code="0" * 64))
    assert again.ok is True
    assert again.versions["recorded"].to_dict() == {"numpy": "1.26.4", "scipy": ""}
    assert found(again, "versions").ok is False
    assert "numpy: 1.26.4 -> " in found(again, "versions").explanation
    assert found(again, "code").ok is False


@pytest.mark.parametrize(
    ("lacks", "code"),
    [
        ({"seed": None}, "seed"),
        ({"train": None}, "trainer"),
        ({"train": "mlops_lab.no_such:train"}, "trainer"),
        ({"train": "mlops_lab.tracking.training:no_such"}, "trainer"),
        ({"train": "not an entry"}, "trainer"),
    ],
)
def test_a_record_that_lacks_something_is_told_so_and_not_trained(tmp_path, lacks, code):
    again = tracking.rerun(changed(trained(tmp_path), **lacks))
    assert (again.ok, again.again) == (False, None)
    assert found(again, code).ok is False
    assert "was not trained again" in again.headline()
    with pytest.raises(ValueError, match="nothing to draw"):
        again.plot(Figure().subplots())


def test_a_run_may_leave_its_seed_open(tmp_path):
    with tracking.Run(tmp_path, "a", seed=None) as run:
        pass
    assert tracking.read(run.folder).seed is None


@pytest.mark.parametrize(
    "named",
    [
        "os:system",
        "stranger:train",
        "mlops_lab.setup.environment:child",
        "mlops_lab.artifacts:sha256",
        "mlops_lab.tracking.rerun:train",
        "mlops_lab.tracking.training:MLPClassifier",
        "mlops_lab.tracking.training:Run",
        "mlops_labs.evil:train",
    ],
)
def test_a_strangers_code_is_not_run_unasked_nor_even_imported(tmp_path, monkeypatch, named):
    (tmp_path / "stranger.py").write_text("raise SystemExit('it ran')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    record = changed(trained(tmp_path), train=named, params={"command": ["touch", str(tmp_path / "harm")]})
    try:
        again = tracking.rerun(record)
    except tracking.UntrustedRecordError as refused:
        assert "trust=True" in str(refused)
    else:
        assert again.again is None  # there is no such function
    assert "stranger" not in sys.modules
    assert not (tmp_path / "harm").exists()


STRANGER = """
def train(sink, *, seed, steps):
    for step in range(steps):
        sink.log(step, {"loss": 1 / (seed + step + 1)})
    if steps > 3:
        raise ValueError("too many")
"""


def test_a_strangers_code_runs_for_who_says_so(tmp_path, monkeypatch):
    (tmp_path / "stranger_two.py").write_text(STRANGER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import stranger_two

    with tracking.Run(tmp_path, "a", params={"steps": 3}, seed=0, train=stranger_two.train) as run:
        stranger_two.train(run, seed=0, steps=3)
    record = tracking.read(run.folder)
    assert record.train == "stranger_two:train"
    with pytest.raises(tracking.UntrustedRecordError, match="'stranger_two:train'"):
        tracking.rerun(record)
    assert tracking.rerun(record, trust=True).ok is True

    # one that failed comes out again if it fails in the same way
    four = tracking.Run(tmp_path, "b", params={"steps": 4}, seed=0, train=stranger_two.train)
    with pytest.raises(ValueError, match="too many"), four as run:
        stranger_two.train(run, seed=0, steps=4)
    failed = tracking.read(run.folder)
    assert tracking.rerun(failed, trust=True).ok is True
    again = tracking.rerun(changed(failed, state="finished", error=None), trust=True)
    assert found(again, "end").ok is False
    # and one whose parameters do not fit any more says so
    again = tracking.rerun(changed(record, params={"epochs": 3}), trust=True)
    assert again.ok is False
    assert "unexpected keyword argument" in found(again, "end").explanation


def test_of_a_killed_run_only_its_own_steps_are_compared(tmp_path):
    record = trained(tmp_path)
    again = tracking.rerun(changed(record, state="killed", metrics=record.metrics.iloc[:2]))
    assert again.ok is True
    assert "no end, so only its steps are compared" in found(again, "steps").explanation


def test_nan_equals_nan_and_an_empty_record_proves_nothing(tmp_path):
    record = trained(tmp_path, epochs=0)
    again = tracking.rerun(record)
    assert (again.ok, found(again, "metrics").ok) == (None, None)
    first, largest = _difference(pd.DataFrame({"a": [math.nan, 0.0]}), pd.DataFrame({"a": [math.nan, -0.0]}))
    assert (first["step"], largest) == (1, 0.0)


def test_functions_that_nobody_else_could_import_are_refused(tmp_path):
    def inside(run): ...

    for wrong in (
        inside,
        lambda run: None,
        "no colon",
        "__main__:train",
        "a.b:c.d",
        "a;b:c",
        tracking.Run.log,
    ):
        with pytest.raises(ValueError, match="cannot be imported by its name"):
            tracking.Run(tmp_path, "a", train=wrong)
    assert run_environment.entry_name(train) == ENTRY


def test_a_record_is_all_that_is_needed(tmp_path):
    """What another machine gets is one file."""
    record = trained(tmp_path / "here")
    copy = tmp_path / "there" / "a"
    copy.mkdir(parents=True)
    lines = (record.folder / "run.jsonl").read_text(encoding="utf-8").splitlines()
    where = json.loads(lines[1])
    where["host"] = "elsewhere"
    lines[1] = json.dumps(where)
    (copy / "run.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert tracking.rerun(tracking.read(copy)).ok is True


def test_a_training_takes_any_sink():
    sink = guarded(MemorySink())
    train(sink, seed=0, epochs=2)
    assert (len(sink.sink.rows), sink.failures) == (2, 0)
