"""The boxes of an ML system (L5), after Sculley and others (2015), in a drawing of our own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mlops_lab.slides.pictures.shapes import arrow, box, footnote, words
from mlops_lab.slides.pictures.themes import canvas, theme_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ml_system"]

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
