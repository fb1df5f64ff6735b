"""Overflow and underflow in training: the room a number format leaves, the first bad step, loss scaling.

A loss that is not a number at the end of a night was one for hours. What was the first step, which array, and
did its size announce it? The watch looks at whatever it is shown, in any training loop. Small gradients stay
inside a narrow format by a factor that grows when it can and halves when it must.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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

_FAINT = 0.5
"""From this share of numbers without all their digits on, zeros beside them come from underflow."""


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
    normal
        The smallest number that still has all its digits; below it they go one by one.
    """

    largest: float
    smallest: float
    digits: float
    normal: float


NUMBER_FORMATS: Mapping[str, NumberFormat] = {
    "float16": NumberFormat(65504.0, 2.0**-24, 3.3, 2.0**-14),
    "bfloat16": NumberFormat(2.0**128 - 2.0**120, 2.0**-133, 2.4, 2.0**-126),
    "float32": NumberFormat(2.0**128 - 2.0**104, 2.0**-149, 7.2, 2.0**-126),
    "float64": NumberFormat(float(np.finfo(np.float64).max), 2.0**-1074, 16.0, 2.0**-1022),
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
    size
        How many numbers there are.
    zero
        The share of them that are zero, and stand in that format or a coarser one: what they were before they
        were stored, nobody can see any more. A zero of a wider format or an integer is just a zero.
    faint
        The share of what is left in such a format that has lost digits already, for it lies below the
        smallest number that has them all. Many zeros beside many faint numbers are what underflow leaves.

    Examples
    --------
    >>> Margin(largest=16376.0, doublings=2.0, lost=0.0, not_finite=0).doublings
    2.0
    """

    largest: float
    doublings: float
    lost: float
    not_finite: int
    size: int = 0
    zero: float = 0.0
    faint: float = 0.0


def overflow_margin(values: Any, number_format: str = "float16") -> Margin:
    """Measure how far numbers are from the two ends of a format, before they reach them.

    It answers how often the largest can still double, and which share is so small that the format stores
    zero. It cannot see what happens between: a sum of squares overflows long before its terms do. Where the
    values stand in that format already, what was lost is gone: ``lost`` is 0 then, and ``zero`` says how much
    may have been. It misleads if such values were cast to a wider format afterwards: show them as they are.

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
    >>> margin = overflow_margin([16376.0, 1e-9, 0.0])
    >>> margin.doublings, margin.lost, margin.zero
    (2.0, 0.5, 0.0)
    >>> overflow_margin([16376.0, 1e-9, 0.0], "bfloat16").lost
    0.0
    >>> stored = overflow_margin(np.float16([16376.0, 1e-9, 1e-9, 0.0]))
    >>> stored.lost, stored.zero
    (0.0, 0.75)

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    if number_format not in NUMBER_FORMATS:
        raise ValueError(f"number_format={number_format!r} is none of {', '.join(NUMBER_FORMATS)}")
    room = NUMBER_FORMATS[number_format]
    largest = 0.0
    size = not_finite = lost = nonzero = zero = kept = faint = 0
    for array, stored_in in _stored_in(values):
        sizes = np.abs(array)
        finite = np.isfinite(sizes)
        size += int(sizes.size)
        not_finite += int(sizes.size - finite.sum())
        sizes = sizes[finite]
        largest = max(largest, float(sizes.max(initial=0.0)))
        nonzero += int((sizes > 0).sum())
        lost += int(((sizes > 0) & (sizes <= room.smallest / 2)).sum())
        coarse = _coarse(sizes, stored_in, room)
        if coarse is not None:
            zero += int((sizes == 0).sum())
            kept += int((sizes > 0).sum())
            faint += int(((sizes > 0) & (sizes < coarse.normal)).sum())
    doublings = 0.0 if not_finite else math.log2(room.largest / largest) if largest else math.inf
    return Margin(
        largest,
        doublings,
        lost=lost / nonzero if nonzero else 0.0,
        not_finite=not_finite,
        size=size,
        zero=zero / size if size else 0.0,
        faint=faint / kept if kept else 0.0,
    )


def _coarse(sizes: npt.NDArray[np.float64], stored_in: str, room: NumberFormat) -> NumberFormat | None:
    """Give the format in which these numbers may have lost small ones already; None if in none so coarse.

    That is the format they stand in, if it is no finer than the one that is watched. A wider array counts,
    too, where the cast back shows: every number in it fits the watched format, and some have lost digits.
    """
    own = NUMBER_FORMATS.get(stored_in)
    if own is None:
        return None
    if own.smallest >= room.smallest:
        return own
    faint = (sizes > 0) & (sizes < room.normal)
    steps = sizes[faint] / room.smallest
    return room if faint.any() and bool((steps == np.round(steps)).all()) else None


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
    others
        What else was not finite in the same step. Then the order in which things were shown does not tell
        which came first, nor whether one made the other: both may come from a third that was still finite.

    Examples
    --------
    >>> str(BadStep(17, "gradient", "infinite", 3, 96))
    'step 17: 3 of 96 numbers of gradient are infinite'
    >>> str(BadStep(17, "gradient", "infinite", 3, 96, ("loss",)))
    'step 17: 3 of 96 numbers of gradient are infinite, and in the same step loss'
    """

    step: int
    name: str
    kind: str
    count: int
    size: int
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        verb = "is" if self.count == 1 else "are"
        told = f"step {self.step}: {self.count} of {self.size} numbers of {self.name} {verb} {self.kind}"
        return f"{told}, and in the same step {', '.join(self.others)}" if self.others else told


@dataclass(frozen=True, kw_only=True)
class NumericsReport(Report):
    """What a watch saw: the first bad step, the margin, and the sizes step by step.

    Attributes
    ----------
    first_bad
        The first bad step, or None.
    history
        One row for each step and name: ``norm``, ``largest``, ``doublings``, ``lost``, ``not_finite``,
        ``size``, ``zero``, ``faint``.
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
        """Say the first bad step, or that there was none among what held numbers."""
        if self.first_bad:
            return f"First bad step: {self.first_bad}."
        if not self.history["size"].sum():
            return "No numbers were shown."
        empty = _empty(self.history)
        return f"All numbers were finite{f'; {empty} held none' if empty else ''}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the largest number of each thing, step by step, against the format's largest.

        The axis counts powers of two, so that each unit of it is one doubling; zeros have no place on it.
        """
        largest = self.history["largest"].where(self.history["not_finite"] == 0)
        wide = largest.groupby(["step", "name"]).max().unstack()  # a name may be shown twice in a step
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
    that. It cannot see what it is not shown, nor what became infinite and was clipped within the step, nor
    what small numbers were before they were stored in a narrow format: show those before they are. Where
    several things overflow in one step it names them all and no cause. It misleads if shown the loss alone:
    a loss of squares has half the room of the error that it is made of, but a gradient may be infinite or
    lost to zero while the loss still looks well.

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
        self._at_bad = False  # whether what is shown still belongs to that step
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

        By name what is looked at: numbers, arrays, tensors, lists and dicts of them. What is bad in an
        earlier step came first; within one step the order of computing is no proof, and all bad are named.
        """
        sent: dict[str, float] = {}
        fine = True
        self._at_bad = self._at_bad and self.first_bad is not None and self.first_bad.step == step
        for name, values in shown.items():
            margin = overflow_margin(values, self.number_format)
            norm = gradient_norm(values)
            row = {"step": step, "name": name, "norm": norm, **vars(margin)}
            self._rows.append(row)
            sent |= {f"{name}_norm": norm, f"{name}_doublings": margin.doublings}
            if margin.not_finite:
                fine = False
                if self.first_bad is None:
                    self.first_bad, self._at_bad = _bad(step, name, values, margin), True
                elif self._at_bad and name not in (self.first_bad.name, *self.first_bad.others):
                    self.first_bad = replace(self.first_bad, others=(*self.first_bad.others, name))
        if self._sink is not None:
            self._sink.log(step, sent)
        return fine

    def frame(self) -> pd.DataFrame:
        """Give what was seen, a row for each step and name: the norm, and what `overflow_margin` measures."""
        columns = ["step", "name", "norm", *Margin.__annotations__]
        return pd.DataFrame(self._rows, columns=columns).set_index(["step", "name"])

    def report(self) -> NumericsReport:
        """Say whether all was finite, how close it came to overflow, and what was lost to zero."""
        held = self.frame()
        findings = [self._finite(held)]
        if held["size"].sum():
            findings += [self._margin(held), self._lost(held)]
        return NumericsReport(
            title="Numbers",
            findings=tuple(findings),
            first_bad=self.first_bad,
            history=held,
            largest_allowed=NUMBER_FORMATS[self.number_format].largest,
        )

    def _finite(self, held: pd.DataFrame) -> Finding:
        nothing, empty = not held["size"].sum(), _empty(held)
        said = "Nothing was shown." if held.empty else "Nothing that was shown held a number."
        if not nothing:
            said = f"They were{f'; {empty} held none, and was not judged' if empty else ''}."
        if self.first_bad is not None:
            said = f"{str(self.first_bad)[:1].upper()}{str(self.first_bad)[1:]}."
            if self.first_bad.others:
                said += (
                    " Which of them was first, and whether one caused the other, cannot be seen from here."
                )
        return Finding(
            code="numerics.finite",
            title="All numbers finite",
            ok=False if self.first_bad is not None else None if nothing else True,
            explanation=said,
            statistic="numbers that are not finite",
            value=None if nothing else float(held["not_finite"].sum()),
            limit=None if nothing else 0,
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
        most, source = float(held["lost"].max()), "loss scaling: Micikevicius and others 2018"
        title, statistic = f"Too small for {self.number_format}", "share lost"
        cure = "Scale the loss up, the gradient down."
        gone = held[held["zero"] > self.most_lost]
        if most > self.most_lost or gone.empty:
            told = f"Most at step {step}, in {name}: they become zero. {cure}"
            return Finding(
                code="numerics.lost",
                title=title,
                ok=most <= self.most_lost,
                explanation=told if most else "No number was so small that it becomes zero.",
                statistic=statistic,
                value=most,
                limit=self.most_lost,
                source=source,
            )
        flushed = gone[gone["faint"] >= _FAINT]
        (step, name), shown = _most(gone if flushed.empty else flushed)
        told = f"At step {step}, {shown['zero']:.1%} of {name} are zero and were stored so: "
        told += (
            "whether they ever were anything else cannot be seen. Show them before they are stored."
            if flushed.empty
            else f"and {shown['faint']:.0%} of the rest have lost digits, as underflow leaves them. {cure}"
        )
        return Finding(
            code="numerics.lost",
            title=title,
            ok=None if flushed.empty else False,
            explanation=told,
            statistic="share that is zero already",
            value=float(shown["zero"]),
            limit=self.most_lost,
            source=source,
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
    """Read a row's place in the history: step and name."""
    step, name = index  # type: ignore[misc]
    return int(step), str(name)  # type: ignore[has-type]


def _most(gone: pd.DataFrame) -> tuple[tuple[int, str], pd.Series[float]]:
    """Give place and figures of the row with the largest share of zeros."""
    place = int(np.argmax(gone["zero"].to_numpy()))  # a place may stand in the history twice
    return _where(gone.index[place]), gone.iloc[place]


def _empty(held: pd.DataFrame) -> str:
    """Name what was shown and never held a number."""
    sizes = held["size"].groupby("name", sort=False).sum()
    return ", ".join(map(str, sizes.index[sizes == 0]))


def _bad(step: int, name: str, values: Mapping[str, Any] | Any, margin: Margin) -> BadStep:
    kind = "not a number" if any(np.isnan(array).any() for array in _arrays_in(values)) else "infinite"
    return BadStep(int(step), name, kind, margin.not_finite, margin.size)


def _arrays_in(values: Any) -> Iterator[npt.NDArray[np.float64]]:
    """Walk through numbers, arrays, tensors, and lists, tuples and dicts of them."""
    return (array for array, _ in _stored_in(values))


def _stored_in(values: Any) -> Iterator[tuple[npt.NDArray[np.float64], str]]:
    """Walk through them, and tell of each the format that it stands in."""
    if values is None:
        return
    if isinstance(values, Mapping):
        for part in values.values():
            yield from _stored_in(part)
        return
    if isinstance(values, (list, tuple)):
        if values and all(isinstance(part, (int, float)) for part in values):
            yield np.array(values, dtype=float), "float64"
        else:
            for part in values:
                yield from _stored_in(part)
        return
    stored_in = str(getattr(values, "dtype", "")).removeprefix("torch.")
    if hasattr(values, "detach"):  # a tensor, perhaps on a graphics card
        values = values.detach().cpu().double()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" and stored_in not in NUMBER_FORMATS:
        raise TypeError(f"{type(values).__name__} of {array.dtype} holds no real numbers")
    yield array.astype(np.float64, copy=False).ravel(), stored_in or str(array.dtype)
