"""Where a game stands: what a player may see of it, and beneath, locked away, what nobody may.

Left out: what a player can do; that is project.py.
"""

from __future__ import annotations

import copy
import numbers
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.reality.answers import Symptom
from mlops_lab.reality.hidden_truth import Hidden
from mlops_lab.reality.pager import Page, Pager
from mlops_lab.reality.product import Served, Week
from mlops_lab.reality.registry import Version, by_hand
from mlops_lab.reality.returns import ReturnPrice, price_of_a_return
from mlops_lab.reality.scenario import Scenario
from mlops_lab.reality.scenario_files import load_scenario

__all__ = ["START", "Standing"]

START = 28
"""The day on which a game begins: week 4, after the weeks of the archive."""


def _from_zero(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or int(seed) < 0:
        raise ValueError(f"seed={seed!r}: a whole number from 0 is needed")
    return int(seed)


class Standing:
    """The state of one game, as far as a player may see it.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    seed
        Picks the luck, a whole number from 0.
    """

    def __init__(self, scenario: Scenario | str | Path = "orchard", *, seed: int = 0) -> None:
        self._scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self._seed = _from_zero(seed)
        self._hidden = Hidden(self._scenario, self._seed)
        self._day, self._spent, self._price = START, 0.0, 1.0
        self._items = pd.DataFrame(columns=[*self._scenario.features, self._scenario.device, "week"])
        self._labels: NDArray[np.int64] = np.array([], dtype=np.int64)
        self._hidden_truth: NDArray[np.int64] = np.array([], dtype=np.int64)  # of the rows that were bought
        self._sure: NDArray[np.bool_] = np.array([], dtype=bool)
        self._registry: dict[str, Version] = {"v0": by_hand(self._scenario)}
        self._live, self._metric, self._return_cost, self._guided = "v0", "accuracy", 0.0, False
        self._weeks: list[Week] = []
        self._served: list[Served] = []
        self._closed = self._switched = 0  # how much of it is in the books; was served before the last switch
        self._pager: Pager | None = Pager(self._scenario.small_group)
        self._pages: list[Page] = []
        self._reports: list[tuple[int, Symptom]] = []
        self._spots: list[tuple[str, int, list[bool]]] = []
        self._actions: list[dict[str, Any]] = []
        self._drawn: dict[str, int] = {}
        self._marks: dict[str, tuple[Any, int]] | None = {}

    @property
    def scenario(self) -> Scenario:
        """The story that is played."""
        return self._scenario

    @property
    def seed(self) -> int:
        """What picks the luck."""
        return self._seed

    @property
    def day(self) -> int:
        """Today."""
        return self._day

    @property
    def week(self) -> int:
        """The week of today."""
        return self._day // 7

    @property
    def over(self) -> bool:
        """Whether the season is over."""
        return self._day >= 7 * self._scenario.weeks

    @property
    def money(self) -> float:
        """What is left of the budget."""
        return round(self._scenario.budget - self._spent, 2)

    @property
    def spent(self) -> float:
        """What was spent on data, tests and training."""
        return round(self._spent, 2)

    @property
    def earned(self) -> float:
        """What the weeks in the books brought: their profit."""
        return round(sum(week.profit for week in self._weeks), 2)

    @property
    def net(self) -> float:
        """What the game is worth so far: earned less spent."""
        return round(self.earned - self._spent, 2)

    @property
    def data(self) -> pd.DataFrame:
        """The rows that were bought, with the labels that were paid for."""
        return self._items.assign(label=self._words(self._labels))

    @property
    def registry(self) -> Mapping[str, Version]:
        """All versions there are."""
        return MappingProxyType(self._registry)

    @property
    def live(self) -> str:
        """What grades now."""
        return self._live

    @property
    def metric(self) -> str:
        """By which metric channels are chosen."""
        return self._metric

    @property
    def return_cost(self) -> float:
        """What the metric "money" counts for one expected return."""
        return self._return_cost

    @property
    def guided(self) -> bool:
        """Whether the graders have a written guide."""
        return self._guided

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The books: one entry for each whole week."""
        return tuple(self._weeks)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The calls in the night."""
        return tuple(self._pages)

    @property
    def reports(self) -> tuple[tuple[int, Symptom], ...]:
        """What the tests found, and on which day."""
        return tuple(self._reports)

    @property
    def actions(self) -> tuple[dict[str, Any], ...]:
        """What was done: the log that `save` writes."""
        return tuple(copy.deepcopy(self._actions))

    @property
    def complaints(self) -> pd.DataFrame:
        """Every item served since the last deployment, and whether its supplier complained."""
        parts = self._served[self._switched :]
        places = np.concatenate([np.array([], dtype=np.int64), *(part.group for part in parts)])
        return pd.DataFrame(
            {
                "hour": np.concatenate([np.array([]), *(part.hour for part in parts)]),
                self._scenario.device: np.array(self._scenario.groups, dtype=object)[places],
                "complained": np.concatenate(
                    [np.array([], dtype=bool), *(part.complained for part in parts)]
                ),
            }
        )

    def frame(self) -> pd.DataFrame:
        """Give the books as a table."""
        columns = ("version", "metric", "revenue", "profit", "price", "sold", "returned")
        rows = []
        for week in self._weeks:
            shares = {
                f"complaints {group}": week.complaints[group] / max(week.items[group], 1)
                for group in week.items
            }
            rows.append({"week": week.week, **{name: getattr(week, name) for name in columns}, **shares})
        names = ["week", *columns, *(f"complaints {group}" for group in self._scenario.groups)]
        return pd.DataFrame(rows, columns=names).set_index("week")

    def return_price(self) -> ReturnPrice:
        """Estimate from the books what one more return costs over the rest of the season."""
        return price_of_a_return(self._weeks, max(self._scenario.weeks - self.week, 0))

    def fork(self) -> Self:
        """Give an independent copy that meets the same luck: the world in which something else is done."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):  # what stands in them never changes
                setattr(other, name, value.copy())
        other._pager = None if self._pager is None else self._pager.copy()
        other._marks = None
        return other

    def __repr__(self) -> str:
        rows, name = len(self._labels), type(self).__name__
        return (
            f"{name} {self._scenario.name!r}, seed {self._seed}, day {self._day} (week {self.week}): "
            f"{self._live} is live, {rows:,} rows bought, {self.money:,.0f} to spend, net {self.net:,.0f}"
        )

    def _words(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        words: NDArray[np.object_] = np.array(self._scenario.grades, dtype=object)[places]
        return words
