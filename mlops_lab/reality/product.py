"""The orchard's production weeks: a grade decides the channel, and returns and complaints follow from it.

Left out: the player, the policies and the score; seasons and competitors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlops_lab.worlds import GRADES, PRICES, Orchard, Streams

__all__ = ["Product", "Week"]

RECOVERY, DAMAGE = 0.05, 0.28
"""Share of the lost price that comes back in a week, and how fast returns take it away; this world's own."""


@dataclass(frozen=True)
class Week:
    """What the co-operative's log says of one week; the truth is not in it.

    Parameters
    ----------
    week
        Its number.
    money
        What the crates brought, less the fee of grading by hand.
    price, next_price
        The price that buyers pay, as a share of the full one, in this week and in the next.
    sold
        Crates sold as table or premium fruit.
    returned
        Weighted returns for each crate sold; a spoiled crate counts three times.
    crates, complaints
        Number of crates and of complaints for each scanner.

    Examples
    --------
    >>> Week(3, 100.0, 1.0, 0.9, 10, 0.2, {"belt": 20}, {"belt": 1}).next_price
    0.9
    """

    week: int
    money: float
    price: float
    next_price: float
    sold: int
    returned: float
    crates: dict[str, int]
    complaints: dict[str, int]


@dataclass(frozen=True)
class Product:
    """The packhouse in production, with what each decision leads to.

    Answers: what do grades lead to over weeks, beyond their face value. Two policies meet the same crates and
    the same luck (common random numbers), so their difference is the effect of the decisions alone. It cannot
    tell how fast real buyers lose or regain trust: the speeds are this world's.

    Parameters
    ----------
    orchard
        The world the crates come from.
    volume
        Crates a week.
    trust_damage
        How much returns hurt the price; 0 is not at all.

    Raises
    ------
    ValueError
        If the volume is below 1 or the damage is negative.

    Examples
    --------
    >>> from mlops_lab.worlds import rule_card
    >>> product = Product(Orchard(seed=0), volume=300)
    >>> weeks = product.run(rule_card, range(6, 8))
    >>> [week.week for week in weeks], weeks[1].price == weeks[0].next_price
    ([6, 7], True)
    >>> product.serve(6, rule_card) == weeks[0]
    True
    """

    orchard: Orchard
    volume: int = 1200
    trust_damage: float = 1.0

    def __post_init__(self) -> None:
        if self.volume < 1:
            raise ValueError(f"volume={self.volume!r}: at least one crate a week is needed")
        if not self.trust_damage >= 0:
            raise ValueError(f"trust_damage={self.trust_damage!r}: 0 or more is needed")

    def serve(
        self, week: int, decide: Callable[[pd.DataFrame], pd.Series], *, price: float = 1.0, fee: float = 0.0
    ) -> Week:
        """Sell one week's crates by the channels that `decide` gives them.

        Parameters
        ----------
        week
            The week.
        decide
            Gives the channel, a word of ``worlds.GRADES``, for each row of a frame of readings.
        price
            The price at the week's start, as a share of the full one.
        fee
            Cost of a decision, for each crate.

        Returns
        -------
        Week
            The log of the week.

        Raises
        ------
        ValueError
            If a channel is missing or unknown.
        """
        batch = self.orchard.week(week, n=self.volume)
        given = pd.Series(decide(batch.crates.copy())).reindex(batch.crates.index)
        channel = pd.Index(GRADES).get_indexer(pd.Index(given))
        if (channel < 0).any():
            wrong = given[channel < 0].iloc[0]
            raise ValueError(f"channel {wrong!r} is none of {', '.join(GRADES)}; decide for every crate")
        truth = pd.Index(GRADES).get_indexer(pd.Index(batch.truth))
        value = PRICES.to_numpy()[truth, channel]
        sold, over = channel >= 2, (channel >= 2) & (truth < channel)
        value = np.where(sold & (value > 0), value * price, value)
        returned = float((over + 2.0 * (over & (truth == 0))).sum() / max(int(sold.sum()), 1))
        # a share is lost, so the price needs no floor: at a floor the damage could not be estimated
        after = (price + RECOVERY * (1 - price)) * np.exp(-DAMAGE * self.trust_damage * returned)
        luck = Streams(self.orchard.seed, "complaints", week).uniform("complains", self.volume)
        complains = luck < np.where(channel < truth, 0.20, 0.004)
        scanner = batch.crates["scanner"].to_numpy()
        names = sorted(set(scanner))
        return Week(
            week=week,
            money=round(float(value.sum()) - fee * self.volume, 6),
            price=price,
            next_price=float(after),
            sold=int(sold.sum()),
            returned=returned,
            crates={name: int((scanner == name).sum()) for name in names},
            complaints={name: int(complains[scanner == name].sum()) for name in names},
        )

    def run(
        self, decide: Callable[[pd.DataFrame], pd.Series], weeks: Iterable[int], *, fee: float = 0.0
    ) -> tuple[Week, ...]:
        """Serve week after week; each begins at the price the one before has left.

        Parameters
        ----------
        decide
            As in `serve`.
        weeks
            The weeks, in order.
        fee
            As in `serve`.

        Returns
        -------
        tuple of Week
            One log for each week.
        """
        log: list[Week] = []
        for week in weeks:
            log.append(self.serve(week, decide, price=log[-1].next_price if log else 1.0, fee=fee))
        return tuple(log)
