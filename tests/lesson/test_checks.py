"""Checks and hints: three outcomes, fitting words, no solution in sight."""

import re

import pytest

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right, told
from mlops_lab.lesson import checks
from mlops_lab.lesson.checks import WrongAnswer, check, hint

HINTS = ("What is asked?", "Look at the table.", "Take the first row.")


def rule(judge):
    return Exercise("demo.1", "How many?", judge, HINTS)


@pytest.fixture
def stored(monkeypatch):
    found = []
    monkeypatch.setattr(checks, "show_typed", lambda *forms: found.append(forms))
    monkeypatch.setattr(
        checks,
        "find",
        lambda id: rule(
            lambda answer, seed: right("Four.") if answer == 4 + seed else not_yet(f"{answer} it is not.")
        ),
    )
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return found


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(..., "not attempted"), ((..., ...), "not attempted"), (4, "right"), (5, "not yet"), (None, "not yet")],
)
def test_three_outcomes(stored, answer, outcome):
    assert check("demo.1", answer) is None
    payload, text, face = stored[0]
    assert (payload["type"], payload["id"], payload["outcome"]) == ("check", "demo.1", outcome)
    assert outcome in text and outcome in face


def test_the_seed_reaches_the_judge(stored):
    check("demo.1", 5, seed=1)
    assert stored[0][0]["outcome"] == "right"


def test_a_half_finished_answer_is_told(stored):
    check("demo.1", (4, ...))
    check("demo.1", {"a": 4, "b": ...})
    assert all("three dots" in text for _, text, _ in stored)


def test_not_yet_folds_the_first_hint_only(stored):
    check("demo.1", 3)
    face = stored[0][2]
    assert "3 it is not." in face and "<details" in face and HINTS[0] in face
    assert HINTS[1] not in face and HINTS[2] not in face
    check("demo.1", 4)
    check("demo.1", ...)
    assert "<details" not in stored[1][2] + stored[2][2]


def test_strict_mode_raises_for_a_wrong_answer_after_showing_it(stored, monkeypatch):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    check("demo.1", ...)
    check("demo.1", 4)
    with pytest.raises(WrongAnswer, match=r"demo\.1: 3 it is not"):
        check("demo.1", 3)
    assert len(stored) == 3


def test_an_answer_that_makes_the_judge_fail_is_not_yet_right():
    class Hostile:
        def __eq__(self, other):
            raise RuntimeError(f"no {self!r} in /home/someone/secret/file.py")

        __hash__ = None

    found = rule(lambda answer, seed: right() if answer == 4 else not_yet("no")).outcome(Hostile())
    assert found.state == "not yet" and "RuntimeError" in found.message
    assert "0x" not in found.message and "secret" not in found.message


def test_ellipsis_is_found_without_comparing_arrays():
    import numpy as np
    import pandas as pd

    always = rule(lambda answer, seed: right())
    for answer in (np.arange(3), pd.DataFrame({"a": [1, 2]}), [np.arange(3), 2], [], {}):
        assert always.outcome(answer) == Outcome("right")


def test_errors_are_told_in_one_line():
    assert told(KeyError("week")) == "KeyError: 'week'"
    assert told(ValueError("two\nlines.")) == "ValueError: two lines"
    assert told(ValueError(r"C:\Users\me\x.csv is gone")) == "ValueError: a file is gone"
    assert len(told(ValueError("x" * 1000))) < 200


def test_hints_are_folded_and_in_order(stored):
    assert hint("demo.1") is None
    payload, text, face = stored[0]
    assert payload == {"type": "hint", "id": "demo.1", "levels": [1, 2, 3]}
    assert [face.index(words) for words in HINTS] == sorted(face.index(words) for words in HINTS)
    assert face.count("<details") == face.count("</summary>") == 3 and "open>" not in face
    assert HINTS[0] in text and HINTS[1] not in text


@pytest.mark.parametrize("level", [1, 2, 3])
def test_one_hint_alone_is_open(stored, level):
    hint("demo.1", level)
    _, text, face = stored[0]
    assert [words in face for words in HINTS] == [n == level for n in (1, 2, 3)]
    assert HINTS[level - 1] in text and "<details" not in face


@pytest.mark.parametrize("level", [0, 4, "1"])
def test_other_levels_are_refused(stored, level):
    with pytest.raises(ValueError, match="hints 1, 2 and 3"):
        hint("demo.1", level)


@pytest.mark.parametrize(
    ("id", "message"),
    [("nowhere.1", "start_here"), ("start_here.99", r"start_here\.1"), ("start_here", "id")],
)
def test_unknown_exercises_name_the_known(id, message):
    with pytest.raises(ValueError, match=message):
        check(id, ...)


def test_a_rule_has_three_hints():
    with pytest.raises(ValueError, match="three"):
        Exercise("demo.1", "How many?", lambda a, s: right(), ("one", "two"))


def test_cards_are_balanced_and_say_their_state_in_words(stored):
    for answer in (..., 3, 4):
        check("demo.1", answer)
    hint("demo.1")
    for _, _, face in stored:
        for tag in ("div", "p", "details", "summary", "span", "strong"):
            assert len(re.findall(rf"<{tag}[ >]", face)) == face.count(f"</{tag}>")
        bare = re.sub(r"<[^>]*>", "", face)
        assert any(word in bare for word in ("not attempted", "not yet", "right", "Hints"))
