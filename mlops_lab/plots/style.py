"""The house style: colours, shapes, the axes that every picture is drawn on, names where lines end."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "DASHES", "GREY", "HATCHES", "MARKERS", "MARKS", "PALETTE", "axes", "name_ends", "png"]

PALETTE: Mapping[str, str] = MappingProxyType(
    {
        "blue": "#0072B2",
        "orange": "#E69F00",
        "black": "#000000",
        "bluish_green": "#009E73",
        "sky_blue": "#56B4E9",
        "vermillion": "#D55E00",
        "yellow": "#F0E442",
        "reddish_purple": "#CC79A7",
    }
)
"""Okabe and Ito (2008), *Color universal design*; ordered so that neighbours differ in lightness."""

COLOURS = tuple(PALETTE.values())
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":")
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "oo", "--")
GREY = "#595959"
# What a point looks like when it is in order, needs attention, or could not be decided: shape, fill, colour.
MARKS: Mapping[bool | None, tuple[str, str, str]] = {
    True: ("o", PALETTE["blue"], PALETTE["blue"]),
    False: ("X", PALETTE["vermillion"], PALETTE["vermillion"]),
    None: ("D", "none", GREY),
}


def axes(
    ax: Axes | None = None,
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    size: tuple[float, float] = (7, 4),
) -> Axes:
    """Give axes in the house style: the ones passed in, or those of a new figure.

    Parameters
    ----------
    ax
        Axes to draw on; ``None`` makes a figure that the notebook shows at the end of the cell.
    title, xlabel, ylabel
        What they say; name the unit in the axis labels. An empty text leaves what is there.
    size
        Width and height of a new figure in inches.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes(Figure().subplots(), xlabel="week", ylabel="accuracy (share)").get_xlabel()
    'week'
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(figsize=size, layout="constrained")[1]
    if title:
        ax.set_title(title, loc="left", fontsize=11)
    if xlabel:
        ax.set_xlabel(xlabel)
    if ylabel:
        ax.set_ylabel(ylabel)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.grid(visible=True, color="#D9D9D9", linewidth=0.6)
    ax.set_axisbelow(True)
    return ax


def name_ends(ax: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write names to the right of the axes, each where its line ends, apart where two would touch.

    The limits of the axes must be settled: names do not move when more is drawn afterwards.

    Parameters
    ----------
    ax
        Axes whose lines are drawn.
    ends
        For each line: where it ends (x and y, as the axis counts), its name, and its colour.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = axes(Figure().subplots(), xlabel="week", ylabel="accuracy (share)")
    >>> name_ends(ax, [(1.0, 0.5, "belt", PALETTE["blue"]), (1.0, 0.5, "handheld", PALETTE["orange"])])
    >>> [text.get_text() for text in ax.texts]
    ['belt', 'handheld']
    """
    if not ends:
        return
    ax.get_xlim(), ax.get_ylim()  # settles the limits, on which the transformation rests
    to_axes = (ax.transData + ax.transAxes.inverted()).transform
    figure = ax.get_figure(root=True)
    height_pt = ax.get_window_extent().height * 72 / (figure.dpi if figure else 72)
    gap = 13 / (height_pt * 0.85)
    wanted = sorted((float(to_axes((x, y))[1]), (x, y), name, colour) for x, y, name, colour in ends)
    heights: list[float] = []
    for height, *_ in wanted:
        heights.append(max(height, heights[-1] + gap) if heights else height)
    too_high = max(0.0, heights[-1] - 1.0)
    heights = [height - too_high for height in heights]
    for number in range(len(heights) - 2, -1, -1):
        heights[number] = min(heights[number], heights[number + 1] - gap)
    for height, (_, end, name, colour) in zip(heights, wanted, strict=True):
        ax.annotate(
            name,
            end,
            (1.03, height),
            textcoords="axes fraction",
            annotation_clip=False,
            fontsize=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 3},
        )


def png(ax: Axes, *, dpi: int = 100) -> bytes:
    """Give the picture that the axes belong to as the bytes of a PNG, the same bytes at every call.

    Nothing of the day or the program's release is written into it. Other releases of matplotlib or of its
    fonts may still draw other pixels.

    Parameters
    ----------
    ax
        Any axes of the figure.
    dpi
        Pixels for each inch of the figure's size.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = axes(Figure().subplots(), xlabel="week")
    >>> png(ax) == png(ax)
    True
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("these axes were removed from their figure; draw them again")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()
