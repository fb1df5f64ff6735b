"""TensorBoard from a lesson: it shows what was logged, on this machine alone, and is never left running."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from mlops_lab import tracking
from mlops_lab.lesson import tensorboard_server
from mlops_lab.lesson.tensorboard_server import open_tensorboard

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    for name, factor in (("one", 1.0), ("two", 2.0)):
        with tracking.Run(folder / "runs", name, sinks=[tracking.TensorBoard(folder / "board")]) as run:
            for step in range(1200):
                run.log(step, loss=factor / (step + 1))
            run.text("note", "hello")
    return folder


@pytest.fixture(scope="module")
def server(board):
    with open_tensorboard(board / "board") as running:
        yield running


def test_every_point_of_every_run_is_served(server):
    for name, factor in (("one", 1.0), ("two", 2.0)):
        curve = server.scalars(name, "loss", until=1199)
        assert curve.index.tolist() == list(range(1200)), "more than the 1,000 that it samples by default"
        assert curve.tolist() == pytest.approx([factor / (step + 1) for step in range(1200)], rel=1e-7)
    assert server.tags("one", "text") == ["note"]


def test_it_listens_on_loopback_alone(server):
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    listening = [
        one.laddr.ip
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    ]
    assert listening == ["127.0.0.1"]


def test_what_is_not_there_is_said_with_the_way_out(server, monkeypatch):
    with pytest.raises(ValueError, match=r"404.*ask data/plugin/scalars/tags"):
        server.get("data/plugin/nonsense")
    monkeypatch.setattr(tensorboard_server, "_LOAD_S", 0.2)
    with pytest.raises(TimeoutError, match="step 5000 of 'loss' in 'one'"):
        server.scalars("one", "loss", until=5000)
    with pytest.raises(TimeoutError, match="images of 'one'"):
        server.tags("one", "images")


def test_a_proxy_in_the_environment_is_not_asked(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert sorted(server.get("data/runs")) == ["one", "two"]


def test_a_stopped_server_is_gone_and_says_so(tmp_path):
    server = open_tensorboard(tmp_path)
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    assert server.running
    server.stop()
    server.stop()
    assert not server.running
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    with pytest.raises(RuntimeError, match="was stopped: start one"):
        server.get("data/runs")


def test_the_link_is_live_and_nothing_else(server, capsys):
    server.link()
    assert capsys.readouterr().out == f"TensorBoard listens at ‹{server.url}› until this notebook ends.\n"


def test_a_student_gets_a_link_to_click(server, monkeypatch):
    shown = []
    monkeypatch.setattr(tensorboard_server, "in_students_notebook", lambda: True)
    monkeypatch.setattr(tensorboard_server, "publish", shown.append)
    server.link()
    assert [bundle["text/html"].count(f'href="{server.url}"') for bundle in shown] == [1]


def test_a_start_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "__init__.py").write_text("raise ImportError('broken on purpose')\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"broken on purpose.*doctor"):
        open_tensorboard(tmp_path)


def test_a_start_that_hangs_is_given_up(tmp_path, monkeypatch):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "__init__.py").write_text("import time\ntime.sleep(600)\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="within 1 s"):
        open_tensorboard(tmp_path, start_s=1.0)
    assert _servers_of(tmp_path) == []


def _servers_of(folder):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "mlops_lab.lesson.tensorboard_server" in line and str(folder) in line:
            found.append(process)
    return found


PARENT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored, as in a background job
from mlops_lab.lesson.tensorboard_server import open_tensorboard
server = open_tensorboard(sys.argv[1])
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["kill", "interrupt"])
def test_none_is_left_when_the_program_that_started_it_ends(tmp_path, how):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    with parent:
        assert parent.stdout.readline() == b"started\n" or os.name == "nt"
        assert len(_servers_of(tmp_path)) == 1
        if how == "kill" or os.name == "nt":
            parent.kill()
        else:
            parent.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 60
    while _servers_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _servers_of(tmp_path) == []
