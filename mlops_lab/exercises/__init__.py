"""The rules that answers to exercises are held to: one module for each topic, found by the exercise's id.

`exercises/<topic>.py` holds `RULES`, a tuple of `Rule`. A rule judges by properties and by the world's hidden
truth, accepts every right form, says why a wrong answer is wrong in terms of that answer, and carries its own
typical wrong answers, on which it is tested. `judging.py` has judges for the common kinds of answers.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["NOT_ATTEMPTED", "Outcome", "Rule", "find", "not_yet", "right", "rules", "told", "topics"]

_NOT_TOPICS = (
    "cache_judges",
    "clip_judges",
    "drift_guesses",
    "guesses",
    "judging",
    "known_mistakes",
    "lineage_tables",
    "metric_judges",
    "policy_judges",
    "record_cases",
    "repeat_judges",
    "season_judges",
)


@dataclass(frozen=True)
class Outcome:
    """What a check found: one of three states, and a message for the student."""

    state: Literal["not attempted", "not yet", "right"]
    message: str = ""


NOT_ATTEMPTED = Outcome("not attempted", "Replace the three dots by your answer, then run the cell again.")


def right(message: str = "") -> Outcome:
    """Accept an answer, with a word on what it shows."""
    return Outcome("right", message)


def not_yet(message: str) -> Outcome:
    """Send an answer back, saying why in terms of the answer itself."""
    return Outcome("not yet", message)


@dataclass(frozen=True)
class Rule:
    """One exercise's rule: how an answer is judged, its hints, and the answers it is itself tested on.

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
    right
        Takes the seed, returns accepted forms; the first is the solution.
    wrong
        Takes the seed, returns pairs of a typical wrong answer and a part of the message that it must get; at
        least four.
    """

    id: str
    question: str
    judge: Callable[[object, int], Outcome]
    hints: tuple[str, str, str]
    right: Callable[[int], Sequence[object]]
    wrong: Callable[[int], Sequence[tuple[object, str]]]

    def __post_init__(self) -> None:
        if len(self.hints) != 3 or not all(hint.strip() for hint in self.hints):
            raise ValueError(
                f"{self.id} has {len(self.hints)} hints: give three, a question, a pointer and nearly there."
            )

    def outcome(self, answer: object, seed: int = 0) -> Outcome:
        """Judge an answer: not attempted, not yet (also when it makes the judge fail), or right."""
        parts = (
            list(answer.values())
            if isinstance(answer, dict)
            else answer
            if isinstance(answer, (list, tuple))
            else [answer]
        )
        if parts and all(part is ... for part in parts):
            return NOT_ATTEMPTED
        if any(part is ... for part in parts):
            return not_yet("A part of your answer is still three dots.")
        if answer is None:
            return not_yet(
                "Your answer is None: nothing was stored in it. Write a value after `answer =`; "
                "a function must `return` one."
            )
        try:
            return self.judge(answer, seed)
        except Exception as error:  # noqa: BLE001  a student's answer can fail in any way, and is told how
            return not_yet(f"Your answer could not be judged: {told(error)}.")


def told(error: BaseException) -> str:
    """Tell an error in one line, without addresses, paths or a trailing full stop."""
    line = " ".join(str(error).split())
    line = re.sub(r"\bat 0x[0-9a-fA-F]+|0x[0-9a-fA-F]{6,}", "", line)
    line = re.sub(r"(?:[A-Za-z]:)?(?:[\\/][\w.~-]+){2,}", "a file", line)
    line = line if len(line) <= 160 else line[:157] + "..."
    return f"{type(error).__name__}: {line.rstrip('.')}" if line else type(error).__name__


def topics() -> tuple[str, ...]:
    """Name the topics that have rules."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in names if name not in _NOT_TOPICS)


def rules(topic: str) -> tuple[Rule, ...]:
    """Load a topic's rules."""
    if topic not in topics():
        raise ValueError(f"No topic {topic!r} has exercises: there are {', '.join(topics())}.")
    found: tuple[Rule, ...] = importlib.import_module(f"{__name__}.{topic}").RULES
    return found


def find(id: str) -> Rule:
    """Find an exercise's rule by its id."""
    own = rules(id.partition(".")[0])
    for rule in own:
        if rule.id == id:
            return rule
    raise ValueError(f"No exercise {id!r}: there are {', '.join(rule.id for rule in own)}.")
