"""Lesson 05's judges beyond their own lists: every honest form is right, and the truth is the lesson's."""

import math
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
from exercise_answers import Answers, tried
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, RepeatedStratifiedKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline

from mlops_lab import exercises, reproducibility, worlds
from mlops_lab.exercises import reproducibility as lesson
from mlops_lab.worlds import FEATURES


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


ANSWERS = {
    "reproducibility.1": Answers(
        right=lambda seed: [lesson._flips(seed), round(lesson._flips(seed), 3), [lesson._flips(seed)]],
        wrong=lambda seed: [
            (1 - lesson._flips(seed), "keep their grade"),
            (lesson._flips(seed) * 2000, "number of crates"),
            (lesson._trained(seed)[1], "is an accuracy"),
            (100 * lesson._flips(seed), "in percent"),
        ],
    ),
    "reproducibility.2": Answers(
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
    "reproducibility.3": Answers(
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
    "reproducibility.4": Answers(
        right=lambda seed: [
            lesson.wrong_pairs,
            lambda one, other: lesson.wrong_pairs(other, one),
            lambda one, other: lesson.wrong_pairs(list(one), list(other)),
        ],
        wrong=lambda seed: [
            (lambda one, other: (one <= other).mean(), "seed by seed"),
            (lambda one, other: (one[:, None] <= other[None, :]).mean(), "the second a little better"),
            (
                lambda one, other: lesson.wrong_pairs(one + 1e-9 * (one.mean() > other.mean()), other),
                "are equal",
            ),
            (lambda one, other: 1 - lesson.wrong_pairs(one, other), "name the right one"),
            (lambda one, other: 100 * lesson.wrong_pairs(one, other), "in percent"),
            (
                lambda one, other: min(lesson.wrong_pairs(one, other), 1 - lesson.wrong_pairs(one, other)),
                "mostly lose",
            ),
            (lambda one, other: None, "returned None"),
            (0.2, "without brackets"),
        ],
    ),
    "reproducibility.5": Answers(
        right=lambda seed: [64, 64.0, [64]],
        wrong=lambda seed: [
            (8, "square root"),
            (16, "leaves out the 2"),
            (32, "squares too little"),
            (63, "one too few"),
            (65, "so is one fewer"),
        ],
        seeds=(0,),
    ),
    "reproducibility.6": Answers(
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
        seeds=(0,),
    ),
    "reproducibility.7": Answers(
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
}

test_answers = tried("reproducibility", ANSWERS)


def _judge(id, answer, seed=0):
    return exercises.find(f"reproducibility.{id}").outcome(answer, seed)


@pytest.mark.parametrize("seed", [0, 3])
def test_flips_are_counted_as_the_lesson_counts_them(seed):
    orchard, names = worlds.Orchard(seed=seed), list(worlds.FEATURES)
    crates, exam = orchard.archive(1000), orchard.sample(2000, range(4), purpose="exam")
    x, y, later = crates.crates[names].to_numpy(), crates.labels.to_numpy(), exam.crates[names].to_numpy()
    grades = [reproducibility.train(x, y, init=init).predict(later) for init in (0, 1)]
    changed = sum(a != b for a, b in zip(*grades, strict=True))
    assert _judge(1, changed / 2000, seed).state == "right"
    assert _judge(1, (changed + 3) / 2000, seed).state == "not yet"


def test_sums_that_fix_an_order_or_never_round_are_right():
    def doubled(values):
        """Neumaier's sum, on values in order of their size."""
        total = rest = 0.0
        for value in sorted(values, key=lambda one: (abs(one), one)):
            new = total + value
            rest += (total - new) + value if abs(total) >= abs(value) else (value - new) + total
            total = new
        return total + rest

    for answer in (math.fsum, doubled, lambda values: float(np.sum(np.sort(values)))):
        assert _judge(2, answer).state == "right"
    for answer in (
        np.sum,
        lambda values: sum(values[::-1]) if sys.version_info < (3, 12) else np.sum(values),
    ):
        assert "orders" in _judge(2, answer).message


@pytest.mark.slow
def test_columns_by_a_set_are_refused_whatever_the_hash_seed():
    code = (
        "from mlops_lab import exercises; rule = exercises.find('reproducibility.3'); "
        "print(*(rule.outcome(form).state for form in (lambda n: list(set(n)), lambda n: sorted(set(n)))))"
    )
    for seed in ("0", "1", "2"):
        said = reproducibility.elsewhere(
            subprocess.check_output, {"PYTHONHASHSEED": seed}, [sys.executable, "-c", code]
        )
        assert said.decode().strip() == "not yet right"


def test_pairs_may_be_counted_one_by_one_and_on_lists():
    def loop(one, other):
        if sum(one) < sum(other):
            one, other = other, one
        return sum(a <= b for a in one for b in other) / (len(one) * len(other))

    assert _judge(4, loop).state == _judge(4, lambda a, b: loop(a.tolist(), b.tolist())).state == "right"
    assert "equal" in _judge(4, lambda a, b: loop(a + 1e-9 * (a.mean() > b.mean()), b)).message


def test_the_number_of_seeds_is_the_least_that_suffices():
    reach = [2 * 0.012 / math.sqrt(n) for n in range(1, 100)]
    fewest = next(n for n, half in enumerate(reach, start=1) if half <= 0.003 + 1e-12)
    right = [n for n in range(1, 100) if _judge(5, n).state == "right"]
    assert right == [fewest]


@pytest.mark.parametrize("seed", [1])
def test_honest_scores_of_other_forms_are_right_and_leaks_are_caught(seed):
    def other(table, labels):
        steps = Pipeline([("choose", SelectKBest(f_classif, k=20)), ("model", LogisticRegression(C=0.3))])
        folds = KFold(5, shuffle=True, random_state=1)
        return cross_validate(steps, table, labels, cv=folds)["test_score"].mean()

    def by_folds(table, labels):
        found = []
        for fit, test in StratifiedKFold(5).split(table, labels):
            chosen = SelectKBest(k=20).fit(table[fit], labels[fit])
            model = LogisticRegression().fit(chosen.transform(table[fit]), labels[fit])
            found.append(model.score(chosen.transform(table[test]), labels[test]))
        return np.array([np.mean(found)])

    assert _judge(6, other, seed).state == _judge(6, by_folds, seed).state == "right"
    assert "seen the exam" in _judge(6, peeking, seed).message


@pytest.mark.parametrize("seed", [0])
def test_scores_of_five_folds_are_told_from_others(seed):
    steps = Pipeline([("choose", SelectKBest(k=20)), ("model", LogisticRegression())])

    def scored(**how):
        return lambda table, labels: float(cross_validate(steps, table, labels, **how)["test_score"].mean())

    def one_part(table, labels):
        return steps.fit(table[22:], labels[22:]).score(table[:22], labels[:22])

    repeated = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    for answer in (scored(cv=repeated), lambda table, labels: round(scored(cv=5)(table, labels), 3)):
        assert _judge(6, answer, seed).state == "right"
    for answer in (scored(cv=10), scored(cv=5, scoring="roc_auc"), one_part):
        assert "mean accuracy of 5 folds" in _judge(6, answer, seed).message


@pytest.mark.parametrize("seed", range(2))
def test_recipes_are_judged_in_every_world(seed):
    rule = exercises.find("reproducibility.7")
    assert "reduces before it scales" in rule.outcome(_made("fill", "reduce", "scale", "model"), seed).message
    assert "no JSON" in rule.outcome("fill, scale", seed).message
