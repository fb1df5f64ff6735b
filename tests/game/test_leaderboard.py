"""The leaderboard believes nobody: every game is played again, and what is damaged is refused alone."""

import json

import pandas as pd
import pytest

from mlops_lab import reality
from mlops_lab.game import leaderboard as module
from mlops_lab.game.leaderboard import COLUMNS, leaderboard, main

SMALL = reality.Scenario(weeks=18, volume=200)


def game(rows, *, finish=True, scenario=SMALL, seed=0):
    season = reality.Season(scenario, seed=seed)
    if rows:
        season.collect(rows)
        season.deploy(season.train())
    if finish:
        season.finish()
    return season


GAMES = {"anna": 900, "ben": 150, "card": 0}


@pytest.fixture(scope="module")
def games():
    """Three finished games of the same season."""
    return {name: game(rows) for name, rows in GAMES.items()}


@pytest.fixture
def folder(tmp_path, games):
    for name, played in games.items():
        played.save(tmp_path / f"{name}.json")
    return tmp_path


def edit(path, change):
    log = json.loads(path.read_text(encoding="utf-8"))
    change(log)
    path.write_text(json.dumps(log), encoding="utf-8")


def test_games_are_ranked_by_the_score_that_the_engine_gives(folder, games, bars):
    found = leaderboard(folder)
    truth = {name: reality.judge(played, bars=bars) for name, played in games.items()}
    assert tuple(found.columns) == COLUMNS and found.attrs["refused"] == {}
    assert dict(zip(found["name"], found["score"], strict=True)) == {n: s.score for n, s in truth.items()}
    assert found["score"].is_monotonic_decreasing and found["rank"].tolist() == [1, 2, 3]
    row = found.set_index("name").loc["anna"]
    story = truth["anna"]
    assert (row["net"], row["gap"], row["penalty"]) == (story.net, story.gap, story.penalty)
    assert (row["dream"], row["card"], row["oracle"]) == (
        story.yardsticks.naive, story.yardsticks.rule_card, story.yardsticks.oracle
    )  # fmt: skip


EDITS = {
    "net": (lambda log: log["end"].update(net=9e9), "played again it ends with"),
    "money": (lambda log: log["end"].update(money=25_000.0), "played again it ends with"),
    "price": (lambda log: log["actions"][0].update(money=0.0), "action 1"),
    "rows": (lambda log: log["actions"][0]["arguments"].update(n=9), "action 1"),
    "untrained": (lambda log: log["actions"].pop(1), "action 2"),
    "budget": (lambda log: log["scenario"].update(budget=9e6), "digest"),
    "score": (lambda log: log.update(score=5.0), "nothing else"),
    "seed": (lambda log: log.update(seed=1), "log says"),
    "word": (lambda log: log.update(seed="0"), "seed"),
    "teach": (
        lambda log: log.update(actions=[{"day": 28, "action": "_teach", "arguments": {}, "money": 0}]),
        "_teach",
    ),
}

NO_LOGS = [b"", b"{", b"[]", b"\xff\xfe\x00", b"null", b"[" * 100_000, b'{"a": NaN}']


def test_edited_logs_and_what_is_no_log_are_refused_and_the_others_are_ranked(folder):
    for name, (change, _) in EDITS.items():
        (folder / f"{name}.json").write_bytes((folder / "ben.json").read_bytes())
        edit(folder / f"{name}.json", change)
    for number, content in enumerate(NO_LOGS):
        (folder / f"none{number}.json").write_bytes(content)
    found = leaderboard(folder)
    refused = found.attrs["refused"]
    assert sorted(found["name"]) == sorted(GAMES)
    assert set(refused) == {f"{name}.json" for name in [*EDITS, *(f"none{n}" for n in range(len(NO_LOGS)))]}
    for name, (_, why) in EDITS.items():
        assert why in refused[f"{name}.json"], name
    assert not any(str(folder) in said for said in refused.values())
    written = (folder / "leaderboard.csv").read_text(encoding="utf-8")
    assert not any(name in written for name in EDITS if name not in COLUMNS)


def test_a_season_that_is_not_over_is_not_ranked(folder):
    game(150, finish=False).save(folder / "late.json")
    assert "not over" in leaderboard(folder).attrs["refused"]["late.json"]


def test_equal_games_share_a_rank_and_are_pointed_out(folder):
    (folder / "copy.json").write_bytes((folder / "anna.json").read_bytes())
    found = leaderboard(folder).set_index("name")
    assert found.loc["anna", "rank"] == found.loc["copy", "rank"]
    assert (
        found.loc["copy", "note"].endswith("the same actions as anna")
        and "same" not in found.loc["anna", "note"]
    )
    assert sorted(found["rank"]) in ([1, 1, 3, 4], [1, 2, 2, 4], [1, 2, 3, 3])


def test_other_dials_are_pointed_out_and_other_scenarios_can_be_refused(folder):
    assert set(leaderboard(folder)["note"]) == {"dials of its own"}
    game(150, scenario=SMALL.with_(noise=0)).save(folder / "easy.json")
    found = leaderboard(folder, scenario=SMALL)
    assert len(found) == 3 and "'orchard' with dials of its own" in found.attrs["refused"]["easy.json"]


def test_the_files_hold_the_table_and_no_foreign_address(folder):
    (folder / "=1+1.json").write_bytes((folder / "ben.json").read_bytes())
    (folder / "a&b.json").write_text("{}", encoding="utf-8")
    found = leaderboard(folder)
    read = pd.read_csv(folder / "leaderboard.csv", keep_default_na=False)
    assert read["name"].tolist() == [n if n[0] != "=" else f"'{n}" for n in found["name"]]
    assert read["score"].tolist() == found["score"].tolist()
    page = (folder / "leaderboard.html").read_text(encoding="utf-8")
    assert "a&amp;b.json" in page and "a&b" not in page
    assert "://" not in page and "<script" not in page and "src=" not in page
    for name, score in zip(found["name"], found["score"], strict=True):
        assert f"<td>{name}</td>" in page and f"{score:.3f}" in page


def test_twice_gives_the_same_files(folder):
    leaderboard(folder)
    first = [(folder / name).read_bytes() for name in (module.CSV, module.PAGE)]
    leaderboard(folder)
    assert [(folder / name).read_bytes() for name in (module.CSV, module.PAGE)] == first


def test_the_command_says_ranks_and_refusals(folder, capsys):
    assert main(folder) == 0
    (folder / "zoe.json").write_text("{}", encoding="utf-8")
    assert main(folder) == 1
    said = capsys.readouterr().out
    assert "REFUSED zoe.json" in said and "leaderboard.html" in said and "   1  " in said


def test_nothing_to_rank_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"holds no NAME\.json"):
        leaderboard(tmp_path)
    with pytest.raises(ValueError, match="there is no such folder"):
        leaderboard(tmp_path / "nowhere")
    (tmp_path / "zoe.json").write_text("{}", encoding="utf-8")
    assert main(tmp_path) == 1
    assert leaderboard(tmp_path).empty
