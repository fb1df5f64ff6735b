"""Which known mistake is a student's function? One that returns the same, in every case that it answers.

A message about one wrong value easily names the wrong cause. Here a cause is named only if it explains all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mlops_lab.exercises import Outcome, not_yet
from mlops_lab.exercises.judging import Case, function

__all__ = ["Known", "alike", "explained", "same"]

Known = Sequence[tuple[Callable[..., Any], str]]
"""Mistaken functions, each with a sentence to say about it."""


def same(got: Any, expected: Any) -> bool:
    """Compare None, a word, a number or several numbers, in any container that has an order."""
    if expected is None or isinstance(expected, str):
        return bool(got is expected or (isinstance(expected, str) and np.all(got == expected)))
    if isinstance(got, (dict, set, str)):
        return False
    try:
        values = np.asarray(got, dtype=float).ravel()
    except (TypeError, ValueError):
        return False
    wanted = np.ravel(expected)
    return values.shape == wanted.shape and np.allclose(values, wanted, rtol=0, atol=1e-9)


def alike(answer: Callable[..., Any], cases: Callable[[int], Sequence[Case]], seed: int, known: Known) -> str:
    """Say which known mistake returns the same as the answer in each case that both of them survive."""
    got = _returned(answer, cases(seed))
    for mistake, why in known:
        made = _returned(mistake, cases(seed))
        both = [case for case in got if case in made]
        if len(both) > 1 and all(same(got[case], made[case]) for case in both):
            return f" {why}"
    return ""


def _returned(answer: Callable[..., Any], cases: Sequence[Case]) -> dict[int, Any]:
    """Call a function on each case, and leave out those at which it stops."""
    returned = {}
    for number, case in enumerate(cases):
        try:
            returned[number] = answer(*case.arguments)
        except Exception:  # noqa: BLE001  this case says nothing about the two
            continue
    return returned


def explained(
    cases: Callable[[int], Sequence[Case]], known: Known, well: str = ""
) -> Callable[[object, int], Outcome]:
    """Judge a function by its cases; add what explains all that it returned, if a known mistake does."""
    by_cases = function(cases, agree=same, well=well)

    def judge(answer: object, seed: int) -> Outcome:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as numpy's, for the mean of nothing
            outcome: Outcome = by_cases(answer, seed)
            if outcome.state == "right" or not callable(answer):
                return outcome
            return not_yet(outcome.message + alike(answer, cases, seed, known))

    return judge
