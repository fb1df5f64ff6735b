"""Does one group complain more? A test that may be looked at after every item, with a known false-alarm rate.

Each item of the small group is matched with items of the others that came before it. If both groups complain
equally often, then a complaint within such a match is as likely to be anybody's: a fair bet. The pager bets
on the small group, and rings when it has won so much that luck is no explanation. Left out: who is on call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Page", "Pager"]

ODDS = (2.0, 4.0, 8.0)
"""How many times as likely the small group is to complain; the pager splits its stake over these."""

MATCHED = 5
"""With how many items of the others one item of the small group is matched, where there are as many."""


@dataclass(frozen=True)
class Page:
    """A call in the night.

    Parameters
    ----------
    hour
        Hours since the start of week 0.
    group
        Who complains more often.
    rate, other_rate
        Share of the group's items, and of all others, that were complained about since the watch began.
    evidence
        What the bets have made of a stake of 1.

    Examples
    --------
    >>> page = Page(hour=2018.25, group="handheld", rate=0.125, other_rate=0.02, evidence=180.0)
    >>> page.day, page.week, page.clock
    (84, 12, '02:15')
    """

    hour: float
    group: str
    rate: float
    other_rate: float
    evidence: float

    @property
    def day(self) -> int:
        """The day of the season."""
        return int(self.hour // 24)

    @property
    def week(self) -> int:
        """The week of the season."""
        return self.day // 7

    @property
    def clock(self) -> str:
        """The time of day."""
        minutes = int(self.hour % 24 * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    def __str__(self) -> str:
        return (
            f"PAGE, {self.clock} on day {self.day}: {self.rate:.1%} of the {self.group} items are complained "
            f"about, {self.other_rate:.1%} of all others. Luck alone wins this bet once in "
            f"{self.evidence:,.0f}."
        )


class Pager:
    """Watch complaints item by item, and ring when one group complains more often than the others.

    Answers: is there more to it than luck? It may be asked after every item: over any length of time it rings
    without a cause with a probability of at most `alpha` (Ville 1939). It cannot say why they complain, or
    whether those who do not complain have no reason to.

    Parameters
    ----------
    group
        The group watched.
    alpha
        Probability of ever ringing without a cause.

    Raises
    ------
    ValueError
        If `alpha` is not between 0 and 1.

    Notes
    -----
    The bets: Shafer (2021), *Testing by betting*; the matching makes the common complaint rate, which nobody
    knows, cancel out.

    Examples
    --------
    >>> pager = Pager("handheld")
    >>> calls = [pager.see(float(i), i % 6 == 5, i % 12 == 5) for i in range(200)]
    >>> next(call for call in calls if call).hour
    77.0
    >>> pager.evidence > 1000, pager.copy().evidence == pager.evidence
    (True, True)
    >>> Pager("handheld").watch([(6.0, False, True), (26.0, True, False)]) is None
    True
    """

    def __init__(self, group: str, alpha: float = 0.001) -> None:
        if not 0 < alpha < 1:
            raise ValueError(f"alpha={alpha!r}: a probability between 0 and 1 is needed, such as 0.01")
        self.group, self.alpha = group, alpha
        self._stakes = [1 / len(ODDS)] * len(ODDS)
        self._waiting: list[bool] = []
        self._seen, self._complaints = [0, 0], [0, 0]

    @property
    def evidence(self) -> float:
        """What the bets have made of a stake of 1 so far."""
        return math.fsum(self._stakes)

    def copy(self) -> Pager:
        """Give a pager that has seen the same."""
        other = Pager(self.group, self.alpha)
        other._stakes, other._waiting = list(self._stakes), list(self._waiting)
        other._seen, other._complaints = list(self._seen), list(self._complaints)
        return other

    def see(self, hour: float, in_group: bool, complained: bool) -> Page | None:
        """Take the next item, in the order of the clock.

        Parameters
        ----------
        hour
            Hours since the start of week 0.
        in_group
            Whether the item is the group's.
        complained
            Whether its supplier complained.
        """
        self._seen[in_group] += 1
        self._complaints[in_group] += complained
        if not in_group:
            self._waiting.append(complained)
            return None
        matched, self._waiting = self._waiting[-MATCHED:], self._waiting[:-MATCHED]
        among = sum(matched) + complained
        if not 0 < among <= len(matched):  # nobody or everybody complained: nothing to bet on
            return None
        fair = among / (len(matched) + 1)
        for place, odds in enumerate(ODDS):
            bet = odds * among / (odds * among + len(matched) + 1 - among)
            self._stakes[place] *= bet / fair if complained else (1 - bet) / (1 - fair)
        if self.evidence < 1 / self.alpha:
            return None
        rate, other = (self._complaints[k] / max(self._seen[k], 1) for k in (1, 0))
        return Page(hour, self.group, rate, other, self.evidence)

    def watch(self, items: Iterable[tuple[float, bool, bool]]) -> Page | None:
        """Take items until it rings.

        Parameters
        ----------
        items
            For each the arguments of `see`.
        """
        for hour, in_group, complained in items:
            page = self.see(hour, bool(in_group), bool(complained))
            if page is not None:
                return page
        return None
