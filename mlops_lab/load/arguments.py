"""What users hand over, checked in one place: each refusal names the value, what is accepted, the way out."""

from __future__ import annotations

import math
import numbers

import numpy as np
import numpy.typing as npt

__all__ = ["not_negative", "per_second", "policy_given", "positive", "seconds", "whole_number"]

Floats = npt.NDArray[np.float64]


def shown(value: object) -> str:
    """Write a value as Python's own numbers are written, numpy's too."""
    return repr(value.item()) if isinstance(value, np.generic) else repr(value)


def _finite(value: object) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value)


def positive(**values: object) -> None:
    """Refuse settings that are not finite numbers above 0."""
    for name, value in values.items():
        if not _finite(value) or value <= 0:  # type: ignore[operator]
            raise ValueError(f"{name} must be a finite number above 0; got {shown(value)}")


def not_negative(**values: object) -> None:
    """Refuse settings that are not finite numbers of at least 0."""
    for name, value in values.items():
        if not _finite(value) or value < 0:  # type: ignore[operator]
            raise ValueError(f"{name} must be a finite number >= 0; got {shown(value)}")


def whole_number(least: int = 0, **values: object) -> None:
    """Refuse settings that are no whole numbers of at least `least`; 3.0 is one."""
    for name, value in values.items():
        if not _finite(value) or value != int(value) or value < least:  # type: ignore[call-overload,operator]
            raise ValueError(f"{name} must be a whole number >= {least}; got {shown(value)}")


def _plain_numbers(name: str, values: npt.ArrayLike) -> Floats:
    """Copy numbers into an array of floats; refuse what numpy would take for numbers, and is none."""
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        raise ValueError(f"{name} has {int(values.mask.sum())} masked values: drop them by .compressed()")
    array = np.asarray(values)
    if array.dtype.kind == "O":  # numbers of another kind, such as Decimal; texts fail below
        texts = [value for value in array.ravel()[:100] if isinstance(value, str | bytes)]
        if texts:
            raise ValueError(f"{name} must be numbers; got the text {texts[0]!r}: convert it by float()")
    elif array.dtype.kind not in "biuf" and array.size:
        way = ": divide time differences by np.timedelta64(1, 's')" if array.dtype.kind in "mM" else ""
        raise ValueError(f"{name} must be numbers; got values of the type {array.dtype}{way}")
    try:
        return np.array(array, dtype=float)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise ValueError(f"{name} must be numbers: {wrong}") from wrong


def seconds(name: str, values: npt.ArrayLike) -> Floats:
    """Give a copy of times as floats; refuse those that are negative or not finite."""
    times = _plain_numbers(name, values)
    if times.size and not (times.min() >= 0 and times.max() < math.inf):  # true for NaN, too
        flat = np.atleast_1d(times)
        bad = np.flatnonzero(~(np.isfinite(flat) & (flat >= 0)))
        raise ValueError(
            f"{name} must be finite and >= 0; request {bad[0]} has {shown(flat.ravel()[bad[0]])}: "
            f"drop or mend {bad.size} of them"
        )
    return times


def per_second(rate: npt.ArrayLike) -> Floats:
    """Give a curve of calls per second as floats; refuse what is none."""
    per_s = _plain_numbers("rate", rate)
    if per_s.ndim != 1 or per_s.size == 0 or not np.isfinite(per_s).all() or (per_s < 0).any():
        raise ValueError(
            "rate must be a one-dimensional array of finite calls per second >= 0, in equal slices of one day"
        )
    return per_s


def policy_given(policy: object) -> None:
    """Refuse what cannot be asked for a number of machines."""
    if isinstance(policy, type):
        raise ValueError(f"policy is the class {policy.__name__}: make one of it, with round brackets")
    if not callable(getattr(policy, "wanted", None)):
        raise ValueError(f"policy must have a method wanted(seen), as Fixed(40) has; got {shown(policy)}")
