"""What TensorBoard and Weights & Biases were sent is read back with their own readers, and nothing leaves."""

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import textwrap
import time
import types
import urllib.parse
import urllib.request
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mlops_lab import tracking
from mlops_lab.course import offline
from mlops_lab.setup import environment
from mlops_lab.tracking import offline_wandb, tensorboard_events

STEPS = 30


def logged(folder, name="a", sinks=(), rate=0.1):
    """Log one of everything, and give the record."""
    with tracking.Run(
        folder, name, params={"rate": rate, "layers": [3, 4]}, lineage={"data": "1f"}, sinks=sinks
    ) as run:
        for step in range(STEPS):
            late = {"late": 0.1} if step > 20 else {}
            broken = math.nan if step == 3 else math.inf if step == 4 else 0.1 * step
            run.log(step, {"loss": 1 / (step + 1), "validation/accuracy": broken, **late})
        ax = Figure().subplots()
        ax.plot([1, 2, 3])
        run.figure("curve", ax)
        run.text("note", "# A heading")
        run.histogram("weights", np.random.default_rng(0).normal(size=1000))
        run.pr_curve("spoiled", [False, True, True, False], [0.1, 0.9, 0.6, 0.7])
        run.table("grades", pd.DataFrame({"grade": ["juice", "a|b"], "crates": [1, 2]}))
        run.hparams(threshold=0.4)
    assert run.failures == {}
    return tracking.read(run.folder)


# --- TensorBoard --------------------------------------------------------------------------------------------


def scalars(folder):
    """Read one run's numbers back with TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    reader = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    kinds = {
        tag: reader.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
        for tag in reader.Tags()["tensors"]
    }
    columns = {
        tag: pd.Series({event.step: float(make_ndarray(event.tensor_proto)) for event in reader.Tensors(tag)})
        for tag, scalar in kinds.items()
        if scalar
    }
    return pd.DataFrame(columns, dtype="float64").rename_axis("step")


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    records = [
        logged(folder / "runs", name, [tracking.TensorBoard(folder / "board")], rate)
        for name, rate in (("a", 0.1), ("b", 0.2))
    ]
    return folder / "board", records


def test_its_own_reader_gives_every_number_back_as_float32(board):
    folder, records = board
    for record in records:
        found = scalars(folder / record.name)
        pd.testing.assert_frame_equal(
            found, record.metrics.astype("float32").astype("float64"), check_exact=True
        )
        assert found["loss"].iloc[-1] == np.float32(1 / STEPS)


def test_its_own_reader_gives_everything_else_back(board):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    folder, records = board
    reader = EventAccumulator(str(folder / "a"), size_guidance={"tensors": 0}).Reload()

    def one(tag, plugin):
        assert reader.SummaryMetadata(tag).plugin_data.plugin_name == plugin
        (event,) = reader.Tensors(tag)
        assert event.step == STEPS - 1
        return make_ndarray(event.tensor_proto)

    held = records[0].histograms["weights"]
    assert one("weights", "histograms")[:, 2].tolist() == held["counts"]
    width, height, picture = one("curve", "images")
    assert picture == records[0].figures["curve"].read_bytes()
    assert (int(width), int(height)) == (640, 480)
    assert one("note", "text").tolist() == [b"# A heading"]
    assert b"a\\|b" in one("grades", "text")[0]
    assert b'"threshold": 0.4' in one("hparams", "text")[0]
    curve = records[0].pr_curves["spoiled"]
    names = ["tp", "fp", "tn", "fn", "precision", "recall"]
    assert one("spoiled", "pr_curves").T.tolist() == curve[names].to_numpy().tolist()


def test_each_step_reaches_the_file_at_once_so_that_a_killed_run_keeps_it(tmp_path):
    run = tracking.Run(tmp_path, "a", sinks=[tracking.TensorBoard(tmp_path / "board")])
    for step in range(3):
        run.log(step, loss=0.5)
        assert len(scalars(tmp_path / "board" / "a")) == step + 1
    run.close()


def test_events_of_two_runs_never_mix(tmp_path):
    logged(tmp_path / "one", sinks=[tracking.TensorBoard(tmp_path / "board")])
    with pytest.warns(RuntimeWarning, match="holds events already"):
        run = tracking.Run(tmp_path / "two", "a", sinks=[tracking.TensorBoard(tmp_path / "board")])
    run.log(0, loss=9.0)
    run.close()
    assert len(scalars(tmp_path / "board" / "a")) == STEPS
    assert "holds events already" in tracking.read(run.folder).sink_failures["TensorBoard"]


def test_a_disk_that_is_full_for_a_while_leaves_a_readable_event_file(tmp_path):
    sink = tracking.TensorBoard(tmp_path / "board")
    run = tracking.Run(tmp_path, "a", sinks=[sink])
    run.log(0, loss=0.0)
    whole = sink._file

    class Full:
        """A file that takes 25 bytes more, in the middle of a record."""

        tell, seek, truncate, left = whole.tell, whole.seek, whole.truncate, 25

        def write(self, content):
            if not self.left:
                raise OSError(28, "No space left on device")
            written = whole.write(content[: self.left])
            self.left -= written
            return written

    sink._file = Full()
    with pytest.warns(RuntimeWarning, match="No space left"):
        run.log(1, loss=1.0)
    sink._file = whole
    run.log(2, loss=2.0)
    run.close()
    assert scalars(tmp_path / "board" / "a")["loss"].to_dict() == {0: 0.0, 2: 2.0}


def test_numbers_too_large_for_float32_become_infinite_without_a_warning(tmp_path):
    with tracking.Run(tmp_path, "a", sinks=[tracking.TensorBoard(tmp_path / "board")]) as run:
        run.log(0, loss=1e300)
    assert scalars(tmp_path / "board" / "a")["loss"].tolist() == [math.inf]
    assert run.failures == {}


def get(address, body=None):
    request = urllib.request.Request(
        address, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.fixture(params=["false", "auto"], ids=["slow server", "fast server where installed"])
def server(request, board):
    """TensorBoard's own server on loopback; its fast server reads the files in another way."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(board[0]), "--port", "0"]
    command += ["--host", "127.0.0.1", "--load_fast", request.param, "--reload_interval", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment.prepared()
    ) as process:
        try:
            said = ""
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/", said)):
                line = process.stderr.readline()
                assert line, said
                said += line
            address = found[0] + "data/"
            for _ in range(60):
                tags = get(address + "plugin/scalars/tags")
                if len(tags) == 2 and all("late" in held for held in tags.values()):
                    break
                time.sleep(0.5)
            yield address
        finally:
            process.kill()  # its own handler of SIGTERM can hang where nobody reads what it says


@pytest.mark.slow
def test_its_server_shows_all_of_it(server, board):
    record = board[1][0]
    assert get(server + "runs") == ["a", "b"]
    tag = urllib.parse.quote("validation/accuracy")
    points = get(f"{server}plugin/scalars/scalars?run=a&tag={tag}")
    assert [step for _, step, _ in points] == list(range(STEPS))
    assert [points[3][2], points[4][2]] == ["NaN", "Infinity"]
    assert points[-1][2] == np.float32(record.metrics["validation/accuracy"].iloc[-1])
    last = get(f"{server}plugin/scalars/scalars?run=a&tag=loss")[-1]
    assert last[1:] == [STEPS - 1, float(np.float32(1 / STEPS))]

    curve = get(f"{server}plugin/pr_curves/pr_curves?run=a&tag=spoiled")["a"][0]
    assert curve["step"] == STEPS - 1
    precision = record.pr_curves["spoiled"]["precision"]
    shown = curve["precision"]
    # where nothing is called positive the plugin leaves thresholds out
    assert shown == pytest.approx(precision[: len(shown)].tolist())
    assert len(shown) > 40

    bins = get(f"{server}plugin/histograms/histograms?run=a&tag=weights")[0][2]
    assert [count for _, _, count in bins] == record.histograms["weights"]["counts"]
    assert get(f"{server}plugin/images/tags")["a"]["curve"]["samples"] == 1
    assert "<h1>A heading</h1>" in get(f"{server}plugin/text/text?run=a&tag=note")[0]["text"]


@pytest.mark.slow
def test_its_tab_hparams_shows_settings_metrics_and_ends(server):
    experiment = get(server + "plugin/hparams/experiment", {"experimentName": ""})
    settings = {one["name"]: one for one in experiment["hparamInfos"]}
    assert settings.keys() == {"seed", "rate", "layers"}
    assert settings["rate"]["domainInterval"] == {"minValue": 0.1, "maxValue": 0.2}
    assert {one["name"]["tag"] for one in experiment["metricInfos"]} >= {"loss", "validation/accuracy"}
    asked = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
    }
    groups = get(server + "plugin/hparams/session_groups", asked)["sessionGroups"]
    assert {group["name"]: group["hparams"]["rate"] for group in groups} == {"a": 0.1, "b": 0.2}
    assert [group["sessions"][0]["status"] for group in groups] == ["STATUS_SUCCESS"] * 2
    last = {one["name"]["tag"]: one["value"] for one in groups[0]["metricValues"]}
    assert last["loss"] == np.float32(1 / STEPS)


# --- Weights & Biases ---------------------------------------------------------------------------------------

WRITE = """
    import sys
    sys.path.insert(0, "tests/tracking")
    from mlops_lab import tracking
    from test_tensorboard_and_wandb import logged
    folder = sys.argv[1]
    record = logged(folder, sinks=[tracking.Wandb(folder + "/wb", project="orchard")])
"""


def python(code, *arguments, env=None, wrap=list, **more):
    command = wrap([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)])
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, capture_output=True, text=True, env=env, cwd=root, timeout=240, check=False, **more
    )


def bare(**more):
    """Give an environment in which nobody has prepared anything for wandb."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "DO_NOT"))}
    return {**kept, **more}


@pytest.fixture(scope="module")
def offline_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wandb")
    home = folder / "home"
    home.mkdir()
    places = {"HOME": str(home), "USERPROFILE": str(home), "LOCALAPPDATA": str(home), "APPDATA": str(home)}
    return folder, python(WRITE, folder / "runs", env=bare(**places, MPLCONFIGDIR=str(folder / "mpl")))


@pytest.mark.slow
def test_its_own_reader_gives_every_number_back_exactly(offline_run):
    folder, written = offline_run
    assert written.returncode == 0, written.stderr
    record = tracking.read(folder / "runs" / "a")
    found = tracking.wandb_history(folder / "runs" / "wb")
    pd.testing.assert_frame_equal(found[list(record.metrics)], record.metrics, check_exact=True)
    assert set(found) == set(record.metrics)


@pytest.mark.slow
def test_its_own_reader_gives_settings_state_and_the_rest_back(offline_run):
    folder, _ = offline_run
    (file,) = (folder / "runs" / "wb").rglob("run-*.wandb")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment.prepared())
    found = json.loads(said.stdout)
    assert (found["state"], found["exit_code"], found["step"]) == ("finished", 0, STEPS - 1)
    assert (found["name"], found["project"]) == ("a", "orchard")
    assert found["config"]["rate"] == 0.1
    assert found["config"]["lineage"] == {"data": "1f"}
    assert found["config"]["threshold"] == 0.4
    assert found["summary"]["loss"] == 1 / STEPS
    assert found["summary"]["note"] == "# A heading"
    kinds = {name: found["summary"][name]["_type"] for name in ("curve", "weights", "grades", "spoiled")}
    assert kinds == {
        "curve": "image-file",
        "weights": "histogram",
        "grades": "table-file",
        "spoiled": "table-file",
    }


@pytest.mark.slow
def test_nothing_is_printed_and_nothing_is_written_outside_of_its_folder(offline_run):
    folder, written = offline_run
    assert (written.stdout, written.stderr) == ("", "")
    home = folder / "home"
    assert [path for path in home.rglob("*") if "wandb" in path.name.lower()] == []
    assert not (Path(__file__).parents[2] / "wandb").exists()


KILLED = """
    import sys, time
    from mlops_lab import tracking
    run = tracking.Run(sys.argv[1], "a", sinks=[tracking.Wandb(sys.argv[1])])
    for step in range(10):
        run.log(step, loss=1 / (step + 1))
    print("logged", flush=True)
    time.sleep(300)
"""


def _steps(folder):
    try:
        return len(tracking.wandb_history(folder))
    except (FileNotFoundError, RuntimeError):  # not begun, or read in the middle of a write
        return 0


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")
def test_a_killed_run_keeps_what_is_older_than_a_second_and_replay_gives_the_rest(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=bare()) as process:
        try:
            assert process.stdout.readline() == b"logged\n"
            deadline = time.monotonic() + 60  # it writes each second; a busy machine may take longer
            while _steps(tmp_path / "wandb") < 9 and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            process.kill()
    # wandb keeps a step back until the next one begins
    assert tracking.wandb_history(tmp_path / "wandb")["loss"].tolist() == [1 / (n + 1) for n in range(9)]
    record = tracking.read(tmp_path / "a")
    assert (record.state, len(record.metrics)) == ("killed", 10)
    again = "import sys; from mlops_lab import tracking as t; "
    again += "t.replay(t.read(sys.argv[1] + '/a'), t.Wandb(sys.argv[1] + '/again'))"
    assert python(again, tmp_path, env=bare()).returncode == 0
    assert len(tracking.wandb_history(tmp_path / "again")) == 10


COUNT = """
    import subprocess, sys, pathlib
    subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True, capture_output=True)
    found = {}
    rows = pathlib.Path("/proc/net/snmp").read_text().splitlines()
    for names, values in zip(rows[::2], rows[1::2]):
        kind = names.split()[0]
        found.update({kind + name: int(v) for name, v in zip(names.split()[1:], values.split()[1:])})
    for row in pathlib.Path("/proc/net/snmp6").read_text().splitlines():
        name, value = row.split()
        found[name] = int(value)
    asked = ("Ip:OutNoRoutes", "Udp:OutDatagrams", "Ip6OutNoRoutes", "Udp6OutDatagrams")
    print(sum(found[name] for name in asked))
"""
BOTH = """
import sys
from mlops_lab import tracking
sinks = [tracking.Wandb(sys.argv[1]), tracking.TensorBoard(sys.argv[1])]
with tracking.Run(sys.argv[1], "a", sinks=sinks) as run:
    run.log(0, loss=1.0)
    run.table("t", __import__("pandas").DataFrame({"a": [1]}))
assert run.failures == {}, run.failures
assert len(tracking.wandb_history(sys.argv[1])) == 1
"""
ONLY_THE_MODE = """
import sys, wandb
run = wandb.init(mode="offline", dir=sys.argv[1])
run.log({"loss": 1.0})
run.finish()
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="network namespaces are Linux's")
def test_nothing_tries_to_leave_the_machine_where_the_kernel_itself_counts(tmp_path):
    """In a namespace with loopback only, the kernel counts what found no way out; wandb's own process too."""
    if not offline.namespace_command(["x"]):
        pytest.skip("this machine allows no network namespace")

    def attempts(code):
        ran = python(COUNT, code, tmp_path / str(len(code)), env=bare(), wrap=offline.namespace_command)
        assert ran.returncode == 0, ran.stderr
        return int(ran.stdout)

    assert attempts(BOTH) == 0
    assert attempts("import socket; socket.socket().connect_ex(('192.0.2.1', 80))") == 1
    # the trap: the mode alone is not enough
    (tmp_path / str(len(ONLY_THE_MODE))).mkdir()
    assert attempts(ONLY_THE_MODE) > 0


@pytest.mark.slow
def test_nothing_tries_to_leave_the_machine_under_the_guard(tmp_path):
    with offline.guarded(bare()) as inside:
        ran = python(BOTH, tmp_path, env=inside)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_process_in_which_wandb_was_imported_unprepared_is_refused_with_the_way_out(tmp_path, monkeypatch):
    imported = types.ModuleType("wandb")
    imported.__spec__ = importlib.util.find_spec("wandb")
    monkeypatch.setitem(sys.modules, "wandb", imported)
    for name in ("WANDB_MODE", "WANDB_ERROR_REPORTING"):
        monkeypatch.delenv(name)
    with pytest.raises(RuntimeError, match="imported before its environment stood") as refused:
        tracking.Wandb(tmp_path)
    assert "WANDB_MODE=offline WANDB_ERROR_REPORTING=false" in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("WANDB_MODE", "online"), ("WANDB_ERROR_REPORTING", "true")])
def test_who_asks_for_the_network_is_told_that_this_sink_has_none(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match=f"{name} is '{value}'.*'wandb sync'"):
        tracking.Wandb(tmp_path)


def test_what_wandb_reads_is_set_where_it_is_not_set_yet(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(offline_wandb.os, "environ", dict(os.environ))
    tracking.Wandb(tmp_path)
    kept = offline_wandb.os.environ
    assert {name: kept[name] for name in offline_wandb._BEFORE_IMPORT} == {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
    }
    assert all(Path(kept[name]).is_relative_to(tmp_path) for name in offline_wandb._FOLDERS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "users"),
    [("tensorboard", [tracking.TensorBoard]), ("wandb", [tracking.Wandb, tracking.wandb_history])],
)
def test_a_missing_library_is_named(tmp_path, monkeypatch, module, users):
    real = importlib.util.find_spec
    for answer in (None, importlib.util.spec_from_loader(module, None)):  # the second: a mere folder
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, a=answer: a if name == module else real(name)
        )
        for what in users:
            with pytest.raises(ModuleNotFoundError, match=f"{module} is not installed"):
                what(tmp_path)


def test_wandb_files_that_are_missing_or_several_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no \.wandb file"):
        tracking.wandb_history(tmp_path)
    for name in ("run-1.wandb", "run-2.wandb"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="holds 2 runs"):
        tracking.wandb_history(tmp_path)


@pytest.mark.slow
def test_the_contract_with_wandbs_pinned_minor_version():
    """All of wandb that we lean on and that its makers do not promise: an upgrade must look here first."""
    assert metadata.version("wandb").startswith("0.31.")
    import wandb

    settings = wandb.Settings.model_fields
    private = {
        "x_disable_stats": False,
        "x_disable_meta": False,
        "x_disable_machine_info": False,
        "x_transaction_log_flush_interval": 15.0,
    }
    assert {name: settings[name].default for name in private} == private
    assert {"mode", "silent", "console", "disable_git", "disable_code", "save_code", "reinit"} <= set(
        settings
    )
    from wandb import env

    assert {env.CACHE_DIR, env.CONFIG_DIR, env.DATA_DIR, env.ARTIFACT_DIR} == set(offline_wandb._FOLDERS)
    assert env.ERROR_REPORTING == "WANDB_ERROR_REPORTING"
    from wandb.cli import cli, leet

    assert "paths" in {option.name for option in cli.sync.params}  # the one line that goes online
    options = {option.name for option in leet.inspect.params}
    assert options >= {"path", "json_output", "summary"}


def test_the_contract_with_tensorboard():
    assert tuple(map(int, metadata.version("tensorboard").split(".")[:2])) >= (2, 21)
    assert tensorboard_events._FILE.startswith("events.out.tfevents.")


@pytest.mark.slow
def test_a_notebook_stores_no_output_of_either_tool(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    code = BOTH.replace("import sys\n", "").replace("sys.argv[1]", repr(str(tmp_path)))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=bare())
    assert notebook.cells[0].outputs == []
