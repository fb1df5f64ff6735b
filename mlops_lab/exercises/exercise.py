"""An exercise: its question, how an answer is judged, its hints; and the outcome that a check tells.

`exercises/<topic>.py` holds `EXERCISES`, the exercises of one lesson, under the lesson's topic as its name.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Exercise", "Outcome", "find", "not_yet", "of_topic", "right", "told", "topics"]

LIMIT_S = 120.0
"""So long an answer may take to be tried: then a loop in it never ends, most likely."""


@dataclass(frozen=True)
class Outcome:
    """What a check found: one of three states, and a message for the student."""

    state: Literal["not attempted", "not yet", "right"]
    message: str = ""


_NOT_ATTEMPTED = Outcome("not attempted", "Replace the three dots by your answer, then run the cell again.")


def right(message: str = "") -> Outcome:
    """Accept an answer, with a word on what it shows."""
    return Outcome("right", message)


def not_yet(message: str) -> Outcome:
    """Send an answer back, saying why in terms of the answer itself."""
    return Outcome("not yet", message)


@dataclass(frozen=True)
class Exercise:
    """One exercise: what is asked, how an answer is judged, and three hints.

    The answers that it is itself tried on, right and typically wrong ones, stand in its test.

    Parameters
    ----------
    id
        `topic.number`; the topic is the module's name.
    question
        The exercise in a sentence.
    judge
        Takes the answer and the seed; never prints the solution.
    hints
        Exactly three: a question, a pointer, nearly there.

    Raises
    ------
    ValueError
        When there are not three hints.

    Examples
    --------
    >>> half = Exercise("demo.1", "Half of ten?", lambda answer, seed: right(), ("Why?", "/ 2", "10 / 2"))
    >>> half.outcome(...).state
    'not attempted'
    """

    id: str
    question: str
    judge: Callable[[object, int], Outcome]
    hints: tuple[str, str, str]

    def __post_init__(self) -> None:
        if len(self.hints) != 3 or not all(hint.strip() for hint in self.hints):
            raise ValueError(
                f"{self.id} has {len(self.hints)} hints: give three, a question, a pointer and nearly there."
            )

    def outcome(self, answer: object, seed: int = 0) -> Outcome:
        """Judge an answer: not attempted, not yet (also when it makes the judge fail), or right."""
        held = answer.values() if isinstance(answer, dict) else answer
        parts = list(held) if isinstance(answer, (dict, list, tuple)) else [answer]  # type: ignore[call-overload]
        if parts and all(part is ... for part in parts):
            return _NOT_ATTEMPTED
        if any(part is ... for part in parts):
            return not_yet("A part of your answer is still three dots.")
        if answer is None:
            return not_yet(
                "Your answer is None: nothing was stored in it. Write a value after `answer =`; "
                "a function must `return` one."
            )
        try:
            with _time_limit() if hasattr(answer, "__dict__") else contextlib.nullcontext():
                return self.judge(answer, seed)  # a number or a list runs no code of the student's
        except _TooLongError:
            return not_yet(
                f"Your answer did not come to an end in {LIMIT_S:g} s: does a loop in it never end?"
            )
        except Exception as error:  # noqa: BLE001  a student's answer can fail in any way, and is told how
            return not_yet(f"Your answer could not be judged: {told(error)}.")


class _TooLongError(BaseException):
    """An answer takes too long; no error of its own, which the student's code might catch."""


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Raise in this thread once the time is over, on any system; a call into C is stopped when it returns."""
    lock, over, thread = threading.Lock(), False, threading.get_ident()

    def stop() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(_TooLongError)
                )

    timer = threading.Timer(LIMIT_S, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()


def told(error: BaseException) -> str:
    """Tell an error in one line, without addresses, paths or a trailing full stop."""
    line = " ".join(str(error).split())
    line = re.sub(r"\bat 0x[0-9a-fA-F]+|0x[0-9a-fA-F]{6,}", "", line)
    line = re.sub(r"(?:[A-Za-z]:)?(?:[\\/][\w.~-]+){2,}", "a file", line)
    line = line if len(line) <= 160 else line[:157] + "..."
    return f"{type(error).__name__}: {line.rstrip('.')}" if line else type(error).__name__


_HERE = Path(__file__).parent


def _holds_exercises(topic: str) -> bool:
    """Tell whether a module here defines `EXERCISES`; nothing is imported for that."""
    module = _HERE / f"{topic}.py"
    return topic.isidentifier() and module.is_file() and "\nEXERCISES = " in module.read_text("utf-8")


def topics() -> tuple[str, ...]:
    """Name the topics that have exercises: the lessons' modules here."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(_HERE)]))
    return tuple(name for name in names if _holds_exercises(name))


def of_topic(topic: str) -> tuple[Exercise, ...]:
    """Load a topic's exercises."""
    if not _holds_exercises(topic):
        raise ValueError(f"No topic {topic!r} has exercises: there are {', '.join(topics())}.")
    found: tuple[Exercise, ...] = importlib.import_module(f"mlops_lab.exercises.{topic}").EXERCISES
    return found


def find(id: str) -> Exercise:
    """Find an exercise by its id."""
    own = of_topic(id.partition(".")[0])
    for exercise in own:
        if exercise.id == id:
            return exercise
    raise ValueError(f"No exercise {id!r}: there are {', '.join(exercise.id for exercise in own)}.")
