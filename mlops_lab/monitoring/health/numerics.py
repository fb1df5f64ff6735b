"""Overflow and underflow in training: the room a number format leaves, the first bad step, loss scaling.

A loss that is not a number at the end of a night was one for hours. What was the first step, which array, and
did its size announce it? The watch looks at whatever it is shown, in any training loop. Small gradients stay
inside a narrow format by a factor that grows when it can and halves when it must.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report, Sink, guarded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LossScale", "Numerics", "overflow_margin"]

T = TypeVar("T")


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
    for array in _arrays_in(values):
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
    parts = [np.abs(array) for array in _arrays_in(gradients)]
    largest = max((float(part.max(initial=0.0)) for part in parts), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    if any(np.isnan(part).any() for part in parts):
        return math.nan
    return largest * math.sqrt(math.fsum(float(np.square(part / largest).sum()) for part in parts))


@dataclass(frozen=True)
class BadStep:
    """The first step at which something was not finite.

    Attributes
    ----------
    step
        Its number.
    name
        Which of the things shown it was: the first in the order in which they were handed in.
    kind
        ``"infinite"`` or ``"not a number"``.
    count, size
        How many of its numbers, of how many.

    Examples
    --------
    >>> str(BadStep(17, "gradient", "infinite", 3, 96))
    'step 17: 3 of 96 numbers of gradient are infinite'
    """

    step: int
    name: str
    kind: str
    count: int
    size: int

    def __str__(self) -> str:
        verb = "is" if self.count == 1 else "are"
        return f"step {self.step}: {self.count} of {self.size} numbers of {self.name} {verb} {self.kind}"


@dataclass(frozen=True, kw_only=True)
class NumericsReport(Report):
    """What a watch saw: the first bad step, the margin, and the sizes step by step.

    Attributes
    ----------
    first_bad
        The first bad step, or None.
    history
        One row for each step and name: ``norm``, ``largest``, ``doublings``, ``lost``, ``not_finite``.
    largest_allowed
        The largest number of the format that is watched.

    Examples
    --------
    >>> watch = Numerics("float16")
    >>> for step in watch.over(range(100)):
    ...     fine = watch.see(step, loss=2.0**step)
    >>> watch.report().first_bad is None, watch.report().ok
    (True, False)
    """

    first_bad: BadStep | None
    history: pd.DataFrame
    largest_allowed: float

    def headline(self) -> str:
        """Say the first bad step, or that there was none."""
        return f"First bad step: {self.first_bad}." if self.first_bad else "All numbers were finite."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the largest number of each thing, step by step, against the format's largest.

        The axis counts powers of two, so that each unit of it is one doubling; zeros have no place on it.
        """
        held = self.history.reset_index()
        held["largest"] = held["largest"].where(held["not_finite"] == 0)
        wide = held.pivot(index="step", columns="name", values="largest")
        return plots.line(
            wide.where(wide > 0).apply(np.log2),
            xlabel="step",
            ylabel="largest number (as a power of two)",
            title=self.title,
            limit=math.log2(self.largest_allowed),
            limit_label="overflows above 2 to the",
            ax=ax,
        )


class Numerics:
    """A watch on the numbers of a training loop, of whatever library.

    It answers at which step the first number was not finite, in which array, and how the margin shrank before
    that. It cannot see what it is not shown, nor what became infinite and was clipped within the step.
    It misleads if shown the loss alone: a gradient overflows steps before the loss does.

    Parameters
    ----------
    number_format
        The format the training computes in, one of ``NUMBER_FORMATS``.
    least_doublings
        A margin below this many doublings needs attention.
    most_lost
        A larger share of numbers that the format turns into zero needs attention.
    keep
        How many rows are remembered, the latest: a watch on memory must not itself eat it.
    sink
        Where norms and margins are sent, such as a tracker; its failure does not stop the training.

    Examples
    --------
    >>> watch = Numerics("float32")
    >>> for step in watch.over(range(1000)):
    ...     fine = watch.see(step, loss=1.0 / (step + 1), gradient=[1.0, float("inf") if step == 3 else 2.0])
    >>> str(watch.first_bad)
    'step 3: 1 of 2 numbers of gradient is infinite'
    >>> step  # the loop ended there
    3
    >>> watch.report().ok
    False
    >>> watch.frame().loc[(2, "gradient"), "largest"]
    np.float64(2.0)
    """

    def __init__(
        self,
        number_format: str = "float32",
        *,
        least_doublings: float = 2.0,
        most_lost: float = 0.05,
        keep: int = 100_000,
        sink: Sink | None = None,
    ) -> None:
        if number_format not in NUMBER_FORMATS:
            raise ValueError(f"number_format={number_format!r} is none of {', '.join(NUMBER_FORMATS)}")
        self.number_format = number_format
        self.least_doublings = least_doublings
        self.most_lost = most_lost
        self.first_bad: BadStep | None = None
        self._rows: deque[dict[str, Any]] = deque(maxlen=keep)
        self._sink = None if sink is None else guarded(sink)

    def over(self, steps: Iterable[T]) -> Iterator[T]:
        """Go through the steps of a loop, and end it after the first bad one."""
        for step in steps:
            yield step
            if self.first_bad is not None:
                return

    def see(self, step: int, **shown: Any) -> bool:
        """Look at the numbers of one step, and say whether all are finite.

        By name what is looked at: numbers, arrays, tensors, lists and dicts of them. Show things in the order
        in which they are computed: the first bad one is then the cause.
        """
        sent: dict[str, float] = {}
        fine = True
        for name, values in shown.items():
            margin = overflow_margin(values, self.number_format)
            norm = gradient_norm(values)
            row = {"step": step, "name": name, "norm": norm, **vars(margin)}
            self._rows.append(row)
            sent |= {f"{name}_norm": norm, f"{name}_doublings": margin.doublings}
            if margin.not_finite:
                fine = False
                if self.first_bad is None:
                    self.first_bad = _bad(step, name, values, margin.not_finite)
        if self._sink is not None:
            self._sink.log(step, sent)
        return fine

    def frame(self) -> pd.DataFrame:
        """Give what was seen, a row for each step and name: norm, largest, doublings, lost, not_finite."""
        columns = ["step", "name", "norm", "largest", "doublings", "lost", "not_finite"]
        return pd.DataFrame(self._rows, columns=columns).set_index(["step", "name"])

    def report(self) -> NumericsReport:
        """Say whether all was finite, how close it came to overflow, and what was lost to zero."""
        held = self.frame()
        findings = [self._finite(held)]
        if not held.empty:
            findings += [self._margin(held), self._lost(held)]
        return NumericsReport(
            title="Numbers",
            findings=tuple(findings),
            first_bad=self.first_bad,
            history=held,
            largest_allowed=NUMBER_FORMATS[self.number_format].largest,
        )

    def _finite(self, held: pd.DataFrame) -> Finding:
        said = str(self.first_bad)[:1].upper() + str(self.first_bad)[1:] if self.first_bad else ""
        return Finding(
            code="numerics.finite",
            title="All numbers finite",
            ok=None if held.empty else self.first_bad is None,
            explanation="Nothing was shown." if held.empty else f"{said or 'They were'}.",
            statistic="numbers that are not finite",
            value=None if held.empty else float(held["not_finite"].sum()),
            limit=None if held.empty else 0,
            severity="serious",
        )

    def _margin(self, held: pd.DataFrame) -> Finding:
        step, name = _where(held["doublings"].idxmin())
        least = float(held["doublings"].min())
        return Finding(
            code="numerics.margin",
            title=f"Room before {self.number_format} overflows",
            ok=least >= self.least_doublings,
            explanation=f"Least at step {step}, in {name}. A square needs twice the room that its root does.",
            statistic="doublings left",
            value=least if math.isfinite(least) else None,
            limit=self.least_doublings,
            bound="at least",
            source="IEEE 754",
        )

    def _lost(self, held: pd.DataFrame) -> Finding:
        step, name = _where(held["lost"].idxmax())
        most = float(held["lost"].max())
        told = f"Most at step {step}, in {name}: they become zero. Scale the loss up, the gradient down."
        return Finding(
            code="numerics.lost",
            title=f"Too small for {self.number_format}",
            ok=most <= self.most_lost,
            explanation=told if most else "No number was so small that it becomes zero.",
            statistic="share lost",
            value=most,
            limit=self.most_lost,
            source="loss scaling: Micikevicius and others 2018",
        )


class LossScale:
    """The factor by which a loss is multiplied, so that small gradients survive in float16.

    Multiply the loss before the gradient is taken, divide the gradient after it. If a step overflowed, that
    step is skipped and the factor halves; after many good ones it doubles (Micikevicius and others 2018). A
    few skipped steps are normal. It cannot mend a training that explodes: there the factor sinks to nothing.

    Parameters
    ----------
    start
        The first factor.
    patience
        After so many good steps in a row the factor doubles.
    largest
        The factor never exceeds this.

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> scale = LossScale(1024.0, patience=2)
    >>> [scale.update(finite) for finite in (True, True, False)]
    [True, True, False]
    >>> scale.factor, scale.skipped
    (1024.0, 1)
    """

    def __init__(self, start: float = 2.0**15, *, patience: int = 200, largest: float = 2.0**24) -> None:
        if not 0 < start <= largest < math.inf:
            raise ValueError(f"start={start!r} must lie above 0 and not above largest={largest!r}")
        if patience < 1:
            raise ValueError(f"patience={patience!r} must be at least one step")
        self.factor = float(start)
        self.patience = patience
        self.largest = float(largest)
        self.skipped = 0
        self._good = 0

    def update(self, finite: bool) -> bool:
        """Take note of whether a step's gradient was finite, and adapt the factor."""
        if not finite:
            self.factor /= 2
            self.skipped += 1
            self._good = 0
            return False
        self._good += 1
        if self._good >= self.patience:
            self.factor = min(self.factor * 2, self.largest)
            self._good = 0
        return True


def _where(index: object) -> tuple[int, str]:
    """Read a row's place in the history."""
    step, name = index  # type: ignore[misc]
    return int(step), str(name)  # type: ignore[has-type]


def _bad(step: int, name: str, values: Mapping[str, Any] | Any, count: int) -> BadStep:
    arrays = list(_arrays_in(values))
    kind = "not a number" if any(np.isnan(array).any() for array in arrays) else "infinite"
    return BadStep(int(step), name, kind, count, sum(array.size for array in arrays))


def _arrays_in(values: Any) -> Iterator[npt.NDArray[np.float64]]:
    """Walk through numbers, arrays, tensors, and lists, tuples and dicts of them."""
    if values is None:
        return
    if isinstance(values, Mapping):
        for part in values.values():
            yield from _arrays_in(part)
        return
    if isinstance(values, (list, tuple)):
        if values and all(isinstance(part, (int, float)) for part in values):
            yield np.array(values, dtype=float)
        else:
            for part in values:
                yield from _arrays_in(part)
        return
    if hasattr(values, "detach"):  # a tensor, perhaps on a graphics card
        values = values.detach().cpu().double()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{type(values).__name__} of {array.dtype} holds no real numbers")
    yield array.astype(np.float64, copy=False).ravel()
