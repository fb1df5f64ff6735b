"""Lessons run headless: two at a time, each failure named, nothing touched and nothing left behind."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import planted
import pytest

from mlops_lab.course import execution
from mlops_lab.course.execution import Job, execute
from mlops_lab.course.notebooks import read, write
from mlops_lab.course.run import run, verify
from mlops_lab.lesson.outputs import collect

slow = pytest.mark.slow


def job(folder: Path, notebook, name="lesson", seed=None) -> Job:
    write(notebook, folder / f"{name}.ipynb")
    return Job(name, folder / f"{name}.ipynb", folder / "out" / f"{name}.ipynb", seed)


@pytest.fixture
def no_kernel_left():
    before = planted.kernels()
    yield
    deadline = time.monotonic() + 20
    while not planted.kernels() <= before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert planted.kernels() <= before


@slow
def test_a_batch_each_notebook_with_its_own_fate(tmp_path, no_kernel_left, monkeypatch):
    """One run of many: good ones, and every way to fail, each named with its cell."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "foreign"))
    foreign = tmp_path / "foreign" / "kernels" / "python3" / "kernel.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text(json.dumps({"argv": ["false"], "display_name": "foreign", "language": "python"}))
    where = "import os, pathlib, sys\npathlib.Path('left.txt').write_text('x')\n"
    where += "print(sys.executable, os.environ['MLOPS_LAB_STRICT'], os.listdir())"
    plans = {
        "good": planted.lesson(where=where),
        "error": planted.lesson(numbers="1 / 0"),
        "broken": planted.lesson(claim=planted.CLAIM.replace("0.05, 0.15", "0.2, 0.3")),
        "dies": planted.lesson(numbers="import os\nos._exit(3)"),
        "leaves": planted.lesson(numbers="raise SystemExit"),
    }
    jobs = {name: job(tmp_path, plan, name, seed=7) for name, plan in plans.items()}
    before = {name: each.notebook.read_bytes() for name, each in jobs.items()}
    outcomes = dict(zip(jobs, execute(list(jobs.values())), strict=True))

    good = outcomes.pop("good")
    assert good.ok
    executed = read(good.job.target)
    assert [claim["measured"] for claim in collect(executed, "claim")] == [pytest.approx(0.107)]
    (printed,) = planted.cell(executed, "where")["outputs"]
    assert printed["text"].split()[:3] == [sys.executable, "1", "['left.txt']"]

    expected = {
        "error": ("numbers", "ZeroDivisionError: division by zero"),
        "broken": ("claim", "BrokenClaim: start_here.tenth"),
        "dies": ("numbers", "the kernel died"),
        "leaves": ("figure", "never ran"),
    }
    for name, (cell, error) in expected.items():
        failure = outcomes[name].failure
        assert failure is not None, name
        assert failure.cell == planted.place(plans[name], cell), name
        assert failure.source == planted.cell(plans[name], cell)["source"], name
        assert failure.error.startswith(error), failure.error
        assert name in str(failure)
    assert {name: each.notebook.read_bytes() for name, each in jobs.items()} == before
    assert not Path("left.txt").exists()
    assert Path.cwd().is_dir()


@slow
def test_a_cell_that_hangs_is_stopped_and_named(tmp_path, no_kernel_left):
    notebook = planted.hanging()
    start = time.monotonic()
    (outcome,) = execute([job(tmp_path, notebook)], cell_timeout_s=8)
    assert time.monotonic() - start < 120
    assert str(outcome.failure) == (
        "lesson, cell 1: took more than 8 s and was stopped\n    import time\n    time.sleep(600)"
    )


@slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no way to send Ctrl-C to one process")
def test_an_interrupt_ends_cells_that_compute_and_touches_no_notebook(tmp_path):
    """Ctrl-C, as a terminal sends it, in the middle of a long cell."""
    lesson = planted.course(tmp_path, planted.lesson(numbers="import time\ntime.sleep(300)"))
    write(planted.lesson(numbers="import time\ntime.sleep(300)"), lesson.copy)
    before = [path.read_bytes() for path in (lesson.source, lesson.copy)]
    code = (
        "import os, signal, threading, sys, time; from pathlib import Path\n"
        "from mlops_lab.course import execution\nfrom mlops_lab.course.run import run\n"
        # a run in the background is started with Ctrl-C ignored, and would never see it
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "add = execution.Kernels.add\n"
        "def seen(self, manager):\n"
        # in one write: two threads that print would mix their lines
        "    add(self, manager); os.write(1, b'%d\\n' % manager.provisioner.process.pid)\n"
        "    if len(self._managers) == 2: threading.Timer(2, interrupt).start()\n"
        "def interrupt():\n"
        "    os.write(1, b'at %f\\n' % time.time()); os.kill(os.getpid(), signal.SIGINT)\n"
        "execution.Kernels.add = seen\n"
        "run([], root=Path(sys.argv[1]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=250
    )
    assert ended.returncode != 0
    assert "KeyboardInterrupt" in ended.stderr
    (at,) = (float(line[3:]) for line in ended.stdout.splitlines() if line.startswith("at "))
    assert time.time() - at < 30
    pids = [int(line) for line in ended.stdout.splitlines() if line.isdigit()]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert [path.read_bytes() for path in (lesson.source, lesson.copy)] == before


def alive(pid: int) -> bool:
    if sys.platform == "win32":
        return False
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        return "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").exists()


@slow
def test_run_writes_executed_copies_and_an_overview(tmp_path, capsys):
    planted.course(tmp_path)
    lesson = planted.course(tmp_path)
    write(planted.lesson(), lesson.copy)
    assert run(["0"], seed=3, out=tmp_path / "out", root=tmp_path) == 0
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert str(tmp_path / "out" / "index.html") in capsys.readouterr().out
    assert "2 of 2 claims hold" in page
    assert "It is a tenth." in page
    assert "0.103" in page
    assert "<script" not in page
    assert 'lang="en"' in page
    assert (tmp_path / "out" / "solutions" / "00_start_here.ipynb").is_file()


@slow
def test_verify_sees_every_seed_and_goes_on_past_a_broken_claim(tmp_path, capsys):
    claims = (
        planted.CLAIM.replace("0.15", "0.1005") + '\nclaim("True.", 2 + seed, id="start_here.b", at_least=0)'
    )
    planted.course(tmp_path, planted.lesson(claim=claims))
    assert verify([], seeds=2, root=tmp_path) == 1
    said = capsys.readouterr().out
    rows = {line.split()[0]: line for line in said.splitlines() if line.strip().startswith("start_here.")}
    assert rows["start_here.tenth"].endswith("1 of 2")
    assert "0.101" in rows["start_here.tenth"]
    assert rows["start_here.b"].endswith("2 of 2")
    verify([], seeds=1, first=1, root=tmp_path)
    (row,) = (line.split() for line in capsys.readouterr().out.splitlines() if "start_here.b" in line)
    assert row[-6:] == ["3", "3", "3", "1", "of", "1"]  # 2 + seed, at seed 1 alone


def test_only_a_kernel_that_fails_to_start_is_tried_again(tmp_path, monkeypatch):
    tries = []
    answers = [
        execution.Failure("a", None, "", "no"),
        None,
        execution.Failure("a", 2, "1 / 0", "an error"),
        execution.Failure("a", None, "", "no"),
        execution.Failure("a", None, "", "still no"),
    ]
    monkeypatch.setattr(execution, "_papermill", lambda *_: tries.append(1) or answers[len(tries) - 1])
    each = Job("a", tmp_path / "a.ipynb", tmp_path / "out.ipynb")
    fates = [execution._one(each, tmp_path, 1, execution.Kernels()).failure for _ in range(3)]
    assert [fate.error if fate else None for fate in fates] == [None, "an error", "still no"]
    assert len(tries) == 5


def test_alone_runs_after_the_batch_and_two_at_a_time_before(tmp_path, monkeypatch):
    now, most, order = [], [], []
    lock, both = threading.Lock(), threading.Barrier(2, timeout=30)

    def stand_in(job, *_):
        with lock:
            now.append(job.name)
            most.append(list(now))
        if job.name in "xy":
            both.wait()  # the first two run together, or never go on
        time.sleep(0.05)
        with lock:
            now.remove(job.name)
            order.append(job.name)

    monkeypatch.setattr(execution, "_papermill", stand_in)
    jobs = [job(tmp_path, planted.lesson(alone=name in "ab"), name) for name in "axbyz"]
    outcomes = execute(jobs)
    assert [outcome.job.name for outcome in outcomes] == list("axbyz")
    assert order[-2:] == ["a", "b"]
    assert max(len(names) for names in most) == 2
    assert all(len(names) == 1 for names in most if set(names) & {"a", "b"})


def test_run_refuses_to_write_among_the_lessons(tmp_path):
    planted.course(tmp_path)
    with pytest.raises(ValueError, match="the folder of the lessons themselves"):
        run([], out=tmp_path / "notebooks" / "solutions", root=tmp_path)


def test_the_environment_is_put_back(tmp_path):
    before = dict(os.environ)
    with execution.own_kernel(strict=False):
        assert "MLOPS_LAB_STRICT" not in os.environ
        assert dict(os.environ) != before
    assert dict(os.environ) == before


def test_a_stopped_run_starts_no_kernel():
    stopped = execution.Kernels()
    stopped.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        stopped.refuse_when_stopped()
