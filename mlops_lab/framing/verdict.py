"""Whether machine learning should be used here: a decision, the evidence for it, and the rule to beat."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_lab.framing.costs import Costs
from mlops_lab.framing.decision import DECISIONS, Measured, evidence_decision, measure
from mlops_lab.framing.evidence import Attestation, Evidence, conditions, reasons, shines
from mlops_lab.framing.problem import Problem, prepare
from mlops_lab.plots import PALETTE, axes
from mlops_lab.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Verdict", "should_use_ml"]

MANY = 400
"""Rows from which on all models are expected to be tried."""

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
    unread
        The same in short, for the headline.
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
    unread: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True where machine learning is recommended, for the whole or for a part."""
        return self.decision in ("ML", "PARTIAL")

    @property
    def deciding(self) -> tuple[Evidence, ...]:
        """The evidence rows that decided, in order."""
        rows = {row.key: row for row in self.evidence}
        return tuple(rows[key] for key in self.because)

    @property
    def question(self) -> str:
        """Ask whether a column that settles the answer is known in time; "" where none does."""
        return "".join(_asked(self.measured))

    def headline(self) -> str:
        """Say the decision in words, what must be asked first, and what was not looked at."""
        words = [DECISIONS[self.decision]]
        if self.decision == "BLOCKED":
            words.append(f"The evidence alone says {self.evidence_decision}.")
        return " ".join([*words, *filter(None, [self.question]), *self.unread])

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


def should_use_ml(
    data: pd.DataFrame,
    target: str,
    *,
    time: str | None = None,
    live: pd.DataFrame | None = None,
    costs: Costs | None = None,
    attest: Attestation | None = None,
    rule: Callable[[pd.DataFrame], Any] | None = None,
    seed: int = 0,
) -> Verdict:
    """Decide from data, costs and volume: a table, a rule, a model, more data, or leave it.

    The first that holds wins: BLOCKED (no named person said that it is legal and ethical), LOOKUP (a table
    answers exactly), COLLECT (too few rows to test), SHIFT (tomorrow does not look like the past), PARTIAL
    (over all rows no model pays or none is clearly better than paper, in one group it does and is), COLLECT
    (too few rows to see a relation), NO_SIGNAL (the inputs do not know the answer), COLLECT (weak and the
    learning curve is steep, a weak rule leads on few rows, or paper against model is undecided). Then, with
    costs, what earns most: RULE, ML, PARTIAL (only the surest answers), NOT_COST_EFFECTIVE where nothing
    pays; without, RULE where the best on paper has as much skill, else ML. Where one column settles the
    answer, the headline asks whether it is known in time.

    It cannot tell whether a column is known in time, whether the labels mean what they should, or whether
    the use is right; it does not read free text. It misleads where rows are copies of each other, and its
    error rates (benchmarks/results/framing.json) are rates over our own cases. Of more than
    20,000 rows a random 20,000 are read.

    Parameters
    ----------
    data
        One row per example: numbers, categories, flags, dates, with gaps where they are.
    target
        The column with the answers: classes or numbers.
    time
        The column that says when each row arose; without it change cannot be seen.
    live
        Recent inputs without answers.
    costs
        What answers are worth; without them there is no cost verdict.
    attest
        What a named person says about law and ethics; without it the decision is BLOCKED.
    rule
        A rule of your own to compete on paper: reads a table of inputs, returns one answer a row.
    seed
        Which rows are held back, shuffled and redrawn.

    Raises
    ------
    TypeError
        When `data` or `live` is no DataFrame, or costs or attest are of another kind.
    ValueError
        When the table cannot be read; the message names the column and the way out.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("one_rule")
    >>> yes = framing.Attestation(legal=True, ethical=True, by="A. Meyer")
    >>> verdict = framing.should_use_ml(case.data, case.target, attest=yes)
    >>> verdict.decision, verdict.rule
    ('RULE', 'x2 <= 0.3...: 0; otherwise: 1')

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if costs is not None and not isinstance(costs, Costs):
        raise TypeError(f"costs is a {type(costs).__name__}; give framing.Costs(...) or None.")
    if attest is not None and not isinstance(attest, Attestation):
        raise TypeError(f"attest is a {type(attest).__name__}; give framing.Attestation(...) or None.")
    problem = prepare(data, target, time=time, live=live, seed=seed)
    found = measure(problem, costs=costs, rule=rule, seed=seed)
    signed = Attestation() if attest is None else attest
    evidence = (
        *conditions(problem, found, costs),
        *shines(found, costs),
        *reasons(problem, found, costs, signed),
    )
    decision, because = evidence_decision(found, problem.size)
    rule_words = "" if found.contest is None else found.contest.best_paper.words
    if found.lookup is not None and found.lookup.columns:
        rule_words = f"a table by {' and '.join(found.lookup.columns)}"
    return Verdict(
        title="Should machine learning be used here?",
        findings=tuple(row.finding() for row in evidence),
        decision=decision if signed.given else "BLOCKED",
        evidence_decision=decision,
        because=because if signed.given else ("N1",),
        evidence=evidence,
        rule=rule_words,
        notes=(*_asked(found), *problem.notes),
        measured=found,
        costs=costs,
        unread=_unread(problem, found),
    )


def _asked(found: Measured) -> tuple[str, ...]:
    """Ask about the columns that settle the answer, if any do."""
    named = " and ".join(f"'{name}'" for name in found.settled_by)
    verb = "is" if len(found.settled_by) == 1 else "are"
    return (f"First ask: {verb} {named} known before the answer is?",) if named else ()


def _unread(problem: Problem, found: Measured) -> tuple[str, ...]:
    """Say in short what of the table was not looked at."""
    said = []
    if problem.size < problem.rows_given:
        said.append(f"From {problem.size:,} of {problem.rows_given:,} rows.")
    if found.contest is not None and found.contest.left_out and problem.size >= MANY:
        said.append(f"Not tried: {found.contest.left_out}.")
    columns = len(problem.inputs.notes)
    if columns:
        said.append(f"{columns} {'column was' if columns == 1 else 'columns were'} not read (see the notes).")
    return tuple(said)
