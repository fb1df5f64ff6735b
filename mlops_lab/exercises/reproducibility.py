"""Lesson 05's exercises: flips, sums and columns without an order, seeds, an honest score, a recipe."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from mlops_lab.exercises import Outcome, Rule, not_yet, right
from mlops_lab.exercises.judging import Mistake, number, whole_number
from mlops_lab.exercises.repeat_judges import (
    honest,
    judge_columns,
    judge_pairs,
    judge_score,
    judge_total,
    peeking,
    wrong_pairs,
)
from mlops_lab.worlds import FEATURES

__all__ = ["RULES"]


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


def _recipe(answer: object, seed: int) -> Outcome:
    import numpy as np
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    from mlops_lab import reproducibility, worlds

    if isinstance(answer, str):
        answer = reproducibility.Recipe.read(answer)
    if isinstance(answer, dict):
        return not_yet("Your answer is a dict of steps: put it into reproducibility.Recipe(...).")
    made: Any = answer.build() if isinstance(answer, reproducibility.Recipe) else answer
    if not hasattr(made, "named_steps"):
        return not_yet(f"Your answer is a {type(answer).__name__}: a Recipe is asked for.")
    problem = _wrong_steps([step for _, step in made.steps])
    if problem:
        return not_yet(problem)
    wine = worlds.real("wine")
    table = wine.data.to_numpy(dtype=float).copy()
    table[np.random.default_rng(seed).random(table.shape) < 0.02] = np.nan
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    accuracy = cross_val_score(clone(made), table, wine.target, cv=folds, error_score="raise").mean()
    tells = f"With gaps in the wine's table it is right {accuracy:.0%} of the time"
    return right(f"{tells}.") if accuracy >= 0.85 else not_yet(f"{tells}: that is too little.")


def _steps(*names: str) -> dict[str, Any]:
    from mlops_lab.reproducibility import Step

    known = {
        "fill": Step("sklearn.impute.SimpleImputer"),
        "scale": Step("sklearn.preprocessing.StandardScaler"),
        "reduce": Step("sklearn.decomposition.PCA", {"n_components": 2}),
        "model": Step("sklearn.linear_model.LogisticRegression"),
        "nearest fill": Step("sklearn.impute.KNNImputer"),
        "stretch": Step("sklearn.preprocessing.MinMaxScaler"),
        "regression": Step("sklearn.linear_model.LinearRegression"),
    }
    return {name: known[name] for name in names}


def _made(*names: str) -> Any:
    from mlops_lab.reproducibility import Recipe

    return Recipe(_steps(*names))


def _running(values: list[float]) -> float:
    """Add one after the other; Python's own sum repairs some of its rounding from release 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total


def _folds(k: Any, table: Any, labels: Any, cv: int = 5) -> Any:
    """Score each fold of a pipeline that chooses columns and learns."""
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(SelectKBest(k=k), LogisticRegression())
    return cross_val_score(model, table, labels, cv=cv)


RULES = (
    Rule(
        id="reproducibility.1",
        question="Which share of the exam's crates do two networks of other first weights grade differently?",
        judge=number(_flips, within=0.0011, fraction=True, mistakes=_flip_mistakes, far="is not that share"),
        hints=(
            "Which grade does each of the two networks give to the first crate of the exam?",
            "`first.predict(exam_x)` and `other.predict(exam_x)` are arrays: compare them with `!=`.",
            "The share of what is True is its mean: `(... != ...).mean()`.",
        ),
        right=lambda seed: [_flips(seed), round(_flips(seed), 3), [_flips(seed)]],
        wrong=lambda seed: [
            (1 - _flips(seed), "keep their grade"),
            (_flips(seed) * 2000, "number of crates"),
            (_trained(seed)[1], "is an accuracy"),
            (100 * _flips(seed), "in percent"),
        ],
    ),
    Rule(
        id="reproducibility.2",
        question="Write a function that sums a list of floats to the same bits in whatever order it comes.",
        judge=judge_total,
        hints=(
            "What changes when the list comes in another order: the numbers, or where they are rounded?",
            "Either never round on the way, or always add in one and the same order.",
            "`math.fsum(values)` rounds once. Or sort the values first, and add them then.",
        ),
        right=lambda seed: [
            math.fsum,
            lambda values: sum(sorted(values)),
            lambda values: math.fsum(sorted(values)),
        ],
        wrong=lambda seed: [
            (_running, "totals in 12 orders"),
            (lambda values: round(_running(values), 1), "does not return their sum"),
            (lambda values: _running(values) / (len(values) - len(values)), "ZeroDivisionError"),
            (lambda values: None, "returned None"),
            (lambda values: math.fsum(set(values)), "some come twice your function does not"),
            (lambda values: _running(sorted(values, key=abs)), "with its opposite"),
            (lambda values: round(math.fsum(values), 6), "does not return their sum"),
            (lambda values: "0.5", "the text '0.5'"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.3",
        question="Write a function that returns each column name once, in the same order in every process.",
        judge=judge_columns,
        hints=(
            "What decides the order in which a set hands out its members?",
            "The order must follow from the names themselves. Which order do words have in a dictionary?",
            "Drop duplicates with `set(...)`, and then put what is left in order with `sorted(...)`.",
        ),
        right=lambda seed: [
            lambda names: sorted(set(names)),
            lambda names: tuple(sorted(dict.fromkeys(names))),
            lambda names: sorted(set(names), reverse=True),
        ],
        wrong=lambda seed: [
            (lambda names: list(set(names)), "another order"),
            (lambda names: list(dict.fromkeys(names)), "another order"),
            (sorted, "name twice"),
            (lambda names: set(names), "a list is asked for"),
            (lambda names: sorted(set(names))[:3], "loses or adds"),
            (lambda names: list(FEATURES), "loses or adds"),
            (lambda names: sorted(set(names), key=lambda name: name[0]), "in capitals"),
            (lambda names: sorted(set(names), key=str.lower), "in capitals"),
            (lambda names: list({str(name) for name in names}), "another order"),
            (lambda names: list(names).sort(), "returned None"),
            (["colour"], "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.4",
        question="Write a function that returns the share of pairs of runs that name a wrong winner or none.",
        judge=judge_pairs,
        hints=(
            "How many pairs are there, if any run of the one may meet any run of the other?",
            "First find who has the higher mean. `one[:, None]` against `other[None, :]` makes all pairs.",
            "With `better` and `worse` by their means: `(better[:, None] <= worse[None, :]).mean()`.",
        ),
        right=lambda seed: [
            wrong_pairs,
            lambda one, other: wrong_pairs(other, one),
            lambda one, other: wrong_pairs(list(one), list(other)),
        ],
        wrong=lambda seed: [
            (lambda one, other: (one <= other).mean(), "seed by seed"),
            (lambda one, other: (one[:, None] <= other[None, :]).mean(), "the second a little better"),
            (lambda one, other: wrong_pairs(one + 1e-9 * (one.mean() > other.mean()), other), "are equal"),
            (lambda one, other: 1 - wrong_pairs(one, other), "name the right one"),
            (lambda one, other: 100 * wrong_pairs(one, other), "in percent"),
            (lambda one, other: min(wrong_pairs(one, other), 1 - wrong_pairs(one, other)), "mostly lose"),
            (lambda one, other: None, "returned None"),
            (0.2, "without brackets"),
        ],
    ),
    Rule(
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
        right=lambda seed: [64, 64.0, [64]],
        wrong=lambda seed: [
            (8, "square root"),
            (16, "leaves out the 2"),
            (32, "squares too little"),
            (63, "one too few"),
            (65, "so is one fewer"),
        ],
    ),
    Rule(
        id="reproducibility.6",
        question="Write a function that scores the 20 best columns and a model by folds, without a leak.",
        judge=judge_score,
        hints=(
            "Which rows may the choice of the columns look at, in each fold?",
            "A `Pipeline` is trained anew in each fold, on training rows alone: choose the columns in it.",
            "Give `make_pipeline(SelectKBest(k=20), LogisticRegression())` to `cross_val_score(..., cv=5)`.",
        ),
        right=lambda seed: [honest],
        wrong=lambda seed: [
            (peeking, "seen the exam"),
            (lambda table, labels: 1.0, "what it has learned"),
            (lambda table, labels: 0.5, "does it learn"),
            (lambda table, labels: None, "returned None"),
            (lambda table, labels: [0.5] * 5, "returned a list"),
            (lambda table, labels: 100 * honest(table, labels), "from 0 to 1"),
            (lambda table, labels: _folds(20, table, labels).max(), "are all folds averaged"),
            (lambda table, labels: _folds(20, table, labels, cv=3).mean(), "5 folds"),
            (lambda table, labels: _folds("all", table, labels).mean(), "20 best columns"),
            (lambda table, labels: _folds(10, table, labels).mean(), "20 best columns"),
            (lambda table: 0.5, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
        id="reproducibility.7",
        question="Give a recipe that fills gaps, scales, reduces to two columns, and classifies.",
        judge=_recipe,
        hints=(
            "Which of the steps cannot stand a missing value?",
            'Its dict begins with `"fill": reproducibility.Step("sklearn.impute.SimpleImputer")`.',
            "`**steps` puts all of the steps, in their order, behind the new one in the same dict.",
        ),
        right=lambda seed: [
            _made("fill", "scale", "reduce", "model"),
            _made("fill", "scale", "reduce", "model").text(),
            _made("fill", "scale", "reduce", "model").build(),
            _made("nearest fill", "stretch", "reduce", "model"),
        ],
        wrong=lambda seed: [
            (_made("scale", "reduce", "model"), "fills gaps"),
            (_made("scale", "fill", "reduce", "model"), "scales before it fills"),
            (_made("fill", "reduce", "scale", "model"), "reduces before it scales"),
            (_made("fill", "scale", "model"), "none of them reduces"),
            (_made("fill", "scale", "reduce"), "a model comes last"),
            (_made("fill", "scale", "reduce", "regression"), "does not classify"),
            (_steps("fill", "scale", "reduce", "model"), "put it into"),
            (["fill", "scale"], "a Recipe is asked for"),
        ],
    ),
)
