"""A forked kernel gives what a cold one gives, fails as it does, and never outlives its run."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import planted
import pytest

from mlops_lab.course import build, validate, warm_kernels
from mlops_lab.course.compare import differences, is_typed
from mlops_lab.course.execution import Job, execute
from mlops_lab.course.notebooks import Lesson, normalised, read, write
from mlops_lab.lesson.outputs import MIME

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not warm_kernels.SUPPORTED, reason="kernels are forked on Linux alone"),
]

STATE = """\
import os, random, signal, sys, threading
import matplotlib, numpy, pandas, tqdm.auto
from IPython import get_ipython
shown = {
    "width": pandas.get_option("display.max_columns"),
    "backend": matplotlib.get_backend(),
    "bar": str(tqdm.auto.tqdm),
    "arguments": [os.path.basename(sys.argv[0]), len(sys.argv)],
    "path": sys.path[1:],
    "main": sys.modules["__main__"].__name__,
    "interrupt": str(signal.getsignal(signal.SIGINT)),
    "child": str(signal.getsignal(signal.SIGCHLD)),
    "threads": sorted(type(each).__name__ for each in threading.enumerate()),
    "folder": os.listdir(),
    "variables": sorted(set(os.environ)),
    "stdin": get_ipython().kernel._allow_stdin,
    "recursion": sys.getrecursionlimit(),
}
shown"""
CHANCE = "import random, numpy, uuid\n(random.random(), float(numpy.random.rand()), str(uuid.uuid4()))"
LEFT = "import atexit, pathlib\natexit.register(pathlib.Path({!r}).touch)\nNone"


def notebook(*cells: str):
    return normalised(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def run(folder: Path, *cells: str, warm: bool, name: str = "a") -> tuple[object, list[str]]:
    write(notebook(*cells), folder / f"{name}.ipynb")
    target = folder / f"{name}-{warm}.ipynb"
    (result,) = execute([Job(name, folder / f"{name}.ipynb", target)], warm=warm)
    outputs = [output for cell in read(target)["cells"] for output in cell.get("outputs", [])]
    return result, [output["data"]["text/plain"] for output in outputs if "data" in output]


def test_a_fork_has_the_state_of_a_cold_kernel(tmp_path):
    left = tmp_path / "left"
    states = []
    for warm in (True, False):
        result, (state,) = run(tmp_path, STATE, LEFT.format(str(left)), "import os", warm=warm)
        assert result.ok, result.failure
        states.append(eval(state))
        assert left.exists(), "what a lesson leaves to Python's exit is done"
        left.unlink()
    assert states[0] == states[1]


def test_forks_share_no_chance(tmp_path):
    for name in "ab":
        write(notebook(CHANCE), tmp_path / f"{name}.ipynb")
    jobs = [Job(name, tmp_path / f"{name}.ipynb", tmp_path / f"{name}-out.ipynb") for name in "ab"]
    assert all(result.ok for result in execute(jobs, warm=True))
    drawn = [read(job.target)["cells"][0]["outputs"][0]["data"]["text/plain"] for job in jobs]
    assert all(one != two for one, two in zip(*map(eval, drawn), strict=True))


def test_a_kernel_is_forked_where_it_is_asked_for_and_cold_where_it_must_run_alone(tmp_path):
    parent = "import os\nopen(f'/proc/{os.getppid()}/cmdline').read().count('import serve')"
    assert run(tmp_path, parent, warm=True)[1] == ["1"]
    assert run(tmp_path, parent, warm=False)[1] == ["0"]
    write(planted.lesson(numbers=parent, alone=True), tmp_path / "alone.ipynb")
    target = tmp_path / "alone-out.ipynb"
    (result,) = execute([Job("alone", tmp_path / "alone.ipynb", target)], warm=True)
    assert planted.cell(read(target), "numbers")["outputs"][0]["data"]["text/plain"] == "0"
    assert result.ok


def test_without_a_server_kernels_are_cold(tmp_path, monkeypatch):
    """On a system that forks none, and where the server has died."""
    monkeypatch.setattr(warm_kernels, "SUPPORTED", False)
    result, shown = run(tmp_path, "1 + 1", warm=True)
    assert (result.ok, shown) == (True, ["2"])

    @contextmanager
    def dead():
        monkeypatch.setenv(warm_kernels.SOCKET, str(tmp_path / "nobody"))
        yield

    monkeypatch.setattr(warm_kernels, "server", dead)
    result, shown = run(tmp_path, "1 + 2", warm=True)
    assert (result.ok, shown) == (True, ["3"])


def exact_outputs(cell) -> list:
    """Everything but live values, to the letter and the byte of a picture."""
    kept = []
    for output in cell.get("outputs", []):
        payload = (output.get("data") or {}).get(MIME)
        if payload is None or (payload["type"] != "live" and payload.get("tolerance", 0) is not None):
            kept.append({key: value for key, value in output.items() if key != "metadata"})
    return kept


def test_lessons_give_the_same_outputs_warm_and_cold(tmp_path):
    """Verdicts, typed outputs, tables, and the bytes of every picture."""
    names = ("00_start_here", "11_varying_load")
    found = {}
    for warm in (True, False):
        jobs = [
            Job(name, Lesson(name, ROOT).source, tmp_path / str(warm) / f"{name}.ipynb") for name in names
        ]
        results = execute(jobs, warm=warm)
        assert [result.failure for result in results] == [None, None]
        found[warm] = [read(job.target) for job in jobs]
    pictures = 0
    for name, warm, cold in zip(names, found[True], found[False], strict=True):
        assert differences(cold, warm) == [], name
        for one, other in zip(warm["cells"], cold["cells"], strict=True):
            assert exact_outputs(one) == exact_outputs(other), (name, one["source"])
            pictures += sum("image/png" in (output.get("data") or {}) for output in one.get("outputs", []))
            assert [is_typed(each) for each in one.get("outputs", [])] == [
                is_typed(each) for each in other.get("outputs", [])
            ]
    assert pictures >= 4


def test_a_wrong_output_is_refused_by_both(tmp_path):
    lesson = planted.course(tmp_path)
    assert build.build([], root=tmp_path) == 0
    sound = read(lesson.source)
    wrong = planted.with_cell(sound, "numbers")
    planted.cell(wrong, "numbers")["outputs"][0]["data"]["text/plain"] = "[0, 2]"
    broken = planted.with_cell(sound, "numbers", source="1 / 0", outputs=[])
    for name, each in (("sound", sound), ("wrong", wrong), ("broken", broken)):
        write(each, tmp_path / f"{name}.ipynb")
    paths = [tmp_path / f"{name}.ipynb" for name in ("sound", "wrong", "broken")]
    warm, cold = (
        [line.splitlines()[0] for line in validate.nbval(paths, strict=True, warm=each)]
        for each in (True, False)
    )
    assert warm == cold
    assert len([line for line in warm if "wrong.ipynb" in line]) == 1
    assert not [line for line in warm if "sound.ipynb" in line]
    failures = [run(tmp_path, "x = 1", "1 / 0", warm=each)[0].failure for each in (True, False)]
    assert str(failures[0]) == str(failures[1])
    assert "ZeroDivisionError" in str(failures[0])


RUN = """\
import sys
from pathlib import Path
from mlops_lab.course.execution import Job, execute
folder = Path(sys.argv[1])
execute([Job(n, folder / f"{n}.ipynb", folder / f"{n}-out.ipynb") for n in "ab"], warm=True)
"""


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except OSError:
        return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda end: end.name)
def test_no_kernel_outlives_a_run_that_is_ended(tmp_path, end):
    for name in "ab":
        path = str(tmp_path / f"{name}.pid")
        cell = f"import os, time\nopen({path!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')"
        cell += "\ntime.sleep(300)"
        write(notebook(cell), tmp_path / f"{name}.ipynb")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    # a run in the background is started with Ctrl-C ignored, and would never see it
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{RUN}"
    command = [sys.executable, "-c", code, str(tmp_path)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = [tmp_path / f"{name}.pid" for name in "ab"]
    deadline = time.monotonic() + 120
    while not all(path.is_file() and path.read_text().count(" ") for path in files):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    pids = {int(pid) for path in files for pid in path.read_text().split()}
    assert len(pids) == 3
    process.send_signal(end)
    process.wait(60)
    deadline = time.monotonic() + 30
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(map(alive, pids))
