"""papermill and pytest --nbval, called as any CI calls them, without a variable or an option of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.course import compare
from mlops_lab.course.notebooks import read
from mlops_lab.course.validate import exact
from mlops_lab.lesson.outputs import collect
from mlops_lab.setup import environment

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ("00_start_here", "09_monitoring_health")

pytestmark = pytest.mark.slow


def bare(**more: str) -> dict[str, str]:
    """The environment of somebody who knows nothing of ours."""
    ours = {
        *environment._settings(strict=True),
        "PYTHONPATH",
        "PYTEST_ADDOPTS",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    }
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    kept = {key: value for key, value in kept.items() if not key.startswith(("MLOPS_LAB", "PYTEST_XDIST"))}
    return {**kept, **more}


def tool(name: str, *given: str, env: dict[str, str]) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).with_name(name)), *given]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)


@pytest.fixture
def without_hypothesis(tmp_path) -> dict[str, str]:
    """What stands for an environment that `lab` made: no test extra is installed there."""
    blocked = tmp_path / "blocked" / "hypothesis.py"
    blocked.parent.mkdir()
    blocked.write_text("raise ImportError('hypothesis is not installed')\n")
    return bare(PYTHONPATH=str(blocked.parent), PYTEST_ADDOPTS="-p no:hypothesispytest")


@pytest.mark.parametrize("name", LESSONS)
def test_pytest_nbval_passes(name, without_hypothesis):
    option = "--nbval" if exact() else "--nbval-lax"
    ended = tool("pytest", option, f"notebooks/{name}.ipynb", env=without_hypothesis)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    cells = sum(cell["cell_type"] == "code" for cell in read(ROOT / "notebooks" / f"{name}.ipynb")["cells"])
    assert f"{cells} passed" in ended.stdout


def test_pytest_nbval_finds_a_wrong_output(tmp_path, without_hypothesis):
    """The root conftest.py does not make everything pass."""
    name = f"{LESSONS[0]}.ipynb"
    wrong = (
        (ROOT / "notebooks" / name).read_text(encoding="utf-8").replace('"measured": 0.', '"measured": 1.')
    )
    (tmp_path / name).write_text(wrong, encoding="utf-8")
    # the conftest.py of the root counts wherever the notebook lies
    given = ("--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "-p", "conftest")
    env = {**without_hypothesis, "PYTHONPATH": os.pathsep.join([without_hypothesis["PYTHONPATH"], str(ROOT)])}
    ended = tool("pytest", *given, "--nbval", str(tmp_path / name), env=env)
    assert ended.returncode == (1 if exact() else ended.returncode), ended.stdout + ended.stderr
    assert "measured 0." in ended.stdout


@pytest.mark.parametrize(("name", "seed"), [(LESSONS[0], 0), (LESSONS[0], 3), (LESSONS[1], 3)])
def test_papermill_passes(name, seed, tmp_path):
    lesson, target = f"notebooks/{name}.ipynb", tmp_path / "out.ipynb"
    ended = tool("papermill", lesson, str(target), "-p", "seed", str(seed), env=bare())
    assert ended.returncode == 0, ended.stderr
    executed = read(target)
    claims = collect(executed, "claim")
    assert len(claims) == len(collect(read(ROOT / lesson), "claim")) > 0
    assert [claim["id"] for claim in claims if claim["holds"] is False] == []
    assert "jupyter.widget-view" not in target.read_text(encoding="utf-8")  # nobody is there to click
    if seed == 0:
        assert compare.differences(read(ROOT / lesson), executed, exact=exact()) == []
