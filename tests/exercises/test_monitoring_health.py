"""Lesson 09's judges beyond their own lists: other honest forms are right, and truths are recomputed."""

from typing import Any

import numpy as np
import pytest
from exercise_answers import Answers, tried

from mlops_lab import exercises, monitoring
from mlops_lab.exercises import monitoring_health as lesson
from mlops_lab.monitoring.health.latency import quantile_ranks
from mlops_lab.monitoring.health.numerics import gradient_norm


def _remember(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    cache.pop(key, None)
    cache[key] = value
    while len(cache) > most:
        del cache[next(iter(cache))]


def _remember_before(cache: dict[Any, Any], key: Any, value: Any, most: int) -> dict[Any, Any]:
    if key not in cache and len(cache) >= most:
        cache.pop(next(iter(cache)))
    cache[key] = value
    return cache


def _grow(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    cache[key] = value


def _refuse(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) < most:
        cache[key] = value


def _forget_all(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) >= most:
        cache.clear()
    cache[key] = value


def _forget_newest(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if key not in cache and len(cache) >= most:
        cache.popitem()
    cache[key] = value


def _one_too_many(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) > most:
        del cache[next(iter(cache))]
    cache[key] = value


def _made_rule(**changed: Any) -> Any:
    from mlops_lab.monitoring import AlertRule

    given: dict[str, Any] = {"name": "slow_answers", "metric": "p99_ms", "above": 200.0, "k": 3, "n": 5}
    given |= {"severity": "page", "runbook": "Halve the batch size.", **changed}
    return AlertRule(**given)


ANSWERS = {
    "monitoring_health.1": Answers(
        right=lambda seed: [lesson.clipped, lambda gradient, most: list(lesson.clipped(gradient, most))],
        wrong=lambda seed: [
            (lambda gradient, most: np.maximum(np.minimum(gradient, most), -most), "each number by itself"),
            (lambda gradient, most: gradient * most / np.sqrt((gradient**2).sum() + 1e-300), "longer, too"),
            (lambda gradient, most: gradient * min(1, most / max(1e-300, (gradient**2).sum())), "*root*"),
            (lambda gradient, most: -lesson.clipped(gradient, most), "the gradient (3, 4)"),
            (lambda gradient, most: None, "returned None"),
            (lambda gradient: gradient, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    "monitoring_health.2": Answers(
        right=lambda seed: [lesson._steps_left(), float(lesson._steps_left()), [lesson._steps_left()]],
        wrong=lambda seed: [
            (9, "The error doubles"),
            (8, "the loss is its square"),
            (4, "one too few"),
            (16, "250 already"),
            (6, "has overflowed before"),
            (4.01, "no number of steps"),
            (100, "not the first step"),
        ],
        seeds=(0,),
    ),
    "monitoring_health.3": Answers(
        right=lambda seed: [_remember, _remember_before],
        wrong=lambda seed: [
            (_grow, "10 are allowed"),
            (_refuse, "does not hold its value"),
            (_forget_all, "keep what fits"),
            (_forget_newest, "drop the oldest"),
            (_one_too_many, "10 are allowed"),
            (lambda cache, key, value, most: _remember(cache, key, value, 10), "With a most of 3"),
            (lambda cache, key, value, most: _remember(dict(cache), key, value, most), "still empty"),
            (lambda cache, key: None, "stopped"),
            ({}, "without brackets"),
        ],
    ),
    "monitoring_health.4": Answers(
        right=lambda seed: [lesson._longest_batch(), float(lesson._longest_batch())],
        wrong=lambda seed: [
            (39, "so does one more"),
            (41, "too large by one"),
            (9900, "must fill first"),
            (40.4, "no batch size"),
            (100, "not the largest"),
        ],
        seeds=(0,),
    ),
    "monitoring_health.5": Answers(
        right=lambda seed: [lesson._fewest_answers(), float(lesson._fewest_answers())],
        wrong=lambda seed: [
            (100, "one slow answer on average"),
            (299, "2.5 % each"),
            (367, "one too few"),
            (369, "so is one fewer"),
            (367.04, "367.04 lies between"),
            (68.97, "no number of answers"),
            (50, "not the fewest"),
        ],
        seeds=(0,),
    ),
    "monitoring_health.6": Answers(
        right=lambda seed: [
            _made_rule(),
            _made_rule(k=2, n=3),
            _made_rule(k=5, n=5, above=200),
        ],
        wrong=lambda seed: [
            (_made_rule(k=1, n=1), "woke somebody"),
            (_made_rule(k=2, n=4), "20 are allowed"),
            (_made_rule(k=8, n=10), "minutes after the fault"),
            (_made_rule(k=30, n=30), "did not begin to fire"),
            (_made_rule(above=180.0), "180 ms: 200 is asked for"),
            (_made_rule(severity="ticket"), "woken"),
            (_made_rule(metric="mean_ms"), "logs 'p99_ms'"),
            (_made_rule(above=None, below=200.0), "those above"),
            ((3, 5), "an AlertRule is asked for"),
        ],
        seeds=(0,),
    ),
    "monitoring_health.7": Answers(
        right=lambda seed: ["notBreaching", " notbreaching "],
        wrong=lambda seed: [
            ("missing", "looks unknown"),
            ("ignore", "stand for days"),
            ("breaching", "wakes somebody all night"),
            (["breaching"], "wakes somebody all night"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
}

test_answers = tried("monitoring_health", ANSWERS)


def _judge(id, answer, seed=0):
    return exercises.find(f"monitoring_health.{id}").outcome(answer, seed)


@pytest.mark.parametrize("seed", [0, 7])
def test_clipping_in_other_forms_is_right(seed):
    def by_factor(gradient, most):
        return gradient * min(1.0, most / max(np.linalg.norm(gradient), 1e-300))

    def by_package(gradient, most):
        length = gradient_norm(gradient)
        return [part * most / length for part in gradient] if length > most else gradient

    assert _judge(1, by_factor, seed).state == "right"
    assert _judge(1, by_package, seed).state == "right"


def test_the_steps_left_are_what_float16_does():
    error = np.sqrt(np.float64(250.0))
    with np.errstate(over="ignore"):
        steps = next(n for n in range(1, 20) if np.isinf(np.float16((error * 2**n) ** 2)))
    assert [n for n in range(1, 30) if _judge(2, n).state == "right"] == [steps]


@pytest.mark.parametrize("seed", range(3))
def test_caches_by_other_rules_of_age_are_right(seed):
    def least_recent(cache, key, value, most):
        cache.pop(key, None)
        cache[key] = value
        for old in list(cache)[:-most]:
            del cache[old]

    def first_come(cache, key, value, most):
        if key not in cache:
            while len(cache) >= most:
                del cache[next(iter(cache))]
        cache[key] = value

    assert _judge(3, least_recent, seed).state == "right"
    assert _judge(3, first_come, seed).state == "right"


def test_the_number_of_answers_is_the_packages():
    assert all(quantile_ranks(n, 0.99)[1] > n for n in (10, 100, 200, 300, 350))
    fewest = next(n for n in range(351, 1000) if quantile_ranks(n, 0.99)[1] <= n)
    assert [n for n in range(1, 600) if _judge(5, n).state == "right"] == [fewest]


def test_the_largest_batch_by_simulation():
    def slowest(n):
        arrive = 5.0 * np.arange(n)
        return arrive[-1] + 2 + 0.02 * n - arrive[0]

    assert [n for n in range(1, 200) if _judge(4, n).state == "right"] == [
        max(n for n in range(1, 200) if slowest(n) <= 200)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_rule_is_judged_by_its_rate_and_not_by_the_luck_of_one_week(seed):
    def rule(k, n, above=200.0):
        given = {"metric": "p99_ms", "severity": "page", "runbook": "Halve the batch size."}
        return monitoring.AlertRule(name="slow_answers", above=above, k=k, n=n, **given)

    # a new pair of bad minutes within three: about 10,000 * 2 * 0.03**2 = 18, less what follows a page
    assert _judge(6, rule(2, 3), seed).state == "right"
    assert "20 are allowed" in _judge(6, rule(2, 4), seed).message
    assert "200 is asked for" in _judge(6, rule(5, 5, above=149.0), seed).message


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_what_is_right_on_a_few_cases_only_is_refused(seed):
    def generous(gradient, most):
        length = np.linalg.norm(gradient)
        return gradient * most / length if length > 2 * most else gradient

    assert "length 2.2" in _judge(1, generous, seed).message
    assert "lies between" in _judge(5, np.log(0.025) / np.log(0.99), seed).message
