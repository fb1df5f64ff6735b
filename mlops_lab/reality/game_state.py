"""The state of one game, and how it moves on: whatever is live serves day after day, week after week.

The state is what a player sees, the log of what was done, and beneath, what nobody may see. A player never
holds it: `Season` keeps it under an underscore, and gives copies of what may be seen.
"""

from __future__ import annotations

import copy
import numbers
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.reality.hidden_truth import HiddenTruth
from mlops_lab.reality.pager import Page, Pager
from mlops_lab.reality.product import ReturnPrice, Served, Week, price_of_a_return
from mlops_lab.reality.registry import RegisteredModel, by_hand, channels
from mlops_lab.reality.scenario import Scenario
from mlops_lab.reality.symptoms import Symptom

__all__ = ["GameState", "let_pass", "new_game"]

START = 28
"""The day on which a game begins: week 4, after the weeks of the archive."""

Places = NDArray[np.int64]


@dataclass(eq=False, repr=False, kw_only=True)
class GameState:
    """Everything that a game is, on one day.

    Parameters
    ----------
    scenario, seed
        The story, and what picks the luck.
    hidden
        The world behind the game; forks share it, so they meet the same items and luck.
    items, labels
        The rows that were bought, and their labels as places in the list of grades.
    truth, sure
        For each of these rows its true grade, and whether an expert has seen it.
    day, spent, price
        Today, the money spent, and the share of the full price that buyers pay.
    registry, live, metric, return_cost, guided
        All versions, which of them grades, how channels are chosen, whether the graders have a guide.
    weeks, served, closed, switched
        The books; all that was served, how much of it is in the books, and how much came before the last
        deployment.
    pager, pages
        The watch on complaints (None once it has rung, until the next deployment), and its calls.
    reports, spot_checks
        What tests found, with the day; for each spot check what was live, the week, and where it was right.
    actions, drawn
        The log; how often items or luck were drawn for each purpose.
    before
        For each remedy the state in which it was first taken, and its place in the log; None in a fork.
    """

    scenario: Scenario
    seed: int
    hidden: HiddenTruth
    items: pd.DataFrame
    labels: Places = field(default_factory=lambda: np.array([], dtype=np.int64))
    truth: Places = field(default_factory=lambda: np.array([], dtype=np.int64))
    sure: NDArray[np.bool_] = field(default_factory=lambda: np.array([], dtype=bool))
    day: int = START
    spent: float = 0.0
    price: float = 1.0
    registry: dict[str, RegisteredModel]
    live: str = "v0"
    metric: str = "accuracy"
    return_cost: float = 0.0
    guided: bool = False
    weeks: list[Week] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    closed: int = 0
    switched: int = 0
    pager: Pager | None
    pages: list[Page] = field(default_factory=list)
    reports: list[tuple[int, Symptom]] = field(default_factory=list)
    spot_checks: list[tuple[str, int, list[bool]]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    drawn: dict[str, int] = field(default_factory=dict)
    before: dict[str, tuple[GameState, int]] | None = field(default_factory=dict)

    @property
    def week(self) -> int:
        """The week of today."""
        return self.day // 7

    @property
    def last_day(self) -> int:
        """The day on which the season ends."""
        return 7 * self.scenario.weeks

    @property
    def over(self) -> bool:
        """Whether the season is over."""
        return self.day >= self.last_day

    @property
    def money(self) -> float:
        """What is left of the budget."""
        return round(self.scenario.budget - self.spent, 2)

    @property
    def earned(self) -> float:
        """The profit of the weeks in the books."""
        return round(sum(week.profit for week in self.weeks), 2)

    @property
    def net(self) -> float:
        """What the game is worth so far: earned less spent."""
        return round(self.earned - self.spent, 2)

    @property
    def data(self) -> pd.DataFrame:
        """The rows that were bought, with the labels that were paid for."""
        return self.items.assign(label=self.words(self.labels))

    @property
    def complaints(self) -> pd.DataFrame:
        """Every item served since the last deployment, and whether its supplier complained."""
        parts = self.served[self.switched :]
        places = np.concatenate([np.array([], dtype=np.int64), *(part.group for part in parts)])
        return pd.DataFrame(
            {
                "hour": np.concatenate([np.array([]), *(part.hour for part in parts)]),
                self.scenario.device: np.array(self.scenario.groups, dtype=object)[places],
                "complained": np.concatenate(
                    [np.array([], dtype=bool), *(part.complained for part in parts)]
                ),
            }
        )

    def return_price(self) -> ReturnPrice:
        """Estimate from the books what one more return costs over the rest of the season."""
        return price_of_a_return(self.weeks, max(self.scenario.weeks - self.week, 0))

    def words(self, places: Places) -> NDArray[np.object_]:
        """Give the names of grades by their places."""
        words: NDArray[np.object_] = np.array(self.scenario.grades, dtype=object)[places]
        return words

    def count(self, purpose: str) -> int:
        """Count how often something was drawn for a purpose: the same purpose never draws the same twice."""
        self.drawn[purpose] = self.drawn.get(purpose, 0) + 1
        return self.drawn[purpose]

    def luck(self, purpose: str) -> np.random.Generator:
        """Give the next source of luck for a purpose."""
        return np.random.default_rng([self.seed, *purpose.encode(), self.count(purpose)])

    def register(self, model: Any, features: tuple[str, ...], note: str, rows: int) -> str:
        """Put a trained model into the registry; return its name."""
        name = f"v{len(self.registry)}"
        self.registry[name] = RegisteredModel(name, note, self.scenario, features, rows, self.day, model)
        return name

    def go_live(self, version: str) -> None:
        """Let a version grade from now on; the pager begins a new watch."""
        self.live, self.switched = version, len(self.served)
        self.pager = Pager(self.scenario.small_group)

    def fork(self) -> GameState:
        """Give an independent copy that meets the same luck."""
        other = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list | dict):  # what stands in them never changes
                setattr(other, name, value.copy())
        other.pager = None if self.pager is None else self.pager.copy()
        other.before = None
        return other


def new_game(scenario: Scenario, seed: object) -> GameState:
    """Begin a game: nothing bought, and the card grades by hand."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or int(seed) < 0:
        raise ValueError(f"seed={seed!r}: a whole number from 0 is needed")
    return GameState(
        scenario=scenario,
        seed=int(seed),
        hidden=HiddenTruth(scenario, int(seed)),
        items=pd.DataFrame(columns=[*scenario.features, scenario.device, "week"]),
        registry={"v0": by_hand(scenario)},
        pager=Pager(scenario.small_group),
    )


def let_pass(game: GameState, days: int, *, pager: bool) -> Page | None:
    """Serve day after day by what is live; parts of a week where a deployment or a page cuts it."""
    end, product = min(game.day + days, game.last_day), game.hidden.product
    while game.day < end:
        week, first = divmod(game.day, 7)
        last = min(end - 7 * week, 7) - 1
        fee = game.scenario.hand_fee if game.registry[game.live].by_hand else 0.0
        served = product.days(week, lambda items: _channels(game, items), first=first, last=last, fee=fee)
        game.day = 7 * week + last + 1
        page = _listen(game, served)
        if page is not None and pager:
            game.day = page.day + 1
            served = served.before(24.0 * game.day)
        game.served.append(served)
        if game.day == 7 * (week + 1):
            log = product.close(week, game.served[game.closed :], price=game.price)
            game.weeks.append(replace(log, version=game.live, metric=game.metric))
            game.price, game.closed = log.next_price, len(game.served)
        if page is not None and pager:
            return page
    return None


def _listen(game: GameState, served: Served) -> Page | None:
    if game.pager is None:
        return None
    rows = (served.hour.tolist(), (served.group == 1).tolist(), served.complained.tolist())
    page = game.pager.watch(zip(*rows, strict=True))
    if page is not None:
        game.pages.append(page)
        game.pager = None  # it has rung; a deployment begins a new watch
    return page


def _channels(game: GameState, items: pd.DataFrame) -> pd.Series:
    """Say where the live version sends items, by the metric that was chosen and at today's price."""
    version = game.registry[game.live]
    metric = "accuracy" if version.by_hand else game.metric
    likely = version.probabilities(items).to_numpy()
    chosen = channels(likely, game.scenario, metric, game.return_cost, game.price)
    return pd.Series(game.words(chosen), index=items.index)
