"""What the curve alone tells, without one random request: the three bills, and a fluid for sliders.

Traffic is treated as a liquid: it fills the machines, and what does not fit piles up. That is fast, and right
about long queues; it is blind to the short waits that chance makes when machines are nearly all busy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.load.arguments import not_negative, per_second, policy_given, positive
from mlops_lab.load.formulas import monthly_cost_usd
from mlops_lab.load.results import Summary
from mlops_lab.load.scaling_policies import PerRequest, Policy, Seen
from mlops_lab.load.simulation import MOST_MACHINES, answer, settings
from mlops_lab.load.traffic import DAY_S

__all__ = ["Fluid", "bills", "fluid"]

Floats = npt.NDArray[np.float64]
_SLACK = 1e-9


def bills(
    rate: npt.ArrayLike,
    *,
    capacity: float = 4.0,
    window_min: float = 300.0,
    price_usd_per_hour: float = 0.90,
) -> pd.DataFrame:
    """Derive the lecture's three bills from a curve: the peak, the rolling maximum, the mean.

    Fixed: enough machines for the busiest minute, all month. Autoscaled: enough for the busiest minute of the
    last `window_min` minutes. Serverless: only the work that is done. The lecture counts whole machines, so
    each is rounded up.

    It cannot say what anybody waits: `simulate` does. It misleads as a price list: real serverless seconds
    cost more than seconds of a machine, and the peak served by machines that are all busy means waiting.

    Parameters
    ----------
    rate
        Expected calls per second in equal slices of one day.
    capacity
        Calls per second that one machine can serve.
    window_min
        Minutes for which autoscaling holds on to a maximum.
    price_usd_per_hour
        Dollars for one machine for one hour.

    Returns
    -------
        Rows "fixed", "autoscaled", "serverless"; columns ``mean_machines``, ``machines`` (rounded up),
        ``bill_usd``.

    Raises
    ------
    ValueError
        A rate, capacity or window that makes no sense.

    Examples
    --------
    >>> from mlops_lab.load import daily_curve
    >>> bills(daily_curve())["bill_usd"].round(2).tolist()
    [25920.0, 12312.0, 3888.0]

    Taught in notebooks/11_varying_load.ipynb.
    """
    per_s = _curve(rate, capacity)
    slice_min = DAY_S / 60 / per_s.size
    not_negative(window_min=window_min)
    if window_min >= 1_440:
        raise ValueError(f"window_min must be less than a day (1440); got {window_min!r}")
    need = np.ceil(per_s / capacity - _SLACK)
    before = int(window_min // slice_min)
    day = np.concatenate([need[need.size - before :], need])  # the day before was the same
    held = np.lib.stride_tricks.sliding_window_view(day, before + 1).max(axis=1)
    rows = {
        "fixed": float(need.max()),
        "autoscaled": float(held.mean()),
        "serverless": float(per_s.mean() / capacity),
    }
    table = pd.DataFrame({"mean_machines": rows})
    table["machines"] = np.ceil(table["mean_machines"] - _SLACK).astype(int)
    table["bill_usd"] = [
        monthly_cost_usd(int(n), price_usd_per_hour=price_usd_per_hour) for n in table["machines"]
    ]
    return table


@dataclass(frozen=True, eq=False)
class Fluid:
    """One day of traffic as a liquid, the day after a first one that only warmed up.

    Attributes
    ----------
    fleet
        One row for each tick: ``t_s``, ``machines`` (mean over the tick), ``calls_per_s``, ``queue`` (at its
        end), and ``wait_s`` (of those who come in it).
    paid_machine_s
        Machine-seconds paid in the day.

    Examples
    --------
    >>> from mlops_lab.load import Fixed
    >>> round(fluid([21.0], Fixed(6)).summary().mean_wait_s, 3)
    0.0

    Taught in notebooks/11_varying_load.ipynb.
    """

    fleet: pd.DataFrame
    paid_machine_s: float

    def summary(self, *, late_s: float = 1.0, price_usd_per_hour: float = 0.90) -> Summary:
        """Give the day in eight numbers; ``cold`` is NaN, for a liquid has no first drop.

        Parameters
        ----------
        late_s
            Traffic that waits longer than this is late.
        price_usd_per_hour
            Dollars for one machine for one hour.
        """
        not_negative(late_s=late_s)
        calls, waits = self.fleet["calls_per_s"].to_numpy(), self.fleet["wait_s"].to_numpy()
        machines = self.paid_machine_s / DAY_S
        bill = monthly_cost_usd(machines, price_usd_per_hour=price_usd_per_hour)
        total = float(calls.sum())
        mean = p95 = p99 = late = math.nan
        if total > 0:
            order = np.argsort(waits, kind="stable")
            share = np.cumsum(calls[order]) / total
            p95, p99 = (
                float(waits[order][min(int(np.searchsorted(share, at)), waits.size - 1)])
                for at in (0.95, 0.99)
            )
            mean = float((calls * waits)[calls > 0].sum() / total)
            late = float(calls[waits > late_s].sum() / total)
        per_tick = DAY_S / max(1, len(self.fleet))
        return Summary(machines, bill, mean, p95, p99, late, math.nan, total * per_tick)


def fluid(
    rate: npt.ArrayLike,
    policy: Policy,
    *,
    capacity: float = 4.0,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
) -> Fluid:
    """Follow the expected traffic through a policy's fleet for one day: milliseconds, for sliders.

    It answers: what is the bill, and where do queues of minutes and hours build up? It cannot see chance:
    requests that come in clumps and wait although the machines suffice on average. It misleads near 100 %
    busy, where chance makes most of the waiting: use `simulate`.

    Parameters
    ----------
    rate
        Expected calls per second in equal slices of one day; the day before is taken to be the same.
    policy
        As for `simulate`. For `PerRequest` nobody waits and the work alone is paid.
    capacity
        Calls per second that one machine can serve.
    tick_s
        Seconds between decisions; a day must hold a whole number of them.
    cold_start_s
        Seconds from ordering a machine until it takes requests.

    Raises
    ------
    ValueError
        A rate or setting that makes no sense, or a policy that answers no whole number >= 0.

    Examples
    --------
    >>> from mlops_lab.load import Hold, daily_curve
    >>> day = fluid(daily_curve(), Hold(window_min=300))
    >>> round(day.summary().machines, 2)
    18.11

    Taught in notebooks/11_varying_load.ipynb.
    """
    per_s = _curve(rate, capacity)
    policy_given(policy)
    settings(tick_s, cold_start_s)
    ticks = round(DAY_S / tick_s)
    if ticks < 1 or abs(ticks * tick_s - DAY_S) > 1e-6:
        raise ValueError(f"a day of 86400 s must be a whole number of ticks; got tick_s={tick_s!r}")
    edges = np.arange(per_s.size + 1) * (DAY_S / per_s.size)
    so_far = np.concatenate([[0.0], np.cumsum(per_s) * (DAY_S / per_s.size)])
    calls = np.tile(np.diff(np.interp(np.arange(ticks + 1) * tick_s, edges, so_far)), 2)
    if isinstance(policy, PerRequest):
        return _on_demand(calls[ticks:] / tick_s, capacity, tick_s)
    flow = _Flow(policy, tick_s, cold_start_s, capacity, 2 * ticks)
    rows = [flow.step(tick, float(come)) for tick, come in enumerate(calls)]
    table = pd.DataFrame(rows[ticks:], columns=["t_s", "machines", "calls_per_s", "queue", "wait_s", "paid"])
    table["t_s"] -= DAY_S
    return Fluid(table.drop(columns="paid"), float(table["paid"].sum()) * tick_s)


def _curve(rate: npt.ArrayLike, capacity: float) -> Floats:
    """Refuse a curve or a capacity that makes no sense; give the curve as an array."""
    per_s = per_second(rate)
    positive(capacity=capacity)
    if per_s.max() / capacity > MOST_MACHINES:
        raise ValueError(
            f"{per_s.max():.3g} calls/s at a capacity of {capacity:.3g} need more than {MOST_MACHINES:,} "
            "machines: are both in calls per second?"
        )
    return per_s


def _on_demand(calls_per_s: Floats, capacity: float, tick_s: float) -> Fluid:
    """Give the day of serverless: as many machines as there is work, and nobody waits."""
    table = pd.DataFrame(
        {
            "t_s": np.arange(calls_per_s.size) * tick_s,
            "machines": calls_per_s / capacity,
            "calls_per_s": calls_per_s,
            "queue": 0.0,
            "wait_s": 0.0,
        }
    )
    return Fluid(table, float(calls_per_s.sum()) * tick_s / capacity)


class _Flow:
    """The state of one liquid queue, moved on tick by tick."""

    def __init__(
        self, policy: Policy, tick_s: float, cold_start_s: float, capacity: float, ticks: int
    ) -> None:
        self._policy, self._tick_s, self._cold_start_s = policy, tick_s, cold_start_s
        self._capacity = capacity
        names = ("calls_per_s", "utilisation", "in_flight", "fleet", "fleet_starting")
        self._past = {name: np.zeros(ticks) for name in names}
        self._ready, self._queue, self._busy, self._wait_s = 0, 0.0, 0.0, 0.0
        self._starting: list[tuple[float, int]] = []  # (ready at, how many), the earliest first

    def step(self, tick: int, come: float) -> tuple[float, ...]:
        """Let the policy decide, and one tick's traffic flow."""
        now = tick * self._tick_s
        self._decide(tick, now)
        end = now + self._tick_s
        paid = self._ready + sum(machines for _, machines in self._starting)
        late = math.fsum(machines * max(0.0, end - at) for at, machines in self._starting)
        offered_s = self._ready * self._tick_s + late
        served = min(self._queue + come, offered_s * self._capacity)
        before, self._queue = self._queue, self._queue + come - served
        if served > 0:  # Little's law within the tick
            self._wait_s = (before + self._queue) / 2 * self._tick_s / served
        else:
            self._wait_s = self._wait_s + self._tick_s if self._queue > 0 else 0.0
        self._ready += sum(machines for at, machines in self._starting if at <= end)
        self._starting = [(at, machines) for at, machines in self._starting if at > end]
        self._busy = served / self._capacity / self._tick_s
        self._past["calls_per_s"][tick] = come / self._tick_s
        self._past["utilisation"][tick] = served / (offered_s * self._capacity) if offered_s else 0.0
        self._past["in_flight"][tick] = self._queue + self._busy
        self._past["fleet"][tick] = self._ready
        self._past["fleet_starting"][tick] = sum(machines for _, machines in self._starting)
        return now, offered_s / self._tick_s, come / self._tick_s, self._queue, self._wait_s, paid

    def _decide(self, tick: int, now: float) -> None:
        """Make the fleet what the policy wants; what is starting is cancelled first, the newest first."""
        starting = sum(machines for _, machines in self._starting)
        views = {name: values[:tick] for name, values in self._past.items()}
        for view in views.values():
            view.flags.writeable = False
        seen = Seen(
            t_s=now,
            tick_s=self._tick_s,
            machines=self._ready,
            starting=starting,
            busy=round(self._busy),
            queue=round(self._queue),
            **views,
        )
        missing = answer(self._policy, seen) - self._ready - starting
        if missing > 0 and tick and self._cold_start_s > 0:
            self._starting.append((now + self._cold_start_s, missing))
            return
        while missing < 0 and self._starting:
            at, newest = self._starting.pop()
            cancelled = min(-missing, newest)
            missing += cancelled
            if newest > cancelled:
                self._starting.append((at, newest - cancelled))
        self._ready += missing
