"""L4 to L7, drawn: what MLOps joins, the boxes of an ML system, where time goes, studies and production."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mlops_lab.slides.pictures.drawing import Theme, arrow, box, canvas, footnote, theme_of, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["fundamentals", "ml_system", "mlops_loop", "studies_and_production", "where_time_goes"]


def mlops_loop(theme: str = "light") -> Figure:
    """Draw what MLOps joins: development and operation, both ways, for as long as the system lives."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=3.6)
    box(ax, colours, (0.5, 0.75), (3.6, 2.1), fill=colours.panel)
    words(ax, colours, (2.3, 2.25), "develop", points=24, bold=True)
    words(ax, colours, (2.3, 1.4), "data, features,\ntraining, tests", points=19)
    box(ax, colours, (7.9, 0.75), (3.6, 2.1), fill=colours.panel)
    words(ax, colours, (9.7, 2.25), "operate", points=24, bold=True)
    words(ax, colours, (9.7, 1.4), "serving, monitoring,\nload, access", points=19)
    arrow(ax, colours, (4.2, 2.35), (7.8, 2.35), colour=colours.blue, width_pt=4)
    words(ax, colours, (6.0, 2.7), "a version that can be rebuilt", points=18)
    arrow(ax, colours, (7.8, 1.25), (4.2, 1.25), colour=colours.orange, width_pt=4)
    words(ax, colours, (6.0, 0.9), "what was seen at work", points=18)
    return figure


_LINE = (
    ("collect\ndata", 1.62),
    ("verify\ndata", 1.62),
    ("extract\nfeatures", 1.72),
    ("model\ncode", 1.06),
    ("analyse\nresults", 1.62),
    ("serve\nanswers", 1.62),
    ("monitor", 1.62),
)

_GROUND = ("configuration", "managing processes", "managing machines")


def ml_system(theme: str = "light") -> Figure:
    """Draw what stands around the model code: a line from data to monitoring, and the ground it stands on.

    The paper's picture lets areas speak. Nobody measured them, so here only the order and the neighbours mean
    something, and the picture says so.
    """
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.7)
    middle, left, gap = 2.65, 0.12, 0.146
    ends = []
    for name, width in _LINE:
        own = name.startswith("model")
        height = 0.86 if own else 1.5
        place = (left, middle - height / 2)
        if own:
            box(ax, colours, place, (width, height), name, fill=colours.blue, edge=colours.blue,
                ink=colours.on_strong, bold=True)  # fmt: skip
        else:
            box(ax, colours, place, (width, height), name, points=18)
        ends.append((left, left + width))
        left += width + gap
    for (_, end), (start, _) in itertools.pairwise(ends):
        ax.plot([end, start], [middle, middle], color=colours.line, linewidth=2.4, zorder=0)
    first, last = sum(ends[0]) / 2, sum(ends[-1]) / 2
    ax.plot([last, last, first], [3.46, 4.1, 4.1], color=colours.line, linewidth=2.4)
    arrow(ax, colours, (first, 4.1), (first, 3.44))
    words(ax, colours, (6, 4.38), "what is seen at work changes the data", points=18, ink=colours.soft)
    for number, name in enumerate(_GROUND):
        box(ax, colours, (0.12 + number * 3.94, 0.66), (3.88, 0.9), name, points=18)
    footnote(ax, colours, "after Sculley et al. 2015; no size is measured")
    return figure


DATA_DILEMMA = {"analysis": 20, "finding, cleaning, organising data": 80}
"""Percent of working time (L6: InfoWorld 2017). Not the maintenance split of L13."""

TIME_TO_DEPLOY = {"within a week": 11, "in between": 25, "a month or longer": 64}
"""Percent of organisations, by how long they take to deploy a model (L6); the middle is what is left."""


def where_time_goes(theme: str = "light") -> Figure:
    """Draw the lecture's two figures about time (L6) as bars to scale: time on data, and time to deploy."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    words(ax, colours, (0.12, 3.85), "Where the working hours go", points=20, bold=True, align="left")
    _shares(ax, colours, DATA_DILEMMA, 2.75)
    words(ax, colours, (0.12, 1.75), "How long organisations take to deploy a model", points=20, bold=True,
          align="left")  # fmt: skip
    _shares(ax, colours, TIME_TO_DEPLOY, 0.62)
    return figure


def _shares(ax: Axes, colours: Theme, shares: dict[str, int], low: float) -> None:
    fills = {2: (colours.blue, colours.orange), 3: (colours.blue, colours.panel, colours.orange)}[len(shares)]
    inks = {colours.blue: colours.on_strong, colours.orange: "#16191F", colours.panel: colours.ink}
    left, whole = 0.12, 11.76
    for (name, percent), fill in zip(shares.items(), fills, strict=True):
        width = whole * percent / 100
        box(
            ax,
            colours,
            (left, low),
            (width, 0.8),
            f"{percent} %",
            fill=fill,
            ink=inks[fill],
            points=21,
            bold=True,
        )
        align, at = ("left", left) if left < 6 else ("right", left + width)
        middle = len(shares) == 3 and name == "in between"
        words(
            ax,
            colours,
            (left + width / 2 if middle else at, low - 0.3),
            name,
            align="center" if middle else align,
        )
        left += width


def fundamentals(theme: str = "light") -> Figure:
    """Draw the order of care (L6): data at the bottom, then preprocessing, metric, algorithm on top."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.0)
    layers = (
        ("data", "are the labels right?"),
        ("preprocessing", "does every step see only what it may?"),
        ("metric", "does it count what matters?"),
        ("algorithm", "only now"),
    )
    for number, (name, asks) in enumerate(layers):
        inset, low = number * 0.62, 0.05 + number * 0.98
        top = number == len(layers) - 1
        box(ax, colours, (0.2 + inset, low), (5.6 - 2 * inset, 0.9), name, points=21, bold=True,
            fill=colours.blue if top else None, ink=colours.on_strong if top else None)  # fmt: skip
        words(
            ax, colours, (6.2, low + 0.45), asks, points=20, align="left", ink=colours.soft if top else None
        )
    return figure


def studies_and_production(theme: str = "light") -> Figure:
    """Draw the five rows of L7: what a study wants, and what production wants."""
    colours = theme_of(theme)
    figure, ax = canvas()
    rows = (
        ("goal", "one score", "many people's goals"),
        ("compute", "high throughput", "fast single answers"),
        ("data", "stand still", "never stop moving"),
        ("fairness", "nice to have", "needed"),
        ("reasons", "nice to have", "needed"),
    )
    words(ax, colours, (4.45, 4.92), "in a study", points=20, bold=True)
    words(ax, colours, (9.5, 4.92), "in production", points=20, bold=True)
    for number, (about, study, production) in enumerate(rows):
        low = 3.72 - number * 0.9
        words(ax, colours, (0.15, low + 0.38), about, points=20, align="left", ink=colours.soft)
        box(ax, colours, (2.3, low), (4.3, 0.76), study, points=20)
        arrow(ax, colours, (6.66, low + 0.38), (7.3, low + 0.38))
        box(ax, colours, (7.36, low), (4.5, 0.76), production, points=20, edge=colours.orange)
    return figure
