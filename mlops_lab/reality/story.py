"""A whole season: play it by a policy, then open the books and say what everything was worth.

Left out: the board on which a person plays; that is the classroom's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab.reality import replays, timeline
from mlops_lab.reality.judging import Effect, effects, underpaid
from mlops_lab.reality.policies import ARCHIVE, POLICIES, expectation, oracle, rule_card
from mlops_lab.reality.product import Week
from mlops_lab.reality.project import Project
from mlops_lab.reality.registry import held_out
from mlops_lab.reality.scenario import SYMPTOMS, Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FAIR_GAP", "UNFAIR_COST", "Story", "Yardsticks", "judge", "play", "yardsticks"]

FAIR_GAP, UNFAIR_COST = 0.05, 2.0
"""A gap between the groups that is borne, and how much score each point beyond it costs."""


@dataclass(frozen=True)
class Yardsticks:
    """What three policies make of the same season with the same luck.

    Parameters
    ----------
    naive, rule_card, oracle
        Net money of the dream, of the card, and of one who sees the truth.
    promised
        Money a week that the dream promises: its model, tried on archive items it has not seen, taking every
        label for true and the full price for granted.
    dream
        The weeks as the dream really went.

    Examples
    --------
    >>> Yardsticks(1.0, 2.0, 5.0, 0.3, ()).oracle
    5.0
    """

    naive: float
    rule_card: float
    oracle: float
    promised: float
    dream: tuple[Week, ...] = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Story:
    """A season that was played, and what it was worth.

    Answers: which symptoms showed, what did each remedy do, and how good was it all between the dream and
    what was possible? The effects and the gap are measured with the truth, which the player never saw. It
    cannot rank two games of different scenarios or seeds by money; their scores can be compared.

    Parameters
    ----------
    project
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
    >>> story = play(Scenario(weeks=18, volume=200), policy="rule_card")
    >>> story.fired["labels"] is None, story.net == story.yardsticks.rule_card
    (True, True)
    >>> story.scenario.weeks, len(story.weeks), story.log["seed"], story.gain["labels"] is None
    (18, 14, 0, True)
    >>> story.gap < 0.2, story.score + story.penalty < 1, story.frame().shape
    (True, True, (5, 7))
    >>> from matplotlib.figure import Figure
    >>> len(story.plot(ax=Figure(figsize=(11, 6)).subplots()).child_axes)
    2
    """

    project: Project
    policy: str
    yardsticks: Yardsticks
    fired: Mapping[str, bool | None]
    effects: Mapping[str, Effect]
    underpaid: Mapping[str, float]

    @property
    def scenario(self) -> Scenario:
        """The story that was played."""
        return self.project.scenario

    @property
    def seed(self) -> int:
        """What picked the luck."""
        return self.project.seed

    @property
    def gain(self) -> dict[str, float | None]:
        """The true effect of each remedy, against not taking it, in the measure it is meant for."""
        return {name: self.effects[name].gain if name in self.effects else None for name in SYMPTOMS}

    @property
    def net(self) -> float:
        """What the season brought less what was spent."""
        return self.project.net

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
        return self.project.weeks

    @property
    def log(self) -> dict[str, Any]:
        """The game as plain values, as `Project.save` writes it."""
        return replays.as_log(self.project)

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
        return timeline.draw(self, ax)

    def __repr__(self) -> str:
        bars, money = self.yardsticks, "{:,.0f}".format
        symptoms = ", ".join(name for name in SYMPTOMS if self.fired[name]) or "none"
        return (
            f"Story of {self.scenario.name!r}, seed {self.seed}, by {self.policy}: score {self.score:.2f}\n"
            f"  net {money(self.net)}; the dream {money(bars.naive)}, the card {money(bars.rule_card)}, "
            f"the oracle {money(bars.oracle)}\n"
            f"  symptoms that showed: {symptoms}; gap between the groups {self.gap:.2f}, "
            f"which costs {self.penalty:.2f}"
        )


def yardsticks(scenario: Scenario | str | Path = "orchard", *, seed: int = 0) -> Yardsticks:
    """Play a season three times: by the dream, by the card, and by one who sees the truth.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    seed
        Picks the luck.

    Examples
    --------
    >>> bars = yardsticks(Scenario(weeks=18, volume=200))
    >>> bars.naive < bars.oracle, len(bars.dream)
    (True, 14)

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    fresh = Project(scenario, seed=seed)
    dream, card, best = (fresh.fork() for _ in range(3))
    for policy, game in ((expectation, dream), (rule_card, card), (oracle, best)):
        policy(game)
    return Yardsticks(dream.net, card.net, best.net, _promised(fresh), dream.weeks)


def play(
    scenario: Scenario | str | Path = "orchard",
    *,
    policy: str | Callable[[Project], object] = "lecture",
    seed: int = 0,
) -> Story:
    """Play a whole season by a policy, and judge it.

    Answers: what comes of running the project in this way? Everything is really done: labels are bought,
    models trained, weeks served. The same scenario, policy and seed give the same story on any day.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    policy
        A name out of `POLICIES`, or a function of a `Project`; what it leaves of the season passes by itself.
    seed
        Picks the luck.

    Raises
    ------
    ValueError
        For an unknown policy or scenario, and whatever an impossible action of the policy raises.

    Examples
    --------
    >>> def mine(project):
    ...     project.collect(300)
    ...     project.deploy(project.train())
    >>> play(Scenario(weeks=18, volume=200), policy=mine).policy
    'mine'

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if isinstance(policy, str):
        if policy not in POLICIES:
            raise ValueError(f"there is no policy {policy!r}; there are {', '.join(POLICIES)}, and your own")
        chosen: Callable[[Project], object] = POLICIES[policy]
    elif callable(policy):
        chosen = policy
    else:
        raise TypeError(f"policy={policy!r}: a name, or a function of a project, is needed")
    project = Project(scenario, seed=seed)
    chosen(project)
    project.finish()
    return judge(project, policy=getattr(chosen, "__name__", "a policy"))


def judge(project: Project, *, policy: str = "by hand", bars: Yardsticks | None = None) -> Story:
    """Open the books of a season that is over.

    Parameters
    ----------
    project
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
    >>> project = Project(Scenario(weeks=18, volume=200))
    >>> project.finish()
    >>> judge(project).effects
    mappingproxy({})

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if not project.over:
        raise ValueError(f"it is day {project.day}; the season is judged when it is over: finish() it first")
    return Story(
        project=project,
        policy=policy,
        yardsticks=bars or yardsticks(project.scenario, seed=project.seed),
        fired=MappingProxyType(_fired(project)),
        effects=MappingProxyType(effects(project)),
        underpaid=MappingProxyType(underpaid(project)),
    )


def _fired(project: Project) -> dict[str, bool | None]:
    found: dict[str, bool | None] = dict.fromkeys(SYMPTOMS)
    for _, report in project.reports:
        if report.fired is not None:
            found[report.symptom] = bool(found[report.symptom]) or report.fired
    found["bias"] = bool(found["bias"]) or bool(project.pages)
    return found


def _promised(project: Project) -> float:
    """Give what a week would bring if the archive were the world and its labels the truth."""
    scenario = project.scenario
    project.collect(ARCHIVE)
    likely = held_out(project._items, project._labels, scenario)
    value = np.array(scenario.values)[project._labels, likely.argmax(axis=1)]
    return round(float(value.mean()) * scenario.volume, 2)
