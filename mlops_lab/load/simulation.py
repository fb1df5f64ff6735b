"""The exact simulation: requests, one line, and a policy that changes the fleet at every tick; or serverless.

The queue is served between two changes, a change is made, the policy is asked. At one and the same moment
the order is: machines that have started join, then the policy decides, then requests end, come and start.
Machines leave in the order in which they are free: idle ones at once, busy ones after their request.
Serverless has no queue and no ticks: each request finds a warm instance, or starts one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mlops_lab.load.arguments import not_negative, policy_given, positive, seconds
from mlops_lab.load.queues import CompiledQueue, PlainQueue
from mlops_lab.load.results import SimulationResult
from mlops_lab.load.scaling_policies import PerRequest, Policy, Seen

__all__ = ["MOST_MACHINES", "answer", "settings", "simulate", "stream"]

Floats = npt.NDArray[np.float64]
Engine = Literal["plain", "compiled"]


def simulate(
    arrivals_s: npt.ArrayLike,
    service_s: npt.ArrayLike,
    policy: Policy,
    *,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
    until_s: float | None = None,
    engine: Engine = "plain",
) -> SimulationResult:
    """Serve requests with a fleet that a policy grows and shrinks, exactly.

    One line, first come first served; a machine serves one request at a time. The policy decides at 0,
    `tick_s`, 2 `tick_s`, … The machines of the first decision are there at once; later ones join
    `cold_start_s` after they are ordered. Too many: what is still starting is cancelled first, then idle
    machines go, then busy ones after their request.

    It answers: what does each user wait, and what is paid? It leaves out batching, several requests on one
    machine, failures, clients that give up or retry, and the time that metrics take to arrive. It misleads
    where those matter: then measure on a real server.

    Parameters
    ----------
    arrivals_s
        Sorted seconds >= 0, such as `arrivals` draws.
    service_s
        Seconds of service: one number, or one for each request.
    policy
        `Fixed`, `Hold`, `HPA`, `Knative`, `PerRequest`, or anything with ``wanted(seen) -> int``.
    tick_s
        Seconds between decisions. Kubernetes uses 15, Knative 2. `PerRequest` decides at each request; there
        the ticks only set the rows of ``fleet``.
    cold_start_s
        Seconds from ordering a machine until it takes requests.
    until_s
        End of the time that is paid for; without it, the tick after the last arrival. Requests still in line
        are served to the last in any case.
    engine
        "plain" is pure Python; "compiled" needs numba, and gives the same starts.

    Raises
    ------
    ValueError
        Times that are unsorted, negative or not finite; settings out of range; a policy that answers no whole
        number >= 0, or keeps no machine while requests wait.
    ImportError
        ``engine="compiled"`` without numba.

    Examples
    --------
    Two machines join at the second decision, and take the two that wait longest:

    >>> class Later:
    ...     def wanted(self, seen):
    ...         return 1 if seen.t_s == 0 else 3
    >>> simulate([0.0, 1.0, 2.0, 3.0], 100.0, Later()).requests["start_s"].tolist()
    [0.0, 60.0, 60.0, 100.0]

    Taught in notebooks/11_varying_load.ipynb.
    """
    _asked(policy, tick_s, cold_start_s, engine)
    if until_s is not None:
        not_negative(until_s=until_s)
    arrive, service = _requests(arrivals_s, service_s, tick_s)
    last = float(arrive[-1]) if arrive.size else 0.0
    end = tick_s * (math.floor(last / tick_s) + 1) if until_s is None else float(until_s)
    _in_reach(end, "until_s", tick_s)
    if isinstance(policy, PerRequest):
        return _per_request(arrive, service, policy, tick_s=tick_s, cold_start_s=cold_start_s, until_s=end)
    return _Fleet(policy, tick_s, cold_start_s, engine).run(arrive, service, end=end)


def stream(
    blocks: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]],
    policy: Policy,
    *,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
    engine: Engine = "plain",
) -> Iterator[SimulationResult]:
    """Simulate a long time block by block, a day at a time, in the memory that one block needs.

    Queue, machines and what the policy has seen are carried over: the blocks' requests start exactly when
    `simulate` on all of them would start them. A request that is still in line when its block ends is
    reported with the next.

    Parameters
    ----------
    blocks
        Pairs of arrivals and service times, in order of time.
    policy
        As for `simulate`, but for `PerRequest`.
    tick_s, cold_start_s, engine
        As for `simulate`.

    Raises
    ------
    ValueError
        As `simulate`; a block that begins before the last one ended; `PerRequest`, which has no fleet to
        carry over.

    Examples
    --------
    >>> from mlops_lab.load import Fixed
    >>> days = [([0.0, 10.0], 30.0), ([100.0], 30.0)]
    >>> [run.start_s.tolist() for run in stream(days, Fixed(1))]
    [[0.0, 30.0], [100.0]]

    Taught in notebooks/11_varying_load.ipynb.
    """
    _asked(policy, tick_s, cold_start_s, engine)
    if isinstance(policy, PerRequest):
        raise ValueError("PerRequest cannot be streamed: simulate each day by itself")
    return _blocks(blocks, _Fleet(policy, tick_s, cold_start_s, engine), tick_s)


def _blocks(
    blocks: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]], fleet: _Fleet, tick_s: float
) -> Iterator[SimulationResult]:
    """Run each block when the next is there: only the last one may end the simulation."""
    held: tuple[Floats, Floats] | None = None
    last = 0.0
    for arrivals_s, service_s in blocks:
        block = _requests(arrivals_s, service_s, tick_s)
        if block[0].size and block[0][0] < last:
            raise ValueError(
                f"blocks must follow each other: one begins at {float(block[0][0])!r} s, "
                f"those before ended at {last!r} s"
            )
        if held is not None:
            yield fleet.run(*held, end=None)
        held = block
        last = float(block[0][-1]) if block[0].size else last
    if held is not None:
        yield fleet.run(*held, end=tick_s * (math.floor(last / tick_s) + 1))


def _asked(policy: Policy, tick_s: float, cold_start_s: float, engine: str) -> None:
    """Refuse a policy, times or an engine that make no sense."""
    policy_given(policy)
    settings(tick_s, cold_start_s)
    if engine not in get_args(Engine):
        raise ValueError(f"engine must be one of {', '.join(map(repr, get_args(Engine)))}; got {engine!r}")


def _in_reach(moment: float, name: str, tick_s: float) -> None:
    """Refuse times that ask for more decisions than anybody would wait for."""
    if moment / tick_s > _MOST_TICKS:
        raise ValueError(
            f"{name}: {moment:.3g} s are more than {_MOST_TICKS:,} decisions of {tick_s!r} s: "
            "are the times in seconds?"
        )


def _requests(arrivals_s: npt.ArrayLike, service_s: npt.ArrayLike, tick_s: float) -> tuple[Floats, Floats]:
    """Refuse times that cannot be simulated; give both as arrays of equal length."""
    arrive, service = seconds("arrivals_s", arrivals_s), seconds("service_s", service_s)
    if arrive.ndim != 1:
        raise ValueError(f"arrivals_s must be one-dimensional; got shape {arrive.shape}")
    if service.ndim == 0:
        service = np.full(arrive.size, float(service))
    if service.shape != arrive.shape:
        raise ValueError(
            f"service_s must be one number or one for each of {arrive.size} requests; got {service.shape}"
        )
    if (arrive[1:] < arrive[:-1]).any():
        back = np.flatnonzero(arrive[1:] < arrive[:-1])
        raise ValueError(
            f"arrivals_s must be sorted; request {back[0] + 1} comes before request {back[0]}: use np.sort"
        )
    if arrive.size:
        _in_reach(float(arrive[-1]), "arrivals_s", tick_s)
        _in_reach(float(service.max()), "service_s", tick_s)
    arrive.flags.writeable = service.flags.writeable = False  # a SimulationResult shows them
    return arrive, service


def settings(tick_s: float, cold_start_s: float) -> None:
    """Refuse a tick or a cold start that makes no sense."""
    positive(tick_s=tick_s)
    not_negative(cold_start_s=cold_start_s)


MOST_MACHINES = 1_000_000
_MOST_TICKS = 5_000_000  # decisions: a month of one each half second
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


class _Fleet:
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

    def run(self, arrive: Floats, service: Floats, *, end: float | None) -> SimulationResult:
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
            if self._ticks > _MOST_TICKS:
                raise ValueError(
                    f"after {_MOST_TICKS:,} decisions, at {tick:.3g} s, {arrived - started} requests still "
                    f"wait; the longest service takes {service.max():.3g} s: are the times in seconds?"
                )
        started = queue.started()
        self._work_s += float(service[counted:started].sum())
        self._early_calls += started - int(arrive[:started].searchsorted(self.decided_s))
        self._carried = (arrive[started:].copy(), service[started:].copy())
        starts = queue.starts()
        starts.flags.writeable = False
        until = self.decided_s if end is None else end
        return SimulationResult(
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


def _per_request(
    arrive_s: Floats,
    service_s: Floats,
    policy: PerRequest,
    *,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
    until_s: float = 0.0,
) -> SimulationResult:
    """Serve each request on the warm instance that was used last, or on a new one after a cold start.

    `simulate` calls it for `PerRequest`, after having checked the times.

    Taught in notebooks/11_varying_load.ipynb.
    """
    busy: list[float] = []  # when the instances at work will be done, the earliest on top
    idle: list[float] = []  # since when the idle ones have been idle, the latest last
    starts: list[float] = []
    ordered_s: list[float] = []  # when each new instance was ordered
    new: list[bool] = []  # whether the request had an instance started
    cooled: list[float] = []  # when instances that have cooled down did their last work
    starter = _Starter(policy.most_new_in_10_s)
    moment = 0.0  # when the request before was given its instance: nobody overtakes it
    for arrive, service in zip(arrive_s.tolist(), service_s.tolist(), strict=True):
        moment = max(moment, arrive)
        while busy and busy[0] <= moment:
            idle.append(heappop(busy))
        warm = bool(idle) and moment - idle[-1] <= policy.keep_alive_s
        if warm:
            idle.pop()
        else:  # the last used has cooled down, so all have
            cooled += idle
            idle.clear()
            # who may not start a new one yet takes the first that is free by then
            may_start = starter.free_s(moment) if len(busy) < policy.most_instances else math.inf
            if busy and busy[0] <= may_start:
                moment, warm = heappop(busy), True
            else:
                moment = may_start
                starter.start(moment)
                ordered_s.append(moment)
        start = moment if warm else moment + cold_start_s
        starts.append(start)
        new.append(not warm)
        heappush(busy, start + service)
    start_s, is_new = np.array(starts, dtype=float), np.array(new, dtype=bool)
    start_s.flags.writeable = False
    begin_s, new_s = start_s, np.array(ordered_s, dtype=float)
    if policy.bill_start:
        begin_s = start_s - np.where(is_new, cold_start_s, 0.0)
    paid = np.clip(start_s + service_s, 0.0, until_s) - np.clip(begin_s, 0.0, until_s)
    gone_s = np.sort(np.array(cooled + idle + busy, dtype=float)) + policy.keep_alive_s
    ticks = np.arange(int(until_s // tick_s) + 1) * tick_s
    begun = np.searchsorted(np.sort(start_s), ticks, side="right")
    done = np.searchsorted(np.sort(start_s + service_s), ticks, side="right")
    arrived = np.searchsorted(arrive_s, ticks, side="right")
    ordered = np.searchsorted(new_s, ticks, side="right")
    ready = np.searchsorted(start_s[is_new], ticks, side="right")
    gone = np.searchsorted(gone_s, ticks, side="right")
    fleet = {
        "t_s": ticks,
        "machines": ready - gone,
        "starting": ordered - ready,
        "busy": begun - done,
        "queue": arrived - begun,
    }
    return SimulationResult(
        arrive_s=arrive_s,
        start_s=start_s,
        service_s=service_s,
        cold=is_new & (cold_start_s > 0),
        fleet_columns={name: values.astype(float) for name, values in fleet.items()},
        from_s=0.0,
        until_s=until_s,
        paid_machine_s=float(paid.sum()),
        assumes=policy.assumes(cold_start_s),
    )


class _Starter:
    """Tells when the next instance may start: a bucket of starts that refills steadily (a token bucket)."""

    def __init__(self, most_in_10_s: int) -> None:
        self._most, self._left, self._at_s = float(most_in_10_s), float(most_in_10_s), 0.0

    def free_s(self, moment: float) -> float:
        """Give the first time from a moment on at which one may start."""
        missing = 1.0 - self._refilled(moment)
        return moment if missing <= 1e-9 else moment + missing * 10.0 / self._most

    def start(self, moment: float) -> None:
        """Take one start, at a moment that ``free_s`` gave."""
        self._left, self._at_s = self._refilled(moment) - 1.0, moment

    def _refilled(self, moment: float) -> float:
        return min(self._most, self._left + (moment - self._at_s) * self._most / 10.0)
