"""The commands of the game in a terminal: what may be typed, and which action it means.

Words after a command may stand in any order where they cannot be mistaken: `collect 600 recent handheld`.
Left out: doing it; that is reality_terminal.py.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable
from typing import Any

from mlops_lab import reality

__all__ = ["COMMANDS", "menu", "parse"]

Arguments = dict[str, Any]

COMMANDS = {
    "collect": "collect N [recent] [GROUP] [GRADE] [expert]",
    "gold": "gold N [recent] [GROUP] [GRADE]",
    "test": "test SYMPTOM [N] [VERSION]",
    "relabel": "relabel N [suspects|random]",
    "train": "train [COLUMN ...] [weight N] [note WORDS]",
    "deploy": "deploy VERSION",
    "rollback": "rollback VERSION",
    "metric": "metric accuracy | metric money [COST]",
    "tick": "tick DAYS [quiet]",
    "finish": "finish",
    "sleep": "sleep",
    "cost": "cost COMMAND ...",
    "status": "status",
    "weeks": "weeks",
    "versions": "versions",
    "prices": "prices",
    "help": "help [COMMAND]",
    "quit": "quit",
}
"""How each command is typed."""

MEANING = {
    "collect": "buy labelled {items}; of the archive unless recent",
    "gold": "an expert's labels, to measure versions with",
    "test": "look for a symptom; buys what the test needs",
    "relabel": "an expert mends labels, the graders get a guide",
    "train": "train; +{device}: all columns and the device",
    "deploy": "let a version grade from now on",
    "rollback": "let an older version grade again",
    "metric": "how {items} are sent; COST: of one return",
    "tick": "let days pass; quiet: with the phone switched off",
    "finish": "let the rest of the season pass, and open the books",
    "sleep": "when the pager rings: do nothing about it",
    "cost": "the price of a command, without doing it",
    "status": "where you stand",
    "weeks": "the weeks so far",
    "versions": "the versions there are",
    "prices": "the price list",
    "help": "this menu",
    "quit": "leave; the game is kept",
}


def menu(scenario: reality.Scenario) -> str:
    """Give all commands with their meaning."""
    wide = max(map(len, COMMANDS.values()))
    lines = [
        f"  {typed:<{wide}}  {MEANING[name].format(items=scenario.items, device=scenario.device)}"
        for name, typed in COMMANDS.items()
    ]
    kinds = {
        "SYMPTOM": reality.SYMPTOMS,
        "GROUP": (*scenario.groups, "all"),
        "GRADE": scenario.grades,
        "COLUMN": (*scenario.features, scenario.device),
    }
    known = [f"  {kind}: {', '.join(map(shlex.quote, words))}" for kind, words in kinds.items()]
    return "\n".join(["What you can type:", *lines, *known])


def parse(line: str, scenario: reality.Scenario) -> tuple[str, Arguments]:
    """Read one line: the action of `reality.Project` that it means, or another command, and its arguments."""
    try:
        name, *rest = shlex.split(line)
    except ValueError as wrong:
        raise ValueError(f"A quotation mark is left open ({wrong}): close it, or leave it out.") from None
    name = name.lower()
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
        guess = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(f"There is no command {name!r}.{guess} Type help for all commands.")
    if name in _READ:
        return ("choose_metric" if name == "metric" else name), _READ[name](name, rest, scenario)
    if rest and name not in ("help", "cost"):
        raise ValueError(f"{name} takes nothing after it; {' '.join(rest)!r} was typed. Type {name} alone.")
    return name, {"rest": rest}


def _usage(name: str) -> str:
    return f"It is typed: {COMMANDS[name]}"


def _number(name: str, word: str | None, what: str) -> int:
    try:
        return int((word or "").replace(",", "").replace("_", ""))
    except ValueError:
        given = f"{word!r} was typed" if word else "nothing was typed"
        raise ValueError(f"{name} needs {what}, a whole number; {given}. {_usage(name)}") from None


def _sorted_out(name: str, rest: list[str], known: dict[str, tuple[str, Any]]) -> Arguments:
    """Give each word its place, by what it says."""
    given: Arguments = {}
    for word in rest:
        if word not in known:
            near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{name} does not know {word!r}.{guess} It knows {', '.join(map(shlex.quote, known))}. "
                f"{_usage(name)}"
            )
        key, value = known[word]
        if key in given:
            raise ValueError(f"{name} was given two of a kind, the second is {word!r}. {_usage(name)}")
        given[key] = value
    return given


def _buy(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    count, *more = rest or [""]
    known: dict[str, tuple[str, Any]] = {"archive": ("source", "archive"), "recent": ("source", "recent")}
    known |= {group: ("group", group) for group in (*scenario.groups, "all")}
    known |= {grade: ("grade", grade) for grade in scenario.grades}
    if name == "collect":
        known["expert"] = ("expert", True)
    return {"n": _number(name, count, f"how many {scenario.items}"), **_sorted_out(name, more, known)}


def _test(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    if not rest:
        raise ValueError(f"test needs a symptom: {', '.join(reality.SYMPTOMS)}. {_usage(name)}")
    given: Arguments = {"symptom": rest[0]}
    for word in rest[1:]:
        if word[:1] == "v" and word[1:].isdecimal():
            given["version"] = word
        else:
            given["n"] = _number(name, word, "how many, or a version such as v1")
    return given


def _relabel(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    count, *more = rest or [""]
    known = {choice: ("choose", choice) for choice in ("suspects", "random")}
    return {"n": _number(name, count, "how many labels"), **_sorted_out(name, more, known)}


def _train(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    given: Arguments = {}
    columns: list[str] = []
    while rest:
        word, *rest = rest
        if word == "note":
            given["note"], rest = " ".join(rest), []
        elif word == "weight":
            given["recent_weight"] = _number(name, rest[0] if rest else None, "how often recent rows count")
            rest = rest[1:]
        elif word == f"+{scenario.device}":
            columns += [*scenario.features, scenario.device]
        else:
            columns += [column for column in word.split(",") if column]
    return {**given, "features": columns} if columns else given


def _version(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    if len(rest) != 1:
        raise ValueError(f"{name} needs one version; {' '.join(rest)!r} was typed. {_usage(name)}")
    return {"version": rest[0]}


def _metric(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    if not 1 <= len(rest) <= 2:
        raise ValueError(f"metric needs accuracy or money; {' '.join(rest)!r} was typed. {_usage(name)}")
    if len(rest) == 1:
        return {"name": rest[0]}
    try:
        return {"name": rest[0], "return_cost": float(rest[1].replace(",", ""))}
    except ValueError:
        raise ValueError(
            f"metric needs the cost of a return as a number; {rest[1]!r} was typed. {_usage(name)}"
        ) from None


def _tick(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    count, *more = rest or [""]
    return {
        "days": _number(name, count, "how many days"),
        **_sorted_out(name, more, {"quiet": ("pager", False)}),
    }


def _finish(name: str, rest: list[str], scenario: reality.Scenario) -> Arguments:
    return _sorted_out(name, rest, {})


_READ: dict[str, Callable[[str, list[str], reality.Scenario], Arguments]] = {
    "collect": _buy,
    "gold": _buy,
    "test": _test,
    "relabel": _relabel,
    "train": _train,
    "deploy": _version,
    "rollback": _version,
    "metric": _metric,
    "tick": _tick,
    "finish": _finish,
}
