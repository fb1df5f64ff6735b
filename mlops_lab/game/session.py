"""A session: one game in a player's hands, at the board or in a terminal; answered in words, saved at once.

An action that is not possible is answered, and changes nothing. One that is cut off (Ctrl-C, a stopped
kernel) has not happened: the game goes on from the last log. Left out: what is shown where; that is the
board's and the terminal's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_lab import reality
from mlops_lab.game import narration
from mlops_lab.game.scores import Progress, silent
from mlops_lab.reality import game_log

__all__ = ["Answer", "GameSession", "file_name"]


@dataclass(frozen=True)
class Answer:
    """What came of an action.

    Parameters
    ----------
    done
        Whether it happened; if not, nothing has changed.
    words
        What to say.
    report
        What a test found, if it was one.
    page
        The page that ended it early, if one rang.
    """

    done: bool
    words: str
    report: reality.Symptom | None = None
    page: reality.Page | None = None


def file_name(scenario: reality.Scenario, seed: int) -> str:
    """Give the name that a game's log has if the player gives none."""
    return f"game_{re.sub(r'[^A-Za-z0-9-]+', '_', scenario.name)}_seed{seed}.json"


class GameSession:
    """One game in the hands of a player, and the file in which it is kept.

    Parameters
    ----------
    scenario
        A `Scenario`, the name of a shipped one, or the path of a scenario file; None takes the log's.
    seed
        Picks the luck; None takes the log's, or 0.
    path
        The log. If the file is there, the game goes on from it. None keeps no file.
    """

    def __init__(
        self,
        scenario: reality.Scenario | str | Path | None = "orchard",
        seed: int | None = 0,
        path: str | Path | None = None,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.unsaved = ""
        self._answered = False
        known = isinstance(scenario, reality.Scenario) or scenario is None
        asked: Any = scenario if known else reality.load_scenario(scenario)  # type: ignore[arg-type]
        if self.path is not None and self.path.exists():
            self.game = reality.Season.replay(self.path)
            self._same(asked, seed)
        else:
            self.game = reality.Season(asked or "orchard", seed=0 if seed is None else seed)
        self._log = game_log.as_log(self.game)

    def _same(self, scenario: reality.Scenario | None, seed: int | None) -> None:
        """Refuse the log of another game than the one asked for."""
        ours, way_out = self.game.scenario, "name another file, or ask for the game that is in it"
        if scenario is not None and scenario.digest != ours.digest:
            other = " (with other dials)" if scenario.name == ours.name else ""
            raise ValueError(
                f"{self.path} holds a game of {ours.name!r}, not of {scenario.name!r}{other}: {way_out}"
            )
        if seed is not None and seed != self.game.seed:
            raise ValueError(f"{self.path} holds a game of seed {self.game.seed}, not of {seed}: {way_out}")

    @property
    def ringing(self) -> reality.Page | None:
        """Give the page that has not been answered yet."""
        game = self.game
        if self._answered or game.over or not game.pages or not game.actions:
            return None
        last, page = game.actions[-1], game.pages[-1]
        rang = last["action"] == "tick" and last["arguments"].get("pager", True) and page.day >= last["day"]
        return page if rang else None

    def sleep(self) -> Answer:
        """Answer a page by going back to sleep: nothing is done about it."""
        self._answered = True
        return Answer(True, "You put the phone away. The version that is live goes on grading.")

    def do(self, action: str, *, progress: Progress | None = None, **given: Any) -> Answer:
        """Do one action of `reality.Season`, keep the log, and say what came of it.

        Time passes week by week, so that a long wait can be watched and is kept as far as it went.
        """
        if self.ringing is not None and not _answers(action, given):
            ways = "test, rollback, deploy, or sleep"
            return Answer(False, f"The pager rings: answer it first ({ways}). Nothing has changed.")
        if action in ("tick", "finish"):
            return self._wait(given, action == "finish", progress or silent)
        before = self.game.fork()
        done, result = self._try(action, given)
        if not done:
            return Answer(False, result)
        said = narration.answered(action, result, given, before, self.game)
        return Answer(True, self._kept(said), result if isinstance(result, reality.Symptom) else None)

    def _try(self, action: str, given: dict[str, Any]) -> tuple[bool, Any]:
        """Do it whole or not at all."""
        done = len(self.game.actions)
        try:
            result = getattr(self.game, action)(**given)
        except (ValueError, TypeError) as wrong:
            if len(self.game.actions) > done:
                self._back()
            return False, _refused(wrong)
        except BaseException:
            self._back()
            raise
        self._answered = False
        self._log = game_log.as_log(self.game)
        self._save()
        return True, result

    def _wait(self, given: dict[str, Any], finish: bool, progress: Progress) -> Answer:
        game, before = self.game, self.game.fork()
        last = 7 * game.scenario.weeks
        try:
            game.quote("tick", **({"days": 1} if finish else given))
        except (ValueError, TypeError) as wrong:
            return Answer(False, _refused(wrong))
        pager = bool(given.get("pager", True)) and not finish
        start, end = game.day, last if finish else min(last, game.day + given["days"])
        page = None
        while page is None and self.game.day < end:
            day = self.game.day
            progress(f"week {day // 7} is served by {self.game.live}", (day - start) / (end - start))
            done, page = self._try("tick", {"days": min(end - day, 7 - day % 7), "pager": pager})
            if not done:
                return Answer(False, page)
        progress("served", 1.0)
        said = narration.answered("tick", page, given, before, self.game)
        return Answer(True, self._kept(said), page=page)

    def _back(self) -> None:
        """Take up the game as the last log has it."""
        self.game = game_log.from_log(self._log, reality.Season)

    def _save(self) -> None:
        if self.path is None:
            return
        try:
            self.game.save(self.path)
            self.unsaved = ""
        except OSError as wrong:
            self.unsaved = f"NOT SAVED ({wrong.strerror or wrong}): {self.path.name} is as it was before."

    def _kept(self, said: str) -> str:
        return f"{said} {self.unsaved}".strip()

    def cost(self, action: str, **given: Any) -> str:
        """Say what an action would cost now, or why it is not possible; nothing is done."""
        try:
            cost = self.game.quote(action, **given)
            return "Costs nothing." if action in ("tick", "finish") else narration.bill(cost)
        except (ValueError, TypeError) as wrong:
            return f"Not possible now: {wrong}."

    def begin_again(self) -> str:
        """Begin a new game of the same scenario and seed; an old log is kept under a numbered name."""
        kept = ""
        if self.path is not None and self.path.exists():
            kept = _put_aside(self.path).name
        self.game = reality.Season(self.game.scenario, seed=self.game.seed)
        self._log, self._answered = game_log.as_log(self.game), False
        return f"A new game begins.{f' The old one is kept in {kept}.' if kept else ''}"


def _refused(wrong: Exception) -> str:
    return f"Not possible: {str(wrong).rstrip('.')}. Nothing has changed."


def _answers(action: str, given: dict[str, Any]) -> bool:
    """Whether an action is an answer to a page: to look, to go back, to release another version."""
    return action in ("rollback", "deploy") or (action == "test" and given.get("symptom") == "bias")


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return path.rename(aside)
