"""What stands before a lesson's first import, and how a program is started with it."""

import os
import platform
import signal
import subprocess
import sys
import threading
import time

import pytest

from mlops_lab.setup import environment


def test_what_must_stand_before_imports(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    before = dict(os.environ)
    ready = environment.prepared()
    assert (ready["OMP_NUM_THREADS"], ready["OPENBLAS_NUM_THREADS"]) == ("1", "1")
    assert (ready["WANDB_MODE"], ready["WANDB_ERROR_REPORTING"]) == ("offline", "false")
    assert ready["PYTHONUTF8"] == "1"
    assert "PYTHONDONTWRITEBYTECODE" not in ready
    assert (ready["MPLBACKEND"], ready["PYTHONPATH"]) == ("agg", "somewhere")
    assert dict(os.environ) == before  # a copy


@pytest.mark.parametrize(("machine", "fixed"), [("x86_64", True), ("AMD64", True), ("arm64", False)])
def test_numerical_kernels_are_fixed_where_they_exist(monkeypatch, machine, fixed):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert ("OPENBLAS_CORETYPE" in environment.prepared()) is fixed


def test_strictness_is_only_what_was_asked_for(monkeypatch):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")  # a shell of CI, in which a student opens a lab
    assert "MLOPS_LAB_STRICT" not in environment.prepared()
    assert environment.prepared(strict=True)["MLOPS_LAB_STRICT"] == "1"


def test_applying_it_changes_this_process(monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(os.environ, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="8"))
        environment.apply(strict=True)
        assert "PYTHONDONTWRITEBYTECODE" not in os.environ
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert os.environ["MLOPS_LAB_STRICT"] == "1"


def test_numpy_obeys_it():
    code = "import threadpoolctl, numpy; print([p['num_threads'] for p in threadpoolctl.threadpool_info()])"
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment.prepared(), capture_output=True, text=True
    )
    assert answer.stdout.strip() == "[1]"


def test_importing_it_sets_nothing():
    code = (
        "import os, signal; b = dict(os.environ); h = signal.getsignal(signal.SIGINT)\n"
        "import mlops_lab.setup.environment\n"
        "print(dict(os.environ) == b and signal.getsignal(signal.SIGINT) is h)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "True"


@pytest.mark.parametrize("code", [0, 1, 7])
def test_the_exit_code_comes_back(code):
    assert environment.child([sys.executable, "-c", f"raise SystemExit({code})"]) == code


def test_a_child_gets_the_environment_and_the_folder(tmp_path):
    code = "import os; open('seen', 'w').write(os.environ['OMP_NUM_THREADS'] + os.environ.get('X', '-'))"
    assert environment.child([sys.executable, "-c", code], folder=tmp_path) == 0
    assert (tmp_path / "seen").read_text() == "1-"
    variables = {**environment.prepared(), "X": "x"}
    environment.child([sys.executable, "-c", code], variables, folder=tmp_path)
    assert (tmp_path / "seen").read_text() == "1x"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_child_gives_what_a_shell_gives():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert environment.child([sys.executable, "-c", code]) == 137


CHILD = """
import signal, sys, time
count = 0
def stop(number, frame):
    global count
    count += 1
    print("got", signal.Signals(number).name, flush=True)
    time.sleep(0.4)  # tidying up; a second signal would come now
    sys.exit(9)
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), stop)
print("ready", flush=True)
for _ in range(300):  # a signal just before a long sleep would be answered after it
    time.sleep(0.1)
"""
PARENT = """\
import sys
from mlops_lab.setup import environment
sys.exit(environment.child([sys.executable, '-c', {!r}]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_the_parent_reaches_the_child(name):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(CHILD)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout.readline() == "ready\n"
    parent.send_signal(getattr(signal, name))
    said, complaint = parent.communicate(timeout=100)
    assert said == f"got {name}\n"
    assert parent.returncode == 9
    assert "Traceback" not in complaint


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_child_is_started_waits_for_it(monkeypatch, name):
    started = subprocess.Popen

    def interrupted(*given, **named):
        os.kill(os.getpid(), getattr(signal, name))
        process = started(*given, stdout=subprocess.PIPE, text=True, **named)
        assert process.stdout.readline() == "ready\n"
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    monkeypatch.setattr(environment, "_at_a_terminal", lambda: False)
    # in the background a shell has Ctrl-C ignored, and then it kills nobody
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert environment.child([sys.executable, "-c", CHILD]) == 9
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_signal_that_does_not_wake_the_parent_is_handed_on(monkeypatch):
    """One that comes just before the parent waits does not; nor does one that another thread receives."""
    started = subprocess.Popen

    def asleep(process):
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)  # by now the parent waits
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    def watched(*given, **named):
        process = started(*given, stdout=subprocess.PIPE, text=True, **named)
        threading.Thread(target=asleep, args=(process,)).start()
        return process

    monkeypatch.setattr(subprocess, "Popen", watched)
    assert environment.child([sys.executable, "-c", CHILD]) == 9


@pytest.mark.skipif(os.name == "nt", reason="a terminal of our own")
def test_ctrl_c_at_a_terminal_reaches_the_child_once():
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", PARENT.format(CHILD)])
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"\x03")
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
    except OSError:  # Linux's way to say that the terminal's last program ended
        pass
    _, status = os.waitpid(pid, 0)
    assert said.count(b"got SIGINT") == 1, said
    assert os.waitstatus_to_exitcode(status) == 9
    assert b"Traceback" not in said


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    environment.child([sys.executable, "-c", "pass"])
    assert signal.getsignal(signal.SIGINT) is before
