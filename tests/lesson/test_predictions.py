"""Predictions: what is shown, what is kept, and that stored outputs do not depend on it."""

import json
import os
import re

import numpy as np
import pytest

from mlops_lab.lesson import predictions
from mlops_lab.lesson.predictions import predict, reveal, save, saved

OPTIONS = {"up": "change > 0.1", "down": "change < -0.1", "it stays": "otherwise"}


@pytest.fixture
def stored(monkeypatch, tmp_path):
    found = []
    monkeypatch.setattr(predictions, "show_typed", lambda *forms: found.append(forms))
    monkeypatch.setattr(predictions, "_asked", {})
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def widgets(stored, monkeypatch):
    """A student's notebook: the widgets that were displayed."""
    import IPython.display

    found = []
    monkeypatch.setattr(predictions, "in_students_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", found.append)
    return found


def test_a_prediction_lists_its_options_with_letters(stored):
    assert predict("demo.way", "Which way?", OPTIONS) is None
    payload, text, face = stored[0]
    assert payload == {
        "type": "prediction",
        "id": "demo.way",
        "question": "Which way?",
        "options": list(OPTIONS),
    }
    for form in (text, face):
        assert all(part in form for part in ("Which way?", "a) up", "b) down", "c) it stays"))


@pytest.mark.parametrize("options", [["one"], ["x", "x"], "ab", [1, 2], ["a", " "], list("abcdefghi")])
def test_options_are_two_to_eight_different_texts(stored, options):
    with pytest.raises(ValueError, match="options="):
        predict("demo.way", "Which way?", options)
    assert not stored


@pytest.mark.parametrize(
    ("change", "letter", "answer"),
    [
        (0.2, "a", "up"),
        (np.float32(-0.5), "b", "down"),
        (np.int64(0), "c", "it stays"),
        (-0.1, "c", "it stays"),
    ],
)
def test_the_first_option_whose_condition_holds_is_the_answer(stored, change, letter, answer):
    predict("demo.way", "Which way?", OPTIONS)
    assert reveal("demo.way", change=change, because="By {change:+.1f}.") is None
    payload, text, _ = stored[1]
    because = f"By {float(change):+.1f}."
    expected = {"type": "reveal", "id": "demo.way", "correct": letter, "answer": answer, "because": because}
    assert payload == expected
    assert text == f"The answer is {letter}) {answer}. {because}"


@pytest.mark.parametrize(
    ("values", "error", "part"),
    [
        ({}, ValueError, "asks for 'change'"),
        ({"share": 1}, ValueError, "share was passed"),
        ({"change": [1, 2]}, TypeError, "change=[1, 2] is a list"),
        ({"change": np.array([1, 2])}, TypeError, "several values"),
        ({"change": None}, TypeError, "NoneType"),
    ],
)
def test_values_that_decide_nothing_are_named(stored, values, error, part):
    predict("demo.way", "Which way?", OPTIONS)
    with pytest.raises(error, match=re.escape(part)):
        reveal("demo.way", because="The lamps.", **values)


def test_a_value_for_which_no_option_holds_is_told(stored):
    predict("demo.way", "Which way?", {"up": "change > 0", "down": "change < 0"})
    with pytest.raises(ValueError, match="no option holds at change=0"):
        reveal("demo.way", change=0, because="The lamps.")


@pytest.mark.parametrize("because", ["", "By {share:.0%}.", "By {change:s}.", "By {", "By {change.real}.{0}"])
def test_an_explanation_that_cannot_be_filled_is_told(stored, because):
    predict("demo.way", "Which way?", OPTIONS)
    with pytest.raises(ValueError, match="because="):
        reveal("demo.way", change=0.2, because=because)


def test_an_explanation_may_be_markdown_and_runs_nothing(stored):
    predict("demo.way", "Which way?", OPTIONS)
    reveal("demo.way", change=1, because="**Twenty** chances: `p < 0.05`.\n\n- one <b>x</b>\n- two")
    face = stored[1][2]
    assert "<strong>Twenty</strong>" in face and "<code>p &lt; 0.05</code>" in face
    assert "<li>two</li>" in face and "&lt;b&gt;" in face


def test_reveal_before_predict_shows_values_to_a_student_and_fails_in_strict_mode(
    stored, monkeypatch, capsys
):
    reveal("demo.way", change=0.25, because="The lamps.")
    assert "demo.way: change = 0.25" in capsys.readouterr().out
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    with pytest.raises(ValueError, match="run its predict"):
        reveal("demo.way", change=0.25, because="The lamps.")


def test_a_copy_from_before_the_texts_moved_still_says_what_it_says(stored, capsys):
    predict("demo.way", "Which way?", ["up", "down"])
    reveal("demo.way", "b", "The lamps.")
    said = capsys.readouterr().out
    assert "demo.way: b The lamps." in said and "older than the kit" in said


def test_a_choice_is_kept_restored_and_compared(widgets, stored):
    predict("demo.way", "Which way?", OPTIONS)
    buttons, note = widgets[0].children
    assert buttons.value is None
    buttons.value = "down"
    assert saved() == {"demo.way": "down"} and "b" in note.value
    buttons.value = "up"
    assert saved() == {"demo.way": "up"}
    predict("demo.way", "Which way?", OPTIONS)
    assert widgets[1].children[0].value == "up"
    reveal("demo.way", change=-1, because="The lamps.")
    assert stored[-1][1] == "You said a) up. The answer is b) down. The lamps."
    reveal("demo.way", change=1, because="The lamps.")
    assert "You predicted it" in stored[-1][1] and "You predicted it" in stored[-1][2]


def test_payload_and_strict_output_do_not_depend_on_what_was_kept(widgets, stored, monkeypatch):
    predict("demo.way", "Which way?", OPTIONS)
    reveal("demo.way", change=-1, because="The lamps.")
    save("demo.way", "up")
    predict("demo.way", "Which way?", OPTIONS)
    reveal("demo.way", change=-1, because="The lamps.")
    assert stored[0] == stored[2] and stored[1][0] == stored[3][0]
    monkeypatch.setattr(predictions, "in_students_notebook", lambda: False)
    reveal("demo.way", change=-1, because="The lamps.")
    assert stored[4] == stored[1] and len(widgets) == 2


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"', "null", "\x00", '{"demo.way": 3}'])
def test_a_damaged_file_counts_as_none_and_is_mended(stored, tmp_path, content):
    file = tmp_path / predictions.FILE
    file.write_text(content, encoding="utf-8")
    assert saved() == {}
    save("demo.way", "größer ✓")
    assert json.loads(file.read_text(encoding="utf-8")) == {"demo.way": "größer ✓"}


def test_bytes_that_are_no_text_count_as_none(stored, tmp_path):
    (tmp_path / predictions.FILE).write_bytes(b"\xff\xfe\x00")
    assert saved() == {}


def test_saving_keeps_the_others_and_leaves_nothing_else_behind(stored, tmp_path):
    save("demo.one", "up")
    save("demo.two", "down")
    assert saved(tmp_path) == {"demo.one": "up", "demo.two": "down"}
    assert [file.name for file in tmp_path.iterdir()] == [predictions.FILE]


def test_an_interrupted_save_leaves_the_old_file(stored, tmp_path, monkeypatch):
    save("demo.one", "up")

    def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        save("demo.one", "down")
    assert saved() == {"demo.one": "up"}
    assert [file.name for file in tmp_path.iterdir()] == [predictions.FILE]


def test_a_folder_that_cannot_be_written_is_told(widgets, monkeypatch):
    def fail(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(predictions, "save", fail)
    predict("demo.way", "Which way?", OPTIONS)
    buttons, note = widgets[0].children
    buttons.value = "up"
    assert "Not kept" in note.value and "Permission denied" in note.value


def test_without_ipywidgets_the_card_is_enough(widgets, stored, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    predict("demo.way", "Which way?", OPTIONS)
    assert len(stored) == 1 and not widgets
