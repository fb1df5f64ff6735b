"""A command line without a shell: what it keeps out, and that the student's settings are left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.exercises.shell import Shell

needs_git = pytest.mark.skipif(bool(Shell(Path.cwd()).lacks("git")), reason="git is not installed")


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path / "place" / "farm")


@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        ("", "is no command"),
        ("git commit -m 'open", "close every quote"),
        ("git log | head", "needs a shell"),
    ],
)
def test_what_is_no_command_is_refused(shell, command, fragment):
    with pytest.raises(ValueError, match=fragment):
        shell.output(command)


def test_no_path_colour_or_overwritten_line_is_shown(shell):
    program = shell.folder / "say.py"
    program.write_text(
        "import os, sys\n"
        "print(os.getcwd()); sys.stdout.write('\\x1b[31mred\\x1b[0m\\n 10%\\r100% done  \\n')\n"
        "sys.stdout.write('\\u280b Checking graph\\n\\n\\nend\\n')\n"
        "print('in', os.path.join(os.getcwd(), 'crates.csv'), file=sys.stderr)\n",
        encoding="utf-8",
    )
    seen = shell.output("python say.py")
    assert seen == f".\nred\n100% done\nend\nin .{os.sep}crates.csv"


def _two_commits(shell):
    (shell.folder / "train.py").write_text("print(1)\n", encoding="utf-8", newline="\n")
    for command in (
        "git init -q",
        "git add train.py",
        "git commit -q -m first",
        "git commit -q --allow-empty -m x",
    ):
        shell.output(command)
    return shell.output("git log --format=%H%cI%an%D")


@needs_git
def test_commits_have_the_same_names_whatever_the_students_settings(tmp_path, monkeypatch):
    plain = _two_commits(Shell(tmp_path / "a"))
    (tmp_path / ".gitconfig").write_text(
        "[user]\n name = Somebody\n email = s@x\n[init]\n defaultBranch = trunk\n[commit]\n gpgsign = true\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody else")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert _two_commits(Shell(tmp_path / "b")) == plain
    assert "Student" in plain and "2026-03-02T08:02:00" in plain and "HEAD -> main" in plain
    assert not (tmp_path / "elsewhere").exists()


@needs_git
def test_a_repository_around_the_folder_is_not_found(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(RuntimeError, match="not a git repository"):
        Shell(tmp_path / "inside").output("git status")


@pytest.mark.slow
@needs_git
def test_dvc_runs_without_a_word_to_anybody(shell):
    """DVC is this environment's own, reads no settings of the student's, and leaves nothing behind."""
    assert shell.lacks("dvc") == ""
    (shell.folder / "crates.csv").write_text("a,b\n1,2\n", encoding="utf-8", newline="\n")
    for command in ("git init -q", "dvc init -q", "dvc add -q crates.csv"):
        assert shell.output(command) == ""
    assert "md5: e5ebd4c02cefbe7955977c67ada242b7" in (shell.folder / "crates.csv.dvc").read_text()
    settings = shell.output("dvc config --list")
    assert "core.analytics=false" in settings and "core.check_update=false" in settings
    assert "crates.csv.dvc" in shell.output("git status --short")


def test_python_is_this_very_one(shell):
    assert shell.output("python -c 'import sys; print(sys.prefix)'") == sys.prefix
