"""The world behind a game, in a scenario's words: it draws items, and it alone knows their true grades.

The game asks it for items and for labels that were paid for. Left out: who may ask for what, and the bill.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.reality.product import Product
from mlops_lab.reality.scenario import Scenario
from mlops_lab.worlds import FEATURES, GRADES, SCANNERS, Batch, Orchard

__all__ = ["ARCHIVE_WEEKS", "Drawn", "HiddenTruth"]

ARCHIVE_WEEKS = (0, 1, 2, 3)
"""The weeks whose items were kept."""

GUIDED = 0.2
"""Share of their label errors that graders still make once they have a written guide."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Items with what the graders would write and what is true, both as places in the list of grades.

    Parameters
    ----------
    items
        Readings, device and week.
    labels, truth
        The graders' word, and the true grade.
    """

    items: pd.DataFrame
    labels: NDArray[np.int64]
    truth: NDArray[np.int64]


class HiddenTruth:
    """All that is true in a game and that no player sees.

    Parameters
    ----------
    scenario
        The story, its dials and words.
    seed
        Picks the luck.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        dials = ("noise", "rare_gap", "p_rare", "drift", "group_share", "group_share_archive", "group_shift")
        # with no shift the small group's devices change as the others do: then nothing tells them apart
        lamps = max(0.0, 1.0 - scenario.group_shift)
        self._orchard = Orchard(seed, **{dial: getattr(scenario, dial) for dial in dials}, group_lamps=lamps)
        self._columns = dict(zip((*FEATURES, "scanner"), (*scenario.features, scenario.device), strict=True))
        self._weeks: dict[tuple[int, int], Batch] = {}  # forks share them: each week is drawn once
        self._grades = dict(zip(GRADES, scenario.grades, strict=True))
        self._groups = dict(zip(SCANNERS, scenario.groups, strict=True))
        self.product = Product(
            self,
            scenario.volume,
            scenario.trust_damage,
            scenario.value_table,
            scenario.device,
            scenario.groups,
        )

    def week(self, week: int, n: int) -> Batch:
        """Give the items of a week of production, in the scenario's words; they are drawn once and kept."""
        if (week, n) not in self._weeks:
            self._weeks[week, n] = self._told(self._orchard.week(week, n=n))
        return self._weeks[week, n]

    def draw(
        self,
        n: int,
        weeks: tuple[int, ...],
        purpose: str,
        *,
        archive: bool = False,
        group: str | None = None,
        grade: str | None = None,
        guided: bool = False,
    ) -> Drawn:
        """Draw items for a purpose; the same purpose gives the same items again."""
        changes: dict[str, Any] = {}
        if archive:
            changes["group_share"] = self.scenario.group_share_archive
        if guided:
            changes["noise"] = self.scenario.noise * GUIDED
        back_group = {told: kept for kept, told in self._groups.items()}
        back_grade = {told: kept for kept, told in self._grades.items()}
        batch = replace(self._orchard, **changes).sample(
            n,
            weeks,
            purpose=purpose,
            scanner=None if group is None else back_group[group],
            grade=None if grade is None else back_grade[grade],
        )
        told = self._told(batch)
        grades = pd.Index(self.scenario.grades)
        return Drawn(
            told.crates, grades.get_indexer(pd.Index(told.labels)), grades.get_indexer(pd.Index(told.truth))
        )

    def _told(self, batch: Batch) -> Batch:
        parts = {each.name: getattr(batch, each.name) for each in fields(batch)}
        if (
            self._columns != {name: name for name in self._columns}
            or self._groups[SCANNERS[0]] != SCANNERS[0]
        ):
            parts["crates"] = batch.crates.rename(columns=self._columns)
            device = self.scenario.device
            parts["crates"][device] = parts["crates"][device].map(self._groups)
        if self.scenario.grades != GRADES:
            for name in ("labels", "truth"):
                parts[name] = parts[name].map(self._grades)
        return Batch(**parts)
