"""One fleet at work: the queue is served between two changes, a change is made, the policy is asked.

At one and the same moment the order is: machines that have started join, then the policy decides, then
requests end, come and start. Machines leave in the order in which they are free: idle ones at once, busy ones
after their request.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from mlops_lab.load.compiled import CompiledQueue
from mlops_lab.load.machines import PlainQueue
from mlops_lab.load.runs import Run
from mlops_lab.load.scaling_policies import Policy, Seen

__all__ = ["MOST_MACHINES", "MOST_TICKS", "Operator", "answer"]

Floats = npt.NDArray[np.float64]
MOST_MACHINES = 1_000_000
MOST_TICKS = 5_000_000  # decisions: a month of one each half second
_PATIENCE = 100_000  # decisions without any machine, after the last arrival, before we call the policy stuck
_SEEN = ("calls_per_s", "utilisation", "in_flight", "fleet", "fleet_starting")
_ROW = ("t_s", "machines", "starting", "busy", "queue")


class _Rows:
    """Columns of floats that grow by one row at a time."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names, self._values, self.length = names, np.empty((len(names), 256)), 0

    def add(self, *row: float) -> None:
        if self.length == self._values.shape[1]:
            self._values = np.concatenate([self._values, np.empty_like(self._values)], axis=1)
        self._values[:, self.length] = row
        self.length += 1

    def columns(self) -> dict[str, Floats]:
        """Give read-only views, by name."""
        rows = self._values[:, : self.length]
        rows.flags.writeable = False
        return dict(zip(self._names, rows, strict=True))


class Operator:
    """Runs one fleet: lets the queue be served between two changes, makes the change, asks the policy.

    `simulate` and `stream` are what users call; they check what they hand over.

    Taught in notebooks/11_varying_load.ipynb.
    """

    def __init__(self, policy: Policy, tick_s: float, cold_start_s: float, engine: str) -> None:
        self._policy, self._tick_s, self._cold_start_s = policy, tick_s, cold_start_s
        self._queue = PlainQueue() if engine == "plain" else CompiledQueue()
        self._starting: deque[tuple[float, int]] = deque()  # (joins at, how many), the earliest first
        self._leaving: list[tuple[float, float]] = []  # (told at, free at) of machines on their last request
        self._paid: list[tuple[float, float]] = []  # (moment, machines more or fewer that are paid)
        self._past, self._fleet = _Rows(_SEEN), _Rows(_ROW)
        self._ticks = 0  # decisions made
        self._early_calls = 0  # that came after the last decision, and were started with their own block
        self._carried = (np.empty(0), np.empty(0))
        self._from_s = 0.0
        self._work_s = self._machine_s = self._ready_since = 0.0  # all work begun; all machine time offered
        self._work_seen = self._machine_seen = 0.0  # the same, at the last decision

    @property
    def decided_s(self) -> float:
        """The moment of the last decision; 0 before the first."""
        return max(0, self._ticks - 1) * self._tick_s

    def run(self, arrive: Floats, service: Floats, *, end: float | None) -> Run:
        """Serve these requests; without an `end`, more are to come, and only what is certain is done."""
        if self._carried[0].size:
            arrive, service = (
                np.concatenate(pair) for pair in zip(self._carried, (arrive, service), strict=True)
            )
        certain = math.inf if end is not None else (float(arrive[-1]) if arrive.size else -math.inf)
        queue, joined, idle_ticks = self._queue, [], 0
        self._fleet = _Rows(_ROW)
        queue.load(arrive, service)
        counted, calls_before = 0, int(arrive.searchsorted(self.decided_s))
        while True:
            tick = self._ticks * self._tick_s
            change = min(tick, self._starting[0][0]) if self._starting else tick
            if change > 0:
                queue.serve(change)
            if change > certain:
                break
            while self._starting and self._starting[0][0] <= change:
                at, machines = self._starting.popleft()
                self._offer(at)
                queue.join(machines, at)
                joined.append((at, machines))
            if change < tick:
                continue
            arrived, started = int(arrive.searchsorted(tick)), queue.started()
            self._work_s += float(service[counted:started].sum())
            counted = started
            calls = arrived - calls_before + self._early_calls
            calls_before, self._early_calls = arrived, 0
            self._decide(tick, calls=calls, waiting=arrived - started)
            if joined and joined[-1][0] == tick:  # some of them may have been sent away again
                joined[-1] = (tick, min(joined[-1][1], queue.ready()))
            if end is not None and tick >= end and started == arrive.size:
                break
            if arrived == arrive.size and started < arrived and not queue.ready() and not self._starting:
                idle_ticks += 1
                if idle_ticks > _PATIENCE:
                    raise ValueError(
                        f"{type(self._policy).__name__} keeps no machine while "
                        f"{arrived - started} requests wait: answer at least 1 when seen.queue is above 0"
                    )
            else:
                idle_ticks = 0
            if self._ticks > MOST_TICKS:
                raise ValueError(
                    f"after {MOST_TICKS:,} decisions, at {tick:.3g} s, {arrived - started} requests still "
                    f"wait; the longest service takes {service.max():.3g} s: are the times in seconds?"
                )
        started = queue.started()
        self._work_s += float(service[counted:started].sum())
        self._early_calls += started - int(arrive[:started].searchsorted(self.decided_s))
        self._carried = (arrive[started:].copy(), service[started:].copy())
        starts = queue.starts()
        starts.flags.writeable = False
        until = self.decided_s if end is None else end
        return Run(
            arrive_s=arrive[:started],
            start_s=starts,
            service_s=service[:started],
            cold=_cold(arrive[:started], starts, joined),
            fleet_columns={name: kept.copy() for name, kept in self._fleet.columns().items()},
            from_s=self._from_s,
            until_s=until,
            paid_machine_s=self._pay(until),
        )

    def _decide(self, tick: float, *, calls: int, waiting: int) -> None:
        """Let the policy see the present and the past, and make the fleet what it wants."""
        queue = self._queue
        self._offer(tick)
        self._leaving = [pair for pair in self._leaving if pair[1] > tick]
        busy = queue.busy(tick) + len(self._leaving)
        ready, starting = queue.ready(), sum(machines for _, machines in self._starting)
        if self._ticks:
            over = math.fsum(free - tick for _, free in self._leaving)  # offered in advance by _remove
            left = queue.left_to_do_s(tick) + over
            work, machine = self._work_s - left, self._machine_s - over
            offered = machine - self._machine_seen
            worth = offered > 1e-9 * self._tick_s  # a machine that joined a rounding error ago tells nothing
            use = round((work - self._work_seen) / offered, 9) if worth else 0.0
            self._work_seen, self._machine_seen = work, machine
            self._past.add(calls / self._tick_s, min(max(use, 0.0), 1.0), busy + waiting, ready, starting)
        seen = Seen(
            t_s=tick,
            tick_s=self._tick_s,
            machines=ready,
            starting=starting,
            busy=busy,
            queue=waiting,
            **self._past.columns(),
        )
        missing = answer(self._policy, seen) - ready - starting
        if missing > 0:
            self._order(missing, tick)
        elif missing < 0:
            self._remove(-missing, tick)
        self._fleet.add(tick, queue.ready(), sum(machines for _, machines in self._starting), busy, waiting)
        self._ticks += 1

    def _order(self, machines: int, tick: float) -> None:
        """Order machines; those of the first decision, and all without a cold start, are there at once."""
        self._paid.append((tick, machines))
        if self._ticks and self._cold_start_s > 0:
            self._starting.append((tick + self._cold_start_s, machines))
        else:
            self._queue.join(machines, tick)

    def _remove(self, machines: int, tick: float) -> None:
        """Cancel what is starting, the newest first; then let machines go, those free soonest first."""
        while machines and self._starting:
            at, newest = self._starting.pop()
            cancelled = min(machines, newest)
            if newest > cancelled:
                self._starting.append((at, newest - cancelled))
            self._paid.append((tick, -cancelled))
            machines -= cancelled
        for free in self._queue.leave(machines):
            self._paid.append((max(tick, free), -1))
            if free > tick:
                self._leaving.append((tick, free))
                self._machine_s += free - tick

    def _offer(self, moment: float) -> None:
        """Count the time that the ready machines offered since the last change."""
        self._machine_s += self._queue.ready() * (moment - self._ready_since)
        self._ready_since = moment

    def _pay(self, until: float) -> float:
        """Give the machine-seconds paid since the last bill, and forget what is settled."""
        moments, machines = np.array(self._paid).reshape(-1, 2).T
        paid = float((machines * (until - np.clip(moments, self._from_s, until))).sum())
        later = moments > until
        self._paid = [(until, float(machines[~later].sum()))] + [
            pair for pair, keep in zip(self._paid, later, strict=True) if keep
        ]
        self._from_s = until
        return paid


def answer(policy: Policy, seen: Seen) -> int:
    """Ask the policy, and refuse an answer that is no fleet.

    Taught in notebooks/11_varying_load.ipynb.
    """
    wanted = policy.wanted(seen)
    try:
        whole = int(wanted)
        fits = bool(whole == wanted) and 0 <= whole <= MOST_MACHINES
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ValueError(
            f"{type(policy).__name__}.wanted must answer a whole number from 0 to {MOST_MACHINES:,}; "
            f"at {seen.t_s!r} s it answered {wanted!r}: round it up with math.ceil"
        )
    return whole


def _cold(arrive: Floats, starts: Floats, joined: list[tuple[float, int]]) -> npt.NDArray[np.bool_]:
    """Mark the requests that were in line when machines joined, and were the first on them."""
    cold = np.zeros(starts.size, dtype=bool)
    for at, machines in joined:
        first = int(starts.searchsorted(at))
        taken = slice(first, first + machines)
        cold[taken] |= (starts[taken] == at) & (arrive[taken] < at)
    return cold
