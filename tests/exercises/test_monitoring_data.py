"""Lesson 07's judges beyond their own lists: held against scipy, the package and the world."""

import math

import numpy as np
import pandas as pd
import pytest
from exercise_answers import Answers, tried
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import exercises, monitoring, worlds
from mlops_lab.exercises import monitoring_data as lesson


def _but(place: int, tool: str) -> list[str]:
    """Give the right answer with another monitor in one place."""
    tools = list(lesson.SEES.values())
    return [*tools[:place], tool, *tools[place + 1 :]]


ANSWERS = {
    "monitoring_data.1": Answers(
        right=lambda seed: [
            lesson.gap,
            lambda before, now: np.abs(lesson.apart(before, now)).max(),
            lambda before, now: stats.ks_2samp(before, now).statistic,
        ],
        wrong=lambda seed: [
            (lambda b, n: abs(lesson.apart(b, n)), "9 values: one number is asked for, the largest"),
            (lambda b, n: lesson.apart(b, n).max(), "without the sign"),
            (lambda b, n: float(np.ptp(lesson.apart(b, n))), "which is not right"),
            (lambda b: 0.5, "stopped"),
            (0.5, "without brackets"),
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
        right=lambda seed: [lesson.GAP, 0.197, np.float64(0.198), [0.1974]],
        wrong=lambda seed: [
            (0.5, "the move itself"),
            (0.1915, "middle of one"),
            (0.383, "each side"),
            (0.5987, "one of the two shares"),
            (0.2, "rounded too far"),
            (0.0987, "there are two"),
            (19.7, "in percent"),
        ],
        seeds=(0,),
    ),
    "monitoring_data.4": Answers(
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
            (0.27, "without brackets"),
        ],
    ),
    "monitoring_data.5": Answers(
        right=lambda seed: [lesson.SUGAR, 0.27, 4 / 15, [0.2667]],
        wrong=lambda seed: [
            (-0.2667, "wrong sign"),
            (0.6, "weights differ"),
            (1.35, "wrong way round"),
            (0.24, "points lost"),
            (0, "alone"),
        ],
        seeds=(0,),
    ),
    "monitoring_data.6": Answers(
        right=lambda seed: [lesson.CHEAPEST, np.float64(0.01), [0.01]],
        wrong=lambda seed: [
            (0.05, "customary"),
            (0.4, "where a look is cheap"),
            (0.8, "where a look is cheap"),
            (0.03, "pays for more looks than that saves"),
            (0.003, "a drift goes unnoticed longer"),
            (0.001, "a drift goes unnoticed longer"),
            (0.02, "not among"),
            (1, "no alpha"),
            ("0.01", "without quotes"),
        ],
        seeds=(0,),
    ),
    "monitoring_data.7": Answers(
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
        ],
        seeds=(0,),
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
    assert np.abs(lesson.apart(before, now)).max() == pytest.approx(truth)


def test_a_gap_by_searching_sorted_values_is_right_and_one_that_errs_at_ties_is_not():
    def searched(before, now, side="right"):
        places = np.concatenate([before, now])
        one, other = (np.searchsorted(np.sort(each), places, side) / len(each) for each in (before, now))
        return max(abs(one - other))

    def mixed(before, now):
        places = np.concatenate([before, now])
        one = np.searchsorted(np.sort(before), places, "left") / len(before)
        return max(abs(one - np.searchsorted(np.sort(now), places, "right") / len(now)))

    assert _judge(1, searched).state == "right"
    assert _judge(1, lambda before, now: searched(before, now, "left")).state == "right"
    assert "which is not right" in _judge(1, mixed).message


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

    assert "exactly at its limit passes" in _judge(2, below).message


def _holm_where(p, good):
    """Give a function's answer from which of the sorted p-values pass."""
    return good(np.sort(p) <= 0.05 / np.arange(len(p), 0, -1))


FUNCTIONS = [
    (1, lambda b, n: max(abs((b <= x).mean() - (n <= x).mean()) for x in np.linspace(-4, 4, 161)), "a fixed"),
    (1, lambda b, n: max(abs((b <= x).mean() - (n <= x).mean()) for x in range(1000)), "close together"),
    (1, lambda b, n: 100 * stats.ks_2samp(b, n).statistic, "in percent"),
    (1, lambda b, n: stats.ks_2samp(b, n)[1], "is a p-value"),
    (1, lambda b, n: stats.ks_2samp(b, n), "of 2 values: one number"),
    (1, lambda b, n: bool(lesson.gap(b, n) > 0), "returned True: one number"),
    (2, lambda p: _holm_where(p, lambda good: int(good.argmin())), "small your function returned 0: that"),
    (2, lambda p: _holm_where(p, lambda good: int(good.sum())), "must stop at the first"),
    (2, lambda p: _holm_where(p, lambda good: good), "4 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, np.flatnonzero), "3 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, lambda good: list(good)), "4 values: one number is asked for, how many"),
    (2, lambda p: _holm_where(p, np.any), "returned True: one number"),
    (2, lambda p: len(p) - _holm_where(p[::-1], lambda good: int((~good).sum())), "must stop"),
    (2, lambda p: next((k for k in range(len(p)) if sorted(p)[k] > 0.05 / (len(p) - k)), None), "all small"),
    (4, lambda p, q: ((q - p) * np.log(np.maximum(q, 1e-4) / np.maximum(p, 1e-4))).sum(), "in front of it"),
    (4, lambda p, q: lesson.psi(p, q) / np.log(2), "base 2"),
    (4, lambda p, q: lesson.psi(p[p * q > 0], q[p * q > 0]), "leaves out bins"),
    (4, lambda p, q: np.nansum(np.where(p * q > 0, (q - p) * np.log(q / p), 0)), "leaves out bins"),
    (4, lambda p, q: lesson.psi(np.where(p, p, 1), q), "which is not right"),
    (4, lambda p, q: (q - p) * np.log(q / p), "2 values: one number"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("number", "made", "said"), FUNCTIONS)
def test_functions_that_once_were_accepted_or_told_something_false(number, made, said, seed):
    found = _judge(number, made, seed)
    assert found.state == "not yet" and said in found.message, found.message


@pytest.mark.parametrize("seed", range(20))
def test_copying_the_drawn_grid_is_right_in_no_world(seed):
    assert "fixed grid" in _judge(1, FUNCTIONS[0][1], seed).message


def test_a_gap_that_is_rounded_too_far_is_told_so_and_one_beside_it_is_not():
    assert "3 decimals" in _judge(3, 0.2).message
    assert "is not the gap" in _judge(3, 0.2015).message
    assert "there are two" in _judge(3, 0.0987).message


def test_the_gap_of_half_a_standard_deviation_is_what_two_large_samples_show():
    rng = np.random.default_rng(0)
    shown = stats.ks_2samp(rng.normal(size=400_000), rng.normal(0.5, 1, 400_000), method="asymp").statistic
    assert abs(shown - lesson.GAP) < 0.004
    assert math.isclose(math.erf(0.25 / math.sqrt(2)), lesson.GAP)


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

    assert _judge(4, loop).state == "right"
    assert _judge(4, lambda p, q: pd.Series([loop(p, q)])).state == "right"
    assert "which is not right" in _judge(4, lambda p, q: loop(p, q, 1e-3)).message


def test_the_harmless_move_changes_no_grade_and_the_wrong_ones_do():
    crates = worlds.Orchard(seed=0, noise=0).week(4, 1500).crates
    warm = crates.assign(firmness=crates["firmness"] - 0.6)

    def regraded(sugar):
        return (worlds.rule_card(warm.assign(sugar=warm["sugar"] + sugar)) != worlds.rule_card(crates)).mean()

    answers = ANSWERS["monitoring_data.5"]
    assert regraded(answers.right(0)[0]) < 0.001
    assert all(regraded(answer) > 0.005 for answer, _ in answers.wrong(0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_the_cheapest_alpha_is_accepted_and_the_others_are_dearer(seed):
    rng = np.random.default_rng([99, seed])
    before, now = rng.normal(size=(2, 400, 330, 20))
    now[:, :, 0] += 0.35
    smallest = stats.ks_2samp(before, now, axis=1, method="asymp").pvalue.min(axis=1)
    alphas = np.array(lesson.ALPHAS)
    false, power = 1 - (1 - alphas / 20) ** 20, np.array([(20 * smallest <= each).mean() for each in alphas])
    bill = dict(zip(lesson.ALPHAS, 50 * false * 1000 + 2 * (1 / power - 1) * 800, strict=True))
    accepted = [alpha for alpha in lesson.ALPHAS if _judge(6, alpha).state == "right"]
    assert accepted == [min(bill, key=bill.get)] == [lesson.CHEAPEST]
    assert sorted(bill.values())[1] > 1.02 * bill[lesson.CHEAPEST]


def test_each_trouble_is_told_apart_and_a_partly_right_list_is_counted():
    tools = list(lesson.SEES.values())
    for place in range(5):
        for tool in set(tools) - {tools[place]}:
            said = _judge(7, _but(place, tool)).message
            assert said.startswith("4 of 5 are right.") and list(lesson.WHY_NOT.values())[place] in said
    assert _judge(7, {"a": "schema"}).state == "not yet"
    assert _judge(7, [..., *tools[1:]]).message == "A part of your answer is still three dots."
    assert _judge(7, 3).state == "not yet"
    assert _judge(7, frozenset(tools)).message.endswith("give a list, in square brackets.")
    assert _judge(7, [tools[0]] * 5).message.startswith("1 of 5 is right.")
    assert _judge(7, [*tools[1:], tools[0]]).message.startswith("0 of 5 are right.")
