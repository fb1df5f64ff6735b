"""Exercises: an answer is checked, and hints lead to it step by step.

Three outcomes: not attempted (the answer is still `...`), not yet (with the reason, in terms of the answer),
right.
"""

from __future__ import annotations

from mlops_lab.exercises import find
from mlops_lab.lesson import cards
from mlops_lab.lesson.outputs import require_id, show_typed, strict

__all__ = ["check", "hint"]

_STEPS = ("a question", "a pointer", "nearly there")


class WrongAnswer(AssertionError):  # noqa: N818  named for what happened, not for a mistake in the code
    """A wrong answer in a notebook that must hold the right one, raised in strict mode after it was shown.

    Examples
    --------
    >>> issubclass(WrongAnswer, AssertionError)
    True
    """


def check(id: str, answer: object, *, seed: int = 0) -> None:
    """Check an answer to an exercise and say why it is not right yet, or that it is.

    It judges what the answer is, not how it was found, and it never prints the solution.

    Parameters
    ----------
    id
        The exercise, `topic.number`.
    answer
        The student's answer; `...` is not attempted and raises nothing.
    seed
        The seed that the lesson ran with: the truth depends on it.

    Raises
    ------
    ValueError
        When there is no such exercise.
    WrongAnswer
        In strict mode, after the card was shown, when the answer is not right.

    Examples
    --------
    >>> check("start_here.1", ...)
    Exercise start_here.1: not attempted. Replace the three dots by your answer, then run the cell again.
    """
    require_id(id)
    exercise = find(id)
    outcome = exercise.outcome(answer, seed)
    payload = {"type": "check", "id": id, "outcome": outcome.state, "message": outcome.message}
    tone = {"not attempted": "tell", "not yet": "open", "right": "good"}[outcome.state]
    blocks = [cards.paragraph(outcome.message)] if outcome.message else []
    lines = [f"Exercise {id}: {outcome.state}. {outcome.message}".rstrip()]
    if outcome.state == "not yet":
        blocks.append(cards.folded(f"Hint 1: {_STEPS[0]}", exercise.hints[0]))
        lines.append(f'  For a hint: hint("{id}")')
    title = f"Exercise {id}: {outcome.state}"
    show_typed(payload, "\n".join(lines), cards.card(tone, title, *blocks, label=title))
    if outcome.state == "not yet" and strict():
        raise WrongAnswer(f"{id}: {outcome.message}")


def hint(id: str, level: int | None = None) -> None:
    """Offer the three hints of an exercise, folded: a question, a pointer, nearly there.

    Parameters
    ----------
    id
        The exercise, `topic.number`.
    level
        1, 2 or 3 shows this hint alone, open. None offers all three, folded in a notebook; a terminal shows
        the first.

    Raises
    ------
    ValueError
        When there is no such exercise or level.

    Examples
    --------
    >>> hint("start_here.1", 4)
    Traceback (most recent call last):
    ValueError: level=4: there are hints 1, 2 and 3.
    """
    require_id(id)
    exercise = find(id)
    if level is not None and level not in (1, 2, 3):
        raise ValueError(f"level={level!r}: there are hints 1, 2 and 3.")
    steps = [1, 2, 3] if level is None else [level]
    names = {step: f"Hint {step}: {_STEPS[step - 1]}" for step in steps}
    lines = [f"{names[steps[0]]}. {exercise.hints[steps[0] - 1]}"]
    if steps[0] < 3:
        lines.append(f'  For the next one: hint("{id}", {steps[0] + 1})')
    if level is None:
        blocks = [cards.folded(names[step], exercise.hints[step - 1]) for step in steps]
    else:
        blocks = [cards.strong(names[level]), cards.paragraph(exercise.hints[level - 1])]
    title = f"Hints for exercise {id}"
    if level is None:
        blocks.append(cards.small("Open one, try again, then the next."))
    face = cards.card("ask", title, *blocks, label=title)
    show_typed({"type": "hint", "id": id, "levels": steps}, "\n".join(lines), face)
