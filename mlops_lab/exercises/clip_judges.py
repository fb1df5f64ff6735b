"""The judge of lesson 09's clipping: gradients of all lengths, and the mistakes that it knows by name.

It is held to by `checks/monitoring_health.py`, where the question and the rule stand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_lab.exercises.judging import Case
from mlops_lab.exercises.known_mistakes import explained

__all__ = ["CLIP_MISTAKES", "clipped", "judge_clipped"]


def clipped(gradient: Any, most: float) -> Any:
    """Shorten a gradient to a length, and leave a shorter one alone."""
    gradient = np.asarray(gradient, dtype=float)
    length = float(np.sqrt((gradient**2).sum()))
    return gradient * (most / length) if length > most else gradient


def _clip_cases(seed: int) -> list[Case]:
    rng = np.random.default_rng([seed, 1])
    long, short = 50 * rng.normal(size=6), 0.01 * rng.normal(size=6)
    unit = long / np.sqrt((long**2).sum())
    given = {
        "the gradient (3, 4) and a most of 1": (np.array([3.0, 4.0]), 1.0),
        "a gradient that is too long": (long, 2.0),
        "a gradient that is short enough": (short, 2.0),
        "a gradient of length 2.2 and a most of 2": (2.2 * unit, 2.0),
        "a gradient of length 1.8 and a most of 2": (1.8 * unit, 2.0),
        "a gradient of length 0.8 and a most of 0.5": (0.8 * unit, 0.5),
        "a gradient of zeros": (np.zeros(3), 1.0),
    }
    return [
        Case((gradient.copy(), most), clipped(gradient, most), about)
        for about, (gradient, most) in given.items()
    ]


def _clip_by(length: Any) -> Any:
    """Make a function that shortens by another length than the right one."""

    def clip(gradient: Any, most: float) -> Any:
        return gradient * (most / length(gradient)) if length(gradient) > most else gradient

    return clip


def _always(gradient: Any, most: float) -> Any:
    return gradient * most / np.sqrt((gradient**2).sum()) if gradient.any() else gradient


def _to_one(gradient: Any, most: float) -> Any:
    length = np.sqrt((gradient**2).sum())
    return gradient / length if length > most else gradient


def _above_one(gradient: Any, most: float) -> Any:
    return clipped(gradient, most) if (gradient**2).sum() > 1 else gradient


CLIP_MISTAKES = (
    (
        lambda gradient, most: np.clip(gradient, -most, most),
        "It cuts each number by itself, and that turns the gradient into another direction.",
    ),
    (_always, "It makes a short gradient longer, too."),
    (_clip_by(lambda gradient: (gradient**2).sum()), "The length is the *root* of the sum of squares."),
    (_clip_by(lambda gradient: abs(gradient).max()), "The largest number of a gradient is not its length."),
    (_clip_by(lambda gradient: abs(gradient).sum()), "The sum of the numbers is not the length."),
    (_clip_by(lambda gradient: np.sqrt((gradient**2).mean())), "The length is from the *sum* of squares."),
    (_to_one, "It is shortened to length 1, whatever `most` is."),
    (_above_one, "It compares the length with 1, whatever `most` is."),
)

judge_clipped = explained(_clip_cases, CLIP_MISTAKES, "The direction stays, and the length has an end.")
