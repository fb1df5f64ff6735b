"""Lesson 07's false alarms, power and sliders; lesson 11's sliders on autoscaling and its board of policies.

Sliders need a live kernel: a stored notebook holds none, as their ids are chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import load, monitoring, plots
from mlops_lab.exercises.varying_load import BILL_USD, COLD_START_S, P95_S, not_own, own_run
from mlops_lab.lesson.outputs import strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["alarm_rates", "drift_panel", "gap_power", "load_panel", "policy_board", "significance_panels"]

Floats = npt.NDArray[np.float64]

_WEEKS = 200
_SHIFTS = np.linspace(0.0, 1.0, 11)
_LEAST_S = 0.01  # waits below are drawn as nothing: the axis is linear there


# --- lesson 07: what a test of many columns finds -----------------------------------------------------------


def alarm_rates(p: Floats, *, alpha: float = 0.05) -> pd.DataFrame:
    """Give how many quiet weeks have an alarm if only the first 1, 2, ... columns are tested.

    Parameters
    ----------
    p
        The p-values: one row for each week, one column for each column of the table.
    alpha
        A week has an alarm if its smallest p-value, corrected or not, is at most this.

    Returns
    -------
        Shares of weeks, one row for each number of columns: "uncorrected" and "Holm" as counted, and
        "formula", the chance if the columns are independent.

    Raises
    ------
    ValueError
        If `p` is no table with at least one week and one column.

    Examples
    --------
    >>> alarm_rates(np.array([[0.04, 0.9], [0.6, 0.02]])).round(4).values.tolist()
    [[0.5, 0.5, 0.05], [1.0, 0.5, 0.0975]]

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    p = np.asarray(p, dtype=float)
    if p.ndim != 2 or p.size == 0:
        raise ValueError(f"p has the shape {p.shape}: give a table of weeks by columns, such as (400, 20)")
    tested = range(1, p.shape[1] + 1)

    def alarms(correction: str, columns: int) -> float:
        return float(
            np.mean([monitoring.correct(week, correction).min() <= alpha for week in p[:, :columns]])
        )

    rates = {
        name: [alarms(correction, columns) for columns in tested]
        for name, correction in (("uncorrected", "none"), ("Holm", "holm"))
    }
    rates["formula"] = [1 - (1 - alpha) ** columns for columns in tested]
    return pd.DataFrame(rates, index=pd.Index(tested, name="columns"))


def significance_panels(grown: pd.DataFrame) -> Axes:
    """Draw the largest gap and its p-value in two panels, both against the number of rows.

    They share no axis, since the one settles and the other falls by many powers of ten.

    Parameters
    ----------
    grown
        The index is the number of rows, the two columns are the gap and the p-value.

    Returns
    -------
        The left axes; both belong to one figure.

    Raises
    ------
    ValueError
        If there are not exactly two columns.

    Examples
    --------
    >>> grown = pd.DataFrame({"largest gap": [0.05, 0.01], "p-value": [0.5, 1e-8]}, index=[500, 500_000])
    >>> [panel.get_ylabel() for panel in significance_panels(grown).figure.axes]
    ['largest gap', 'p-value']

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    if grown.shape[1] != 2:
        raise ValueError(f"{grown.shape[1]} columns: give two, the gap and the p-value")
    from matplotlib import pyplot

    _, panels = pyplot.subplots(1, 2, figsize=(8.5, 3.5), layout="constrained")
    for panel, name in zip(panels, grown.columns, strict=True):
        plots.axes(panel, xlabel="rows on each side", ylabel=str(name))
        panel.plot(grown.index, grown[name], color=plots.PALETTE["blue"], marker="o")
        panel.set_xscale("log")
    panels[0].set_ylim(bottom=0)
    panels[1].set_yscale("log")
    left: Axes = panels[0]
    return left


def gap_power(
    shifts: Floats, *, rows: int, columns: int, correction: str = "holm", weeks: int = _WEEKS, seed: int = 0
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
        shifts = np.append(_SHIFTS, shift.value)
        power, quiet = gap_power(
            shifts, rows=size.value, columns=width.value, correction=kind.value, seed=seed
        )
        gap = math.erf(shift.value / 2 / math.sqrt(2))
        text.value = (
            f"This shift is found in <b>{power[-1]:.0%}</b> of the weeks · a quiet week gives a false alarm "
            f"with a chance of <b>{quiet:.0%}</b> · the shift's own gap is {gap:.2f}"
        )
        image.value = _power_png(power, shift.value, quiet)

    for each in (shift, size, width, kind):
        each.observe(redraw, names="value")
    redraw()
    return widgets.VBox([shift, size, width, kind, text, image])


def _power_png(power: Floats, shift: float, quiet: float) -> bytes:
    """Draw how often each shift is found, the chosen one, and the false alarms, as a PNG."""
    from matplotlib.figure import Figure

    axes = plots.axes(
        Figure(figsize=(7, 3), layout="constrained").subplots(),
        title="Share of weeks in which the moved column is found",
        xlabel="shift (standard deviations)",
        ylabel="share of weeks",
    )
    axes.plot(_SHIFTS, power[:-1], color=plots.PALETTE["blue"], marker="o", label="found")
    axes.plot(shift, power[-1], "D", color="black", markersize=9, label="your shift")
    axes.axhline(
        quiet, color=plots.PALETTE["vermillion"], linestyle="--", label="false alarm in a quiet week"
    )
    axes.set_ylim(-0.03, 1.03)
    axes.legend(frameon=False, loc="center right")
    return plots.png(axes, dpi=90)


# --- lesson 11: what autoscaling costs, and what people wait ------------------------------------------------


def load_panel(rate: npt.ArrayLike, *, capacity: float = 4.0) -> Any:
    """Give sliders that redraw one day of autoscaling; in strict mode nothing, for widgets have chance ids.

    It answers: which slider moves the bill, and which one the waiting? Being a fluid, it does not see the
    short waits that chance makes: confirm with `simulate`. It needs a live kernel; a stored notebook holds no
    sliders.

    Parameters
    ----------
    rate
        Expected calls per second in equal slices of one day.
    capacity
        Calls per second that one machine can serve.

    Returns
    -------
        An ipywidgets box, to be shown as the last line of a cell; None in strict mode.

    Examples
    --------
    >>> from unittest import mock
    >>> from mlops_lab.load import daily_curve
    >>> with mock.patch.dict("os.environ", MLOPS_LAB_STRICT=""):
    ...     [child.description for child in load_panel(daily_curve()).children[:3]]
    ['window (min)', 'headroom (%)', 'cold start (s)']

    Taught in notebooks/11_varying_load.ipynb.
    """
    if strict():
        return None
    import ipywidgets as widgets

    style = {"description_width": "110px"}
    window = widgets.IntSlider(5, 0, 360, 5, description="window (min)", style=style, continuous_update=False)
    spare = widgets.IntSlider(0, 0, 60, 5, description="headroom (%)", style=style, continuous_update=False)
    cold = widgets.IntSlider(
        60, 0, 300, 15, description="cold start (s)", style=style, continuous_update=False
    )
    text = widgets.HTML()
    image = widgets.Image(format="png", width=640)

    def redraw(_: object = None) -> None:
        day = load.fluid(
            rate,
            load.Hold(window.value, capacity=capacity, target=1 - spare.value / 100),
            capacity=capacity,
            cold_start_s=float(cold.value),
        )
        found = day.summary()
        text.value = (
            f"<b>${found.bill_usd:,.0f}</b> a month · 95 % wait at most <b>{found.p95_wait_s:.1f} s</b> · "
            f"{found.late:.1%} wait over a second"
        )
        image.value = _fleet_png(day, capacity)

    for slider in (window, spare, cold):
        slider.observe(redraw, names="value")
    redraw()
    return widgets.VBox([window, spare, cold, text, image])


def _fleet_png(day: load.Fluid, capacity: float) -> bytes:
    """Draw machines and the machines that the traffic needs, as a PNG."""
    from matplotlib.figure import Figure

    axes = plots.axes(
        Figure(figsize=(7, 3), layout="constrained").subplots(),
        title="Machines, and what the traffic needs",
        xlabel="hour",
        ylabel="machines",
    )
    hours = day.fleet["t_s"] / 3600
    axes.step(hours, day.fleet["machines"], where="post", color=plots.PALETTE["blue"], label="there")
    axes.plot(
        hours,
        day.fleet["calls_per_s"] / capacity,
        color=plots.PALETTE["vermillion"],
        linestyle="--",
        label="needed",
    )
    axes.set_xticks(range(0, 25, 4))
    axes.legend(frameon=False)
    return plots.png(axes, dpi=90)


def policy_board(
    runs: Mapping[str, load.SimulationResult],
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
    if isinstance(own, load.SimulationResult):
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
