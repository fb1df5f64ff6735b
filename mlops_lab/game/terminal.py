"""A season of expectation and reality in a terminal: typed turn by turn, kept after each turn.

The log is the board's: a game begun here can go on there. Ctrl-C loses nothing but what was being typed. Left
out: what may be typed (reality_commands.py), and what an action does (`reality`).
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from mlops_lab import reality
from mlops_lab.game import commands as commands
from mlops_lab.game import narration as words
from mlops_lab.game.session import Answer, Desk, file_name, verdict

__all__ = ["Terminal", "play"]

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
    desk = Desk(known, seed, log)
    return Terminal(desk, lines or sys.stdin, out or sys.stdout).run()


class Terminal:
    r"""One player at one terminal.

    Parameters
    ----------
    desk
        The game.
    lines, out
        Where commands come from and answers go to.
    """

    def __init__(self, desk: Desk, lines: TextIO, out: TextIO) -> None:
        self.desk, self.lines, self.out = desk, lines, out
        self._typed_here = lines is sys.stdin and lines.isatty()
        self._waiting = False

    def run(self) -> int:
        """Play until the end, a quit, or the end of the lines; return the exit code."""
        try:
            self._greet()
            while not self.desk.game.over:
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
        game, story = self.desk.game, self.desk.game.scenario.story
        self._say(f"{game.scenario.title}, seed {game.seed}", "")
        if game.actions:
            self._say(f"The game goes on: {len(game.actions)} actions were done.")
        else:
            self._say(story["opening"], story["expectation"])
        self._say("", commands.menu(game.scenario), "", self._status(), "")
        self._ring()

    def _ask(self) -> str | None:
        """Read a line; None where there are no more."""
        prompt = f"[week {self.desk.game.week}, {self.desk.game.money:,.0f}] > "
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
            name, given = commands.parse(line, self.desk.game.scenario)
        except ValueError as wrong:
            self._say(str(wrong))
            return True
        if name == "quit":
            return False
        if name in _SHOWN:
            self._say(_SHOWN[name](self.desk))
        elif name == "help":
            self._help(given["rest"])
        elif name == "cost":
            self._cost(given["rest"])
        elif name == "sleep":
            self._answer(
                self.desk.sleep()
                if self.desk.ringing
                else Answer(False, "The phone is silent: tick lets time pass.")
            )
        else:
            self._answer(self.desk.do(name, progress=self._progress, **given))
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
        page = self.desk.ringing
        if page is None:
            if told:
                self._say(told)
            return
        rest = told.removeprefix(str(page)).strip()
        self._say(
            *([rest] if rest else []), "", "*" * 60, f"  {page.clock}   the pager rings", "*" * 60,
            str(page), self.desk.game.scenario.story["bias"],
            f"Answer it: test bias (look at the log) | rollback VERSION ({self._older()}) | sleep",
        )  # fmt: skip

    def _older(self) -> str:
        names = list(self.desk.game.registry)
        return ", ".join(names[: names.index(self.desk.game.live)]) or "there is none"

    def _progress(self, doing: str, share: float) -> None:
        """Say on one line how far a wait has come; only where a person watches."""
        self._waiting = True
        if self._typed_here:
            self.out.write(f"\r{doing[:48]:<48} {share:>5.0%}")
            self.out.flush()

    def _help(self, rest: list[str]) -> None:
        name = rest[0].lower() if rest else ""
        if name in commands.COMMANDS:
            scenario = self.desk.game.scenario
            meaning = commands.MEANING[name].format(items=scenario.items, device=scenario.device)
            self._say(f"{commands.COMMANDS[name]}", f"  {meaning}")
        else:
            self._say(commands.menu(self.desk.game.scenario))

    def _cost(self, rest: list[str]) -> None:
        try:
            name, given = commands.parse(shlex.join(rest or ["help"]), self.desk.game.scenario)
        except ValueError as wrong:
            self._say(str(wrong))
            return
        if name not in reality.ACTIONS:
            self._say("cost needs an action after it, such as: cost collect 600 recent")
            return
        self._say(self.desk.cost(name, **given))

    def _status(self) -> str:
        return " | ".join(f"{name}: {value}" for name, value in words.situation(self.desk.game))

    def _leave(self) -> None:
        path = self.desk.path
        if path is None:
            self._say("You leave the game.")
        elif self.desk.game.actions:
            self._say(self.desk.unsaved or f"The game is kept in {path.name}. Go on with:\n{self._resume()}")
        else:
            self._say("You leave; nothing was done yet, and nothing is kept.")

    def _resume(self) -> str:
        return f"  python3 -m mlops_lab play --resume --log {shlex.quote(str(self.desk.path))}"

    def _end(self) -> None:
        """Show the weeks and the score."""
        self._say("", words.timeline(self.desk.game), "", "The books are opened; this takes some seconds.")
        found = verdict(self.desk.game, self._progress)
        if self._typed_here:
            self.out.write("\r" + " " * 60 + "\r")
        self._say("", words.verdict_table(found))
        if self.desk.path is not None:
            self._say(f"The game is kept in {self.desk.path.name}.")

    def _say(self, *paragraphs: str) -> None:
        for text in paragraphs:
            for line in text.split("\n"):
                loose = len(line) > WIDE and not line.startswith(" ") and "  " not in line
                self.out.write((textwrap.fill(line, WIDE, break_on_hyphens=False) if loose else line) + "\n")
        self.out.flush()


def _bars(report: reality.Symptom) -> str:
    """Draw what a test compared with characters."""
    compared = words.bars(report)
    wide, most = max(len(name) for name, _ in compared), max(1e-9, *(value for _, value in compared))
    return "\n".join(
        f"  {name:<{wide}} {value:>6.1%} {'#' * max(0, round(40 * value / most))}" for name, value in compared
    )


def _versions(desk: Desk) -> str:
    lines = []
    for name, version in desk.game.registry.items():
        live = "live" if name == desk.game.live else ""
        what = "" if version.by_hand else f"{version.rows:,} rows; {', '.join(version.features)}"
        told = "; ".join(part for part in (what, version.note) if part)
        lines.append(f"  {name:<4} {live:<5} day {version.day:<4} {told}")
    return "\n".join(lines)


_SHOWN: dict[str, Callable[[Desk], str]] = {
    "status": lambda desk: " | ".join(f"{name}: {value}" for name, value in words.situation(desk.game)),
    "weeks": lambda desk: words.timeline(desk.game),
    "versions": _versions,
    "prices": lambda desk: "\n".join(
        textwrap.fill(f"{name}: {said}", WIDE, initial_indent="  ", subsequent_indent="    ")
        for name, said in words.prices(desk.game.scenario)
    ),
}
