"""Retraining policies: never, by the calendar, when a monitor says so, or all the time? Compared by cost.

A policy sees what a team could see: outcomes on the crates that an expert opened, week by week. What it
costs is reckoned by the truth, which no policy sees. Each is a small frozen class with one method. Your own
needs no base class:

    @dataclass(frozen=True)
    class AfterHarvest:
        week: int

        def act(self, seen: Observation) -> Action:
            return "retrain" if seen.week == self.week else "keep"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.performance.expectation import expectation

__all__ = ["Continual", "Never", "Observation", "Scheduled", "Triggered", "compare_policies", "operate"]

Action = Literal["keep", "retrain", "update"]
Outcomes = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Observation:
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
    >>> Observation(week=1, since=1, right=(np.array([True, False]),)).right[-1].mean()
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
    >>> policy.act(Observation(week=1, since=1))
    'keep'
    """

    def act(self, seen: Observation) -> Action:
        """Give "keep", "retrain" (anew, on the last weeks) or "update" (go on from the present model)."""
        ...


@dataclass(frozen=True)
class Never:
    """Keep the model that was deployed.

    Examples
    --------
    >>> Never().act(Observation(week=9, since=9))
    'keep'
    """

    def act(self, seen: Observation) -> Action:
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
    >>> [Scheduled(4).act(Observation(week=week, since=week)) for week in (3, 4)]
    ['keep', 'retrain']
    """

    every: int

    def __post_init__(self) -> None:
        if self.every != int(self.every) or self.every < 1:
            raise ValueError(f"every={self.every!r}: give a whole number of weeks, 1 or more")

    def act(self, seen: Observation) -> Action:
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
    >>> Triggered(promised=0.85).act(Observation(week=1, since=1, right=(bad_week,)))
    'retrain'
    """

    promised: float
    margin: float = 0.05
    weeks: int = 2

    def act(self, seen: Observation) -> Action:
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
    >>> Continual().act(Observation(week=1, since=1))
    'update'
    """

    def act(self, seen: Observation) -> Action:
        """Give "update"."""
        return "update"


class _Week(Protocol):
    """A week as `operate` needs it; a `worlds.Batch` is one."""

    @property
    def crates(self) -> pd.DataFrame:
        """What the model sees."""
        ...

    @property
    def labels(self) -> pd.Series[Any]:
        """What training sees, a week later."""
        ...

    @property
    def truth(self) -> pd.Series[Any]:
        """What the cost is reckoned by."""
        ...

    @property
    def checked(self) -> pd.Series[Any]:
        """The rows whose outcome the policy sees."""
        ...


@dataclass(frozen=True, eq=False)
class Operation:
    """How a policy did.

    Parameters
    ----------
    weeks
        A row for each week: `accuracy` and `loss` by the truth, `action` at its end, `cost` of both.
    model
        The model at the end.

    Examples
    --------
    >>> done = Operation(weeks=pd.DataFrame({"loss": [3.0], "action": ["retrain"], "cost": [5.0]}))
    >>> done.cost, done.trainings
    (5.0, 1)
    """

    weeks: pd.DataFrame
    model: Any = field(default=None, repr=False)

    @property
    def cost(self) -> float:
        """All costs together."""
        return float(self.weeks["cost"].sum())

    @property
    def trainings(self) -> int:
        """How often the model was trained anew."""
        return int((self.weeks["action"] == "retrain").sum())


def operate(
    policy: RetrainingPolicy,
    weeks: Sequence[_Week],
    model: Any,
    *,
    loss: Callable[[pd.Series[Any], pd.Series[Any]], float],
    train: Callable[[pd.DataFrame, pd.Series[Any]], Any],
    update: Callable[[Any, pd.DataFrame, pd.Series[Any]], Any] | None = None,
    features: Sequence[str] | None = None,
    window: int = 2,
    retrain_cost: float = 0.0,
    update_cost: float = 0.0,
) -> Operation:
    """Let a policy run a model through some weeks, and add up what it costs.

    Each week the model answers all rows; then the policy sees the outcomes of the checked rows and acts, and
    the next week meets the result. It answers "which policy is cheapest *in this world*?". It cannot tell how
    long training, testing and release would take (here: until the next week), and it misleads where real
    labels come later than that.

    Parameters
    ----------
    policy
        Any object with the method `act`.
    weeks
        Batches in the order of time, such as `[orchard.week(w) for w in range(4, 20)]`.
    model
        The model at the start, with `predict`.
    loss
        Takes answers and truth of a week, gives what wrong answers cost.
    train
        Takes inputs and labels of the last `window` weeks, gives a model.
    update
        Takes a model, inputs and labels of the last week, gives the model that has learned on. It may change
        and return the one that it was given, unless that is used elsewhere.
    features
        The columns that the model sees; None is all.
    window
        From how many last weeks it is trained anew.
    retrain_cost, update_cost
        What one training or one update costs, labels included, in the unit of the loss.

    Raises
    ------
    ValueError
        For no weeks, an unknown action, or an update without a function for it.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from mlops_lab import worlds
    >>> orchard = worlds.Orchard()
    >>> weeks = [orchard.week(week, n=50) for week in (4, 5)]
    >>> def train(crates, labels):
    ...     return DummyClassifier().fit(crates, labels)
    >>> done = operate(Scheduled(1), weeks, train(weeks[0].crates, weeks[0].labels), train=train,
    ...     loss=lambda grades, truth: float((grades != truth).sum()), retrain_cost=10)
    >>> done.weeks["action"].tolist()
    ['retrain', 'retrain']

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    if not weeks or window < 1:
        raise ValueError(f"{len(weeks)} weeks, window={window!r}: at least one of each is needed")
    price = {"keep": 0.0, "retrain": float(retrain_cost), "update": float(update_cost)}
    rows, outcomes, since = [], list[Outcomes](), 0
    for number, week in enumerate(weeks, start=1):
        inputs = week.crates if features is None else week.crates[list(features)]
        answers = pd.Series(model.predict(inputs), index=week.truth.index, dtype=object)
        right = np.asarray(answers == week.truth)
        outcomes.append(right[np.asarray(week.checked)])
        since += 1
        action = policy.act(Observation(number, since, tuple(outcomes)))
        if action not in price:
            raise ValueError(f"{policy!r} answered {action!r}: one of {', '.join(price)} is needed")
        if action == "retrain":
            last = weeks[max(0, number - window) : number]
            past = pd.concat([each.crates for each in last])
            model = train(
                past if features is None else past[list(features)], pd.concat([b.labels for b in last])
            )
            since = 0
        elif action == "update":
            if update is None:
                raise ValueError(f"{policy!r} wants to update: give operate a function for it, update=")
            model = update(model, inputs, week.labels)
        lost = float(loss(answers, week.truth))
        rows.append((float(right.mean()), lost, action, lost + price[action]))
    frame = pd.DataFrame(rows, columns=["accuracy", "loss", "action", "cost"])
    frame.index = pd.RangeIndex(1, len(rows) + 1, name="week")
    return Operation(frame, model)


def compare_policies(operations: Mapping[str, Operation]) -> pd.DataFrame:
    """Put the costs of several policies side by side, cheapest first.

    Parameters
    ----------
    operations
        Name -> what came out, all over the same weeks.

    Returns
    -------
    pandas.DataFrame
        `accuracy` on average, `trainings`, `updates`, `loss` by wrong answers, `cost` in all.

    Examples
    --------
    >>> weeks = pd.DataFrame({"accuracy": [0.5], "loss": [3.0], "action": ["keep"], "cost": [3.0]})
    >>> compare_policies({"never": Operation(weeks)})["cost"].to_dict()
    {'never': 3.0}

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    rows = {
        name: {
            "accuracy": done.weeks["accuracy"].mean(),
            "trainings": done.trainings,
            "updates": int((done.weeks["action"] == "update").sum()),
            "loss": done.weeks["loss"].sum(),
            "cost": done.cost,
        }
        for name, done in operations.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("cost")
