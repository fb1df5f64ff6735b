"""The board: what is pressed is done, priced and kept; a proof shows a game that is the same everywhere."""

import html
import re
import shutil

import pytest

from mlops_lab import reality
from mlops_lab.course.validate import exact
from mlops_lab.game import narration, scores
from mlops_lab.game.board import Board, ReplayedGame, reality_board
from mlops_lab.game.scores import LOGS, final_score
from mlops_lab.game.session import GameSession, file_name
from mlops_lab.reality.evaluation import underpaid
from mlops_lab.reality.played_season import FAIR_GAP, UNFAIR_COST

SMALL = reality.Scenario(weeks=18, volume=200)


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return Board(GameSession(SMALL, 0, tmp_path / "game.json"))


def press(board, kind, action, **fields):
    """Turn to a form, fill in its fields, and press its button, as a hand does."""
    board.kind.value = kind
    form = next(form for form in board.forms[kind] if form.action == action)
    for name, value in fields.items():
        form.fields[name].value = value
    assert not form.button.disabled
    form.button.click()
    return html.unescape(re.sub("<[^>]*>", " ", board.message.value))


def gap_and_score(game, bars):
    """Judge a finished game by hand."""
    low = underpaid(game).values()
    gap = max(low) - min(low)
    return gap, (game.net - bars.naive) / (bars.oracle - bars.naive) - UNFAIR_COST * max(0, gap - FAIR_GAP)


def test_every_form_does_its_action_with_its_fields(board):
    press(board, "Data", "collect", n="300", source="recent", group="handheld", expert=True)
    press(board, "Data", "gold", n="20", grade="spoiled")
    press(board, "Train", "train", colour=False, scanner=True, weight="3", note="why not")
    press(board, "Data", "collect", n="1,000", source="archive", group="", expert=False)
    press(board, "Labels", "relabel", n="40", choose="random")
    press(board, "Train", "train", colour=True, scanner=False, weight="", note="")
    press(board, "Test", "test", symptom="class", n="12", version="v1")
    press(board, "Release", "deploy", version="v1")
    press(board, "Release", "rollback", version="v0")
    press(board, "Time", "tick", days="7", pager=False)
    press(board, "Release", "choose_metric", metric="money", return_cost="8.5")
    done = [(entry["action"], entry["arguments"]) for entry in board.session.game.actions]
    names = [name for name in SMALL.features if name != "colour"] + ["scanner"]
    assert [each for each in done if each[0] != "tick"] == [
        ("collect", {"n": 300, "source": "recent", "group": "handheld", "expert": True}),
        ("gold", {"n": 20, "source": "archive", "grade": "spoiled"}),
        ("train", {"features": names, "recent_weight": 3, "note": "why not"}),
        ("collect", {"n": 1000, "source": "archive", "expert": False}),
        ("relabel", {"n": 40, "choose": "random"}),
        ("train", {"recent_weight": 1, "note": ""}),
        ("test", {"symptom": "class", "n": 12, "version": "v1"}),
        ("deploy", {"version": "v1"}),
        ("rollback", {"version": "v0"}),
        ("choose_metric", {"name": "money", "return_cost": 8.5}),
    ]
    assert sum(given["days"] for action, given in done if action == "tick") == 7


@pytest.mark.parametrize(
    ("kind", "action", "fields", "said"),
    [
        ("Data", "collect", {"n": "many"}, "n='many': a whole number"),
        ("Data", "collect", {"n": "-5"}, "n=-5"),
        ("Data", "collect", {"n": "49,000"}, "of the budget are left"),
        ("Data", "gold", {"n": ""}, "n"),
        ("Labels", "relabel", {}, "collect items first"),
        ("Train", "train", {}, "nothing to train on"),
        ("Release", "deploy", {"version": "v0"}, "v0 is live already"),
        ("Release", "deploy", {}, "no version"),
        ("Release", "choose_metric", {"metric": "money"}, "weeks"),
        ("Time", "tick", {"days": "0"}, "days=0"),
        ("Time", "tick", {"days": "soon"}, "days='soon'"),
    ],
)
def test_what_is_not_possible_is_answered_and_changes_nothing(board, kind, action, fields, said):
    before = board.session.game.day, board.session.game.money, board.session.game.actions
    answer = press(board, kind, action, **fields)
    assert said in answer and "Nothing has changed" in answer
    assert (board.session.game.day, board.session.game.money, board.session.game.actions) == before
    form = next(form for form in board.forms[kind] if form.action == action)
    warned = "Choose a version" if said == "no version" else said
    assert warned in html.unescape(form.price.value), "the price did not warn of it"


def test_the_price_stands_there_before_the_button_is_pressed(board):
    form = board.forms["Data"][0]
    form.fields["n"].value = "250"
    assert "Costs 150.00 and takes 2 days" in form.price.value
    form.fields["expert"].value = True
    assert "Costs 1,000.00 and takes 3 days" in form.price.value


def test_each_action_is_on_disk_at_once_and_another_board_goes_on(board):
    press(board, "Data", "collect", n="150")
    press(board, "Train", "train")
    again = Board(GameSession(SMALL, 0, board.session.path))
    here, there = again.session.game, board.session.game
    assert here.actions == there.actions and here.money == there.money
    assert "goes on from game.json" in again.message.value
    assert ("v1", "v1") in [tuple(option) for option in again.forms["Release"][0].versions[0].options]


def test_the_weeks_are_drawn_again_only_where_their_picture_changes(board, monkeypatch):
    drawn, draw = [], narration.draw_weeks
    monkeypatch.setattr(narration, "draw_weeks", lambda game: drawn.append(len(game.actions)) or draw(game))
    press(board, "Time", "tick", days="7")
    before = board.weeks.value
    press(board, "Data", "collect", n="150")
    press(board, "Train", "train")
    assert board.weeks.value == before
    press(board, "Release", "deploy", version="v1")
    assert drawn == [1, 4] and board.weeks.value != before


def test_a_test_is_shown_in_words_and_as_a_picture(board):
    press(board, "Data", "collect", n="400")
    said = press(board, "Test", "test", symptom="labels")
    found = board.session.game.reports[-1][1]
    assert found.headline() in said
    assert 'src="data:image/png' in board.tested.value and html.escape(found.headline()) in board.tested.value


def ring(board):
    """Play until the pager rings; a louder world makes it certain."""
    press(board, "Data", "collect", n="1500")
    press(board, "Train", "train")
    press(board, "Release", "deploy", version="v1")
    press(board, "Time", "tick", days="70")
    assert board.session.ringing is not None, "no page rang"


@pytest.fixture
def rung(tmp_path, monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    board = Board(GameSession(SMALL.with_(volume=800, group_share=0.3), 0, tmp_path / "game.json"))
    ring(board)
    return board


def test_a_page_must_be_answered_and_going_back_to_sleep_is_an_answer(rung, tmp_path):
    page = rung.session.ringing
    assert page.clock in rung.page.value and html.escape(str(page)) in rung.page.value
    assert rung.answers.layout.display == "flex" and rung.play_box.layout.display == "none"
    before = rung.session.game.actions
    rung.act("tick", days=7)
    assert "answer it first" in rung.message.value and rung.session.game.actions == before
    shutil.copy(rung.session.path, tmp_path / "copy.json")
    again, asleep = (Board(GameSession(None, None, tmp_path / name)) for name in ("game.json", "copy.json"))
    assert again.session.ringing == page, "opening the log again hides the page"
    rung.look.click()
    assert rung.session.game.actions[-1]["arguments"]["symptom"] == "bias"
    assert rung.page.value == "" and rung.play_box.layout.display == "flex"
    assert again.older.options == ("v0",)
    again.back.click()
    assert again.session.game.live == "v0" and again.session.ringing is None
    asleep.sleep.click()
    assert asleep.session.ringing is None
    day = asleep.session.game.day
    press(asleep, "Time", "tick", days="2")
    assert asleep.session.game.day == day + 2


def test_the_weeks_are_the_same_whether_watched_or_not(board):
    press(board, "Data", "collect", n="500")
    press(board, "Train", "train")
    press(board, "Release", "deploy", version="v1")
    press(board, "Time", "tick", days="45", pager=False)
    plain = reality.Season(SMALL, seed=0)
    plain.collect(500)
    plain.train()
    plain.deploy("v1")
    plain.tick(45, pager=False)
    assert plain.weeks == board.session.game.weeks and plain.day == board.session.game.day
    assert plain.complaints.equals(board.session.game.complaints)


def test_progress_is_told_while_weeks_are_served(tmp_path):
    told = []
    GameSession(SMALL).do("tick", days=30, progress=lambda doing, share: told.append((doing, share)))
    assert [doing for doing, _ in told][:2] == ["week 4 is served by v0", "week 5 is served by v0"]
    assert [share for _, share in told] == sorted(share for _, share in told) and told[-1][1] == 1.0


def test_the_end_shows_the_score_beside_the_others(board, bars):
    press(board, "Data", "collect", n="400")
    press(board, "Train", "train")
    press(board, "Release", "deploy", version="v1")
    press(board, "Time", "finish")
    story = reality.judge(board.session.game, bars=bars)
    shown = html.unescape(board.score.value)
    for who in ("you", "the dream", "the card", "the lecture", "the oracle"):
        assert f"{who} " in shown
    assert f"{story.net:,.0f}" in shown and f"{story.yardsticks.oracle:,.0f}" in shown
    assert f"Your score is {story.score:.2f}" in board.message.value
    rows = {who: (net, gap, score) for who, net, gap, score in final_score(board.session.game).rows()}
    game = reality.Season(SMALL)
    reality.POLICIES["lecture"](game)
    assert rows["the lecture"] == pytest.approx((game.net, *gap_and_score(game, bars)), abs=1e-5)
    assert (
        rows["the dream"][0] == story.yardsticks.naive and rows["the card"][0] == story.yardsticks.rule_card
    )
    assert board.play_box.layout.display == "none"


def test_a_new_game_asks_twice_and_keeps_the_old_log(board):
    press(board, "Data", "collect", n="100")
    before = board.session.path.read_bytes()
    board.new.click()
    assert board.session.game.actions and "again" in board.new.description
    board.new.click()
    assert not board.session.game.actions and board.session.game.money == SMALL.budget
    assert board.session.path.with_name("game-1.json").read_bytes() == before


def test_a_cut_off_action_has_not_happened(board, monkeypatch):
    press(board, "Data", "collect", n="200")
    kept = board.session.path.read_bytes()

    def cut(self, *given, **named):
        self._begin("train", {"features": None, "recent_weight": 1, "note": ""})
        raise KeyboardInterrupt

    monkeypatch.setattr(reality.Season, "train", cut)
    said = press(board, "Train", "train")
    monkeypatch.undo()
    assert "Stopped" in said
    assert board.session.path.read_bytes() == kept and len(board.session.game.actions) == 1
    assert "Trained v1" in press(board, "Train", "train")


def test_a_folder_that_cannot_be_written_is_said_and_the_game_goes_on(board, monkeypatch):
    def full(self, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reality.Season, "save", full)
    said = press(board, "Data", "collect", n="100")
    assert "Bought 100" in said and "NOT SAVED (No space left on device)" in said
    monkeypatch.undo()
    assert "NOT SAVED" not in press(board, "Data", "collect", n="50")
    assert len(reality.Season.replay(board.session.path).data) == 150


@pytest.mark.parametrize("what", ["scenario", "dials", "seed", "edited", "no log"])
def test_the_log_of_another_game_is_refused_and_left_as_it_is(board, what, monkeypatch):
    press(board, "Data", "collect", n="100")
    path = board.session.path
    if what == "edited":
        path.write_text(path.read_text().replace('"money": 24940.0', '"money": 25940.0'))
    if what == "no log":
        path.write_text("{}")
    before = path.read_bytes()
    asked = {"scenario": "phones", "dials": SMALL.with_(noise=0.5)}.get(what, SMALL)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        reality_board(asked, 1 if what == "seed" else 0, path)
    assert path.read_bytes() == before


def test_without_a_path_the_log_is_named_after_scenario_and_seed(tmp_path, monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    monkeypatch.chdir(tmp_path)
    reality_board(SMALL, 2)
    assert list(tmp_path.iterdir()) == [], "an opened board has written something"
    assert file_name(SMALL, 2) == "game_orchard_seed2.json"
    assert file_name(SMALL.with_(name="My shop/../x"), 0) == "game_My_shop_x_seed0.json"


def test_under_a_proof_a_log_is_played_again(tmp_path, monkeypatch, capsys):
    game = reality.Season(SMALL, seed=3)
    game.collect(300)
    game.deploy(game.train())
    game.tick(21, pager=False)
    game.save(tmp_path / "log.json")
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    monkeypatch.chdir(tmp_path)
    shown = reality_board(SMALL, 3, tmp_path / "log.json")
    assert isinstance(shown, ReplayedGame) and shown.score is None
    assert shown.season.actions == game.actions
    told = " ".join(repr(shown).split())
    assert "seed 3: a game of 4 actions" in told and "train v1; deploy v1" in told
    assert "Figure: Weeks 4 to" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"], "a proof has written a file"


def test_under_a_proof_without_a_log_a_policys_game_is_shown_the_same_each_time(monkeypatch, bars):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    one, two = (reality_board(SMALL, 0, example="expectation") for _ in range(2))
    assert repr(one) == repr(two)
    game = reality.Season(SMALL)
    reality.POLICIES["expectation"](game)
    assert one.score == pytest.approx(gap_and_score(game, bars)[1], abs=1e-5)
    assert str(one).count("\n") > 18 and f"{one.score:.2f}" in repr(one)
    with pytest.raises(
        ValueError, match="example='oracle' is no policy that a player can play; there are exp"
    ):
        reality_board(SMALL, example="oracle")


@pytest.mark.skipif(not exact(), reason="other processors and releases may play otherwise")
def test_the_game_that_the_lesson_shows_is_kept_and_is_what_the_lecture_plays(tmp_path):
    """Where the engine has changed: reality.play(name, seed=seed).season.save(path) makes the log anew."""
    kept = sorted(LOGS.glob("*.json"))
    assert [path.name for path in kept] == ["orchard_seed0_lecture.json"]
    game = reality.Season("orchard", seed=0)
    reality.POLICIES["lecture"](game)
    game.save(tmp_path / "now.json")
    assert (tmp_path / "now.json").read_text() == kept[0].read_text()


def test_a_kept_game_is_replayed_and_not_played(monkeypatch):
    monkeypatch.setattr(scores, "played", lambda *_: pytest.fail("it was played"))
    orchard = reality.load_scenario("orchard")
    assert scores.example_game(orchard, 0, "lecture").over
    with pytest.raises(pytest.fail.Exception):
        scores.example_game(orchard, 1, "lecture")
