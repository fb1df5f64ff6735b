"""Lesson 04's exercises: one file back, bytes that are checked, pieces, a pointer, lineage, rot, a year."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab.exercises import Outcome, Rule, not_yet, right, told
from mlops_lab.exercises.cache_judges import RIGHT, WRONG, judge_take
from mlops_lab.exercises.judging import Case, Mistake, function, number, whole_number
from mlops_lab.exercises.lineage_tables import lineage_cases

if TYPE_CHECKING:
    import pandas as pd

    from mlops_lab.lesson.terminal import Terminal

__all__ = ["RULES"]

FRIDAY, MONDAY = "LIMIT = 0.8\n", "LIMIT = 0.5\n"
_TRIED = {"checkout", "restore", "reset", "revert", "switch", "show", "diff", "log", "rm", "stash", "status"}


# --- 1: a command that is really tried ----------------------------------------------------------------------


def _command(answer: object, seed: int) -> Outcome:
    """Try the command in a temporary repository, and look at what it did to it."""
    from mlops_lab.lesson.terminal import Terminal

    if not isinstance(answer, str):
        return not_yet(f"Your answer is a {type(answer).__name__}: write the command in quotes.")
    try:
        words = shlex.split(answer)
    except ValueError:
        return not_yet(f"Your answer {answer!r} has an open quote.")
    if len(words) < 2 or words[0] != "git":
        return not_yet(f"Your answer {answer!r} is no command of Git: it begins with `git` and a verb.")
    if words[1] not in _TRIED:
        return not_yet(f"`git {words[1]}` does something else: which verb changes what the folder shows?")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        desk = Terminal(Path(place, "desk"))
        if desk.lacks("git"):  # nothing can be tried here, so only read it
            fits = words[1] in {"checkout", "restore"} and any("released" in word for word in words)
            fits = fits and any(word.endswith("grade.py") for word in words)
            return right() if fits else not_yet("It names no way to take grade.py alone from `released`.")
        return _tried(desk, words)


def _tried(desk: Terminal, words: list[str]) -> Outcome:
    program, notes, belt = (desk.folder / name for name in ("grade.py", "notes.txt", "belt.py"))
    program.write_text(FRIDAY, encoding="utf-8", newline="\n")
    belt.write_text("SPEED = 1\n", encoding="utf-8", newline="\n")
    desk.output("git init -q", "git add .", "git commit -q -m Friday", "git tag released")
    program.write_text(MONDAY, encoding="utf-8", newline="\n")
    belt.write_text("SPEED = 2\n", encoding="utf-8", newline="\n")
    notes.write_text("by a colleague\n", encoding="utf-8")
    desk.output("git add .", "git commit -q -m Monday")
    into = Path(words[-1]).name if len(words) > 3 and words[-2] == ">" else ""
    try:
        said = desk.output(shlex.join(words[:-2] if into else words))
    except (RuntimeError, ValueError) as error:
        return not_yet(f"It was tried, and Git refused. {told(error)}.")
    if into:
        (desk.folder / into).write_text(said + "\n", encoding="utf-8", newline="\n")
    if desk.output("git branch --show-current") != "main":
        return not_yet("It was tried: you are no longer on `main`. Stay on it, and change one file.")
    if desk.output("git rev-list --count main") == "1":
        return not_yet("It was tried: `main` has lost Monday's commit. Nothing that is kept shall be lost.")
    if not notes.exists():
        return not_yet("It was tried: the colleague's file is gone. Only grade.py shall change.")
    if not belt.exists() or belt.read_text(encoding="utf-8") != "SPEED = 2\n":
        return not_yet("It was tried: another file went back, too. Name the one file that shall.")
    if not program.exists() or program.read_text(encoding="utf-8") != FRIDAY:
        return not_yet("It was tried: grade.py is not as it was at the tag. Which version did you ask for?")
    return right(
        "It was tried: grade.py is Friday's, the colleague's files are as they were, and `main` is whole."
    )


# --- 3: pieces that are hit ---------------------------------------------------------------------------------


def _touched(pieces: int, edits: int) -> float:
    return 1.0 - (1 - 1 / pieces) ** edits


def _touched_by_steps(pieces: int, edits: int) -> float:
    missed = 1.0
    for _ in range(edits):
        missed *= (pieces - 1) / pieces
    return 1 - missed


def _hits(seed: int) -> list[Case]:
    asked = {
        (85, 0): "85 pieces and no edit",
        (1, 1): "one piece and one edit",
        (1000, 10): "1,000 pieces and 10 edits",
        (85, 100): "85 pieces and 100 edits",
        (50, 1000): "50 pieces and 1,000 edits",
    }
    return [Case(pair, _touched(*pair), about) for pair, about in asked.items()]


# --- 4: the pointer -----------------------------------------------------------------------------------------

_FILES = {
    "crates.csv": "is the data themselves: Git is told to ignore them.",
    "dvc.yaml": "describes the stages of a pipeline: there is none here.",
    "dvc.lock": "belongs to a pipeline: there is none here.",
    ".gitignore": "has not changed: it ignored the table from the start.",
    ".dvc/cache": "is the cache: its bytes travel by `dvc push`.",
    ".dvc/config": "names the remote, and was committed before.",
}


def _pointer(answer: object, seed: int) -> Outcome:
    if isinstance(answer, (str, os.PathLike)):
        names = [os.fspath(answer)]
    elif isinstance(answer, (list, tuple, set)):
        names = [str(name) for name in answer]
    else:
        return not_yet(f"Your answer is a {type(answer).__name__}: write a file's name, in quotes.")
    names = [str(name).strip().removeprefix("git add ").removeprefix("./").rstrip("/") for name in names]
    for name in names:
        if name != "crates.csv.dvc" and not (name == ".gitignore" and len(names) > 1):
            return not_yet(
                f"Your answer {name!r} {_FILES.get(name, 'is none of the files that have changed.')}"
            )
    return right() if "crates.csv.dvc" in names else not_yet("Your answer names no file.")


# 5: lineage, all the way back (the tables are in lineage_tables.py)
def _same_set(got: Any, expected: Any) -> bool:
    return not isinstance(got, str) and set(got) == set(expected)


def _rests_on(edges: pd.DataFrame, ref: str) -> set[str]:
    found: set[str] = set()
    for source in edges.loc[edges["made"] == ref, "source"]:
        found |= {source} | _rests_on(edges, source)
    return found


def _rests_on_by_rounds(edges: pd.DataFrame, ref: str) -> list[str]:
    found = {ref}
    for _ in range(len(edges)):
        found |= set(edges.loc[edges["made"].isin(found), "source"])
    return sorted(found - {ref})


def _direct(edges: pd.DataFrame, ref: str) -> set[str]:
    return set(edges.loc[edges["made"] == ref, "source"])


def _two_steps(edges: pd.DataFrame, ref: str) -> set[str]:
    return _direct(edges, ref).union(*(_direct(edges, source) for source in _direct(edges, ref)))


def _six_steps(edges: pd.DataFrame, ref: str) -> set[str]:
    found = {ref}
    for _ in range(6):
        found |= set(edges.loc[edges["made"].isin(found), "source"])
    return found - {ref}


# 6: rot that nobody saw
def _grades(seed: int) -> tuple[pd.Series[Any], pd.Series[Any], pd.Series[Any]]:
    """Give what the graders wrote, what stood there after the experts, and the truth."""
    from mlops_lab import worlds

    batch = worlds.Orchard(seed=seed).archive(6_000)
    return batch.labels, batch.truth.where(batch.checked, batch.labels), batch.truth


def _rot(seed: int) -> int:
    before, after, _ = _grades(seed)
    return int(((after == "spoiled") & (before != "spoiled")).sum())


def _rot_mistakes(seed: int) -> list[Mistake]:
    before, after, truth = _grades(seed)
    return [
        Mistake(int((before != after).sum()), "is the number of all corrections: count those to spoiled."),
        Mistake(int((after == "spoiled").sum()), "counts those that were written as spoiled before, too."),
        Mistake(int(((truth == "spoiled") & (before != "spoiled")).sum()), "counts crates nobody opened."),
        Mistake(
            int(((before == "spoiled") & (after != "spoiled")).sum()),
            "is the number that went the other way, from spoiled to better.",
        ),
    ]


RULES = (
    Rule(
        id="versioning.1",
        question="Which command takes grade.py alone from the tag `released`, and leaves all else as it is?",
        judge=_command,
        hints=(
            "`git checkout released` takes everything back. How could you tell it which file you mean?",
            "After the tag, two dashes part what is a version from what is a file: `... released -- ...`.",
            "The verb is `checkout`, then the tag, then `--`, then the name of the file.",
        ),
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
            (["git"], "in quotes"),
        ],
    ),
    Rule(
        id="versioning.2",
        question="Write take(cache, name): the bytes under a name, or ValueError if they no longer fit it.",
        judge=judge_take,
        hints=(
            "How was the name made? What would come out if you made it again from the bytes you found?",
            "`hashlib.sha256(data).hexdigest()` is the name that these bytes must have.",
            "Take `data = cache[name]`, compare its hash with `name`, and raise ValueError if they differ.",
        ),
        right=lambda seed: RIGHT,
        wrong=lambda seed: WRONG,
    ),
    Rule(
        id="versioning.3",
        question="Write touched(pieces, edits): the share of pieces that edits at random places hit.",
        judge=function(_hits),
        hints=(
            "Look at one piece. One edit misses it with a chance of 1 - 1 / pieces. And all of them?",
            "Edits do not know of each other, so their chances of missing the piece multiply.",
            "The piece is missed by all with the chance `(1 - 1 / pieces) ** edits`. You want the rest.",
        ),
        right=lambda seed: [_touched, _touched_by_steps],
        wrong=lambda seed: [
            (lambda pieces, edits: edits / pieces, "1,000 pieces and 10 edits"),
            (lambda pieces, edits: (1 - 1 / pieces) ** edits, "no edit"),
            (lambda pieces, edits: 1 / pieces, "85 pieces and no edit"),
            (lambda pieces, edits: round(_touched(pieces, edits)), "10 edits your function returned 0"),
            (lambda pieces, edits: None, "returned None"),
            (0.69, "without brackets"),
        ],
    ),
    Rule(
        id="versioning.4",
        question="Which file must be committed to Git after `dvc add` and `dvc push`?",
        judge=_pointer,
        hints=(
            "Which file tells the colleague's DVC what to fetch?",
            "It is small, Git does not ignore it, and `dvc add` has just rewritten it.",
            "It is the pointer: the table's name, with the tool's name as its ending.",
        ),
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
            (3, "in quotes"),
        ],
    ),
    Rule(
        id="versioning.5",
        question="Write rests_on(edges, ref): everything that a version rests on, directly or not.",
        judge=function(lineage_cases, agree=_same_set),
        hints=(
            "The sources of one version are one lookup away. What must be looked up next?",
            "Keep what was found, and what still waits to be looked up. Go on until nothing waits.",
            'One step is `set(edges.loc[edges["made"] == ref, "source"])`; do it for each new source.',
        ),
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
    ),
    Rule(
        id="versioning.6",
        question="How many crates did the experts find spoiled that the graders had not?",
        judge=whole_number(_rot, mistakes=_rot_mistakes, what="number of crates", far="is not that number"),
        hints=(
            "Rows of `changes.labels` are grades before, columns are grades after. Where is *spoiled after*?",
            'The column `changes.labels["spoiled"]` holds one number for each grade before.',
            "Add up that column with `.sum()`.",
        ),
        right=lambda seed: [_rot(seed), float(_rot(seed))],
        wrong=lambda seed: [
            (_rot_mistakes(seed)[0].value, "all corrections"),
            (_rot_mistakes(seed)[1].value, "spoiled before, too"),
            (_rot_mistakes(seed)[2].value, "nobody opened"),
            (_rot(seed) + 0.5, "no number of crates"),
            (-1, "not that number"),
        ],
    ),
    Rule(
        id="versioning.7",
        question="How many GB do 365 daily copies of a table take that starts at 100 MB and grows by 1 MB?",
        judge=number(
            lambda seed: sum(range(100, 465)) / 1000,
            within=0.05,
            mistakes=lambda seed: [
                Mistake(36.5, "forgets that the table grows."),
                Mistake(0.464, "is the last copy alone: all of them are kept."),
                Mistake(102_930, "is in MB: 1 GB is 1,000 MB."),
                Mistake(sum(range(101, 466)) / 1000, "begins with 101 MB: the first copy has 100."),
                Mistake(sum(range(100, 466)) / 1000, "counts 366 copies."),
                Mistake(0.365 * 364 / 2, "counts the new crates alone: each copy holds the old ones, too."),
            ],
            far="is not the sum of the copies",
        ),
        hints=(
            "How large is the last copy, and how large is the mean one?",
            "The copies have 100, 101, 102, ... MB. There are 365 of them.",
            "Add up `100 + day` for every `day` in `range(365)`, and divide by 1,000.",
        ),
        right=lambda seed: [102.93, 102.9, [102.93]],
        wrong=lambda seed: [
            (36.5, "forgets that"),
            (0.464, "last copy alone"),
            (102_930, "in MB"),
            (103.295, "begins with 101"),
            (103.395, "366 copies"),
        ],
    ),
)
