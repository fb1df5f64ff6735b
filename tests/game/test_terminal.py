"""The game in a terminal: typed from a file, answered in words, kept whatever happens."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab import reality
from mlops_lab.game.narration import diary
from mlops_lab.game.session import GameSession
from mlops_lab.game.terminal import COMMANDS, TerminalGame, menu, parse, play

ROOT = Path(__file__).parents[2]
SMALL = reality.Scenario(weeks=18, volume=200)


def typed(*lines, path=None, scenario=SMALL):
    """Play what is typed; give the session and all that was said."""
    said = io.StringIO()
    session = GameSession(scenario, None, path)
    TerminalGame(session, io.StringIO("".join(f"{line}\n" for line in lines)), said).run()
    return session, said.getvalue()


@pytest.mark.parametrize(
    ("line", "action", "given"),
    [
        ("collect 600", "collect", {"n": 600}),
        ("collect 1,200 recent", "collect", {"n": 1200, "source": "recent"}),
        ("COLLECT 60 spoiled handheld recent", "collect",
         {"n": 60, "source": "recent", "group": "handheld", "grade": "spoiled"}),
        ("collect 50 archive all expert", "collect",
         {"n": 50, "source": "archive", "group": "all", "expert": True}),
        ("gold 40 recent premium", "gold", {"n": 40, "source": "recent", "grade": "premium"}),
        ("test bias", "test", {"symptom": "bias"}),
        ("test class 40 v1", "test", {"symptom": "class", "n": 40, "version": "v1"}),
        ("relabel 30", "relabel", {"n": 30}),
        ("relabel 30 random", "relabel", {"n": 30, "choose": "random"}),
        ("train", "train", {}),
        ('train colour,sugar nir weight 4 note "more of" it', "train",
         {"features": ["colour", "sugar", "nir"], "recent_weight": 4, "note": "more of it"}),
        ("train +scanner", "train", {"features": [*SMALL.features, "scanner"]}),
        ("deploy v3", "deploy", {"version": "v3"}),
        ("rollback v1", "rollback", {"version": "v1"}),
        ("metric accuracy", "choose_metric", {"name": "accuracy"}),
        ("metric money 8.5", "choose_metric", {"name": "money", "return_cost": 8.5}),
        ("tick 7", "tick", {"days": 7}),
        ("tick 70 quiet", "tick", {"days": 70, "pager": False}),
        ("finish", "finish", {}),
    ],
)  # fmt: skip
def test_a_line_means_an_action(line, action, given):
    assert parse(line, SMALL) == (action, given)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("colect 600", ["'colect'", "Did you mean collect?", "help"]),
        ("xyzzy", ["'xyzzy'", "help"]),
        ("collect", ["how many crates", "nothing was typed", "collect N"]),
        ("collect many", ["'many'", "whole number"]),
        ("collect 6.5", ["'6.5'"]),
        ("collect 600 recnt", ["'recnt'", "Did you mean recent?", "archive"]),
        ("collect 600 belt handheld", ["two of a kind", "'handheld'"]),
        ("gold 10 expert", ["'expert'", "It knows"]),
        ("test", ["labels, class, recent, bias, revenue"]),
        ("test labels few", ["'few'"]),
        ("train weight", ["how often", "nothing was typed"]),
        ("deploy", ["one version", "deploy VERSION"]),
        ("metric", ["accuracy or money"]),
        ("metric money much", ["'much'"]),
        ("tick soon", ["'soon'"]),
        ("tick 7 loud", ["'loud'", "quiet"]),
        ("finish now", ["'now'"]),
        ("status please", ["status takes nothing", "'please'"]),
        ("collect '600", ["quotation"]),
    ],
)
def test_a_mistyped_line_gets_the_way_out_and_changes_nothing(line, parts):
    session, said = typed(line)
    flat = " ".join(said.split())
    for part in parts:
        assert part in flat
    assert session.game.actions == ()


def test_what_the_engine_refuses_is_answered_in_words():
    lines = [
        "deploy v9",
        "collect 49000",
        "train",
        "rollback v0",
        "test bogus",
        "metric money",
        "train bogus",
        "tick 0",
    ]
    session, said = typed(*lines)
    assert " ".join(said.split()).count("Nothing has changed") == len(lines)
    assert session.game.actions == () and session.game.day == 28


def test_typed_and_called_games_are_the_same_game(tmp_path):
    session, _ = typed(
        "collect 400", "test labels 100", "relabel 60", "train note second", "deploy v1", "tick 21 quiet",
        "gold 50 recent handheld", "metric money 6", "rollback v0", path=tmp_path / "g.json",
    )  # fmt: skip
    game = reality.Season(SMALL)
    game.collect(400)
    game.test("labels", 100)
    game.relabel(60)
    game.train(note="second")
    game.deploy("v1")
    game.tick(21, pager=False)
    game.gold(50, source="recent", group="handheld")
    game.choose_metric("money", return_cost=6.0)
    game.rollback("v0")
    entered = session.game
    assert entered.weeks == game.weeks and entered.money == game.money and entered.day == game.day
    assert reality.Season.replay(tmp_path / "g.json").weeks == game.weeks


@pytest.mark.slow
def test_a_whole_game_ends_with_weeks_and_score():
    session, said = typed("collect 500", "train", "deploy v1", "finish", "collect 5")
    story = reality.judge(session.game)
    assert diary(session.game) in said
    assert f"{'you':<14} {story.net:>10,.0f} {story.gap:>6.2f} {story.score:>7.2f}" in said
    for who in ("the dream", "the card", "the lecture", "the oracle"):
        assert f"\n{who} " in said
    assert "collect 5\n" not in said, "it went on after the end"


def test_the_timeline_tells_each_week_and_what_was_done():
    session, _ = typed("collect 300", "train", "deploy v1", "tick 21 quiet", "rollback v0", "tick 14")
    lines = diary(session.game).splitlines()
    rows = {int(line[:4]): line for line in lines[2:] if line[:4].strip().isdigit()}
    assert sorted(rows) == [week.week for week in session.game.weeks]
    for week in session.game.weeks:
        assert rows[week.week].split()[1:3] == [week.version, f"{week.revenue:,.0f}"]
    told = " ".join(" ".join(lines).split())
    assert "train v1; deploy v1" in told and "roll back to v0" in told
    most = max(session.game.weeks, key=lambda week: week.revenue)
    assert rows[most.week].count("#") == max(row.count("#") for row in rows.values()) == 14
    assert max(map(len, lines)) <= 100


def test_a_grade_of_two_words_is_quoted():
    phones = reality.load_scenario("phones")
    assert parse("collect 9 'like new'", phones) == ("collect", {"n": 9, "grade": "like new"})
    assert "'like new'" in menu(phones)
    with pytest.raises(ValueError, match=r"It knows .*'like new'"):
        parse("collect 9 like new", phones)


def test_showing_costs_nothing():
    session, said = typed(
        "help",
        "help tick",
        "status",
        "weeks",
        "versions",
        "prices",
        "cost collect 600 recent",
        "cost",
        "cost status",
        "",
        "# a remark",
    )
    assert session.game.actions == ()
    assert "Costs 360.00 and takes 3 days" in said and said.count("cost needs an action") == 2
    assert "tick DAYS [quiet]" in said and "the card, by hand" in said
    shown = menu(SMALL)
    assert max(map(len, shown.splitlines())) <= 100
    for command in COMMANDS:
        assert f"\n  {command}" in shown


def test_the_pager_must_be_answered(tmp_path):
    loud = SMALL.with_(volume=800, group_share=0.3)
    start = ["collect 1500", "train", "deploy v1", "tick 70"]
    session, said = typed(*start, "tick 7", "collect 5", path=tmp_path / "g.json", scenario=loud)
    page = session.game.pages[-1]
    assert f"{page.clock}   the pager rings" in said and "Answer it: test bias" in said
    assert said.count("answer it first") == 2 and session.ringing == page
    again, said = typed("sleep", "sleep", "tick 2", path=tmp_path / "g.json", scenario=loud)
    assert "the pager rings" in said and "You put the phone away" in said and "The phone is silent" in said
    assert again.game.day == page.day + 3
    looked, said = typed(*start, "test bias", "tick 1", scenario=loud)
    assert "Test of bias: THE SYMPTOM IS THERE" in said and looked.game.day == page.day + 2
    back, said = typed(*start, "rollback v0", "tick 1", scenario=loud)
    assert "v0 grades again" in said and back.game.live == "v0"


def test_a_game_goes_on_where_it_was_left(tmp_path):
    path = tmp_path / "mine.json"
    out = io.StringIO()
    assert play("orchard", seed=2, log=path, lines=io.StringIO("collect 100\n"), out=out) == 0
    assert f"\n  python3 -m mlops_lab play --resume --log {path}\n" in out.getvalue()
    out = io.StringIO()
    assert play(log=path, resume=True, lines=io.StringIO("train\nquit\n"), out=out) == 0
    game = reality.Season.replay(path)
    assert game.seed == 2 and [entry["action"] for entry in game.actions] == ["collect", "train"]
    assert "The game goes on: 1 action" in out.getvalue()


def test_a_log_that_is_there_is_never_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quit_ = {"lines": io.StringIO("quit\n"), "out": io.StringIO()}
    play("phones", seed=3, lines=io.StringIO("collect 10\nquit\n"), out=io.StringIO())
    path = tmp_path / "game_phones_seed3.json"
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"is there already: go on with it by --resume"):
        play("phones", seed=3, **quit_)
    with pytest.raises(ValueError, match="holds a game of 'phones', not of 'orchard'"):
        play("orchard", log=path, resume=True, **quit_)
    with pytest.raises(ValueError, match="holds a game of seed 3, not of 4"):
        play(seed=4, log=path, resume=True, **quit_)
    with pytest.raises(ValueError, match=r"there is no other\.json to go on with"):
        play(log=Path("other.json"), resume=True, **quit_)
    with pytest.raises(ValueError, match="nowhere"):
        play("nowhere", **quit_)
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match=r"game_phones_seed3\.json"):
        play("phones", seed=3, resume=True, **quit_)
    assert path.read_bytes() == b"{}" and before != b"{}"


def test_ctrl_c_within_an_action_loses_only_that_action(tmp_path, monkeypatch):
    def cut(self, **given):
        self._begin("train", {"features": None, "recent_weight": 1, "note": ""})
        raise KeyboardInterrupt

    monkeypatch.setattr(reality.Season, "train", cut)
    out = io.StringIO()
    code = TerminalGame(
        GameSession(SMALL, 0, tmp_path / "g.json"), io.StringIO("collect 200\ntrain\n"), out
    ).run()
    monkeypatch.undo()
    assert code == 130 and "--resume" in out.getvalue()
    assert [entry["action"] for entry in reality.Season.replay(tmp_path / "g.json").actions] == ["collect"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process alone")
def test_ctrl_c_at_the_prompt_keeps_the_game(tmp_path):
    path = tmp_path / "g.json"
    # a shell starts its background jobs with Ctrl-C ignored, and their children inherit that
    heard = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('mlops_lab.cli', run_name='__main__')"
    )
    command = [sys.executable, "-c", heard, "play", "orchard", "--seed", "1", "--log", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    game = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        game.stdin.write(b"collect 50\n")
        game.stdin.flush()
        said = b""
        while b"Bought 50" not in said:  # what has been done is kept, and the next line is waited for
            line = game.stdout.readline()
            assert line, said
            said += line
        game.send_signal(signal.SIGINT)
        said += game.communicate(timeout=120)[0]
    finally:
        game.kill()
    assert game.returncode == 130, said
    assert b"The game is kept in g.json" in said and b"Traceback" not in said
    assert len(reality.Season.replay(path).data) == 50


@pytest.mark.slow
def test_the_command_plays_from_a_pipe_and_ranks(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mlops_lab.cli", "play"]
    first = subprocess.run(
        [*command, "phones", "--log", "eve.json"], cwd=tmp_path, env=environment, input="tick 7\nquit\n",
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "week: 5 of" in first.stdout or "It is day 35" in first.stdout
    ranked = subprocess.run(
        [*command, "--leaderboard", "."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ranked.returncode == 1 and "REFUSED eve.json" in ranked.stdout and "not over" in ranked.stdout
