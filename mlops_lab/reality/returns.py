"""What does one returned item cost? The log tells how far returns push the price, and how slowly it heals.

Left out: buyers who leave for good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from mlops_lab.reality.product import Week

__all__ = ["ReturnPrice", "price_of_a_return"]


@dataclass(frozen=True)
class ReturnPrice:
    """The price of one return, and the two speeds it rests on.

    Parameters
    ----------
    money
        What one more return in a week that is left costs, in revenue that is not taken later.
    damage
        How fast returns take the price away: with this many returns for each sale, a share of
        ``1 - exp(-damage * returns)`` is lost in a week.
    recovery
        Share of the lost price that comes back in a week.
    weeks_left
        The weeks counted.

    Examples
    --------
    >>> ReturnPrice(12.0, 0.28, 0.05, 10).money
    12.0
    """

    money: float
    damage: float
    recovery: float
    weeks_left: int


def price_of_a_return(weeks: Sequence[Week], weeks_left: int) -> ReturnPrice:
    """Estimate from the log what one returned item costs.

    Answers: how much later revenue does a sale above its grade destroy? Returns lower the price by a share,
    and a share of what is lost comes back; both speeds are fitted to the logged prices. A return in the first
    of the weeks left is felt in all that follow, one in the last in none: the figure is their mean, as it is
    for a metric that is chosen once. There is no upper limit to what may come out. It misleads if buyers will
    behave differently from now on, and it holds for one more return: ten thousand fewer would change the
    price at which all is sold.

    Parameters
    ----------
    weeks
        The log, at least three weeks.
    weeks_left
        Weeks that will still be sold at the price, from 0.

    Raises
    ------
    ValueError
        If there are fewer than three weeks, or `weeks_left` is negative.

    Examples
    --------
    >>> log = [Week(w, 90.0, 90.0, 0.9, 0.85, 10, 0.2, {}, {}, priced=90.0) for w in range(3)]
    >>> price_of_a_return(log, 0).money
    0.0

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if len(weeks) < 3:
        raise ValueError(f"{len(weeks)} weeks in the log: at least three are needed; let time pass")
    if weeks_left < 0:
        raise ValueError(f"weeks_left={weeks_left!r}: 0 or more are needed")
    price, after, returned = (
        np.array([getattr(week, name) for week in weeks]) for name in ("price", "next_price", "returned")
    )

    def fitted(recovery: float) -> tuple[float, float]:
        lost = np.log(price + recovery * (1 - price)) - np.log(after)
        damage = max(float(lost @ returned / max(returned @ returned, 1e-12)), 0.0)
        return damage, float(((lost - damage * returned) ** 2).sum())

    best = optimize.minimize_scalar(
        lambda recovery: fitted(recovery)[1], bounds=(0, 1), method="bounded", options={"xatol": 1e-9}
    )
    recovery = float(best.x)
    damage = fitted(recovery)[0]
    late = weeks[-3:]
    full = float(np.mean([week.priced / week.price for week in late]))  # what a week brings at full price
    sold = float(np.mean([max(week.sold, 1) for week in late]))
    stays = (1 - recovery) * math.exp(-damage * float(np.mean([week.returned for week in late])))
    at_once = damage * late[-1].next_price / sold
    later = [math.fsum(stays**ahead for ahead in range(left)) for left in range(weeks_left)]
    money = at_once * full * (math.fsum(later) / weeks_left if weeks_left else 0.0)
    return ReturnPrice(round(money, 6), round(damage, 6), round(recovery, 6), weeks_left)
