"""The one answer that every test of a symptom gives.

Left out: the tests; they are in symptoms.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops_lab.report import Finding, Report

__all__ = ["Symptom", "answer"]


@dataclass(frozen=True, kw_only=True)
class Symptom(Report):
    """What one test found.

    Parameters
    ----------
    symptom
        One of "labels", "class", "recent", "bias", "revenue".
    measures
        What was measured, by name.
    worst
        The grade or group that it is about, if it is about one.

    Examples
    --------
    >>> answer("labels", "Labels", False, "Many are wrong.", {"share": 0.2}).fired
    True
    """

    symptom: str
    measures: Mapping[str, float]
    worst: str = ""

    @property
    def fired(self) -> bool | None:
        """Whether the symptom is there."""
        return None if self.ok is None else not self.ok

    def headline(self) -> str:
        """Say what was found."""
        return self.findings[0].explanation


def answer(
    symptom: str,
    title: str,
    ok: bool | None,
    explanation: str,
    measures: Mapping[str, float],
    *,
    worst: str = "",
    **measured: object,
) -> Symptom:
    """Make a symptom of one finding; further arguments are those of `report.Finding`."""
    finding = Finding(
        code=f"reality.{symptom}",
        title=title,
        ok=ok,
        explanation=explanation,
        **measured,  # type: ignore[arg-type]
    )
    return Symptom(title=title, findings=(finding,), symptom=symptom, measures=dict(measures), worst=worst)
