"""How likely does a sum of whole steps reach a limit? Exactly, as a chain of heights.

A sum that goes up by one whole number, down by another, and never below 0 can only be at a few hundred
heights. Where it is after each step is a list of chances; what has left the list has given alarm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["lowest_limit", "reached", "whole_steps"]

Floats = npt.NDArray[np.float64]


def whole_steps(promised: float, feared: float) -> tuple[int, int]:
    """Give whole steps up and down, nearly in the ratio of both answers' log likelihoods."""
    ratio = math.log(feared / promised) / math.log((1 - promised) / (1 - feared))
    near = Fraction(ratio).limit_denominator(max(1, round(8 / ratio)))
    return max(1, near.numerator), near.denominator


def reached(rate: float, up: int, down: int, limit: int, steps: int) -> Floats:
    """Give after each step the chance that the limit was reached: what has left the heights below.

    Brook and Evans (1972).
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate={rate!r}: a share from 0 to 1 is needed")
    mass = np.zeros(limit)
    mass[0] = 1.0
    inside = np.empty(steps)
    for step in range(steps):
        moved = np.zeros(limit)
        moved[: max(0, limit - down)] = (1 - rate) * mass[down:]
        moved[0] += (1 - rate) * mass[:down].sum()
        if up < limit:
            moved[up:] += rate * mass[: limit - up]
        mass = moved
        inside[step] = mass.sum()
    return 1 - inside


@lru_cache(maxsize=256)
def lowest_limit(rate: float, up: int, down: int, horizon: int, wanted: float) -> tuple[int, float]:
    """Find the lowest limit that keeps the wanted chance, and the chance that it has."""

    def chance(limit: int) -> float:
        return float(reached(rate, up, down, limit, horizon)[-1])

    # while all is well, e to the power of (slope x height) drifts nowhere; so a limit is surely high enough
    # once that power is horizon / wanted
    slope = _root(lambda x: rate * math.expm1(x * up) + (1 - rate) * math.expm1(-x * down))
    high = math.ceil(math.log(2 * horizon / wanted) / slope) + up
    low = 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) <= wanted else (middle + 1, high)
    return low, chance(low)


def _root(function: Callable[[float], float]) -> float:
    """Find where a function that begins at 0, dips and then climbs is 0 again."""
    high = 1e-6
    while function(high) < 0:
        high *= 2
    low = high / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return high
