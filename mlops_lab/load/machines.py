"""The machines and the one queue before them: exact, in plain Python, and short enough to read.

Every machine is one number: the moment at which it is free. All of them lie in a heap, the earliest on top.
The next request in line starts on that machine, at the later of its own arrival and that moment. That is the
whole queue.

A change of the fleet must not be passed over. A request that waits may be taken by a machine that joins
*later*, so the line is served only up to the next change: the first request that would *start* at or after it
stays in line, the change is made, and only then does the line go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush, heapreplace

import numpy as np
import numpy.typing as npt

__all__ = ["PlainQueue"]

Floats = npt.NDArray[np.float64]
_AT_ONCE = 1_024  # requests looked at in one slice: a long queue must not be copied at every change


class PlainQueue:
    """One line of requests, served first come first served by machines that come and go.

    Taught in notebooks/11_varying_load.ipynb.
    """

    def __init__(self) -> None:
        self._free = [math.inf]  # never removed, so that a fleet of none needs no case of its own
        self._arrive = self._service = self._start = np.empty(0)
        self._started = 0

    def load(self, arrive_s: Floats, service_s: Floats) -> None:
        """Put requests in line; those loaded before are forgotten, the machines stay as they are."""
        self._arrive, self._service = arrive_s, service_s
        self._start, self._started = np.empty(arrive_s.size), 0

    def serve(self, until: float) -> None:
        """Start requests in order of arrival, until one would start at or after `until`."""
        begun = np.fromiter(self._turns(until), dtype=float)
        last = self._started + begun.size
        self._start[self._started : last] = begun
        self._started = last

    def _turns(self, until: float) -> Iterator[float]:
        """Give the moments at which those in line start, one by one."""
        free, put = self._free, heapreplace
        arrived = int(self._arrive.searchsorted(until))
        for first in range(self._started, arrived, _AT_ONCE):
            part = slice(first, min(first + _AT_ONCE, arrived))
            columns = (times[part].tolist() for times in (self._arrive, self._service))
            for arrive, service in zip(*columns, strict=True):
                start = free[0]
                if start < arrive:
                    start = arrive
                elif start >= until:
                    return
                put(free, start + service)
                yield start

    def join(self, machines: int, at: float) -> None:
        """Add machines that are free from `at` on."""
        for _ in range(machines):
            heappush(self._free, at)

    def leave(self, machines: int) -> list[float]:
        """Take machines out, those free soonest first; give the moments at which they will be done."""
        return [heappop(self._free) for _ in range(machines)]

    def ready(self) -> int:
        """Count the machines that take requests."""
        return len(self._free) - 1

    def busy(self, at: float) -> int:
        """Count the machines that are still serving after `at`."""
        return sum(1 for moment in self._free if moment > at) - 1

    def left_to_do_s(self, at: float) -> float:
        """Give the seconds of service that the machines still have before them at `at`."""
        return math.fsum(moment - at for moment in self._free if at < moment < math.inf)

    def started(self) -> int:
        """Count the loaded requests that have been started."""
        return self._started

    def starts(self) -> Floats:
        """Give the moments at which the loaded requests were started, in order."""
        return self._start[: self._started]
