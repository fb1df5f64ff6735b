"""A game on disk: the list of its actions, which is enough to play it again.

The file holds the scenario, the seed, every action, and how the game stood. Reading it plays the game anew,
so a figure that was edited does not survive. Left out: signatures; whoever can play can also write a log.
"""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_lab.artifacts import atomic_write
from mlops_lab.reality import price_list
from mlops_lab.reality.scenario import Scenario

if TYPE_CHECKING:
    from mlops_lab.reality.project import Project

    Game = TypeVar("Game", bound=Project)

__all__ = ["FORMAT", "as_log", "from_log", "plain", "replay", "save"]

FORMAT = "mlops_lab.reality 1"
"""What a log says of itself; another number is another format."""

MOST_BYTES = 5_000_000

PARTS = {"format": str, "scenario": dict, "digest": str, "seed": int, "actions": list, "end": dict}
"""What a log holds, and of which kind."""


def plain(value: Any) -> Any:
    """Give a value of an argument as JSON knows it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    return [plain(each) for each in value]


def as_log(project: Project) -> dict[str, Any]:
    """Give a game as plain values."""
    return {
        "format": FORMAT,
        "scenario": project.scenario.as_dict(),
        "digest": project.scenario.digest,
        "seed": int(project.seed),
        "actions": list(project.actions),
        "end": _end(project),
    }


def save(project: Project, path: Path) -> None:
    """Write a game, whole or not at all."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file in it")
    atomic_write(path, json.dumps(as_log(project), indent=1, allow_nan=False) + "\n")


def replay(path: Path, game: type[Game]) -> Game:
    """Read a game and play it again; what is wrong with the file is said with its name."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a log that Project.save wrote")
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; give a log that Project.save wrote")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: {path.stat().st_size:,} bytes are too many for a log")
    try:
        log = json.loads(path.read_text(encoding="utf-8"))
        return from_log(log, game)
    except (ValueError, RecursionError) as wrong:  # not UTF-8 and not JSON are ValueErrors, too
        raise ValueError(f"{path}: not the log of a game, nothing of it is used: {wrong}") from wrong


def from_log(log: Any, game: type[Game]) -> Game:
    """Play a log of plain values again and compare every bill, and the end."""
    if not isinstance(log, dict) or set(log) != set(PARTS):
        raise ValueError(f"it should hold {', '.join(PARTS)}, and nothing else")
    if log["format"] != FORMAT:
        raise ValueError(f"its format is {log['format']!r}, not {FORMAT!r}")
    for name, kind in PARTS.items():
        if not isinstance(log[name], kind) or isinstance(log[name], bool):
            raise ValueError(f"{name} is {type(log[name]).__name__}, not {kind.__name__}")
    try:
        scenario = Scenario(**_told(log["scenario"]))
        if scenario.digest != log["digest"]:
            raise ValueError("the scenario does not have the digest that the log names")
        project = game(scenario, seed=log["seed"])
        for number, entry in enumerate(log["actions"], start=1):
            _again(project, number, entry)
    except TypeError as wrong:
        raise ValueError(str(wrong)) from wrong
    if not _same(_end(project), log["end"]):
        raise ValueError(f"played again it ends with {_end(project)}, and the log says {log['end']}")
    return project


def _told(scenario: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [key for key in scenario if key.startswith("_")]
    if wrong:
        raise ValueError(f"the scenario holds {wrong[0]!r}, which is no dial")
    return dict(scenario)


def _again(project: Project, number: int, entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) != {"day", "action", "arguments", "money"}:
        raise ValueError(f"action {number} should hold day, action, arguments and money")
    action, arguments = entry["action"], entry["arguments"]
    if action not in price_list.ACTIONS or not isinstance(arguments, dict):
        raise ValueError(f"action {number} is {action!r}, which is none of {', '.join(price_list.ACTIONS)}")
    try:
        getattr(project, action)(**arguments)
    except (ValueError, TypeError) as wrong:
        raise ValueError(f"action {number}, {action}: {wrong}") from wrong
    done = project.actions[-1]
    if not _same(done, entry):
        raise ValueError(f"action {number} was {done} when played again, and the log says {entry}")


def _end(project: Project) -> dict[str, Any]:
    count = len(project.actions)
    return {
        "actions": count,
        "day": project.day,
        "live": project.live,
        "money": project.money,
        "net": project.net,
    }


def _same(found: Any, told: Any) -> bool:
    """Whether two plain values agree, figures to a cent."""
    if isinstance(found, dict) and isinstance(told, dict):
        return set(found) == set(told) and all(_same(found[key], told[key]) for key in found)
    if isinstance(found, float) and isinstance(told, int | float) and not isinstance(told, bool):
        return math.isclose(found, told, abs_tol=0.01)
    return type(found) is type(told) and bool(found == told)
