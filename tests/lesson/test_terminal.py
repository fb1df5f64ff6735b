"""A terminal in a lesson: what it shows."""

import pytest

from mlops_lab.exercises import shell
from mlops_lab.lesson import terminal as module
from mlops_lab.lesson.terminal import Terminal


@pytest.fixture
def terminal(tmp_path):
    return Terminal(tmp_path / "place" / "farm")


def test_a_command_is_shown_as_typed_and_then_what_it_says(terminal, capsys):
    terminal("python -c 'print(\"two words\")'", "python -c 'pass'")
    assert capsys.readouterr().out == ("$ python -c 'print(\"two words\")'\ntwo words\n$ python -c 'pass'\n")


def test_its_place_is_never_told(terminal):
    assert repr(terminal) == "<terminal in the folder 'farm'>"


def test_a_failure_is_shown_with_its_code_and_stops_the_rest(terminal, capsys):
    terminal("python -c 'raise SystemExit(3)'", "python -c 'print(1)'")
    assert capsys.readouterr().out == "$ python -c 'raise SystemExit(3)'\n(stopped with code 3)\n"
    with pytest.raises(RuntimeError, match="code 3"):
        terminal.output("python -c 'raise SystemExit(3)'")


def test_long_answers_are_cut_and_the_rest_is_counted(terminal, capsys):
    terminal("python -c 'for i in range(9): print(i)'", lines=2)
    assert capsys.readouterr().out.split("\n")[1:] == ["0", "1", "... 7 more lines", ""]


def test_a_missing_program_is_told_and_nothing_stops(terminal, capsys):
    terminal("no-such-tool add crates.csv")
    assert "no-such-tool is not installed here" in capsys.readouterr().out
    assert terminal.output("no-such-tool") == ""
    assert terminal.lacks("no-such-tool", "nor-this") == "no-such-tool and nor-this are not installed here"
    assert terminal.lacks("python") == ""


def test_a_command_that_never_ends_is_stopped(terminal, monkeypatch, capsys):
    monkeypatch.setattr(shell, "_LONGEST_S", 0.5)
    terminal("python -c 'import time; time.sleep(60)'")
    assert "longer than 0.5 s" in capsys.readouterr().out


def test_a_notebook_gets_one_output_with_commands_set_off(terminal, monkeypatch, capsys):
    found = []
    monkeypatch.setattr(module, "in_ipython", lambda: True)
    monkeypatch.setattr(module, "publish", found.append)
    terminal("python -c 'print(1 < 2)'", "python -c 'print(\"<b>\")'")
    (bundle,) = found
    assert bundle["text/plain"].split("\n") == [
        "$ python -c 'print(1 < 2)'",
        "True",
        "$ python -c 'print(\"<b>\")'",
        "<b>",
    ]
    assert bundle["text/html"].count("<strong>$ ") == 2 and "&lt;b&gt;" in bundle["text/html"]
    assert "<b>" not in bundle["text/html"] and capsys.readouterr().out == ""
    assert terminal.said == "<b>"
