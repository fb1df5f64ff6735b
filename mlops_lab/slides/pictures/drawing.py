"""What a picture of the lecture looks like on a light and on a dark slide, and how it becomes an SVG.

A picture is 12 inches wide and is shown about 1,200 pixels wide, so one point of text is about 1.4 pixels. No
text is smaller than `SMALLEST_PT`: that is what the last row can read.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlops_lab.plots import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["HEIGHT_IN", "SMALLEST_PT", "THEMES", "WIDTH_IN", "Theme", "canvas", "svg", "theme_of"]

WIDTH_IN, HEIGHT_IN = 12.0, 5.2
"""Inches of a full picture: it fills a slide of 1280 x 720 below the title."""

SMALLEST_PT = 17.0
"""Points of the smallest text."""


@dataclass(frozen=True)
class Theme:
    """The colours of a picture.

    Attributes
    ----------
    name
        ``light`` or ``dark``.
    paper, ink, soft
        What lies behind the picture, its text, and its less important text.
    panel, line
        Fill and edge of a plain box.
    blue, orange, green, red, purple
        Strong colours, from the palette of Okabe and Ito, for lines and for boxes.
    on_strong
        Text on a box that is filled with ``blue``.
    """

    name: str
    paper: str
    ink: str
    soft: str
    panel: str
    line: str
    blue: str
    orange: str
    green: str
    red: str
    purple: str
    on_strong: str


THEMES: Mapping[str, Theme] = MappingProxyType(
    {
        "light": Theme(
            name="light",
            paper="#FFFFFF",
            ink="#16191F",
            soft="#4A4F58",
            panel="#EEF1F5",
            line="#6B7480",
            blue=PALETTE["blue"],
            orange=PALETTE["orange"],
            green=PALETTE["bluish_green"],
            red=PALETTE["vermillion"],
            purple=PALETTE["reddish_purple"],
            on_strong="#FFFFFF",
        ),
        "dark": Theme(
            name="dark",
            paper="#14171C",
            ink="#F4F5F7",
            soft="#C3C8D0",
            panel="#262C35",
            line="#9AA3AF",
            blue=PALETTE["sky_blue"],
            orange=PALETTE["orange"],
            green="#2BBF93",
            red="#FF8A4C",
            purple="#E3A3C5",
            on_strong="#14171C",
        ),
    }
)


def theme_of(name: str) -> Theme:
    """Give the theme of that name."""
    if name not in THEMES:
        raise ValueError(f"theme={name!r} is none of {', '.join(THEMES)}")
    return THEMES[name]


def canvas(*, height_in: float = HEIGHT_IN) -> tuple[Figure, Axes]:
    """Give an empty figure on which one unit is one inch, both ways, from the lower left corner."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH_IN), ylim=(0, height_in), xticks=[], yticks=[])
    ax.set_axis_off()
    return figure, ax


def svg(figure: Figure) -> str:
    """Give a picture as an SVG: the same bytes in every process, without a date, on a clear background.

    Letters are stored as outlines, so that no machine needs our font and none moves a word. A picture is
    therefore nothing without the words that describe it: give an alternative text wherever you show it.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "mlops_lab", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
