"""Predictions: say what you expect before you run the decisive cell.

`predict` shows a question with options, `reveal` its answer after the run. Which option is the answer is
decided by conditions over what was measured. In a student's notebook the choice is kept in `predictions.json`
beside the notebook; stored outputs never depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_lab.lesson import cards, conditions, derived_texts
from mlops_lab.lesson.outputs import in_students_notebook, require_id, show_typed, strict
from mlops_lab.report import shown

__all__ = ["predict", "reveal"]

FILE = "predictions.json"
"""Where a student's predictions are kept, in the notebook's folder."""

_LETTERS = "abcdefgh"

_asked: dict[str, dict[str, str]] = {}
"""The options of every prediction that was asked in this kernel, each with its condition."""


def predict(
    id: str, question: str | None = None, options: Mapping[str, str] | Sequence[str] | None = None
) -> None:
    """Ask for a prediction; no answer is needed to go on.

    In a student's notebook the options can be chosen by mouse or keyboard, and the choice is kept; everywhere
    else, and in what is stored, only the question with its options stands.

    Parameters
    ----------
    id
        The prediction's name, `topic.word`.
    question
        One plain sentence; without it, question and options are the kit's texts of this id.
    options
        Two to eight different answers, each with the condition under which it is right, over the values that
        `reveal` is given; the first that holds is the answer. They are lettered a, b, c.

    Raises
    ------
    ValueError
        When the id is no id, the question is empty, the options are not two to eight different texts, or a
        condition holds more than names, numbers, texts and comparisons.

    Examples
    --------
    >>> predict("demo.direction", "Where does it go?", {"up": "change > 0", "down": "otherwise"})
    Predict: Where does it go?
      a) up
      b) down
    """
    require_id(id)
    if question is None and options is None:
        texts = derived_texts.texts_of("predictions", id)
        if texts is None:
            derived_texts.show_without_texts("predict", id, {})
            return
        question, options = texts["question"], texts["options"]
    if not isinstance(question, str) or not question.strip():
        raise ValueError(f"question={question!r}: ask one plain question.")
    choices = _options(options)
    _asked[id] = choices
    lines = [f"  {letter}) {choice}" for letter, choice in zip(_LETTERS, choices, strict=False)]
    payload = {"type": "prediction", "id": id, "question": question, "options": list(choices)}
    blocks = [cards.lettered(choices), cards.small("Predict, then run the next cell.")]
    face = cards.card("ask", question, *blocks, label="Prediction")
    show_typed(payload, "\n".join([f"Predict: {question}", *lines]), face)
    if in_students_notebook():
        _offer(id, tuple(choices))


def _options(options: Mapping[str, str] | Sequence[str] | None) -> dict[str, str]:
    """Return options with their conditions; a plain list, as older copies have it, has none."""
    if options is None or isinstance(options, str):
        raise ValueError(
            f"options={options!r}: give a mapping such as {{'up': 'change > 0', 'down': 'otherwise'}}."
        )
    given = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options, "")
    if not 2 <= len(given) <= len(_LETTERS) or len(given) < len(options):
        raise ValueError(f"options={list(options)!r}: give two to {len(_LETTERS)} different texts.")
    if not all(isinstance(choice, str) and choice.strip() for choice in given):
        raise ValueError(f"options={list(given)!r}: every option is a text; write numbers as '3'.")
    for condition in given.values():
        if condition:
            conditions.names(condition)
    return given


def reveal(id: str, /, *older: str, because: str | None = None, **values: object) -> None:
    """Show the answer to a prediction, and in a student's notebook how it compares with what was predicted.

    Parameters
    ----------
    id
        The id that `predict` was given.
    because
        Why, in Markdown; `{name:format}` stands for a value. Without it, it is the kit's text of this id.
    **values
        What was measured, by the names that the conditions ask for: numbers, truths or texts.

    Raises
    ------
    ValueError
        When no option holds at these values, when `because` is empty or asks for a value that was not given,
        or (in strict mode) when no prediction with this id was asked before.
    TypeError
        When a value is not one number, truth or text.

    Examples
    --------
    >>> predict("demo.lamps", "Do new lamps matter?", {"yes": "fall > 0.05", "no": "otherwise"})
    Predict: Do new lamps matter?
      a) yes
      b) no
    >>> reveal("demo.lamps", fall=0.2, because="Accuracy fell by {fall:.0%}: the scanner reads colour.")
    The answer is a) yes. Accuracy fell by 20%: the scanner reads colour.
    """
    require_id(id)
    plain = {name: _plain(name, value) for name, value in values.items()}
    if older:
        _reveal_of_an_older_copy(id, older)
        return
    if id not in _asked and strict():
        raise ValueError(f"No prediction {id!r} was asked in this kernel: run its predict(...) cell first.")
    texts = derived_texts.texts_of("predictions", id)
    choices = _asked.get(id) or (texts and _options(texts["options"]))
    because = texts["because"] if because is None and texts else because
    if choices is None or because is None:
        derived_texts.show_without_texts(
            "reveal",
            id,
            {name: value if isinstance(value, str) else shown(value) for name, value in plain.items()},
        )
        return
    if not isinstance(because, str) or not because.strip():
        raise ValueError(f"because={because!r}: say in a sentence why the answer is right.")
    because = _filled(because, plain)
    place = conditions.first_that_holds(choices.values(), plain)
    if place is None:
        measured = ", ".join(f"{name}={value!r}" for name, value in plain.items())
        raise ValueError(f"{id}: no option holds at {measured}; end the options with 'otherwise'.")
    letter, answer = _LETTERS[place], list(choices)[place]
    said = _ended(f"{letter}) {answer}")
    verdict, yours = _yours(id, tuple(choices), answer)
    payload = {"type": "reveal", "id": id, "correct": letter, "answer": answer, "because": because}
    text = " ".join(line for line in (yours, f"The answer is {said}", because) if line)
    blocks = [cards.paragraph(yours)] if yours else []
    tone = {"": "tell", "right": "good", "other": "open"}[verdict]
    face = cards.card(tone, said, *blocks, cards.markdown(because), label="Answer to the prediction")
    show_typed(payload, text, face)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _plain(name: str, value: object) -> conditions.Value:
    """Return a plain Python number, truth or text."""
    item = getattr(value, "item", None)
    if callable(item):
        try:
            value = item()
        except ValueError:
            raise TypeError(f"{name} holds several values: give one number, truth or text.") from None
    if isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{name}={value!r} is a {type(value).__name__}: give one number, truth or text.")


def _filled(because: str, values: Mapping[str, conditions.Value]) -> str:
    """Put values in the places of an explanation that name them."""
    try:
        return because.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        given = ", ".join(values) or "no value"
        raise ValueError(f"because={because!r} cannot be filled ({error}); given: {given}.") from None


def _reveal_of_an_older_copy(id: str, older: Sequence[str]) -> None:
    """Show what a copy from before the texts moved says itself: the answer as it had it, and why."""
    derived_texts.show_without_texts("reveal", id, {"": " ".join(str(each) for each in older)})


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


def _yours(id: str, choices: tuple[str, ...], answer: str) -> tuple[str, str]:
    """Say how the student's prediction went: "right", "other" or nothing, and in a sentence."""
    option = saved().get(id) if in_students_notebook() else None
    if option is None:
        return "", ""
    if option == answer:
        return "right", "You predicted it."
    if option not in choices:
        return "other", f"You predicted: {_ended(option)}"
    return "other", f"You said {_LETTERS[choices.index(option)]}) {_ended(option)}"


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
