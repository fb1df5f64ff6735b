"""Lesson 13's judges beyond their own lists: held against the engine, the formula and other honest forms."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exercise_answers import Answers, tried
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab import exercises, reality
from mlops_lab.exercises import expectation_vs_reality as lesson
from mlops_lab.reality import symptoms
from mlops_lab.reality.played_season import FAIR_GAP, UNFAIR_COST
from mlops_lab.reality.product import RETURNS
from mlops_lab.reality.registry import channels


def weakest(graded: Sequence[str], true: Sequence[str]) -> str:
    """Name the grade of which the smallest share is found."""
    pairs = list(zip(graded, true, strict=True))
    recall = {
        grade: np.mean([said == grade for said, real in pairs if real == grade])
        for grade in dict.fromkeys(true)
    }
    return min(recall, key=lambda grade: recall[grade])


def _price(looked: float, mended: float, look: float, guide: float) -> float:
    return (looked * look + guide) / mended if mended else math.inf


def _safest(table: pd.DataFrame) -> str:
    return str(table.max(axis=1).idxmin())


def _policy(project: Any) -> None:
    reads = [*project.scenario.features, project.scenario.device]
    project.collect(1200, source="recent", group="all")
    project.relabel(50, choose="random")
    project.collect(300, grade=project.scenario.rare)
    for _ in range(4):
        project.deploy(project.train(features=reads, recent_weight=4))
        project.tick(14, pager=False)
        project.choose_metric("money")
        for group in project.scenario.groups:
            project.collect(600, source="recent", group=group)


def _dream(project: Any) -> None:
    project.collect(2600)
    project.deploy(project.train())


def _bankrupt(project: Any) -> None:
    project.collect(40_000, expert=True)


def _greedy(project: Any) -> None:
    _dream(project)
    project.tick(28, pager=False)
    project.choose_metric("money", return_cost=0.0)


def _effect(project: Any, remedy: Callable[[Any], object], measure: Callable[[Any], float]) -> float:
    without, mended = project.fork(), project.fork()
    remedy(mended)
    return measure(mended) - measure(without)


def _lowest_f1(graded: Any, true: Any) -> str:
    said, real = np.array(graded), np.array(true)
    both = {grade: ((said == grade) & (real == grade)).sum() for grade in dict.fromkeys(true)}
    return str(min(both, key=lambda grade: both[grade] / ((said == grade).sum() + (real == grade).sum())))


ANSWERS = {
    "expectation_vs_reality.1": Answers(
        right=lambda seed: [
            _price,
            lambda n, mended, look, guide: (guide + look * n) / mended if mended else float("inf"),
        ],
        wrong=lambda seed: [
            (lambda n, mended, look, guide: (n * look + guide) / n, "one *look*"),
            (lambda n, mended, look, guide: n * look / mended, "guide is missing"),
            (lambda n, mended, look, guide: n * (look + guide) / mended, "paid once"),
            (lambda n, mended, look, guide: mended / (n * look + guide), "upside down"),
            (lambda n, mended, look, guide: (mended * look + guide) / mended, "half of the bill"),
            (lambda n, mended, look, guide: (n * look + guide) / mended, "stopped"),
            (3.0, "without brackets"),
        ],
    ),
    "expectation_vs_reality.2": Answers(
        right=lambda seed: [
            _effect,
            lambda project, remedy, measure: (
                -measure(project.fork()) + [remedy(w := project.fork()), measure(w)][1]
            ),
        ],
        wrong=lambda seed: [
            (lambda project, remedy, measure: [remedy(project), measure(project)][1], "changed"),
            (
                lambda project, remedy, measure: (
                    [remedy(w := project.fork()), measure(w)][1] - measure(project)
                ),
                "measured",
            ),
            (lambda project, remedy, measure: -_effect(project, remedy, measure), "turned round"),
            (lambda project, remedy, measure: measure(project.fork()) - measure(project.fork()), "no effect"),
            (
                lambda project, remedy, measure: [project.fork(), remedy(w := project.fork()), measure(w)][2],
                "take away",
            ),
            (lambda project, remedy, measure: None, "returned None"),
            (lambda project, remedy: 0, "stopped"),
            (0.1, "without brackets"),
        ],
    ),
    "expectation_vs_reality.3": Answers(
        right=lambda seed: [
            weakest,
            lambda graded, true: (
                (pd.Series(np.array(graded)) == np.array(true)).groupby(np.array(true)).mean().idxmin()
            ),
        ],
        wrong=lambda seed: [
            (lambda graded, true: pd.Series(true)[graded != np.array(true)].mode()[0], "most mistakes"),
            (
                lambda graded, true: (
                    (pd.Series(np.array(graded)) == np.array(true)).groupby(np.array(graded)).mean().idxmin()
                ),
                "*called*",
            ),
            (lambda graded, true: pd.Series(true).value_counts().idxmin(), "rarest"),
            (_lowest_f1, "often given wrongly"),
            (
                lambda graded, true: float(np.mean(np.array(graded) == np.array(true))),
                "0.6351: one word is asked for",
            ),
            (lambda graded, true: None, "returned None"),
            ("spoiled", "without brackets"),
        ],
    ),
    "expectation_vs_reality.4": Answers(
        right=lambda seed: [lesson._NIGHTS, 0.785, np.float64(0.79)],
        wrong=lambda seed: [
            (1.5, "cannot be above 1"),
            (0.05, "of one night"),
            (0.95**30, "*quiet*"),
            (78.5, "in percent"),
            ("0.785", "without quotes"),
        ],
    ),
    "expectation_vs_reality.5": Answers(
        right=lambda seed: [
            _safest,
            lambda table: min(table.index, key=lambda version: max(table.loc[version])),
        ],
        wrong=lambda seed: [
            (lambda table: table["belt"].idxmin(), "best for one group"),
            (lambda table: (table["belt"] - table["handheld"]).abs().idxmin(), "alike badly"),
            (lambda table: table["handheld"].idxmin(), "leaves the other"),
            (lambda table: table.mean(axis=1).idxmin(), "leaves the other"),
            (lambda table: table.max(axis=1).min(), "0.4: one word is asked for"),
            ("v1", "without brackets"),
        ],
    ),
    "expectation_vs_reality.6": Answers(
        right=lambda seed: [
            lesson.channel,
            lambda likely, value, returns, cost: max(
                range(4),
                key=lambda k: sum(p * (value[g][k] - cost * returns[g][k]) for g, p in enumerate(likely)),
            ),
        ],
        wrong=lambda seed: [
            (lambda likely, value, returns, cost: int(np.argmax(likely)), "most likely grade"),
            (lambda likely, value, returns, cost: int((likely @ value).argmax()), "expected returns"),
            (
                lambda likely, value, returns, cost: (likely @ (value + cost * returns)).argmax(),
                "expected returns",
            ),
            (lambda likely, value, returns, cost: (likely @ (value - cost * returns)).max(), "not right"),
            (lambda likely, value, returns, cost: None, "returned None"),
            (1, "without brackets"),
        ],
    ),
    "expectation_vs_reality.7": Answers(
        right=lambda seed: [
            lesson.score,
            lambda net, dream, oracle, low: (
                (net - dream) / (oracle - dream) - 2 * max(0, abs(np.subtract(*list(low.values()))) - 0.05)
            ),
        ],
        wrong=lambda seed: [
            (lambda net, dream, oracle, low: (net - dream) / (oracle - dream), "costs nothing"),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - 2 * (max(low.values()) - min(low.values()))
                ),
                "whole gap",
            ),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - max(0, np.ptp(list(low.values())) - 0.05)
                ),
                "*twice*",
            ),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - 2 * max(0, low["handheld"] - low["belt"] - 0.05)
                ),
                "large group",
            ),
            (
                lambda net, dream, oracle, low: (
                    (net - dream) / (oracle - dream) - 2 * (abs(low["handheld"] - low["belt"]) - 0.05)
                ),
                "borne",
            ),
            (0.3, "without brackets"),
        ],
    ),
    "expectation_vs_reality.8": Answers(
        right=lambda seed: [_policy],
        wrong=lambda seed: [
            (_dream, "no more than the card"),
            (lambda project: None, "trained nothing"),
            (lambda project: [project.collect(500), project.train()], "never deployed"),
            (_bankrupt, "stopped"),
            (lambda: None, "stopped"),
            ("prevention", "without brackets"),
        ],
        seeds=(0,),
        slow=True,
    ),
}

test_answers = tried("expectation_vs_reality", ANSWERS)


GRADES = ("spoiled", "juice", "table", "premium")


def _judge(id, answer, seed=0):
    return exercises.find(f"expectation_vs_reality.{id}").outcome(answer, seed)


@pytest.mark.slow
def test_the_lecture_does_not_beat_itself_and_greed_forgets_a_group():
    assert "forgotten" in _judge(8, _greedy).message
    outcome = _judge(8, reality.POLICIES["lecture"])
    assert outcome.state == "not yet" and "the lecture's" in outcome.message


@pytest.mark.slow
def test_a_policy_of_the_package_wins_and_its_scores_are_those_of_the_engine():
    project = reality.Season("orchard", seed=0)
    reality.POLICIES["prevention"](project)
    project.finish()
    story = reality.judge(project, bars=lesson._bars(0))
    found = lesson._judged(story.season)
    assert found.score == pytest.approx(story.score, abs=1e-6) and found.score > lesson._lecture(0).score
    assert found.gap == pytest.approx(story.gap, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 600), st.floats(0, 1), st.floats(0, 1))
def test_the_score_is_money_less_twice_what_the_gap_exceeds(net, belt, handheld):
    found = lesson.score(net, 100.0, 500.0, {"belt": belt, "handheld": handheld})
    penalty = UNFAIR_COST * max(0.0, abs(belt - handheld) - FAIR_GAP)
    assert found == pytest.approx((net - 100) / 400 - penalty, abs=1e-8)


@pytest.mark.parametrize("cost", [0.0, 5.0, 12.0])
def test_the_channel_is_that_of_the_metric_money(cost):
    scenario = reality.Scenario()
    likely = np.random.default_rng(0).dirichlet(np.ones(4), 200)
    theirs = channels(likely, scenario, "money", return_cost=cost)
    ours = [lesson.channel(row, scenario.value_table, RETURNS, cost) for row in likely]
    assert ours == theirs.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=20, max_size=60))
def test_the_weak_grade_is_that_of_the_engine(pairs):
    pairs = [*pairs, *((grade, grade) for grade in GRADES)]
    said, true = zip(*pairs, strict=True)
    recall = (pd.Series(said) == pd.Series(true)).groupby(np.array(true)).mean()
    if (recall == recall.min()).sum() == 1:
        assert weakest(said, true) == symptoms.weak_class(said, true, GRADES).worst


def test_an_effect_on_a_real_project_is_the_difference_of_two_forks():
    project = reality.Season(reality.Scenario(weeks=20, volume=200))
    project.collect(300)

    def remedy(world):
        world.relabel(100)

    def measure(world):
        return world.money

    assert _effect(project, remedy, measure) == -project.quote("relabel", n=100).money
    assert project.money == reality.Scenario().budget - 180


def test_a_function_that_measures_before_the_remedy_finds_no_effect():
    def early(project, remedy, measure):
        without, changed = project.fork(), project.fork()
        value = measure(changed)
        remedy(changed)
        return value - measure(without)

    assert "no effect" in _judge(2, early).message


def test_answers_of_other_number_types_are_right():
    assert _judge(4, pd.Series([1 - 0.95**30])).state == "right"
    assert _judge(6, lambda *given: np.int64(lesson.channel(*given))).state == "right"
    assert _judge(5, lambda table: np.str_(_safest(table))).state == "right"
