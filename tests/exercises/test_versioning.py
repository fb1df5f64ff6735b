"""Lesson 04's exercises: the answers that each is tried on, and the truths behind them by other roads."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from exercise_answers import Answers, tried

from mlops_lab import exercises, versioning, worlds
from mlops_lab.exercises import versioning as lesson
from mlops_lab.exercises.shell import Shell


def sound(cache: lesson.Cache, name: str) -> bytes:
    """Take bytes and check them: the solution in another form."""
    if lesson._name(cache[name]) != name:
        raise ValueError("damaged")
    return cache[name]


def _by_get(cache: lesson.Cache, name: str) -> bytes:
    data = cache.get(name, b"")
    if hashlib.new("sha256", data).hexdigest() == name:
        return bytes(data)
    raise ValueError(name)


def _quiet(cache: lesson.Cache, name: str) -> bytes | None:
    return cache[name] if lesson._name(cache[name]) == name else None


def _truth(cache: lesson.Cache, name: str) -> object:
    return cache[name] if lesson._name(cache[name]) == name else False


def _other_error(cache: lesson.Cache, name: str) -> bytes:
    if lesson._name(cache[name]) != name:
        raise KeyError(name)
    return cache[name]


def _other_way_round(cache: lesson.Cache, name: str) -> bytes:
    if lesson._name(cache[name]) == name:
        raise ValueError("damaged")
    return cache[name]


def _known_somewhere(cache: lesson.Cache, name: str) -> bytes:
    if lesson._name(cache[name]) not in cache:
        raise ValueError("damaged")
    return cache[name]


def _as_text(cache: lesson.Cache, name: str) -> bytes:
    return sound({name: cache[name].decode().encode()}, name)


def _refuses_empty(cache: lesson.Cache, name: str) -> bytes:
    if not cache[name]:
        raise ValueError("empty")
    return sound(cache, name)


def _takes_out(cache: lesson.Cache, name: str) -> bytes:
    return sound({name: cache.pop(name)}, name)


RIGHT = (sound, _by_get)


WRONG: tuple[tuple[object, str], ...] = (
    (lambda cache, name: cache[name], "as if they were whole"),
    (_quiet, "returned nothing and did not stop"),
    (_truth, "returned a bool"),
    (_other_error, "by KeyError"),
    (_other_way_round, "bytes that are whole your function stopped"),
    (_known_somewhere, "those of another name"),
    (_as_text, "no text your function stopped"),
    (_refuses_empty, "none at all your function stopped"),
    (_takes_out, "changed the cache"),
    (lambda cache, name: name, "not the bytes"),
    (lambda cache, name: next(reversed(cache.values())), "other bytes"),
    ("take", "without brackets"),
)


def _touched_by_steps(pieces: int, edits: int) -> float:
    missed = 1.0
    for _ in range(edits):
        missed *= (pieces - 1) / pieces
    return 1 - missed


def _rests_on(edges: Any, ref: str) -> set[str]:
    found: set[str] = set()
    for source in edges.loc[edges["made"] == ref, "source"]:
        found |= {source} | _rests_on(edges, source)
    return found


def _rests_on_by_rounds(edges: Any, ref: str) -> list[str]:
    found = {ref}
    for _ in range(len(edges)):
        found |= set(edges.loc[edges["made"].isin(found), "source"])
    return sorted(found - {ref})


def _direct(edges: Any, ref: str) -> set[str]:
    return set(edges.loc[edges["made"] == ref, "source"])


def _two_steps(edges: Any, ref: str) -> set[str]:
    return _direct(edges, ref).union(*(_direct(edges, source) for source in _direct(edges, ref)))


def _six_steps(edges: Any, ref: str) -> set[str]:
    found = {ref}
    for _ in range(6):
        found |= set(edges.loc[edges["made"].isin(found), "source"])
    return found - {ref}


ANSWERS = {
    "versioning.1": Answers(
        right=lambda seed: [
            "git checkout released -- grade.py",
            "git checkout released grade.py",
            "git restore --source released grade.py",
            "git restore -s released -- grade.py",
            "git show released:grade.py > grade.py",
        ],
        wrong=lambda seed: [
            ("git checkout released", "no longer on `main`"),
            ("git reset --hard released", "has lost Monday's commit"),
            ("git checkout -- grade.py", "not as it was at the tag"),
            ("git checkout released -- .", "another file went back"),
            ("git restore -s released .", "file is gone"),
            ("git rm -q notes.txt", "colleague's file"),
            ("git checkout Friday -- grade.py", "Git refused"),
            ("git push", "does something else"),
            ("checkout released", "no command of Git"),
            (["git"], "no command of Git"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
    "versioning.2": Answers(right=lambda seed: RIGHT, wrong=lambda seed: WRONG, seeds=(0,)),
    "versioning.3": Answers(
        right=lambda seed: [lesson._touched, _touched_by_steps],
        wrong=lambda seed: [
            (lambda pieces, edits: edits / pieces, "1,000 pieces and 10 edits"),
            (lambda pieces, edits: (1 - 1 / pieces) ** edits, "no edit"),
            (lambda pieces, edits: 1 / pieces, "85 pieces and no edit"),
            (
                lambda pieces, edits: round(lesson._touched(pieces, edits)),
                "10 edits your function returned 0",
            ),
            (lambda pieces, edits: None, "returned None"),
            (0.69, "without brackets"),
        ],
        seeds=(0,),
    ),
    "versioning.4": Answers(
        right=lambda seed: [
            "crates.csv.dvc",
            " ./crates.csv.dvc ",
            ["crates.csv.dvc", ".gitignore"],
            Path("crates.csv.dvc"),
            "git add crates.csv.dvc",
        ],
        wrong=lambda seed: [
            ("crates.csv", "data themselves"),
            (".dvc/cache", "is the cache"),
            ("dvc.lock", "belongs to a pipeline"),
            (".gitignore", "has not changed"),
            ("all of them", "none of the files"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
    "versioning.5": Answers(
        right=lambda seed: [_rests_on, _rests_on_by_rounds],
        wrong=lambda seed: [
            (_direct, "five steps back"),
            (lambda edges, ref: _rests_on(edges, ref) | {ref}, "rests on nothing"),
            (lambda edges, ref: set(edges["source"]) - {ref}, "rests on nothing"),
            (lambda edges, ref: set(edges.loc[edges["source"] == ref, "made"]), "rests on nothing"),
            (_two_steps, "five steps back"),
            (_six_steps, "eleven steps back"),
            (lambda edges, ref: None, "returned None"),
            ({"crates@1"}, "without brackets"),
        ],
        seeds=(0,),
    ),
    "versioning.6": Answers(
        right=lambda seed: [lesson._rot(seed), float(lesson._rot(seed))],
        wrong=lambda seed: [
            (lesson._rot_mistakes(seed)[0].answer, "all corrections"),
            (lesson._rot_mistakes(seed)[1].answer, "spoiled before, too"),
            (lesson._rot_mistakes(seed)[2].answer, "nobody opened"),
            (lesson._rot(seed) + 0.5, "no number of crates"),
            (-1, "not that number"),
        ],
    ),
    "versioning.7": Answers(
        right=lambda seed: [102.93, 102.9, [102.93]],
        wrong=lambda seed: [
            (36.5, "forgets that"),
            (0.464, "last copy alone"),
            (102_930, "in MB"),
            (103.295, "begins with 101"),
            (103.395, "366 copies"),
        ],
        seeds=(0,),
    ),
}

test_answers = tried("versioning", ANSWERS)


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
    assert min(lesson._rot(seed) for seed in range(20)) >= 1


def test_hits_agree_with_throwing_edits_at_pieces():
    import numpy as np

    rng = np.random.default_rng(0)
    thrown = [len(set(rng.integers(50, size=60))) / 50 for _ in range(4_000)]
    assert abs(np.mean(thrown) - lesson._touched(50, 60)) < 0.003


def test_the_year_of_copies_is_the_gauss_sum():
    assert outcome(7, 365 * (100 + 464) / 2 / 1000).state == "right"


def test_lineage_agrees_with_the_stores_own(tmp_path):
    store = versioning.Store(tmp_path)
    raw = store.commit({"n": 1}, "raw")
    left = store.commit({"n": 2}, "left", lineage=versioning.lineage({"from": raw}))
    right = store.commit({"n": 3}, "right", lineage=versioning.lineage({"from": raw}))
    store.commit({"n": 4}, "top", lineage=versioning.lineage({"a": left, "b": right}))
    found = store.lineage("top@1")
    assert lesson._rests_on(found.edges, "top@1") == set(found.nodes.index) - {"top@1"} != set()


needs_git = pytest.mark.skipif(bool(Shell(".").lacks("git")), reason="git is not installed")


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
    monkeypatch.setattr(Shell, "lacks", lambda self, *programs: "git is not installed here")
    assert outcome(1, "git checkout released -- grade.py").state == "right"
    assert outcome(1, "git restore -s released grade.py").state == "right"
    assert outcome(1, "git checkout released").state == outcome(1, "git checkout grade.py").state == "not yet"
