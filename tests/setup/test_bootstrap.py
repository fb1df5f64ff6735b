"""The way in: from a bare Python to a running course, and what is said where that does not work."""

# ruff: noqa: F811  (a fixture that is imported is named again where a test asks for it)

import ast
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_course import ROOT, course, forbid, template, version  # noqa: F401

from mlops_lab.setup import bootstrap, installer


def old_python(version: tuple[int, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        f"import runpy, sys; sys.version_info = {version}; sys.argv = ['m', *{list(arguments)}]; "
        "runpy.run_path('mlops_lab/__main__.py', run_name='__main__')"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


# --- Python itself


def test_an_old_python_gets_an_answer_and_not_a_traceback():
    answer = old_python((3, 8, 1), "lab", "--no-browser")
    assert answer.returncode == 2
    assert "needs Python 3.11 or newer; this is Python 3.8.1." in answer.stderr
    assert "-m mlops_lab lab --no-browser" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_first_files_parse_on_old_pythons():
    for name in ("__main__.py", "__init__.py"):
        text = (ROOT / "mlops_lab" / name).read_text(encoding="utf-8")
        tree = ast.parse(text, feature_version=(3, 6))
        future = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        assert not future, f"{name}: a __future__ import of a newer Python is a SyntaxError on an old one"
        assert not re.search(r"\bf[\"']|:=|print\(.*end=", text), name


@pytest.mark.skipif(shutil.which("python3.6") is None, reason="no Python 3.6 here")
def test_a_real_old_python():
    answer = subprocess.run(["python3.6", "-m", "mlops_lab", "lab"], cwd=ROOT, capture_output=True, text=True)
    if "pyenv" in answer.stderr:
        pytest.skip("python3.6 is not selected here")
    assert answer.returncode == 2
    assert "needs Python 3.11" in answer.stderr


def test_without_ensurepip_the_package_to_install_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["no-such-kit"]\n')
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert bootstrap.main(["lint"], tmp_path) == 2
    said = capsys.readouterr().err
    assert f"apt install python3.{sys.version_info[1]}-venv" in said
    assert not bootstrap.stamped(tmp_path)


# --- the good way


def test_a_bare_machine_is_set_up_and_the_job_runs(template):
    base, ready = template
    assert f"job 1.0 {base / 'course' / '.venv'} 1" in ready.stdout
    stages = [f"[{n}/4]" for n in (1, 2, 3, 4)]
    assert [line[:5] for line in ready.stderr.splitlines() if line[:5] in stages] == stages
    assert "pip does it" in ready.stderr  # this index has no uv
    stamp = bootstrap.stamped(base / "course")
    assert set(stamp) == {"python", "requirements.lock"}
    site = bootstrap.venv_site(base / "course" / ".venv")
    assert list(site.glob("tiny_kit/__pycache__/*.pyc"))
    assert list((base / "course" / "mlops_lab" / "setup" / "__pycache__").glob("bootstrap.*.pyc"))
    assert (site / "mlops_lab_source.pth").read_bytes().isascii()


def test_the_second_time_nothing_is_installed(course, monkeypatch):
    forbid(monkeypatch, bootstrap, "_install")
    python, environment = bootstrap.ensure(root=course)
    assert python == bootstrap.venv_python(course / ".venv")
    assert environment["OMP_NUM_THREADS"] == "1"


def test_the_source_is_found_from_everywhere(course):
    python = bootstrap.venv_python(course / ".venv")
    command = [python, "-c", "import mlops_lab; print(mlops_lab.__file__)"]
    found = subprocess.run(command, capture_output=True, text=True, cwd="/" if os.name != "nt" else "C:\\")
    assert Path(found.stdout.strip()).parents[1] == course


def test_a_changed_lock_is_followed(course):
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")
    assert set(bootstrap.stamped(course)) == {"python"}
    bootstrap.ensure(root=course)
    assert version(course) == "2.0"
    assert "requirements.lock" in bootstrap.stamped(course)


def test_line_ends_of_a_checkout_do_not_change_the_lock(course):
    lock = course / "requirements.lock"
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert "requirements.lock" in bootstrap.stamped(course)


def test_testing_adds_to_the_same_environment(course):
    inode = (course / ".venv" / "pyvenv.cfg").stat().st_ino
    assert version(course, "tiny_test") == ""
    bootstrap.ensure(("test",), course)
    assert version(course, "tiny_test") == "1.0"
    assert (course / ".venv" / "pyvenv.cfg").stat().st_ino == inode
    assert set(bootstrap.stamped(course)) == {"python", *bootstrap.LOCKS}


def test_a_mistake_is_told_before_anything_is_installed(course, monkeypatch, capsys):
    shutil.rmtree(course / ".venv")
    for arguments in (["lba"], ["run", "no_such_lesson"], ["run", "--seed", "x"]):
        with pytest.raises(SystemExit) as stopped:
            bootstrap.main(arguments, course)
        assert stopped.value.code == 2
    assert not (course / ".venv").exists()
    assert "Did you mean lab?" in capsys.readouterr().err


def test_the_doctor_and_the_help_install_nothing(course, capsys):
    shutil.rmtree(course / ".venv")
    bootstrap.main(["doctor"], course)
    assert bootstrap.main([], course) == 0
    with pytest.raises(SystemExit):
        bootstrap.main(["--help"], course)
    assert not (course / ".venv").exists()
    assert "It sets everything up" in capsys.readouterr().out


def test_an_environment_that_has_all_is_used_as_it_is(course, monkeypatch):
    shutil.rmtree(course / ".venv")
    pyproject = course / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace("tiny-kit>=1,<3", "pytest>=1").replace("tiny-test", "ruff")
    )
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    for extras in ((), ("test",)):
        python, environment = bootstrap.ensure(extras, course)
        assert str(python) == sys.executable
        # our source is not on this environment's path: kernels, which start elsewhere, find it all the same
        assert environment["PYTHONPATH"].split(os.pathsep) == [str(course), "elsewhere"]
    assert not (course / ".venv").exists()


def test_an_environment_without_the_test_tools_is_not_enough_for_testing(course, monkeypatch):
    pyproject = course / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("tiny-kit>=1,<3", "pytest>=1"))
    monkeypatch.setattr(bootstrap, "_install", lambda root, name, lock: asked.append(name))
    asked: list[str] = []
    assert str(bootstrap.ensure(root=course)[0]) == sys.executable
    bootstrap.ensure(("test",), course)
    assert asked == ["requirements-test.lock"]


# --- half-made environments


def test_without_its_stamp_an_environment_is_never_taken_for_whole(course):
    site = bootstrap.venv_site(course / ".venv")
    (course / ".venv" / ".mlops-lab.json").unlink()
    (site / "tiny_kit" / "data.txt").write_text(
        "cut"
    )  # as a killed installer leaves it: metadata, half a file
    (site / "tiny_kit" / "__init__.py").unlink()
    assert [folder.name for folder in installer.broken(site)] == ["tiny_kit-1.0.dist-info"]
    bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert (site / "tiny_kit" / "data.txt").read_text() == "x" * 100


def test_the_stamp_goes_before_the_install_and_comes_after_it(course, monkeypatch):
    shutil.copy(course.parent / "newer.lock", course / "requirements.lock")

    def cut_off(*given, **named):
        assert not (course / ".venv" / ".mlops-lab.json").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(installer, "install", cut_off)
    assert bootstrap.main(["lint"], course) == 130
    assert bootstrap.stamped(course) == {}


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_an_environment_whose_python_is_gone_is_made_anew(course):
    leftover = course / ".venv" / "leftover"
    leftover.touch()
    python = bootstrap.venv_python(course / ".venv")
    python.unlink()
    python.symlink_to("/no/such/python")
    bootstrap.ensure(root=course)
    assert version(course) == "1.0"
    assert not leftover.exists()


@pytest.mark.skipif(os.name == "nt", reason="a program that runs cannot be deleted there")
def test_without_pip_it_is_made_anew_even_by_the_python_that_stands_in_it(course):
    shutil.rmtree(bootstrap.venv_site(course / ".venv") / "pip")
    (course / ".venv" / ".mlops-lab.json").unlink()
    command = [bootstrap.venv_python(course / ".venv"), "-m", "mlops_lab", "lint"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=course)
    assert ran.returncode == 7, ran.stderr
    assert f"job 1.0 {course / '.venv'}" in ran.stdout


def test_where_no_python_stands_outside_nothing_is_deleted(course, monkeypatch):
    inside = str(bootstrap.venv_python(course / ".venv"))
    monkeypatch.setattr(sys, "executable", inside)
    monkeypatch.setattr(sys, "_base_executable", inside, raising=False)
    with pytest.raises(installer.SetupError, match="deactivate"):
        bootstrap._make_venv(course / ".venv")
    assert Path(inside).exists()


def test_a_python_that_was_replaced_by_another_is_noticed(course, monkeypatch):
    stamp = course / ".venv" / ".mlops-lab.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "python": "3.11.0"}))
    asked: list[str] = []
    monkeypatch.setattr(bootstrap, "_install", lambda root, name, lock: asked.append(name))
    bootstrap.ensure(root=course)
    assert asked == ["requirements.lock"]


@pytest.mark.parametrize("content", ["", "[]", '{"requirements.lock": 1}', "{"])
def test_a_damaged_stamp_is_no_stamp(course, content):
    (course / ".venv" / ".mlops-lab.json").write_text(content)
    assert bootstrap.stamped(course) == {}


def test_two_set_ups_do_not_collide(course):
    (course / ".venv" / ".mlops-lab.json").unlink()
    command = [sys.executable, "-m", "mlops_lab", "lint"]
    both = [
        subprocess.Popen(command, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [7, 7], said
    installed = [text for _, text in said if "[3/4]" in text]
    assert len(installed) == 1  # the second found it done


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_set_up_lets_go_of_the_lock(course):
    code = (
        "import time; from pathlib import Path; from mlops_lab.setup import bootstrap\n"
        "with bootstrap._alone(Path('.venv')): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=course, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    file = os.open(course / ".venv" / ".mlops-lab.lock", os.O_RDWR)
    assert not bootstrap._locked(file)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert bootstrap._locked(file)
    os.close(file)


# --- what cannot be mended here is said


def test_too_little_disk_is_said_before_anything_is_fetched(course, monkeypatch, capsys):
    shutil.rmtree(course / ".venv")
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 10**10, 5 * 10**6)
    )
    forbid(monkeypatch, installer, "install")
    assert bootstrap.main(["lint"], course) == 2
    assert "The disk is full. The course needs about 1800 MB" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "The disk is full."),
        (errno.EROFS, "This folder cannot be written"),
        (errno.EACCES, "This folder cannot be written"),
        (errno.EIO, "The set-up stopped"),
    ],
)
def test_a_folder_that_cannot_be_written(course, monkeypatch, capsys, code, message):
    shutil.rmtree(course / ".venv")

    def refuse(self, *given, **named):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert bootstrap.main(["lint"], course) == 2
    said = capsys.readouterr().err
    assert message in said
    assert str(course) in said or code == errno.ENOSPC
    assert "Traceback" not in said


# --- the real thing


@pytest.mark.slow
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
        site = bootstrap.venv_site(course / ".venv")
        if site is not None and len(list(site.glob("*.dist-info"))) > 20:
            break
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert bootstrap.stamped(course) == {}, "the kill came too late to prove anything"
    second = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert second.returncode == 7, second.stderr
    assert "bringing it up to date" in second.stderr
    assert "requirements.lock" in bootstrap.stamped(course)
    assert installer.broken(bootstrap.venv_site(course / ".venv")) == []
    third = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert third.returncode == 7
    assert third.stderr == ""  # nothing is installed again
