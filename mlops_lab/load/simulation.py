"""The exact simulation: requests, one line, and a policy that changes the fleet at every tick."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mlops_lab.load.arguments import not_negative, policy_given, positive, seconds
from mlops_lab.load.fleet import MOST_TICKS, Operator
from mlops_lab.load.runs import Run
from mlops_lab.load.scaling_policies import PerRequest, Policy
from mlops_lab.load.serverless import per_request

__all__ = ["simulate", "stream"]

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
) -> Run:
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
        return per_request(arrive, service, policy, tick_s=tick_s, cold_start_s=cold_start_s, until_s=end)
    return Operator(policy, tick_s, cold_start_s, engine).run(arrive, service, end=end)


def stream(
    blocks: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]],
    policy: Policy,
    *,
    tick_s: float = 60.0,
    cold_start_s: float = 0.0,
    engine: Engine = "plain",
) -> Iterator[Run]:
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
    return _blocks(blocks, Operator(policy, tick_s, cold_start_s, engine), tick_s)


def _blocks(
    blocks: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]], operator: Operator, tick_s: float
) -> Iterator[Run]:
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
            yield operator.run(*held, end=None)
        held = block
        last = float(block[0][-1]) if block[0].size else last
    if held is not None:
        yield operator.run(*held, end=tick_s * (math.floor(last / tick_s) + 1))


def _asked(policy: Policy, tick_s: float, cold_start_s: float, engine: str) -> None:
    """Refuse a policy, times or an engine that make no sense."""
    policy_given(policy)
    settings(tick_s, cold_start_s)
    if engine not in get_args(Engine):
        raise ValueError(f"engine must be one of {', '.join(map(repr, get_args(Engine)))}; got {engine!r}")


def _in_reach(moment: float, name: str, tick_s: float) -> None:
    """Refuse times that ask for more decisions than anybody would wait for."""
    if moment / tick_s > MOST_TICKS:
        raise ValueError(
            f"{name}: {moment:.3g} s are more than {MOST_TICKS:,} decisions of {tick_s!r} s: "
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
    arrive.flags.writeable = service.flags.writeable = False  # a Run shows them
    return arrive, service


def settings(tick_s: float, cold_start_s: float) -> None:
    """Refuse a tick or a cold start that makes no sense."""
    positive(tick_s=tick_s)
    not_negative(cold_start_s=cold_start_s)
