"""Lesson 13's judges beyond their own lists: held against the engine, the formula and other honest forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlops_lab.reality.story import FAIR_GAP, UNFAIR_COST

from mlops_lab import exercises, reality
from mlops_lab.exercises import expectation_vs_reality as lesson
from mlops_lab.exercises import season_judges
from mlops_lab.reality.registry import RETURNS, channels

PLAYED = "expectation_vs_reality.8"
GRADES = ("spoiled", "juice", "table", "premium")


def _judge(id, answer, seed=0):
    return exercises.find(f"expectation_vs_reality.{id}").outcome(answer, seed)


@pytest.mark.parametrize("seed", range(3))
def test_every_right_form_is_right_and_every_wrong_one_is_told_why(seed):
    for rule in lesson.RULES:
        if rule.id == PLAYED:
            continue
        for form in rule.right(seed):
            assert rule.outcome(form, seed).state == "right", rule.id
        for answer, fragment in rule.wrong(seed):
            outcome = rule.outcome(answer, seed)
            assert outcome.state == "not yet" and fragment in outcome.message, (rule.id, outcome.message)


def test_the_lecture_does_not_beat_itself():
    outcome = _judge(8, reality.POLICIES["lecture"])
    assert outcome.state == "not yet" and "the lecture's" in outcome.message


def test_the_scores_of_the_check_are_those_of_the_engine():
    project = reality.Project("orchard", seed=0)
    lesson._policy(project)
    project.finish()
    story = reality.judge(project, bars=season_judges._bars(0))
    assert season_judges._judged(story.project).score == pytest.approx(story.score, abs=1e-6)
    assert season_judges._judged(story.project).gap == pytest.approx(story.gap, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 600), st.floats(0, 1), st.floats(0, 1))
def test_the_score_is_money_less_twice_what_the_gap_exceeds(net, belt, handheld):
    found = season_judges.score(net, 100.0, 500.0, {"belt": belt, "handheld": handheld})
    penalty = UNFAIR_COST * max(0.0, abs(belt - handheld) - FAIR_GAP)
    assert found == pytest.approx((net - 100) / 400 - penalty, abs=1e-8)


@pytest.mark.parametrize("cost", [0.0, 5.0, 12.0])
def test_the_channel_is_that_of_the_metric_money(cost):
    scenario = reality.Scenario()
    likely = np.random.default_rng(0).dirichlet(np.ones(4), 200)
    theirs = channels(likely, scenario, "money", return_cost=cost)
    ours = [season_judges.channel(row, scenario.value_table, RETURNS, cost) for row in likely]
    assert ours == theirs.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES)), min_size=20, max_size=60))
def test_the_weak_grade_is_that_of_the_engine(pairs):
    pairs = [*pairs, *((grade, grade) for grade in GRADES)]
    said, true = zip(*pairs, strict=True)
    recall = (pd.Series(said) == pd.Series(true)).groupby(np.array(true)).mean()
    if (recall == recall.min()).sum() == 1:
        assert season_judges.weakest(said, true) == reality.weak_class(said, true, GRADES).worst


def test_an_effect_on_a_real_project_is_the_difference_of_two_forks():
    project = reality.Project(reality.Scenario(weeks=20, volume=200))
    project.collect(300)

    def remedy(world):
        world.relabel(100)

    def measure(world):
        return world.money

    assert lesson._effect(project, remedy, measure) == -project.quote("relabel", n=100).money
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
    assert _judge(6, lambda *given: np.int64(season_judges.channel(*given))).state == "right"
    assert _judge(5, lambda table: np.str_(lesson._safest(table))).state == "right"
