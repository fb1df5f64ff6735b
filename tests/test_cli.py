"""The command line: what is asked for reaches the function, and every mistake gets an answer."""

import os
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

from mlops_lab import cli

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def course(tmp_path, monkeypatch):
    for name in ("00_start_here", "07_monitoring_data"):
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "pyproject.toml").write_text("[project]\nversion = '9.8'\ndependencies = []\n")
    monkeypatch.setattr(cli.environment, "apply", lambda: None)
    return tmp_path


@pytest.fixture
def called(monkeypatch):
    """Stand-ins for what the commands call; they note how."""
    calls = []

    def stand_in(module, name, answer):
        def function(*given, **named):
            calls.append((f"{module}.{name}", given, named))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        made = types.ModuleType(f"mlops_lab.{module}")
        there = sys.modules.get(made.__name__, made)
        monkeypatch.setitem(sys.modules, made.__name__, there)
        monkeypatch.setattr("mlops_lab." + module, there, raising=False)
        monkeypatch.setattr(there, name, function, raising=False)

    for module, name, answer in (
        ("course.workspace", "lab", 0),
        ("course.suite", "test", 1),
        ("course.run", "run", 0),
        ("course.run", "verify", 1),
        ("course.build", "build", 0),
        ("course.lint", "main", 3),
        ("course.scaffold", "main", 0),
        ("course.check", "main", 1),
        ("course.validate", "main", 0),
        ("game.terminal", "play", 0),
        ("game.leaderboard", "main", 1),
    ):
        stand_in(module, name, answer)
    return calls


@pytest.mark.parametrize(
    ("arguments", "function", "given", "named", "code"),
    [
        (["lab"], "course.workspace.lab", [None], {"browser": True, "port": None}, 0),
        (["lab", "7", "--no-browser", "--port", "9000"], "course.workspace.lab", ["07_monitoring_data"],
         {"browser": False, "port": 9000}, 0),
        (["test"], "course.suite.test", [False], {}, 1),
        (["test", "--quick"], "course.suite.test", [True], {}, 1),
        (["run"], "course.run.run", [[]], {"seed": 0, "out": None}, 0),
        (["run", "7", "start_here", "--seed", "5", "--out", "x"], "course.run.run",
         [["07_monitoring_data", "00_start_here"]], {"seed": 5, "out": Path("x")}, 0),
        (["verify", "--seeds", "2"], "course.run.verify", [[]], {"seeds": 2, "first": 0}, 1),
        (["verify", "0"], "course.run.verify", [["00_start_here"]], {"seeds": 20, "first": 0}, 1),
        (["build", "0"], "course.build.build", [["00_start_here"]], {}, 0),
        (["lint"], "course.lint.main", [[]], {}, 3),
        (["new", "15_new"], "course.scaffold.main", ["15_new"], {}, 0),
        (["check", "0", "7"], "course.check.main", [["00_start_here", "07_monitoring_data"]],
         {"read_page": False}, 1),
        (["check", "0", "--read"], "course.check.main", [["00_start_here"]], {"read_page": True}, 1),
        (["validate"], "course.validate.main", [[]], {"cold": False}, 0),
        (["validate", "7", "--cold"], "course.validate.main", [["07_monitoring_data"]], {"cold": True}, 0),
    ],
)  # fmt: skip
def test_every_command_calls_its_function(course, called, arguments, function, given, named, code):
    assert cli.main(arguments, course) == code
    assert len(called) == 1
    name, positional, keywords = called[0]
    assert name == function
    if function == "course.workspace.lab":
        positional, keywords = positional[1:], {**keywords, "root": positional[0]}
    assert list(positional) == given
    assert keywords == {**named, "root": course}


@pytest.mark.parametrize(
    ("arguments", "function", "given", "named", "code"),
    [
        (["play"], "game.terminal.play", (None,), {"seed": None, "log": None, "resume": False}, 0),
        (["play", "phones", "--seed", "4", "--log", "x.json", "--resume"], "game.terminal.play",
         ("phones",), {"seed": 4, "log": Path("x.json"), "resume": True}, 0),
        (["play", "--leaderboard", "games"], "game.leaderboard.main",
         (Path("games"),), {"scenario": None}, 1),
    ],
)  # fmt: skip
def test_play_calls_the_game_or_the_leaderboard(course, called, arguments, function, given, named, code):
    assert cli.main(arguments, course) == code
    assert called == [(function, given, named)]


@pytest.mark.parametrize(
    "error", [ValueError("seed -1 is no seed"), FileNotFoundError(2, "No such file", "x.toml")]
)
def test_an_error_of_ours_is_one_message(course, called, monkeypatch, capsys, error):
    def fail(*given, **named):
        raise error

    monkeypatch.setattr(sys.modules["mlops_lab.course.run"], "run", fail)
    assert cli.main(["run"], course) == 2
    said = capsys.readouterr().err
    assert said == f"mlops_lab run: {error}\n"


def test_a_defect_of_ours_keeps_its_traceback(course, called, monkeypatch):
    monkeypatch.setattr(sys.modules["mlops_lab.course.run"], "run", lambda *given, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["run"], course)


def test_ctrl_c_is_no_error_of_the_students(course, called, monkeypatch, capsys):
    def stop(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["mlops_lab.course.run"], "run", stop)
    assert cli.main(["run"], course) == 130
    assert "stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["lba"], ["'lba'", "Did you mean lab?", "doctor"]),
        (["xyz"], ["'xyz'", "There are: lab, test"]),
        (["run", "monitorng"], ["'monitorng'", "Did you mean 07_monitoring_data?", "00_start_here"]),
        (["lab", "8"], ["no lesson is called '8'", "There are: 00_start_here, 07_monitoring_data"]),
        (["run", "--seed", "-1"], ["a seed is a whole number from 0", "'-1'"]),
        (["run", "--seed", "1.5"], ["'1.5'"]),
        (["verify", "--seeds", "0"], ["the number of seeds is a whole number from 1", "'0'"]),
        (["lab", "--port", "x"], ["a port is a whole number", "'x'"]),
        (["run", "--sed=1"], ["--sed=1"]),
        (["new"], ["NN_topic"]),
    ],
)
def test_a_mistake_names_what_was_given_and_what_there_is(course, called, capsys, arguments, parts):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments, course)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    for part in parts:
        assert part in said
    assert called == []


def test_help_tells_a_student_what_to_type(course, capsys):
    assert cli.main([], course) == 0
    said = capsys.readouterr().out
    assert "python -m mlops_lab lab" in said
    for command in ("lab", "test", "run", "verify", "play", "build", "lint", "doctor", "new"):
        assert f"\n    {command} " in said
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, "--help"], course)
        assert stopped.value.code == 0


def test_the_version_is_pyprojects(course, capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"], course)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert capsys.readouterr().out.startswith(f"mlops_lab {version}, Python 3.")


def test_the_environment_stands_before_a_command_but_not_before_the_doctor(course, called, monkeypatch):
    applied = []
    monkeypatch.setattr(cli.environment, "apply", lambda: applied.append(len(called)))
    cli.main(["run"], course)
    assert applied == [0]  # before the function was called
    cli.main(["doctor"], course)
    assert applied == [0]


def test_it_imports_quickly_and_nothing_heavy():
    code = (
        "import sys, time; start = time.process_time(); import mlops_lab.cli; "
        "heavy = {'numpy', 'pandas', 'IPython', 'nbformat'} & set(sys.modules); "
        "print(time.process_time() - start, *heavy)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", code]
    answers = [
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout.split()
        for _ in range(3)
    ]
    assert {len(answer) for answer in answers} == {1}, answers
    assert min(float(answer[0]) for answer in answers) < 0.15
