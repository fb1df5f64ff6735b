"""Lesson 05's exercises: flips, sums and columns without an order, seeds, an honest score, a recipe."""

from __future__ import annotations

import math
import random
from functools import lru_cache
from typing import Any

import numpy as np

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right, told
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    called,
    called_number,
    number,
    whole_number,
)
from mlops_lab.report import shown

__all__ = ["EXERCISES"]


# --- flips -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _trained(seed: int) -> tuple[float, float, float]:
    """The flips between first weights 0 and 1, and the accuracies of both."""
    from mlops_lab import reproducibility, worlds

    orchard, names = worlds.Orchard(seed=seed), list(worlds.FEATURES)
    crates, exam = orchard.archive(1000), orchard.sample(2000, range(4), purpose="exam")
    x, y, exam_x = crates.crates[names].to_numpy(), crates.labels.to_numpy(), exam.crates[names].to_numpy()
    one, other = (reproducibility.train(x, y, init=init).predict(exam_x) for init in (0, 1))
    truth = exam.truth.to_numpy()
    return float((one != other).mean()), float((one == truth).mean()), float((other == truth).mean())


def _flips(seed: int) -> float:
    return _trained(seed)[0]


def _flip_mistakes(seed: int) -> list[Mistake]:
    flips, one, other = _trained(seed)
    return [
        Mistake(1 - flips, "is the share of crates that keep their grade."),
        Mistake(flips * 2000, "is a number of crates: divide by all 2,000."),
        Mistake(abs(one - other), "is the difference of the accuracies: compare the grades, crate by crate."),
        Mistake(
            -abs(one - other), "is the difference of the accuracies: compare the grades, crate by crate."
        ),
        *(Mistake(each, "is an accuracy: compare the two with each other.") for each in (one, other)),
        *(
            Mistake(1 - each, "is a share of wrong grades: compare the two, not with the truth.")
            for each in (one, other)
        ),
    ]


# --- a total without an order ----------------------------------------------------------------------------


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


def _judge_total(answer: object, seed: int) -> Outcome:
    """Judge a sum: right on every list, and the same bits in each of many orders."""
    rng = random.Random(seed)
    for about, values in _lists(seed).items():
        found = set()
        for _ in range(12):
            total = called_number(answer, about, list(values))
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


# --- columns without a hash ------------------------------------------------------------------------------


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


def _judge_columns(answer: object, seed: int) -> Outcome:
    """Judge a list of column names: each once, in an order that the names alone decide."""
    rng = random.Random(seed)
    for about, words in _COLUMNS.items():
        found = set()
        for process in range(24):
            kind = (list, tuple, set, frozenset)[process % 4]
            names = [_Name(word, process // 4) for word in words]
            rng.shuffle(names)
            got = called(answer, about, kind([*names, *names[:1], *names[3:4]]))
            got = got.tolist() if hasattr(got, "tolist") else got
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
        kind = "None" if got is None else a_kind(got)
        return not_yet(f"For {about} your function returned {kind}: a list is asked for.")
    plain = [str(name) for name in got]
    if len(set(plain)) < len(plain):
        return not_yet(f"For {about} your function returns a name twice: duplicates must go.")
    if set(plain) != set(words):
        return not_yet(f"For {about} your function loses or adds names: each must be there once.")
    return None


# --- how often one run is wrong --------------------------------------------------------------------------


def wrong_pairs(one: Any, other: Any) -> float:
    """Give the share of pairs, a run of each, that name the one with the lower mean, or neither."""
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    better, worse = (one, other) if one.mean() >= other.mean() else (other, one)
    return float((better[:, None] <= worse[None, :]).mean())


def _by_seed(one: Any, other: Any) -> float:
    """Give the share of single seeds that name the one with the lower mean, or neither."""
    better, worse = (one, other) if one.mean() >= other.mean() else (other, one)
    return float((better <= worse).mean())


_SEED_BY_SEED = "that compares seed by seed: any run of the one may meet any of the other."
_PAIR_MISTAKES = (
    Mistake(
        lambda one, other: 1 - wrong_pairs(one, other), "that is the share of pairs that name the right one."
    ),
    Mistake(
        lambda one, other: len(one) * len(other) * wrong_pairs(one, other),
        "that is a number of pairs: divide it by that of all pairs.",
    ),
    Mistake(_by_seed, _SEED_BY_SEED),
    Mistake(lambda one, other: (one <= other).mean(), _SEED_BY_SEED),
)


def _pair_trials(seed: int) -> list[Trial]:
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
    return [Trial(pair, wrong_pairs(*pair), about) for about, pair in cases.items()]


# --- an honest score -------------------------------------------------------------------------------------


_ROWS, _FOLD = 85, 17


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


def _judge_score(answer: object, seed: int) -> Outcome:
    """Judge a score: near one half on chance, high where twenty columns tell the label."""
    rng = np.random.default_rng([seed, 6])
    labels = [rng.permutation([0, 1] * 43)[:_ROWS] for _ in range(6)] + [rng.permutation([0, 1] * _ROWS)]
    tables = [rng.normal(size=(_ROWS, 1500)) for _ in range(6)] + [_together(rng, labels[6])]
    scores = []
    for table, marks in zip(tables, labels, strict=True):
        score = called_number(
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


# --- a recipe --------------------------------------------------------------------------------------------

_DOES = (("Imputer", "fills gaps"), ("Scaler", "scales the columns"), ("PCA", "reduces by PCA"))


def _wrong_steps(steps: list[Any]) -> str:
    """Say what is wrong with the kinds of steps or with their order, or give an empty text."""
    from sklearn.base import is_classifier

    kinds = [type(step).__name__ for step in steps]
    places = []
    for ending, does in _DOES:
        found = [place for place, kind in enumerate(kinds) if kind.endswith(ending)]
        if not found:
            return f"Your recipe has the steps {', '.join(kinds)}: none of them {does}."
        places.append(found[0])
    fill, scale, reduce = places
    if not hasattr(steps[-1], "predict"):
        return f"Your recipe ends with {kinds[-1]}, which predicts nothing: a model comes last."
    if not is_classifier(steps[-1]):
        return f"Your recipe ends with {kinds[-1]}, which does not classify: a classifier comes last."
    if reduce < scale:
        return "Your recipe reduces before it scales: one column of large numbers drowns the others."
    if scale < fill:
        return "Your recipe scales before it fills: the gaps are there while it measures the spread."
    if steps[reduce].n_components != 2:
        return "Your recipe does not reduce to two columns."
    return ""


def _judge_recipe(answer: object, seed: int) -> Outcome:
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    from mlops_lab import reproducibility, worlds

    if isinstance(answer, dict):
        return not_yet("Your answer is a dict of steps: put it into reproducibility.Recipe(...).")
    try:
        recipe = reproducibility.Recipe.read(answer) if isinstance(answer, str) else answer
        made: Any = recipe.build() if isinstance(recipe, reproducibility.Recipe) else recipe
    except Exception as error:  # noqa: BLE001  a recipe can name anything, and what fails is told
        return not_yet(f"Your recipe cannot be built: {told(error)}.")
    if not hasattr(made, "named_steps"):
        return not_yet(f"Your answer is {a_kind(answer)}: a Recipe is asked for.")
    problem = _wrong_steps([step for _, step in made.steps])
    if problem:
        return not_yet(problem)
    wine = worlds.real("wine")
    table = wine.data.to_numpy(dtype=float).copy()
    table[np.random.default_rng(seed).random(table.shape) < 0.02] = np.nan
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    try:
        accuracy = cross_val_score(clone(made), table, wine.target, cv=folds, error_score="raise").mean()
    except Exception as error:  # noqa: BLE001  as above
        return not_yet(f"On the wine's table your recipe stopped: {told(error)}.")
    tells = f"With gaps in the wine's table it is right {accuracy:.0%} of the time"
    return right(f"{tells}.") if accuracy >= 0.85 else not_yet(f"{tells}: that is too little.")


EXERCISES = (
    Exercise(
        id="reproducibility.1",
        question="Which share of the exam's crates do two networks of other first weights grade differently?",
        judge=number(_flips, within=0.0011, fraction=True, mistakes=_flip_mistakes, far="is not that share"),
        hints=(
            "Which grade does each of the two networks give to the first crate of the exam?",
            "`first.predict(exam_x)` and `other.predict(exam_x)` are arrays: compare them with `!=`.",
            "The share of what is True is its mean: `(... != ...).mean()`.",
        ),
    ),
    Exercise(
        id="reproducibility.2",
        question="Write a function that sums a list of floats to the same bits in whatever order it comes.",
        judge=_judge_total,
        hints=(
            "What changes when the list comes in another order: the numbers, or where they are rounded?",
            "Either never round on the way, or always add in one and the same order.",
            "`math.fsum(values)` rounds once. Or sort the values first, and add them then.",
        ),
    ),
    Exercise(
        id="reproducibility.3",
        question="Write a function that returns each column name once, in the same order in every process.",
        judge=_judge_columns,
        hints=(
            "What decides the order in which a set hands out its members?",
            "The order must follow from the names themselves. Which order do words have in a dictionary?",
            "Drop duplicates with `set(...)`, and then put what is left in order with `sorted(...)`.",
        ),
    ),
    Exercise(
        id="reproducibility.4",
        question="Write a function that returns the share of pairs of runs that name a wrong winner or none.",
        judge=FunctionJudge(_pair_trials, _PAIR_MISTAKES),
        hints=(
            "How many pairs are there, if any run of the one may meet any run of the other?",
            "First find who has the higher mean. `one[:, None]` against `other[None, :]` makes all pairs.",
            "With `better` and `worse` by their means: `(better[:, None] <= worse[None, :]).mean()`.",
        ),
    ),
    Exercise(
        id="reproducibility.5",
        question="How many seeds at least, so that an interval reaches 0.003 or less to either side?",
        judge=whole_number(
            lambda seed: 64,
            what="number of seeds",
            mistakes=lambda seed: [
                Mistake(8, "is the square root: the interval shrinks with the root of the number of seeds."),
                Mistake(16, "leaves out the 2 in front."),
                Mistake(32, "squares too little: square all of `2 x 0.012 / 0.003`."),
                Mistake(63, "is one too few."),
                Mistake(65, "is enough, and so is one fewer."),
            ],
            far="is not the fewest",
        ),
        hints=(
            "Which equation must `n` fulfil?",
            "Solve `2 x 0.012 / sqrt(n) = 0.003` for `sqrt(n)` first.",
            "`n` is the square of `2 * 0.012 / 0.003`.",
        ),
    ),
    Exercise(
        id="reproducibility.6",
        question="Write a function that scores the 20 best columns and a model by folds, without a leak.",
        judge=_judge_score,
        hints=(
            "Which rows may the choice of the columns look at, in each fold?",
            "A `Pipeline` is trained anew in each fold, on training rows alone: choose the columns in it.",
            "Give `make_pipeline(SelectKBest(k=20), LogisticRegression())` to `cross_val_score(..., cv=5)`.",
        ),
    ),
    Exercise(
        id="reproducibility.7",
        question="Give a recipe that fills gaps, scales, reduces to two columns, and classifies.",
        judge=_judge_recipe,
        hints=(
            "Which of the steps cannot stand a missing value?",
            'Its dict begins with `"fill": reproducibility.Step("sklearn.impute.SimpleImputer")`.',
            "`**steps` puts all of the steps, in their order, behind the new one in the same dict.",
        ),
    ),
)
