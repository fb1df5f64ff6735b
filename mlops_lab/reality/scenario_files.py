"""Scenario files: a story in TOML, which whoever can write a list can write.

Every key is needed, none is ignored, and what is wrong is said with the file, the key and what is accepted.
Left out: dials that are not in `Scenario`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_lab.reality.scenario import LIMITS, STORY, Scenario

__all__ = ["SECTIONS", "load_scenario", "scenarios"]

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
