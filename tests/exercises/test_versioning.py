"""The truths behind lesson 04's checks, by other roads; test_checks.py holds each rule to its own answers."""

import pytest

from mlops_lab import exercises, versioning, worlds
from mlops_lab.exercises import versioning as rules
from mlops_lab.lesson.terminal import Terminal


def outcome(number, answer, seed=0):
    return exercises.find(f"versioning.{number}").outcome(answer, seed)


@pytest.mark.parametrize("seed", range(0, 20, 5))
def test_the_rot_is_what_the_stores_own_diff_counts(tmp_path, seed):
    batch = worlds.Orchard(seed=seed).archive(6_000)
    table = batch.crates.assign(grade=batch.labels).round(3)
    store = versioning.Store(tmp_path)
    store.commit(table, "crates")
    store.commit(table.assign(grade=batch.truth.where(batch.checked, batch.labels)), "crates")
    labels = store.diff("crates@1", "crates@2", label="grade").labels
    assert outcome(6, labels["spoiled"].sum(), seed).state == "right"
    assert "all corrections" in outcome(6, labels.to_numpy().sum(), seed).message


def test_there_is_rot_at_every_seed_so_that_the_exercise_has_an_answer():
    assert min(rules._rot(seed) for seed in range(20)) >= 1


def test_hits_agree_with_throwing_edits_at_pieces():
    import numpy as np

    rng = np.random.default_rng(0)
    thrown = [len(set(rng.integers(50, size=60))) / 50 for _ in range(4_000)]
    assert abs(np.mean(thrown) - rules._touched(50, 60)) < 0.003


def test_the_year_of_copies_is_the_gauss_sum():
    assert outcome(7, 365 * (100 + 464) / 2 / 1000).state == "right"


def test_lineage_agrees_with_the_stores_own(tmp_path):
    store = versioning.Store(tmp_path)
    raw = store.commit({"n": 1}, "raw")
    left = store.commit({"n": 2}, "left", lineage=versioning.lineage({"from": raw}))
    right = store.commit({"n": 3}, "right", lineage=versioning.lineage({"from": raw}))
    store.commit({"n": 4}, "top", lineage=versioning.lineage({"a": left, "b": right}))
    found = store.lineage("top@1")
    assert rules._rests_on(found.edges, "top@1") == set(found.nodes.index) - {"top@1"} != set()


needs_git = pytest.mark.skipif(bool(Terminal(".").lacks("git")), reason="git is not installed")


@needs_git
@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        ("git checkout released -- .", "another file went back"),
        ("git restore grade.py", "not as it was"),
        ("git revert --no-edit HEAD", "colleague's file"),
        ("git switch --detach released", "no longer on `main`"),
        ("git stash", "not as it was"),
        ("git show released:grade.py", "not as it was"),
        ("git show HEAD:grade.py > grade.py", "not as it was"),
        ("git checkout 'released", "open quote"),
        ("git", "no command"),
        ("git clone elsewhere", "does something else"),
    ],
)
def test_commands_are_judged_by_what_they_do(command, fragment):
    found = outcome(1, command)
    assert fragment in f"{found.state} {found.message}"


def test_without_git_a_command_is_only_read(monkeypatch):
    monkeypatch.setattr(Terminal, "lacks", lambda self, *programs: "git is not installed here")
    assert outcome(1, "git checkout released -- grade.py").state == "right"
    assert outcome(1, "git restore -s released grade.py").state == "right"
    assert outcome(1, "git checkout released").state == outcome(1, "git checkout grade.py").state == "not yet"
