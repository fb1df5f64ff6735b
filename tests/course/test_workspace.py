"""The student's folder: lessons come and are renewed, and what a student wrote is never touched."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from mlops_lab.course import workspace

ROOT = Path(__file__).resolve().parents[2]
NAME = "00_start_here.ipynb"


def lesson(text: str = "answer = ...") -> dict:
    output = nbformat.v4.new_output("stream", text="the answer\n")
    code = nbformat.v4.new_code_cell(
        text, execution_count=3, outputs=[output], metadata={"tags": ["parameters"]}
    )
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Start", id="a"), code])


def write(path: Path, notebook) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def edit(path: Path, change) -> bytes:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    write(path, notebook)
    return path.read_bytes()


@pytest.fixture
def course(tmp_path):
    write(tmp_path / "notebooks" / NAME, lesson())
    return tmp_path


def test_a_copy_holds_no_outputs_and_is_a_valid_notebook(course):
    done = workspace.refresh(course)
    assert done.copied == ("00_start_here",)
    copied = nbformat.read(course / "work" / NAME, as_version=4)
    nbformat.validate(copied)
    code = copied.cells[1]
    assert (code.outputs, code.execution_count, code.source) == ([], None, "answer = ...")
    assert code.metadata.tags == ["parameters"]
    assert "the answer" not in (course / "work" / NAME).read_text()
    assert "the answer" in (course / "notebooks" / NAME).read_text()  # the course's own is as it was


def test_a_second_time_nothing_happens(course):
    workspace.refresh(course)
    before = (course / "work" / NAME).stat().st_mtime_ns
    done = workspace.refresh(course)
    assert (done.copied, done.renewed, done.kept, done.offered) == ((), (), (), ())
    assert (course / "work" / NAME).stat().st_mtime_ns == before
    assert "up to date" in str(done)


def test_an_untouched_copy_is_renewed(course):
    workspace.refresh(course)
    write(course / "notebooks" / NAME, lesson("better = ..."))
    assert workspace.refresh(course).renewed == ("00_start_here",)
    assert "better" in (course / "work" / NAME).read_text()


def opened(notebook):
    """What JupyterLab changes in a notebook that is merely opened, and then saves by itself."""
    notebook["metadata"] = {"kernelspec": {"name": "python3"}, "language_info": {"version": "3.11.7"}}
    notebook["nbformat_minor"] = 5
    notebook["cells"][1]["metadata"]["trusted"] = True
    notebook["cells"][0]["source"] = ["# Start"]


def test_a_copy_that_was_merely_opened_counts_as_untouched(course):
    workspace.refresh(course)
    edit(course / "work" / NAME, opened)
    write(course / "notebooks" / NAME, lesson("better = ..."))
    assert workspace.refresh(course).renewed == ("00_start_here",)


def answered(notebook):
    notebook["cells"][1]["source"] = "answer = 42"


def ran(notebook):
    notebook["cells"][1]["execution_count"] = 1


def noted(notebook):
    notebook["cells"].append(nbformat.v4.new_markdown_cell("my note"))


def deleted_a_cell(notebook):
    notebook["cells"].pop()


@pytest.mark.parametrize("change", [answered, ran, noted, deleted_a_cell])
def test_a_students_work_is_never_overwritten(course, change):
    workspace.refresh(course)
    work = edit(course / "work" / NAME, change)
    done = workspace.refresh(course)
    assert done.kept == ("00_start_here",) and not done.older
    assert not (course / "work" / "00_start_here.new.ipynb").exists()  # the course has nothing newer
    write(course / "notebooks" / NAME, lesson("better = ..."))
    done = workspace.refresh(course)
    assert done.offered == ("00_start_here.new.ipynb",)
    assert (course / "work" / NAME).read_bytes() == work
    assert "better" in (course / "work" / "00_start_here.new.ipynb").read_text()
    done = workspace.refresh(course)
    assert done.kept == done.older == ("00_start_here",)  # offered once, and told each time
    assert "Of an older course: your 00_start_here." in str(done)


def test_an_offer_is_renewed_until_the_student_works_in_it(course):
    workspace.refresh(course)
    edit(course / "work" / NAME, answered)
    offer = course / "work" / "00_start_here.new.ipynb"
    for text in ("second = ...", "third = ..."):
        write(course / "notebooks" / NAME, lesson(text))
        assert workspace.refresh(course).offered == (offer.name,)
    assert "third" in offer.read_text()
    work = edit(offer, answered)
    write(course / "notebooks" / NAME, lesson("fourth = ..."))
    assert workspace.refresh(course).offered == ("00_start_here.new-2.ipynb",)
    assert offer.read_bytes() == work


def test_a_new_run_of_the_same_lesson_is_no_newer_version(course):
    """Other outputs, another editor's formatting: the student gets what is there already."""
    workspace.refresh(course)
    edit(course / "work" / NAME, answered)
    again = lesson()
    again["cells"][1]["outputs"] = []
    again["cells"][1]["execution_count"] = 9
    write(course / "notebooks" / NAME, again)
    assert workspace.refresh(course).kept == ("00_start_here",)


@pytest.mark.parametrize("memory", [None, "", "{", "[]"])
def test_without_its_memory_every_difference_is_the_students(course, memory):
    workspace.refresh(course)
    file = course / "work" / ".copied.json"
    file.unlink() if memory is None else file.write_text(memory)
    write(course / "notebooks" / NAME, lesson("better = ..."))
    before = (course / "work" / NAME).read_bytes()
    assert workspace.refresh(course).offered
    assert (course / "work" / NAME).read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", "half a notebook"])
def test_a_damaged_copy_is_left_as_it_is(course, content):
    workspace.refresh(course)
    (course / "work" / NAME).write_text(content)
    write(course / "notebooks" / NAME, lesson("better = ..."))
    assert workspace.refresh(course).offered
    assert (course / "work" / NAME).read_text() == content


def test_a_deleted_copy_comes_back(course):
    workspace.refresh(course)
    (course / "work" / NAME).unlink()
    assert workspace.refresh(course).copied == ("00_start_here",)


def test_only_lessons_are_copied(course):
    write(course / "notebooks" / "scratch.ipynb", lesson())
    write(course / "notebooks" / "solutions" / "01_secret.ipynb", lesson("solution"))
    assert workspace.refresh(course).copied == ("00_start_here",)
    assert sorted(path.name for path in (course / "work").iterdir()) == [".copied.json", NAME]


def test_a_crash_leaves_whole_files_only(course, monkeypatch):
    workspace.refresh(course)
    write(course / "notebooks" / NAME, lesson("better = ..."))
    before = (course / "work" / NAME).read_bytes()

    def crash(*given, **named):
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(OSError, match="No space"):
            workspace.refresh(course)
    assert (course / "work" / NAME).read_bytes() == before
    assert not list((course / "work").glob("*.part")) + list((course / "work").glob(".*.part"))
    assert workspace.refresh(course).renewed == ("00_start_here",)


def test_a_course_without_lessons_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no lessons"):
        workspace.refresh(tmp_path)


def test_a_busy_port_is_named_and_another_is_found():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ValueError, match=f"port {port} cannot be used"):
            workspace.free_port(port)
    assert workspace.free_port(port) == port
    with pytest.raises(ValueError, match="does not exist"):
        workspace.free_port(70000)


def test_the_next_free_port_is_taken(monkeypatch):
    monkeypatch.setattr(workspace, "_free", lambda port: port >= 8890)
    assert workspace.free_port() == 8890
    monkeypatch.setattr(workspace, "_free", lambda port: False)
    with pytest.raises(ValueError, match="all in use"):
        workspace.free_port()


def test_jupyterlab_is_started_for_this_machine_only(course, monkeypatch, capsys):
    started = {}

    def child(command, variables):
        page = Path(variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]) / "labconfig" / "page_config.json"
        started.update(command=command, variables=variables, page=json.loads(page.read_text()))
        return 5

    monkeypatch.setattr(workspace.environment, "child", child)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "theirs")
    monkeypatch.setattr(workspace, "_free", lambda port: port == 8889)
    assert workspace.lab(course, browser=False) == 5
    command = started["command"]
    for part in (
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=8889",
        f"--ServerApp.root_dir={course / 'work'}",
        "--LabApp.default_url=/lab/tree/00_start_here.ipynb",
        "--LabApp.news_url=None",
        "--no-browser",
    ):
        assert part in command
    assert not any("token" in part or "password" in part for part in command)
    assert ("--allow-root" in command) == (hasattr(os, "geteuid") and os.geteuid() == 0)
    assert started["page"]["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"] is True
    assert started["variables"]["JUPYTER_CONFIG_PATH"].endswith(os.pathsep + "theirs")
    assert started["variables"]["WANDB_MODE"] == "offline"
    assert "Port 8888 is in use" in capsys.readouterr().err


def fetch(address: str, token: str = "") -> str:
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_real_lab_opens_on_the_lesson_asks_for_its_token_and_ends_cleanly(course):
    with socket.socket() as probe:  # 8888 and its neighbours may be another lab's at any moment
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        "import sys; from pathlib import Path; from mlops_lab.course import workspace; "
        f"sys.exit(workspace.lab(Path({str(course)!r}), 'start_here', browser=False, port={port}))"
    )
    lab = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said, found = "", None
    deadline = time.monotonic() + 180
    try:
        while found is None and time.monotonic() < deadline:
            said += lab.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)(/lab/tree/00_start_here\.ipynb)\?token=(\w+)", said)
        assert found, said
        base, token = f"http://127.0.0.1:{found[1]}", found[3]
        while not listens(int(found[1])) and time.monotonic() < deadline:
            time.sleep(0.1)  # it says its address a moment before it listens
        page = fetch(base + found[2], token)
        assert "apputils-extension:announcements" in page
        assert NAME in fetch(f"{base}/api/contents", token)
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(f"{base}/api/contents")
        assert refused.value.code == 403
        assert '"news": []' in fetch(f"{base}/lab/api/news", token)
    finally:
        lab.send_signal(signal.SIGTERM)
        rest = lab.communicate(timeout=120)[1]
    assert lab.returncode == 0, rest
    assert "Traceback" not in said + rest
