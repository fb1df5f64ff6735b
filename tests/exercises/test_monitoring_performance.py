"""Lesson 08's judges beyond their own lists: held against the package, the formula and other honest forms."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab import exercises, monitoring, worlds
from mlops_lab.exercises import metric_judges


def _judge(id, answer, seed=0):
    return exercises.find(f"monitoring_performance.{id}").outcome(answer, seed)


def test_the_number_of_crates_reaches_three_points():
    accepted = [n for n in range(1, 3000) if _judge(1, n).state == "right"]
    reach = [2 * math.sqrt(0.85 * 0.15 / n) for n in accepted]
    assert accepted and max(abs(each - 0.03) for each in reach) < 0.0003


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20))
def test_the_bounds_are_those_of_the_package(right, wrong, missing):
    known, crates = right + wrong, right + wrong + missing
    labels = [1] * right + [0] * wrong + [1] * missing
    when = [1] * known + [math.inf] * missing
    week = monitoring.late_labels(labels, made=[1] * crates, known=when, now=1).weeks.loc[1]
    assert metric_judges.bounds(right, known, crates) == pytest.approx((week["worst"], week["best"]))


@pytest.mark.parametrize("seed", range(3))
def test_weights_and_alarms_are_those_of_the_package(seed):
    rng = np.random.default_rng(seed)
    right, chance = rng.random(200) < 0.7, rng.uniform(0.05, 1, 200)
    assert metric_judges.weighted(right, chance) == pytest.approx(
        monitoring.selective_labels(right, chance).value
    )
    chart = monitoring.Cusum.for_errors(0.15, 0.3, horizon=500)
    for rate in (0.1, 0.3, 0.6):
        wrong = rng.random(400) < rate
        ours = metric_judges.first_alarm(wrong, chart.up, chart.down, chart.limit)
        assert (
            ours
            == chart.first_alarm(wrong)
            == metric_judges.by_cumsum(wrong, chart.up, chart.down, chart.limit)
        )


def test_alarms_of_other_number_types_are_right_and_early_ones_are_not():
    def numpys(*given):
        at = metric_judges.first_alarm(*given)
        return None if at is None else np.int64(at)

    def early(*given):
        at = metric_judges.first_alarm(*given)
        return None if at is None else at - 1

    assert _judge(5, numpys).state == "right"
    assert "which is not the first alarm" in _judge(5, early).message


def test_the_policy_runs_in_the_orchard():
    class Mine:
        act = staticmethod(exercises.find("monitoring_performance.6").right(0)[0])

    orchard = worlds.Orchard(seed=0, noise=0, checked_share=0.3)

    class Always:
        def predict(self, crates):
            return ["table"] * len(crates)

    done = monitoring.operate(
        Mine(),
        [orchard.week(week, 200) for week in range(4, 10)],
        Always(),
        loss=lambda grades, truth: 0.0,
        train=lambda crates, labels: Always(),
    )
    assert done.weeks.index[done.weeks["action"] == "retrain"].tolist() == [2, 4, 6]


def test_the_corrected_probability_is_that_of_the_package():
    learned, shares = pd.Series([0.5, 0.5], ["spoiled", "sound"]), pd.Series([0.1, 0.9], ["spoiled", "sound"])
    found = monitoring.ClassPrior(title="Shares", learned=learned, shares=shares)
    assert _judge(7, found.adjusted([[0.8, 0.2]])[0, 0]).state == "right"


@pytest.mark.parametrize("seed", range(3))
def test_rules_hold_in_every_world(seed):
    for rule in exercises.rules("monitoring_performance"):
        assert all(rule.outcome(form, seed).state == "right" for form in rule.right(seed))
        assert all(fragment in rule.outcome(answer, seed).message for answer, fragment in rule.wrong(seed))


@pytest.mark.parametrize("seed", [0, 3, 8])
@pytest.mark.parametrize(
    ("id", "answer", "fragment"),
    [
        (1, 10, "not the number of crates"),
        (2, lambda *week: {(6, 10, 40): (0.15, 0.9), (8, 10, 10): (0.8, 0.8)}.get(week, (0, 1)), "61 crates"),
        (5, lambda wrong, *given: metric_judges.first_alarm(wrong[1:], *given), "not the first alarm"),
        (5, lambda wrong, *given: len(wrong), "which is not the first alarm."),
        (6, lambda seen: "keep" if seen.since > 4 else metric_judges.policy()(seen), "12 weeks"),
        (
            6,
            lambda seen: metric_judges.policy()(seen) if sum(seen.right[-1]) / len(seen.right[-1]) else "",
            "no crate",
        ),
    ],
)
def test_what_is_right_on_a_few_cases_only_is_refused_without_a_false_reason(id, answer, fragment, seed):
    found = _judge(id, answer, seed)
    assert found.state == "not yet" and fragment in found.message, found.message
