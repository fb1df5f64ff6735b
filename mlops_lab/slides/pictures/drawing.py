"""What pictures are drawn with: a theme's colours, a canvas and its shapes, charts for slides.

A picture is 12 inches wide and is shown about 1,200 pixels wide, so one point of text is about 1.4 pixels. No
text is smaller than `SMALLEST_PT`: that is what the last row can read. A chart of a lesson (`chart`) has few
inches, so that its letters are large, and gets a theme's colours (`dressed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_hex, to_rgba

from mlops_lab.plots import GREY, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "HEIGHT_IN",
    "SMALLEST_PT",
    "WIDTH_IN",
    "Theme",
    "arrow",
    "box",
    "canvas",
    "chart",
    "dressed",
    "footnote",
    "theme_of",
    "words",
]

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


Place = tuple[float, float]


def box(
    ax: Axes,
    theme: Theme,
    place: Place,
    size: Place,
    text: str = "",
    *,
    fill: str | None = None,
    edge: str | None = None,
    ink: str | None = None,
    points: float = SMALLEST_PT,
    bold: bool = False,
    dashed: bool = False,
) -> None:
    """Draw a box with rounded corners and words in its middle."""
    from matplotlib.patches import FancyBboxPatch

    (left, low), (width, height) = place, size
    shape = FancyBboxPatch(
        (left, low),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=fill or theme.panel,
        edgecolor=edge or theme.line,
        linewidth=1.6,
        linestyle=(0, (4, 3)) if dashed else "-",
    )
    ax.add_patch(shape)
    if text:
        middle = (left + width / 2, low + height / 2)
        words(ax, theme, middle, text, ink=ink, points=points, bold=bold)


def words(
    ax: Axes,
    theme: Theme,
    place: Place,
    text: str,
    *,
    ink: str | None = None,
    points: float = SMALLEST_PT,
    bold: bool = False,
    align: str = "center",
) -> None:
    r"""Write words, line by line, with the middle of their block at a place.

    Lines stand on baselines that do not depend on which letters they hold, so neighbours line up.
    """
    lines = text.split("\n")
    x, y = place
    pitch, capital = points * 1.22 / 72, points * 0.72 / 72
    first = y + (len(lines) - 1) * pitch / 2 - capital / 2
    for number, line in enumerate(lines):
        ax.text(
            x,
            first - number * pitch,
            line,
            color=ink or theme.ink,
            fontsize=points,
            fontweight="bold" if bold else "normal",
            ha=align,
            va="baseline",
        )


def arrow(
    ax: Axes,
    theme: Theme,
    start: Place,
    end: Place,
    *,
    colour: str | None = None,
    bend: float = 0.0,
    width_pt: float = 2.4,
) -> None:
    """Draw an arrow from one place to another."""
    from matplotlib.patches import FancyArrowPatch

    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=22,
            connectionstyle=f"arc3,rad={bend}",
            color=colour or theme.line,
            linewidth=width_pt,
            shrinkA=0,
            shrinkB=0,
        )
    )


def footnote(ax: Axes, theme: Theme, text: str) -> None:
    """Write a remark at the lower edge of a drawing: whose idea it is, or what its sizes do not mean."""
    words(ax, theme, (11.88, 0.2), text, ink=theme.soft, align="right")


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
