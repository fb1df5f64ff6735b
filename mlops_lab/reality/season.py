"""A season, played: what a player sees, and what a player can do about it.

Buy data and labels, test, train, deploy, go back, choose a metric, let time pass. Every action is checked
whole before anything changes (price_list.py); then it is paid, then time passes and whatever is live serves
the weeks (game_state.py), then it happens and is logged. Left out: what it was all worth (evaluation.py).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.reality import game_log, price_list, symptoms
from mlops_lab.reality.game_state import GameState, let_pass, new_game
from mlops_lab.reality.hidden_truth import ARCHIVE_WEEKS, Drawn
from mlops_lab.reality.pager import Page
from mlops_lab.reality.price_list import Bill
from mlops_lab.reality.product import Week
from mlops_lab.reality.registry import RegisteredModel, fit, held_out
from mlops_lab.reality.scenario import Scenario, load_scenario
from mlops_lab.reality.symptoms import Symptom

__all__ = ["Season"]


class Season:
    """A game: a season with a budget, a calendar, and a product that sells every week by what is live.

    Answers: what would have come of it? Models are really trained, the live version really serves, and what
    is known of the truth was paid for. Two seasons with one scenario and seed meet the same items and luck,
    so a `fork` shows what one decision did. It cannot tell what your decision would do outside this world.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    seed
        Picks the luck, a whole number from 0.

    Raises
    ------
    ValueError
        From every action that is not possible; nothing has changed then, and the message says what is
        possible.
    TypeError
        Likewise, for an argument of the wrong kind.

    Examples
    --------
    >>> season = Season("orchard", seed=0)
    >>> rows = season.collect(400)
    >>> season.train(note="a first try")
    'v1'
    >>> season.deploy("v1")
    >>> season.tick(14)
    >>> season.live, season.day, len(season.weeks), season.money
    ('v1', 45, 2, 24740.0)
    >>> season.quote("gold", n=100)
    Bill(money=400.0, days=1)

    Measure with labels that are right, mend those that are not, and go back if need be:

    >>> gold = season.gold(50)
    >>> season.test("labels", 100).fired, season.audit(50).symptom
    (True, 'labels')
    >>> changed = season.relabel(60)
    >>> season.deploy(season.train())
    >>> season.rollback("v1")
    >>> cost = season.choose_metric("money", return_cost=10)

    A fork is the world in which something else is done; a saved game can be played again:

    >>> other = season.fork()
    >>> other.finish()
    >>> season.over, other.over
    (False, True)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     season.save(Path(folder) / "game.json")
    ...     again = Season.replay(Path(folder) / "game.json")
    >>> again.net == season.net
    True
    """

    def __init__(self, scenario: Scenario | str | Path = "orchard", *, seed: int = 0) -> None:
        known = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self._state = new_game(known, seed)

    # ------------------------------------------------------------ what a player sees

    @property
    def scenario(self) -> Scenario:
        """The story that is played."""
        return self._state.scenario

    @property
    def seed(self) -> int:
        """What picks the luck."""
        return self._state.seed

    @property
    def day(self) -> int:
        """Today."""
        return self._state.day

    @property
    def week(self) -> int:
        """The week of today."""
        return self._state.week

    @property
    def over(self) -> bool:
        """Whether the season is over."""
        return self._state.over

    @property
    def money(self) -> float:
        """What is left of the budget."""
        return self._state.money

    @property
    def net(self) -> float:
        """What the game is worth so far: the profit of the weeks in the books, less what was spent."""
        return self._state.net

    @property
    def data(self) -> pd.DataFrame:
        """The rows that were bought, with the labels that were paid for."""
        return self._state.data

    @property
    def registry(self) -> Mapping[str, RegisteredModel]:
        """All versions there are."""
        return MappingProxyType(self._state.registry)

    @property
    def live(self) -> str:
        """What grades now."""
        return self._state.live

    @property
    def metric(self) -> str:
        """By which metric channels are chosen."""
        return self._state.metric

    @property
    def return_cost(self) -> float:
        """What the metric "money" counts for one expected return."""
        return self._state.return_cost

    @property
    def weeks(self) -> tuple[Week, ...]:
        """The books: one entry for each whole week."""
        return tuple(self._state.weeks)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The calls in the night."""
        return tuple(self._state.pages)

    @property
    def reports(self) -> tuple[tuple[int, Symptom], ...]:
        """What the tests found, and on which day."""
        return tuple(self._state.reports)

    @property
    def actions(self) -> tuple[dict[str, Any], ...]:
        """What was done: the log that `save` writes."""
        return tuple(copy.deepcopy(self._state.actions))

    @property
    def complaints(self) -> pd.DataFrame:
        """Every item served since the last deployment, and whether its supplier complained."""
        return self._state.complaints

    def frame(self) -> pd.DataFrame:
        """Give the books as a table."""
        columns = ("version", "metric", "revenue", "profit", "price", "sold", "returned")
        rows = []
        for week in self.weeks:
            shares = {
                f"complaints {group}": week.complaints[group] / max(week.items[group], 1)
                for group in week.items
            }
            rows.append({"week": week.week, **{name: getattr(week, name) for name in columns}, **shares})
        names = ["week", *columns, *(f"complaints {group}" for group in self.scenario.groups)]
        return pd.DataFrame(rows, columns=names).set_index("week")

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__} {self.scenario.name!r}, seed {self.seed}, day {self.day} "
            f"(week {self.week}): {self.live} is live, {len(self._state.labels):,} rows bought, "
            f"{self.money:,.0f} to spend, net {self.net:,.0f}"
        )

    # ------------------------------------------------------------ what a player can do

    def collect(
        self,
        n: int,
        *,
        source: str = "archive",
        group: str | None = None,
        grade: str | None = None,
        expert: bool = False,
    ) -> pd.DataFrame:
        """Buy labelled items to train on.

        Parameters
        ----------
        n
            How many.
        source
            "archive": items of weeks 0 to 3, hardly any of the small group. "recent": of the last two weeks.
        group
            One of the scenario's groups, or "all" for both as they come. None is what comes by itself: of
            recent items only those of the common devices, which upload them; others must be fetched, at a
            price.
        grade
            Let an expert pick items of this grade only; their labels are right.
        expert
            Let an expert label them, dearly and right, in place of the graders.
        """
        asked = {"n": n, "source": source, "group": group, "grade": grade, "expert": expert}
        uploads = source == "recent" and group in (None, self.scenario.groups[0])
        self._begin("collect", asked, "class" if grade is not None else "recent" if uploads else "")
        game = self._state
        drawn = _draw(game, "collect", n, source, group, grade)
        right = expert or grade is not None
        labels = drawn.truth if right else drawn.labels
        game.truth = np.concatenate([game.truth, drawn.truth])
        game.items = pd.concat([game.items, drawn.items]) if len(game.items) else drawn.items
        game.labels = np.concatenate([game.labels, labels])
        game.sure = np.concatenate([game.sure, np.full(n, right)])
        return drawn.items.assign(label=game.words(labels))

    def gold(
        self, n: int, *, source: str = "archive", group: str | None = None, grade: str | None = None
    ) -> pd.DataFrame:
        """Buy items with an expert's labels, to measure with; they do not become training data.

        Parameters
        ----------
        n, source, group, grade
            As in `collect`.
        """
        self._begin("gold", {"n": n, "source": source, "group": group, "grade": grade})
        return _gold(self._state, n, source, group, grade)

    def audit(self, n: int = 250) -> Symptom:
        """Let an expert look again at labels drawn at random; those looked at are right afterwards.

        Parameters
        ----------
        n
            How many rows.
        """
        self._begin("audit", {"n": n})
        return _noted(self._state, _audit(self._state, n))

    def test(self, symptom: str, n: int | None = None, *, version: str | None = None) -> Symptom:
        """Buy what a symptom's test needs, run it, and keep what it found.

        Parameters
        ----------
        symptom
            "labels": an audit. "class": items of each grade. "recent": old items and recent ones. "bias": the
            log of complaints since the last deployment, free. "revenue": a spot check; two, six weeks apart,
            decide.
        n
            How many items to buy (for "class" of each grade, for "recent" of each time); None is the usual
            number.
        version
            The version to be tested for "class" and "recent"; None is the newest.
        """
        self._begin("test", {"symptom": symptom, "n": n, "version": version})
        game = self._state
        return _noted(game, _test(game, symptom, price_list.TESTED[symptom] if n is None else n, version))

    def relabel(self, n: int, *, choose: str = "suspects") -> int:
        """Let an expert mend labels, and write a guide from which the graders label better ever after.

        Parameters
        ----------
        n
            How many labels to look at again.
        choose
            "suspects": those that models which have not seen them find least likely. "random": any.
        """
        self._begin("relabel", {"n": n, "choose": choose}, "labels")
        game = self._state
        unsure = np.flatnonzero(~game.sure)
        if choose == "random":
            rows = game.luck("relabel").permutation(unsure)[:n]
        else:
            likely = held_out(game.items, game.labels, game.scenario)
            margin = likely[np.arange(len(likely)), game.labels] - likely.max(axis=1)
            rows = unsure[np.argsort(margin[unsure], kind="stable")][:n]
        game.guided = True
        return _mend(game, rows)

    def train(
        self,
        *,
        features: Sequence[str] | None = None,
        recent_weight: int = 1,
        since: int | None = None,
        note: str = "",
    ) -> str:
        """Train a version on the data and put it into the registry.

        Parameters
        ----------
        features
            The columns to read: features of the scenario, and its device column if asked for. None is all
            features without the device.
        recent_weight
            How many times each row that is younger than the archive counts.
        since
            Leave out rows that are older than this week; None is none.
        note
            Why, for the registry.
        """
        names = None if features is None else features if isinstance(features, str) else tuple(features)
        asked = {"features": names, "recent_weight": recent_weight, "since": since, "note": note}
        self._begin("train", asked)
        game = self._state
        reads = game.scenario.features if names is None else tuple(names)
        week = game.items["week"].to_numpy(int)
        times = np.where(week > ARCHIVE_WEEKS[-1], recent_weight, 1) * (week >= (since or 0))
        rows = np.repeat(np.arange(len(week)), times)
        model = fit(game.items.iloc[rows], game.labels[rows], reads, game.scenario)
        return game.register(model, reads, note, int((times > 0).sum()))

    def deploy(self, version: str) -> None:
        """Let a version grade from now on.

        Parameters
        ----------
        version
            Its name.
        """
        self._begin("deploy", {"version": version})
        self._state.go_live(version)

    def rollback(self, version: str) -> None:
        """Let an older version grade again.

        Parameters
        ----------
        version
            Its name; older than the live one.
        """
        self._begin("rollback", {"version": version}, "bias")
        self._state.go_live(version)

    def choose_metric(self, name: str, *, return_cost: float | None = None) -> float:
        """Choose by what models send items to channels, from now on.

        Parameters
        ----------
        name
            "accuracy": the channel of the most likely grade. "money": the one that is expected to bring most.
        return_cost
            What "money" counts for one expected return; None estimates it from the books.
        """
        self._begin(
            "choose_metric", {"name": name, "return_cost": return_cost}, "revenue" if name == "money" else ""
        )
        if name == "money" and return_cost is None:
            return_cost = self._state.return_price().money
        self._state.metric, self._state.return_cost = name, float(return_cost or 0.0)
        return self._state.return_cost

    def tick(self, days: int, *, pager: bool = True) -> Page | None:
        """Let time pass; the pager ends it early, on the day on which it rings.

        Parameters
        ----------
        days
            How many; at most to the season's end.
        pager
            False switches the phone off: a page is noted, and time goes on.
        """
        self._begin("tick", {"days": days, "pager": pager})
        return let_pass(self._state, days, pager=pager)

    def finish(self) -> None:
        """Let the rest of the season pass with the phone off; nothing happens if it is over."""
        if not self.over:
            self._begin("finish", {})
            let_pass(self._state, self._state.last_day, pager=False)

    def quote(self, action: str, **arguments: Any) -> Bill:
        """Say what an action would cost now, without doing it.

        Parameters
        ----------
        action
            Its name.
        **arguments
            As for the action.
        """
        return price_list.bill(self._state, action, **arguments)

    def fork(self) -> Self:
        """Give an independent copy that meets the same luck: the world in which something else is done."""
        return self._of(self._state.fork())

    def save(self, path: str | Path) -> None:
        """Write the game as a log of its actions, from which `replay` plays it again.

        Parameters
        ----------
        path
            Where to; a file there is replaced.
        """
        game_log.save(self, Path(path))

    @classmethod
    def replay(cls, path: str | Path) -> Self:
        """Play a saved game again, action by action, and compare the end.

        Parameters
        ----------
        path
            A file that `save` wrote.

        Raises
        ------
        ValueError
            If the log is damaged, foreign, edited, or not possible; nothing of it is used.
        """
        return game_log.replay(Path(path), cls)

    # ------------------------------------------------------------ what the actions have in common

    @classmethod
    def _of(cls, state: GameState) -> Self:
        season = cls.__new__(cls)
        season._state = state
        return season

    def _begin(self, action: str, arguments: dict[str, Any], remedy: str = "") -> None:
        """Check, remember where a remedy began, pay, log, and let the days pass that it takes."""
        game = self._state
        cost = price_list.bill(game, action, **arguments)
        if remedy and game.before is not None and remedy not in game.before:
            game.before[remedy] = (game.fork(), len(game.actions))
        given = {name: game_log.plain(value) for name, value in arguments.items() if value is not None}
        game.actions.append({"day": game.day, "action": action, "arguments": given, "money": cost.money})
        game.spent += cost.money
        let_pass(game, cost.days, pager=False)


# ---------------------------------------------------------------- where truth comes out, for rows paid for


def _draw(game: GameState, purpose: str, n: int, source: str, group: str | None, grade: str | None) -> Drawn:
    """Draw items that were not drawn before; what comes by itself depends on the source."""
    archive = source == "archive"
    weeks = ARCHIVE_WEEKS if archive else (game.week - 2, game.week - 1)
    by_itself = None if archive else game.scenario.groups[0]
    chosen = {None: by_itself, "all": None}.get(group, group)
    purpose = f"{purpose} {game.count(purpose)}"
    return game.hidden.draw(n, weeks, purpose, archive=archive, group=chosen, grade=grade, guided=game.guided)


def _gold(
    game: GameState, n: int, source: str, group: str | None = None, grade: str | None = None
) -> pd.DataFrame:
    drawn = _draw(game, "gold", n, source, group, grade)
    return drawn.items.assign(label=game.words(drawn.truth))


def _mend(game: GameState, rows: NDArray[np.int64]) -> int:
    """Set labels right; return how many were wrong."""
    labels, sure = game.labels.copy(), game.sure.copy()  # forks share the old ones
    labels[rows], sure[rows] = game.truth[rows], True
    wrong = int((labels != game.labels).sum())
    game.labels, game.sure = labels, sure
    return wrong


def _test(game: GameState, symptom: str, n: int, version: str | None) -> Symptom:
    """Buy what a symptom's test needs, and run it."""
    scenario, tested = game.scenario, game.registry[version or list(game.registry)[-1]]
    if symptom == "labels":
        return _audit(game, min(n, len(game.labels)))
    if symptom == "class":
        seen = pd.concat([_gold(game, n, "archive", None, grade) for grade in scenario.grades])
        return symptoms.weak_class(tested.grades(seen), seen["label"], scenario.grades)
    if symptom == "recent":
        old, new = _gold(game, n, "archive", scenario.groups[0]), _gold(game, n, "recent")
        return symptoms.stale(*(tested.grades(each) == each["label"] for each in (old, new)))
    if symptom == "bias":
        return symptoms.unequal_complaints(
            game.complaints, device=scenario.device, group=scenario.small_group
        )[0]
    return _spot_check(game, n)


def _audit(game: GameState, n: int) -> Symptom:
    rows = np.sort(game.luck("audit").choice(len(game.labels), n, replace=False))
    before = game.words(game.labels[rows])
    _mend(game, rows)
    return symptoms.wrong_labels(before, game.words(game.labels[rows]))


def _spot_check(game: GameState, n: int) -> Symptom:
    """Look at what is live; from the second time on, compare with the first and with the books since."""
    seen = _gold(game, n, "recent", "all")
    right = (game.registry[game.live].grades(seen) == seen["label"]).tolist()
    first = next((spot for spot in game.spot_checks if spot[0] == game.live), None)
    game.spot_checks.append((game.live, len(game.weeks), right))
    since = game.weeks[first[1] :] if first else []
    if first is None or len(since) < symptoms.SALES_WEEKS:
        return symptoms.first_spot_check(right, len(since))
    return symptoms.falling_revenue(since, first[2], right)


def _noted(game: GameState, found: Symptom) -> Symptom:
    game.reports.append((game.day, found))
    return found
