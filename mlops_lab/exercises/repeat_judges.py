"""The judges of lesson 05's functions: each is called on cases beyond the lesson's own tables.

`checks/reproducibility.py` holds the questions, the hints and typical wrong answers.
"""

from __future__ import annotations

import math
import random
from functools import partial
from typing import Any

import numpy as np

from mlops_lab.exercises import Outcome, not_yet, right, told
from mlops_lab.exercises.judging import Case, function, read_number
from mlops_lab.report import shown

__all__ = ["honest", "judge_columns", "judge_pairs", "judge_score", "judge_total", "peeking", "wrong_pairs"]

_ROWS, _FOLD = 85, 17


def _called(answer: Any, about: str, *given: object) -> Any:
    """Call a student's function; an Outcome is why there is no result."""
    if not callable(answer):
        return not_yet(f"Your answer is a {type(answer).__name__}: give the function, without brackets.")
    try:
        got = answer(*given)
    except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
        return not_yet(f"For {about} your function stopped: {told(error)}.")
    if got is None:
        return not_yet(f"For {about} your function returned None: does it end with `return ...`?")
    return got


def _number(answer: Any, about: str, *given: object) -> float | Outcome:
    """Call a student's function that must return one number."""
    got = _called(answer, about, *given)
    value = got if isinstance(got, Outcome) else read_number(got)
    if isinstance(value, Outcome) and value is not got:
        found = f"the text {got!r}" if isinstance(got, str) else f"a {type(got).__name__}"
        return not_yet(f"For {about} your function returned {found}: one number is asked for.")
    return value


# --- a total without an order -----------------------------------------------------------------------------


def _lists(seed: int) -> dict[str, list[float]]:
    rng = random.Random(seed)
    huge = [rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30) for _ in range(100)]
    return {
        "a thousand numbers between 0 and 1": [rng.random() for _ in range(1000)],
        "numbers of very different size": [rng.uniform(-1, 1) * 10 ** rng.randint(-8, 8) for _ in range(400)],
        "numbers of which some come twice": [0.1, 0.7, 0.3] * 20 + [rng.random() for _ in range(100)],
        "1, and a large number with its opposite": [1.0, 2.0**53, -(2.0**53)],
        "numbers from 1e-30 to 1e30 that cancel": [*huge, *(-each for each in huge), 0.1, 0.2, 0.3],
        "very small numbers": [rng.random() * 1e-12 for _ in range(300)],
        "no numbers at all": [],
    }


def judge_total(answer: object, seed: int) -> Outcome:
    """Judge a sum: right on every list, and the same bits in each of many orders."""
    rng = random.Random(seed)
    for about, values in _lists(seed).items():
        found = set()
        for _ in range(12):
            total = _number(answer, about, list(values))
            if isinstance(total, Outcome):
                return total
            found.add(total)
            rng.shuffle(values)
        true, slack = math.fsum(values), 1e-9 * sum(map(abs, values))
        if not all(abs(each - true) <= slack for each in found):
            return not_yet(f"For {about} your function does not return their sum.")
        if len(found) > 1:
            return not_yet(f"For {about} your function gave {len(found)} totals in 12 orders.")
    return right("One rounding at the end, or one fixed order: both make the order of the list vanish.")


# --- columns without a hash -------------------------------------------------------------------------------


class _Name(str):
    """A name with the hash that it would have in another process."""

    process: int

    def __new__(cls, word: str, process: int) -> _Name:
        made = super().__new__(cls, word)
        made.process = process
        return made

    def __hash__(self) -> int:
        return hash((self.process, str(self)))


_COLUMNS = {
    "six names": ("colour", "sugar", "firmness", "blemish", "nir", "weight"),
    "names that differ in capitals or in one digit": tuple(
        f"{word}_{k}" for word in ("nir", "NIR", "size") for k in range(12)
    ),
    "one name": ("nir",),
    "no names at all": (),
}


def judge_columns(answer: object, seed: int) -> Outcome:
    """Judge a list of column names: each once, in an order that the names alone decide."""
    rng = random.Random(seed)
    for about, words in _COLUMNS.items():
        found = set()
        for process in range(24):
            kind = (list, tuple, set, frozenset)[process % 4]
            names = [_Name(word, process // 4) for word in words]
            rng.shuffle(names)
            got = _called(answer, about, kind([*names, *names[:1], *names[3:4]]))
            problem = _no_columns(got, about, words)
            if problem:
                return problem
            found.add(tuple(map(str, got)))
        if len(found) > 1:
            return not_yet(f"For {about} your function returns another order when they come in another one.")
    return right("The names decide their order, and no hash does.")


def _no_columns(got: Any, about: str, words: tuple[str, ...]) -> Outcome | None:
    if isinstance(got, Outcome):
        return got
    if not isinstance(got, (list, tuple)):
        return not_yet(f"For {about} your function returned a {type(got).__name__}: a list is asked for.")
    plain = [str(name) for name in got]
    if len(set(plain)) < len(plain):
        return not_yet(f"For {about} your function returns a name twice: duplicates must go.")
    if set(plain) != set(words):
        return not_yet(f"For {about} your function loses or adds names: each must be there once.")
    return None


# --- how often one run is wrong ---------------------------------------------------------------------------


def wrong_pairs(one: Any, other: Any) -> float:
    """Give the share of pairs, a run of each, that name the one with the lower mean, or neither."""
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    better, worse = (one, other) if one.mean() >= other.mean() else (other, one)
    return float((better[:, None] <= worse[None, :]).mean())


def _pair_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng([seed, 5])
    near, far = rng.normal(0.80, 0.01, 20), rng.normal(0.79, 0.01, 20)
    clear, tied = np.array([0.9, 0.91, 0.92]), np.array([0.8, 0.9, 0.9])
    steady, torn = np.array([0.82, 0.82, 0.82, 0.84]), np.array([0.5, 0.9, 0.9, 0.9])
    cases = {
        "twenty scores each, the first a little better": (near, far),
        "the same scores, the second a little better": (far, near),
        "scores of which two pairs are equal": (clear, tied),
        "a winner by the mean whose single runs mostly lose": (steady, torn),
    }
    return [Case(pair, wrong_pairs(*pair), about) for about, pair in cases.items()]


def judge_pairs(answer: object, seed: int) -> Outcome:
    """Judge a share of pairs of runs, and know the usual other shares when it sees them."""
    found = function(_pair_cases)(answer, seed)
    if found.state == "right" or not callable(answer):
        return found
    case = _pair_cases(seed)[0]
    one, other = case.arguments
    got, true, by_seed = (
        _number(answer, case.about, one, other),
        wrong_pairs(one, other),
        _by_seed(one, other),
    )
    for value, said in (
        (1 - true, "is the share of pairs that name the right one."),
        (100 * true, "is in percent."),
        (400 * true, "is a number of pairs: divide it by that of all pairs."),
        (by_seed, "compares seed by seed: any run of the one may meet any of the other."),
    ):
        if not isinstance(got, Outcome) and math.isclose(got, value, abs_tol=1e-9):
            return not_yet(f"For {case.about} your function returned {shown(got)}: that {said}")
    return found


def _by_seed(one: Any, other: Any) -> float:
    """Give the share of single seeds that name the one with the lower mean, or neither."""
    better, worse = (one, other) if one.mean() >= other.mean() else (other, one)
    return float((better <= worse).mean())


# --- an honest score --------------------------------------------------------------------------------------


def _scored(table: Any, labels: Any, *, peek: bool) -> float:
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    choose, model = SelectKBest(k=20), LogisticRegression()
    if peek:
        return float(cross_val_score(model, choose.fit_transform(table, labels), labels, cv=5).mean())
    return float(cross_val_score(make_pipeline(choose, model), table, labels, cv=5).mean())


honest, peeking = partial(_scored, peek=False), partial(_scored, peek=True)


def _together(rng: np.random.Generator, labels: Any) -> Any:
    """Hide twenty columns that tell the labels together, but no ten of them, among columns of large noise."""
    blur = rng.normal(size=(len(labels), 1))
    table = 30 * rng.normal(size=(len(labels), 240))
    strong, weak = blur + 1.6 * labels[:, None], blur + 0.8 * labels[:, None]
    table[:, :10] = strong + 0.05 * rng.normal(size=(len(labels), 10))
    table[:, 10:20] = weak + 0.05 * rng.normal(size=(len(labels), 10))
    return table[:, rng.permutation(240)]


def _from_folds(scores: list[float]) -> bool:
    """Tell whether all can be means over five folds (even repeated, or rounded), and not of a single part."""

    def whole(rows: int, slack: float) -> bool:
        return all(abs(score * rows - round(score * rows)) < slack for score in scores)

    repeated = any(whole(_ROWS * repeats, 1e-6) for repeats in range(1, 11))
    return (repeated or whole(2 * _ROWS, 0.09)) and not whole(_FOLD, 0.01)


def judge_score(answer: object, seed: int) -> Outcome:
    """Judge a score: near one half on chance, high where twenty columns tell the label."""
    rng = np.random.default_rng([seed, 6])
    labels = [rng.permutation([0, 1] * 43)[:_ROWS] for _ in range(6)] + [rng.permutation([0, 1] * _ROWS)]
    tables = [rng.normal(size=(_ROWS, 1500)) for _ in range(6)] + [_together(rng, labels[6])]
    scores = []
    for table, marks in zip(tables, labels, strict=True):
        score = _number(
            answer, f"{len(table)} rows and {table.shape[1]:,} columns", table.copy(), marks.copy()
        )
        if isinstance(score, Outcome):
            return score
        if not 0 <= score <= 1:
            return not_yet(f"Your function returned {shown(score)}: an accuracy is a share, from 0 to 1.")
        scores.append(score)
    luck, found = float(np.mean(scores[:-1])), scores[-1]
    on_chance = f"On columns of pure chance it scores {luck:.2f}"
    if luck > 0.9:
        return not_yet(f"{on_chance}: it is examined on what it has learned.")
    if not _from_folds(scores):
        return not_yet(
            f"On {_ROWS} rows your function returned {shown(scores[0])}. That does not look like the mean "
            f"accuracy of 5 folds of {_FOLD} rows each: is each row examined once, are all folds averaged?"
        )
    if luck > 0.6:
        return not_yet(f"{on_chance}: something has seen the exam's labels.")
    if luck < 0.35:
        return not_yet(f"{on_chance}: that is below a coin toss.")
    if found < 0.87:
        return not_yet(
            f"Where twenty columns together tell the label it scores only {found:.2f}: does it learn, and "
            "from the 20 best columns?"
        )
    return right(f"{on_chance}, and {found:.2f} where there is something to find.")
