"""Lesson 08's judges beyond their own lists: held against the package, the formula and other honest forms."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from exercise_answers import Answers, tried
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab import exercises, monitoring, worlds
from mlops_lab.exercises import monitoring_performance as lesson
from mlops_lab.monitoring import Observation


def by_cumsum(wrong: Sequence[float], up: float, down: float, limit: float) -> int | None:
    """Give the step of the first alarm without a loop."""
    walk = np.cumsum(np.where(np.asarray(wrong, dtype=bool), up, -down))
    over = np.flatnonzero(walk - np.minimum(0, np.minimum.accumulate(walk)) >= limit) if walk.size else walk
    return int(over[0]) if over.size else None


def mean_first(seen: Observation) -> str:
    """Decide as the policy of exercise 6, written in another order."""
    bad = np.mean(seen.right[-1]) < 0.7 and len(seen.right[-1]) > 29
    return "keep" if seen.since < 2 or not bad else "retrain"


ANSWERS = {
    "monitoring_performance.1": Answers(
        right=lambda seed: [lesson._CRATES, 567, 566.0, [567]],
        wrong=lambda seed: [
            (lesson._CRATES / 4, "leaves out the 2"),
            (17, "forgets to square"),
            (10, "not the number of crates"),
            (23.8, "root of the number"),
            (544, "takes 1.96"),
            (1111, "one half"),
            (lesson._CRATES * 4, "half as wide"),
            ("567", "without quotes"),
        ],
        seeds=(0,),
    ),
    "monitoring_performance.2": Answers(
        right=lambda seed: [
            lesson.bounds,
            lambda right, known, crates: [right / crates, 1 - (known - right) / crates],
            lambda right, known, crates: np.array([right, right + crates - known]) / crates,
        ],
        wrong=lambda seed: [
            (
                lambda *week: (100 * lesson.bounds(*week)[0], 100 * lesson.bounds(*week)[1]),
                "these are percent",
            ),
            (lambda right, known, crates: (right, right + crates - known), "counts of crates"),
            (lambda *week: tuple(round(share, 2) for share in lesson.bounds(*week)), "rounded"),
            (
                lambda *week: dict(zip("wb", lesson.bounds(*week), strict=True)),
                "a dict of 2 values: two shares are asked for",
            ),
            (lambda right, known, crates: right / crates, "one number"),
            (lambda right, known: right / known, "stopped"),
            (0.15, "without brackets"),
        ],
    ),
    "monitoring_performance.3": Answers(
        right=lambda seed: [
            lesson.weighted,
            lambda right, chance: np.average(right, weights=1 / chance),
            lambda right, chance: np.array([(right / chance).sum() / (1 / chance).sum()]),
        ],
        wrong=lambda seed: [
            (lambda right, chance: np.mean(right), "counts all crates alike"),
            (lambda right, chance: np.average(right, weights=chance), "other way round"),
            (lambda right, chance: np.mean(right / chance), "not by the sum of the weights"),
            (lambda right, chance: np.average(right, weights=1 - chance), "1 - chance"),
            (lambda right, chance: np.average(right, weights=1 / np.maximum(chance, 0.1)), "hardly opened"),
            (lambda right, chance: 1 - lesson.weighted(right, chance), "*wrong* grades"),
            (lambda right, chance: None, "returned None"),
            (lambda right: 0.5, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    "monitoring_performance.4": Answers(
        right=lambda seed: ["smaller fruit", " Smaller Fruit "],
        wrong=lambda seed: [
            ("stricter buyers", "No reading changes"),
            ("dirty lens", "read as unripe"),
            ("new scanner", "no old crate"),
            ("new variety", "never been scanned"),
        ],
        seeds=(0,),
    ),
    "monitoring_performance.5": Answers(
        right=lambda seed: [lesson.first_alarm, by_cumsum],
        wrong=lambda seed: [
            (lambda wrong, up, down, limit: lesson.first_alarm(1 - wrong, up, down, limit), "*wrong* grade"),
            (lambda wrong, up, down, limit: lesson.first_alarm(wrong, up, 0, limit), "no alarm is due"),
            (lambda wrong, *given: lesson.first_alarm(wrong[:-1], *given), "an alarm is due."),
            (lambda wrong, *given: lesson.first_alarm(wrong, *map(int, given)), "no whole numbers"),
            (lambda *all: lesson.first_alarm(*all) is not None or None, "number of the step"),
            (lambda wrong: None, "stopped"),
            (7, "without brackets"),
        ],
    ),
    "monitoring_performance.6": Answers(
        right=lambda seed: [lesson.policy(), mean_first],
        wrong=lambda seed: [
            (lesson.policy(least=0), "only 29 outcomes"),
            (lesson.policy(least=31), "exactly 30 outcomes"),
            (lesson.policy(since=0), "just after a training"),
            (lesson.policy(since=3), "exactly 2 weeks"),
            (lesson.policy(share=0.70001), "exactly 70 %"),
            (lesson.policy(share=0.65), "68 % right"),
            (lesson.policy(newest=np.concatenate), "all weeks together"),
            (lesson.policy(newest=lambda weeks: weeks[0]), "first week"),
            (lesson.policy(newest=lambda weeks: weeks[1]), "second week"),
            (lesson.policy(word="train"), "'retrain' or 'keep'"),
            (lesson.one_less, "a hair above"),
            (lambda seen: seen.right[-1].sum() // len(seen.right[-1]) and "keep", "'retrain' or 'keep'"),
            ("retrain", "without brackets"),
        ],
    ),
    "monitoring_performance.7": Answers(
        right=lambda seed: [lesson._ADJUSTED, 0.31, 0.3, np.float64(0.308)],
        wrong=lambda seed: [
            (0.16, "one of the two products"),
            (0.36, "product of *not*"),
            (0.16 / 0.36, "is the odds"),
            (0.973, "turn the two shares"),
            (0.8, "shares are not used"),
            (0.1, "share alone"),
            (1 - lesson._ADJUSTED, "*not* spoiled"),
            (0.08, "multiplies by the new share"),
            (30.8, "in percent"),
        ],
        seeds=(0,),
    ),
}

test_answers = tried("monitoring_performance", ANSWERS)


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
    assert lesson.bounds(right, known, crates) == pytest.approx((week["worst"], week["best"]))


@pytest.mark.parametrize("seed", range(3))
def test_weights_and_alarms_are_those_of_the_package(seed):
    rng = np.random.default_rng(seed)
    right, chance = rng.random(200) < 0.7, rng.uniform(0.05, 1, 200)
    assert lesson.weighted(right, chance) == pytest.approx(monitoring.selective_labels(right, chance).value)
    chart = monitoring.Cusum.for_errors(0.15, 0.3, horizon=500)
    for rate in (0.1, 0.3, 0.6):
        wrong = rng.random(400) < rate
        ours = lesson.first_alarm(wrong, chart.up, chart.down, chart.limit)
        assert ours == chart.first_alarm(wrong) == by_cumsum(wrong, chart.up, chart.down, chart.limit)


def test_alarms_of_other_number_types_are_right_and_early_ones_are_not():
    def numpys(*given):
        at = lesson.first_alarm(*given)
        return None if at is None else np.int64(at)

    def early(*given):
        at = lesson.first_alarm(*given)
        return None if at is None else at - 1

    assert _judge(5, numpys).state == "right"
    assert "which is not the first alarm" in _judge(5, early).message


def test_the_policy_runs_in_the_orchard():
    class Mine:
        act = staticmethod(ANSWERS["monitoring_performance.6"].right(0)[0])

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


def test_the_corrected_probability_is_bayes_rule():
    odds = 0.8 / 0.2 * (0.1 / 0.9) / (0.5 / 0.5)  # the model's odds, times today's by the learned ones
    assert _judge(7, odds / (1 + odds)).state == "right"


@pytest.mark.parametrize("seed", [0, 3, 8])
@pytest.mark.parametrize(
    ("id", "answer", "fragment"),
    [
        (1, 10, "not the number of crates"),
        (2, lambda *week: {(6, 10, 40): (0.15, 0.9), (8, 10, 10): (0.8, 0.8)}.get(week, (0, 1)), "61 crates"),
        (5, lambda wrong, *given: lesson.first_alarm(wrong[1:], *given), "not the first alarm"),
        (5, lambda wrong, *given: len(wrong), "which is not the first alarm."),
        (6, lambda seen: "keep" if seen.since > 4 else lesson.policy()(seen), "12 weeks"),
        (
            6,
            lambda seen: lesson.policy()(seen) if sum(seen.right[-1]) / len(seen.right[-1]) else "",
            "no crate",
        ),
    ],
)
def test_what_is_right_on_a_few_cases_only_is_refused_without_a_false_reason(id, answer, fragment, seed):
    found = _judge(id, answer, seed)
    assert found.state == "not yet" and fragment in found.message, found.message
