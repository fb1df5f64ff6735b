"""Lesson 11's sliders: window, headroom and cold start against bill and waiting, in a live notebook."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from mlops_lab.lesson.outputs import strict
from mlops_lab.load import Fluid, Hold, fluid

__all__ = ["load_panel"]


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
        day = fluid(
            rate,
            Hold(window.value, capacity=capacity, target=1 - spare.value / 100),
            capacity=capacity,
            cold_start_s=float(cold.value),
        )
        found = day.summary()
        text.value = (
            f"<b>${found.bill_usd:,.0f}</b> a month · 95 % wait at most <b>{found.p95_wait_s:.1f} s</b> · "
            f"{found.late:.1%} wait over a second"
        )
        image.value = _drawn(day, capacity)

    for slider in (window, spare, cold):
        slider.observe(redraw, names="value")
    redraw()
    return widgets.VBox([window, spare, cold, text, image])


def _drawn(day: Fluid, capacity: float) -> bytes:
    """Draw machines and the machines that the traffic needs, as a PNG."""
    import io

    from matplotlib.figure import Figure

    from mlops_lab import plots

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = plots.axes(
        figure.subplots(), title="Machines, and what the traffic needs", xlabel="hour", ylabel="machines"
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
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=90)
    return stream.getvalue()
