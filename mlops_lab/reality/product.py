"""The product: a grade decides the channel, and money, returns and complaints follow from it, week by week.

Beside it what a player can read off its books: what one more return costs. Left out: competitors, and buyers
who leave for good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from mlops_lab.worlds import PRICES, Batch, Streams

__all__ = ["RETURNS", "Product", "ReturnPrice", "Served", "Week", "price_of_a_return"]

RECOVERY, DAMAGE = 0.03, 0.20
"""Share of the lost price that comes back in a week, and how fast returns take it away; this world's own."""

COMPLAINS_IF_UNDERPAID, COMPLAINS_ANYWAY = 0.20, 0.004
"""The chance of a complaint about an item sold below its true grade, and about any other."""

RETURNS = np.array([[0, 0, 3, 3], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=float)
"""How heavily a sale above its grade comes back, by true grade (row) and channel (column)."""

DAY, NIGHT = (6.0, 20.0), (1.0, 3.0)
"""The hours in which the common devices read items, and in which the others send what they have read."""

Decide = Callable[[pd.DataFrame], pd.Series]


class _Items(Protocol):
    """Where the items come from: an orchard, or a world told in other words."""

    @property
    def seed(self) -> int:
        """The seed of all luck."""

    def week(self, week: int, n: int) -> Batch:
        """Give the items of one week, and their truth beside them."""


@dataclass(frozen=True)
class Week:
    """What the log says of one week; the truth is not in it.

    Parameters
    ----------
    week
        Its number.
    revenue
        Money taken from buyers.
    profit
        Revenue less what returned and spoiled items cost and less the fee of grading by hand.
    price, next_price
        The price that buyers pay, as a share of the full one, in this week and in the next.
    sold
        Items sold in the two best channels.
    returned
        Weighted returns for each item sold; one of the rare grade counts three times.
    items, complaints
        Number of items and of complaints for each kind of device.
    version, metric
        What graded them, and by which metric channels were chosen.
    priced
        The part of the revenue that the price touches: sales in the two best channels.

    Examples
    --------
    >>> Week(3, 120.0, 100.0, 1.0, 0.9, 10, 0.2, {"belt": 20}, {"belt": 1}).next_price
    0.9
    """

    week: int
    revenue: float
    profit: float
    price: float
    next_price: float
    sold: int
    returned: float
    items: dict[str, int]
    complaints: dict[str, int]
    version: str = ""
    metric: str = ""
    priced: float = 0.0


@dataclass(frozen=True, eq=False)
class Served:
    """Items of some days that went through the product, in the order of the clock. It holds the truth.

    Parameters
    ----------
    hour
        Hours since the start of week 0 at which the item's record arrived.
    group, channel, truth
        Kind of device, channel and true grade, as places in their lists.
    complained
        Whether the supplier complained; it is logged at `hour`.
    fee
        Money for each decision.
    """

    hour: NDArray[np.float64]
    group: NDArray[np.int64]
    channel: NDArray[np.int64]
    truth: NDArray[np.int64]
    complained: NDArray[np.bool_]
    fee: float

    def before(self, hour: float) -> Served:
        """Keep what had arrived before an hour."""
        kept = self.hour < hour
        parts = (each[kept] for each in (self.hour, self.group, self.channel, self.truth, self.complained))
        return Served(*parts, fee=self.fee)  # type: ignore[arg-type, misc]


@dataclass(frozen=True)
class Product:
    """The system in production, with what each decision leads to.

    Answers: what do grades lead to over weeks, beyond their face value. Two policies meet the same items and
    the same luck (common random numbers), so their difference is the effect of the decisions alone. It cannot
    tell how fast real buyers lose or regain trust: the speeds are this world's.

    Parameters
    ----------
    items
        The world the items come from.
    volume
        Items a week.
    trust_damage
        How much returns hurt the price; 0 is not at all.
    prices
        Money by true grade (row, worst first) and channel (column); its words are the grades.
    device
        The column that says which kind of device read an item.
    groups
        The kinds of device, the common one first: it works by day, the others send at night.

    Raises
    ------
    ValueError
        If the volume is below 1 or the damage is negative or not finite.

    Examples
    --------
    >>> from mlops_lab.worlds import Orchard, rule_card
    >>> product = Product(Orchard(seed=0), volume=300)
    >>> weeks = product.run(rule_card, range(6, 8))
    >>> [week.week for week in weeks], weeks[1].price == weeks[0].next_price
    ([6, 7], True)
    >>> product.serve(6, rule_card) == weeks[0]
    True
    >>> product.close(6, [product.days(6, rule_card)]) == weeks[0]
    True
    """

    items: _Items
    volume: int = 1200
    trust_damage: float = 1.0
    prices: pd.DataFrame = field(default_factory=PRICES.copy, compare=False)
    device: str = "scanner"
    groups: tuple[str, ...] = ("belt", "handheld")

    def __post_init__(self) -> None:
        if self.volume < 1:
            raise ValueError(f"volume={self.volume!r}: at least one item a week is needed")
        if not 0 <= self.trust_damage < math.inf:
            raise ValueError(f"trust_damage={self.trust_damage!r}: a finite number, 0 or more, is needed")
        if list(self.prices.index) != list(self.prices.columns) or len(self.prices) != 4:
            raise ValueError("prices: four grades are needed, the same in rows and columns, worst first")

    def days(self, week: int, decide: Decide, *, first: int = 0, last: int = 6, fee: float = 0.0) -> Served:
        """Let the items of some days of a week through the product.

        Parameters
        ----------
        week
            The week.
        decide
            Gives the channel, a word of the prices' index, for each row of a frame of readings.
        first, last
            The days, from 0 to 6, both ends included.
        fee
            Cost of a decision, for each item.

        Raises
        ------
        ValueError
            If a channel is missing or unknown.
        """
        batch = self.items.week(week, n=self.volume)
        luck = Streams(self.items.seed, "complaints", week)
        group = pd.Index(self.groups).get_indexer(pd.Index(batch.crates[self.device]))
        opens, closes = (np.where(group == 0, *ends) for ends in zip(DAY, NIGHT, strict=True))
        day = np.floor(7 * luck.uniform("day", self.volume))
        hour = (week * 7 + day) * 24 + opens + (closes - opens) * luck.uniform("hour", self.volume)
        order = np.argsort(hour, kind="stable")
        order = order[(day[order] >= first) & (day[order] <= last)]
        grades = pd.Index(self.prices.index)
        crates = batch.crates.iloc[order]
        given = pd.Series(decide(crates.copy())).reindex(crates.index)
        channel = grades.get_indexer(pd.Index(given))
        if (channel < 0).any():
            wrong = given[channel < 0].iloc[0]
            raise ValueError(f"channel {wrong!r} is none of {', '.join(grades)}; decide for every item")
        truth = grades.get_indexer(pd.Index(batch.truth.iloc[order]))
        chance = np.where(channel < truth, COMPLAINS_IF_UNDERPAID, COMPLAINS_ANYWAY)
        complained = luck.uniform("complains", self.volume)[order] < chance
        return Served(hour[order], group[order], channel, truth, complained, fee)

    def close(self, week: int, parts: Sequence[Served], *, price: float = 1.0) -> Week:
        """Close the books of a week that was served in one part or several.

        Parameters
        ----------
        week
            The week.
        parts
            All that was served in it.
        price
            The price at the week's start, as a share of the full one.
        """
        group, channel, truth, complained = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("group", "channel", "truth", "complained")
        )
        value = self.prices.to_numpy()[truth, channel]
        sold = channel >= 2
        value = np.where(sold & (value > 0), value * price, value)
        returned = float(RETURNS[truth, channel].sum() / max(int(sold.sum()), 1))
        # a share is lost, so the price needs no floor: at a floor the damage could not be estimated
        after = (price + RECOVERY * (1 - price)) * math.exp(-DAMAGE * self.trust_damage * returned)
        fees = sum(part.fee * len(part.hour) for part in parts)
        return Week(
            week=week,
            revenue=round(float(value[value > 0].sum()), 6),
            profit=round(float(value.sum()) - fees, 6),
            price=price,
            next_price=float(after),
            sold=int(sold.sum()),
            returned=returned,
            items={name: int((group == place).sum()) for place, name in enumerate(self.groups)},
            complaints={
                name: int(complained[group == place].sum()) for place, name in enumerate(self.groups)
            },
            priced=round(float(value[sold & (value > 0)].sum()), 6),
        )

    def serve(self, week: int, decide: Decide, *, price: float = 1.0, fee: float = 0.0) -> Week:
        """Sell one whole week's items by the channels that `decide` gives them.

        Parameters
        ----------
        week, decide, fee
            As in `days`.
        price
            As in `close`.
        """
        return self.close(week, [self.days(week, decide, fee=fee)], price=price)

    def run(self, decide: Decide, weeks: Iterable[int], *, fee: float = 0.0) -> tuple[Week, ...]:
        """Serve week after week; each begins at the price the one before has left.

        Parameters
        ----------
        decide
            As in `days`.
        weeks
            The weeks, in order.
        fee
            As in `days`.
        """
        log: list[Week] = []
        for week in weeks:
            log.append(self.serve(week, decide, price=log[-1].next_price if log else 1.0, fee=fee))
        return tuple(log)


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
