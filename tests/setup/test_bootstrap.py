"""The way in: which environment is taken, when one is made or mended, and what is said where it cannot be.

The packages' installation is stood in for here; `test_set_up_for_real.py` has it for real.
"""

import ast
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from venv import EnvBuilder

import pytest

from mlops_lab import cli
from mlops_lab.setup import bootstrap, installer, venv

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course whose `.venv` has a Python that starts and a stamp, but neither pip nor packages."""
    course = tmp_path_factory.mktemp("template")
    (course / "mlops_lab").mkdir()
    (course / "pyproject.toml").write_text(
        '[project]\nversion = "1"\ndependencies = ["tiny-kit>=1,<3"]\n'
        'optional-dependencies.test = ["tiny-test"]\n'
    )
    (course / "requirements.lock").write_text("tiny-kit==1.0\n")
    (course / "requirements-test.lock").write_text("tiny-kit==1.0\ntiny-test==1.0\n")
    EnvBuilder(symlinks=os.name != "nt").create(course / ".venv")
    venv.write_stamp(course, "requirements.lock", venv.python_version(venv.python_in(course / ".venv")))
    return course


@pytest.fixture
def course(template, tmp_path):
    return Path(shutil.copytree(template, tmp_path / "course", symlinks=True))


def forbid(monkeypatch, module, name):
    def refuse(*given, **named):
        raise AssertionError(f"{name} must not be called")

    monkeypatch.setattr(module, name, refuse)


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
    assert cli.set_up_and_run(["lint"], tmp_path) == 2
    said = capsys.readouterr().err
    assert f"apt install python3.{sys.version_info[1]}-venv" in said
    assert not venv.stamped(tmp_path)


# --- the good way


def test_the_second_time_nothing_is_installed(course, monkeypatch):
    forbid(monkeypatch, bootstrap, "_install")
    python, environment = bootstrap.ensure(root=course)
    assert python == venv.python_in(course / ".venv")
    assert environment["OMP_NUM_THREADS"] == "1"


def test_line_ends_of_a_checkout_do_not_change_the_lock(course):
    lock = course / "requirements.lock"
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert "requirements.lock" in venv.stamped(course)


def test_a_mistake_is_told_before_anything_is_installed(course, monkeypatch, capsys):
    shutil.rmtree(course / ".venv")
    for arguments in (["lba"], ["run", "no_such_lesson"], ["run", "--seed", "x"]):
        with pytest.raises(SystemExit) as stopped:
            cli.set_up_and_run(arguments, course)
        assert stopped.value.code == 2
    assert not (course / ".venv").exists()
    assert "Did you mean lab?" in capsys.readouterr().err


def test_the_doctor_and_the_help_install_nothing(course, capsys):
    shutil.rmtree(course / ".venv")
    cli.set_up_and_run(["doctor"], course)
    assert cli.set_up_and_run([], course) == 0
    with pytest.raises(SystemExit):
        cli.set_up_and_run(["--help"], course)
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


def package(site: Path, name: str, *, whole: bool) -> Path:
    """Lay down a package as an installer leaves it: whole, or with a file cut short."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (site / f"{name}.py").write_text("x = 1\n" if whole else "x")
    (info / "RECORD").write_text(f"{name}.py,,6\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    return info


@pytest.fixture
def works(monkeypatch):
    """Pip stands in every environment, as far as the set-up can see."""
    answer = subprocess.CompletedProcess([], 0, "", "")
    started = subprocess.run

    def run(command, **named):
        return answer if "pip" in command else started(command, **named)

    monkeypatch.setattr(subprocess, "run", run)


def test_a_set_up_drops_what_is_broken_installs_and_stamps_last(course, works, monkeypatch, capsys):
    site = venv.site_packages(course / ".venv")
    (course / "requirements.lock").write_text("tiny-kit==2.0\n")  # a newer lock than the stamp's
    sound, cut = package(site, "sound", whole=True), package(site, "cut", whole=False)
    asked = []

    def install(python, file, **named):
        assert sound.exists() and not cut.exists()
        assert venv.stamped(course) == {}
        asked.append((python, file.name))

    monkeypatch.setattr(installer, "install", install)
    forbid(monkeypatch, bootstrap, "make")
    bootstrap.ensure(root=course)
    assert asked == [(venv.python_in(course / ".venv"), "requirements.lock")]
    assert set(venv.stamped(course)) == {"python", "requirements.lock"}
    assert (site / "mlops_lab_source.pth").read_bytes().isascii()
    assert "bringing it up to date" in capsys.readouterr().err
    bootstrap.ensure(("test",), course)  # adds to the same environment
    assert asked[1:] == [(venv.python_in(course / ".venv"), "requirements-test.lock")]
    assert set(venv.stamped(course)) == {"python", *venv.LOCKS}


def test_what_is_broken_after_the_install_is_named_and_not_stamped(course, works, monkeypatch):
    site = venv.site_packages(course / ".venv")
    (course / ".venv" / ".mlops-lab.json").unlink()
    monkeypatch.setattr(installer, "install", lambda *given, **named: package(site, "cut", whole=False))
    with pytest.raises(installer.SetupError, match=r"not whole: cut-1.0.dist-info"):
        bootstrap.ensure(root=course)
    assert venv.stamped(course) == {}


@pytest.mark.parametrize("lacking", ["python", "pip"])
def test_without_a_python_or_pip_it_is_made_anew(course, monkeypatch, lacking):
    (course / ".venv" / ".mlops-lab.json").unlink()
    if lacking == "python":
        venv.python_in(course / ".venv").unlink()
    made = []

    def make(folder):
        made.append(folder)
        EnvBuilder(symlinks=os.name != "nt", clear=False).create(folder)

    monkeypatch.setattr(bootstrap, "make", make)
    monkeypatch.setattr(installer, "install", lambda *given, **named: None)
    bootstrap.ensure(root=course)
    assert made == [course / ".venv"]
    assert "requirements.lock" in venv.stamped(course)


def test_the_stamp_goes_before_the_install_and_comes_after_it(course, works, monkeypatch):
    (course / "requirements.lock").write_text("tiny-kit==2.0\n")

    def cut_off(*given, **named):
        assert not (course / ".venv" / ".mlops-lab.json").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(installer, "install", cut_off)
    assert cli.set_up_and_run(["lint"], course) == 130
    assert venv.stamped(course) == {}


@pytest.mark.parametrize("content", ["", "[]", '{"requirements.lock": 1}', "{"])
def test_a_damaged_stamp_is_no_stamp(course, content):
    (course / ".venv" / ".mlops-lab.json").write_text(content)
    assert venv.stamped(course) == {}


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_set_up_lets_go_of_the_lock(course):
    code = (
        "import time; from pathlib import Path; from mlops_lab.setup import venv\n"
        "with venv.locked(Path('.venv')): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=course, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    file = os.open(course / ".venv" / ".mlops-lab.lock", os.O_RDWR)
    assert not venv._try_lock(file)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert venv._try_lock(file)
    os.close(file)


# --- what cannot be mended here is said


def test_too_little_disk_is_said_before_anything_is_fetched(course, monkeypatch, capsys):
    shutil.rmtree(course / ".venv")
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 10**10, 5 * 10**6)
    )
    forbid(monkeypatch, installer, "install")
    assert cli.set_up_and_run(["lint"], course) == 2
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
    assert cli.set_up_and_run(["lint"], course) == 2
    said = capsys.readouterr().err
    assert message in said
    assert str(course) in said or code == errno.ENOSPC
    assert "Traceback" not in said


# --- the real thing
