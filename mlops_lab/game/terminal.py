"""A season of expectation and reality in a terminal: typed turn by turn, kept after each turn.

The log is the board's: a game begun here can go on there. Ctrl-C loses nothing but what was being typed.
Words after a command may stand in any order where they cannot be mistaken: `collect 600 recent handheld`.
"""

from __future__ import annotations

import difflib
import shlex
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from mlops_lab import reality
from mlops_lab.game import narration
from mlops_lab.game.scores import final_score
from mlops_lab.game.session import Answer, GameSession, file_name

__all__ = ["play"]

WIDE = 96


def play(
    scenario: str | None = None,
    *,
    seed: int | None = None,
    log: Path | None = None,
    resume: bool = False,
    lines: TextIO | None = None,
    out: TextIO | None = None,
) -> int:
    r"""Play a game until its end, or until the player leaves; return the exit code."""
    known = None if scenario is None else reality.load_scenario(scenario)
    if log is None:
        named = known if known is not None else reality.load_scenario("orchard")
        log = Path(file_name(named, seed or 0))
    if log.exists() and not resume:
        raise ValueError(
            f"{log} is there already: go on with it by --resume, or name another file by --log FILE"
        )
    if resume and not log.exists():
        raise ValueError(
            f"there is no {log} to go on with: leave --resume out, or name the file by --log FILE"
        )
    session = GameSession(known, seed, log)
    return TerminalGame(session, lines or sys.stdin, out or sys.stdout).run()


class TerminalGame:
    r"""One player at one terminal.

    Parameters
    ----------
    session
        The game.
    lines, out
        Where commands come from and answers go to.
    """

    def __init__(self, session: GameSession, lines: TextIO, out: TextIO) -> None:
        self.session, self.lines, self.out = session, lines, out
        self._typed_here = lines is sys.stdin and lines.isatty()
        self._waiting = False

    def run(self) -> int:
        """Play until the end, a quit, or the end of the lines; return the exit code."""
        try:
            self._greet()
            while not self.session.game.over:
                line = self._ask()
                if line is None or not self._turn(line):
                    self._leave()
                    return 0
            self._end()
        except KeyboardInterrupt:
            self._say("")
            self._leave()
            return 130
        return 0

    def _greet(self) -> None:
        game, story = self.session.game, self.session.game.scenario.story
        self._say(f"{game.scenario.title}, seed {game.seed}", "")
        if game.actions:
            self._say(f"The game goes on: {len(game.actions)} actions were done.")
        else:
            self._say(story["opening"], story["expectation"])
        self._say("", menu(game.scenario), "", _status(self.session), "")
        self._ring()

    def _ask(self) -> str | None:
        """Read a line; None where there are no more."""
        prompt = f"[week {self.session.game.week}, {self.session.game.money:,.0f}] > "
        if self._typed_here:
            try:
                return input(prompt)
            except EOFError:
                return None
        line = self.lines.readline()
        self._say(f"{prompt}{line.rstrip()}")
        return line if line else None

    def _turn(self, line: str) -> bool:
        """Do what one line asks; False is to leave."""
        if not line.strip() or line.lstrip().startswith("#"):
            return True
        try:
            name, given = parse(line, self.session.game.scenario)
        except ValueError as wrong:
            self._say(str(wrong))
            return True
        if name == "quit":
            return False
        if name in _SHOWN:
            self._say(_SHOWN[name](self.session))
        elif name == "help":
            self._help(given["rest"])
        elif name == "cost":
            self._cost(given["rest"])
        elif name == "sleep":
            self._answer(
                self.session.sleep()
                if self.session.ringing
                else Answer(False, "The phone is silent: tick lets time pass.")
            )
        else:
            self._answer(self.session.do(name, progress=self._progress, **given))
        return True

    def _answer(self, answer: Answer) -> None:
        if self._waiting and self._typed_here:
            self.out.write("\r" + " " * 60 + "\r")
        self._waiting = False
        if answer.page is None:
            self._say(answer.words)
        if answer.report is not None:
            self._say(_bars(answer.report))
        self._ring(answer.words if answer.page is not None else "")

    def _ring(self, told: str = "") -> None:
        page = self.session.ringing
        if page is None:
            if told:
                self._say(told)
            return
        rest = told.removeprefix(str(page)).strip()
        self._say(
            *([rest] if rest else []), "", "*" * 60, f"  {page.clock}   the pager rings", "*" * 60,
            str(page), self.session.game.scenario.story["bias"],
            f"Answer it: test bias (look at the log) | rollback VERSION ({self._older()}) | sleep",
        )  # fmt: skip

    def _older(self) -> str:
        names = list(self.session.game.registry)
        return ", ".join(names[: names.index(self.session.game.live)]) or "there is none"

    def _progress(self, doing: str, share: float) -> None:
        """Say on one line how far a wait has come; only where a person watches."""
        self._waiting = True
        if self._typed_here:
            self.out.write(f"\r{doing[:48]:<48} {share:>5.0%}")
            self.out.flush()

    def _help(self, rest: list[str]) -> None:
        name = rest[0].lower() if rest else ""
        if name in COMMANDS:
            scenario = self.session.game.scenario
            meaning = MEANING[name].format(items=scenario.items, device=scenario.device)
            self._say(f"{COMMANDS[name]}", f"  {meaning}")
        else:
            self._say(menu(self.session.game.scenario))

    def _cost(self, rest: list[str]) -> None:
        try:
            name, given = parse(shlex.join(rest or ["help"]), self.session.game.scenario)
        except ValueError as wrong:
            self._say(str(wrong))
            return
        if name not in reality.ACTIONS:
            self._say("cost needs an action after it, such as: cost collect 600 recent")
            return
        self._say(self.session.cost(name, **given))

    def _leave(self) -> None:
        path = self.session.path
        if path is None:
            self._say("You leave the game.")
        elif self.session.game.actions:
            self._say(
                self.session.unsaved or f"The game is kept in {path.name}. Go on with:\n{self._resume()}"
            )
        else:
            self._say("You leave; nothing was done yet, and nothing is kept.")

    def _resume(self) -> str:
        return f"  python3 -m mlops_lab play --resume --log {shlex.quote(str(self.session.path))}"

    def _end(self) -> None:
        """Show the weeks and the score."""
        self._say(
            "", narration.diary(self.session.game), "", "The books are opened; this takes some seconds."
        )
        found = final_score(self.session.game, self._progress)
        if self._typed_here:
            self.out.write("\r" + " " * 60 + "\r")
        self._say("", narration.score_table(found))
        if self.session.path is not None:
            self._say(f"The game is kept in {self.session.path.name}.")

    def _say(self, *paragraphs: str) -> None:
        for text in paragraphs:
            for line in text.split("\n"):
                loose = len(line) > WIDE and not line.startswith(" ") and "  " not in line
                self.out.write((textwrap.fill(line, WIDE, break_on_hyphens=False) if loose else line) + "\n")
        self.out.flush()


def _bars(report: reality.Symptom) -> str:
    """Draw what a test compared with characters."""
    compared = narration.bars(report)
    wide, most = max(len(name) for name, _ in compared), max(1e-9, *(value for _, value in compared))
    return "\n".join(
        f"  {name:<{wide}} {value:>6.1%} {'#' * max(0, round(40 * value / most))}" for name, value in compared
    )


def _status(session: GameSession) -> str:
    return " | ".join(f"{name}: {value}" for name, value in narration.situation(session.game))


def _versions(session: GameSession) -> str:
    lines = []
    for name, version in session.game.registry.items():
        live = "live" if name == session.game.live else ""
        what = "" if version.by_hand else f"{version.rows:,} rows; {', '.join(version.features)}"
        told = "; ".join(part for part in (what, version.note) if part)
        lines.append(f"  {name:<4} {live:<5} day {version.day:<4} {told}")
    return "\n".join(lines)


_SHOWN: dict[str, Callable[[GameSession], str]] = {
    "status": _status,
    "weeks": lambda session: narration.diary(session.game),
    "versions": _versions,
    "prices": lambda session: "\n".join(
        textwrap.fill(f"{name}: {said}", WIDE, initial_indent="  ", subsequent_indent="    ")
        for name, said in narration.prices(session.game.scenario)
    ),
}


# ---------------------------------------------------------------- what may be typed, and what it means

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
    """Read one line: the action of `reality.Season` that it means, or another command, and its arguments."""
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
