"""A terminal in a lesson: what it shows and keeps out, and that the student's settings are left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.lesson import terminal as module
from mlops_lab.lesson.terminal import Terminal

needs_git = pytest.mark.skipif(bool(Terminal(Path.cwd()).lacks("git")), reason="git is not installed")


@pytest.fixture
def terminal(tmp_path):
    return Terminal(tmp_path / "place" / "farm")


def test_a_command_is_shown_as_typed_and_then_what_it_says(terminal, capsys):
    terminal("python -c 'print(\"two words\")'", "python -c 'pass'")
    assert capsys.readouterr().out == ("$ python -c 'print(\"two words\")'\ntwo words\n$ python -c 'pass'\n")


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


@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        ("", "is no command"),
        ("git commit -m 'open", "close every quote"),
        ("git log | head", "needs a shell"),
    ],
)
def test_what_is_no_command_is_refused(terminal, command, fragment):
    with pytest.raises(ValueError, match=fragment):
        terminal(command)


def test_no_path_colour_or_overwritten_line_is_shown(terminal):
    program = terminal.folder / "say.py"
    program.write_text(
        "import os, sys\n"
        "print(os.getcwd()); sys.stdout.write('\\x1b[31mred\\x1b[0m\\n 10%\\r100% done  \\n')\n"
        "sys.stdout.write('\\u280b Checking graph\\n\\n\\nend\\n')\n"
        "print('in', os.path.join(os.getcwd(), 'crates.csv'), file=sys.stderr)\n",
        encoding="utf-8",
    )
    seen = terminal.output("python say.py")
    assert seen == f".\nred\n100% done\nend\nin .{os.sep}crates.csv"
    assert "place" not in repr(terminal)


def test_a_command_that_never_ends_is_stopped(terminal, monkeypatch, capsys):
    monkeypatch.setattr(module, "_LONGEST_S", 0.5)
    terminal("python -c 'import time; time.sleep(60)'")
    assert "longer than 0.5 s" in capsys.readouterr().out


def _two_commits(terminal):
    (terminal.folder / "train.py").write_text("print(1)\n", encoding="utf-8", newline="\n")
    for command in (
        "git init -q",
        "git add train.py",
        "git commit -q -m first",
        "git commit -q --allow-empty -m x",
    ):
        terminal.output(command)
    return terminal.output("git log --format=%H%cI%an%D")


@needs_git
def test_commits_have_the_same_names_whatever_the_students_settings(tmp_path, monkeypatch):
    plain = _two_commits(Terminal(tmp_path / "a"))
    (tmp_path / ".gitconfig").write_text(
        "[user]\n name = Somebody\n email = s@x\n[init]\n defaultBranch = trunk\n[commit]\n gpgsign = true\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody else")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert _two_commits(Terminal(tmp_path / "b")) == plain
    assert "Student" in plain and "2026-03-02T08:02:00" in plain and "HEAD -> main" in plain
    assert not (tmp_path / "elsewhere").exists()


@needs_git
def test_a_repository_around_the_folder_is_not_found(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(RuntimeError, match="not a git repository"):
        Terminal(tmp_path / "inside").output("git status")


@pytest.mark.slow
@needs_git
def test_dvc_runs_without_a_word_to_anybody(terminal):
    """DVC is this environment's own, reads no settings of the student's, and leaves nothing behind."""
    assert terminal.lacks("dvc") == ""
    (terminal.folder / "crates.csv").write_text("a,b\n1,2\n", encoding="utf-8", newline="\n")
    for command in ("git init -q", "dvc init -q", "dvc add -q crates.csv"):
        assert terminal.output(command) == ""
    assert "md5: e5ebd4c02cefbe7955977c67ada242b7" in (terminal.folder / "crates.csv.dvc").read_text()
    settings = terminal.output("dvc config --list")
    assert "core.analytics=false" in settings and "core.check_update=false" in settings
    assert "crates.csv.dvc" in terminal.output("git status --short")


def test_python_is_this_very_one(terminal):
    assert terminal.output("python -c 'import sys; print(sys.prefix)'") == sys.prefix


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
