"""When to add and remove machines: the rules, each a small frozen class with one method.

At every decision the simulation hands over what a real autoscaler could know, a `Seen`, and asks for a number
of machines. Your own policy needs no base class:

    @dataclass(frozen=True)
    class Twice:
        capacity: float = 4.0

        def wanted(self, seen: Seen) -> int:
            return 1 + int(2 * seen.now_per_s / self.capacity)

A policy keeps no memory of its own: whatever it needs of the past stands in `Seen`. So one policy object may
be used for many runs. First come the lecture's rules; then two autoscalers that people really run, by their
published rules: Kubernetes' HPA and Knative's KPA.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mlops_lab.load.arguments import not_negative, positive, whole_number

__all__ = ["HPA", "Fixed", "Hold", "Knative", "PerRequest", "Policy", "Seen"]

Floats = npt.NDArray[np.float64]
_SLACK = 1e-9  # 4.0000000001 machines are 4: rounding noise must not buy a machine


def _rounded_up(machines: float) -> int:
    """Round a need for machines up, forgiving rounding noise."""
    return math.ceil(machines - _SLACK)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a policy knows when it decides: the present, and one entry for each tick that has passed.

    The arrays are read-only, oldest first, and empty at the first decision. Nothing in them lies in the
    future.

    Parameters
    ----------
    t_s
        Seconds since the start.
    tick_s
        Seconds between two decisions.
    machines
        Machines that take requests now.
    starting
        Machines ordered but not ready yet.
    busy
        Machines that are serving a request now, those that leave after it included.
    queue
        Requests waiting now.
    calls_per_s
        Calls per second that came in each past tick.
    utilisation
        Share of the machines' time that was spent serving, in each past tick; 0 where there was no machine.
    in_flight
        Requests served or waiting at the end of each past tick.
    fleet, fleet_starting
        Machines ready, and machines starting, at the end of each past tick.

    Examples
    --------
    >>> now = Seen(t_s=60.0, tick_s=60.0, machines=3, calls_per_s=np.array([8.0]))
    >>> now.now_per_s
    8.0

    Taught in notebooks/11_varying_load.ipynb.
    """

    t_s: float
    tick_s: float
    machines: int = 0
    starting: int = 0
    busy: int = 0
    queue: int = 0
    calls_per_s: Floats = field(default_factory=lambda: np.empty(0))
    utilisation: Floats = field(default_factory=lambda: np.empty(0))
    in_flight: Floats = field(default_factory=lambda: np.empty(0))
    fleet: Floats = field(default_factory=lambda: np.empty(0))
    fleet_starting: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def now_per_s(self) -> float:
        """Calls per second in the tick that has just ended; 0 before the first."""
        return float(self.calls_per_s[-1]) if self.calls_per_s.size else 0.0


class Policy(Protocol):
    """Anything that answers how many machines it wants.

    Examples
    --------
    >>> Fixed(3).wanted(Seen(t_s=0.0, tick_s=60.0))
    3

    Taught in notebooks/11_varying_load.ipynb.
    """

    def wanted(self, seen: Seen) -> int:
        """Give the number of machines wanted from now on, those still starting included."""
        ...


@dataclass(frozen=True)
class Fixed:
    """Always the same number of machines: what the lecture buys for the maximum.

    It answers: what does it cost never to think about load? It cannot save anything at night, and it misleads
    when its number is the peak itself: then every machine is busy at the peak, and people wait.

    Parameters
    ----------
    n
        How many machines.

    Examples
    --------
    >>> Fixed(40).wanted(Seen(t_s=0.0, tick_s=60.0))
    40

    Taught in notebooks/11_varying_load.ipynb.
    """

    n: int

    def __post_init__(self) -> None:
        """Refuse a fleet that is no whole number of at least 1."""
        whole_number(1, n=self.n)

    def wanted(self, seen: Seen) -> int:
        """Give the number it was made with."""
        return int(self.n)


@dataclass(frozen=True)
class Hold:
    """Enough machines for the highest traffic of the last minutes: the lecture's local maximum.

    It answers: what does it cost to follow the load but to let machines go only slowly? It follows what it
    has seen, so it comes late to every rise. It misleads where `capacity` was measured on other requests than
    today's.

    Parameters
    ----------
    window_min
        How many minutes a high stays in memory; 0 looks at the last tick alone. The slide's 19 machines need
        about 300.
    capacity
        Calls per second that one machine can serve.
    target
        The share of that capacity to plan for: 0.8 keeps a fifth free as headroom.

    Examples
    --------
    >>> quiet_again = np.array([8.0, 40.0, 8.0])
    >>> Hold(5).wanted(Seen(t_s=180.0, tick_s=60.0, calls_per_s=quiet_again))
    10
    >>> Hold(0).wanted(Seen(t_s=180.0, tick_s=60.0, calls_per_s=quiet_again))
    2

    Taught in notebooks/11_varying_load.ipynb.
    """

    window_min: float = 300.0
    capacity: float = 4.0
    target: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a negative window, and a capacity or target that is not above 0."""
        not_negative(window_min=self.window_min)
        positive(capacity=self.capacity, target=self.target)

    def wanted(self, seen: Seen) -> int:
        """Give enough machines for the highest calls per second within the window, and at least one."""
        ticks = int(self.window_min * 60 / seen.tick_s + _SLACK) + 1
        recent = seen.calls_per_s[-ticks:]
        highest = float(recent.max()) if recent.size else 0.0
        return max(1, _rounded_up(highest / (self.capacity * self.target)))


@dataclass(frozen=True)
class PerRequest:
    """Serverless: a request takes an idle warm instance, else a new one starts for it alone.

    The provider decides at each request, not at ticks, and bills the seconds of service and of cold starts.
    Who meets no warm instance waits for a cold start; nobody queues for a machine, up to the limits below.
    The instance most recently used is taken first.

    How long a cold start takes is an assumption of yours, ``cold_start_s`` of `simulate`: a small function
    starts in less than a second, a large model in many. It leaves out the provider's higher price per second:
    compare by the break-even price. It misleads on sudden bursts: those beyond a limit here wait in line for
    the first instance that is free, where a real provider refuses them, and the client must ask again. A mean
    of five machines may be hundreds at once: look at the largest ``fleet["machines"]``.

    Parameters
    ----------
    keep_alive_s
        Seconds for which an idle instance stays warm.
    most_instances
        Instances at once, those starting included. AWS Lambda grants an account 1,000 in a region unless
        asked for more.
    most_new_in_10_s
        New instances in ten seconds, refilled steadily; what is not used does not add up. AWS Lambda grants
        1,000 to each function.
    bill_start
        Whether the seconds of a cold start are billed. AWS Lambda does so for all functions since 1 August
        2025; until then those of its own runtimes, packed as a zip file and called on demand, started free.

    Notes
    -----
    As read in: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase" (2025); AWS Lambda
    Developer Guide, "Lambda scaling behavior"; AWS Lambda Operator Guide, "Scaling and concurrency in
    Lambda". Other providers have other limits: give theirs.

    Examples
    --------
    >>> PerRequest().wanted(Seen(t_s=0.0, tick_s=60.0, busy=3, queue=1))
    4

    Taught in notebooks/11_varying_load.ipynb.
    """

    keep_alive_s: float = 600.0
    most_instances: int = 1000
    most_new_in_10_s: int = 1000
    bill_start: bool = True

    def __post_init__(self) -> None:
        """Refuse a negative or endless keep-alive, and limits below one instance."""
        not_negative(keep_alive_s=self.keep_alive_s)
        whole_number(1, most_instances=self.most_instances, most_new_in_10_s=self.most_new_in_10_s)

    def wanted(self, seen: Seen) -> int:
        """Give one instance for each request in flight, as far as the limit goes."""
        return min(seen.busy + seen.queue, int(self.most_instances))

    def assumes(self, cold_start_s: float) -> str:
        """Say what its bill and its waits rest on."""
        return (
            f"a cold start takes {cold_start_s:g} s and is {'' if self.bill_start else 'not '}billed, "
            f"at most {self.most_instances:,} instances at once and {self.most_new_in_10_s:,} new in 10 s, "
            "a second costs as much as one of a machine"
        )


_PERIOD_S = 15.0  # in which the fleet may at most double, or grow by 4


@dataclass(frozen=True)
class HPA:
    """Kubernetes' autoscaler on CPU use, by its published rule; it decides every 15 s (``tick_s=15``).

    Wanted = ceil(machines x utilisation / target), left alone while within the tolerance. Machines that are
    still starting count as idle when scaling up. Up: at most the larger of +100 % and +4 machines in 15 s.
    Down: the highest wish of the last 300 s.

    It leaves out readiness probes, missing metrics and the delay with which metrics arrive. It misleads in a
    flood: utilisation cannot pass 100 %, so it grows by at most 1/target at each tick however long the queue
    is.

    Source: Kubernetes documentation, "Horizontal Pod Autoscaling" (autoscaling/v2, defaults).

    Parameters
    ----------
    target
        Utilisation to aim at, between 0 and 1.
    tolerance
        Distance of utilisation / target from 1 that is ignored.
    down_window_s
        Seconds for which a higher wish keeps machines from being removed.
    min_machines, max_machines
        Bounds of the fleet.

    Examples
    --------
    >>> import numpy as np
    >>> seen = Seen(t_s=15.0, tick_s=15.0, machines=10, utilisation=np.array([0.75]),
    ...             fleet=np.array([10.0]), fleet_starting=np.array([0.0]))
    >>> HPA(target=0.5).wanted(seen)
    15

    Taught in notebooks/11_varying_load.ipynb.
    """

    target: float = 0.5
    tolerance: float = 0.1
    down_window_s: float = 300.0
    min_machines: int = 1
    max_machines: int = 10_000

    def __post_init__(self) -> None:
        """Refuse a target outside (0, 1], negative settings, and bounds that cross."""
        positive(target=self.target)
        not_negative(tolerance=self.tolerance, down_window_s=self.down_window_s)
        if self.target > 1:
            raise ValueError(f"target is a share of the machines' time, at most 1; got {self.target!r}")
        whole_number(1, min_machines=self.min_machines, max_machines=self.max_machines)
        if self.min_machines > self.max_machines:
            raise ValueError(
                f"need min_machines <= max_machines; got {self.min_machines!r} and {self.max_machines!r}"
            )

    def wanted(self, seen: Seen) -> int:
        """Give the number of machines by the published rule."""
        current = seen.machines + seen.starting
        if not seen.utilisation.size:
            return max(self.min_machines, current)
        ticks = int(self.down_window_s / seen.tick_s + _SLACK) + 1
        wishes = [
            self._wish(float(ready), float(starting), float(use))
            for use, ready, starting in zip(
                seen.utilisation[-ticks:], seen.fleet[-ticks:], seen.fleet_starting[-ticks:], strict=True
            )
        ]
        wish = wishes[-1]
        if wish > current:
            ago = math.ceil(_PERIOD_S / seen.tick_s - _SLACK)
            before = seen.fleet[-ago:][0] + seen.fleet_starting[-ago:][0]  # what there was 15 s ago
            wish = min(wish, max(current, int(max(2 * before, before + 4))))
        else:
            wish = min(current, max(wishes))
        return int(min(max(wish, self.min_machines), self.max_machines))

    def _wish(self, ready: float, starting: float, use: float) -> int:
        """Give the recommendation of one tick, before windows and limits."""
        ratio = use / self.target
        every = ready + starting
        if abs(ratio - 1) <= self.tolerance + _SLACK:
            return int(every)
        if ratio > 1 and starting:  # what is starting counts as idle; if that turns the answer, do nothing
            ratio = use * ready / every / self.target
            return int(every) if ratio <= 1 + self.tolerance + _SLACK else _rounded_up(ratio * every)
        return _rounded_up(ratio * ready)


@dataclass(frozen=True)
class Knative:
    """Knative's autoscaler: requests in flight over two windows; it decides every 2 s (``tick_s=2``).

    Wanted = ceil(mean requests in flight / target). When the short panic window alone asks for at least twice
    the machines there are, it panics: for one stable window it follows the panic window and never shrinks.

    It leaves out the grace period before the last machine goes, the buffer of burst capacity, and the limit
    of growing at most a thousandfold at once. It may scale to zero.

    Source: Knative documentation, "Additional autoscaling configuration for KPA" (defaults).

    Parameters
    ----------
    target
        Requests in flight to aim at per machine; here a machine serves one at a time, and 0.7 is Knative's
        default share.
    stable_s, panic_s
        Lengths of the two windows.
    panic_threshold
        How many times the present fleet the panic window must ask for.
    down_rate
        A decision may divide the ready machines at most by this.

    Examples
    --------
    >>> import numpy as np
    >>> seen = Seen(t_s=4.0, tick_s=2.0, machines=2, in_flight=np.array([7.0, 7.0]),
    ...             fleet=np.array([2.0, 2.0]))
    >>> Knative().wanted(seen)
    10

    Taught in notebooks/11_varying_load.ipynb.
    """

    target: float = 0.7
    stable_s: float = 60.0
    panic_s: float = 6.0
    panic_threshold: float = 2.0
    down_rate: float = 2.0

    def __post_init__(self) -> None:
        """Refuse settings that are not above 0."""
        positive(
            target=self.target,
            stable_s=self.stable_s,
            panic_s=self.panic_s,
            panic_threshold=self.panic_threshold,
            down_rate=self.down_rate,
        )
        if self.panic_s > self.stable_s:
            raise ValueError(
                f"panic_s must be at most stable_s; got panic_s={self.panic_s!r}, stable_s={self.stable_s!r}"
            )
        for name, value in (("panic_threshold", self.panic_threshold), ("down_rate", self.down_rate)):
            if value <= 1:
                raise ValueError(f"{name} must be above 1; got {value!r}")

    def wanted(self, seen: Seen) -> int:
        """Give the number of machines by the published rule."""
        flight = seen.in_flight
        if not flight.size:
            return 1
        stable = max(1, round(self.stable_s / seen.tick_s))
        panic = max(1, round(self.panic_s / seen.tick_s))
        by_panic = [
            (
                _rounded_up(float(flight[max(0, end - panic) : end].mean()) / self.target),
                float(seen.fleet[end - 1]),
            )
            for end in range(max(1, flight.size - stable), flight.size + 1)
        ]
        panicking = any(wish >= self.panic_threshold * max(1.0, fleet) for wish, fleet in by_panic)
        current = seen.machines + seen.starting
        wish = _rounded_up(float(flight[-stable:].mean()) / self.target)
        if panicking:
            return max(current, wish, by_panic[-1][0])
        return max(wish, math.floor(seen.machines / self.down_rate))
