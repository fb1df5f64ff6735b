"""What happens at the desk when something is bought: items are drawn, labels seen again, versions checked.

Here the truth comes out, row by row, and only for rows that were paid for. Left out: the bill.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.reality import symptoms
from mlops_lab.reality.answers import Symptom
from mlops_lab.reality.hidden_truth import ARCHIVE_WEEKS, Drawn
from mlops_lab.reality.season import Season

__all__ = ["Desk"]


class Desk(Season):
    """A game in which items and labels can be had."""

    def _draw(self, purpose: str, n: int, source: str, group: str | None, grade: str | None) -> Drawn:
        """Draw items that were not drawn before; what comes by itself depends on the source."""
        archive = source == "archive"
        weeks = ARCHIVE_WEEKS if archive else (self.week - 2, self.week - 1)
        by_itself = None if archive else self._scenario.groups[0]
        chosen = {None: by_itself, "all": None}.get(group, group)
        purpose = f"{purpose} {self._count(purpose)}"
        return self._hidden.draw(
            n, weeks, purpose, archive=archive, group=chosen, grade=grade, guided=self._guided
        )

    def _gold(self, n: int, source: str, group: str | None, grade: str | None = None) -> pd.DataFrame:
        drawn = self._draw("gold", n, source, group, grade)
        return drawn.items.assign(label=self._words(drawn.truth))

    def _audit(self, n: int) -> Symptom:
        rows = np.sort(self._luck("audit").choice(len(self._labels), n, replace=False))
        before = self._words(self._labels[rows])
        self._mend(rows)
        return symptoms.wrong_labels(before, self._words(self._labels[rows]))

    def _spot_check(self, n: int) -> Symptom:
        """Look at what is live; from the second time on, compare with the first and with the books since."""
        seen = self._gold(n, "recent", "all")
        right = (self._registry[self._live].grades(seen) == seen["label"]).tolist()
        first = next((spot for spot in self._spots if spot[0] == self._live), None)
        self._spots.append((self._live, len(self._weeks), right))
        since = self._weeks[first[1] :] if first else []
        if first is None or len(since) < symptoms.SALES_WEEKS:
            return symptoms.first_spot_check(right, len(since))
        return symptoms.falling_revenue(since, first[2], right)

    def _mend(self, rows: NDArray[np.int64]) -> int:
        labels, sure = self._labels.copy(), self._sure.copy()  # forks share the old ones
        labels[rows], sure[rows] = self._hidden_truth[rows], True
        wrong = int((labels != self._labels).sum())
        self._labels, self._sure = labels, sure
        return wrong

    def _noted(self, found: Symptom) -> Symptom:
        self._reports.append((self._day, found))
        return found

    def _count(self, purpose: str) -> int:
        self._drawn[purpose] = self._drawn.get(purpose, 0) + 1
        return self._drawn[purpose]

    def _luck(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, *purpose.encode(), self._count(purpose)])
