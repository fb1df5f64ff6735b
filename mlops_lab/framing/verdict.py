"""The answer: a decision, the evidence for it, and the rule that a model would have to beat."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mlops_lab.framing.costs import Costs
from mlops_lab.framing.evidence import Evidence
from mlops_lab.framing.measure import Measured
from mlops_lab.framing.precedence import DECISIONS
from mlops_lab.plots import PALETTE, axes
from mlops_lab.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Verdict"]

COLOURS = {
    "for": PALETTE["blue"],
    "against": PALETTE["vermillion"],
    "unclear": PALETTE["yellow"],
    "unknown": "#FFFFFF",
}
HATCHES = {"for": "", "against": "///", "unclear": "...", "unknown": ""}
MARKS = {"for": "for ML", "against": "against", "unclear": "unclear", "unknown": "unknown"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict(Report):
    """Whether to use machine learning, and why.

    Attributes
    ----------
    decision
        LOOKUP, NO_SIGNAL, COLLECT, SHIFT, RULE, PARTIAL, NOT_COST_EFFECTIVE, ML or BLOCKED.
    evidence_decision
        What the evidence alone would recommend, also when blocked.
    because
        Keys of the evidence rows that decided.
    evidence
        Thirteen rows.
    rule
        The best rule on paper, in words.
    notes
        What was set aside or sampled.
    measured
        All results behind the rows.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("few_rows")
    >>> verdict = framing.should_use_ml(case.data.head(20), case.target)
    >>> verdict.decision, verdict.evidence_decision, verdict.ok
    ('BLOCKED', 'COLLECT', False)

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """

    decision: str
    evidence_decision: str
    because: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    rule: str
    notes: tuple[str, ...]
    measured: Measured
    costs: Costs | None = None

    @property
    def ok(self) -> bool:
        """True where machine learning is recommended, for the whole or for a part."""
        return self.decision in ("ML", "PARTIAL")

    @property
    def deciding(self) -> tuple[Evidence, ...]:
        """The evidence rows that decided, in order."""
        rows = {row.key: row for row in self.evidence}
        return tuple(rows[key] for key in self.because)

    def headline(self) -> str:
        """Say the decision in words."""
        words = DECISIONS[self.decision]
        return (
            f"{words} The evidence alone says {self.evidence_decision}."
            if self.decision == "BLOCKED"
            else words
        )

    def frame(self) -> pd.DataFrame:
        """Give one row for each condition, property and reason."""
        rows = [
            (
                row.asks,
                row.status,
                row.statistic,
                row.value,
                row.low,
                row.high,
                row.limit,
                row.words,
                row.basis,
            )
            for row in self.evidence
        ]
        columns = ["asks", "status", "statistic", "value", "low", "high", "limit", "words", "basis"]
        return pd.DataFrame(
            rows, columns=columns, index=pd.Index([row.key for row in self.evidence], name="key")
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the thirteen answers as a board: for, against, unclear, unknown; a bar at the left marks what
        decided.

        Parameters
        ----------
        ax
            Matplotlib axes to draw on; None makes new ones.
        """
        blocked = self.decision == "BLOCKED"
        title = f"{self.decision} (evidence alone: {self.evidence_decision})" if blocked else self.decision
        board = axes(ax, title=title, xlabel="answers to the thirteen questions", size=(8.5, 4.8))
        for place, row in enumerate(self.evidence):
            board.barh(
                place,
                1,
                height=0.72,
                hatch=HATCHES[row.status],
                facecolor=COLOURS[row.status],
                edgecolor="black",
            )
            ink = "white" if row.status == "for" else "black"
            board.text(
                0.5, place, MARKS[row.status], ha="center", va="center", color=ink, fontsize=8,
                bbox=None if row.status == "for" else {"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
            board.text(1.05, place, f"{row.asks}  [{row.basis}]", va="center", fontsize=8)
            if row.key in self.because:
                board.text(-0.06, place, "decides", ha="right", va="center", fontsize=8, fontweight="bold")
        board.set_yticks([])
        board.set_xticks([])
        board.set_xlim(-0.5, 6.2)
        board.set_ylim(len(self.evidence) - 0.4, -0.6)
        board.grid(visible=False)
        board.spines[["top", "right", "left", "bottom"]].set_visible(False)
        return board

    def __str__(self) -> str:
        lines = [f"{self.decision}: {self.headline()}", f"Best on paper: {self.rule or 'not tested'}."]
        lines += [f"{row.key} {row.status:8}{row.words} [{row.basis}]" for row in self.evidence]
        return "\n".join([*lines, *self.notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{row.key}</td><td>{html.escape(row.asks)}</td><td><b>{MARKS[row.status]}</b></td>"
            f"<td>{html.escape(row.words)}</td><td>{row.basis}</td></tr>"
            for row in self.evidence
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<p><b>{self.decision}</b>: {html.escape(self.headline())}</p>"
            f"<p>Best on paper: {html.escape(self.rule or 'not tested')}.</p><table><thead><tr><th></th>"
            f"<th>question</th><th>answer</th><th>in words</th><th>basis</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{notes}"
        )
