"""How much room does a format of numbers leave? How far from overflow, and how much is lost below."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["NUMBER_FORMATS", "Margin", "NumberFormat", "arrays_in", "gradient_norm", "overflow_margin"]


@dataclass(frozen=True)
class NumberFormat:
    """A binary floating-point format, by its ends.

    Attributes
    ----------
    largest
        The largest finite number; what is larger becomes infinite.
    smallest
        The smallest number above zero; what is below half of it becomes zero.
    digits
        Decimal digits that are kept, about.
    """

    largest: float
    smallest: float
    digits: float


NUMBER_FORMATS: Mapping[str, NumberFormat] = {
    "float16": NumberFormat(65504.0, 2.0**-24, 3.3),
    "bfloat16": NumberFormat(2.0**128 - 2.0**120, 2.0**-133, 2.4),
    "float32": NumberFormat(2.0**128 - 2.0**104, 2.0**-149, 7.2),
    "float64": NumberFormat(float(np.finfo(np.float64).max), 2.0**-1074, 16.0),
}
"""The formats that models are trained in (IEEE 754; bfloat16 is a float32 without its last 16 bits)."""


@dataclass(frozen=True)
class Margin:
    """How the numbers of an array fit into a format.

    Attributes
    ----------
    largest
        The largest absolute value that is finite; 0 for an empty array.
    doublings
        How often it can double before it overflows; negative if it would have overflowed in that format, and
        0 if one of the numbers is not finite already.
    lost
        The share of the numbers other than zero that the format turns into zero.
    not_finite
        How many numbers are infinite or not a number already.

    Examples
    --------
    >>> Margin(largest=16376.0, doublings=2.0, lost=0.0, not_finite=0).doublings
    2.0
    """

    largest: float
    doublings: float
    lost: float
    not_finite: int


def overflow_margin(values: Any, number_format: str = "float16") -> Margin:
    """Measure how far numbers are from the two ends of a format, before they reach them.

    It answers how often the largest can still double, and which share is so small that the format stores
    zero. It cannot see what happens between: a sum of squares overflows long before its terms do. It misleads
    if the values stand in that format already: what was lost is gone, and only what overflowed can be seen.

    Parameters
    ----------
    values
        A number, an array, or lists, tuples and dicts of them; tensors with ``detach`` are read too.
    number_format
        One of ``NUMBER_FORMATS``: float16, bfloat16, float32, float64.

    Raises
    ------
    ValueError
        If the format is unknown.

    Examples
    --------
    >>> overflow_margin([16376.0, 1e-9, 0.0])
    Margin(largest=16376.0, doublings=2.0, lost=0.5, not_finite=0)
    >>> overflow_margin([16376.0, 1e-9, 0.0], "bfloat16").lost
    0.0

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    if number_format not in NUMBER_FORMATS:
        raise ValueError(f"number_format={number_format!r} is none of {', '.join(NUMBER_FORMATS)}")
    room = NUMBER_FORMATS[number_format]
    largest, not_finite, lost, nonzero = 0.0, 0, 0, 0
    for array in arrays_in(values):
        size = np.abs(array)
        finite = np.isfinite(size)
        not_finite += int(size.size - finite.sum())
        size = size[finite]
        largest = max(largest, float(size.max(initial=0.0)))
        nonzero += int((size > 0).sum())
        lost += int(((size > 0) & (size <= room.smallest / 2)).sum())
    doublings = 0.0 if not_finite else math.log2(room.largest / largest) if largest else math.inf
    return Margin(largest, doublings, lost / nonzero if nonzero else 0.0, not_finite)


def gradient_norm(gradients: Any) -> float:
    """Give the length of a gradient, over all its parts, without overflowing on the way.

    The length before a step tells of trouble earlier than the loss does: it grows for some steps before
    anything is infinite. Which length is too long, no formula says: hold it against the run's own past.

    Parameters
    ----------
    gradients
        An array, or lists, tuples and dicts of arrays, as for ``overflow_margin``.

    Returns
    -------
    float
        The square root of the sum of squares, computed with 64 bits; infinite or not a number if a part is.

    Examples
    --------
    >>> gradient_norm({"weights": [[3.0, 0.0]], "bias": [4.0]})
    5.0

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    parts = [np.abs(array) for array in arrays_in(gradients)]
    largest = max((float(part.max(initial=0.0)) for part in parts), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    if any(np.isnan(part).any() for part in parts):
        return math.nan
    return largest * math.sqrt(math.fsum(float(np.square(part / largest).sum()) for part in parts))


def arrays_in(values: Any) -> Iterator[npt.NDArray[np.float64]]:
    """Walk through numbers, arrays, tensors, and lists, tuples and dicts of them."""
    if values is None:
        return
    if isinstance(values, Mapping):
        for part in values.values():
            yield from arrays_in(part)
        return
    if isinstance(values, (list, tuple)):
        if values and all(isinstance(part, (int, float)) for part in values):
            yield np.array(values, dtype=float)
        else:
            for part in values:
                yield from arrays_in(part)
        return
    if hasattr(values, "detach"):  # a tensor, perhaps on a graphics card
        values = values.detach().cpu().double()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{type(values).__name__} of {array.dtype} holds no real numbers")
    yield array.astype(np.float64, copy=False).ravel()
