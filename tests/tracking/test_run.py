"""A run is written down whatever happens to it, and read back as it was."""

import json
import math
import os
import subprocess
import sys
import textwrap
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from mlops_lab import artifacts, tracking
from mlops_lab.report import MemorySink, Sink
from mlops_lab.tracking import record as record_file
from mlops_lab.tracking import run_environment
from mlops_lab.tracking.values import from_json, precision_recall, to_json


def strict(path):
    """Read JSON lines as a reader that knows no NaN would."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text(encoding="utf-8").splitlines()]


def begin(folder, name="a", **more):
    return tracking.Run(folder, name, **more)


# --- what is written and read back -------------------------------------------------------------------------


def test_a_finished_run_comes_back_as_it_was(tmp_path):
    with begin(tmp_path, params={"rate": 0.1, "layers": (3, 4)}, seed=7, lineage={"data": "1f"}) as run:
        for step in range(5):
            run.log(step, loss=0.1 * step, accuracy=np.float32(0.1))
    record = tracking.read(run.folder)
    assert (record.state, record.error, record.seed) == ("finished", None, 7)
    assert record.params == {"rate": 0.1, "layers": [3, 4]}
    assert record.lineage == {"data": "1f"}
    assert record.metrics.index.tolist() == [0, 1, 2, 3, 4]
    assert record.metrics["loss"].tolist() == [0.1 * step for step in range(5)]
    assert record.metrics["accuracy"].tolist() == [float(np.float32(0.1))] * 5
    assert record.unreadable == ()
    assert record.ended >= record.started


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_survives_strict_json_to_the_last_bit(value):
    back = from_json(json.loads(json.dumps(to_json(value), allow_nan=False)))
    assert (
        math.isnan(value)
        if math.isnan(back)
        else (value, math.copysign(1, value))
        == (
            back,
            math.copysign(1, back),
        )
    )


def test_nan_and_infinity_are_kept_and_told_from_what_was_not_logged(tmp_path):
    with begin(tmp_path) as run:
        run.log(0, loss=1.0)
        run.log(1, loss=math.inf, late=1.0)
        run.log(2, loss=math.nan)
    assert strict(run.folder / "run.jsonl")[4]["values"] == {"loss": "NaN"}
    record = tracking.read(run.folder)
    assert record.metrics["loss"].tolist()[:2] == [1.0, math.inf]
    assert np.isnan(record.metrics.loc[2, "loss"])
    assert record.metrics["late"].isna().tolist() == [True, False, True]
    assert record.not_finite == {"loss": 1}
    assert "loss is not finite from step 1" in repr(record)


def test_a_step_that_is_logged_twice_is_added_to_and_the_last_value_counts(tmp_path):
    with begin(tmp_path) as run:
        run.log(3, loss=1.0)
        run.log(3, accuracy=0.5, loss=2.0)
        run.log(9, loss=3.0)
    assert tracking.read(run.folder).metrics.to_dict("index")[3] == {"loss": 2.0, "accuracy": 0.5}


def test_an_empty_run_can_be_read(tmp_path):
    with begin(tmp_path) as run:
        pass
    record = tracking.read(run.folder)
    assert record.metrics.shape == (0, 0)
    assert repr(record) == "Record 'a': finished, 0 steps of nothing"
    with pytest.raises(ValueError, match="nothing to draw"):
        record.plot(Figure().subplots())


def test_all_else_that_a_run_keeps_comes_back(tmp_path):
    frame = pd.DataFrame({"grade": ["juice", None], "crates": [3, 4]}, index=pd.Index(["x", "y"], name="who"))
    with begin(tmp_path) as run:
        run.log(4, loss=1.0)
        run.figure("curve", Figure().subplots())
        run.table("counts", frame)
        run.histogram("weights", [[0.0, 1.0], [math.nan, 1.0]], bins=2)
        run.text("note", "Zürich 🍎\nsecond line")
        run.hparams(threshold=0.4)
        run.data("crates", frame)
        run.pr_curve("spoiled", [1, 0, 1], [0.9, 0.2, 0.4])
    record = tracking.read(run.folder)
    assert record.figures["curve"].read_bytes()[:4] == b"\x89PNG"
    assert record.figures["curve"].name == "curve-4.png"
    counts = record.tables["counts"]
    assert counts[["who", "crates"]].to_dict("list") == {"who": ["x", "y"], "crates": [3, 4]}
    assert (counts["grade"][0], counts["grade"].isna().tolist()) == ("juice", [False, True])
    assert record.histograms["weights"] == {"edges": [0.0, 0.5, 1.0], "counts": [1, 2], "not_finite": 1}
    assert record.texts == {"note": "Zürich 🍎\nsecond line"}
    assert (record.params, record.hparams) == ({}, {"threshold": 0.4})
    assert record.data == {"crates": artifacts.frame_hash(frame)}
    assert record.pr_curves["spoiled"].shape == (51, 7)
    assert all(row["step"] == 4 for row in strict(run.folder / "run.jsonl")[3:-1])


def test_precision_and_recall_are_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth, score = rng.random(200) < 0.3, rng.random(200).round(2)
    curve = pd.DataFrame(precision_recall(truth, score, thresholds=21))
    for row in curve.itertuples():
        said = score >= row.threshold
        matrix = metrics.confusion_matrix(truth, said)
        assert [row.tn, row.fp, row.fn, row.tp] == matrix.ravel().tolist()
        assert row.precision == pytest.approx(metrics.precision_score(truth, said, zero_division=0))
        assert row.recall == pytest.approx(metrics.recall_score(truth, said))


@dataclass
class Made:
    """Lineage as a dataclass."""

    data: str
    when: object


class Known:
    """Lineage as an object that gives a mapping."""

    def to_dict(self):
        return {"data": "1f"}


@pytest.mark.parametrize(
    ("lineage", "kept"),
    [
        (None, {}),
        ({"rows": np.int64(3), "share": math.nan}, {"rows": 3, "share": "NaN"}),
        (Made("1f", Path), {"data": "1f", "when": str(Path)}),
        (Known(), {"data": "1f"}),
    ],
)
def test_lineage_is_anything_that_has_the_form_of_a_mapping(tmp_path, lineage, kept):
    with begin(tmp_path, lineage=lineage) as run:
        pass
    assert tracking.read(run.folder).lineage == kept


def test_ten_thousand_steps_are_fast(tmp_path):
    before = time.process_time()
    with begin(tmp_path) as run:
        for step in range(10_000):
            run.log(step, loss=0.5, accuracy=0.5)
    written = time.process_time() - before
    assert len(tracking.read(run.folder).metrics) == 10_000
    # measured: 0.3 s written and 0.15 s read
    assert written < 3.0
    assert time.process_time() - before - written < 3.0


def test_a_run_is_a_sink():
    assert issubclass(tracking.Run, Sink)


# --- how a run ends -----------------------------------------------------------------------------------------


def test_an_error_ends_the_run_as_failed_and_passes_on(tmp_path):
    with pytest.raises(ZeroDivisionError), begin(tmp_path) as run:
        run.log(0, loss=1.0)
        1 / 0  # noqa: B018
    record = tracking.read(run.folder)
    assert (record.state, record.error) == ("failed", "ZeroDivisionError: division by zero")
    assert len(record.metrics) == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), "failed"), (SystemExit(0), "finished"), (SystemExit(3), "failed")],
)
def test_ctrl_c_and_exit_end_it_too(tmp_path, error, state):
    with pytest.raises(type(error)), begin(tmp_path) as run:
        raise error
    assert tracking.read(run.folder).state == state


def test_what_comes_after_the_end_is_refused(tmp_path):
    run = begin(tmp_path)
    assert tracking.read(run.folder).state == "running"
    run.close()
    run.close()
    with pytest.raises(ValueError, match="has ended"):
        run.log(0, loss=1.0)
    assert tracking.read(run.folder).state == "finished"


def python(code, *arguments, **more):
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)


TRAIN = """
    import sys, time
    from mlops_lab import tracking
    with tracking.Run(sys.argv[1], "a", sinks=[]) as run:
        for step in range(10**6):
            run.log(step, loss=1 / (step + 1))
            if step == 20:
                print("on its way", flush=True)
                time.sleep(float(sys.argv[2]))
"""


def test_a_run_that_is_killed_keeps_every_step_and_is_known_to_be_killed(tmp_path):
    with python(TRAIN, tmp_path, 60) as process:
        process.stdout.readline()
        assert tracking.read(tmp_path / "a").state == "running"
        process.kill()
        if os.name == "posix":  # it has ended, and its parent has not noticed yet
            while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
            assert tracking.read(tmp_path / "a").state == "killed"
        process.wait()
    record = tracking.read(tmp_path / "a")
    assert (record.state, record.error, record.ended) == ("killed", None, None)
    assert record.metrics["loss"].tolist() == [1 / (step + 1) for step in range(21)]
    assert record.unreadable == ()


@pytest.mark.slow
def test_killed_while_it_writes_at_most_the_last_line_is_torn(tmp_path):
    with python(TRAIN, tmp_path, 0) as process:
        process.stdout.readline()
        process.kill()
        process.wait()
    record = tracking.read(tmp_path / "a")
    steps = record.metrics.index
    assert record.state == "killed"
    assert len(steps) > 20
    assert steps.tolist() == list(range(len(steps)))
    assert len(record.unreadable) <= 1


def without_end(folder, **changed):
    run = begin(folder)
    run.log(0, loss=1.0)
    run.close()
    rows = strict(run.folder / "run.jsonl")[:-1]
    rows[1].update(changed)
    (run.folder / "run.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tracking.read(run.folder)


def test_a_process_of_the_same_number_is_not_taken_for_the_run(tmp_path):
    assert without_end(tmp_path).state == "running"
    assert without_end(tmp_path / "later", process_started=1.0).state == "killed"
    assert without_end(tmp_path / "gone", pid=2**22 + 1).state == "killed"
    assert without_end(tmp_path / "no pid", pid=None).state == "killed"


def test_of_a_run_on_another_machine_nobody_can_say_whether_it_lives(tmp_path):
    assert without_end(tmp_path, host="elsewhere").state == "unknown"


def test_this_process_is_alive():
    assert run_environment.alive(run_environment.this_process()) is True


# --- damaged and missing files ------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_read_past_and_reported(tmp_path, cut):
    run = begin(tmp_path)
    run.log(0, loss=1.0)
    run.log(1, loss=2.0)
    path = run.folder / "run.jsonl"
    whole = path.read_bytes()
    run.close()
    path.write_bytes(whole[:-1][:-cut])
    record = tracking.read(run.folder)
    assert record.metrics["loss"].tolist() == [1.0]
    assert record.unreadable == (4,)


def test_a_line_damaged_later_is_reported_and_the_rest_is_read(tmp_path):
    with begin(tmp_path) as run:
        for step in range(3):
            run.log(step, loss=float(step))
    path = run.folder / "run.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"step":1', b'"st\xff\x00:1'))
    record = tracking.read(run.folder)
    assert (record.metrics.index.tolist(), record.unreadable) == ([0, 2], (4,))


def test_folders_without_a_run_are_named_with_the_way_out(tmp_path):
    with begin(tmp_path, "one"), begin(tmp_path, "two"):
        pass
    with pytest.raises(FileNotFoundError, match="it holds the runs one, two; read one of them, or read_all"):
        tracking.read(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"holds a file run\.jsonl"):
        tracking.read(tmp_path / "three")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        tracking.read_all(tmp_path / "three")
    assert tracking.read(tmp_path / "one" / "run.jsonl").name == "one"
    assert [record.name for record in tracking.read_all(tmp_path)] == ["one", "two"]
    assert tracking.read_all(tmp_path / "one") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "does not begin as a run"), (b'{"kind":"start","format":99,"name":"a"}\n', "format 99")],
)
def test_a_file_that_no_run_of_ours_wrote_is_refused(tmp_path, content, said):
    (tmp_path / "run.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        tracking.read(tmp_path)


def test_a_record_holds_the_seed_that_was_said_or_none(tmp_path):
    for name, more, held in (("a", {}, None), ("b", {"seed": None}, None), ("c", {"seed": 0}, 0)):
        with begin(tmp_path, name, **more) as run:
            run.log(0, loss=float(np.random.default_rng().random()))
        assert run.seed is held
        assert tracking.read(run.folder).seed is held
        assert strict(run.folder / "run.jsonl")[0]["seed"] is held


# --- bad input ----------------------------------------------------------------------------------------------


def test_a_second_run_of_one_name_is_refused_with_the_way_out_and_the_first_is_untouched(tmp_path):
    with begin(tmp_path) as run:
        run.log(0, loss=1.0)
        with pytest.raises(FileExistsError, match="take another name, such as 'a-2'"):
            begin(tmp_path)
        run.log(1, loss=2.0)
    assert tracking.read(run.folder).metrics["loss"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["../a", "a/b", "..", "", "a\\b", "con", "a b", ".a"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="run name"):
        begin(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_cannot_be_written_outside_of_the_run(tmp_path):
    with begin(tmp_path) as run, pytest.raises(ValueError, match="figure name"):
        run.figure("../b", Figure().subplots())


def test_a_step_that_goes_back_is_left_out_and_the_training_goes_on(tmp_path):
    memory = MemorySink()
    with begin(tmp_path, sinks=[memory]) as run:
        run.log(5, loss=1.0)
        with pytest.warns(RuntimeWarning, match="step 4 comes after step 5") as said:
            run.log(4, loss=2.0)
            run.text("note", "x", step=3)
            run.histogram("h", [1.0], step=2)
            run.figure("curve", Figure().subplots(), step=1)
        run.log(6, loss=1.0)
        assert (len(said), run.left_out, run.failures) == (1, 4, {})
    record = tracking.read(run.folder)
    assert record.metrics.index.tolist() == [5, 6]
    assert [row["step"] for row in memory.rows] == [5, 6]
    assert (record.state, record.texts, record.figures) == ("finished", {}, {})
    rows = strict(run.folder / "run.jsonl")
    assert next(row["said"] for row in rows if row["kind"] == "left_out").startswith("step 4 comes after")
    assert rows[-1]["left_out"] == 4


@pytest.mark.parametrize("step", [1.5, "1", True, -1, math.nan, np.datetime64("2026-01-01")])
def test_what_is_no_step_is_left_out(tmp_path, step):
    with begin(tmp_path) as run, pytest.warns(RuntimeWarning, match="count steps"):
        run.log(step, loss=1.0)
    assert (len(tracking.read(run.folder).metrics), run.left_out) == (0, 1)


@pytest.mark.parametrize(("step", "at"), [(1, 1), (1.0, 1), (np.float32(3), 3), (np.int64(2), 2), (None, 0)])
def test_a_whole_number_is_a_step_however_it_is_stored(tmp_path, step, at):
    with begin(tmp_path) as run:
        run.log(step, loss=1.0)
    assert tracking.read(run.folder).metrics.index.tolist() == [at]
    with pytest.raises(TypeError, match="seed"):
        begin(tmp_path, "b", seed=1.0)


class Stubborn:
    """A value of a library that raises what it likes."""

    def __float__(self):
        raise RuntimeError("on another device")


@pytest.mark.parametrize(
    "value",
    [
        "0.5", b"1", None, [1.0], np.array([1.0, 2.0]), 1j, np.complex64(1), {"a": 1}, object(), np.str_("1"),
        10**400, Stubborn(), np.array([None]),
    ],
)  # fmt: skip
def test_what_is_no_number_is_recorded_as_missing_and_the_training_goes_on(tmp_path, value):
    memory = MemorySink()
    with begin(tmp_path, sinks=[memory]) as run:
        run.log(8, loss=1.0)
        with pytest.warns(RuntimeWarning) as said:
            run.log(9, loss=value, accuracy=0.5)
            run.log(10, loss=value)
        run.log(11, loss=0.5)
        assert (len(said), run.left_out) == (1, 2)
    record = tracking.read(run.folder)
    assert record.state == "finished"
    assert record.metrics["loss"].dropna().to_dict() == {8: 1.0, 11: 0.5}
    assert record.metrics.index.tolist() == [8, 9, 10, 11]
    assert record.metrics.loc[9, "accuracy"] == 0.5
    assert record.not_finite == {}  # missing is no NaN that the training had
    assert memory.rows == [
        {"step": 8, "loss": 1.0}, {"step": 9, "accuracy": 0.5}, {"step": 11, "loss": 0.5}
    ]  # fmt: skip
    again = MemorySink()
    tracking.replay(record, again)
    assert again.rows == memory.rows


def test_a_value_that_was_logged_before_is_not_undone_by_a_missing_one(tmp_path):
    with begin(tmp_path) as run, pytest.warns(RuntimeWarning):
        run.log(0, loss=1.0)
        run.log(0, loss=None)
        run.log(1, loss=None)
        run.log(1, loss=2.0)
    assert tracking.read(run.folder).metrics["loss"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "value",
    [
        1, True, np.float16(0.5), np.int8(3), np.array(0.25), np.bool_(True), np.array([1.5]),
        np.ones((1, 1)),
    ],
)  # fmt: skip
def test_every_kind_of_single_number_is_taken(tmp_path, value):
    with begin(tmp_path) as run:
        run.log(0, loss=value)
    assert tracking.read(run.folder).metrics.loc[0, "loss"] == float(np.asarray(value).item())


@pytest.mark.parametrize("name", ["step", "_step", "", "a//b", "../a", "a\nb", " a", "x" * 201, 3])
def test_a_metric_name_that_a_sink_could_not_hold_is_refused(tmp_path, name):
    with begin(tmp_path) as run, pytest.raises(ValueError, match="metric's name"):
        run.log(0, {name: 1.0})


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"rate": math.nan}, ValueError),
        ({"model": object()}, TypeError),
        ({3: 1}, TypeError),
        ({"when": {1: 2}}, TypeError),
    ],
)
def test_a_parameter_that_a_record_cannot_hold_is_refused_before_anything_begins(tmp_path, params, error):
    with pytest.raises(error, match="params"):
        begin(tmp_path, params=params)
    assert list(tmp_path.iterdir()) == []


def test_other_wrong_arguments_say_what_is_accepted(tmp_path):
    with pytest.raises(TypeError, match=r"write sinks=\[MemorySink"):
        begin(tmp_path, sinks=MemorySink())
    with pytest.raises(TypeError, match="lineage must be a mapping"):
        begin(tmp_path, lineage=3)
    with pytest.raises(ValueError, match="seed -1"):
        begin(tmp_path, seed=-1)
    with pytest.raises(TypeError, match="seed 'x'"):
        begin(tmp_path, seed="x")
    with begin(tmp_path) as run:
        with pytest.raises(ValueError, match="at least one bin"):
            run.histogram("h", [1.0], bins=0)
        with pytest.raises(ValueError, match="metric's name"):
            run.histogram("_h", [1.0])


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (lambda run: run.table("t", pd.DataFrame({"a": range(10_001)})), "has 10,001 rows"),
        (lambda run: run.histogram("h", ["a"]), "takes numbers"),
        (lambda run: run.pr_curve("p", [1], [0.5, 0.5]), "one score for each case"),
        (lambda run: run.pr_curve("p", ["a", "b"], [0.5, 0.5]), "truth must be True and False"),
        (lambda run: run.pr_curve("p", [1, 0], [0.5, math.nan]), "from 0 to 1"),
    ],
)
def test_values_of_which_there_is_no_summary_are_left_out_and_the_training_goes_on(tmp_path, log, said):
    with begin(tmp_path) as run:
        with pytest.warns(RuntimeWarning, match=said):
            log(run)
        run.log(0, loss=1.0)
    record = tracking.read(run.folder)
    assert (len(record.metrics), run.left_out, record.tables, record.histograms) == (1, 1, {}, {})


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file") as failed:
        begin(tmp_path / "file")
    assert "the run 'a' was not begun" in failed.value.__notes__[0]


# --- what fails on the way never stops the training ---------------------------------------------------------


class Raising(MemorySink):
    """A sink that is broken in every method."""

    def log(self, step, values):
        raise ConnectionError("the tracker is away")

    def text(self, *given):
        raise ValueError("no text")

    def close(self):
        raise KeyError("gone")


def test_a_raising_sink_is_warned_about_once_noted_and_the_rest_goes_on(tmp_path):
    memory = MemorySink()
    with pytest.warns(RuntimeWarning, match="Raising failed in log") as said:
        with begin(tmp_path, sinks=[Raising(), memory]) as run:
            for step in range(3):
                run.log(step, loss=1.0)
            run.text("note", "x")
        assert run.failures == {"Raising": 5}
    assert len(said) == 1
    assert (len(memory.rows), memory.closed) == (3, True)
    record = tracking.read(run.folder)
    assert record.state == "finished"
    assert record.sink_failures == {"Raising": "in log: ConnectionError: the tracker is away"}
    rows = strict(run.folder / "run.jsonl")
    assert [row["kind"] for row in rows].count("sink_failed") == 1
    assert rows[-1]["failures"] == {"Raising": 5}
    assert "Raising failed" in repr(record)


def test_ctrl_c_in_a_sink_is_no_failure_of_the_sink(tmp_path):
    class Slow(MemorySink):
        def log(self, step, values):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), begin(tmp_path, sinks=[Slow()]) as run:
        run.log(0, loss=1.0)
    assert tracking.read(run.folder).error == "KeyboardInterrupt"


class FullDisk:
    """A file on a disk that is full for a while and then takes a few bytes at a time."""

    def __init__(self, file):
        self.file, self.room, self.closed = file, 0, False

    def write(self, content):
        if self.room == 0:
            raise OSError(28, "No space left on device")
        written = self.file.write(content[: self.room])
        self.room -= written
        return written

    def close(self):
        self.file.close()


def test_a_full_disk_stops_nothing_and_loses_no_line_if_there_is_room_again(tmp_path):
    run = begin(tmp_path)
    disk = run._book._file._file = FullDisk(run._book._file._file)
    with pytest.warns(RuntimeWarning, match="No space left on device") as said:
        for step in range(10):
            disk.room = 17 * (step % 2)  # now and then a few bytes, in the middle of a line
            run.log(step, loss=float(step))
        run.figure("curve", Figure().subplots())
    assert len(said) == 1
    assert run.failures["run.jsonl"] >= 5
    disk.room = 10**6
    run.close()
    record = tracking.read(run.folder)
    assert record.metrics["loss"].tolist() == [float(step) for step in range(10)]
    assert (record.state, record.unreadable) == ("finished", ())


def test_a_disk_that_stays_full_leaves_what_was_written_readable(tmp_path):
    run = begin(tmp_path)
    run.log(0, loss=1.0)
    disk = run._book._file._file = FullDisk(run._book._file._file)
    disk.room = 20
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        run.log(1, loss=1.0)
        run.close()
    record = tracking.read(run.folder)
    assert (len(record.metrics), record.unreadable) == (1, (4,))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the full device is Linux's")
def test_a_disk_that_is_full_at_the_begin_says_so_before_the_training(tmp_path, monkeypatch):
    class Full(record_file.LineFile):
        def __init__(self, path):
            super().__init__(path)
            self._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115

    monkeypatch.setattr(tracking.run, "LineFile", Full)
    with pytest.raises(OSError, match="No space left") as failed:
        begin(tmp_path)
    assert "was not begun" in failed.value.__notes__[0]
    assert not (tmp_path / "a" / "run.jsonl").exists()
    monkeypatch.undo()
    with begin(tmp_path):
        pass


def test_a_picture_that_cannot_be_written_is_counted_and_the_run_goes_on(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tracking.sinks, "atomic_write", full)
    with pytest.warns(RuntimeWarning, match="No space left"), begin(tmp_path) as run:
        run.figure("curve", Figure().subplots())
    assert tracking.read(run.folder).figures == {}
    assert run.failures == {"run.jsonl": 1}


def test_replay_sends_everything_in_order(tmp_path):
    class All(MemorySink):
        def __init__(self):
            super().__init__()
            self.sent = []

        def __getattr__(self, kind):
            if kind.startswith("_"):
                raise AttributeError(kind)
            return lambda *given: self.sent.append(kind)

    first, second = All(), All()
    with begin(tmp_path, sinks=[first]) as run:
        run.log(0, loss=math.nan)
        run.figure("curve", Figure().subplots())
        run.table("t", pd.DataFrame({"a": [1]}))
        run.histogram("h", [1.0])
        run.text("note", "x")
        run.hparams(a=1)
        run.pr_curve("p", [1, 0], [0.5, 0.1])
    assert tracking.replay(tracking.read(run.folder), second) == 7
    assert first.sent == second.sent
    assert first.sent == ["start", "figure", "table", "histogram", "text", "hparams", "pr_curve", "end"]
    assert str(first.rows) == str(second.rows) == "[{'step': 0, 'loss': nan}]"
