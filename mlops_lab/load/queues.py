"""One queue before many machines, twice: in plain Python, exact and short enough to read; and compiled.

Every machine is one number: the moment at which it is free. All of them lie in a heap, the earliest on top.
The next request in line starts on that machine, at the later of its own arrival and that moment. That is the
whole queue.

A change of the fleet must not be passed over. A request that waits may be taken by a machine that joins
*later*, so the line is served only up to the next change: the first request that would *start* at or after it
stays in line, the change is made, and only then does the line go on.

`CompiledQueue` is for months of traffic, not for reading. Numba is an optional extra; without it the plain
queue gives the same answers, more slowly. A test holds the two equal, start by start.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from functools import cache
from heapq import heappop, heappush, heapreplace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CompiledQueue", "PlainQueue"]

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


def _sift_down(free: Floats, size: int, moment: float) -> None:
    """Put `moment` on top of the heap `free[:size]`, whose top is void; `free[size]` must be infinite."""
    place, child = 0, 1
    while child < size:
        left, right = free[child], free[child + 1]
        child += right < left  # without a branch: the processor could not guess it
        earlier = right if right < left else left
        if earlier >= moment:
            break
        free[place] = earlier
        place = child
        child = 2 * place + 1
    free[place] = moment


def _kernels() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile the two loops; they are kept by `_compiled`."""
    try:
        numba: Any = importlib.import_module("numba")
    except ImportError as missing:
        raise ImportError(
            'engine="compiled" needs numba, which is not installed: install it, or use engine="plain"'
        ) from missing
    jit = numba.njit
    sift_down = jit(inline="always")(_sift_down)

    def serve(
        arrive: Floats, service: Floats, starts: Floats, first: int, free: Floats, size: int, until: float
    ) -> int:
        for i in range(first, arrive.size):
            start = max(free[0], arrive[i])  # without a machine, free[0] is infinite
            if start >= until:
                return i
            starts[i] = start
            sift_down(free, size, start + service[i])
        return arrive.size

    def pop(free: Floats, size: int) -> float:
        top, last = free[0], free[size - 1]
        free[size - 1] = np.inf
        if size > 1:
            sift_down(free, size - 1, last)
        return float(top)

    return jit(serve), jit(pop)


_compiled = cache(_kernels)


class CompiledQueue:
    """`PlainQueue`, with its inner loop compiled; method by method the same.

    Taught in notebooks/11_varying_load.ipynb.
    """

    def __init__(self) -> None:
        self._serve, self._pop = _compiled()
        self._free = np.full(64, np.inf)
        self._size = 0
        self._arrive = self._service = self._start = np.empty(0)
        self._started = 0

    def load(self, arrive_s: Floats, service_s: Floats) -> None:
        """Put requests in line; those loaded before are forgotten, the machines stay as they are."""
        self._arrive = np.ascontiguousarray(arrive_s, dtype=float)
        self._service = np.ascontiguousarray(service_s, dtype=float)
        self._start, self._started = np.empty(self._arrive.size), 0

    def serve(self, until: float) -> None:
        """Start requests in order of arrival, until one would start at or after `until`."""
        self._started = self._serve(
            self._arrive, self._service, self._start, self._started, self._free, self._size, until
        )

    def join(self, machines: int, at: float) -> None:
        """Add machines that are free from `at` on."""
        size = self._size + machines
        if size >= self._free.size:
            self._free = np.concatenate([self._free, np.full(size, np.inf)])
        self._free[self._size : size] = at
        self._free[:size].sort()  # a sorted array is a heap
        self._size = size

    def leave(self, machines: int) -> list[float]:
        """Take machines out, those free soonest first; give the moments at which they will be done."""
        gone = []
        for _ in range(machines):
            gone.append(float(self._pop(self._free, self._size)))
            self._size -= 1
        return gone

    def ready(self) -> int:
        """Count the machines that take requests."""
        return self._size

    def busy(self, at: float) -> int:
        """Count the machines that are still serving after `at`."""
        return int(np.count_nonzero(self._free[: self._size] > at))

    def left_to_do_s(self, at: float) -> float:
        """Give the seconds of service that the machines still have before them at `at`."""
        return float(np.maximum(self._free[: self._size] - at, 0.0).sum())

    def started(self) -> int:
        """Count the loaded requests that have been started."""
        return int(self._started)

    def starts(self) -> Floats:
        """Give the moments at which the loaded requests were started, in order."""
        return self._start[: self._started]
