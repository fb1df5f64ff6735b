"""Two autoscalers that people really run, by their published rules: Kubernetes' HPA and Knative's KPA.

Read `policies.py` first: these are the same kind of class with the same one method, only with more rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlops_lab.load.arguments import not_negative, positive, whole_number
from mlops_lab.load.scaling_policies import Seen, whole

__all__ = ["HPA", "Knative"]

_SLACK = 1e-9
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
            return int(every) if ratio <= 1 + self.tolerance + _SLACK else whole(ratio * every)
        return whole(ratio * ready)


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
                whole(float(flight[max(0, end - panic) : end].mean()) / self.target),
                float(seen.fleet[end - 1]),
            )
            for end in range(max(1, flight.size - stable), flight.size + 1)
        ]
        panicking = any(wish >= self.panic_threshold * max(1.0, fleet) for wish, fleet in by_panic)
        current = seen.machines + seen.starting
        wish = whole(float(flight[-stable:].mean()) / self.target)
        if panicking:
            return max(current, wish, by_panic[-1][0])
        return max(wish, math.floor(seen.machines / self.down_rate))
