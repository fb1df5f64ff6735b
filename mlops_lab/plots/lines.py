"""How does a value move over weeks or steps? Lines that are named where they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab.plots.style import COLOURS, DASHES, GREY, MARKERS, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["line", "name_ends"]


def line(
    data: pd.DataFrame | pd.Series[Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    limit: float | None = None,
    limit_label: str = "limit",
    events: Mapping[Any, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw values over an order (weeks, steps), one line for each column, each named at its end.

    It misleads where the index has no order, and where columns of different units share the axis.

    Parameters
    ----------
    data
        The index is drawn along x, each column (or the series) is a line. Gaps are drawn as gaps.
    xlabel, ylabel
        What the axes show, with the unit.
    title
        What the picture says.
    limit, limit_label
        A level to compare with, drawn as a thin line and named.
    events
        Place along x -> what happened there, drawn as vertical lines with the words above.
    ax
        Axes to draw on; ``None`` makes a figure.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> weeks = pd.DataFrame({"belt": [0.9, 0.8], "handheld": [0.7, 0.7]}, index=[1, 2])
    >>> ax = line(weeks, xlabel="week", ylabel="accuracy (share)", ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['handheld', 'belt']
    """
    frame = (
        data.to_frame(data.name if data.name is not None else ylabel) if isinstance(data, pd.Series) else data
    )
    if frame.notna().to_numpy().sum() == 0:
        raise ValueError(f"nothing to draw: the {frame.shape[0]} x {frame.shape[1]} table holds no value")
    ax = axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    ax.margins(x=0.02)
    ends: list[tuple[float, float, str, str]] = []
    for number, name in enumerate(frame.columns):
        column = frame.iloc[:, number]
        colour = COLOURS[number % len(COLOURS)]
        ax.plot(
            frame.index,
            column,
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            linestyle=DASHES[number % len(DASHES)],
            markersize=5,
            markevery=max(1, len(frame) // 20),
            linewidth=1.8,
        )
        last = column.last_valid_index()
        if last is not None and frame.shape[1] > 1:
            ends.append((_along(ax, last), float(column.dropna().iloc[-1]), str(name), colour))
    if limit is not None:
        ax.axhline(limit, color=GREY, linewidth=1.2, linestyle=(0, (6, 3)))
        right = float(ax.get_xlim()[1])
        ends.append((right, float(limit), f"{limit_label} {limit:.4g}", GREY))
    name_ends(ax, ends)
    _events(ax, events or {})
    return ax


def name_ends(ax: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write each name to the right of the axes at the height of its line, apart where two would touch.

    The limits of the axes must be settled: names do not move when more is drawn afterwards.
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


def _events(ax: Axes, events: Mapping[Any, str]) -> None:
    low, high = ax.get_xlim()
    before = -np.inf
    for place in sorted(events, key=lambda one: _along(ax, one)):
        at = _along(ax, place)
        left = at - before > 0.05 * (high - low) and at - low > 0.05 * (high - low)
        ax.axvline(at, color="black", linewidth=1.0, linestyle=":")
        ax.annotate(
            events[place],
            (at, 0.99),
            (-2 if left else 2, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            rotation=90,
            ha="right" if left else "left",
            va="top",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.85},
        )
        before = at


def _along(ax: Axes, place: Any) -> float:
    """Give a place along x, a date too, as the number that the axis uses for it."""
    convert: Callable[[Any], Any] = ax.convert_xunits
    return float(convert(place))
