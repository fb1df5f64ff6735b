"""The panel of real tables keeps its form: what is judged, why, and what stays apart."""

import json
from collections import Counter

import pytest
import real_tables

PANEL = real_tables.questions()
FIGURES = json.loads((real_tables.PANEL / "analysis.json").read_text(encoding="utf-8"))
IN_DEVELOPMENT = (
    "diamonds",
    "bundesliga",
    "hdma",
    "hmda",
    "flchain",
    "fair",
    "affairs",
    "seattle-weather",
    "movies",
)


@pytest.mark.parametrize("question", PANEL, ids=lambda question: question.name)
def test_a_question_has_decisions_a_reason_and_figures(question):
    assert question.asks.endswith("?")
    assert question.acceptable
    assert question.wrong
    assert {*question.acceptable, *question.wrong} <= set(real_tables.DECISIONS)
    assert not set(question.acceptable) & set(question.wrong)
    assert len(question.why.split()) >= 8
    assert "\n" not in question.why
    assert (question.asks_about == "column") is bool(question.columns)
    assert question.kind in ("numbers", "classes")
    assert FIGURES[question.name]["rows"] > 50
    assert ("time" in FIGURES[question.name]) is (question.time is not None)
    assert ("live_auc" in FIGURES[question.name]) is bool(question.live)
    assert ("money" in FIGURES[question.name]) is bool(question.costs)


def test_every_question_stands_once_and_every_figure_has_one():
    assert max(Counter(question.name for question in PANEL).values()) == 1
    assert max(Counter((q.source, q.target, q.drop) for q in PANEL).values()) == 1
    assert set(FIGURES) == {question.name for question in PANEL}


def test_the_panel_is_large_and_covers_every_decision():
    assert len({question.source for question in PANEL}) >= 25
    accepted = Counter(decision for question in PANEL for decision in question.acceptable)
    assert set(accepted) == set(real_tables.DECISIONS)
    assert min(accepted.values()) >= 2
    assert sum(figures["rows"] > 20_000 for figures in FIGURES.values()) >= 5
    assert sum(question.asks_about == "column" for question in PANEL) >= 4


def test_eight_questions_stay_apart_and_differ():
    apart = [question for question in PANEL if question.apart]
    assert len(apart) == 8
    assert len({question.acceptable[0] for question in apart}) >= 6
    others = {question.source for question in PANEL if not question.apart}
    assert not {question.source for question in apart} & others


def test_no_table_is_one_that_the_decisions_are_developed_on():
    named = [source.lower() for question in PANEL for source in (question.source, *question.live.values())]
    assert not [source for source in named if source.split("/")[-1] in IN_DEVELOPMENT]


def test_rates_count_each_answer_once_and_know_what_is_clearly_wrong():
    def each(got, about=None):
        judged = {"acceptable": ["RULE"], "wrong": ["ML"], "asks_about_the_column": about}
        return {**judged, "got": got, "cpu_s": 1.0, "most_cpu_s": 2.0}

    found = real_tables.rates(
        [each(["RULE"] * 3, about=True), each(["RULE", "ML", "REFUSED: x"], about=False)]
    )
    assert (found["questions"], found["asked"]) == (2, 6)
    assert found["acceptable"] == pytest.approx(4 / 6, abs=1e-4)
    assert found["clearly_wrong"] == found["refused"] == pytest.approx(1 / 6, abs=1e-4)
    assert found["same_at_all_seeds"] == 0.5
    assert found["column_asked_about"] == [1, 2]


def test_a_question_that_stays_apart_shows_in_no_result():
    found = json.loads(real_tables.RESULTS.read_text(encoding="utf-8"))
    assert set(found["by_question"]) == {question.name for question in PANEL if not question.apart}
    assert found["apart"]["questions"] == 8
    assert found["shown"] == real_tables.rates([*found["by_question"].values()])


def test_a_named_question_that_stays_apart_is_not_asked(monkeypatch):
    apart = next(question.name for question in PANEL if question.apart)
    monkeypatch.setattr("sys.argv", ["real_tables.py", apart])
    monkeypatch.setattr(real_tables, "written", lambda: "")
    with pytest.raises(SystemExit, match="stays apart"):
        real_tables.main()
