"""What the bills of L10 buy in waiting: every request of lesson 11's day, simulated."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pandas as pd

from mlops_lab import load, plots
from mlops_lab.slides.pictures.charts import chart, dressed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["who_is_late"]

_SERVICE_S = 1 / 4


@functools.lru_cache(maxsize=2)
def _runs(seed: int) -> dict[str, load.Run]:
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
