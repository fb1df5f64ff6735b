"""What a season is measured by, once it is over: others' money, fairness, and what each remedy did.

All of it is measured with the truth. At each remedy the game kept a fork of itself. From there the same weeks
are lived twice more with the same luck: without the remedy, and with its money spent as the dream would spend
it, on more of the same data. Left out: telling it; that is played_season.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlops_lab.reality import price_list
from mlops_lab.reality.hidden_truth import ARCHIVE_WEEKS, Drawn, HiddenTruth
from mlops_lab.reality.policies import ARCHIVE, expectation, oracle, rule_card
from mlops_lab.reality.product import Week
from mlops_lab.reality.registry import RegisteredModel, channels, held_out
from mlops_lab.reality.scenario import SYMPTOMS, Scenario
from mlops_lab.reality.season import Season

__all__ = ["Effect", "Yardsticks", "effects", "underpaid", "yardsticks"]


@dataclass(frozen=True)
class Yardsticks:
    """What three policies make of the same season with the same luck.

    Parameters
    ----------
    naive, rule_card, oracle
        Net money of the dream, of the card, and of one who sees the truth.
    promised
        Money a week that the dream promises: its model, tried on archive items it has not seen, taking every
        label for true and the full price for granted.
    dream
        The weeks as the dream really went.

    Examples
    --------
    >>> Yardsticks(1.0, 2.0, 5.0, 0.3, ()).oracle
    5.0
    """

    naive: float
    rule_card: float
    oracle: float
    promised: float
    dream: tuple[Week, ...] = field(repr=False)


def yardsticks(scenario: Scenario | str | Path = "orchard", *, seed: int = 0) -> Yardsticks:
    """Play a season three times: by the dream, by the card, and by one who sees the truth.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file.
    seed
        Picks the luck.

    Examples
    --------
    >>> bars = yardsticks(Scenario(weeks=18, volume=200))
    >>> bars.naive < bars.oracle, len(bars.dream)
    (True, 14)

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    fresh = Season(scenario, seed=seed)
    dream, card, best = (fresh.fork() for _ in range(3))
    for policy, game in ((expectation, dream), (rule_card, card), (oracle, best)):
        policy(game)
    return Yardsticks(dream.net, card.net, best.net, _promised(fresh), dream.weeks)


def _promised(season: Season) -> float:
    """Give what a week would bring if the archive were the world and its labels the truth."""
    scenario = season.scenario
    season.collect(ARCHIVE)
    game = season._state
    likely = held_out(game.items, game.labels, scenario)
    value = np.array(scenario.values)[game.labels, likely.argmax(axis=1)]
    return round(float(value.mean()) * scenario.volume, 2)


@dataclass(frozen=True)
class Effect:
    """What one remedy did, in the measure that it is meant for.

    Parameters
    ----------
    symptom
        What it was meant to mend.
    measure, unit
        What is measured, and in what.
    without, with_remedy, naively
        The measure without the remedy, with it, and with the same money spent on more of the same data.
    more_is_better
        Whether a higher measure is better.

    Examples
    --------
    >>> Effect("class", "recall of spoiled", "share", 0.3, 0.7, 0.35).gain
    0.4
    """

    symptom: str
    measure: str
    unit: str
    without: float
    with_remedy: float
    naively: float
    more_is_better: bool = True

    @property
    def gain(self) -> float:
        """How much better it is than without."""
        gain = self.with_remedy - self.without
        return round(gain if self.more_is_better else -gain, 6)


class _Exam:
    """Large samples with known truth that nobody in the game sees.

    Parameters
    ----------
    hidden
        The world behind the game.
    week
        The week that counts as recent.
    rare
        The grade that counts as rare; empty for the scenario's.
    """

    def __init__(self, hidden: HiddenTruth, week: int, rare: str = "") -> None:
        self._hidden, self._week = hidden, week
        self._rare = rare or hidden.scenario.rare
        self._kept: dict[str, Drawn] = {}

    def _sample(self, which: str) -> Drawn:
        if which not in self._kept:
            scenario = self._hidden.scenario
            common, small = scenario.groups
            asked: dict[str, dict[str, Any]] = {
                "archive": {"weeks": ARCHIVE_WEEKS, "group": common},
                "rare": {"weeks": ARCHIVE_WEEKS, "group": common, "grade": self._rare},
                "recent": {"weeks": (self._week,), "group": common},
                "small group": {"weeks": (self._week,), "group": small},
            }
            n = 800 if which == "rare" else 3000
            self._kept[which] = self._hidden.draw(n, purpose=f"exam {which}", **asked[which])
        return self._kept[which]

    def accuracy(self, version: RegisteredModel, which: str) -> float:
        """Share of the items that a version grades right; of the rare ones it is the recall."""
        drawn = self._sample(which)
        return float((version.probabilities(drawn.items).to_numpy().argmax(axis=1) == drawn.truth).mean())

    def underpaid(self, version: RegisteredModel, which: str, metric: str, return_cost: float) -> float:
        """Share of the items of the two best grades that would be sold, and paid, below their grade."""
        drawn = self._sample(which)
        likely = version.probabilities(drawn.items).to_numpy()
        chosen = channels(
            likely, self._hidden.scenario, "accuracy" if version.by_hand else metric, return_cost
        )
        good = drawn.truth >= 2
        return float((chosen < drawn.truth)[good].mean())


def underpaid(season: Season) -> dict[str, float]:
    """Give the share of each group's good items that were paid below their true grade, over the season."""
    shares = {}
    for place, group in enumerate(season.scenario.groups):
        low = good = 0
        for part in season._state.served:
            ours = (part.group == place) & (part.truth >= 2)
            good += int(ours.sum())
            low += int((part.channel < part.truth)[ours].sum())
        shares[group] = low / max(good, 1)
    return shares


def effects(season: Season) -> dict[str, Effect]:
    """Measure every remedy that was taken in a game, by the world in which it was not.

    Answers: did it help, and did it help more than spending its money on more of the same data? Each is
    measured on the first time it was taken, in the measure it is meant for. It cannot say what it did to the
    others: the rollback helps one group and costs the other.
    """
    found = {}
    marks = season._state.before or {}
    for symptom in SYMPTOMS:
        if symptom in marks:
            state, place = marks[symptom]
            effect = _MEASURES[symptom](season, Season._of(state), place)
            if effect is not None:
                found[symptom] = effect
    return found


def _of_training(season: Season, before: Season, place: int, symptom: str) -> Effect | None:
    """Measure a remedy that mends the data, on the version trained after it."""
    later = season._state.actions[place:]
    after = next((entry for entry in later if entry["action"] == "train"), None)
    if after is None:
        return None
    grade = later[0]["arguments"].get("grade", "") if symptom == "class" else ""
    exam = _Exam(season._state.hidden, max(before.week, 4), grade)
    done = sum(entry["action"] == "train" for entry in season._state.actions[:place])
    mended = season.registry[f"v{done + 1}"]
    without, naively = before.fork(), before.fork()
    _spend(naively, later[0]["money"], "archive")
    which, measure = {
        "labels": ("archive", "accuracy on items like the archive's"),
        "class": ("rare", f"recall of {grade or season.scenario.rare}"),
        "recent": ("recent", "accuracy on recent items"),
    }[symptom]
    scores = [
        exam.accuracy(version, which)
        for version in (_trained(without, after), mended, _trained(naively, after))
    ]
    return Effect(symptom, measure, "share", *_rounded(scores))


def _of_rollback(season: Season, before: Season, place: int) -> Effect:
    """Measure going back and what was deployed next, on the group that had complained."""
    later = season._state.actions[place:]
    next_up = next(
        (n for n, entry in enumerate(later) if n and entry["action"] in ("deploy", "rollback")), None
    )
    work = later[: next_up or 1]
    name = later[next_up]["arguments"]["version"] if next_up else later[0]["arguments"]["version"]
    training = next((entry for entry in reversed(work) if entry["action"] == "train"), None)
    exam = _Exam(season._state.hidden, max(before.week, 4))
    naive = before.registry[before.live]
    if training is not None:
        same = before.fork()
        _spend(same, sum(entry["money"] for entry in work if entry["action"] == "collect"), "recent")
        naive = _trained(same, {"arguments": {"recent_weight": training["arguments"]["recent_weight"]}})
    shares = [
        exam.underpaid(version, "small group", before.metric, before.return_cost)
        for version in (before.registry[before.live], season.registry[name], naive)
    ]
    measure = f"share of good {season.scenario.small_group} items paid too little"
    return Effect("bias", measure, "share", *_rounded(shares), more_is_better=False)


def _of_metric(season: Season, before: Season, place: int) -> Effect:
    """Measure another metric by the money of the weeks that were left."""
    chosen = season._state.actions[place]["arguments"]
    without, changed, naively = before.fork(), before.fork(), before.fork()
    changed.choose_metric(chosen["name"], return_cost=chosen.get("return_cost"))
    checks = [e["money"] for e in season._state.actions[:place] if e["arguments"].get("symptom") == "revenue"]
    live = before.registry[before.live]
    if checks and not live.by_hand and len(before.data):
        _spend(naively, min(sum(checks), naively.money), "recent")
        if not naively.over:
            naively.deploy(naively.train(features=live.features, recent_weight=4))
    for other in (without, changed, naively):
        other.finish()
    nets = [round(other.net - before.net, 2) for other in (without, changed, naively)]
    return Effect("revenue", "money of the weeks that were left", "money", *_rounded(nets))


_MEASURES: dict[str, Any] = {
    "labels": lambda season, before, place: _of_training(season, before, place, "labels"),
    "class": lambda season, before, place: _of_training(season, before, place, "class"),
    "recent": lambda season, before, place: _of_training(season, before, place, "recent"),
    "bias": _of_rollback,
    "revenue": _of_metric,
}


def _rounded(values: list[float]) -> tuple[float, float, float]:
    first, second, third = (round(value, 6) for value in values)
    return first, second, third


def _spend(season: Season, money: float, source: str) -> None:
    """Buy as many ordinary labels as the money pays for: what the dream does with any problem."""
    price = season.scenario.routine_cost
    n = min(int(money / price), price_list.MOST) if price else 1000
    if n and not season.over:
        season.collect(n, source=source)


def _trained(season: Season, training: dict[str, Any]) -> RegisteredModel:
    if not len(season.data) or season.over:
        return season.registry[list(season.registry)[-1]]
    return season.registry[season.train(**training["arguments"])]
