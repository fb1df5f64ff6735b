"""A chart of a lesson, drawn for a slide: few inches, so that its letters are large, in a theme's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_hex, to_rgba

from mlops_lab.plots import PALETTE
from mlops_lab.plots.style import GREY
from mlops_lab.slides.pictures.themes import SMALLEST_PT, WIDTH_IN, Theme, theme_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CHART_SIZE", "chart", "dressed"]

CHART_SIZE = (5.9, 2.3)
"""Inches: a house chart's nine points are then as large on the slide as its running text."""

_SMALLEST = SMALLEST_PT * CHART_SIZE[0] / WIDTH_IN


def chart(theme: str, size: tuple[float, float] = CHART_SIZE) -> tuple[Figure, Axes]:
    """Give an empty figure with axes, which a house chart or a report is then drawn on."""
    theme_of(theme)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=100, layout="constrained")
    return figure, figure.subplots()


def dressed(figure: Figure, theme: str) -> Figure:
    """Take the title away (the slide has one), and give letters, lines and fills the theme's colours."""
    colours = theme_of(theme)
    for ax in figure.axes:
        for where in ("left", "center", "right"):
            ax.set_title("", loc=where)
        ax.patch.set_alpha(0)
        ax.tick_params(which="both", colors=colours.ink)
        if theme == "dark":
            ax.tick_params(grid_color="#3A424D")
        for spine in ax.spines.values():
            spine.set_color(colours.line)
    _letters(figure, colours)
    _shapes(figure, colours)
    return figure


def _letters(figure: Figure, colours: Theme) -> None:
    from matplotlib.text import Annotation, Text

    for text in figure.findobj(Text):
        if to_hex(text.get_color()) in ("#000000", GREY.lower()):
            text.set_color(colours.ink)
        text.set_fontsize(max(text.get_fontsize(), _SMALLEST))
        patch = text.get_bbox_patch()
        if patch is not None and to_hex(patch.get_facecolor()) == "#ffffff":
            patch.set_facecolor(colours.paper)
        if isinstance(text, Annotation) and text.arrow_patch is not None:
            edge = text.arrow_patch.get_edgecolor()
            text.arrow_patch.set_color(edge if colours.name == "light" else _seen(edge, colours))


def _shapes(figure: Figure, colours: Theme) -> None:
    from matplotlib.lines import Line2D

    if colours.name == "light":
        return  # the house palette is made for white paper
    for line in figure.findobj(Line2D):
        drawn, edge, face = line.get_color(), line.get_markeredgecolor(), line.get_markerfacecolor()
        line.set_color(_seen(drawn, colours))
        line.set_markeredgecolor(_seen(edge, colours))
        line.set_markerfacecolor("none" if face == "none" else _seen(face, colours))
    for ax in figure.axes:
        legend = ax.get_legend()
        for patch in [*ax.patches, *(legend.get_patches() if legend else [])]:
            face, edge = patch.get_facecolor(), patch.get_edgecolor()
            dark_bar = patch.get_fill() and to_hex(face) == "#000000"
            if patch.get_fill() and to_rgba(face)[3] > 0:
                patch.set_facecolor(_seen(face, colours))
            patch.set_edgecolor(colours.paper if dark_bar else _seen(edge, colours))


def _seen(colour: Any, colours: Theme) -> Any:
    """Give the theme's colour for one of the house palette."""
    swap = {
        "#000000": colours.ink,
        GREY.lower(): colours.soft,
        PALETTE["blue"].lower(): colours.blue,
        PALETTE["sky_blue"].lower(): "#2F7CA8",
        PALETTE["bluish_green"].lower(): colours.green,
        PALETTE["vermillion"].lower(): colours.red,
        PALETTE["reddish_purple"].lower(): colours.purple,
    }
    red, green, blue, alpha = to_rgba(colour)
    found = swap.get(to_hex((red, green, blue)))
    return to_rgba(found, alpha) if found else colour
