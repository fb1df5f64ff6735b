"""Judges for the common kinds of answers: a number, a whole number, a choice, a function.

A judge reads an answer generously (every form that means the right thing is right) and refuses it precisely:
it recognises typical mistakes and says what the student's own value is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mlops_lab.exercises import Outcome, not_yet, right, told
from mlops_lab.report import shown

__all__ = ["Case", "Mistake", "choice", "function", "number", "read_number", "whole_number"]

Judge = Callable[[object, int], Outcome]


class Mistake(NamedTuple):
    """A value that a typical mistake leads to, and what to say about it (never the solution)."""

    value: float
    message: str


class Case(NamedTuple):
    """A hidden case for a function: its arguments, what it must return, and what the case is about."""

    arguments: tuple[object, ...]
    expected: object
    about: str


def read_number(answer: object) -> float | Outcome:
    """Read one number: int, float, Fraction, numpy scalar, or a list, array or Series of length 1."""
    size = getattr(answer, "size", len(answer) if isinstance(answer, (list, tuple, set)) else 1)
    if callable(answer) and not hasattr(answer, "item"):
        return not_yet(
            "Your answer is a function: call it, so that the answer is the number that it returns."
        )
    if isinstance(answer, (str, bytes)):
        return not_yet(f"Your answer is the text {answer!r}: write the number without quotes.")
    if isinstance(size, int) and size != 1:
        kind = type(answer).__name__
        return not_yet(f"Your answer is a {kind} with {size} values: one number is asked for.")
    if isinstance(answer, (list, tuple, set)):
        (answer,) = answer
    if hasattr(answer, "to_numpy"):
        answer = answer.to_numpy()
    if hasattr(answer, "item"):
        answer = answer.item()
    if isinstance(answer, bool):
        return not_yet(f"Your answer is {answer}: a number is asked for, not true or false.")
    if isinstance(answer, (str, bytes)):
        return not_yet(f"Your answer is the text {answer!r}: write the number without quotes.")
    try:
        value = float(answer)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return not_yet(f"Your answer is a {type(answer).__name__}: one number is asked for.")
    if math.isnan(value):
        return not_yet("Your answer is not a number (NaN): a missing value has crept into the calculation.")
    return value


def number(
    truth: Callable[[int], float],
    *,
    within: float,
    mistakes: Callable[[int], Sequence[Mistake]] | None = None,
    fraction: bool = False,
    far: str = "is not it",
    well: str = "",
) -> Judge:
    """Judge a number that may lie within a tolerance of the truth."""
    if not (within >= 0 and math.isfinite(within)):
        raise ValueError(f"within={within!r}: give the largest accepted distance, 0 or more.")

    def judge(answer: object, seed: int) -> Outcome:
        value = read_number(answer)
        if isinstance(value, Outcome):
            return value
        true = float(truth(seed))
        slack = within + 1e-12 * max(1.0, abs(true))
        if abs(value - true) <= slack:
            return right(well)
        if fraction and abs(value / 100 - true) <= slack:
            return not_yet(f"Your answer {shown(value)} is in percent: write it as a fraction of 1.")
        for mistake in mistakes(seed) if mistakes else ():
            if abs(value - mistake.value) <= slack:
                return not_yet(f"Your answer {shown(value)} {mistake.message}")
        if fraction and not 0 <= value <= 1:
            return not_yet(f"Your answer {shown(value)} is no share: a share lies between 0 and 1.")
        return not_yet(f"Your answer {shown(value)} {far.rstrip('.')}.")

    return judge


def whole_number(
    truth: Callable[[int], int],
    *,
    mistakes: Callable[[int], Sequence[Mistake]] | None = None,
    what: str = "whole number",
    far: str = "is not it",
    well: str = "",
) -> Judge:
    """Judge a whole number, exactly; 9 and 9.0 are the same."""
    exact = number(truth, within=0.0, mistakes=mistakes, far=far, well=well)

    def judge(answer: object, seed: int) -> Outcome:
        value = read_number(answer)
        if isinstance(value, Outcome):
            return value
        if not value.is_integer():
            return not_yet(f"Your answer {shown(value)} is no {what}: that is a whole number.")
        return exact(value, seed)

    return judge


def choice(truth: Callable[[int], str], options: Mapping[str, str], *, well: str = "") -> Judge:
    """Judge a choice among named options; capitals and spaces around it do not matter."""
    known = {option.strip().casefold(): option for option in options}

    def judge(answer: object, seed: int) -> Outcome:
        names = ", ".join(repr(option) for option in options)
        if not isinstance(answer, str):
            return not_yet(f"Your answer is a {type(answer).__name__}: write one of {names}, in quotes.")
        option = known.get(answer.strip().casefold())
        if option is None:
            return not_yet(f"Your answer {answer!r} is not among the choices: {names}.")
        if option == truth(seed):
            return right(well)
        return not_yet(f"Your answer {option!r} {options[option]}")

    return judge


def function(
    cases: Callable[[int], Sequence[Case]],
    *,
    agree: Callable[[Any, Any], bool] | None = None,
    well: str = "",
) -> Judge:
    """Judge a function by calling it on hidden cases; any code that returns the right values is right."""
    same = agree or _agree

    def judge(answer: object, seed: int) -> Outcome:
        if not callable(answer):
            return not_yet(
                f"Your answer is a {type(answer).__name__}: give the function itself, without brackets."
            )
        for case in cases(seed):
            try:
                got = answer(*case.arguments)
            except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
                return not_yet(f"For {case.about} your function stopped: {told(error)}.")
            if got is None:
                return not_yet(
                    f"For {case.about} your function returned None: does it end with `return ...`?"
                )
            if not same(got, case.expected):
                seen = shown(got) if isinstance(got, (bool, int, float)) else _short(got)
                return not_yet(f"For {case.about} your function returned {seen}, which is not right.")
        return right(well)

    return judge


def _agree(got: Any, expected: Any) -> bool:
    if isinstance(expected, (bool, str)):
        return bool(got == expected)
    if isinstance(expected, (int, float)):
        value = read_number(got)
        return not isinstance(value, Outcome) and math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12)
    same = got == expected
    return bool(same.all()) if hasattr(same, "all") else bool(same)


def _short(value: object) -> str:
    """Show a value in a few words, without an address."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 and " at 0x" not in text else f"a {type(value).__name__}"
