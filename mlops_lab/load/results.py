"""What a simulation leaves behind: every request, every change of the fleet, the bill, and the comparison."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.load.arguments import not_negative
from mlops_lab.load.formulas import monthly_cost_usd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SimulationResult", "Summary", "compare"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """A run in eight numbers: what it costs, and what people wait for that.

    Attributes
    ----------
    machines
        Mean number of machines paid for.
    bill_usd
        Dollars a month, if every day were like those simulated.
    mean_wait_s, p95_wait_s, p99_wait_s
        Seconds before service begins: mean, and what 95 % and 99 % of requests do not exceed. NaN without
        requests.
    late
        Share of requests that wait longer than the limit asked for.
    cold
        Share of requests that waited for a machine to start and were the first on it.
    requests
        How many requests were counted.

    Examples
    --------
    >>> Summary(40.0, 25_920.0, 0.1, 0.4, 0.9, 0.0, 0.0, 1000).bill_usd
    25920.0

    Taught in notebooks/11_varying_load.ipynb.
    """

    machines: float
    bill_usd: float
    mean_wait_s: float
    p95_wait_s: float
    p99_wait_s: float
    late: float
    cold: float
    requests: float


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """One simulated stretch of time.

    Attributes
    ----------
    arrive_s, start_s, service_s
        One value for each request, in order of arrival: when it came, when its service began, how long that
        took.
    cold
        Whether the request waited for a machine to start, and was the first on it.
    fleet
        One row for each decision: ``t_s``, ``machines`` (taking requests after it), ``starting``, ``busy``
        (those that leave after their last request included), ``queue``.
    from_s, until_s
        The stretch of time that is paid for.
    paid_machine_s
        Machine-seconds paid within it, from a machine's order until it has gone. For serverless: seconds of
        service, and of cold starts where they are billed.
    assumes
        What bill and waits rest on, where that is more than a fleet's rules; `plot` and `compare` say it.

    Examples
    --------
    >>> from mlops_lab.load import Fixed, simulate
    >>> run = simulate([0.0, 1.0], 4.0, Fixed(1))
    >>> run.requests["wait_s"].tolist()
    [0.0, 3.0]

    Taught in notebooks/11_varying_load.ipynb.
    """

    arrive_s: Floats
    start_s: Floats
    service_s: Floats
    cold: npt.NDArray[np.bool_]
    fleet_columns: Mapping[str, Floats]
    from_s: float
    until_s: float
    paid_machine_s: float
    assumes: str = ""

    @property
    def wait_s(self) -> Floats:
        """Seconds that each request waited."""
        return self.start_s - self.arrive_s

    @cached_property
    def requests(self) -> pd.DataFrame:
        """One row for each request: ``arrive_s``, ``start_s``, ``wait_s``, ``cold``."""
        return pd.DataFrame(
            {"arrive_s": self.arrive_s, "start_s": self.start_s, "wait_s": self.wait_s, "cold": self.cold}
        )

    @cached_property
    def fleet(self) -> pd.DataFrame:
        """One row for each decision: ``t_s``, and the counts ``machines``, ``starting``, ``busy``, ``queue``.

        ``machines`` take requests after the decision; ``busy`` also counts those that are about to leave.
        """
        counts = {name: values.astype(int) for name, values in self.fleet_columns.items() if name != "t_s"}
        return pd.DataFrame({"t_s": self.fleet_columns["t_s"], **counts})

    def summary(self, *, late_s: float = 1.0, price_usd_per_hour: float = 0.90) -> Summary:
        """Give the run in eight numbers.

        Parameters
        ----------
        late_s
            A request that waits longer than this is late.
        price_usd_per_hour
            Dollars for one machine for one hour.

        Returns
        -------
            Bill and waits; the waits are NaN where no request came, the bill where no time passed.
        """
        not_negative(late_s=late_s)
        waits = self.wait_s
        span = self.until_s - self.from_s
        machines = self.paid_machine_s / span if span > 0 else math.nan
        mean = p95 = p99 = late = cold = math.nan
        if waits.size:
            p95, p99 = (float(value) for value in np.quantile(waits, [0.95, 0.99]))
            mean, late, cold = float(waits.mean()), float((waits > late_s).mean()), float(self.cold.mean())
        bill = machines * monthly_cost_usd(1, price_usd_per_hour=price_usd_per_hour)
        return Summary(machines, bill, mean, p95, p99, late, cold, waits.size)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the machines and how many of them are busy, over the hours.

        Parameters
        ----------
        ax
            Where to draw; a new one is made when there is none.
        """
        from mlops_lab import plots

        axes = plots.axes(ax, title="Machines over time", xlabel="hour", ylabel="machines")
        hours = self.fleet["t_s"] / 3600
        busy = self.fleet["busy"] + self.fleet["queue"]  # the row stands before those in line have started
        busy = busy.clip(upper=self.fleet["machines"])
        axes.step(
            hours,
            self.fleet["machines"],
            where="post",
            color=plots.PALETTE["blue"],
            linewidth=2,
            label="taking requests",
        )
        axes.step(
            hours,
            busy,
            where="post",
            color=plots.PALETTE["vermillion"],
            linewidth=1,
            linestyle="--",
            label="busy",
        )
        axes.set_ylim(bottom=0)
        axes.margins(x=0.02)
        if self.assumes:
            axes.set_xlabel("\n".join(["hour", *textwrap.wrap(f"Assumed: {self.assumes}.", 80)]))
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
        return axes


class _Summarised(Protocol):
    """Anything with a summary: a `SimulationResult`, or the answer of `fluid`."""

    def summary(self, *, late_s: float = ..., price_usd_per_hour: float = ...) -> Summary:
        """Give the eight numbers."""
        ...


def compare(
    runs: Mapping[str, _Summarised], *, late_s: float = 1.0, price_usd_per_hour: float = 0.90
) -> pd.DataFrame:
    """Put runs side by side: one row each, the cheapest first.

    It answers: what does each bill buy in waiting? It cannot say which is right for you: that depends on what
    a second of waiting costs. It misleads when the runs met different traffic.

    Parameters
    ----------
    runs
        Name and run (from `simulate` or `fluid`).
    late_s
        A request that waits longer than this is late.
    price_usd_per_hour
        Dollars for one machine for one hour.

    Returns
    -------
        Columns ``machines``, ``bill_usd``, ``mean_wait_s``, ``p95_wait_s``, ``p99_wait_s``, ``late``,
        ``cold``, ``requests``; the names are the index. ``attrs["assumes"]`` tells for each run that assumes
        more than a fleet does, such as serverless, what that is.

    Raises
    ------
    ValueError
        Nothing to compare.

    Examples
    --------
    >>> from mlops_lab.load import Fixed, simulate
    >>> calls = [0.0, 0.0, 60.0]
    >>> table = compare({"two": simulate(calls, 1.0, Fixed(2)), "one": simulate(calls, 1.0, Fixed(1))})
    >>> table["bill_usd"].round().tolist(), table["p99_wait_s"].round(2).tolist()
    ([648.0, 1296.0], [0.98, 0.0])

    Taught in notebooks/11_varying_load.ipynb.
    """
    if not isinstance(runs, Mapping) or not runs:
        raise ValueError('nothing to compare: give a mapping such as {"fixed": run, "held": other_run}')
    for name, run in runs.items():
        if not callable(getattr(run, "summary", None)):
            raise ValueError(f"{name!r} is {run!r}: give a run, as simulate and fluid return it")
    rows = {
        name: asdict(run.summary(late_s=late_s, price_usd_per_hour=price_usd_per_hour))
        for name, run in runs.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("bill_usd", kind="stable")
    table.index.name = "policy"
    told = {name: getattr(run, "assumes", "") for name, run in runs.items()}
    table.attrs["assumes"] = {name: text for name, text in told.items() if text}
    return table
