"""Lesson 11's score board: every policy by its bill and by what people wait, the student's own among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_lab import load, plots
from mlops_lab.exercises.policy_judges import BILL_USD, COLD_START_S, P95_S, not_own, own_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["policy_board"]

_LEAST_S = 0.01  # waits below are drawn as nothing: the axis is linear there


def policy_board(
    runs: Mapping[str, load.Run],
    yours: Any = None,
    *,
    most_usd: float = BILL_USD,
    most_wait_s: float = P95_S,
    cold_start_s: float = COLD_START_S,
) -> Axes:
    """Draw bill against waiting for each run, and for a policy of your own on the same requests.

    The shaded corner holds who keeps both limits. It answers: what does each policy buy for its money? It
    misleads where the mean or the very latest matter more than the wait that 95 % do not exceed.

    Parameters
    ----------
    runs
        Name and run of each policy; all of the same requests.
    yours
        A policy of your own. What is none, or stops the simulation, is not drawn: `check` says why.
    most_usd, most_wait_s
        The limits: dollars a month, and seconds that 95 % of the requests may wait; the exercise's.
    cold_start_s
        Seconds that a machine takes to start, for your policy.

    Raises
    ------
    ValueError
        No runs.

    Examples
    --------
    >>> from mlops_lab.load import Fixed, simulate
    >>> class One:
    ...     def wanted(self, seen):
    ...         return 1
    >>> two = {"two machines": simulate([0.0, 1.0, 60.0], 4.0, Fixed(2))}
    >>> board = policy_board(two, One())
    >>> [text.get_text() for text in board.texts]
    ['two machines', 'yours', 'both limits kept']

    Taught in notebooks/11_varying_load.ipynb.
    """
    if not runs:
        raise ValueError('nothing to draw: give a mapping such as {"fixed 40": run}')
    drawn = {name: (run, "o", plots.PALETTE["blue"], 60) for name, run in runs.items()}
    first = next(iter(runs.values()))
    own = "" if not_own(yours) else own_run(yours, first.arrive_s, first.service_s, cold_start_s=cold_start_s)
    if isinstance(own, load.Run):
        drawn["yours"] = (own, "*", plots.PALETTE["vermillion"], 260)
    ax = plots.axes(
        title="What each policy costs, and what people wait",
        xlabel="dollars a month",
        ylabel="wait that 95 % do not exceed (s)",
        size=(7.5, 4.5),
    )
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=_LEAST_S, linscale=0.4)
    for name, (run, marker, colour, size) in drawn.items():
        found = run.summary()
        ax.scatter(found.bill_usd, found.p95_wait_s, s=size, marker=marker, color=colour, zorder=3)
        aside = 10 if run is not own else -10  # so that the names of near ones do not meet
        ax.annotate(
            name,
            (found.bill_usd, found.p95_wait_s),
            xytext=(aside, 4),
            textcoords="offset points",
            horizontalalignment="left" if aside > 0 else "right",
            fontsize=9,
        )
    _mark_the_limits(ax, most_usd, most_wait_s)
    return ax


def _mark_the_limits(ax: Axes, most_usd: float, most_wait_s: float) -> None:
    """Shade the corner in which both limits are kept, and set ticks that can be read as money and seconds."""
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ax.add_patch(
        Rectangle(
            (0, 0), most_usd, most_wait_s, facecolor=plots.PALETTE["bluish_green"], alpha=0.15, zorder=0
        )
    )
    ax.annotate(
        "both limits kept",
        (most_usd, most_wait_s),
        xytext=(-5, -13),
        textcoords="offset points",
        horizontalalignment="right",
        fontsize=9,
    )
    ax.xaxis.set_major_locator(FixedLocator([3_000, 5_000, 10_000, 20_000, 40_000]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda usd, _: f"${usd:,.0f}"))
    ax.yaxis.set_major_locator(FixedLocator([0, 0.01, 0.1, 1, 10, 60, 600, 3_600]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:,g}"))
    ax.margins(x=0.15, y=0.1)
    ax.autoscale()
