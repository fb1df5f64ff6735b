"""When did the numbers of a training go wrong? The first bad step, and the signs before it.

A loss that is not a number at the end of a night was one for hours. What was the first step, which array, and
did its size announce it? The watch looks at whatever it is shown, in any training loop.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.health.number_formats import (
    NUMBER_FORMATS,
    arrays_in,
    gradient_norm,
    overflow_margin,
)
from mlops_lab.report import Finding, Report, Sink, guarded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BadStep", "Numerics", "NumericsReport"]

T = TypeVar("T")


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

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
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
        """Go through the steps of a loop, and end it after the first bad one.

        Parameters
        ----------
        steps
            What the loop goes through: numbers, batches.
        """
        for step in steps:
            yield step
            if self.first_bad is not None:
                return

    def see(self, step: int, **shown: Any) -> bool:
        """Look at the numbers of one step.

        Parameters
        ----------
        step
            Its number.
        **shown
            By name what is looked at: numbers, arrays, tensors, lists and dicts of them. Show things in the
            order in which they are computed: the first bad one is then the cause.
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
        """Give what was seen as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each step and name: ``norm``, ``largest``, ``doublings``, ``lost``, ``not_finite``.
        """
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


def _where(index: object) -> tuple[int, str]:
    """Read a row's place in the history."""
    step, name = index  # type: ignore[misc]
    return int(step), str(name)  # type: ignore[has-type]


def _bad(step: int, name: str, values: Mapping[str, Any] | Any, count: int) -> BadStep:
    arrays = list(arrays_in(values))
    kind = "not a number" if any(np.isnan(array).any() for array in arrays) else "infinite"
    return BadStep(int(step), name, kind, count, sum(array.size for array in arrays))
