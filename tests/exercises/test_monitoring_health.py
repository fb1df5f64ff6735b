"""Lesson 09's judges beyond their own lists: other honest forms are right, and truths are recomputed."""

import numpy as np
import pytest

from mlops_lab import exercises, monitoring


def _judge(id, answer, seed=0):
    return exercises.find(f"monitoring_health.{id}").outcome(answer, seed)


@pytest.mark.parametrize("seed", [0, 7])
def test_clipping_in_other_forms_is_right(seed):
    def by_factor(gradient, most):
        return gradient * min(1.0, most / max(np.linalg.norm(gradient), 1e-300))

    def by_package(gradient, most):
        length = monitoring.gradient_norm(gradient)
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
    fewest = next(n for n in range(1, 1000) if monitoring.quantile_ranks(n, 0.99)[1] <= n)
    assert [n for n in range(1, 600) if _judge(5, n).state == "right"] == [fewest]


def test_the_largest_batch_by_simulation():
    def slowest(n):
        arrive = 5.0 * np.arange(n)
        return arrive[-1] + 2 + 0.02 * n - arrive[0]

    assert [n for n in range(1, 200) if _judge(4, n).state == "right"] == [
        max(n for n in range(1, 200) if slowest(n) <= 200)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_rules_are_judged_alike_for_every_seed(seed):
    rule = exercises.find("monitoring_health.6")
    assert all(rule.outcome(form, seed).state == "right" for form in rule.right(seed))
    assert all(part in rule.outcome(wrong, seed).message for wrong, part in rule.wrong(seed))


@pytest.mark.parametrize("seed", range(4))
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
