"""Lesson 07's judges beyond their own lists: held against scipy, the package and the world."""

import math

import numpy as np
import pandas as pd
import pytest
from exercise_answers import Answers, tried
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import exercises, monitoring
from mlops_lab.exercises import monitoring_data as lesson


def _but(place: int, tool: str) -> list[str]:
    """Give the right answer with another monitor in one place."""
    tools = list(lesson.SEES.values())
    return [*tools[:place], tool, *tools[place + 1 :]]


def _means(before, now):
    return abs(before.mean() - now.mean())


def _dealt(before, now, rng, deals=199, cut=None, measure=lesson.gap):
    """Give the measure of each of some deals."""
    both, cut = np.concatenate([before, now]), len(before) if cut is None else cut
    mixed = [rng.permutation(both) for _ in range(deals)]
    return np.array([measure(each[:cut], each[cut:]) for each in mixed])


def _by_shuffling_in_place(before, now, rng):
    """Count with the page's own `largest_gap`, and one list that is shuffled again and again."""

    def largest_gap(one, other):
        places = np.concatenate([one, other])
        return max(abs((one <= x).mean() - (other <= x).mean()) for x in places)

    both, real, count = np.concatenate([before, now]), largest_gap(before, now), 1
    for _ in range(199):
        rng.shuffle(both)
        count += largest_gap(both[: len(before)], both[len(before) :]) >= real
    return count / 200


ANSWERS = {
    "monitoring_data.1": Answers(
        right=lambda seed: [
            lesson.p_value,
            lambda b, n, rng: np.float32(lesson.p_value(b, n, rng)),
            lambda b, n, rng: [lesson.p_value(b, n, rng)],
            _by_shuffling_in_place,
            lambda b, n, rng: np.mean(np.append(_dealt(b, n, rng), lesson.gap(b, n)) >= lesson.gap(b, n)),
        ],
        wrong=lambda seed: [
            (lambda b, n, rng: np.mean(_dealt(b, n, rng) >= lesson.gap(b, n)), "without the ones"),
            (
                lambda b, n, rng: max(np.mean(_dealt(b, n, rng) >= lesson.gap(b, n)), 1 / 200),
                "without the ones",
            ),
            (lambda b, n, rng: (1 + sum(_dealt(b, n, rng) >= lesson.gap(b, n))) / 199, "not below"),
            (lambda b, n, rng: (1 + sum(_dealt(b, n, rng) > lesson.gap(b, n))) / 200, "exactly as large"),
            (lambda b, n, rng: (1 + sum(_dealt(b, n, rng) <= lesson.gap(b, n))) / 200, "smaller gaps"),
            (lambda b, n, rng: 1 + sum(_dealt(b, n, rng) >= lesson.gap(b, n)), "is a count"),
            (lambda b, n, rng: (1 + sum(_dealt(b, n, rng, 99) >= lesson.gap(b, n))) / 100, "like 99 deals"),
            (lambda b, n, rng: (1 + sum(np.full(199, True))) / 200, "mix the rows"),
            (
                lambda b, n, rng: (
                    (1 + sum(_dealt(b, n, rng, cut=(len(b) + len(n)) // 2) >= lesson.gap(b, n))) / 200
                ),
                "many rows as it had",
            ),
            (
                lambda b, n, rng: (1 + sum(_dealt(b, n, rng, measure=_means) >= _means(b, n))) / 200,
                "does each deal give its `largest_gap`",
            ),
            (lambda b, n, rng: stats.ks_2samp(b, n).pvalue, "comes from a formula"),
            (lambda b, n, rng: None, "returned None"),
            (lambda b, n: 0.5, "stopped"),
            (lambda b, n, rng: _dealt(b, n, rng) >= 0.1, "199 values: one number"),
            (0.005, "without brackets"),
        ],
    ),
    "monitoring_data.2": Answers(
        right=lambda seed: [lesson.holm, lambda p: (monitoring.correct(p) <= 0.05 + 1e-12).sum()],
        wrong=lambda seed: [
            (lambda p: bool(min(p) <= 0.05 / len(p)), "returned True: one number is asked for"),
            (lambda p: monitoring.correct(p) <= 0.05, "4 values: one number is asked for, how many"),
            (
                lambda p: next((k for k in range(3) if p[k] > 0.05), None),
                "None: return something in every case",
            ),
            (lambda p: None, "returned None: does it end with `return ...`?"),
            (2, "without brackets"),
        ],
    ),
    "monitoring_data.3": Answers(
        right=lambda seed: [lesson.GAP, 0.119, np.float64(0.12), [0.1192]],
        wrong=lambda seed: [
            (0.3, "the move itself"),
            (0.1179, "middle of one"),
            (0.2358, "each side"),
            (0.5596, "one of the two shares"),
            (0.1, "is not the gap"),
            (0.0596, "there are two"),
            (11.9, "in percent"),
        ],
        seeds=(0,),
    ),
    "monitoring_data.4": Answers(
        right=lambda seed: [
            list(lesson.SEES.values()),
            tuple(tool.upper() for tool in lesson.SEES.values()),
            np.array(list(lesson.SEES.values())),
            dict(lesson.SEES),
        ],
        wrong=lambda seed: [
            (_but(0, "drift"), "4 of 5 are right"),
            (set(lesson.SEES.values()), "a set has no order"),
            (_but(1, "schema"), "one column shows it"),
            (_but(2, "drift"), "very same values"),
            (_but(3, "drift"), "drowns"),
            (_but(4, "joint_drift"), "no reading"),
            (_but(0, "ks"), "no monitor here"),
            (["drift"] * 5, "1 of 5 is right"),
            (["schema", "drift"], "2 parts"),
            ("drift", "one text"),
            (5, "an int: a list of five monitors"),
            (["drift"], "has 1 part"),
        ],
        seeds=(0,),
    ),
    "monitoring_data.5": Answers(
        right=lambda seed: [
            lesson.psi,
            lambda p, q: lesson.psi(q, p),
            lambda p, q: np.array([lesson.psi(p, q)]),
        ],
        wrong=lambda seed: [
            (lambda p, q: (q - p) * np.log(q / p), "2 values: one number is asked for, the sum"),
            (lambda p, q: lesson.psi(p, q) / np.log(10), "base 10"),
            (lambda p, q: round(lesson.psi(p, q), 2), "that is rounded"),
            (lambda p, q: None, "returned None"),
            (monitoring.psi, "the shares of the bins already"),
            (0.27, "without brackets"),
        ],
    ),
}

test_answers = tried("monitoring_data", ANSWERS)


def _judge(number, answer, seed=0):
    return exercises.find(f"monitoring_data.{number}").outcome(answer, seed)


some = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=15).map(np.array)


@settings(max_examples=60, deadline=None)
@given(some, some)
def test_the_gap_is_scipys_also_with_ties(before, now):
    truth = stats.ks_2samp(before, now).statistic
    assert lesson.gap(before, now) == pytest.approx(truth)


@pytest.mark.parametrize("seed", [*range(20), *range(1000, 1005)])
def test_a_right_p_value_is_right_at_every_seed_whatever_the_draws(seed):
    assert _judge(1, lesson.p_value, seed).state == "right"
    own = np.random.default_rng(seed)
    assert _judge(1, lambda before, now, rng: lesson.p_value(before, now, own), seed).state == "right"


def test_the_trials_tell_a_formula_and_the_deals_agree():
    for before, now in (lesson._WIDER, lesson._FEW):
        exact = stats.ks_2samp(before, now, method="exact").pvalue
        dealt = _dealt(before, now, np.random.default_rng(1), 4000) >= lesson.gap(before, now)
        assert 0.1 < exact < 0.7 and abs(dealt.mean() - exact) < 0.04


def test_the_form_without_the_ones_is_told_that_no_p_value_is_0():
    said = _judge(1, lambda b, n, rng: np.mean(_dealt(b, n, rng) >= lesson.gap(b, n))).message
    assert "returned 0: that is count / 199, without the ones" in said and "never 0" in said


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_the_package(p):
    corrected = monitoring.correct(p, "holm")
    if np.abs(corrected - 0.05).min() > 1e-9:
        assert lesson.holm(p) == (corrected <= 0.05).sum()


def test_holm_is_right_in_any_number_type():
    assert _judge(2, lambda p: np.int64(lesson.holm(p))).state == "right"
    assert _judge(2, lambda p: float(lesson.holm(p))).state == "right"


def test_one_that_stops_at_its_limit_is_told_so():
    def below(p):
        return int(np.append(np.sort(p) >= 0.05 / np.arange(len(p), 0, -1), True).argmax())

    assert "exactly at its limit is flagged" in _judge(2, below).message


def _holm_where(p, good):
    """Give a function's answer from which of the sorted p-values pass."""
    return good(np.sort(p) <= 0.05 / np.arange(len(p), 0, -1))


FUNCTIONS = [
    (2, lambda p: _holm_where(p, lambda good: int(good.argmin())), "small your function returned 0: that"),
    (2, lambda p: _holm_where(p, lambda good: int(good.sum())), "must stop at the first"),
    (2, lambda p: _holm_where(p, lambda good: good), "4 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, np.flatnonzero), "3 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, lambda good: list(good)), "4 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, np.any), "returned True: one number"),
    (2, lambda p: len(p) - _holm_where(p[::-1], lambda good: int((~good).sum())), "must stop"),
    (2, lambda p: next((k for k in range(len(p)) if sorted(p)[k] > 0.05 / (len(p) - k)), None), "all small"),
    (5, lambda p, q: ((q - p) * np.log(np.maximum(q, 1e-4) / np.maximum(p, 1e-4))).sum(), "in front of it"),
    (5, lambda p, q: lesson.psi(p, q) / np.log(2), "base 2"),
    (5, lambda p, q: lesson.psi(p[p * q > 0], q[p * q > 0]), "leaves out bins"),
    (5, lambda p, q: np.nansum(np.where(p * q > 0, (q - p) * np.log(q / p), 0)), "leaves out bins"),
    (5, lambda p, q: lesson.psi(np.where(p, p, 1), q), "which is not right"),
    (5, lambda p, q: (q - p) * np.log(q / p), "2 values: one number"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("number", "made", "said"), FUNCTIONS)
def test_functions_that_once_were_accepted_or_told_something_false(number, made, said, seed):
    found = _judge(number, made, seed)
    assert found.state == "not yet" and said in found.message, found.message


def test_a_gap_may_be_rounded_to_two_decimals_and_one_beside_it_is_none():
    assert _judge(3, 0.12).state == "right"
    assert "is not the gap" in _judge(3, 0.1235).message
    assert "there are two" in _judge(3, 0.0596).message


def test_the_gap_of_that_shift_is_what_two_large_samples_show():
    rng = np.random.default_rng(0)
    shown = stats.ks_2samp(rng.normal(size=400_000), rng.normal(0.3, 1, 400_000), method="asymp").statistic
    assert abs(shown - lesson.GAP) < 0.004
    assert math.isclose(math.erf(0.15 / math.sqrt(2)), lesson.GAP)


@pytest.mark.parametrize("seed", range(3))
def test_psi_is_the_packages_over_the_lessons_bins(seed):
    rng = np.random.default_rng(seed)
    before, now = rng.normal(size=500), rng.normal(0.3, 1.2, 300)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    p, q = (np.bincount(np.searchsorted(edges, each), minlength=10) / len(each) for each in (before, now))
    assert lesson.psi(p, q) == pytest.approx(monitoring.psi(before, now))


def test_psi_in_a_loop_or_as_a_series_is_right_and_with_another_floor_it_is_not():
    def loop(p, q, floor=1e-4):
        pairs = [(max(one, floor), max(other, floor)) for one, other in zip(p, q, strict=True)]
        return sum((now - then) * (math.log(now) - math.log(then)) for then, now in pairs)

    assert _judge(5, loop).state == "right"
    assert _judge(5, lambda p, q: pd.Series([loop(p, q)])).state == "right"
    assert "which is not right" in _judge(5, lambda p, q: loop(p, q, 1e-3)).message


def test_each_trouble_is_told_apart_and_a_partly_right_list_is_counted():
    tools = list(lesson.SEES.values())
    for place in range(5):
        for tool in set(tools) - {tools[place]}:
            said = _judge(4, _but(place, tool)).message
            assert said.startswith("4 of 5 are right.") and list(lesson.WHY_NOT.values())[place] in said
    assert _judge(4, {"a": "schema"}).state == "not yet"
    assert _judge(4, [..., *tools[1:]]).message == "A part of your answer is still three dots."
    assert _judge(4, 3).state == "not yet"
    assert _judge(4, frozenset(tools)).message.endswith("give a list, in square brackets.")
    assert _judge(4, [tools[0]] * 5).message.startswith("1 of 5 is right.")
    assert _judge(4, [*tools[1:], tools[0]]).message.startswith("0 of 5 are right.")
