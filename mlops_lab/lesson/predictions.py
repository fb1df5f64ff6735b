"""Predictions: say what you expect before you run the decisive cell.

`predict` shows a question with options, `reveal` its answer after the run. In a student's notebook the choice
is kept in `predictions.json` beside the notebook; stored outputs never depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops_lab.lesson import cards
from mlops_lab.lesson.outputs import in_students_notebook, require_id, show_typed, strict

__all__ = ["predict", "reveal"]

FILE = "predictions.json"
"""Where a student's predictions are kept, in the notebook's folder."""

_LETTERS = "abcdefgh"

_asked: dict[str, tuple[str, ...]] = {}


def predict(id: str, question: str, options: Sequence[str]) -> None:
    """Ask for a prediction; no answer is needed to go on.

    In a student's notebook the options can be chosen by mouse or keyboard, and the choice is kept; everywhere
    else, and in what is stored, only the question with its options stands.

    Parameters
    ----------
    id
        The prediction's name, `topic.word`.
    question
        One plain sentence.
    options
        Two to eight different answers; they are lettered a, b, c.

    Raises
    ------
    ValueError
        When the id is no id, the question is empty, or the options are not two to eight different texts.

    Examples
    --------
    >>> predict("demo.direction", "Where does the accuracy go?", ["up", "down"])
    Predict: Where does the accuracy go?
      a) up
      b) down
    """
    require_id(id)
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"question={question!r}: ask one plain question.")
    if isinstance(options, str):
        raise ValueError(f"options={options!r}: give a list of texts, for example ['up', 'down'].")
    choices = tuple(options)
    if not 2 <= len(choices) <= len(_LETTERS) or len(set(choices)) < len(choices):
        raise ValueError(f"options={list(choices)!r}: give two to {len(_LETTERS)} different texts.")
    if not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise ValueError(f"options={list(choices)!r}: every option is a text; write numbers as '3'.")
    _asked[id] = choices
    lines = [f"  {letter}) {choice}" for letter, choice in zip(_LETTERS, choices, strict=False)]
    payload = {"type": "prediction", "id": id, "question": question, "options": list(choices)}
    face = cards.card(
        "ask",
        "Predict before you run",
        cards.strong(question),
        cards.lettered(choices),
        label="Prediction",
    )
    show_typed(payload, "\n".join([f"Predict: {question}", *lines]), face)
    if in_students_notebook():
        _offer(id, choices)


def reveal(id: str, correct: str, because: str) -> None:
    """Show the answer to a prediction, and in a student's notebook what was predicted.

    Parameters
    ----------
    id
        The id that `predict` was given.
    correct
        The right option: its letter or its text.
    because
        Why, in a sentence or two.

    Raises
    ------
    ValueError
        When `correct` is none of the options, when `because` is empty, or (in strict mode) when no prediction
        with this id was asked before.

    Examples
    --------
    >>> predict("demo.lamps", "Do new lamps matter?", ["yes", "no"])
    Predict: Do new lamps matter?
      a) yes
      b) no
    >>> reveal("demo.lamps", "a", "The scanner reads colour under them.")
    The answer is a) yes. The scanner reads colour under them.
    """
    require_id(id)
    if not isinstance(because, str) or not because.strip():
        raise ValueError(f"because={because!r}: say in a sentence why the answer is right.")
    choices = _asked.get(id)
    if choices is None:
        if strict():
            raise ValueError(
                f"No prediction {id!r} was asked in this kernel: run its predict(...) cell first."
            )
        letter, answer = "", str(correct)
    else:
        letter, answer = _option(correct, choices)
    name = f"{letter}) {answer}" if letter else answer
    said = f"The answer is {name}" + ("" if answer.endswith((".", "!", "?")) else ".")
    yours = _yours(id, choices, answer)
    payload = {"type": "reveal", "id": id, "correct": letter, "answer": answer, "because": because}
    blocks = [cards.paragraph(line) for line in (yours, because) if line]
    text = " ".join(line for line in (yours, said, because) if line)
    show_typed(payload, text, cards.card("tell", said, *blocks, label="Answer to the prediction"))


def saved(folder: Path | None = None) -> dict[str, str]:
    """Read the predictions kept in a folder (the working folder by default): option texts by id.

    A missing or damaged file counts as no predictions.
    """
    path = (folder or Path()) / FILE
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {id: option for id, option in content.items() if isinstance(option, str)}


def save(id: str, option: str, folder: Path | None = None) -> None:
    """Keep one prediction; the file is replaced whole, so an interruption never leaves half of it."""
    from mlops_lab import artifacts  # not before a prediction is kept: it brings pandas

    place = folder or Path()
    content = {**saved(place), id: option}
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    artifacts.atomic_write(place / FILE, text + "\n")


def _option(correct: str, choices: tuple[str, ...]) -> tuple[str, str]:
    letters = _LETTERS[: len(choices)]
    if correct in choices:
        return letters[choices.index(correct)], correct
    if isinstance(correct, str) and len(correct) == 1 and correct in letters:
        return correct, choices[letters.index(correct)]
    raise ValueError(
        f"correct={correct!r} is none of the options: give its letter, a to {letters[-1]}, or its text."
    )


def _yours(id: str, choices: tuple[str, ...] | None, answer: str) -> str:
    """Say what the student predicted; nothing in strict mode, or when nothing was."""
    option = saved().get(id) if in_students_notebook() else None
    if option is None:
        return ""
    if option == answer:
        return "You predicted it."
    if choices is None or option not in choices:
        return f"You predicted: {option}."
    return f"You said {_LETTERS[choices.index(option)]}) {option}."


def _offer(id: str, choices: tuple[str, ...]) -> None:
    """Show the options as radio buttons; without ipywidgets the static card is enough."""
    try:
        import ipywidgets
    except ImportError:
        return
    from IPython.display import display

    before = saved().get(id)
    buttons = ipywidgets.RadioButtons(
        options=[(f"{letter}) {choice}", choice) for letter, choice in zip(_LETTERS, choices, strict=False)],
        value=before if before in choices else None,
        description="Yours:",
        tooltip="Your prediction",
        layout=ipywidgets.Layout(width="auto"),
    )
    note = ipywidgets.HTML(
        "Kept from before; you may change it." if before in choices else "Choose one, then go on."
    )

    def keep(change: dict[str, Any]) -> None:
        letter = _LETTERS[choices.index(change["new"])]
        try:
            save(id, change["new"])
        except OSError as error:
            note.value = (
                f"Not kept: this folder cannot be written ({error.strerror}). Remember your {letter}."
            )
        else:
            note.value = f"Kept: {letter}."

    buttons.observe(keep, names="value")
    display(ipywidgets.VBox([buttons, note]))  # type: ignore[no-untyped-call]
