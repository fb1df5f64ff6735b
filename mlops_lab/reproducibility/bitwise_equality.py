"""Bitwise equality: are two results the same, and if not, where do they part, and by how much.

The size of a difference is told in *ulps*, units in the last place: how many other floating-point numbers one
would have to step over to get from the one value to the other. One ulp is the smallest difference there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report

__all__ = ["same", "ulps"]

_INTEGERS: Mapping[int, Any] = {2: np.int16, 4: np.int32, 8: np.int64}


def ulps(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Count the floating-point numbers that lie between two values, element by element.

    It answers how large a difference is for a computer. It cannot tell whether it matters: next to zero a
    difference of no importance spans very many ulps, so read the absolute difference beside it.

    Parameters
    ----------
    a, b
        Floating-point numbers of one dtype and one shape; anything else is taken as 64-bit floats.

    Returns
    -------
    numpy.ndarray
        The distances, 0 for equal values (0.0 and -0.0 too) and for two missing ones; infinite where just one
        value is missing. Above 2**53 they are rounded.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Floats of one sign are ordered like the integers that have the same bits (Dawson 2012, *Comparing floating
    point numbers*; Goldberg 1991 on ulps).

    Examples
    --------
    >>> ulps([0.1 + 0.2, 1.0], [0.3, 1.0]).tolist()
    [1.0, 0.0]

    Taught in notebooks/05_reproducibility.ipynb.
    """
    one, other = np.asarray(a), np.asarray(b)
    if one.shape != other.shape:
        raise ValueError(f"shapes {one.shape} and {other.shape}: ulps are counted between pairs of values")
    if one.dtype != other.dtype or one.dtype.kind != "f" or one.dtype.itemsize not in _INTEGERS:
        one, other = one.astype(np.float64), other.astype(np.float64)
    steps = [_steps(each) for each in (one, other)]
    large = steps[0].astype(np.float64) - steps[1].astype(np.float64)
    # A difference of two 64-bit integers may not fit into one; a float tells such a large one well enough.
    with np.errstate(over="ignore"):
        apart = np.where(np.abs(large) < 2.0**62, np.abs(steps[0] - steps[1]), np.abs(large))
    missing = np.isnan(one).astype(int) + np.isnan(other).astype(int)
    found = np.where(missing == 0, apart, np.where(missing == 1, math.inf, 0.0))
    return np.asarray(found, dtype=np.float64)


def _steps(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Number the floats in their order: 0 is zero, 1 the smallest positive one, -1 the largest negative."""
    bits = np.ascontiguousarray(values).view(_INTEGERS[values.dtype.itemsize]).reshape(values.shape)
    bits = bits.astype(np.int64)
    magnitude = bits & np.iinfo(_INTEGERS[values.dtype.itemsize]).max
    return np.asarray(np.where(bits < 0, -magnitude, magnitude))


@dataclass(frozen=True, kw_only=True)
class Sameness(Report):
    """What `same` found.

    Attributes
    ----------
    bitwise
        Whether all bits are the same.
    values, differing
        How many values were compared, and how many of them differ in a bit.
    first
        Where the first difference is, such as ``"coefs_[0][3, 5]"``; empty where there is none.
    largest_ulps, largest
        The largest difference, in ulps and as a plain number; infinite where the two cannot be subtracted.

    Examples
    --------
    >>> same([1.0, 2.0], [1.0, 2.0]).bitwise
    True
    """

    bitwise: bool
    values: int
    differing: int
    first: str
    largest_ulps: float
    largest: float

    def headline(self) -> str:
        """Say in one sentence whether the bits are the same, and if not, how far the values are apart."""
        if self.bitwise:
            return f"All {self.values:,} values are the same, bit for bit."
        return (
            f"{self.differing:,} of {self.values:,} values differ, the first at {self.first or 'the top'}; "
            f"by {self.largest:.3g} at most."
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw how many values are the same and how many are not."""
        counts = pd.Series({"same bits": self.values - self.differing, "other bits": self.differing})
        return plots.bars(
            counts, xlabel="", ylabel="values", number_format="{:,.0f}", title=self.title, ax=ax
        )


def same(a: Any, b: Any, *, title: str = "Same result?") -> Sameness:
    """Compare two results bit for bit: arrays, tables, fitted estimators, or anything nested of them.

    It answers whether a training gave the same result again, and if not, where the two part. It cannot tell
    why, nor whether the difference matters. It misleads where two results are the same for lack of a
    difference to show, such as two accuracies on ten rows: compare the parameters or the probabilities.

    Parameters
    ----------
    a, b
        Numbers, texts, arrays, DataFrames, Series, lists, tuples, sets, mappings, estimators, and whatever
        else pickle can take apart. Functions are compared by their names. In estimators, what a search wrote
        down in seconds (names that end in ``_time``) is left out. Two missing values count as the same; 0.0
        and -0.0
        do not, their bits differ.
    title
        What the two are.

    Raises
    ------
    TypeError
        If something in it cannot be compared, such as an open file.

    Examples
    --------
    >>> found = same([0.1 + 0.2, 1.0], [0.3, 1.0])
    >>> found.bitwise, found.differing, found.first, found.largest_ulps
    (False, 1, '[0]', 1.0)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    values = differing = 0
    first, steps, largest = "", 0.0, 0.0
    for place, size, wrong, apart, distance in _walk(a, b, "", ()):
        first = first or (place or "the value itself" if wrong else "")
        values, differing = values + size, differing + wrong
        steps, largest = max(steps, apart), max(largest, distance)
    bitwise = differing == 0
    finding = Finding(
        code="reproducibility.bits",
        title="Bits",
        ok=bitwise,
        statistic="largest difference",
        value=steps if math.isfinite(steps) else None,
        limit=0,
        unit="ulps",
        explanation="The same computation, step for step."
        if bitwise
        else f"They part at {first}. Whether that matters, the predictions tell.",
        source="Goldberg 1991",
    )
    return Sameness(
        title=title,
        findings=(finding,),
        bitwise=bitwise,
        values=values,
        differing=differing,
        first=first,
        largest_ulps=steps,
        largest=largest,
    )


_Part = tuple[str, int, int, float, float]
"""Where, how many values, how many differ, by how many ulps, by how much."""


def _walk(a: Any, b: Any, place: str, above: tuple[int, ...]) -> Iterator[_Part]:
    """Go through two results side by side; what holds itself is not entered again."""
    if id(a) in above:
        return
    above = (*above, id(a))
    one, other = _plain(a), _plain(b)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            below = f"{place}.{key}" if place else str(key)
            if key in one and key in other:
                yield from _walk(one[key], other[key], below, above)
            else:
                yield below, 1, 1, math.inf, math.inf
    elif isinstance(one, list) and isinstance(other, list):
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from _walk(*pair, f"{place}[{number}]", above)
        if len(one) != len(other):
            extra = abs(len(one) - len(other))
            yield f"{place}[{min(len(one), len(other))}]", extra, extra, math.inf, math.inf
    elif isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        yield _arrays(one, other, place)
    else:
        for each in (one, other):
            if not isinstance(each, Mapping | list | np.ndarray):
                raise TypeError(
                    f"a {type(each).__name__} at {place or 'the top'} cannot be compared bit for bit; give "
                    "numbers, texts, arrays, tables, estimators, or lists and dicts of them"
                )
        yield place, 1, 1, math.inf, math.inf


def _plain(thing: Any) -> Any:
    """Turn what stands for several values into mappings, lists and arrays."""
    if isinstance(thing, np.ndarray | Mapping):
        return thing
    if isinstance(thing, bool | int | float | complex | str | bytes | np.generic) or thing is None:
        return np.asarray(thing)
    if isinstance(thing, pd.DataFrame):
        columns = {str(name): thing.iloc[:, number] for number, name in enumerate(thing.columns)}
        return {"columns": list(map(str, thing.columns)), "index": thing.index, **columns}
    if isinstance(thing, pd.Series | pd.Index):
        return thing.to_numpy()
    if isinstance(thing, tuple | list):
        numbers = all(isinstance(each, float | np.floating) for each in thing)
        return np.asarray(thing) if numbers and len(thing) else list(thing)
    if isinstance(thing, set | frozenset):
        return sorted(thing, key=repr)
    if isinstance(thing, type | FunctionType | BuiltinFunctionType):
        return np.asarray(f"{thing.__module__}.{thing.__qualname__}")
    return _taken_apart(thing)


def _taken_apart(thing: Any) -> Any:
    """Give the parts that pickle would store: of an estimator all that it learned, private parts too."""
    try:
        parts = thing.__reduce_ex__(4)
    except TypeError:
        return thing
    if isinstance(parts, str):
        return np.asarray(parts)
    made, given, state, items, pairs = (*parts, None, None, None, None)[:5]
    held = {"class": type(thing).__name__, "made by": made, "of": list(given)}
    if isinstance(state, Mapping):
        held |= _untimed(state)
    elif state is not None:
        held["state"] = state
    return {
        **held,
        **{name: list(each) for name, each in (("items", items), ("pairs", pairs)) if each is not None},
    }


def _untimed(state: Mapping[Any, Any]) -> dict[str, Any]:
    """Leave out what a search wrote down in seconds: no two runs agree on that."""
    named = {str(name): value for name, value in state.items()}
    kept = {name: value for name, value in named.items() if not name.rstrip("_").endswith("_time")}
    return {name: _untimed(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _arrays(a: npt.NDArray[Any], b: npt.NDArray[Any], place: str) -> _Part:
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind or (a.dtype.kind in "fc" and a.dtype != b.dtype):
        return place, max(a.size, b.size), max(a.size, b.size, 1), math.inf, math.inf
    if a.dtype.kind == "f":
        missing = np.isnan(a) & np.isnan(b)
        wrong = ((a != b) | (np.signbit(a) != np.signbit(b))) & ~missing
    elif a.dtype.kind == "O":
        wrong = np.array([not _equal(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True)], dtype=bool)
        wrong = wrong.reshape(a.shape)
    else:
        wrong = np.asarray(a != b)
    if not wrong.any():
        return place, a.size, 0, 0.0, 0.0
    where = tuple(int(axis[0]) for axis in np.nonzero(np.atleast_1d(wrong)))
    shown = f"{place}[{', '.join(map(str, where))}]" if a.ndim else place
    if a.dtype.kind not in "fiub":
        return shown, a.size, int(wrong.sum()), math.inf, math.inf
    with np.errstate(invalid="ignore"):
        distance = np.abs(a[wrong].astype(np.float64) - b[wrong].astype(np.float64))
    largest = float(np.nan_to_num(distance, nan=math.inf, posinf=math.inf).max())
    apart = float(ulps(a[wrong], b[wrong]).max()) if a.dtype.kind == "f" else math.inf
    return shown, a.size, int(wrong.sum()), apart, largest


def _equal(one: Any, other: Any) -> bool:
    """Compare two cells of a table of objects; two missing ones are the same."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return type(one) is type(other) and bool(np.all(one == other))
