"""Which mistake is behind a student's wrong function? Typical ones are written down, run, and compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mlops_lab.exercises import Outcome, not_yet
from mlops_lab.exercises.judging import Case, function

__all__ = ["Guess", "judged", "typical"]


class Guess(NamedTuple):
    """A function with a typical mistake, and what to say about it (never the solution)."""

    made: Callable[..., Any]
    why: str


def judged(
    cases: Callable[[int], Sequence[Case]], guesses: Sequence[Guess], *, well: str = ""
) -> Callable[[object, int], Outcome]:
    """Judge a function that returns numbers; where it is wrong, name the typical mistake that it made.

    A mistake is named if it gives what the student's function gives in *every* hidden case.
    """
    plain = function(cases, well=well)

    def judge(answer: object, seed: int) -> Outcome:
        with np.errstate(all="ignore"):
            outcome = plain(answer, seed)
            return outcome if outcome.state == "right" else _named(answer, cases(seed), guesses) or outcome

    return judge


def typical(guesses: Sequence[Guess]) -> list[tuple[object, str]]:
    """Give the mistakes as a rule's typical wrong answers, each with what it must be told."""
    return [(guess.made, guess.why) for guess in guesses]


def _named(answer: object, cases: Sequence[Case], guesses: Sequence[Guess]) -> Outcome | None:
    got = _numbers(answer, cases)
    for guess in guesses if got is not None else ():
        made = _numbers(guess.made, cases)
        if got is None or made is None or not all(map(_same, got, made)):
            continue
        for case, value in zip(cases, made, strict=True):
            if not _same(value, float(case.expected)):  # type: ignore[arg-type]
                return not_yet(f"For {case.about} your function returned {value:.4g}: {guess.why}.")
    return None


def _numbers(made: object, cases: Sequence[Case]) -> list[float] | None:
    """Call a function on all cases; None if it stops, or gives no numbers."""
    if not callable(made):
        return None
    try:
        return [float(made(*case.arguments)) for case in cases]
    except Exception:  # noqa: BLE001  a student's function can fail in any way; the common judge tells how
        return None


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))
