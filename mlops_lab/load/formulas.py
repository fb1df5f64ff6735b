"""What queueing theory says without any simulation: Erlang's formulas, and the price of machines.

The formulas hold for a *steady* load on a *fixed* fleet. A daily curve is neither: there they are a yardstick
for one hour, and the oracle against which the simulation is tested.
"""

from __future__ import annotations

import math

from mlops_lab.load.arguments import not_negative, whole_number

__all__ = ["mean_wait_s", "monthly_cost_usd"]


def _machines_and_load(machines: int, offered: float) -> tuple[int, float]:
    """Refuse a fleet that is no whole number, or a load that is negative or not a number."""
    whole_number(0, machines=machines)
    not_negative(offered=offered)
    return int(machines), float(offered)


def _unstable(machines: int, offered: float) -> bool:
    """Whether the queue grows for ever; 49 calls/s of 1/49 s are one whole machine, whatever the rounding."""
    return offered >= machines * (1 - 1e-12)


def erlang_b(machines: int, offered: float) -> float:
    """Give the share of requests that find every machine busy, where nobody waits and such requests are lost.

    It holds for Poisson arrivals and any distribution of service times (Erlang, 1917). It misleads where
    refused clients try again.

    Parameters
    ----------
    machines
        How many requests can be served at once.
    offered
        Load in machines: calls per second times seconds of service.

    Raises
    ------
    ValueError
        A fleet that is no whole number >= 0, or a load that is negative or not finite.

    Examples
    --------
    >>> round(erlang_b(2, 1.0), 3)
    0.2

    Taught in notebooks/11_varying_load.ipynb.
    """
    whole, load = _machines_and_load(machines, offered)
    blocked = 1.0
    for n in range(1, whole + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(machines: int, offered: float) -> float:
    """Give the share of requests that must wait, where everybody queues in one line.

    It holds for Poisson arrivals and exponential service times (Erlang, 1917), in a steady state. With too
    few machines there is no steady state, the queue grows for ever, and everybody waits: the answer is 1.

    Parameters
    ----------
    machines
        How many machines take from the one queue.
    offered
        Load in machines: calls per second times seconds of service.

    Raises
    ------
    ValueError
        A fleet that is no whole number >= 0, or a load that is negative or not finite.

    Examples
    --------
    >>> round(erlang_c(2, 1.0), 4), erlang_c(2, 2.5)
    (0.3333, 1.0)

    Taught in notebooks/11_varying_load.ipynb.
    """
    whole, load = _machines_and_load(machines, offered)
    if _unstable(whole, load):
        return 1.0 if load > 0 else 0.0
    blocked = erlang_b(whole, load)
    return whole * blocked / (whole - load * (1 - blocked))


def mean_wait_s(machines: int, rate_per_s: float, service_s: float) -> float:
    """Give the mean seconds that a request waits before it is served.

    The M/M/c queue: Poisson arrivals, exponential service times, one line, a steady state. Where the machines
    cannot keep up there is no steady state and the answer is infinite, never a number. Constant service times
    wait about half as long.

    Parameters
    ----------
    machines
        How many machines take from the one queue.
    rate_per_s
        Calls per second.
    service_s
        Mean seconds of service per call.

    Raises
    ------
    ValueError
        A fleet that is no whole number >= 0, or a rate or service time that is negative or not finite.

    Examples
    --------
    >>> mean_wait_s(40, 160.0, 0.25)
    inf
    >>> round(mean_wait_s(44, 160.0, 0.25), 4)
    0.027

    Taught in notebooks/11_varying_load.ipynb.
    """
    not_negative(rate_per_s=rate_per_s, service_s=service_s)
    offered = rate_per_s * service_s
    waiting = erlang_c(machines, offered)
    if offered == 0:
        return 0.0 if machines > 0 or rate_per_s == 0 else math.inf
    if _unstable(machines, offered):
        return math.inf
    return waiting * service_s / (machines - offered)


def monthly_cost_usd(machines: float, *, price_usd_per_hour: float = 0.90, hours: float = 720.0) -> float:
    """Give the month's bill for a mean number of machines.

    The lecture's price: $0.90 an hour for 720 hours, $648 a machine (L10). It leaves out everything but
    machines: traffic, storage, the people who run them, discounts for reserved machines.

    Parameters
    ----------
    machines
        Mean number of machines paid for; need not be whole.
    price_usd_per_hour
        Dollars for one machine for one hour.
    hours
        Hours in the month.

    Raises
    ------
    ValueError
        A number of machines, a price or hours that are negative or not finite.

    Examples
    --------
    >>> [round(monthly_cost_usd(n), 2) for n in (1, 40, 19, 6)]
    [648.0, 25920.0, 12312.0, 3888.0]

    Taught in notebooks/11_varying_load.ipynb.
    """
    not_negative(machines=machines, price_usd_per_hour=price_usd_per_hour, hours=hours)
    return float(machines) * price_usd_per_hour * hours
