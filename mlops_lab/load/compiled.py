"""The same queue as `machines.py`, compiled by numba: for months of traffic, not for reading.

Numba is an optional extra. Without it the plain queue gives the same answers, more slowly; a test holds the
two equal, start by start.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CompiledQueue"]

Floats = npt.NDArray[np.float64]


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
    """`mlops_lab.load.machines.PlainQueue`, with its inner loop compiled; method by method the same.

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
