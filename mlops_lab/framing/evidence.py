"""Thirteen rows of evidence: the lecture's five conditions, five properties that make ML shine, three
reasons not to.

Every row says what was looked at, what came out, the limit, what that means in plain words, and where it
comes from: *measured* in the data, *you told us*, or *unknown*. An unknown is never guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlops_lab.report import Finding

__all__ = ["BASES", "QUESTIONS", "Evidence", "row"]

BASES = ("measured", "you told us", "unknown")
"""Where a row comes from."""

QUESTIONS = {
    "C1": "learn: do the inputs know the answer?",
    "C2": "complex: does a model beat the best on paper?",
    "C3": "data: are there enough?",
    "C4": "predictions: is a probable answer wanted?",
    "C5": "unseen: does live look like the past?",
    "S1": "shines: do more data still help?",
    "S2": "shines: is an error cheap enough?",
    "S3": "shines: does volume pay it back?",
    "S4": "shines: is it repetitive work?",
    "S5": "shines: do the patterns change?",
    "N1": "not if: illegal or unethical",
    "N2": "not if: something simple works",
    "N3": "not if: it does not pay",
}
"""What each row asks; C condition, S shines, N reason not to."""

NAN = math.nan


@dataclass(frozen=True)
class Evidence:
    """One row of evidence.

    Attributes
    ----------
    key
        C1 to C5, S1 to S5, N1 to N3.
    asks
        The question.
    status
        "for" machine learning, "against" it, "unclear", or "unknown".
    statistic
        What was looked at.
    value, low, high
        What came out, with its interval; NaN where there is none.
    limit
        Where the line is drawn.
    words
        What it means.
    basis
        One of `BASES`.

    Examples
    --------
    >>> Evidence("N1", "not if: illegal", "unknown", "", NAN, NAN, NAN, "", "Nobody said.", "unknown").basis
    'unknown'
    """

    key: str
    asks: str
    status: str
    statistic: str
    value: float
    low: float
    high: float
    limit: str
    words: str
    basis: str

    def finding(self) -> Finding:
        """Give the row as a `report.Finding`: ok is True where it speaks for machine learning."""
        known = not math.isnan(self.low)
        return Finding(
            code=f"framing.{self.key}",
            title=self.asks,
            ok={"for": True, "against": False}.get(self.status),
            explanation=self.words,
            statistic=self.statistic,
            value=None if math.isnan(self.value) else self.value,
            interval=(min(self.low, self.high), max(self.low, self.high)) if known else None,
            severity="serious" if self.key == "N1" else "warning",
            source=self.basis,
        )


def row(
    key: str,
    status: str,
    words: str,
    *,
    statistic: str = "",
    value: float = NAN,
    low: float = NAN,
    high: float = NAN,
    limit: str = "",
    basis: str = "measured",
) -> Evidence:
    """Write one row; its question comes from `QUESTIONS`."""
    return Evidence(key, QUESTIONS[key], status, statistic, value, low, high, limit, words, basis)
