"""Three ways to pay for one day's load, and the lecture's three bills (L10), computed as lesson 11 does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mlops_lab import load
from mlops_lab.slides.pictures.themes import HEIGHT_IN, SMALLEST_PT, WIDTH_IN, Theme, theme_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["load_bills", "paid_machines"]

CAPACITY, WINDOW_MIN = 4.0, 300


def paid_machines() -> dict[str, npt.NDArray[np.float64]]:
    """Give the machines that are paid in each minute of lesson 11's day, for each of the three ways."""
    curve = load.daily_curve()
    needed = np.ceil(curve / CAPACITY - 1e-9)
    held = np.max([np.roll(needed, back) for back in range(WINDOW_MIN + 1)], axis=0)
    return {
        "fixed": np.full(curve.size, needed.max()),
        "autoscaled": held,
        "serverless": curve / CAPACITY,
    }


def load_bills(theme: str = "light") -> Figure:
    """Draw the same day's load three times, with the machines that each way pays for, and its bill."""
    from matplotlib.figure import Figure

    colours = theme_of(theme)
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=100)
    bills = load.bills(load.daily_curve(), capacity=CAPACITY, window_min=WINDOW_MIN)
    for number, (name, paid) in enumerate(paid_machines().items()):
        machines, usd = int(bills["machines"][name]), float(bills["bill_usd"][name])
        ax = figure.add_axes((0.075 + number * 0.315, 0.165, 0.28, 0.62))
        _one(ax, colours, paid)
        line = f"{name}: {machines} machines"
        ax.set_title(line, fontsize=18, color=colours.ink, pad=40)
        price = f"${usd:,.0f} a month"
        ax.text(0.5, 1.045, price, fontsize=21, fontweight="bold", color=colours.ink, ha="center",
                transform=ax.transAxes)  # fmt: skip
        if number == 0:
            ax.set_ylabel("machines", fontsize=SMALLEST_PT, color=colours.ink)
            ax.text(5.5, 28, "paid", color=colours.on_strong, fontsize=20, ha="center",
                    bbox={"facecolor": colours.blue, "edgecolor": "none", "pad": 2})  # fmt: skip
        else:
            ax.tick_params(labelleft=False)
        if number == 1:
            ax.set_xlabel("hour of the day", fontsize=SMALLEST_PT, color=colours.ink)
        if number == 2:
            ax.text(14.2, 33, "needed", color=colours.ink, fontsize=20)
    return figure


def _one(ax: Axes, colours: Theme, paid: npt.NDArray[np.float64]) -> None:
    hours = np.arange(paid.size) / 60
    needed = load.daily_curve() / CAPACITY
    ax.fill_between(hours, paid, color=colours.blue, linewidth=0)
    ax.plot(hours, needed, color=colours.ink, linewidth=1.8)
    ax.set(xlim=(0, 24), ylim=(0, 44), xticks=[6, 12, 18], yticks=[0, 10, 20, 30, 40])
    ax.tick_params(labelsize=SMALLEST_PT, colors=colours.ink)
    ax.patch.set_alpha(0)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours.line)
