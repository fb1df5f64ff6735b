"""Lesson 04's exercises: one file back, bytes that are checked, pieces, a pointer, lineage, rot, a year."""

from __future__ import annotations

import hashlib
import os
import shlex
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right, told
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    called,
    no_function,
    number,
    one_word,
    whole_number,
)
from mlops_lab.exercises.shell import Shell

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["EXERCISES"]


# --- 1: a command that is really tried -------------------------------------------------------------------


FRIDAY, MONDAY = "LIMIT = 0.8\n", "LIMIT = 0.5\n"
_TRIED = {"checkout", "restore", "reset", "revert", "switch", "show", "diff", "log", "rm", "stash", "status"}


def _judge_command(answer: object, seed: int) -> Outcome:
    """Try the command in a temporary repository, and look at what it did to it."""
    typed = one_word(answer)
    if typed is None:
        return not_yet(f"Your answer is {a_kind(answer)}: write the command in quotes.")
    try:
        words = shlex.split(typed.strip().removeprefix("$ "))
    except ValueError:
        return not_yet(f"Your answer {typed!r} has an open quote.")
    if len(words) < 2 or words[0] != "git":
        return not_yet(f"Your answer {typed!r} is no command of Git: it begins with `git` and a verb.")
    if words[1] not in _TRIED:
        return not_yet(f"`git {words[1]}` does something else: which verb changes what the folder shows?")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        desk = Shell(Path(place, "desk"))
        if desk.lacks("git"):  # nothing can be tried here, so only read it
            fits = words[1] in {"checkout", "restore"} and any("released" in word for word in words)
            fits = fits and any(word.endswith("grade.py") for word in words)
            return right() if fits else not_yet("It names no way to take grade.py alone from `released`.")
        return _tried(desk, words)


def _tried(desk: Shell, words: list[str]) -> Outcome:
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


# --- 2: bytes that are checked ---------------------------------------------------------------------------


Cache = dict[str, bytes]
WHOLE, OTHER = b"crate,grade\nc1,juice\n", b"crate,grade\nc2,table\n"


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _judge_take(answer: object, seed: int) -> Outcome:
    """Judge `take(cache, name)`: whole bytes come back, rotten ones raise ValueError, the cache stays."""
    if not callable(answer):
        return no_function(answer)
    cases = {"whole": WHOLE, "whole, and no text": b"\xff\x00\xfe", "whole, and none at all": b""}
    for about, data in cases.items():
        found = _whole(answer, about, data)
        if found is not None:
            return found
    flipped, short = OTHER.replace(b"t", b"u", 1), OTHER[:-1]
    rotten = {"rotten": flipped, "cut off": short, "those of another name": WHOLE}
    for about, data in rotten.items():
        found = _rotten(answer, about, {_name(WHOLE): WHOLE, _name(OTHER): data})
        if found is not None:
            return found
    return right()


def _whole(take: Callable[..., object], about: str, data: bytes) -> Outcome | None:
    cache = {_name(data): data, _name(OTHER): OTHER}
    before = dict(cache)
    got = called(take, f"bytes that are {about}", cache, _name(data))
    if isinstance(got, Outcome):
        return got
    if not isinstance(got, (bytes, bytearray, memoryview)):
        kind = "nothing" if got is None else a_kind(got)
        return not_yet(f"For bytes that are {about} your function returned {kind}, not the bytes.")
    if bytes(got) != data:
        return not_yet(
            f"For bytes that are {about} your function returned other bytes than it was asked for."
        )
    return None if cache == before else not_yet("Your function changed the cache: only read from it.")


def _rotten(take: Callable[..., object], about: str, cache: Cache) -> Outcome | None:
    try:
        got = take(cache, _name(OTHER))
    except ValueError:
        return None
    except Exception as error:  # noqa: BLE001  as above
        kind = type(error).__name__
        return not_yet(f"For bytes that are {about} your function stopped by {kind}: raise ValueError.")
    if got is None:
        return not_yet(
            f"For bytes that are {about} your function returned nothing and did not stop: raise an error."
        )
    if not isinstance(got, bytes):
        return not_yet(f"For bytes that are {about} your function returned {a_kind(got)}: raise ValueError.")
    return not_yet(
        f"For bytes that are {about} your function returned bytes as if they were whole: "
        "make the name anew from them, and compare."
    )


# --- 3: pieces that are hit ------------------------------------------------------------------------------


def _touched(pieces: int, edits: int) -> float:
    return 1.0 - (1 - 1 / pieces) ** edits


_HIT_MISTAKES = (
    Mistake(
        lambda pieces, edits: (1 - 1 / pieces) ** edits,
        "that is the share that *no* edit hits.",
    ),
    Mistake(
        lambda pieces, edits: edits / pieces,
        "that counts a piece twice that was hit twice.",
    ),
    Mistake(
        lambda pieces, edits: min(1.0, edits / pieces),
        "that lets each edit hit a piece of its own, until none is left.",
    ),
)


def _hit_trials(seed: int) -> list[Trial]:
    asked = {
        (85, 0): "85 pieces and no edit",
        (1, 1): "one piece and one edit",
        (1000, 10): "1,000 pieces and 10 edits",
        (85, 100): "85 pieces and 100 edits",
        (50, 1000): "50 pieces and 1,000 edits",
    }
    return [Trial(pair, _touched(*pair), about) for pair, about in asked.items()]


# --- 4: the pointer --------------------------------------------------------------------------------------

_FILES = {
    "crates.csv": "is the data themselves: Git is told to ignore them.",
    "dvc.yaml": "describes the stages of a pipeline: there is none here.",
    "dvc.lock": "belongs to a pipeline: there is none here.",
    ".gitignore": "has not changed: it ignored the table from the start.",
    ".dvc/cache": "is the cache: its bytes travel by `dvc push`.",
    ".dvc/config": "names the remote, and was committed before.",
}


def _judge_pointer(answer: object, seed: int) -> Outcome:
    if isinstance(answer, (str, os.PathLike)):
        names = [os.fspath(answer)]
    elif isinstance(answer, (list, tuple, set)):
        names = [str(name) for name in answer]
    else:
        return not_yet(f"Your answer is {a_kind(answer)}: write a file's name, in quotes.")
    names = [str(name).strip().removeprefix("git add ").removeprefix("./").rstrip("/") for name in names]
    for name in names:
        if name != "crates.csv.dvc" and not (name == ".gitignore" and len(names) > 1):
            return not_yet(
                f"Your answer {name!r} {_FILES.get(name, 'is none of the files that have changed.')}"
            )
    return right() if "crates.csv.dvc" in names else not_yet("Your answer names no file.")


# --- 5: lineage, all the way back ------------------------------------------------------------------------


def _direct(edges: pd.DataFrame, ref: str) -> set[str]:
    return set(edges.loc[edges["made"] == ref, "source"])


def _rests_on(edges: pd.DataFrame, ref: str) -> set[str]:
    direct = _direct(edges, ref)
    return direct.union(*(_rests_on(edges, source) for source in direct))


_LINEAGE_MISTAKES = (
    Mistake(_direct, "those are the direct sources alone. What do they rest on?"),
    Mistake(
        lambda edges, ref: _rests_on(edges, ref) | {ref}, "a version does not rest on itself: leave it out."
    ),
    Mistake(
        lambda edges, ref: set(edges.loc[edges["source"] == ref, "made"]),
        "those are made *of* it. What was it made of?",
    ),
    Mistake(
        lambda edges, ref: _rests_on(edges.rename(columns={"made": "source", "source": "made"}), ref),
        "all of those rest on it. What does it rest on?",
    ),
)


def _lineage_trials(seed: int) -> list[Trial]:
    """Tables of what was made from what, a version, and all that it rests on."""
    import pandas as pd

    def edges(*pairs: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame(list(pairs), columns=["made", "source"])

    chain = edges(*((f"table@{n + 1}", f"table@{n}") for n in range(1, 6)))
    diamond = edges(
        ("model@1", "left@1"),
        ("model@1", "right@1"),
        ("left@1", "raw@1"),
        ("right@1", "raw@1"),
        ("b@1", "c@1"),
    )
    long = edges(*((f"step@{n + 1}", f"step@{n}") for n in (7, 2, 10, 5, 11, 1, 8, 3, 6, 9, 4)))
    return [
        Trial((chain, "table@1"), set(), "a version that rests on nothing"),
        Trial((chain, "table@2"), {"table@1"}, "one step back"),
        Trial((chain, "table@6"), {f"table@{n}" for n in range(1, 6)}, "five steps back"),
        Trial((diamond, "model@1"), {"left@1", "right@1", "raw@1"}, "two ways back to one source"),
        Trial((diamond, "b@1"), {"c@1"}, "a version beside others"),
        Trial((long, "step@12"), {f"step@{n}" for n in range(1, 12)}, "eleven steps back, in any order"),
    ]


# --- 6: rot that nobody saw ------------------------------------------------------------------------------


@lru_cache(maxsize=4)
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


EXERCISES = (
    Exercise(
        id="versioning.1",
        question="Which command takes grade.py alone from the tag `released`, and leaves all else as it is?",
        judge=_judge_command,
        hints=(
            "`git checkout released` takes everything back. How could you tell it which file you mean?",
            "After the tag, two dashes part what is a version from what is a file: `... released -- ...`.",
            "The verb is `checkout`, then the tag, then `--`, then the name of the file.",
        ),
    ),
    Exercise(
        id="versioning.2",
        question="Write take(cache, name): the bytes under a name, or ValueError if they no longer fit it.",
        judge=_judge_take,
        hints=(
            "How was the name made? What would come out if you made it again from the bytes you found?",
            "`hashlib.sha256(data).hexdigest()` is the name that these bytes must have.",
            "Take `data = cache[name]`, compare its hash with `name`, and raise ValueError if they differ.",
        ),
    ),
    Exercise(
        id="versioning.3",
        question="Write touched(pieces, edits): the share of pieces that edits at random places hit.",
        judge=FunctionJudge(_hit_trials, _HIT_MISTAKES),
        hints=(
            "Look at one piece. One edit misses it with a chance of 1 - 1 / pieces. And all of them?",
            "Edits do not know of each other, so their chances of missing the piece multiply.",
            "The piece is missed by all with the chance `(1 - 1 / pieces) ** edits`. You want the rest.",
        ),
    ),
    Exercise(
        id="versioning.4",
        question="Which file must be committed to Git after `dvc add` and `dvc push`?",
        judge=_judge_pointer,
        hints=(
            "Which file tells the colleague's DVC what to fetch?",
            "It is small, Git does not ignore it, and `dvc add` has just rewritten it.",
            "It is the pointer: the table's name, with the tool's name as its ending.",
        ),
    ),
    Exercise(
        id="versioning.5",
        question="Write rests_on(edges, ref): everything that a version rests on, directly or not.",
        judge=FunctionJudge(_lineage_trials, _LINEAGE_MISTAKES),
        hints=(
            "The sources of one version are one lookup away. What must be looked up next?",
            "Keep what was found, and what still waits to be looked up. Go on until nothing waits.",
            'One step is `set(edges.loc[edges["made"] == ref, "source"])`; do it for each new source.',
        ),
    ),
    Exercise(
        id="versioning.6",
        question="How many crates did the experts find spoiled that the graders had not?",
        judge=whole_number(_rot, mistakes=_rot_mistakes, what="number of crates", far="is not that number"),
        hints=(
            "Rows of `changes.labels` are grades before, columns are grades after. Where is *spoiled after*?",
            'The column `changes.labels["spoiled"]` holds one number for each grade before.',
            "Add up that column with `.sum()`.",
        ),
    ),
    Exercise(
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
    ),
)
