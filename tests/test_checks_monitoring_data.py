"""Lesson 07's judges beyond their own lists: held against scipy, the package and the world."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlops_lab import monitoring, worlds
from mlops_lab.classroom import checks
from mlops_lab.classroom.checks import monitoring_data as lesson


def _judge(number, answer, seed=0):
    return checks.find(f"monitoring_data.{number}").outcome(answer, seed)


some = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=15).map(np.array)


@settings(max_examples=60, deadline=None)
@given(some, some)
def test_the_gap_is_scipys_also_with_ties(before, now):
    truth = stats.ks_2samp(before, now).statistic
    assert lesson._gap(before, now) == pytest.approx(truth)
    assert np.abs(lesson._apart(before, now)).max() == pytest.approx(truth)


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
        assert lesson._holm(p) == (corrected <= 0.05).sum()


def test_holm_is_right_in_any_number_type():
    assert _judge(2, lambda p: np.int64(lesson._holm(p))).state == "right"
    assert _judge(2, lambda p: float(lesson._holm(p))).state == "right"


def test_one_that_stops_at_its_limit_is_told_so():
    def below(p):
        found = 0
        for place, each in enumerate(sorted(p)):
            if each >= 0.05 / (len(p) - place):
                break
            found += 1
        return found

    assert "exactly 0.05 / m" in _judge(2, below).message


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
    assert lesson._psi(p, q) == pytest.approx(monitoring.psi(before, now))


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

    rule = checks.find("monitoring_data.5")
    assert regraded(rule.right(0)[0]) < 0.001
    assert all(regraded(answer) > 0.005 for answer, _ in rule.wrong(0))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_cheapest_alpha_is_accepted_and_the_others_are_dearer(seed):
    rng = np.random.default_rng([99, seed])
    before, now = rng.normal(size=(2, 600, 330, 20))
    p = stats.ks_2samp(before, now, axis=1).pvalue
    moved = p.copy()
    moved[:, 0] = stats.ks_2samp(before[:, :, 0], now[:, :, 0] + 0.35, axis=1).pvalue
    bill = {}
    for alpha in lesson.ALPHAS:
        false, power = ((20 * each.min(axis=1) <= alpha).mean() for each in (p, moved))
        bill[alpha] = 50 * false * 2000 + 2 * (1 / power - 1) * 800
    accepted = {alpha for alpha in lesson.ALPHAS if _judge(6, alpha).state == "right"}
    assert accepted == {0.003, 0.01, 0.03} and min(bill, key=bill.get) in accepted
    assert min(bill[alpha] for alpha in (0.05, 0.1, 0.2, 0.4)) > 1.4 * min(bill.values())
    assert bill[0.001] > 1.1 * min(bill.values())


def test_each_trouble_is_told_apart_and_a_partly_right_list_is_counted():
    tools = list(lesson.SEES.values())
    for place in range(5):
        for tool in set(tools) - {tools[place]}:
            said = _judge(7, lesson._but(place, tool)).message
            assert said.startswith("4 of 5 are right.") and list(lesson.WHY_NOT.values())[place] in said
    assert _judge(7, {"a": "schema"}).state == "not yet"
    assert _judge(7, [..., *tools[1:]]).message == "A part of your answer is still three dots."
    assert _judge(7, 3).state == "not yet"


@pytest.mark.parametrize("seed", range(3))
def test_rules_hold_in_every_world(seed):
    for rule in lesson.RULES:
        assert all(rule.outcome(form, seed).state == "right" for form in rule.right(seed))
        assert all(fragment in rule.outcome(answer, seed).message for answer, fragment in rule.wrong(seed))
