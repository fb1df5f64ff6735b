"""The set-up with a real virtual environment, real pip and real processes, on a tiny course of our own."""

# ruff: noqa: F811  (a fixture that is imported is named again where a test asks for it)

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_course import ROOT, course, forbid, template, uv, version  # noqa: F401

from mlops_lab import cli
from mlops_lab.setup import bootstrap, installer, venv

pytestmark = pytest.mark.slow


# --- .venv is made, followed, mended


def test_a_bare_machine_is_set_up_and_the_job_runs(template):
    base, ready = template
    assert f"job 1.0 {base / 'course' / '.venv'} 1" in ready.stdout
    stages = [f"[{n}/4]" for n in (1, 2, 3, 4)]
    assert [line[:5] for line in ready.stderr.splitlines() if line[:5] in stages] == stages
    assert "pip does it" in ready.stderr  # this index has no uv
    stamp = venv.stamped(base / "course")
    assert set(stamp) == {"python", "requirements.lock"}
    site = venv.site_packages(base / "course" / ".venv")
    assert list(site.glob("tiny_kit/__pycache__/*.pyc"))
    assert list((base / "course" / "mlops_lab" / "setup" / "__pycache__").glob("bootstrap.*.pyc"))
    assert (site / "mlops_lab_source.pth").read_bytes().isascii()


def test_the_source_is_found_from_everywhere(course):
    python = venv.python_in(course / ".venv")
    command = [python, "-c", "import mlops_lab; print(mlops_lab.__file__)"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    elsewhere = "/" if os.name != "nt" else "C:\\"
    found = subprocess.run(command, capture_output=True, text=True, cwd=elsewhere, env=env)
    assert Path(found.stdout.strip()).parents[1] == course


def test_a_changed_lock_is_followed(course):
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    assert set(venv.stamped(course)) == {"python"}
    bootstrap.ensure(root=course)
    assert version(course) == "2.0"
    assert "requirements.lock" in venv.stamped(course)


def test_testing_adds_to_the_same_environment(course):
    inode = (course / ".venv" / "pyvenv.cfg").stat().st_ino
    assert version(course, "tiny_test") == ""
    bootstrap.ensure(("test",), course)
    assert version(course, "tiny_test") == "1.0"
    assert (course / ".venv" / "pyvenv.cfg").stat().st_ino == inode
    assert set(venv.stamped(course)) == {"python", *venv.LOCKS}


def test_without_its_stamp_an_environment_is_never_taken_for_whole(course):
    site = venv.site_packages(course / ".venv")
    (course / ".venv" / ".mlops-lab.json").unlink()
    (site / "tiny_kit" / "data.txt").write_text(
        "cut"
    )  # as a killed installer leaves it: metadata, half a file
    (site / "tiny_kit" / "__init__.py").unlink()
    assert [folder.name for folder in installer.broken(site)] == ["tiny_kit-1.0.dist-info"]
    bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert (site / "tiny_kit" / "data.txt").read_text() == "x" * 100


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_an_environment_whose_python_is_gone_is_made_anew(course):
    leftover = course / ".venv" / "leftover"
    leftover.touch()
    python = venv.python_in(course / ".venv")
    python.unlink()
    python.symlink_to("/no/such/python")
    bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert not leftover.exists()


@pytest.mark.skipif(os.name == "nt", reason="a program that runs cannot be deleted there")
def test_without_pip_it_is_made_anew_even_by_the_python_that_stands_in_it(course):
    shutil.rmtree(venv.site_packages(course / ".venv") / "pip")
    (course / ".venv" / ".mlops-lab.json").unlink()
    command = [venv.python_in(course / ".venv"), "-m", "mlops_lab", "lint"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=course)
    assert ran.returncode == 7, ran.stderr
    assert f"job 1.0 {course / '.venv'}" in ran.stdout


def test_two_set_ups_do_not_collide(course):
    (course / ".venv" / ".mlops-lab.json").unlink()
    command = [sys.executable, "-m", "mlops_lab", "lint"]
    both = [
        subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=400) for process in both]
    assert [process.returncode for process in both] == [7, 7], said
    installed = [text for _, text in said if "[3/4]" in text]
    assert len(installed) == 1  # the second found it done


# --- uv or pip


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_uv_does_it_where_it_can_be_had(course, tmp_path, monkeypatch):
    log = tmp_path / "uv.log"
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(uv(tmp_path / "wheels", log, 0))
    (course / ".venv" / ".mlops-lab.json").unlink()
    forbid(monkeypatch, installer, "_with_pip")
    bootstrap.ensure(root=course)
    said = log.read_text().splitlines()
    python = str(venv.python_in(course / ".venv"))
    for word in (
        "install",
        "--require-hashes",
        "--compile-bytecode",
        python,
        str(course / "requirements.lock"),
    ):
        assert word in said
    assert "UV_SYSTEM_CERTS=1" in said
    assert f"UV_FIND_LINKS={tmp_path / 'wheels'}" in said
    assert "UV_NO_INDEX=1" in said


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_where_uv_fails_pip_does_it(course, tmp_path, capfd):
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(
        uv(tmp_path / "wheels", tmp_path / "uv.log", 1)
    )
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    bootstrap.ensure(root=course)
    assert (tmp_path / "uv.log").exists()
    assert version(course) == "2.0"
    assert "uv could not do it" in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_uv_with_other_content_than_pinned_is_never_run(course, tmp_path):
    line = uv(tmp_path / "wheels", tmp_path / "uv.log", 0)
    (course / "mlops_lab" / "setup" / "bootstrap-uv.txt").write_text(
        re.sub("sha256:.{8}", "sha256:00000000", line)
    )
    (course / ".venv" / ".mlops-lab.json").unlink()
    bootstrap.ensure(root=course)
    assert not (tmp_path / "uv.log").exists()


def test_a_package_with_other_content_than_locked_is_refused(course, tmp_path):
    lock = course / "requirements.lock"
    lock.write_text(re.sub("sha256:.{8}", "sha256:00000000", (tmp_path / "newer.lock").read_text()))
    with pytest.raises(installer.SetupError, match="does not have the content that the lock file promises"):
        bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert venv.stamped(course) == {}


def test_what_pip_said_last_is_shown_when_the_cause_is_unknown(course, tmp_path):
    (course / "requirements.lock").write_text("nowhere==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(installer.SetupError, match="No matching distribution found for nowhere"):
        bootstrap.ensure(root=course)


def test_no_network(course, monkeypatch, capsys):
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    assert cli.set_up_and_run(["lint"], course) == 2
    said = capsys.readouterr().err
    assert "reaches no package index" in said
    assert "Traceback" not in said
    assert venv.stamped(course) == {}


# --- the real thing


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.name == "nt", reason="kills a process group")
def test_the_real_course_from_nothing_killed_midway_and_resumed(tmp_path):
    """Needs the package index; takes about a minute with uv."""
    ignored = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "work", "runs", "build")
    course = tmp_path / "course"
    shutil.copytree(ROOT, course, ignore=ignored)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    # a venv of ours may be this very interpreter: start from the Python beneath it, which has no packages
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "mlops_lab", "verify", "--seeds", "0"]
    assert subprocess.run(command, cwd=course, env=environment).returncode == 2  # a mistake: nothing is made
    assert not (course / ".venv").exists()
    job = course / "mlops_lab" / "course" / "lint.py"
    job.write_text("def main(lessons, *, root):\n    import jupyterlab, sklearn, wandb\n    return 7\n")
    command = [*command[:3], "lint"]
    first = subprocess.Popen(command, cwd=course, env=environment, start_new_session=True)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and first.poll() is None:
        site = venv.site_packages(course / ".venv")
        if site is not None and len(list(site.glob("*.dist-info"))) > 20:
            break
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert venv.stamped(course) == {}, "the kill came too late to prove anything"
    second = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert second.returncode == 7, second.stderr
    assert "bringing it up to date" in second.stderr
    assert "requirements.lock" in venv.stamped(course)
    assert installer.broken(venv.site_packages(course / ".venv")) == []
    job.write_text("def main(lessons, *, root):\n    return 7\n")
    third = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert third.returncode == 7
    assert third.stderr == ""  # nothing is installed again
