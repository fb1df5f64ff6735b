"""A scenario: the dials, prices and words from which one game is made, and the TOML file that holds them.

A new story needs no code. Of a file every key is needed, none is ignored, and what is wrong is said with the
file, the key and what is accepted. Left out: how the data come about; that is `worlds.Orchard`, and every
domain is told in its own words over the same process.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from mlops_lab.worlds import FEATURES, GRADES, PRICES, SCANNERS

__all__ = ["SYMPTOMS", "Scenario", "load_scenario", "scenarios"]

SYMPTOMS = ("labels", "class", "recent", "bias", "revenue")
"""The five surprises of the lecture (L12), in its order."""

DEFECTS: Mapping[str, str] = MappingProxyType(
    {
        "labels": "noise",
        "class": "rare_gap",
        "recent": "drift",
        "bias": "group_shift",
        "revenue": "trust_damage",
    }
)
"""The dial behind each symptom; at 0 there is no such defect."""

STORY = ("opening", "expectation", *SYMPTOMS, "ending")
"""The sentences that a story tells, in order."""

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "noise": (0.0, 1.5),
        "rare_gap": (0.0, 2.0),
        "p_rare": (0.005, 0.2),
        "drift": (0.0, 3.0),
        "group_share": (0.02, 0.5),
        "group_share_archive": (0.0, 0.5),
        "group_shift": (0.0, 3.0),
        "trust_damage": (0.0, 5.0),
        "volume": (100, 20_000),
        "weeks": (18, 104),
        "budget": (0.0, 1e9),
        "routine_cost": (0.0, 1e6),
        "expert_cost": (0.0, 1e6),
        "targeted_cost": (0.0, 1e6),
        "relabel_cost": (0.0, 1e6),
        "guide_cost": (0.0, 1e6),
        "fetch_factor": (1.0, 100.0),
        "train_cost": (0.0, 1e6),
        "hand_fee": (0.0, 1e6),
        "routine_pace": (1.0, 1e6),
        "expert_pace": (1.0, 1e6),
    }
)
"""What each dial may be set to, both ends included."""

WHOLE = ("volume", "weeks")

FOLDER = Path(__file__).parent / "scenarios"

COSTS = (
    "routine_cost",
    "expert_cost",
    "targeted_cost",
    "relabel_cost",
    "guide_cost",
    "fetch_factor",
    "train_cost",
    "hand_fee",
    "routine_pace",
    "expert_pace",
)

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "dials": tuple(dial for dial in LIMITS if dial not in COSTS),
    "costs": COSTS,
    "words": (
        "title",
        "item",
        "items",
        "supplier",
        "suppliers",
        "grades",
        "device",
        "groups",
        "features",
        "values",
    ),
    "story": STORY,
}
"""The sections of a scenario file and their keys."""

ORCHARD_STORY = MappingProxyType(
    {
        "opening": "An orchard co-operative grades every crate at intake. "
        "A card with three thresholds does it today, by hand.",
        "expectation": "Collect the crates that were kept, train a model, deploy it. Done.",
        "labels": "An expert opens some crates of the archive. "
        "Many grades on them are wrong: the night shift was tired.",
        "class": "The rot is inside. The model lets most of the spoiled crates pass.",
        "recent": "The packhouse has swapped the lamps over its belts. "
        "Under them the same fruit looks different.",
        "bias": "It is two in the morning. Hill growers, whose scanners are held by hand, "
        "say that the model pays them too little.",
        "revenue": "The model grades as well as ever, and the buyers pay less every week.",
        "ending": "The season is over. The books are opened.",
    }
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One story to be played: what is wrong with its data, what things cost, and how everything is called.

    Answers: which game is this? Two scenarios that differ in one dial share all luck, so a symptom that goes
    away with its dial was caused by it. It cannot say how large such an effect is elsewhere: the defaults
    were tuned until a season shows all five.

    Parameters
    ----------
    name, title
        One word for commands, and the story's title.
    noise, rare_gap, p_rare, drift, group_share, group_share_archive, group_shift
        As in `worlds.Orchard`, with one difference: at ``group_shift=0`` the small group's devices read as
        the large group's do, whatever happens to these.
    trust_damage
        How much returned items hurt the price that buyers pay.
    volume, weeks
        Items a week, and the week in which the season ends. It begins in week 4.
    budget
        Money that may be spent on data, tests and training.
    routine_cost, expert_cost, targeted_cost, relabel_cost
        Money for one label: by the ordinary graders, by an expert, by an expert who picks items of one
        grade, and for a second look at one old label.
    guide_cost
        Money for the graders' guide that is written when labels are first mended.
    fetch_factor
        How many times as dear a recent item of the small group is: its devices do not upload by themselves.
    train_cost, hand_fee
        Money for one training, and for grading one item by hand.
    routine_pace, expert_pace
        Labels a day by the ordinary graders, and by the expert.
    item, items, supplier, suppliers
        What is graded, and who is paid for it.
    grades
        Four grades from worst to best, also the channels; the first is rare and hidden.
    device, groups
        The column that says which device read an item, and its two kinds: the common one, the other.
    features
        The six readings, in the order of `worlds.FEATURES`.
    values
        Money an item brings, by true grade (row) and channel (column).
    story
        A sentence for each of `STORY`.

    Raises
    ------
    ValueError
        If a value is out of range or words are missing or used twice.
    TypeError
        If a dial is not a number or a word is not a text.

    Examples
    --------
    >>> scenario = Scenario(noise=0)
    >>> scenario.noise, scenario.rare, scenario.small_group
    (0, 'spoiled', 'handheld')
    >>> scenario.healthy().with_(drift=1).drift
    1
    >>> scenario.digest == Scenario().without("labels").digest
    True
    >>> float(scenario.value_table.loc["spoiled", "premium"]), scenario.as_dict()["groups"]
    (-60.0, ['belt', 'handheld'])
    """

    name: str = "orchard"
    title: str = "The orchard co-operative"
    noise: float = 1.0
    rare_gap: float = 1.0
    p_rare: float = 0.03
    drift: float = 1.0
    group_share: float = 0.15
    group_share_archive: float = 0.06
    group_shift: float = 1.0
    trust_damage: float = 1.0
    volume: int = 1200
    weeks: int = 40
    budget: float = 25_000.0
    routine_cost: float = 0.6
    expert_cost: float = 4.0
    targeted_cost: float = 6.0
    relabel_cost: float = 1.5
    guide_cost: float = 200.0
    fetch_factor: float = 2.0
    train_cost: float = 20.0
    hand_fee: float = 2.0
    routine_pace: float = 200.0
    expert_pace: float = 100.0
    item: str = "crate"
    items: str = "crates"
    supplier: str = "grower"
    suppliers: str = "growers"
    grades: tuple[str, ...] = GRADES
    device: str = "scanner"
    groups: tuple[str, ...] = SCANNERS
    features: tuple[str, ...] = tuple(FEATURES)
    values: tuple[tuple[float, ...], ...] = tuple(tuple(map(float, row)) for row in PRICES.to_numpy())
    story: Mapping[str, str] = field(default_factory=lambda: ORCHARD_STORY, hash=False)

    def __post_init__(self) -> None:
        for dial, (low, high) in LIMITS.items():
            _check_dial(dial, getattr(self, dial), low, high)
        for name in ("name", "title", "item", "items", "supplier", "suppliers", "device"):
            _check_words(name, (getattr(self, name),), 1)
        for name, count in (("grades", 4), ("groups", 2), ("features", 6)):
            object.__setattr__(self, name, _check_words(name, getattr(self, name), count))
        columns = [*self.features, self.device, "week", "label"]
        if len(set(columns)) < len(columns):
            raise ValueError(f"the columns {columns} are not all different; choose other words")
        object.__setattr__(self, "values", _check_values(self.values))
        _check_story(self.story)
        object.__setattr__(self, "story", MappingProxyType({key: self.story[key] for key in STORY}))

    @property
    def rare(self) -> str:
        """The rare grade, whose defect is hidden inside."""
        return self.grades[0]

    @property
    def small_group(self) -> str:
        """The group that the archive hardly knows."""
        return self.groups[1]

    @property
    def value_table(self) -> pd.DataFrame:
        """What an item brings, by its true grade (row) and the channel it is sold in (column)."""
        return pd.DataFrame(
            self.values,
            index=pd.Index(self.grades, name="truth"),
            columns=pd.Index(self.grades, name="sold as"),
        )

    @property
    def digest(self) -> str:
        """The fingerprint of everything in it, by which a log knows its scenario."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Give all of it as plain values that JSON and TOML know."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "story"}
        lists = {key: list(value) for key, value in plain.items() if isinstance(value, tuple)}
        numbers_ = {key: float(plain[key]) for key in LIMITS if key not in WHOLE}
        wholes = {key: int(plain[key]) for key in WHOLE}
        values = [[float(value) for value in row] for row in self.values]
        return {**plain, **lists, **numbers_, **wholes, "values": values, "story": dict(self.story)}

    def with_(self, **changes: Any) -> Scenario:
        """Give the same scenario with some dials or words changed.

        Parameters
        ----------
        **changes
            New values by the names of the class's parameters.

        Raises
        ------
        TypeError
            For a name that there is not.
        """
        known = [each.name for each in fields(self)]
        unknown = sorted(set(changes) - set(known))
        if unknown:
            raise TypeError(f"a scenario has no {', '.join(unknown)}; it has {', '.join(known)}")
        return replace(self, **changes)

    def without(self, symptom: str) -> Scenario:
        """Give the same scenario with the defect behind one symptom switched off.

        Parameters
        ----------
        symptom
            One of `SYMPTOMS`.

        Raises
        ------
        ValueError
            For another word.
        """
        if symptom not in DEFECTS:
            raise ValueError(f"symptom {symptom!r} is none of {', '.join(SYMPTOMS)}")
        return self.with_(**{DEFECTS[symptom]: 0.0})

    def healthy(self) -> Scenario:
        """Give the world in which all is well: every defect at 0."""
        return self.with_(**dict.fromkeys(DEFECTS.values(), 0.0))


def _check_dial(dial: str, value: object, low: float, high: float) -> None:
    kind = "a whole number" if dial in WHOLE else "a number"
    wanted = f"{dial}={value!r}: {kind} from {low:,g} to {high:,g} is needed"
    right_type = numbers.Integral if dial in WHOLE else numbers.Real
    if isinstance(value, bool) or not isinstance(value, right_type):
        raise TypeError(wanted)
    if not (math.isfinite(value) and low <= value <= high):  # type: ignore[operator]
        raise ValueError(wanted)


def _check_words(name: str, given: object, count: int) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, (list, tuple)):
        raise TypeError(f"{name}={given!r}: {count} words are needed")
    if not all(isinstance(word, str) for word in given):
        raise TypeError(f"{name}={given!r}: texts are needed")
    if len(given) != count or len(set(given)) < count or not all(word.strip() for word in given):
        raise ValueError(f"{name}={list(given)!r}: {count} different words are needed, none of them empty")
    return tuple(given)


def _check_values(given: object) -> tuple[tuple[float, ...], ...]:
    rows = list(given) if isinstance(given, (list, tuple)) else []
    fits = len(rows) == 4 and all(isinstance(row, (list, tuple)) and len(row) == 4 for row in rows)
    if not fits or not all(
        isinstance(v, numbers.Real) and not isinstance(v, bool) for row in rows for v in row
    ):
        raise TypeError(f"values={given!r}: four rows of four numbers are needed, by true grade and channel")
    table = tuple(tuple(float(value) for value in row) for row in rows)
    if not all(math.isfinite(value) for row in table for value in row):
        raise ValueError(f"values={given!r}: finite numbers are needed")
    for place, row in enumerate(table):
        if max(row) != row[place]:
            raise ValueError(
                f"values row {place + 1} is {list(row)}: an item must bring most in the channel of its true "
                "grade"
            )
    return table


def _check_story(story: object) -> None:
    if not isinstance(story, Mapping):
        raise TypeError(f"story={story!r}: a sentence for each of {', '.join(STORY)} is needed")
    missing, unknown = [key for key in STORY if key not in story], sorted(set(story) - set(STORY))
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
        raise ValueError(f"the story {what}; it needs a sentence for each of {', '.join(STORY)}")
    wrong = [key for key in STORY if not isinstance(story[key], str) or not story[key].strip()]
    if wrong:
        raise ValueError(f"story {wrong[0]}={story[wrong[0]]!r}: a sentence is needed")


def scenarios() -> tuple[str, ...]:
    """Name the stories that come with the course.

    Examples
    --------
    >>> scenarios()
    ('orchard', 'phones')

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a story: one that comes with the course, by its name, or a file of your own.

    Parameters
    ----------
    name_or_path
        A name out of `scenarios`, or the path of a TOML file. The file's own name becomes the scenario's.

    Raises
    ------
    ValueError
        If there is no such story, or if the file lacks a key, holds one that does not exist, or sets one to
        what is not accepted; the message names the file, the key and what is accepted.

    Examples
    --------
    >>> load_scenario("orchard") == Scenario()
    True

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if str(name_or_path) not in scenarios():
            raise ValueError(
                f"there is no scenario {str(name_or_path)!r}; there are {', '.join(scenarios())}, "
                "and files of your own, whose names end in .toml"
            )
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise ValueError(f"{path}: {'a folder, no file' if path.is_dir() else 'there is no such file'}")
    try:
        with path.open("rb") as file:
            told = tomllib.load(file)
    except ValueError as wrong:  # not TOML, or not UTF-8
        raise ValueError(f"{path}: this is no TOML: {wrong}") from wrong
    settings = _flat(path, told)
    try:
        return Scenario(name=path.stem, **settings)
    except (TypeError, ValueError) as wrong:
        raise ValueError(f"{path}: {wrong}") from wrong


def _flat(path: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    _compare(path, "the file", "section", told, SECTIONS)
    settings: dict[str, Any] = {}
    for section, keys in SECTIONS.items():
        held = told[section]
        if not isinstance(held, Mapping):
            raise ValueError(f"{path}: {section} is {held!r}; a section [{section}] with keys is needed")
        _compare(path, f"[{section}]", "key", held, keys)
        settings.update({"story": dict(held)} if section == "story" else held)
    return settings


def _compare(path: Path, where: str, what: str, held: Mapping[str, Any], wanted: Any) -> None:
    missing, unknown = [key for key in wanted if key not in held], [key for key in held if key not in wanted]
    if missing:
        accepted = LIMITS.get(missing[0])
        more = f", a number from {accepted[0]:,g} to {accepted[1]:,g}" if accepted else ""
        raise ValueError(f"{path}: {where} lacks the {what} {missing[0]!r}{more}")
    if unknown:
        raise ValueError(f"{path}: {where} has no {what} {unknown[0]!r}; it has {', '.join(wanted)}")
