"""A game on disk: played again it is the same; damaged, foreign or edited it is refused whole."""

import json

import pytest

from mlops_lab.reality import Scenario, Season
from mlops_lab.reality.game_log import FORMAT, as_log, from_log

SMALL = Scenario(weeks=18, volume=200)


@pytest.fixture(scope="module")
def game():
    game = Season(SMALL, seed=4)
    game.collect(300)
    game.test("labels", 50)
    game.relabel(40, choose="random")
    game.deploy(game.train(features=["colour", "sugar", "scanner"], note="few features"))
    game.tick(20)
    game.choose_metric("money")
    return game


@pytest.fixture
def log(game):
    return json.loads(json.dumps(as_log(game)))


def test_a_saved_game_is_played_again(game, tmp_path):
    game.save(tmp_path / "game.json")
    again = Season.replay(tmp_path / "game.json")
    assert again.actions == game.actions and again.weeks == game.weeks and again.pages == game.pages
    assert again.data.equals(game.data) and (again.net, again.money, again.day) == (
        game.net,
        game.money,
        game.day,
    )
    again.finish()
    other = game.fork()
    other.finish()
    assert again.net == other.net


def test_a_log_names_its_format_scenario_and_seed(log):
    assert log["format"] == FORMAT and log["seed"] == 4
    assert log["digest"] == SMALL.digest and Scenario(**log["scenario"]) == SMALL


def _edit(path, value):
    def change(log):
        *way, last = path
        for key in way:
            log = log[key]
        log[last] = value

    return change


EDITS = {
    "more money at the end": (_edit(["end", "net"], 1e6), "played again it ends"),
    "a cheaper bill": (_edit(["actions", 0, "money"], 1.0), "action 1 was"),
    "another day": (_edit(["actions", 1, "day"], 28), "action 2 was"),
    "more data for the money": (_edit(["actions", 0, "arguments", "n"], 3000), "action 1 was"),
    "an impossible amount": (_edit(["actions", 0, "arguments", "n"], -1), "action 1, collect: n=-1"),
    "a feature there is not": (
        _edit(["actions", 3, "arguments", "features"], ["truth"]),
        "no feature 'truth'",
    ),
    "an argument there is not": (_edit(["actions", 0, "arguments", "truth"], True), "unexpected keyword"),
    "a private action": (_edit(["actions", 0, "action"], "_teach"), "none of collect"),
    "no action": (_edit(["actions", 0, "action"], "save"), "none of collect"),
    "an action that is no action": (_edit(["actions", 0], "collect"), "action 1 should hold"),
    "arguments that are none": (_edit(["actions", 0, "arguments"], [1]), "action 1"),
    "another seed": (_edit(["seed"], 5), "was|ends"),
    "a seed out of range": (_edit(["seed"], -1), "seed=-1"),
    "a seed of another kind": (_edit(["seed"], "4"), "seed is str"),
    "an easier scenario": (_edit(["scenario", "noise"], 0.0), "digest"),
    "a scenario out of range": (_edit(["scenario", "noise"], 9.0), "noise=9.0"),
    "a scenario with more": (_edit(["scenario", "cheat"], 1.0), "cheat"),
    "another format": (_edit(["format"], "mlops_lab.reality 2"), "its format"),
    "something more": (_edit(["extra"], 1), "nothing else"),
    "actions that are none": (_edit(["actions"], {}), "actions is dict"),
    "one action less": (lambda log: log["actions"].pop(), "played again it ends"),
    "no end": (lambda log: log.pop("end"), "it should hold"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_log_is_refused(log, tmp_path, name):
    change, words = EDITS[name]
    change(log)
    path = tmp_path / "game.json"
    path.write_text(json.dumps(log), encoding="utf-8")
    with pytest.raises(ValueError, match=words) as error:
        Season.replay(path)
    assert str(path) in str(error.value) and "nothing of it is used" in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"format": NaN}', b"[" * 100_000]
)
def test_what_is_no_log_is_refused(tmp_path, content):
    path = tmp_path / "game.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not the log of a game"):
        Season.replay(path)


def test_a_missing_or_huge_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        Season.replay(tmp_path / "nowhere.json")
    huge = tmp_path / "huge.json"
    huge.write_bytes(b" " * 5_000_001)
    with pytest.raises(ValueError, match="too many for a log"):
        Season.replay(huge)


def test_a_log_without_actions_is_a_fresh_game():
    assert from_log(as_log(Season(SMALL)), Season).day == 28
