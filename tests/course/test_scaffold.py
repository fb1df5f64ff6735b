"""A new lesson runs, keeps every rule, holds at several seeds, and comes with a rule that judges."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import planted
import pytest
from exercise_answers import is_tried

from mlops_lab.course import scaffold, scaffold_template
from mlops_lab.course.notebooks import read, text_of, write

ROOT = Path(__file__).resolve().parents[2]


def course(folder: Path) -> Path:
    """A course of its own, with the package's files; a new lesson adds one."""
    shutil.copytree(ROOT / "mlops_lab", folder / "mlops_lab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "notebooks" / "solutions").mkdir(parents=True)
    return folder


def command(folder: Path, *given: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "mlops_lab.cli", *given],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_a_new_lesson_keeps_all_rules_once_its_placeholders_are_gone(tmp_path):
    folder = course(tmp_path)
    made = command(folder, "new", "15_my_topic")
    assert made.returncode == 0, made.stdout + made.stderr
    for told in ("15_my_topic.ipynb", "mlops_lab/exercises/my_topic.py", "mlops_lab check 15"):
        assert told in made.stdout
    path = folder / "notebooks" / "solutions" / "15_my_topic.ipynb"
    source = read(path)
    assert any("answer = 10" in text_of(cell) for cell in source["cells"])
    linted = command(folder, "lint")
    assert linted.returncode == 1
    left = [line for line in linted.stdout.splitlines() if "solutions" in line]
    assert len(left) == sum(text_of(cell).count("Replace: ") for cell in source["cells"]) >= 8
    assert all("L11 a placeholder is left: 'Replace: " in line for line in left)
    for cell in source["cells"]:
        cell["source"] = planted.replaced(text_of(cell))
    write(source, path)
    checked = command(folder, "check", "15")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "reads differently" in checked.stdout
    linted = command(folder, "lint")
    assert linted.returncode == 0, linted.stdout
    verified = command(folder, "verify", "15", "--seeds", "2")
    assert verified.returncode == 0, verified.stdout
    assert "2 of 2" in verified.stdout
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--line-length", "110"]
    rules = folder / "mlops_lab" / "exercises" / "my_topic.py"
    test = folder / "tests" / "exercises" / "test_my_topic.py"
    subprocess.run([*ruff, str(rules), str(test)], check=True, capture_output=True)
    again = command(folder, "new", "15_my_topic")
    assert again.returncode == 2
    assert "number 15 is taken by 15_my_topic" in again.stderr


def test_the_new_exercise_is_tried_on_its_answers(tmp_path):
    path = tmp_path / "my_topic.py"
    path.write_text(scaffold_template.exercises("my_topic"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("my_topic", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (exercise,) = module.EXERCISES
    assert exercise.id == "my_topic.1"
    held = {}
    # its last line looks the topic up in the installed package, where my_topic is not
    exec(scaffold_template.answers("my_topic").partition("\ntest_answers = ")[0], held)
    is_tried(exercise, held["ANSWERS"]["my_topic.1"])


@pytest.mark.parametrize(
    "name",
    ["", "topic", "1_topic", "15_", "15_My", "15_my-topic", "15_class", "15_judging", "../15_a", "15__a"],
)
def test_a_bad_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="no name for a lesson"):
        scaffold.new(name, root=tmp_path)


@pytest.mark.parametrize(
    ("name", "why"),
    [("00_other", "number 00 is taken by 00_start_here"), ("07_start_here", "topic 'start_here' is taken")],
)
def test_a_taken_name_is_refused_and_nothing_is_touched(tmp_path, name, why):
    lesson = planted.course(tmp_path)
    before = lesson.source.read_bytes()
    with pytest.raises(ValueError, match=why):
        scaffold.new(name, root=tmp_path)
    assert lesson.source.read_bytes() == before


def test_rules_of_another_lesson_are_not_overwritten(tmp_path):
    rules = tmp_path / "mlops_lab" / "exercises" / "mine.py"
    rules.parent.mkdir(parents=True)
    rules.write_text("EXERCISES = ()")
    with pytest.raises(ValueError, match=r"mine\.py holds the exercises of another lesson"):
        scaffold.new("15_mine", root=tmp_path)
    assert rules.read_text() == "EXERCISES = ()"


def test_a_lesson_that_does_not_run_leaves_nothing_behind(tmp_path, monkeypatch):
    checks = tmp_path / "mlops_lab" / "exercises"
    checks.mkdir(parents=True)
    monkeypatch.setattr(scaffold, "build", lambda *given, **named: 1)
    with pytest.raises(RuntimeError, match="does not run here"):
        scaffold.new("15_mine", root=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
