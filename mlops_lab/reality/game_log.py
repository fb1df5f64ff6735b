"""A game on disk: the list of its actions, which is enough to play it again.

The file holds the scenario, the seed, every action, and how the game stood. Reading it plays the game anew,
so a figure that was edited does not survive. Left out: signatures; whoever can play can also write a log.
"""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mlops_lab.artifacts import atomic_write
from mlops_lab.reality import price_list
from mlops_lab.reality.scenario import Scenario

__all__ = ["as_log", "from_log", "plain", "replay", "save"]


class Game(Protocol):
    """What a log tells of a game; its actions are methods of the same names."""

    @property
    def scenario(self) -> Scenario: ...
    @property
    def seed(self) -> int: ...
    @property
    def day(self) -> int: ...
    @property
    def live(self) -> str: ...
    @property
    def money(self) -> float: ...
    @property
    def net(self) -> float: ...
    @property
    def actions(self) -> Sequence[dict[str, Any]]: ...


SomeGame = TypeVar("SomeGame", bound=Game)

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


def as_log(game: Game) -> dict[str, Any]:
    """Give a game as plain values."""
    return {
        "format": FORMAT,
        "scenario": game.scenario.as_dict(),
        "digest": game.scenario.digest,
        "seed": int(game.seed),
        "actions": list(game.actions),
        "end": _end(game),
    }


def save(game: Game, path: Path) -> None:
    """Write a game, whole or not at all."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the name of a file in it")
    atomic_write(path, json.dumps(as_log(game), indent=1, allow_nan=False) + "\n")


def replay(path: Path, begin: Callable[..., SomeGame]) -> SomeGame:
    """Read a game and play it again; what is wrong with the file is said with its name."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a log that Season.save wrote")
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file; give a log that Season.save wrote")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: {path.stat().st_size:,} bytes are too many for a log")
    try:
        log = json.loads(path.read_text(encoding="utf-8"))
        return from_log(log, begin)
    except (ValueError, RecursionError) as wrong:  # not UTF-8 and not JSON are ValueErrors, too
        raise ValueError(f"{path}: not the log of a game, nothing of it is used: {wrong}") from wrong


def from_log(log: Any, begin: Callable[..., SomeGame]) -> SomeGame:
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
        game = begin(scenario, seed=log["seed"])
        for number, entry in enumerate(log["actions"], start=1):
            _again(game, number, entry)
    except TypeError as wrong:
        raise ValueError(str(wrong)) from wrong
    if not _same(_end(game), log["end"]):
        raise ValueError(f"played again it ends with {_end(game)}, and the log says {log['end']}")
    return game


def _told(scenario: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [key for key in scenario if key.startswith("_")]
    if wrong:
        raise ValueError(f"the scenario holds {wrong[0]!r}, which is no dial")
    return dict(scenario)


def _again(game: Game, number: int, entry: Any) -> None:
    if not isinstance(entry, dict) or set(entry) != {"day", "action", "arguments", "money"}:
        raise ValueError(f"action {number} should hold day, action, arguments and money")
    action, arguments = entry["action"], entry["arguments"]
    if action not in price_list.ACTIONS or not isinstance(arguments, dict):
        raise ValueError(f"action {number} is {action!r}, which is none of {', '.join(price_list.ACTIONS)}")
    try:
        getattr(game, action)(**arguments)
    except (ValueError, TypeError) as wrong:
        raise ValueError(f"action {number}, {action}: {wrong}") from wrong
    done = game.actions[-1]
    if not _same(done, entry):
        raise ValueError(f"action {number} was {done} when played again, and the log says {entry}")


def _end(game: Game) -> dict[str, Any]:
    count = len(game.actions)
    return {
        "actions": count,
        "day": game.day,
        "live": game.live,
        "money": game.money,
        "net": game.net,
    }


def _same(found: Any, told: Any) -> bool:
    """Whether two plain values agree, figures to a cent."""
    if isinstance(found, dict) and isinstance(told, dict):
        return set(found) == set(told) and all(_same(found[key], told[key]) for key in found)
    if isinstance(found, float) and isinstance(told, int | float) and not isinstance(told, bool):
        return math.isclose(found, told, abs_tol=0.01)
    return type(found) is type(told) and bool(found == told)
