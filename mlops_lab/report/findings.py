"""What was looked at and what came out, and the report that follows: as text, as a table and as a picture."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Finding", "Report"]

_Severity = Literal["note", "warning", "serious"]
_Bound = Literal["at least", "at most"]

_STATUS: Mapping[bool | None, tuple[str, str]] = {
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
    bound: _Bound = "at most"
    unit: str = ""
    severity: _Severity = "warning"
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("code", "title", "explanation"):
            if not str(getattr(self, name)).strip():
                raise ValueError(f"a finding needs its {name}; it was {getattr(self, name)!r}")
        if any(letter.isspace() for letter in self.code):
            raise ValueError(f"a code is one word such as 'drift.joint', not {self.code!r}")
        for name, accepted in (("severity", get_args(_Severity)), ("bound", get_args(_Bound))):
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
        return _STATUS[self.ok][1]

    def measured(self) -> str:
        """Say the value, its interval and its limit in one phrase; empty if nothing was measured."""
        unit = f" {self.unit}" if self.unit else ""
        value = "" if self.value is None else f"{self.value:.4g}{unit}"
        between = "" if self.interval is None else f"({self.interval[0]:.4g} to {self.interval[1]:.4g}{unit})"
        held = " ".join(part for part in (self.statistic, value, between) if part)
        limit = "" if self.limit is None else f"limit: {self.bound} {self.limit:.4g}{unit}"
        return ", ".join(part for part in (held, limit) if part)


_COLUMNS = [
    "code",
    "title",
    "ok",
    "statistic",
    "value",
    "low",
    "high",
    "bound",
    "limit",
    "unit",
    "severity",
    "explanation",
    "source",
]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Findings and the answer that follows from them; the base of every topic's own answer.

    A topic derives its own report, adds the fields it measured, and overrides ``headline`` and ``plot`` where
    it can say or show it better. It is shown as text in a terminal and as a table in a notebook.

    Derive with ``@dataclass(frozen=True, kw_only=True)``; a ``__post_init__`` of your own calls the one here
    first. Two reports are equal if they are of one type and all their fields are, tables and arrays included.

    Parameters
    ----------
    title
        What the report is about.
    findings
        What was looked at, in the order in which it should be read.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class DriftReport(Report):
    ...     distances: Mapping[str, float]
    ...     def headline(self):
    ...         return f"The farthest column is {max(self.distances, key=self.distances.get)}."
    >>> moved = Finding(code="drift.colour", title="Colour", ok=False, statistic="KS distance", value=0.31,
    ...     limit=0.1, explanation="The lamps were swapped.", source="Kolmogorov 1933, Smirnov 1948")
    >>> report = DriftReport(title="Drift", findings=(moved,), distances={"colour": 0.31, "size": 0.02})
    >>> report.ok
    False
    >>> report
    Drift: needs attention. The farthest column is colour.
    ✗ needs attention: Colour (drift.colour), KS distance 0.31, limit: at most 0.1
        The lamps were swapped. [Kolmogorov 1933, Smirnov 1948]
    """

    title: str
    findings: tuple[Finding, ...] = ()

    def __init_subclass__(cls, **arguments: Any) -> None:
        # A dataclass writes these two into every subclass anew, unless they are there already: it would show
        # the fields in place of the text, and fail on fields that are tables.
        super().__init_subclass__(**arguments)
        for name in ("__repr__", "__eq__"):
            if name not in cls.__dict__:
                setattr(cls, name, getattr(Report, name))

    def __post_init__(self) -> None:
        object.__setattr__(self, "findings", tuple(self.findings))
        for finding in self.findings:
            if not isinstance(finding, Finding):
                raise TypeError(f"findings of {self.title!r} must be Finding objects, not {finding!r}")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, one.name), getattr(other, one.name)) for one in fields(self))

    @property
    def ok(self) -> bool | None:
        """The answer as a whole: notes do not count, and one thing that needs attention decides it."""
        counted = [finding.ok for finding in self.findings if finding.severity != "note"]
        if False in counted:
            return False
        return None if None in counted or not counted else True

    def headline(self) -> str:
        """Say the answer in one sentence; a topic overrides it."""
        if not self.findings:
            return "Nothing was looked at."
        found = [finding.status for finding in self.findings]
        counts = {word: found.count(word) for _, word in _STATUS.values()}
        return ", ".join(f"{number} {word}" for word, number in counts.items() if number) + "."

    def frame(self) -> pd.DataFrame:
        """Give the findings as a table, one row each; ``low`` and ``high`` are the interval."""
        import pandas as pd

        rows = []
        for finding in self.findings:
            low, high = finding.interval or (None, None)
            held = {name: getattr(finding, name) for name in _COLUMNS if name not in ("low", "high")}
            rows.append({**held, "low": low, "high": high})
        numbers = dict.fromkeys(("value", "low", "high", "limit"), "float64")
        return pd.DataFrame(rows, columns=_COLUMNS).astype({"ok": "boolean", **numbers})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every measured value with its interval against its limit; a topic overrides it.

        Values of one unit are drawn as they are. Values of several units cannot share an axis: each is
        divided by its limit, and those without a positive one stay in the table, which the label says.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.

        Raises
        ------
        ValueError
            If no finding holds a value that can be drawn.
        """
        from mlops_lab import plots

        frame = self.frame()
        held = frame[frame["value"].abs() < math.inf]
        units = held["unit"].unique()
        label = f"value and limit ({''.join(units) or 'no unit'})"
        if len(units) > 1:
            usable = held["limit"].notna() & (held["limit"] > 0)
            left_out = (
                f"; {(~usable).sum()} without a positive limit: see the table" if not usable.all() else ""
            )
            held = held[usable].copy()
            for name in ("value", "low", "high", "limit"):
                held[name] = held[name] / frame.loc[held.index, "limit"]
            label = f"value divided by its limit{left_out}"
        if held.empty:
            raise ValueError(f"{self.title!r} holds no value that can be drawn; read .frame() or print it")
        words = []
        for finding in (self.findings[row] for row in held.index):
            bound = f"; {finding.bound}" if finding.limit is not None else ""
            words.append(f"{finding.title} ({finding.status}{bound})")
        return plots.intervals(held.set_axis(words, axis=0), xlabel=label, title=self.title, ax=ax)

    def __str__(self) -> str:
        lines = [f"{self.title}: {_STATUS[self.ok][1]}. {self.headline()}"]
        for finding in self.findings:
            sign, word = _STATUS[finding.ok]
            about = ", ".join(filter(None, (f"{finding.title} ({finding.code})", finding.measured())))
            lines += textwrap.wrap(f"{sign} {word}: {about}", 100, subsequent_indent="  ")
            why = f"{finding.explanation} [{finding.source}]" if finding.source else finding.explanation
            lines += [f"    {part}" for part in textwrap.wrap(why, 96)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Give a table for screen readers too, in the page's own colours, without ids or scripts."""
        left = "text-align:left;vertical-align:top;padding:0.3em 0.8em;border-bottom:1px solid currentColor"
        rows = []
        for finding in self.findings:
            sign, word = _STATUS[finding.ok]
            why = html.escape(finding.explanation)
            if finding.source:
                why += f"<br><em>{html.escape(finding.source)}</em>"
            weight = "bold" if finding.ok is False else "normal"
            answer = f'<span aria-hidden="true">{sign}</span> {word}'
            rows.append(
                f'<tr><td style="{left};font-weight:{weight}">{answer}</td>'
                f'<th scope="row" style="{left}">{html.escape(finding.title)}</th>'
                f'<td style="{left}">{html.escape(finding.measured()) or "not measured"}</td>'
                f'<td style="{left}">{why}</td></tr>'
            )
        names = ("Answer", "Looked at", "Measured", "What it means")
        heads = "".join(f'<th scope="col" style="{left}">{name}</th>' for name in names)
        said = html.escape(f"{self.title}: {_STATUS[self.ok][1]}. {self.headline()}")
        return (
            '<table style="color:inherit;background:transparent;border-collapse:collapse">'
            f'<caption style="color:inherit;{left};caption-side:top"><strong>{said}</strong></caption>'
            f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def _same(one: Any, other: Any) -> bool:
    """Compare two values of a field; tables and arrays have no single answer to ==."""
    import numpy as np
    import pandas as pd

    if type(one) is not type(other):
        return bool(np.isscalar(one) and np.isscalar(other) and one == other)
    if isinstance(one, pd.DataFrame | pd.Series | pd.Index):
        return bool(one.equals(other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
