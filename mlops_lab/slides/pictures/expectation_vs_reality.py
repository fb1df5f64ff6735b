"""L12, expectation against reality: the dream of lesson 00, its first weeks, and a season really played."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pandas as pd

from mlops_lab import plots, reality, worlds
from mlops_lab.slides.pictures.drawing import Theme, arrow, box, canvas, chart, dressed, theme_of, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["dream_scores", "expectation_and_reality", "first_weeks"]

_WEEKS = range(4, 16)


@functools.lru_cache(maxsize=4)
def _dream(seed: int) -> tuple[float, float, tuple[float, ...]]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    orchard = worlds.Orchard(seed=seed)
    archive = orchard.archive(2600)
    names = list(worlds.FEATURES)
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        archive.crates[names], archive.labels, test_size=0.25, random_state=seed
    )
    model = HistGradientBoostingClassifier(
        max_iter=35, learning_rate=0.18, max_leaf_nodes=10, random_state=seed
    ).fit(seen, seen_labels)
    promised = float(model.score(unseen, unseen_labels))
    by_rule = float((worlds.rule_card(unseen) == unseen_labels).mean())
    weeks = []
    for week in _WEEKS:
        batch = orchard.week(week)
        weeks.append(float((model.predict(batch.crates[names]) == batch.truth).mean()))
    return promised, by_rule, tuple(weeks)


def dream_scores(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how often the model and the rule card are right on crates that neither has seen."""
    figure, ax = chart(theme)
    promised, by_rule, _ = _dream(seed)
    shares = pd.Series({"rule card": 100 * by_rule, "model": 100 * promised})
    plots.bars(shares, xlabel="who grades", ylabel="grades right (%)", number_format="{:.0f} %", ax=ax)
    return dressed(figure, theme)


def first_weeks(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the deployed model's accuracy over its first twelve weeks, against what the hold-out promised."""
    figure, ax = chart(theme)
    promised, _, weeks = _dream(seed)
    plots.line(
        pd.Series(weeks, index=_WEEKS), xlabel="week of the year", ylabel="share of grades right",
        limit=round(promised, 2), limit_label="promised", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


_TOLD = {
    "labels": ("wrong labels", "relabel", "grades right"),
    "class": ("rot is missed", "more rotten ones", "rot found"),
    "recent": ("stale", "recent crates", "right, recent"),
    "bias": ("woken at {clock}", "roll back, mend", "paid too little"),
    "revenue": ("revenue falls", "another metric", "money left"),
}
"""For each symptom: what it looks like, what is done, and what is measured before and after."""


@functools.lru_cache(maxsize=1)
def _season(seed: int) -> reality.PlayedSeason:
    return reality.play("orchard", policy="lecture", seed=seed)


def expectation_and_reality(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the three steps that were planned, and the five troubles that one season really brought.

    A trouble that did not show in the season that is played, or was not mended, is drawn as such.
    """
    colours = theme_of(theme)
    story = _season(seed)
    figure, ax = canvas()
    _expected(ax, colours)
    words(ax, colours, (0.12, 3.72), "Reality", points=21, bold=True, align="left")
    told = (
        f"money of the season: dream {story.yardsticks.naive / 1000:,.0f}, "
        f"rule card {story.yardsticks.rule_card / 1000:,.0f}, mended {story.net / 1000:,.0f} thousand"
    )
    words(ax, colours, (11.88, 3.72), told, align="right", ink=colours.soft)
    for number, symptom in enumerate(reality.SYMPTOMS):
        _trouble(ax, colours, story, symptom, 0.12 + number * 2.376)
    ax.plot([10.75, 10.75, 1.2], [0.62, 0.3, 0.3], color=colours.line, linewidth=2.4)
    arrow(ax, colours, (1.2, 0.3), (1.2, 0.66))
    words(ax, colours, (6.0, 0.47), "and start over", ink=colours.soft)
    return figure


def _expected(ax: Axes, colours: Theme) -> None:
    words(ax, colours, (0.12, 4.72), "Expectation", points=21, bold=True, align="left")
    for number, step in enumerate(("collect data", "train", "deploy")):
        left = 2.5 + number * 2.5
        box(ax, colours, (left, 4.38), (2.1, 0.68), step, points=20, edge=colours.blue)
        arrow(ax, colours, (left + 2.13, 4.72), (left + 2.47, 4.72), colour=colours.blue)
    words(ax, colours, (10.05, 4.72), "done", points=20, align="left")


def _trouble(ax: Axes, colours: Theme, story: reality.PlayedSeason, symptom: str, left: float) -> None:
    """Draw one column: when it showed and how it looked, what was done, and what that changed."""
    width, middle = 2.256, left + 1.128
    looks, done, measured = _TOLD[symptom]
    fired = story.fired[symptom]
    days = [day for day, report in story.season.reports if report.symptom == symptom and report.fired]
    pages = story.season.pages
    when = pages[0].day if symptom == "bias" and pages else days[0] if days else None
    clock = pages[0].clock if pages else ""
    box(ax, colours, (left, 2.47), (width, 0.98), edge=colours.red if fired else colours.line)
    words(ax, colours, (middle, 3.17), f"week {when // 7}" if when else "not this time", ink=colours.soft)
    words(ax, colours, (middle, 2.77), looks.format(clock=clock), bold=True, points=18)
    arrow(ax, colours, (middle, 2.43), (middle, 2.03))
    effect = story.effects.get(symptom)
    box(ax, colours, (left, 0.68), (width, 1.32), edge=colours.blue if effect else colours.line)
    words(ax, colours, (middle, 1.72), done if effect else "nothing done")
    if effect:
        share = effect.unit == "share"
        before, after = (
            f"{100 * value:.0f} %" if share else f"{value / 1000:.0f} k"
            for value in (effect.without, effect.with_remedy)
        )
        words(ax, colours, (middle, 1.34), f"{before} → {after}", bold=True, points=19)
        words(ax, colours, (middle, 0.95), measured, ink=colours.soft)
