"""What was looked at, and what came out: in order, needing attention, or not decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["STATUS", "Bound", "Finding", "Severity"]

Severity = Literal["note", "warning", "serious"]
Bound = Literal["at least", "at most"]

STATUS: Mapping[bool | None, tuple[str, str]] = {
    True: ("✓", "in order"),
    False: ("✗", "needs attention"),
    None: ("?", "not decided"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at, and what came out.

    It holds a decision that somebody else made; it makes none itself. ``ok=None`` says that the data cannot
    decide, and is to be used whenever that is so: too few rows, labels that have not come yet, a library that
    is not there.

    Parameters
    ----------
    code
        A short name that stays the same for years, such as ``"drift.joint"``: tests and alerts refer to it.
    title
        What was looked at, in a few words.
    ok
        True: in order. False: needs attention. None: could not be decided.
    explanation
        What it means, in plain words, and what to do about it.
    statistic
        What ``value`` is called, such as ``"KS distance"``.
    value, limit, interval
        The measured value, what it is held against, and the interval (low, high) that it is known to lie in,
        all in ``unit``; None where there is none.
    bound
        Whether the value should be ``"at most"`` or ``"at least"`` the limit.
    unit
        The unit, such as ``"ms"``; empty for a pure number.
    severity
        ``"serious"``, ``"warning"``, or ``"note"``; a note never changes the answer of the whole report.
    source
        How we know: the method's author and year, or where the figure was measured.

    Raises
    ------
    ValueError
        If a part contradicts another, such as a value that is not a number and yet in order.

    Examples
    --------
    >>> finding = Finding(code="latency.p99", title="Slowest answers", ok=False, value=310.0, limit=200.0,
    ...     unit="ms", explanation="One answer in a hundred is late.", source="measured here")
    >>> finding.status
    'needs attention'
    """

    code: str
    title: str
    ok: bool | None
    explanation: str
    statistic: str = ""
    value: float | None = None
    limit: float | None = None
    interval: tuple[float, float] | None = None
    bound: Bound = "at most"
    unit: str = ""
    severity: Severity = "warning"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("code", "title", "explanation"):
            if not str(getattr(self, name)).strip():
                raise ValueError(f"a finding needs its {name}; it was {getattr(self, name)!r}")
        if any(letter.isspace() for letter in self.code):
            raise ValueError(f"a code is one word such as 'drift.joint', not {self.code!r}")
        for name, accepted in (("severity", get_args(Severity)), ("bound", get_args(Bound))):
            if getattr(self, name) not in accepted:
                raise ValueError(f"{name} {getattr(self, name)!r} is not one of {', '.join(accepted)}")
        if self.ok is not None and self.ok not in (True, False):
            raise ValueError(f"ok is True, False or None (could not be decided), not {self.ok!r}")
        # Values come from NumPy; plain Python ones print, compare and serialise alike everywhere.
        object.__setattr__(self, "ok", None if self.ok is None else bool(self.ok))
        for name in ("value", "limit"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)))
        if self.interval is not None:
            low, high = map(float, self.interval)
            if math.isnan(low) or math.isnan(high):
                raise ValueError(
                    f"the interval of {self.code!r} holds what is not a number; use interval=None"
                )
            if low > high:
                raise ValueError(
                    f"the interval of {self.code!r} runs from {low:g} down to {high:g}; give (low, high)"
                )
            object.__setattr__(self, "interval", (low, high))
        if self.ok and self.value is not None and math.isnan(self.value):
            raise ValueError(
                f"{self.code!r} is not a number and cannot be in order; use ok=None, or ok=False"
            )

    @property
    def status(self) -> str:
        """The decision in words."""
        return STATUS[self.ok][1]

    def measured(self) -> str:
        """Say the value, its interval and its limit in one phrase; empty if nothing was measured."""
        unit = f" {self.unit}" if self.unit else ""
        value = "" if self.value is None else f"{self.value:.4g}{unit}"
        between = "" if self.interval is None else f"({self.interval[0]:.4g} to {self.interval[1]:.4g}{unit})"
        held = " ".join(part for part in (self.statistic, value, between) if part)
        limit = "" if self.limit is None else f"limit: {self.bound} {self.limit:.4g}{unit}"
        return ", ".join(part for part in (held, limit) if part)
