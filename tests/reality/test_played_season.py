"""A whole season: symptoms, gains and yardsticks at a few seeds; benchmarks/reality.py measures many."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from mlops_lab.reality import POLICIES, SYMPTOMS, PlayedSeason, Scenario, Season, judge, play, yardsticks
from mlops_lab.reality.evaluation import effects, underpaid
from mlops_lab.reality.game_log import as_log
from mlops_lab.reality.played_season import FAIR_GAP, UNFAIR_COST
from mlops_lab.reality.timeline import events

SMALL = Scenario(weeks=18, volume=200)


@pytest.fixture(scope="module")
def story():
    return play("orchard", seed=1)


def test_all_five_symptoms_show_and_every_remedy_helps(story):
    assert story.fired == dict.fromkeys(SYMPTOMS, True)
    assert all(story.gain[name] > 0 for name in SYMPTOMS), story.gain


def test_the_dream_earns_less_than_the_lecture_and_this_less_than_the_oracle(story):
    bars = story.yardsticks
    assert bars.naive < bars.rule_card < story.net < bars.oracle
    assert bars.promised * len(bars.dream) > 1.3 * bars.naive  # the dream promised far more than it brought


def test_the_steps_of_the_lecture_are_taken_in_its_order(story):
    done = [entry["action"] for entry in story.season.actions]
    order = ["choose_metric", "collect", "train", "relabel", "train", "collect", "train", "collect", "train"]
    order += ["deploy", "rollback", "collect", "train", "deploy", "choose_metric", "finish"]
    assert [action for action in done if action not in ("test", "tick", "gold")] == order
    assert 1 <= story.season.pages[0].hour % 24 < 3


def test_the_score_is_the_formula_and_knows_fairness(story):
    bars = story.yardsticks
    gap = max(story.underpaid.values()) - min(story.underpaid.values())
    by_hand = (story.net - bars.naive) / (bars.oracle - bars.naive) - UNFAIR_COST * max(0, gap - FAIR_GAP)
    assert story.score == pytest.approx(by_hand, abs=1e-5) and story.underpaid == underpaid(story.season)


def test_a_story_as_table_text_log_and_picture(story):
    frame = story.frame()
    assert list(frame.index) == list(SYMPTOMS) and bool(frame["fired"].all())
    assert (frame["gain"] > 0).all() and frame.notna().all().all()
    assert f"score {story.score:.2f}" in repr(story) and "<" not in repr(story)
    assert json.loads(json.dumps(story.log)) == as_log(story.season)
    ax = story.plot(ax=Figure(figsize=(11, 6.4)).subplots())
    words = [text.get_text() for text in ax.texts]
    assert len(words) == len(events(story.season)) and any("the pager" in word for word in words)
    assert all(child.get_ylabel() == "profit a week (thousands)" for child in ax.child_axes)


def test_in_the_healthy_world_no_symptom_shows():
    game = Season(Scenario().healthy(), seed=1)
    POLICIES["lecture"](game)
    game.finish()
    assert {report.symptom: report.fired for _, report in game.reports} == dict.fromkeys(
        ("labels", "class", "recent", "revenue"), False
    )
    assert game.pages == () and effects(game) == {}


@pytest.mark.slow
def test_the_second_story_shows_and_mends_all_five_too():
    game = Season("phones", seed=0)
    POLICIES["lecture"](game)
    assert {report.symptom for _, report in game.reports if report.fired} | {"bias"} == set(SYMPTOMS)
    assert 1 <= game.pages[0].hour % 24 < 3
    found = effects(game)
    assert set(found) == set(SYMPTOMS) and all(each.gain > 0 for each in found.values()), found


def ruthless(project):
    """Prevention without the small group's data: what uploads by itself, and money as the metric."""
    while project.week < 13:
        project.collect(1800, source="recent")
        project.deploy(project.train(since=max(project.week - 6, 0)))
        if len(project.weeks) >= 3:
            project.choose_metric("money")
        project.tick(3, pager=False)


@pytest.mark.slow
def test_profit_at_the_growers_expense_does_not_win():
    bars, played = yardsticks("orchard", seed=1), {}
    for policy in (ruthless, POLICIES["prevention"], POLICIES["lecture"]):
        game = Season("orchard", seed=1)
        policy(game)
        game.finish()
        played[policy.__name__] = PlayedSeason(
            game, "one", bars, fired={}, effects={}, underpaid=underpaid(game)
        )
    cold, fair, lecture = (played[name] for name in ("ruthless", "prevention", "lecture"))
    assert fair.net > lecture.net and fair.gap < lecture.gap and fair.score > lecture.score + 0.1
    assert cold.gap > fair.gap + 0.1 and cold.penalty > 0.2 and cold.score < fair.score


def test_a_policy_of_ones_own_is_a_plain_function_and_meets_the_same_yardsticks():
    def mine(project):
        project.collect(300)
        project.deploy(project.train())
        project.tick(7)

    story = play(SMALL, policy=mine, seed=3)
    assert story.policy == "mine" and story.season.over
    assert story.fired == {**dict.fromkeys(SYMPTOMS), "bias": bool(story.season.pages)}
    assert story.gain == dict.fromkeys(SYMPTOMS) and story.frame()["gain"].isna().all()
    nets = {}
    for name in ("expectation", "rule_card"):
        game = Season(SMALL, seed=3)
        POLICIES[name](game)
        nets[name] = game.net
    bars = story.yardsticks
    assert (bars.naive, bars.rule_card) == (nets["expectation"], nets["rule_card"])


OTHER = """
import json, sys
from mlops_lab.reality import Season, Scenario
from mlops_lab.reality.evaluation import effects
from mlops_lab.reality.game_log import as_log, from_log
game = from_log(json.load(sys.stdin), Season)
gains = {name: each.gain for name, each in effects(game).items()}
json.dump({"log": as_log(game), "gain": gains}, sys.stdout)
"""


@pytest.mark.slow
def test_another_process_tells_the_same_story():
    game = Season(SMALL, seed=5)
    game.collect(500)
    game.relabel(100)
    game.collect(60, grade="spoiled")
    game.deploy(game.train())
    game.tick(30)
    game.choose_metric("money")
    game.finish()
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    ran = subprocess.run(
        [sys.executable, "-c", OTHER],
        cwd=root,
        env=environment,
        input=json.dumps(as_log(game)),
        capture_output=True,
        text=True,
        check=True,
    )
    gain = {name: each.gain for name, each in effects(game).items()}
    assert json.loads(ran.stdout) == {"log": as_log(game), "gain": gain} and len(gain) == 3


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ValueError, match="no policy 'luck'; there are expectation, rule_card"):
        play(SMALL, policy="luck")
    with pytest.raises(TypeError, match="policy=3"):
        play(SMALL, policy=3)
    with pytest.raises(ValueError, match="no scenario 'vineyard'"):
        play("vineyard")
    with pytest.raises(ValueError, match="finish"):
        judge(Season(SMALL))
    with pytest.raises(ValueError, match="seed=-1"):
        play(SMALL, seed=-1)
