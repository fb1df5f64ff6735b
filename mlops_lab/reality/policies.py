"""Ways to play a season, each a function of a `Season`: the dream, the card, the lecture, and two more.

A policy of your own needs no class:

    def mine(season):
        season.collect(2000)
        season.deploy(season.train())

Left out: policies that learn over several seasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from mlops_lab.reality.game_state import GameState
from mlops_lab.reality.registry import fit
from mlops_lab.reality.season import Season

__all__ = ["ARCHIVE", "LECTURE", "POLICIES", "expectation", "oracle", "rule_card"]

ARCHIVE = 2600
"""How many items the policies take from the archive, as lesson 00 does."""

LAMPS_WEEK = 10
"""The lecture's team looks at recent items in this week."""


FRESH_UNTIL = 13
"""Until this week the policy of prevention takes new items again and again."""


def expectation(season: Season) -> None:
    """Collect, train, deploy: the dream, and nothing after it."""
    season.collect(ARCHIVE)
    season.deploy(season.train(note="the dream"))
    season.finish()


def rule_card(season: Season) -> None:
    """Leave everything as it is: the card grades by hand all season."""
    season.finish()


def lecture(season: Season) -> None:
    """Take every step of the lecture (L12) in its order, each remedy only if its test fires."""
    season.choose_metric("accuracy")
    season.collect(ARCHIVE)
    season.train(note="archive")
    for step in LECTURE:
        if not season.over:
            step(season)
    season.finish()


def _labels_step(season: Season) -> None:
    """Test the labels; if too many are wrong, mend somewhat more suspects than there are likely to be."""
    found = season.test("labels")
    if found.fired:
        share = min(1.5 * found.measures["high"], 0.4)
        season.relabel(int(share * len(season.data)))
        season.train(note="relabelled")


def _class_step(season: Season) -> None:
    """Test the newest version on each grade; if one is weak, let an expert pick more of it."""
    found = season.test("class")
    if found.fired:
        season.collect(300, grade=found.worst)
        season.train(note=f"more {found.worst}")


def _recent_step(season: Season) -> None:
    """Test the newest version on recent items; if it is stale, collect those that upload by themselves."""
    if season.week < LAMPS_WEEK:
        season.tick(LAMPS_WEEK * 7 - season.day)
    if season.test("recent").fired:
        season.collect(1800, source="recent")
        season.train(recent_weight=4, note="recent")


def _bias_step(season: Season) -> None:
    """Deploy and sleep. If the pager rings: go back, collect what the archive lacked, test, deploy again."""
    season.deploy(list(season.registry)[-1])
    page = season.tick(21)
    if page is None:
        return
    scenario = season.scenario
    seen = season.gold(120, source="recent", group=page.group)
    older = [name for name, each in season.registry.items() if not each.by_hand and name != season.live]
    season.rollback(min(older or ["v0"], key=lambda name: _underpaid(season, name, seen)))
    season.collect(800, source="recent", group=page.group)
    features = (*scenario.features, scenario.device)
    fixed = season.train(features=features, recent_weight=4, note=f"knows the {page.group}")
    season.deploy(fixed)


def _revenue_step(season: Season) -> None:
    """Pray, check again in ten weeks; if money falls though grades do not, change the metric."""
    season.test("revenue")
    season.tick(70, pager=False)
    if not season.over and season.test("revenue").fired:
        season.choose_metric("money")


LECTURE = (_labels_step, _class_step, _recent_step, _bias_step, _revenue_step)
"""The steps of the lecture after "choose a metric; collect; train", in its order."""


def _underpaid(season: Season, name: str, seen: pd.DataFrame) -> float:
    """Share of items, of the two best grades, that a version grades too low."""
    place = {grade: number for number, grade in enumerate(season.scenario.grades)}
    true, given = seen["label"].map(place), season.registry[name].grades(seen).map(place)
    return float((given < true)[true > 1].mean())


def prevention(season: Season) -> None:
    """Prevent what the lecture repairs: a guide before labels, both groups from the start, another metric.

    The graders' guide is paid for first, so that all later labels are better. Items of both groups and of the
    rare grade are fetched before anybody complains, the model knows the device, and old rows are left out
    while the world moves. Returns are priced as soon as the books allow it.
    """
    scenario = season.scenario
    features = (*scenario.features, scenario.device)
    season.collect(100)
    season.relabel(50, choose="random")
    while season.week < FRESH_UNTIL:
        season.collect(900, source="recent", group="all")
        season.collect(900, source="recent", group=scenario.small_group)
        season.collect(40, source="recent", group="all", grade=scenario.rare)
        since = max(season.week - 6, 0)
        season.deploy(season.train(features=features, since=since, note="both groups, kept fresh"))
        if len(season.weeks) >= 3:
            season.choose_metric("money")
        season.tick(3, pager=False)
    season.finish()


def oracle(season: Season) -> None:
    """See every true grade at no cost, keep the model fresh, and look ahead before pricing returns.

    It is a yardstick, and cannot be played: it reaches for the truth behind the season.
    """
    season.choose_metric("money", return_cost=8.0)
    for week in (4, 6, 7, 8, 10, 13):
        if season.week < week:
            season.tick(7 * week - season.day, pager=False)
        _teach(season._state, 5000)
    ahead = {}
    for cost in (6.0, 16.0):
        other = season.fork()
        other.choose_metric("money", return_cost=cost)
        other.finish()
        ahead[cost] = other.net
    season.choose_metric("money", return_cost=max(ahead, key=lambda cost: ahead[cost]))
    season.finish()


def _teach(game: GameState, n: int) -> None:
    """Train on the truth of this week's items, at no cost, and deploy: what no player can do."""
    reads = (*game.scenario.features, game.scenario.device)
    halves = [
        game.hidden.draw(n // 2, (game.week,), f"oracle {group}", group=group)
        for group in game.scenario.groups
    ]
    rows, truth = pd.concat([half.items for half in halves]), np.concatenate([half.truth for half in halves])
    game.go_live(game.register(fit(rows, truth, reads, game.scenario), reads, "knows the truth", n))


POLICIES: Mapping[str, Callable[[Season], None]] = MappingProxyType(
    {each.__name__: each for each in (expectation, rule_card, lecture, prevention, oracle)}
)
"""All policies by name."""
