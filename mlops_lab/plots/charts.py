"""The charts of this kit: a line over time, bars, intervals against a limit, and two histograms."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab.plots.style import COLOURS, DASHES, GREY, HATCHES, MARKERS, MARKS, PALETTE, axes, name_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bars", "histograms", "intervals", "line"]


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


def bars(
    data: pd.DataFrame | pd.Series[Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    limit: float | None = None,
    limit_label: str = "limit",
    number_format: str = "{:.3g}",
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar for each row, or a group of hatched bars for each row, with their values written on them.

    Bars begin at zero. Where the differences are small against the values, ``intervals`` shows more.

    Parameters
    ----------
    data
        The index names the places along x; a series gives one bar each, a table one bar for each column.
    xlabel, ylabel
        What the axes show, with the unit of the values.
    title
        What the picture says.
    limit, limit_label
        A level to compare with, drawn as a thin line and named.
    number_format
        How a value is written on its bar; ``""`` writes none. A missing value has no bar and reads "none".
    ax
        Axes to draw on; ``None`` makes a figure.

    Raises
    ------
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> cost = pd.Series({"fixed": 25920, "serverless": 3888})
    >>> names = {"xlabel": "plan", "ylabel": "cost (USD a month)"}
    >>> ax = bars(cost, **names, number_format="{:,.0f}", ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['25,920', '3,888']
    """
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    if frame.notna().to_numpy().sum() == 0:
        raise ValueError(f"nothing to draw: the {frame.shape[0]} x {frame.shape[1]} table holds no value")
    ax = axes(ax, title=title, xlabel=xlabel, ylabel=ylabel)
    ax.grid(visible=False, axis="x")
    places, width = np.arange(len(frame)), 0.8 / frame.shape[1]
    crowded = frame.size > 12
    for number, name in enumerate(frame.columns):
        heights = frame.iloc[:, number].to_numpy(dtype=float, na_value=np.nan)
        offset = (number - (frame.shape[1] - 1) / 2) * width
        drawn = ax.bar(
            places + offset,
            np.nan_to_num(heights),
            width * 0.92,
            label=str(name),
            color=COLOURS[number % len(COLOURS)],
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="white" if number % len(COLOURS) == 2 else "black",
            linewidth=0.6,
        )
        if number_format:
            words = [number_format.format(height) if np.isfinite(height) else "none" for height in heights]
            written = ax.bar_label(drawn, labels=words, fontsize=8, padding=2, rotation=90 if crowded else 0)
            for word in written:
                word.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.85})
    ax.margins(y=0.2 if crowded else 0.12)
    if limit is not None:
        ax.axhline(limit, color=GREY, linewidth=1.2, linestyle=(0, (6, 3)))
        name_ends(ax, [(float(ax.get_xlim()[1]), float(limit), f"{limit_label} {limit:.4g}", GREY)])
    room = max(4, 66 // max(1, len(frame)))
    upright = any(len(word) > room for label in frame.index for word in str(label).split())
    names = [_wrapped(label, 30 if upright else room) for label in frame.index]
    ax.set_xticks(places, names, rotation=90 if upright else 0)
    if frame.shape[1] > 1:
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, frame.shape[1]), frameon=False, fontsize=9
        )
        if title:
            ax.set_title(title, loc="left", fontsize=11, pad=12 + 16 * -(-frame.shape[1] // 4))
    return ax


def intervals(
    data: pd.DataFrame,
    *,
    xlabel: str,
    title: str = "",
    limit: float | None = None,
    limit_label: str = "limit",
    ax: Axes | None = None,
) -> Axes:
    """Draw one row for each estimate: a dot with its interval, held against a limit.

    Where ``ok`` is given, the shape says it too: a filled dot is in order, a cross needs attention, a hollow
    diamond could not be decided. Two intervals that overlap may still differ: test the difference itself.

    Parameters
    ----------
    data
        One row each, named by the index, drawn from the top down. Column ``value`` is needed; ``low`` and
        ``high`` (the interval), ``limit`` (of this row alone) and ``ok`` (True, False, missing) are optional.
    xlabel
        What the values are, with the unit.
    title
        What the picture says.
    limit, limit_label
        A limit for all rows, drawn as a line and named.
    ax
        Axes to draw on; ``None`` makes a figure whose height fits the rows.

    Raises
    ------
    ValueError
        If the column ``value`` is missing, or there is nothing to draw.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> found = pd.DataFrame({"value": [0.8], "low": [0.7], "high": [0.9]}, index=["recall of spoiled"])
    >>> ax = intervals(found, xlabel="recall (share)", limit=0.75, ax=Figure().subplots())
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['recall of spoiled']
    """
    if "value" not in data.columns:
        raise ValueError(f"intervals needs a column 'value'; the table has {[*map(str, data.columns)]}")
    held = {name: _numbers(data, name) for name in ("value", "low", "high", "limit")}
    if not np.isfinite(held["value"]).any():
        raise ValueError(f"nothing to draw: none of the {len(data)} rows has a value")
    if ax is None:
        ax = axes(size=(7, 1.4 + 0.5 * len(data)))
    ax = axes(ax, title=title, xlabel=xlabel)
    ax.grid(visible=False, axis="y")
    states = (
        [None if pd.isna(ok) else bool(ok) for ok in data["ok"]]
        if "ok" in data.columns
        else [True] * len(data)
    )
    for row, state in enumerate(states):
        shape, fill, edge = MARKS[state]
        ax.plot(
            [held["low"][row], held["high"][row]],
            [row, row],
            color=edge,
            linewidth=2.2,
            marker="|",
            markersize=8,
        )
        ax.plot(held["value"][row], row, shape, markerfacecolor=fill, markeredgecolor=edge, markersize=8)
        ax.plot(
            [held["limit"][row]] * 2, [row - 0.32, row + 0.32], color="black", linewidth=1.6, linestyle="--"
        )
        if not np.isfinite(held["value"][row]):
            ax.text(
                0.02, row, "no value", transform=ax.get_yaxis_transform(), va="center", fontsize=9, color=GREY
            )
    ax.set_yticks(range(len(data)), [_wrapped(label, 34) for label in data.index])
    ax.set_ylim(len(data) - 0.5, -0.5)
    if limit is not None:
        ax.axvline(limit, color=GREY, linewidth=1.2, linestyle=(0, (6, 3)))
        place = ax.get_xaxis_transform()
        ax.text(
            limit, 1.01, f"{limit_label} {limit:.4g}", transform=place, ha="center", va="bottom", fontsize=9
        )
        if title:
            ax.set_title(title, loc="left", fontsize=11, pad=20)
    return ax


def histograms(
    reference: Sequence[float] | pd.Series[Any] | np.ndarray[Any, Any],
    current: Sequence[float] | pd.Series[Any] | np.ndarray[Any, Any],
    *,
    xlabel: str,
    names: tuple[str, str] = ("reference", "current"),
    title: str = "",
    bins: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """Draw two distributions of one quantity over each other, in the same bins and as shares of their rows.

    Missing and infinite values have no place on the axis: their number stands in the legend. The bins easily
    mislead the eye; a test of the difference belongs beside this picture.

    Parameters
    ----------
    reference, current
        The values; their numbers may differ.
    xlabel
        What the values are, with the unit.
    names
        What the two are called in the legend.
    title
        What the picture says.
    bins
        The number of bins over the range of both together.
    ax
        Axes to draw on; ``None`` makes a figure.

    Raises
    ------
    ValueError
        If one of the two holds no finite value.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = histograms([1, 2, 2], [2, 3, float("nan")], xlabel="firmness (N)", ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['reference (3 rows)', 'current (2 rows, 1 missing)']
    """
    both = [np.asarray(values, dtype=float).ravel() for values in (reference, current)]
    finite = [values[np.isfinite(values)] for values in both]
    for name, values in zip(names, finite, strict=True):
        if values.size == 0:
            raise ValueError(f"nothing to draw: {name!r} holds no finite value")
    ax = axes(ax, title=title, xlabel=xlabel, ylabel="share of rows (%)")
    edges = np.histogram_bin_edges(np.concatenate(finite), bins=bins)
    for number, (name, every, values) in enumerate(zip(names, both, finite, strict=True)):
        missing = every.size - values.size
        label = f"{name} ({values.size:,} rows{f', {missing:,} missing' if missing else ''})"
        heights = np.histogram(values, edges)[0] * (100 / values.size)
        colour = PALETTE["blue"] if number == 0 else PALETTE["orange"]
        ax.stairs(heights, edges, fill=True, color=colour, alpha=0.25)
        ax.stairs(
            heights, edges, color=colour, linewidth=1.8, linestyle="-" if number == 0 else "--", label=label
        )
        ax.stairs(
            heights,
            edges,
            fill=number == 1,
            facecolor="none",
            edgecolor=colour,
            hatch="///" if number else None,
            linewidth=0,
        )
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=9)
    return ax


def _numbers(data: pd.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if name not in data.columns:
        return np.full(len(data), np.nan)
    return data[name].to_numpy(dtype=float, na_value=np.nan)


def _wrapped(label: object, width: int) -> str:
    return "\n".join(textwrap.wrap(str(label), width, break_long_words=False)) or str(label)


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
