"""A season: actions are checked first, time serves weeks, forks share luck, and the truth stays inside."""

import dataclasses
import inspect
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from mlops_lab.reality import ACTIONS, Bill, Scenario, Season
from mlops_lab.reality.game_state import _channels
from mlops_lab.reality.registry import channels, held_out

SMALL = Scenario(weeks=20, volume=300)


@pytest.fixture
def season():
    return Season(SMALL, seed=2)


@pytest.fixture(scope="module")
def played():
    """A game in which everything was done once; tests look at it, or at a fork."""
    game = Season(SMALL, seed=1)
    game.collect(500)
    game.train()
    game.test("labels", 100)
    game.relabel(60)
    game.train()
    game.collect(40, grade="spoiled")
    game.collect(200, source="recent", group="all")
    game.deploy(game.train(features=[*SMALL.features, "scanner"], recent_weight=2))
    game.tick(10, pager=False)
    game.test("class", 20)
    game.test("recent", 50)
    game.test("bias")
    game.rollback("v1")
    game.gold(20, source="recent", group="handheld")
    game.choose_metric("money")
    game.test("revenue", 50)
    return game


def _state(game):
    """Everything that a game is, as plain values."""
    return {
        name: (len(value), value.columns.tolist()) if isinstance(value, pd.DataFrame) else repr(value)
        for name, value in vars(game._state).items()
        if name not in ("hidden", "scenario", "served")
    }


# ---------------------------------------------------------------- illegal actions change nothing

ILLEGAL = [
    ("collect", {"n": 0}, ValueError, "n=0: a whole number from 1"),
    ("collect", {"n": -5}, ValueError, "n=-5"),
    ("collect", {"n": 10.0}, TypeError, r"n=10\.0"),
    ("collect", {"n": True}, TypeError, "n=True"),
    ("collect", {"n": 50_000}, ValueError, "of the budget are left"),
    ("collect", {"n": 5, "source": "future"}, ValueError, "archive, recent"),
    ("collect", {"n": 5, "group": "phone"}, ValueError, "belt, handheld, all"),
    ("collect", {"n": 5, "grade": "rotten"}, ValueError, "spoiled, juice"),
    ("collect", {"n": 5, "expert": "yes"}, TypeError, "expert='yes'"),
    ("gold", {"n": 20_000}, ValueError, "gold costs 80,000"),
    ("audit", {"n": 501}, ValueError, "n=501"),
    ("test", {"symptom": "luck"}, ValueError, "labels, class, recent, bias, revenue"),
    ("test", {"symptom": "class", "n": 3}, ValueError, "n=3"),
    ("test", {"symptom": "class", "version": "v9"}, ValueError, "'v9'; there are v0, v1"),
    ("test", {"symptom": "bias", "n": 5}, ValueError, "leave n and version out"),
    ("test", {"symptom": "revenue", "version": "v1"}, ValueError, "what is live"),
    ("test", {"symptom": "recent"}, ValueError, "in the archive still"),
    ("relabel", {"n": 501}, ValueError, "n=501"),
    ("relabel", {"n": 5, "choose": "best"}, ValueError, "suspects, random"),
    ("train", {"features": ["colour", "smell"]}, ValueError, "no feature 'smell'; there are colour"),
    ("train", {"features": "colour"}, TypeError, "a list of names"),
    ("train", {"features": []}, ValueError, "at least one"),
    ("train", {"features": ["colour", "colour"]}, ValueError, "each feature once"),
    ("train", {"features": ["label"]}, ValueError, "no feature 'label'"),
    ("train", {"recent_weight": 0}, ValueError, "recent_weight=0"),
    ("train", {"since": 99}, ValueError, "since=99"),
    ("train", {"since": 4}, ValueError, "the youngest is of week 3"),
    ("train", {"note": 3}, TypeError, "note=3"),
    ("deploy", {"version": "v7"}, ValueError, "'v7'; there are v0, v1"),
    ("deploy", {"version": "v0"}, ValueError, "v0 is live already"),
    ("deploy", {"version": None}, ValueError, "no version None"),
    ("rollback", {"version": "v1"}, ValueError, "v1 is newer than v0"),
    ("choose_metric", {"name": "fame"}, ValueError, "accuracy, money"),
    ("choose_metric", {"name": "money"}, ValueError, "at least three"),
    ("choose_metric", {"name": "money", "return_cost": -1}, ValueError, "return_cost=-1"),
    ("choose_metric", {"name": "money", "return_cost": float("nan")}, ValueError, "return_cost=nan"),
    ("choose_metric", {"name": "money", "return_cost": "9"}, TypeError, "return_cost='9'"),
    ("choose_metric", {"name": "accuracy", "return_cost": 1.0}, ValueError, "leave return_cost out"),
    ("tick", {"days": 0}, ValueError, "days=0"),
    ("tick", {"days": 1.5}, TypeError, r"days=1\.5"),
    ("tick", {"days": 1, "pager": "off"}, TypeError, "pager='off'"),
]


@pytest.fixture(scope="module")
def early():
    game = Season(SMALL, seed=2)
    game.collect(500)
    game.train()
    return game


@pytest.mark.parametrize(("action", "asked", "error", "words"), ILLEGAL)
def test_an_illegal_action_is_refused_and_changes_nothing(early, action, asked, error, words):
    before = _state(early)
    with pytest.raises(error, match=words):
        getattr(early, action)(**asked)
    with pytest.raises(error, match=words):
        early.quote(action, **asked)
    assert _state(early) == before


def test_every_action_is_tried_illegally():
    assert {action for action, *_ in ILLEGAL} == set(ACTIONS) - {"finish"}


def test_without_data_there_is_nothing_to_do(season):
    for action, asked in (
        ("train", {}),
        ("audit", {}),
        ("relabel", {"n": 1}),
        ("test", {"symptom": "labels"}),
    ):
        with pytest.raises(ValueError, match="collect"):
            getattr(season, action)(**asked)
    season.collect(50, grade="juice")
    with pytest.raises(ValueError, match="all labels are juice"):
        season.train()
    with pytest.raises(ValueError, match="nothing is left to relabel"):
        season.relabel(1)


@pytest.mark.parametrize("seed", [-1, True, 1.0, float("nan"), "a", None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="a whole number from 0 is needed"):
        Season(SMALL, seed=seed)


def test_what_cannot_be_asked_for_is_said_by_the_actions_name(season):
    with pytest.raises(TypeError, match="collect: missing a required argument: 'n'"):
        season.quote("collect")
    with pytest.raises(TypeError, match="train: got an unexpected keyword argument 'speed'"):
        season.quote("train", speed=3)
    with pytest.raises(ValueError, match=r"no version \[\]"):
        season.deploy([])


def test_a_folder_is_no_file(season, tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        season.save(tmp_path)
    with pytest.raises(ValueError, match="is a folder"):
        Season.replay(tmp_path)
    assert not list(tmp_path.parent.glob("*.part"))


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_suspects_need_enough_labels_for_a_model(season, rows):
    season.collect(rows)
    before = _state(season)
    with pytest.raises(ValueError, match="choose='random'"):
        season.relabel(1)
    assert _state(season) == before
    season.relabel(1, choose="random")


def test_after_the_season_nothing_can_be_done(season):
    season.finish()
    assert season.over and season.day == 140 and len(season.weeks) == 16
    season.finish()  # harmless
    for action in ("tick", "collect"):
        with pytest.raises(ValueError, match="season is over"):
            getattr(season, action)(5)
    with pytest.raises(ValueError, match="none of collect"):
        season.quote("pray")


# ---------------------------------------------------------------- what actions do


def test_a_bill_is_paid_and_time_passes(season):
    bill = season.quote("collect", n=450)
    assert bill == Bill(270.0, 3)
    season.collect(450)
    assert (season.money, season.net, season.day) == (25_000 - 270, -270, 31)
    assert season.actions[-1] == {
        "day": 28,
        "action": "collect",
        "arguments": {"n": 450, "source": "archive", "expert": False},
        "money": 270.0,
    }


def test_prices_go_by_who_labels_and_what_must_be_fetched(season):
    def money(**asked):
        return season.quote("collect", n=100, **asked).money

    assert money() == money(source="recent") == 60
    assert money(source="recent", group="handheld") == 120
    assert money(source="recent", group="all") == pytest.approx(69)
    assert money(expert=True) == 400 and money(grade="spoiled") == 600


def test_what_comes_by_itself_depends_on_the_source(season):
    assert set(season.collect(80, source="recent")["scanner"]) == {"belt"}
    assert set(season.gold(80, source="recent", group="all")["scanner"]) == {"belt", "handheld"}
    assert set(season.collect(30, source="recent", group="handheld")["scanner"]) == {"handheld"}
    archive = season.collect(600)
    assert set(archive["week"]) == {0, 1, 2, 3} and 0 < (archive["scanner"] == "handheld").mean() < 0.15
    assert set(season.collect(30, grade="spoiled")["label"]) == {"spoiled"}
    assert season.data.index.is_unique and len(season.data) == 80 + 30 + 600 + 30


def test_recent_means_the_last_two_weeks_on_the_day_of_delivery(season):
    season.tick(40, pager=False)
    rows = season.collect(50, source="recent")
    assert set(rows["week"]) == {season.week - 2, season.week - 1}


def test_gold_is_true_and_never_becomes_training_data(season):
    gold = season.gold(300)
    assert len(season.data) == 0
    cheap = season.fork().collect(300)
    assert list(gold.columns) == list(cheap.columns)


def test_relabelling_suspects_finds_more_wrong_labels_than_chance(season):
    season.collect(1200)
    chance, suspects = season.fork(), season.fork()
    assert suspects.relabel(200) > 1.5 * chance.relabel(200, choose="random")
    assert suspects._state.guided and not season._state.guided


def test_after_a_guide_the_graders_err_less(season):
    season.collect(200)
    guided = season.fork()
    guided.relabel(50)
    wrong = []
    for game in (season, guided):
        game.collect(1500)
        wrong.append((game._state.labels != game._state.truth)[-1500:].mean())
    assert wrong[1] < 0.4 * wrong[0]


def test_recent_weight_and_since_choose_the_rows(season):
    season.tick(21, pager=False)
    season.collect(100)
    season.collect(100, source="recent")
    first, second, third = (season.train(**how) for how in ({}, {"recent_weight": 3}, {"since": 4}))
    rows = [season.registry[name].rows for name in (first, second, third)]
    assert rows == [200, 200, 100]
    seen = season.gold(50)
    likely = [season.registry[name].probabilities(seen).to_numpy() for name in (first, second)]
    assert np.abs(likely[0] - likely[1]).max() > 0.01


def test_a_weight_counts_like_rows_given_twice():
    """Weights are given as repeated rows, which trains several times faster."""
    game = Season(SMALL, seed=0)
    game.tick(21, pager=False)
    game.collect(300)
    game.collect(300, source="recent")
    twice = game.train(recent_weight=2)
    settings = {"max_iter": 35, "learning_rate": 0.18, "max_leaf_nodes": 10, "min_samples_leaf": 12}
    model = HistGradientBoostingClassifier(**settings, l2_regularization=1.0, early_stopping=False)
    data = game.data
    rows = pd.concat([data, data[data["week"] > 3]])
    model.fit(rows[list(SMALL.features)].to_numpy(), rows["label"])
    seen = game.gold(100)
    said = pd.DataFrame(model.predict_proba(seen[list(SMALL.features)].to_numpy()), columns=model.classes_)
    ours = game.registry[twice].probabilities(seen)
    assert ((ours.to_numpy() > 0.5) == (said[list(SMALL.grades)].to_numpy() > 0.5)).mean() > 0.98


def test_a_rollback_really_serves_the_older_version(played):
    live = played.registry[played.live]
    assert played.live == "v1" and live.rows == 500
    seen = played.fork().gold(50, source="recent")
    again = _channels(played._state, seen)
    by_metric = channels(
        live.probabilities(seen).to_numpy(), SMALL, "money", played.return_cost, played._state.price
    )
    assert (again == np.array(SMALL.grades)[by_metric]).all()


def test_a_week_cut_by_a_deployment_counts_every_item_once(season):
    season.collect(300)
    season.train()
    assert season.day % 7 != 0
    season.deploy("v1")
    season.tick(7, pager=False)
    week = season.weeks[0]
    assert sum(week.items.values()) == SMALL.volume and week.version == "v1"
    assert sum(len(part.hour) for part in season._state.served[:2]) <= SMALL.volume


def test_the_card_costs_its_fee_and_a_model_does_not():
    free, dear = (Season(SMALL.with_(hand_fee=fee), seed=0) for fee in (0.0, 2.0))
    for game in (free, dear):
        game.tick(7)
    assert free.net - dear.net == pytest.approx(2.0 * SMALL.volume)


def test_the_metric_money_sells_fewer_items_too_dear(played):
    seen = played.fork().gold(300, source="recent", group="all")
    likely = played.registry["v3"].probabilities(seen).to_numpy()
    truth = seen["label"].map({grade: place for place, grade in enumerate(SMALL.grades)}).to_numpy()

    def over(metric, cost):
        return int(((chosen := channels(likely, SMALL, metric, cost)) >= 2).sum()), int(
            (chosen > truth).sum()
        )

    (many, wrong), (fewer, less) = over("accuracy", 0.0), over("money", 20.0)
    assert fewer < many and less < wrong


def test_the_spot_check_of_revenue_needs_two_and_six_weeks(season):
    first = season.test("revenue", 50)
    assert first.fired is None
    season.tick(14, pager=False)
    assert season.test("revenue", 50).fired is None
    season.tick(42, pager=False)
    assert season.test("revenue", 50).fired is not None


# ---------------------------------------------------------------- the pager in a game


def test_the_pager_stops_the_clock_on_the_day_it_rings_and_then_is_silent():
    game = Season(Scenario(volume=3000, weeks=20, group_shift=3.0), seed=0)
    game.collect(1500)
    game.deploy(game.train())
    off = game.fork()
    page = game.tick(60)
    assert page is not None and game.pages == (page,) and game.day == page.day + 1
    assert 1 <= page.hour % 24 < 3 and page.group == "handheld" and page.rate > page.other_rate
    assert game.test("bias").fired
    assert game.tick(14) is None and len(game.pages) == 1  # until the next deployment
    assert off.tick(60, pager=False) is None and off.pages == (page,)  # the same page, the phone switched off
    assert (game.complaints["hour"] < 24.0 * game.day).all()


# ---------------------------------------------------------------- forks


def test_a_fork_meets_the_same_luck_and_changes_nothing_else(played):
    before = _state(played)
    one, other = played.fork(), played.fork()
    for game in (one, other):
        game.collect(100, source="recent")
        game.relabel(20)
        game.train()
        game.finish()
    assert _state(played) == before
    assert one.weeks == other.weeks and one.net == other.net and one.data.equals(other.data)


def test_two_forks_differ_only_in_what_was_decided(played):
    stay, go = played.fork(), played.fork()
    go.deploy("v3")
    stay.finish()
    go.finish()
    assert [week.items for week in stay.weeks] == [week.items for week in go.weeks]
    assert stay.net != go.net


# ---------------------------------------------------------------- the truth


def _public(thing, depth=0):
    """Give all values that can be reached without an underscore."""
    yield thing
    if depth > 3 or isinstance(
        thing, str | int | float | bool | np.ndarray | pd.Series | pd.Index | None | type
    ):
        return
    if isinstance(thing, pd.DataFrame):
        yield from (thing[column] for column in thing)
        yield thing.index
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _public(value, depth + 1)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from _public(value, depth + 1)
    elif type(thing).__module__.startswith("mlops_lab"):
        for name in dir(thing):
            if not name.startswith("_") and not inspect.ismethod(getattr(thing, name)):
                yield from _public(getattr(thing, name), depth + 1)


def test_no_public_attribute_or_frame_holds_the_truth(played):
    truth = np.array(SMALL.grades, dtype=object)[played._state.truth]
    wrong = (played._state.labels != played._state.truth).mean()
    assert wrong > 0.02  # or the search below would prove nothing
    found = list(_public(played))
    assert any(isinstance(each, pd.Series) and len(each) == len(truth) for each in found)
    for each in found:
        if isinstance(each, pd.Series | np.ndarray | list | tuple | pd.Index) and len(each) == len(truth):
            values = np.asarray(each, dtype=object)
            assert (values != truth).any() and (values != played._state.truth).any()
    columns = [*SMALL.features, "scanner", "week", "label"]
    assert list(played.data.columns) == columns
    assert list(played.complaints.columns) == ["hour", "scanner", "complained"]


def test_the_truth_of_what_was_served_is_in_no_week_and_no_page(played):
    names = {field.name for field in dataclasses.fields(played.weeks[0])}
    assert not {"truth", "under", "accuracy"} & names
    assert not {"truth", "channel"} & set(played.complaints)


def test_what_a_player_is_given_cannot_change_the_game(played):
    data, complaints, actions = played.data, played.complaints, played.actions
    data["label"] = "premium"
    complaints["complained"] = True
    actions[0]["arguments"]["n"] = 7
    assert played.data["label"].nunique() > 1 and not played.complaints["complained"].all()
    assert played.actions[0]["arguments"]["n"] == 500
    with pytest.raises(TypeError):
        played.registry["v9"] = None
    with pytest.raises(AttributeError):
        played.money = 1e9


def test_rows_are_kept_from_the_models_that_judge_them():
    game = Season(SMALL, seed=0)
    game.collect(400)
    likely = held_out(game._state.items, game._state.labels, SMALL)
    assert likely.sum(axis=1) == pytest.approx(np.ones(400))
    own = game.registry[game.train()].probabilities(game.data).to_numpy()
    place = np.arange(400), game._state.labels
    assert own[place].mean() > likely[place].mean() + 0.1  # of its own rows a model is far surer


def test_the_books_as_a_table(played):
    frame = played.frame()
    assert list(frame.index) == [week.week for week in played.weeks]
    assert {"profit", "revenue", "price", "complaints belt", "complaints handheld"} <= set(frame.columns)
    assert Season(SMALL).frame().empty and list(Season(SMALL).frame().columns) == list(frame.columns)


def test_a_project_says_where_it_stands_and_no_address(played):
    assert repr(played).startswith("Season 'orchard', seed 1, day") and " at 0x" not in repr(played)
    assert f"{played.live} is live" in repr(played) and "\n" not in repr(played)
