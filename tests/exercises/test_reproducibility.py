"""Lesson 05's judges beyond their own lists: every honest form is right, and the truth is the lesson's."""

import math
import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, RepeatedStratifiedKFold, StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline

from mlops_lab import exercises, reproducibility, worlds
from mlops_lab.exercises import reproducibility as lesson


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


@pytest.mark.parametrize("seed", range(3))
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
    assert "seen the exam" in _judge(6, lesson.peeking, seed).message


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_five_folds_are_told_from_others(seed):
    steps = Pipeline([("choose", SelectKBest(k=20)), ("model", LogisticRegression())])

    def scored(**how):
        return lambda table, labels: float(cross_validate(steps, table, labels, **how)["test_score"].mean())

    def one_part(table, labels):
        return steps.fit(table[22:], labels[22:]).score(table[:22], labels[:22])

    repeated = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    for answer in (scored(cv=repeated), lambda table, labels: round(scored(cv=5)(table, labels), 3)):
        assert _judge(6, answer, seed).state == "right"
    for answer in (scored(cv=3), scored(cv=10), scored(cv=5, scoring="roc_auc"), one_part):
        assert "mean accuracy of 5 folds" in _judge(6, answer, seed).message


@pytest.mark.parametrize("seed", range(2))
def test_recipes_are_judged_in_every_world(seed):
    rule = exercises.find("reproducibility.7")
    assert all(rule.outcome(form, seed).state == "right" for form in rule.right(seed))
    assert (
        "reduces before it scales"
        in rule.outcome(lesson._made("fill", "reduce", "scale", "model"), seed).message
    )
    assert "no JSON" in rule.outcome("fill, scale", seed).message
