"""When to train again: never, by the calendar, when a monitor says so, or all the time? Compared by cost.

A policy sees what a team could see: outcomes on the crates that an expert opened, week by week. What it
costs is reckoned by the truth, which no policy sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from mlops_lab.monitoring.performance.retraining_policies import Outcomes, RetrainingPolicy, SoFar

__all__ = ["Operation", "compare_policies", "operate"]


class Crates(Protocol):
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
    weeks: Sequence[Crates],
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
    >>> from mlops_lab.monitoring.performance.retraining_policies import Scheduled
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
        action = policy.act(SoFar(number, since, tuple(outcomes)))
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
