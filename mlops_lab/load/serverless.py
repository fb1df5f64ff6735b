"""Serverless: no queue and no ticks. Each request finds a warm instance, or starts one."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt

from mlops_lab.load.runs import Run
from mlops_lab.load.scaling_policies import PerRequest

__all__ = ["per_request"]

Floats = npt.NDArray[np.float64]


def per_request(
    arrive_s: Floats,
    service_s: Floats,
    policy: PerRequest,
    *,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
    until_s: float = 0.0,
) -> Run:
    """Serve each request on the warm instance that was used last, or on a new one after a cold start.

    `simulate` calls it for `PerRequest`, after having checked the times.

    Taught in notebooks/11_varying_load.ipynb.
    """
    busy: list[float] = []  # when the instances at work will be done, the earliest on top
    idle: list[float] = []  # since when the idle ones have been idle, the latest last
    starts: list[float] = []
    new: list[bool] = []  # whether the request had an instance started
    cooled: list[float] = []  # when instances that have cooled down did their last work
    for arrive, service in zip(arrive_s.tolist(), service_s.tolist(), strict=True):
        while busy and busy[0] <= arrive:
            idle.append(heappop(busy))
        warm = bool(idle) and arrive - idle[-1] <= policy.keep_alive_s
        if warm:
            idle.pop()
        else:  # the last used has cooled down, so all have
            cooled += idle
            idle.clear()
        start = arrive if warm else arrive + cold_start_s
        starts.append(start)
        new.append(not warm)
        heappush(busy, start + service)
    start_s, is_new = np.array(starts, dtype=float), np.array(new, dtype=bool)
    start_s.flags.writeable = False
    served = np.clip(start_s + service_s, 0.0, until_s) - np.clip(start_s, 0.0, until_s)
    gone_s = np.sort(np.array(cooled + idle + busy, dtype=float)) + policy.keep_alive_s
    ticks = np.arange(int(until_s // tick_s) + 1) * tick_s
    begun = np.searchsorted(np.sort(start_s), ticks, side="right")
    done = np.searchsorted(np.sort(start_s + service_s), ticks, side="right")
    arrived = np.searchsorted(arrive_s, ticks, side="right")
    ordered = np.searchsorted(arrive_s[is_new], ticks, side="right")
    alive = ordered - np.searchsorted(gone_s, ticks, side="right")
    fleet = {
        "t_s": ticks,
        "machines": alive - (arrived - begun),
        "starting": arrived - begun,
        "busy": begun - done,
        "queue": arrived - begun,
    }
    return Run(
        arrive_s=arrive_s,
        start_s=start_s,
        service_s=service_s,
        cold=is_new & (cold_start_s > 0),
        fleet_columns=fleet,
        from_s=0.0,
        until_s=until_s,
        paid_machine_s=float(served.sum()),
    )
