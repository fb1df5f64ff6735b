"""A whole season: play it by a policy, then open the books and say what everything was worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab.reality import game_log, timeline
from mlops_lab.reality.evaluation import Effect, Yardsticks, effects, underpaid, yardsticks
from mlops_lab.reality.policies import POLICIES
from mlops_lab.reality.product import Week
from mlops_lab.reality.scenario import SYMPTOMS, Scenario
from mlops_lab.reality.season import Season

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FAIR_GAP", "UNFAIR_COST", "PlayedSeason", "judge", "play"]

FAIR_GAP, UNFAIR_COST = 0.05, 2.0
"""A gap between the groups that is borne, and how much score each point beyond it costs."""


@dataclass(frozen=True, eq=False, repr=False)
class PlayedSeason:
    """A season that was played, and what it was worth.

    Answers: which symptoms showed, what did each remedy do, and how good was it all between the dream and
    what was possible? The effects and the gap are measured with the truth, which the player never saw. It
    cannot rank two games of different scenarios or seeds by money; their scores can be compared.

    Parameters
    ----------
    season
        The game.
    policy
        By what it was played.
    yardsticks
        What others made of the same season.
    fired
        For each symptom whether it showed; None if it was not tested for. The pager always tests for bias.
    effects
        What each remedy did that was taken, by symptom.
    underpaid
        Share of each group's good items that were paid below their true grade, over the season.

    Examples
    --------
    >>> played = play(Scenario(weeks=18, volume=200), policy="rule_card")
    >>> played.fired["labels"] is None, played.net == played.yardsticks.rule_card
    (True, True)
    >>> played.scenario.weeks, len(played.weeks), played.log["seed"], played.gain["labels"] is None
    (18, 14, 0, True)
    >>> played.gap < 0.2, played.score + played.penalty < 1, played.frame().shape
    (True, True, (5, 7))
    >>> from matplotlib.figure import Figure
    >>> len(played.plot(ax=Figure(figsize=(11, 6)).subplots()).child_axes)
    2
    """

    season: Season
    policy: str
    yardsticks: Yardsticks
    fired: Mapping[str, bool | None]
    effects: Mapping[str, Effect]
    underpaid: Mapping[str, float]

    @property
    def scenario(self) -> Scenario:
        """The story that was played."""
        return self.season.scenario

    @property
    def seed(self) -> int:
        """What picked the luck."""
        return self.season.seed

    @property
    def gain(self) -> dict[str, float | None]:
        """The true effect of each remedy, against not taking it, in the measure it is meant for."""
        return {name: self.effects[name].gain if name in self.effects else None for name in SYMPTOMS}

    @property
    def net(self) -> float:
        """What the season brought less what was spent."""
        return self.season.net

    @property
    def gap(self) -> float:
        """How much more often one group's good items were paid too little than the other's."""
        return round(max(self.underpaid.values()) - min(self.underpaid.values()), 6)

    @property
    def penalty(self) -> float:
        """What the gap costs in score: twice what it exceeds five points by."""
        return round(UNFAIR_COST * max(0.0, self.gap - FAIR_GAP), 6)

    @property
    def score(self) -> float:
        """How far from the dream's money (0) to the oracle's (1), less the penalty."""
        bars = self.yardsticks
        return round((self.net - bars.naive) / (bars.oracle - bars.naive) - self.penalty, 6)

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The books."""
        return self.season.weeks

    @property
    def log(self) -> dict[str, Any]:
        """The game as plain values, as `Season.save` writes it."""
        return game_log.as_log(self.season)

    def frame(self) -> pd.DataFrame:
        """Give the five symptoms and what mended them as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each symptom: fired, measure, unit, without, with, naively, gain.
        """
        rows = []
        for name in SYMPTOMS:
            effect = self.effects.get(name)
            measured = (
                (effect.measure, effect.unit, effect.without, effect.with_remedy, effect.naively, effect.gain)
                if effect
                else ("", "", *[np.nan] * 4)
            )
            rows.append((name, self.fired[name], *measured))
        columns = ["symptom", "fired", "measure", "unit", "without", "with", "naively", "gain"]
        return pd.DataFrame(rows, columns=columns).set_index("symptom").astype({"fired": "boolean"})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw expectation and reality side by side: what each week brought, and what was done when.

        Parameters
        ----------
        ax
            Axes to draw in; None makes a figure.
        """
        return timeline.draw(self.season, self.yardsticks, ax)

    def __repr__(self) -> str:
        bars, money = self.yardsticks, "{:,.0f}".format
        symptoms = ", ".join(name for name in SYMPTOMS if self.fired[name]) or "none"
        return (
            f"Season of {self.scenario.name!r}, seed {self.seed}, by {self.policy}: score {self.score:.2f}\n"
            f"  net {money(self.net)}; the dream {money(bars.naive)}, the card {money(bars.rule_card)}, "
            f"the oracle {money(bars.oracle)}\n"
            f"  symptoms that showed: {symptoms}; gap between the groups {self.gap:.2f}, "
            f"which costs {self.penalty:.2f}"
        )


def play(
    scenario: Scenario | str | Path = "orchard",
    *,
    policy: str | Callable[[Season], object] = "lecture",
    seed: int = 0,
) -> PlayedSeason:
    """Play a whole season by a policy, and judge it.

    Answers: what comes of running the season in this way? Everything is really done: labels are bought,
    models trained, weeks served. The same scenario, policy and seed give the same season on any day.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    policy
        A name out of `POLICIES`, or a function of a `Season`; what it leaves of the season passes by itself.
    seed
        Picks the luck.

    Raises
    ------
    ValueError
        For an unknown policy or scenario, and whatever an impossible action of the policy raises.

    Examples
    --------
    >>> def mine(season):
    ...     season.collect(300)
    ...     season.deploy(season.train())
    >>> play(Scenario(weeks=18, volume=200), policy=mine).policy
    'mine'

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if isinstance(policy, str):
        if policy not in POLICIES:
            raise ValueError(f"there is no policy {policy!r}; there are {', '.join(POLICIES)}, and your own")
        chosen: Callable[[Season], object] = POLICIES[policy]
    elif callable(policy):
        chosen = policy
    else:
        raise TypeError(f"policy={policy!r}: a name, or a function of a season, is needed")
    season = Season(scenario, seed=seed)
    chosen(season)
    season.finish()
    return judge(season, policy=getattr(chosen, "__name__", "a policy"))


def judge(season: Season, *, policy: str = "by hand", bars: Yardsticks | None = None) -> PlayedSeason:
    """Open the books of a season that is over.

    Parameters
    ----------
    season
        The game.
    policy
        By what it was played, for the record.
    bars
        The yardsticks, if they are known already; None measures them.

    Raises
    ------
    ValueError
        If the season is not over.

    Examples
    --------
    >>> season = Season(Scenario(weeks=18, volume=200))
    >>> season.finish()
    >>> judge(season, bars=Yardsticks(1e4, 2e4, 5e4, 3e3, ())).effects
    mappingproxy({})

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if not season.over:
        raise ValueError(f"it is day {season.day}; the season is judged when it is over: finish() it first")
    return PlayedSeason(
        season=season,
        policy=policy,
        yardsticks=bars or yardsticks(season.scenario, seed=season.seed),
        fired=MappingProxyType(_fired(season)),
        effects=MappingProxyType(effects(season)),
        underpaid=MappingProxyType(underpaid(season)),
    )


def _fired(season: Season) -> dict[str, bool | None]:
    found: dict[str, bool | None] = dict.fromkeys(SYMPTOMS)
    for _, report in season.reports:
        if report.fired is not None:
            found[report.symptom] = bool(found[report.symptom]) or report.fired
    found["bias"] = bool(found["bias"]) or bool(season.pages)
    return found
