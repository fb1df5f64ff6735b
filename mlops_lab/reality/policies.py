"""Ways to run a project, each a function of a `Project`: the dream, the card, the lecture, and two more.

A policy of your own needs no class:

    def mine(project):
        project.collect(2000)
        project.deploy(project.train())

Left out: policies that learn over several seasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from mlops_lab.reality.project import Project

__all__ = ["LECTURE", "POLICIES", "expectation", "lecture", "oracle", "prevention", "rule_card"]

ARCHIVE = 2600
"""How many items the policies take from the archive, as lesson 00 does."""

LAMPS_WEEK = 10
"""The lecture's team looks at recent items in this week."""


FRESH_UNTIL = 13
"""Until this week the policy of prevention takes new items again and again."""


def expectation(project: Project) -> None:
    """Collect, train, deploy: the dream, and nothing after it."""
    project.collect(ARCHIVE)
    project.deploy(project.train(note="the dream"))
    project.finish()


def rule_card(project: Project) -> None:
    """Leave everything as it is: the card grades by hand all season."""
    project.finish()


def lecture(project: Project) -> None:
    """Take every step of the lecture (L12) in its order, each remedy only if its test fires."""
    project.choose_metric("accuracy")
    project.collect(ARCHIVE)
    project.train(note="archive")
    for step in LECTURE:
        if not project.over:
            step(project)
    project.finish()


def labels_step(project: Project) -> None:
    """Test the labels; if too many are wrong, mend somewhat more suspects than there are likely to be."""
    found = project.test("labels")
    if found.fired:
        share = min(1.5 * found.measures["high"], 0.4)
        project.relabel(int(share * len(project.data)))
        project.train(note="relabelled")


def class_step(project: Project) -> None:
    """Test the newest version on each grade; if one is weak, let an expert pick more of it."""
    found = project.test("class")
    if found.fired:
        project.collect(300, grade=found.worst)
        project.train(note=f"more {found.worst}")


def recent_step(project: Project) -> None:
    """Test the newest version on recent items; if it is stale, collect those that upload by themselves."""
    if project.week < LAMPS_WEEK:
        project.tick(LAMPS_WEEK * 7 - project.day)
    if project.test("recent").fired:
        project.collect(1800, source="recent")
        project.train(recent_weight=4, note="recent")


def bias_step(project: Project) -> None:
    """Deploy and sleep. If the pager rings: go back, collect what the archive lacked, test, deploy again."""
    project.deploy(list(project.registry)[-1])
    page = project.tick(21)
    if page is None:
        return
    scenario = project.scenario
    seen = project.gold(120, source="recent", group=page.group)
    older = [name for name, each in project.registry.items() if not each.by_hand and name != project.live]
    project.rollback(min(older or ["v0"], key=lambda name: _underpaid(project, name, seen)))
    project.collect(800, source="recent", group=page.group)
    features = (*scenario.features, scenario.device)
    fixed = project.train(features=features, recent_weight=4, note=f"knows the {page.group}")
    project.deploy(fixed)


def revenue_step(project: Project) -> None:
    """Pray, check again in ten weeks; if money falls though grades do not, change the metric."""
    project.test("revenue")
    project.tick(70, pager=False)
    if not project.over and project.test("revenue").fired:
        project.choose_metric("money")


LECTURE = (labels_step, class_step, recent_step, bias_step, revenue_step)
"""The steps of the lecture after "choose a metric; collect; train", in its order."""


def _underpaid(project: Project, name: str, seen: pd.DataFrame) -> float:
    """Share of items, of the two best grades, that a version grades too low."""
    place = {grade: number for number, grade in enumerate(project.scenario.grades)}
    true, given = seen["label"].map(place), project.registry[name].grades(seen).map(place)
    return float((given < true)[true > 1].mean())


def prevention(project: Project) -> None:
    """Prevent what the lecture repairs: a guide before labels, both groups from the start, another metric.

    The graders' guide is paid for first, so that all later labels are better. Items of both groups and of the
    rare grade are fetched before anybody complains, the model knows the device, and old rows are left out
    while the world moves. Returns are priced as soon as the books allow it.
    """
    scenario = project.scenario
    features = (*scenario.features, scenario.device)
    project.collect(100)
    project.relabel(50, choose="random")
    while project.week < FRESH_UNTIL:
        project.collect(900, source="recent", group="all")
        project.collect(900, source="recent", group=scenario.small_group)
        project.collect(40, source="recent", group="all", grade=scenario.rare)
        since = max(project.week - 6, 0)
        project.deploy(project.train(features=features, since=since, note="both groups, kept fresh"))
        if len(project.weeks) >= 3:
            project.choose_metric("money")
        project.tick(3, pager=False)
    project.finish()


def oracle(project: Project) -> None:
    """See every true grade at no cost, keep the model fresh, and look ahead before pricing returns.

    It is a yardstick, and cannot be played: it reaches for the truth behind the project.
    """
    project.choose_metric("money", return_cost=8.0)
    for week in (4, 6, 7, 8, 10, 13):
        if project.week < week:
            project.tick(7 * week - project.day, pager=False)
        project._teach(5000)
    ahead = {}
    for cost in (6.0, 16.0):
        other = project.fork()
        other.choose_metric("money", return_cost=cost)
        other.finish()
        ahead[cost] = other.net
    project.choose_metric("money", return_cost=max(ahead, key=lambda cost: ahead[cost]))
    project.finish()


POLICIES: Mapping[str, Callable[[Project], None]] = MappingProxyType(
    {each.__name__: each for each in (expectation, rule_card, lecture, prevention, oracle)}
)
"""All policies by name."""
