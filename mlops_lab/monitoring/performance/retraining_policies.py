"""When to train again: the rules, each a small frozen class with one method.

A policy sees what a team could see: outcomes on the crates that were checked. Your own needs no base class:

    @dataclass(frozen=True)
    class AfterHarvest:
        week: int

        def act(self, seen: SoFar) -> Action:
            return "retrain" if seen.week == self.week else "keep"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from mlops_lab.monitoring.performance.expectation import expectation

__all__ = ["Action", "Continual", "Never", "RetrainingPolicy", "Scheduled", "SoFar", "Triggered"]

Action = Literal["keep", "retrain", "update"]
Outcomes = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SoFar:
    """What a policy knows at the end of a week.

    Parameters
    ----------
    week
        Number of weeks that have passed since the start, this one included.
    since
        Weeks since the model was last trained, this one included.
    right
        Outcomes on the checked crates, an array for each week, oldest first.

    Examples
    --------
    >>> SoFar(week=1, since=1, right=(np.array([True, False]),)).right[-1].mean()
    np.float64(0.5)
    """

    week: int
    since: int
    right: tuple[Outcomes, ...] = ()


class RetrainingPolicy(Protocol):
    """Anything that says at the end of a week what to do with the model.

    Examples
    --------
    >>> policy: RetrainingPolicy = Never()
    >>> policy.act(SoFar(week=1, since=1))
    'keep'
    """

    def act(self, seen: SoFar) -> Action:
        """Give "keep", "retrain" (anew, on the last weeks) or "update" (go on from the present model)."""
        ...


@dataclass(frozen=True)
class Never:
    """Keep the model that was deployed.

    Examples
    --------
    >>> Never().act(SoFar(week=9, since=9))
    'keep'
    """

    def act(self, seen: SoFar) -> Action:
        """Give "keep"."""
        return "keep"


@dataclass(frozen=True)
class Scheduled:
    """Train anew every so many weeks, whatever the model does.

    It needs no monitor. It pays when nothing has changed, and comes late when something has.

    Parameters
    ----------
    every
        Weeks from one training to the next.

    Examples
    --------
    >>> [Scheduled(4).act(SoFar(week=week, since=week)) for week in (3, 4)]
    ['keep', 'retrain']
    """

    every: int

    def __post_init__(self) -> None:
        if self.every != int(self.every) or self.every < 1:
            raise ValueError(f"every={self.every!r}: give a whole number of weeks, 1 or more")

    def act(self, seen: SoFar) -> Action:
        """Give "retrain" when the weeks are over."""
        return "retrain" if seen.since >= self.every else "keep"


@dataclass(frozen=True)
class Triggered:
    """Train anew when the last weeks' outcomes break the promise for certain.

    It pays only when it must. It is as blind as the labels that it sees: where only the best crates are
    checked, it comes late or never.

    Parameters
    ----------
    promised
        The share of right answers expected.
    margin
        How far below it is still in order.
    weeks
        From how many of the last weeks the outcomes are taken, at most back to the last training.

    Examples
    --------
    >>> bad_week = np.array([True] * 60 + [False] * 60)
    >>> Triggered(promised=0.85).act(SoFar(week=1, since=1, right=(bad_week,)))
    'retrain'
    """

    promised: float
    margin: float = 0.05
    weeks: int = 2

    def act(self, seen: SoFar) -> Action:
        """Give "retrain" where the whole interval lies below the limit."""
        recent = [week for week in seen.right[-min(self.weeks, seen.since) :] if week.size]
        if not recent:
            return "keep"
        found = expectation(np.concatenate(recent), self.promised, margin=self.margin)
        return "retrain" if found.ok is False else "keep"


@dataclass(frozen=True)
class Continual:
    """Let the present model learn on from each new week.

    It follows every change by itself, and every nonsense too; what no longer comes it may forget.

    Examples
    --------
    >>> Continual().act(SoFar(week=1, since=1))
    'update'
    """

    def act(self, seen: SoFar) -> Action:
        """Give "update"."""
        return "update"
