"""What a player can do: buy data and labels, test, train, deploy, go back, choose a metric, let time pass.

Every action is checked whole before anything changes; then it is paid, then time passes and whatever is live
serves the weeks, then it happens and is logged. Left out: which action is possible at what price
(bills.py), how a log is read back (replays.py), and what it was all worth (judging.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from mlops_lab.reality import price_list, replays, symptoms
from mlops_lab.reality.answers import Symptom
from mlops_lab.reality.desk import Desk
from mlops_lab.reality.hidden_truth import ARCHIVE_WEEKS
from mlops_lab.reality.pager import Page
from mlops_lab.reality.price_list import Bill
from mlops_lab.reality.registry import fit, held_out

__all__ = ["Project"]


class Project(Desk):
    """A game: a project with a budget, a calendar, and a product that sells every week by what is live.

    Answers: what would have come of it? Models are really trained, the live version really serves, and what
    is known of the truth was paid for. Two projects with one scenario and seed meet the same items and luck,
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
    >>> project = Project("orchard", seed=0)
    >>> rows = project.collect(400)
    >>> project.train(note="a first try")
    'v1'
    >>> project.deploy("v1")
    >>> project.tick(14)
    >>> project.live, project.day, len(project.weeks), project.money
    ('v1', 45, 2, 24740.0)
    >>> project.quote("gold", n=100)
    Bill(money=400.0, days=1)

    Measure with labels that are right, mend those that are not, and go back if need be:

    >>> gold = project.gold(50)
    >>> project.test("labels", 100).fired, project.audit(50).symptom
    (True, 'labels')
    >>> changed = project.relabel(60)
    >>> project.deploy(project.train())
    >>> project.rollback("v1")
    >>> cost = project.choose_metric("money", return_cost=10)

    A fork is the world in which something else is done; a saved game can be played again:

    >>> other = project.fork()
    >>> other.finish()
    >>> project.over, other.over
    (False, True)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     project.save(Path(folder) / "game.json")
    ...     again = Project.replay(Path(folder) / "game.json")
    >>> again.net == project.net
    True
    """

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
        uploads = source == "recent" and group in (None, self._scenario.groups[0])
        self._begin("collect", asked, "class" if grade is not None else "recent" if uploads else "")
        drawn = self._draw("collect", n, source, group, grade)
        right = expert or grade is not None
        labels = drawn.truth if right else drawn.labels
        self._hidden_truth = np.concatenate([self._hidden_truth, drawn.truth])
        self._items = pd.concat([self._items, drawn.items]) if len(self._items) else drawn.items
        self._labels = np.concatenate([self._labels, labels])
        self._sure = np.concatenate([self._sure, np.full(n, right)])
        return drawn.items.assign(label=self._words(labels))

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
        return self._gold(n, source, group, grade)

    def audit(self, n: int = 250) -> Symptom:
        """Let an expert look again at labels drawn at random; those looked at are right afterwards.

        Parameters
        ----------
        n
            How many rows.
        """
        self._begin("audit", {"n": n})
        return self._noted(self._audit(n))

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
        count = price_list.TESTED[symptom] if n is None else n
        tested = self._registry[version or list(self._registry)[-1]]
        if symptom == "labels":
            return self._noted(self._audit(min(count, len(self._labels))))
        if symptom == "class":
            kinds = [self._gold(count, "archive", None, grade) for grade in self._scenario.grades]
            seen = pd.concat(kinds)
            return self._noted(symptoms.weak_class(tested.grades(seen), seen["label"], self._scenario.grades))
        if symptom == "recent":
            old = self._gold(count, "archive", self._scenario.groups[0])
            new = self._gold(count, "recent", None)
            right = [tested.grades(each) == each["label"] for each in (old, new)]
            return self._noted(symptoms.stale(*right))
        if symptom == "bias":
            group = self._scenario.small_group
            found, _ = symptoms.unequal_complaints(self.complaints, device=self._scenario.device, group=group)
            return self._noted(found)
        return self._noted(self._spot_check(count))

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
        unsure = np.flatnonzero(~self._sure)
        if choose == "random":
            rows = self._luck("relabel").permutation(unsure)[:n]
        else:
            likely = held_out(self._items, self._labels, self._scenario)
            margin = likely[np.arange(len(likely)), self._labels] - likely.max(axis=1)
            rows = unsure[np.argsort(margin[unsure], kind="stable")][:n]
        self._guided = True
        return self._mend(rows)

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
        reads = self._scenario.features if names is None else tuple(names)
        week = self._items["week"].to_numpy(int)
        times = np.where(week > ARCHIVE_WEEKS[-1], recent_weight, 1) * (week >= (since or 0))
        rows = np.repeat(np.arange(len(week)), times)
        model = fit(self._items.iloc[rows], self._labels[rows], reads, self._scenario)
        return self._register(model, reads, note, int((times > 0).sum()))

    def deploy(self, version: str) -> None:
        """Let a version grade from now on.

        Parameters
        ----------
        version
            Its name.
        """
        self._begin("deploy", {"version": version})
        self._switch(version)

    def rollback(self, version: str) -> None:
        """Let an older version grade again.

        Parameters
        ----------
        version
            Its name; older than the live one.
        """
        self._begin("rollback", {"version": version}, "bias")
        self._switch(version)

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
            return_cost = self.return_price().money
        self._metric, self._return_cost = name, float(return_cost or 0.0)
        return self._return_cost

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
        return self._pass(days, pager)

    def finish(self) -> None:
        """Let the rest of the season pass with the phone off; nothing happens if it is over."""
        if not self.over:
            self._begin("finish", {})
            self._pass(7 * self._scenario.weeks, False)

    def quote(self, action: str, **arguments: Any) -> Bill:
        """Say what an action would cost now, without doing it.

        Parameters
        ----------
        action
            Its name.
        **arguments
            As for the action.
        """
        return price_list.bill(self, action, **arguments)

    def save(self, path: str | Path) -> None:
        """Write the game as a log of its actions, from which `replay` plays it again.

        Parameters
        ----------
        path
            Where to; a file there is replaced.
        """
        replays.save(self, Path(path))

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
        return replays.replay(Path(path), cls)

    # ------------------------------------------------------------ what the actions have in common

    def _begin(self, action: str, arguments: dict[str, Any], remedy: str = "") -> None:
        """Check, remember where a remedy began, pay, log, and let the days pass that it takes."""
        cost = price_list.bill(self, action, **arguments)
        if remedy and self._marks is not None and remedy not in self._marks:
            self._marks[remedy] = (self.fork(), len(self._actions))
        given = {name: replays.plain(value) for name, value in arguments.items() if value is not None}
        self._actions.append({"day": self._day, "action": action, "arguments": given, "money": cost.money})
        self._spent += cost.money
        self._pass(cost.days, False)
