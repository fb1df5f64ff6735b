"""How long a lesson takes a student: an estimate from what stands on its page, never typed by hand.

Words are those of the prose and those that cards show (questions, options, explanations, claims). A section
is core unless its heading says *deeper*. The weights were fitted to what careful readers needed for the cores
of ten lessons, and meet each of these sums within a tenth. A class's own medians are better.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mlops_lab.course.lint_structure import words
from mlops_lab.course.notebooks import call_of, text_of
from mlops_lab.lesson.outputs import MIME

__all__ = ["estimate", "with_time"]

_WORDS_A_MINUTE = 230
_MINUTES = {"code": 0.2, "table": 1.5, "prediction": 1.0, "claim": 0.3, "check": 8.5}
"""What a code cell without a call, a table to be read, and each card take beside their words."""

_TIME = re.compile(r"^> \*\*Time\*\*.*$", re.MULTILINE)


@dataclass(frozen=True)
class Estimate:
    """Minutes of a lesson's core and of its deeper sections."""

    core: float
    deeper: float

    def __str__(self) -> str:
        deeper = f" and {_rounded(self.deeper)} more for the deeper sections" if self.deeper >= 1 else ""
        return f"about {_rounded(self.core)} minutes{deeper}, by our estimate"


def estimate(notebook: Any) -> Estimate:
    """Estimate the minutes of a lesson from either of its executed notebooks."""
    minutes = {"core": 0.0, "deeper": 0.0}
    for part, amount in _amounts(notebook):
        minutes[part] += amount
    return Estimate(minutes["core"], minutes["deeper"])


def _amounts(notebook: Any) -> Iterator[tuple[str, float]]:
    """Give each thing on the page: the part in which it stands, and its minutes."""
    part = "core"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for piece in re.split(r"^(?=## )", _TIME.sub("", text_of(cell)), flags=re.MULTILINE):
                if piece.startswith("## "):
                    part = "deeper" if piece.split("\n")[0].rstrip().endswith("(deeper)") else "core"
                yield part, words([piece]) / _WORDS_A_MINUTE
            continue
        if not call_of(cell):
            yield part, _MINUTES["code"]
        for output in cell.get("outputs", []):
            data = output.get("data") or {}
            payload = data.get(MIME, {})
            yield part, _MINUTES.get(payload.get("type", ""), 0.0)
            yield part, words(_said(payload)) / _WORDS_A_MINUTE
            if "dataframe" in "".join(data.get("text/html", "")):
                yield part, _MINUTES["table"]


def _said(payload: Any) -> list[str]:
    """List the texts of a card that everybody reads."""
    if payload.get("type") not in ("prediction", "reveal", "claim"):
        return []
    return [*payload.get("options", []), *(payload.get(name, "") for name in ("question", "because", "text"))]


def _rounded(minutes: float) -> int:
    """Round up to five minutes: nobody knows it better, and a word more must not change it."""
    return max(5, 5 * math.ceil((minutes - 1) / 5))


def with_time(notebook: Any, minutes: Estimate) -> Any:
    """Write an estimate into a notebook's line `> **Time** ...`; the notebook is changed."""
    for cell in notebook["cells"][:3]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _TIME.sub(f"> **Time** {minutes}.", text_of(cell))
    return notebook
