"""Lesson 07's sliders: shift, rows and columns against what a monitor finds and what it invents."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_lab.lesson.outputs import strict

__all__ = ["drift_panel", "gap_power"]

Floats = NDArray[np.float64]

WEEKS = 200
SHIFTS = np.linspace(0.0, 1.0, 11)


def gap_power(
    shifts: Floats, *, rows: int, columns: int, correction: str = "holm", weeks: int = WEEKS, seed: int = 0
) -> tuple[Floats, float]:
    """Give how often the largest gap finds a bell curve that moved, one of `columns` that are all tested.

    It answers: how large must a shift be, or a table, to be found? Holm's rule holds the smallest p-value
    against alpha divided by the number of columns; that is all a single moved column can use. It cannot tell
    about other shapes than bell curves, and columns that hang together raise fewer false alarms than it says.

    Parameters
    ----------
    shifts
        How far the column moves, in standard deviations.
    rows
        Rows before, and as many now.
    columns
        How many columns are tested at 5 %.
    correction
        "holm" or "none".
    weeks
        How many pairs of tables are drawn for each shift, always the same ones.
    seed
        For drawing.

    Returns
    -------
        Share of weeks in which each shift is found, and the chance of a false alarm in a quiet week.

    Raises
    ------
    ValueError
        If there are under 2 rows, no column, no week, or the correction is unknown.

    Examples
    --------
    >>> power, false_alarm = gap_power(np.array([0.0, 0.5]), rows=300, columns=20, weeks=50)
    >>> bool(power[0] < 0.1 < 0.9 < power[1]), round(false_alarm, 3)
    (True, 0.049)
    """
    from scipy import stats

    if rows < 2 or columns < 1 or weeks < 1:
        raise ValueError(
            f"rows={rows!r}, columns={columns!r}, weeks={weeks!r}: at least 2, 1 and 1 are needed"
        )
    if correction not in ("holm", "none"):
        raise ValueError(f"correction={correction!r}: choose 'holm' or 'none'")
    level = 0.05 / columns if correction == "holm" else 0.05
    rng = np.random.default_rng(seed)
    before, now = rng.normal(size=(2, weeks, rows))
    before.sort(axis=1)
    limit = float(stats.kstwo.isf(level, max(1, rows // 2)))
    found = [float((_gaps(before, now + shift) >= limit).mean()) for shift in shifts]
    return np.array(found), 1 - (1 - level) ** columns


def _gaps(before: Floats, now: Floats) -> Floats:
    """Give the largest gap for each pair of rows, `before` sorted."""
    rows = before.shape[1]
    order = np.argsort(np.concatenate([before, now], axis=1), axis=1)
    steps = np.where(order < rows, 1.0, -1.0) / rows
    largest: Floats = np.abs(np.cumsum(steps, axis=1)).max(axis=1)
    return largest


def drift_panel(*, rows: int = 300, columns: int = 20, seed: int = 0) -> Any:
    """Give sliders that show what a test of many columns finds; in strict mode nothing, as ids are chance.

    It answers: which shift is found, with how many rows, among how many columns, with and without a
    correction? It draws bell curves only. It needs a live kernel; a stored notebook holds no sliders.

    Parameters
    ----------
    rows, columns
        Where the sliders stand at first.
    seed
        For drawing; the same weeks at every setting, so that a move of a slider shows its own effect.

    Returns
    -------
        An ipywidgets box, to be shown as the last line of a cell; None in strict mode.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", MLOPS_LAB_STRICT=""):
    ...     [child.description for child in drift_panel().children[:4]]
    ['shift (sd)', 'rows a week', 'columns', 'correction']

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    if strict():
        return None
    import ipywidgets as widgets

    style = {"description_width": "110px"}
    whole = {"style": style, "continuous_update": False}
    shift = widgets.FloatSlider(0.2, min=0, max=1, step=0.05, description="shift (sd)", **whole)
    size = widgets.IntSlider(rows, 50, 1000, 50, description="rows a week", **whole)
    width = widgets.IntSlider(columns, 1, 50, 1, description="columns", **whole)
    kind = widgets.Dropdown(options=["holm", "none"], description="correction", style=style)
    text = widgets.HTML()
    image = widgets.Image(format="png", width=640)

    def redraw(_: object = None) -> None:
        shifts = np.append(SHIFTS, shift.value)
        power, quiet = gap_power(
            shifts, rows=size.value, columns=width.value, correction=kind.value, seed=seed
        )
        gap = math.erf(shift.value / 2 / math.sqrt(2))
        text.value = (
            f"This shift is found in <b>{power[-1]:.0%}</b> of the weeks · a quiet week gives a false alarm "
            f"with a chance of <b>{quiet:.0%}</b> · the shift's own gap is {gap:.2f}"
        )
        image.value = _drawn(power, shift.value, quiet)

    for each in (shift, size, width, kind):
        each.observe(redraw, names="value")
    redraw()
    return widgets.VBox([shift, size, width, kind, text, image])


def _drawn(power: Floats, shift: float, quiet: float) -> bytes:
    """Draw how often each shift is found, the chosen one, and the false alarms, as a PNG."""
    from matplotlib.figure import Figure

    from mlops_lab import plots

    axes = plots.axes(
        Figure(figsize=(7, 3), layout="constrained").subplots(),
        title="Share of weeks in which the moved column is found",
        xlabel="shift (standard deviations)",
        ylabel="share of weeks",
    )
    axes.plot(SHIFTS, power[:-1], color=plots.PALETTE["blue"], marker="o", label="found")
    axes.plot(shift, power[-1], "D", color="black", markersize=9, label="your shift")
    axes.axhline(
        quiet, color=plots.PALETTE["vermillion"], linestyle="--", label="false alarm in a quiet week"
    )
    axes.set_ylim(-0.03, 1.03)
    axes.legend(frameon=False, loc="center right")
    return plots.png(axes, dpi=90)
