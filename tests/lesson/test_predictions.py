"""Predictions: what is shown, what is kept, and that stored outputs do not depend on it."""

import json
import os

import pytest

from mlops_lab.lesson import predictions
from mlops_lab.lesson.predictions import predict, reveal, save, saved

OPTIONS = ["up", "down", "it stays"]


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
    assert payload == {"type": "prediction", "id": "demo.way", "question": "Which way?", "options": OPTIONS}
    for form in (text, face):
        assert all(part in form for part in ("Which way?", "a) up", "b) down", "c) it stays"))


@pytest.mark.parametrize("options", [["one"], ["x", "x"], "ab", [1, 2], ["a", " "], list("abcdefghi")])
def test_options_are_two_to_eight_different_texts(stored, options):
    with pytest.raises(ValueError, match="options="):
        predict("demo.way", "Which way?", options)
    assert not stored


@pytest.mark.parametrize("correct", ["b", "down"])
def test_reveal_takes_a_letter_or_a_text(stored, correct):
    predict("demo.way", "Which way?", OPTIONS)
    assert reveal("demo.way", correct, "The lamps.") is None
    payload, text, _ = stored[1]
    assert payload == {
        "type": "reveal",
        "id": "demo.way",
        "correct": "b",
        "answer": "down",
        "because": "The lamps.",
    }
    assert text == "The answer is b) down. The lamps."


@pytest.mark.parametrize("correct", ["d", "sideways", "", "ab", 1, None])
def test_reveal_refuses_what_is_no_option(stored, correct):
    predict("demo.way", "Which way?", OPTIONS)
    with pytest.raises(ValueError, match="none of the options"):
        reveal("demo.way", correct, "The lamps.")


def test_reveal_before_predict_fails_only_in_strict_mode(stored, monkeypatch):
    reveal("demo.way", "down", "The lamps.")
    assert stored[0][1] == "The answer is down. The lamps."
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    with pytest.raises(ValueError, match="run its predict"):
        reveal("demo.way", "b", "The lamps.")


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
    reveal("demo.way", "b", "The lamps.")
    assert stored[-1][1] == "You said a) up. The answer is b) down. The lamps."
    reveal("demo.way", "a", "The lamps.")
    assert "You predicted it" in stored[-1][1] and "You predicted it" in stored[-1][2]


def test_payload_and_strict_output_do_not_depend_on_what_was_kept(widgets, stored, monkeypatch):
    predict("demo.way", "Which way?", OPTIONS)
    reveal("demo.way", "b", "The lamps.")
    save("demo.way", "up")
    predict("demo.way", "Which way?", OPTIONS)
    reveal("demo.way", "b", "The lamps.")
    assert stored[0] == stored[2] and stored[1][0] == stored[3][0]
    monkeypatch.setattr(predictions, "in_students_notebook", lambda: False)
    reveal("demo.way", "b", "The lamps.")
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
