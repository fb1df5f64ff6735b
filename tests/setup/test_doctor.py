"""What is wrong with this machine, and how to mend it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mlops_lab.setup import doctor, venv

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def course(tmp_path):
    """A course whose packages this environment does not have."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").touch()
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['no-such-kit>=2,<3']\n")
    (tmp_path / "requirements.lock").write_text("no-such-kit==2.0\n")
    return tmp_path


def found(course: Path) -> dict[str, doctor.Check]:
    return {check.what: check for check in doctor.examine(course)}


def whole(course: Path, version: str | None = "2.0") -> None:
    folder = course / ".venv"
    python = venv.python_in(folder)
    site = folder / ("Lib" if os.name == "nt" else "lib/python3.11") / "site-packages"
    python.parent.mkdir(parents=True)
    python.touch()
    site.mkdir(parents=True)
    venv.write_stamp(course, "requirements.lock", "3.11.7")
    if version:
        info = site / f"no_such_kit-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: no-such-kit\nVersion: {version}\n")


def test_before_anything_is_installed(course):
    checks = found(course)
    assert checks[".venv"].found == "not made yet"
    assert not doctor.blocked(list(checks.values()))
    assert not (course / ".venv").exists()


def test_a_whole_environment_is_well(course):
    whole(course)
    checks = found(course)
    assert checks[".venv"].level == checks["packages"].level == "ok"


@pytest.mark.parametrize(
    ("version", "text"), [(None, "no-such-kit is missing"), ("3.1", "no-such-kit is 3.1 (needed: >=2,<3)")]
)
def test_packages_that_are_missing_or_out_of_bounds_block(course, version, text):
    whole(course, version)
    check = found(course)["packages"]
    assert check.level == "blocks"
    assert text in check.found
    assert "delete the folder .venv" in check.mend


def test_a_changed_lock_is_noticed(course):
    whole(course)
    (course / "requirements.lock").write_text("no-such-kit==2.1\n")
    assert "older requirements.lock" in found(course)[".venv"].found


def test_a_half_made_environment_is_noticed(course):
    whole(course)
    (course / ".venv" / ".mlops-lab.json").unlink()
    assert "not whole" in found(course)[".venv"].found


def test_an_environment_whose_python_is_gone_is_noticed(course):
    whole(course)
    venv.python_in(course / ".venv").unlink()
    assert "its Python is gone" in found(course)[".venv"].found


def test_an_environment_that_has_all_needs_no_venv(course):
    (course / "pyproject.toml").write_text("[project]\ndependencies = ['pytest']\n")
    checks = found(course)
    assert "nothing will be installed" in checks["packages"].found
    assert ".venv" not in checks


def test_a_missing_ensurepip_blocks_and_names_the_package(course, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    check = found(course)["ensurepip"]
    assert check.level == "blocks"
    assert f"python3.{sys.version_info[1]}-venv" in check.mend


def test_a_full_disk_blocks(course, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12, 5 * 10**8)
    )
    assert found(course)["disk"].level == "blocks"
    whole(course)  # what is installed needs no room again
    assert found(course)["disk"].level == "ok"


def test_a_read_only_folder_blocks(course, monkeypatch):
    def refuse(*given, **named):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    check = found(course)["writing"]
    assert (check.level, "Read-only file system" in check.found) == ("blocks", True)


def test_little_memory_is_a_note(course, monkeypatch):
    monkeypatch.setattr(doctor, "_memory_gb", lambda: 2.0)
    assert found(course)["memory"].level == "note"
    monkeypatch.setattr(doctor, "_memory_gb", lambda: None)
    assert "does not say" in found(course)["memory"].found


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the kernel's own figure")
def test_memory_is_what_the_kernel_says():
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024 / 1e9
    assert doctor._memory_gb() == pytest.approx(total, rel=0.01)


def test_no_git_is_a_note(course, monkeypatch):
    monkeypatch.setenv("PATH", str(course))
    assert found(course)["git"].level == "note"


def test_no_lessons_block(course):
    (course / "notebooks" / "00_start_here.ipynb").unlink()
    assert found(course)["lessons"].level == "blocks"


def test_a_used_port_is_a_note(course):
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", 8888))
        except OSError:
            pytest.skip("port 8888 is in use here")
        assert found(course)["port 8888"].level == "ok"  # nobody listens
        other.listen()
        assert found(course)["port 8888"].level == "note"


def test_variables_that_slow_or_mislead_are_named(course, monkeypatch):
    for name in ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert not {"bytecode", "threads", "import path"} & set(found(course))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("PYTHONPATH", "x")
    assert {"bytecode", "threads", "import path"} <= set(found(course))


def test_a_check_that_is_not_well_says_how_to_mend_it(course, monkeypatch):
    monkeypatch.setenv("PATH", str(course))
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    for check in doctor.examine(course):
        assert check.mend or check.level == "ok" or check.what == "memory", check
    text = doctor.text(doctor.examine(course))
    assert "-> install it (git-scm.com)" in text


@pytest.mark.skipif(os.name == "nt", reason="a name for the interpreter")
def test_the_whole_command_exits_with_1_when_something_blocks_within_a_second(course):
    shutil.copytree(ROOT / "mlops_lab", course / "mlops_lab", ignore=shutil.ignore_patterns("__pycache__"))
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "mlops_lab", "doctor"]
    assert subprocess.run(command, cwd=course, capture_output=True).returncode == 0
    (course / "notebooks" / "00_start_here.ipynb").unlink()
    start = os.times()
    answer = subprocess.run(command, cwd=course, capture_output=True, text=True)
    end = os.times()
    assert answer.returncode == 1
    assert "BLOCKS  lessons" in answer.stdout
    # processor time: another program's load does not count
    assert (end.children_user + end.children_system) - (start.children_user + start.children_system) < 1
    assert not (course / ".venv").exists()
    assert answer.stderr == ""
