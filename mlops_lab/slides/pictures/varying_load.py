"""L10, three ways to pay for one day's load: bills, waiting, who carries what, as lesson 11 computes it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import load, plots
from mlops_lab.slides.pictures.drawing import (
    HEIGHT_IN,
    SMALLEST_PT,
    WIDTH_IN,
    Theme,
    box,
    canvas,
    chart,
    dressed,
    theme_of,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["load_bills", "who_carries_what", "who_is_late"]

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


_SERVICE_S = 1 / 4


@functools.lru_cache(maxsize=2)
def _runs(seed: int) -> dict[str, load.SimulationResult]:
    calls = load.arrivals(load.daily_curve(), seed=seed)
    fleets: dict[str, tuple[load.Policy, float]] = {
        "fixed, 40\nmachines": (load.Fixed(40), 60),
        "window of\n300 minutes": (load.Hold(300), 60),
        "window of\n5 minutes": (load.Hold(5), 60),
        "5 minutes,\ninstant start": (load.Hold(5), 0),
        "5 minutes,\nheadroom": (load.Hold(5, target=0.8), 60),
        "serverless\n": (load.PerRequest(), 2),
    }
    return {
        name: load.simulate(calls, _SERVICE_S, fleet, cold_start_s=start)
        for name, (fleet, start) in fleets.items()
    }


def who_is_late(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the share of requests that wait longer than a second, by way, the bill below. About 10 s."""
    figure, ax = chart(theme)
    late = {}
    for name, run in _runs(seed).items():
        summary = run.summary()
        late[f"{name}\n${summary.bill_usd:,.0f}"] = 100 * summary.late
    plots.bars(pd.Series(late), xlabel="", ylabel="wait over a second (%)", number_format="{:.0f} %", ax=ax)
    ax.set_xticks(range(len(late)), list(late))
    return dressed(figure, theme)


def who_carries_what(theme: str = "light") -> Figure:
    """Draw who answers for what: with machines of one's own, with autoscaling, and without servers (L10)."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=3.8)
    duties = ("the model and its answers", "how many machines, when", "the machines themselves")
    plans = {"fixed fleet": (1, 1, 1), "autoscaled": (1, 0.5, 1), "serverless": (1, 0, 0)}
    for column, name in enumerate(plans):
        words(ax, colours, (5.3 + column * 2.63, 3.55), name, points=20, bold=True)
    for row, duty in enumerate(duties):
        low = 2.2 - row * 1.06
        words(ax, colours, (0.15, low + 0.46), duty, points=19, align="left")
        for column, plan in enumerate(plans.values()):
            whose = {1: "you", 0.5: "your rule", 0: "the provider"}[plan[row]]
            fill, ink = (colours.blue, colours.on_strong) if plan[row] else (colours.panel, colours.ink)
            box(ax, colours, (4.05 + column * 2.63, low), (2.5, 0.92), whose, points=19, fill=fill, ink=ink)
    return figure
