"""The test run itself: a broken step is seen, named, and hides no later one."""

import sys
from pathlib import Path

from mlops_lab.course import suite

ROOT = Path(__file__).parents[2]
HELD = suite.SuiteStep("a step that holds", ("-c", "pass"))
BROKEN = suite.SuiteStep("a broken step", ("-c", "raise SystemExit(3)"))


def test_all_steps_hold(capfd):
    assert suite.test(root=ROOT, plan=[HELD, HELD]) == 0
    assert capfd.readouterr().out.count("held") == 2


def test_a_broken_step_is_named_and_later_ones_still_run(tmp_path, capfd):
    mark = tmp_path / "ran"
    later = suite.SuiteStep("later", ("-c", f"open({str(mark)!r}, 'w').close()"))
    assert suite.test(root=ROOT, plan=[BROKEN, later]) == 1
    out = capfd.readouterr().out
    assert "BROKEN (exit code 3) a broken step" in " ".join(out.split())
    assert mark.exists()


def test_steps_run_strictly_and_offline_where_asked(tmp_path, capfd):
    seen = "import os, sys; print(os.environ['MLOPS_LAB_STRICT'], sys.executable)"
    leave = "import socket; socket.getaddrinfo('example.invalid', 80)"
    assert suite.test(root=ROOT, plan=[suite.SuiteStep("strict", ("-c", seen))]) == 0
    assert f"1 {sys.executable}" in capfd.readouterr().out
    assert suite.test(root=ROOT, plan=[suite.SuiteStep("leave", ("-c", leave), offline=True)]) == 1


def test_a_silent_step_says_that_it_is_at_work(monkeypatch, capfd):
    clock = suite._clock
    monkeypatch.setattr(suite, "_clock", lambda start: clock(start, every_s=0.05))
    code = "import time; time.sleep(0.4)"
    assert suite.test(root=ROOT, plan=[suite.SuiteStep("silent", ("-c", code), silent=True)]) == 0
    assert "still at it" in capfd.readouterr().out
    assert suite.test(root=ROOT, plan=[suite.SuiteStep("not silent", ("-c", code))]) == 0
    assert "still at it" not in capfd.readouterr().out


def test_the_quick_run_is_part_of_the_full_one():
    assert set(suite.steps(quick=True)) < set(suite.steps())


def test_the_full_run_holds_every_kind_of_proof():
    commands = " | ".join(" ".join(step.command) for step in suite.steps())
    proofs = ("ruff check", "ruff format --check", "mypy", "not slow", "-m slow", "cli lint", "validate")
    for proof in (*proofs, "verify --first 1"):
        assert proof in commands
