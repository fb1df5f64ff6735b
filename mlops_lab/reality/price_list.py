"""What may be asked for in a game, at what price and for how long: checked whole before anything changes.

Left out: doing it; that is `Season`.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops_lab.reality.game_state import GameState
from mlops_lab.reality.registry import METRICS, can_hold_out
from mlops_lab.reality.scenario import SYMPTOMS

__all__ = ["ACTIONS", "MOST", "TESTED", "Bill", "bill"]

SOURCES = ("archive", "recent")
"""The items that were kept, of weeks 0 to 3; and those of the last two full weeks."""

CHOICES = ("suspects", "random")
"""Which labels are looked at again: those that a model finds least likely, or any."""

TESTED = {"labels": 250, "class": 120, "recent": 250, "bias": 0, "revenue": 300}
"""How many items a test buys if nothing else is said: in all, of each grade, of each time, none, now."""

MOST = 50_000
"""So many items can be asked for at once."""

ACTIONS = (
    "collect",
    "gold",
    "audit",
    "test",
    "relabel",
    "train",
    "deploy",
    "rollback",
    "choose_metric",
    "tick",
    "finish",
)
"""All that a player can do."""


@dataclass(frozen=True)
class Bill:
    """What an action costs.

    Parameters
    ----------
    money, days
        Both from 0.

    Examples
    --------
    >>> Bill(156.0, 2) + Bill(20.0, 1)
    Bill(money=176.0, days=3)
    """

    money: float = 0.0
    days: int = 0

    def __add__(self, other: Bill) -> Bill:
        return Bill(self.money + other.money, self.days + other.days)


def bill(game: GameState, action: str, **asked: Any) -> Bill:
    """Check that an action is possible now, and say what it costs; nothing is done."""
    if action not in ACTIONS:
        raise ValueError(f"action {action!r} is none of {', '.join(ACTIONS)}")
    if game.over:
        raise ValueError(f"the season is over since day {game.day}; start a new game")
    try:
        inspect.signature(_RULES[action]).bind(game, **asked)
    except TypeError as error:
        raise TypeError(f"{action}: {error}") from None
    cost: Bill = _RULES[action](game, **asked)
    if cost.money > game.money:
        raise ValueError(
            f"{action} costs {cost.money:,.2f}, and {game.money:,.2f} of the budget are left; ask for less"
        )
    return cost


def _collect(
    game: GameState,
    n: int,
    source: str = "archive",
    group: str | None = None,
    grade: str | None = None,
    expert: bool = False,
) -> Bill:
    _whole("n", n, 1, MOST)
    _where(game, source, group, grade)
    if not isinstance(expert, bool):
        raise TypeError(f"expert={expert!r}: True or False is needed")
    dials = game.scenario
    price = dials.routine_cost if not expert else dials.expert_cost
    price = dials.targeted_cost if grade is not None else price
    pace = dials.expert_pace if expert or grade is not None else dials.routine_pace
    fetched = {None: 0.0, "all": dials.group_share}.get(group, float(group == dials.small_group))
    factor = 1 + (dials.fetch_factor - 1) * fetched * (source == "recent")
    return Bill(round(n * price * factor, 2), math.ceil(n / pace))


def _gold(
    game: GameState, n: int, source: str = "archive", group: str | None = None, grade: str | None = None
) -> Bill:
    _whole("n", n, 1, MOST)
    _where(game, source, group, grade)
    return Bill(round(n * game.scenario.expert_cost, 2), math.ceil(n / game.scenario.expert_pace))


def _audit(game: GameState, n: int = 250) -> Bill:
    _whole("n", n, 1, len(_rows(game, "audit")))
    return Bill(round(n * game.scenario.expert_cost, 2), math.ceil(n / game.scenario.expert_pace))


def _test(game: GameState, symptom: str, n: int | None = None, version: str | None = None) -> Bill:
    if symptom not in SYMPTOMS:
        raise ValueError(f"symptom {symptom!r} is none of {', '.join(SYMPTOMS)}")
    count = TESTED[symptom] if n is None else n
    if symptom == "bias":
        if n is not None or version is not None:
            raise ValueError(
                "the test for bias reads the log since the last deployment: leave n and version out"
            )
        seen = set(game.complaints[game.scenario.device])
        if len(seen) < 2:
            raise ValueError("no items of both groups since the last deployment; let time pass")
        return Bill()
    if symptom == "labels":
        if version is not None:
            raise ValueError("the test of labels is about data, not about a version: leave version out")
        return _audit(game, min(count, len(_rows(game, "test"))) if n is None else n)
    _whole("n", count, 10, MOST)
    if version is not None:
        _known(game, version)
    if symptom == "revenue" and version not in (None, game.live):
        raise ValueError(f"the test of revenue is about what is live, {game.live}: leave version out")
    if symptom == "recent" and game.week < 6:
        raise ValueError(f"week {game.week}: all recent items are in the archive still; let time pass")
    count *= {"class": 4, "recent": 2, "revenue": 1}[symptom]
    dials = game.scenario
    return Bill(round(count * dials.expert_cost, 2), math.ceil(count / dials.expert_pace))


def _relabel(game: GameState, n: int, choose: str = "suspects") -> Bill:
    unsure = len(_rows(game, "relabel")) - int(game.sure.sum())
    if not unsure:
        raise ValueError("an expert has seen every label already: nothing is left to relabel")
    _whole("n", n, 1, unsure)
    if choose not in CHOICES:
        raise ValueError(f"choose={choose!r} is none of {', '.join(CHOICES)}")
    if choose == "suspects" and not can_hold_out(game.labels):
        raise ValueError(
            f"{len(game.labels)} labels are too few for models that name suspects: collect more, of two "
            "grades at least, or choose='random'"
        )
    guide = 0.0 if game.guided else game.scenario.guide_cost
    return Bill(round(n * game.scenario.relabel_cost + guide, 2), math.ceil(n / game.scenario.expert_pace))


def _train(
    game: GameState,
    features: Sequence[str] | None = None,
    recent_weight: int = 1,
    since: int | None = None,
    note: str = "",
) -> Bill:
    rows = game.data
    if not len(rows):
        raise ValueError("there is nothing to train on: collect labelled items first")
    if since is not None:
        _whole("since", since, 0, game.week)
        rows = rows[rows["week"] >= since]
        if not len(rows):
            raise ValueError(
                f"since={since}: no row is as young; the youngest is of week {game.data['week'].max()}"
            )
    if rows["label"].nunique() < 2:
        raise ValueError(f"all labels are {rows['label'].iloc[0]}: collect items of other grades, too")
    known = (*game.scenario.features, game.scenario.device)
    if features is not None:
        if isinstance(features, str) or not isinstance(features, (list, tuple)):
            raise TypeError(f"features={features!r}: a list of names is needed, out of {', '.join(known)}")
        unknown = [name for name in features if name not in known]
        if unknown or not features or len(set(features)) < len(features):
            what = f"there is no feature {unknown[0]!r}" if unknown else "each feature once, and at least one"
            raise ValueError(f"features={list(features)!r}: {what}; there are {', '.join(known)}")
    _whole("recent_weight", recent_weight, 1, 20)
    if not isinstance(note, str):
        raise TypeError(f"note={note!r}: a text is needed")
    return Bill(game.scenario.train_cost, 1)


def _deploy(game: GameState, version: str) -> Bill:
    _known(game, version)
    if version == game.live:
        raise ValueError(f"{version} is live already")
    return Bill()


def _rollback(game: GameState, version: str) -> Bill:
    _deploy(game, version)
    names = list(game.registry)
    if names.index(version) > names.index(game.live):
        raise ValueError(f"{version} is newer than {game.live}, which is live; deploy it instead")
    return Bill()


def _choose_metric(game: GameState, name: str, return_cost: float | None = None) -> Bill:
    if name not in METRICS:
        raise ValueError(f"metric {name!r} is none of {', '.join(METRICS)}")
    if return_cost is None:
        if name == "money":
            game.return_price()  # raises where the log is too short
        return Bill()
    if name == "accuracy":
        raise ValueError("accuracy knows no money: leave return_cost out")
    if isinstance(return_cost, bool) or not isinstance(return_cost, numbers.Real):
        raise TypeError(
            f"return_cost={return_cost!r}: money for one return is needed, or None for an estimate"
        )
    if not 0 <= float(return_cost) < 1e6:
        raise ValueError(f"return_cost={return_cost!r}: money from 0 to a million is needed")
    return Bill()


def _tick(game: GameState, days: int, pager: bool = True) -> Bill:
    _whole("days", days, 1, 7 * 104)
    if not isinstance(pager, bool):
        raise TypeError(f"pager={pager!r}: True (on) or False (switched off) is needed")
    return Bill()


def _finish(game: GameState) -> Bill:
    return Bill()


_RULES: dict[str, Any] = {
    "collect": _collect,
    "gold": _gold,
    "audit": _audit,
    "test": _test,
    "relabel": _relabel,
    "train": _train,
    "deploy": _deploy,
    "rollback": _rollback,
    "choose_metric": _choose_metric,
    "tick": _tick,
    "finish": _finish,
}


def _whole(name: str, value: object, low: int, high: int) -> None:
    wanted = f"{name}={value!r}: a whole number from {low:,} to {high:,} is needed"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(wanted)
    if not low <= int(value) <= high:
        raise ValueError(wanted)


def _where(game: GameState, source: str, group: str | None, grade: str | None) -> None:
    if source not in SOURCES:
        raise ValueError(f"source={source!r} is none of {', '.join(SOURCES)}")
    groups, grades = (*game.scenario.groups, "all"), game.scenario.grades
    for name, value, known in (("group", group, groups), ("grade", grade, grades)):
        if value is not None and value not in known:
            raise ValueError(f"{name}={value!r} is none of {', '.join(known)}; None for what comes by itself")


def _rows(game: GameState, action: str) -> Any:
    if not len(game.data):
        raise ValueError(f"there are no labels to {action}: collect items first")
    return game.data


def _known(game: GameState, version: object) -> None:
    if not isinstance(version, str) or version not in game.registry:
        raise ValueError(f"there is no version {version!r}; there are {', '.join(game.registry)}")
