"""The test run itself: a broken step is seen, named, and hides no later one."""

import sys
from pathlib import Path

from mlops_lab.course import suite

ROOT = Path(__file__).parents[2]
HELD = suite.Step("a step that holds", ("-c", "pass"))
BROKEN = suite.Step("a broken step", ("-c", "raise SystemExit(3)"))


def test_all_steps_hold(capfd):
    assert suite.test(root=ROOT, plan=[HELD, HELD]) == 0
    assert capfd.readouterr().out.count("held") == 2


def test_a_broken_step_is_named_and_later_ones_still_run(tmp_path, capfd):
    mark = tmp_path / "ran"
    later = suite.Step("later", ("-c", f"open({str(mark)!r}, 'w').close()"))
    assert suite.test(root=ROOT, plan=[BROKEN, later]) == 1
    out = capfd.readouterr().out
    assert "BROKEN (exit code 3) a broken step" in " ".join(out.split())
    assert mark.exists()


def test_steps_run_strictly_and_offline_where_asked(tmp_path, capfd):
    seen = "import os, sys; print(os.environ['MLOPS_LAB_STRICT'], sys.executable)"
    leave = "import socket; socket.getaddrinfo('example.invalid', 80)"
    assert suite.test(root=ROOT, plan=[suite.Step("strict", ("-c", seen))]) == 0
    assert f"1 {sys.executable}" in capfd.readouterr().out
    assert suite.test(root=ROOT, plan=[suite.Step("leave", ("-c", leave), offline=True)]) == 1


def test_the_full_run_holds_every_kind_of_proof():
    commands = " | ".join(" ".join(step.command) for step in suite.steps())
    proofs = ("ruff check", "ruff format --check", "mypy", "not slow", "-m slow", "cli lint", "validate")
    for proof in (*proofs, "verify --first 1"):
        assert proof in commands
