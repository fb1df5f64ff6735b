"""What a finished game was worth, beside the others of the same season; and the games that lessons show."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mlops_lab import reality
from mlops_lab.reality import evaluation, game_log

__all__ = ["FinalScore", "Progress", "example_game", "final_score", "scored", "silent"]

LOGS = Path(__file__).parent / "logs"
"""Logs of games that the lessons show; a test holds them against the engine."""

Progress = Callable[[str, float], None]
"""Is told what is being done, and which share of it is done."""

BESIDE = {"expectation": "the dream", "rule_card": "the card", "lecture": "the lecture"}
"""The policies that a game is shown beside, and how a player calls them."""


@dataclass(frozen=True)
class FinalScore:
    """A finished game beside the others of the same season.

    Parameters
    ----------
    yours
        The game, judged.
    beside
        The games of the policies in `BESIDE`, judged likewise.
    """

    yours: reality.PlayedSeason
    beside: dict[str, reality.PlayedSeason]

    def rows(self) -> list[tuple[str, float, float | None, float]]:
        """Give for each player: who, net money, gap between the groups (None: not measured), score."""
        games = {"you": self.yours, **self.beside}
        rows: list[tuple[str, float, float | None, float]] = [
            (who, game.net, game.gap, game.score) for who, game in games.items()
        ]
        return [*rows, ("the oracle", self.yours.yardsticks.oracle, None, 1.0)]


def silent(_doing: str, _share: float) -> None:
    """Tell nobody how far it is."""


def final_score(game: reality.Season, progress: Progress = silent) -> FinalScore:
    """Judge a finished game, beside the dream, the card, the lecture and the oracle."""
    if game.over:
        progress("the books are opened: what the dream, the card and the oracle made of this season", 0.1)
        bars = _bars(game.scenario, game.seed)
        progress("what each remedy of yours did: the weeks are lived again without it", 0.6)
        judged = reality.judge(game, bars=bars)
    else:
        judged = reality.judge(game)
    beside = {}
    for number, (policy, who) in enumerate(BESIDE.items()):
        progress(f"what {who} made of this season", 0.7 + 0.1 * number)
        beside[who] = scored(_played(game.scenario, game.seed, policy))
    progress("the books are open", 1.0)
    return FinalScore(judged, beside)


@lru_cache(maxsize=64)
def _bars(scenario: reality.Scenario, seed: int) -> reality.Yardsticks:
    return reality.yardsticks(scenario, seed=seed)


@lru_cache(maxsize=64)
def _played(scenario: reality.Scenario, seed: int, policy: str) -> reality.Season:
    season = reality.Season(scenario, seed=seed)
    reality.POLICIES[policy](season)
    season.finish()
    return season


def played(scenario: reality.Scenario, seed: int, policy: str) -> reality.Season:
    """Play a season by a policy; it is played once, and a copy of it given each time."""
    return _played(scenario, seed, policy).fork()


def example_game(scenario: reality.Scenario, seed: int, policy: str) -> reality.Season:
    """Replay the log that the kit keeps of a policy's game; where it keeps none, play it, and replay that.

    A kept log that this machine plays otherwise is passed over.
    """
    file = LOGS / f"{scenario.name}_seed{seed}_{policy}.json"
    if file.is_file() and scenario == reality.load_scenario(scenario.name):
        with contextlib.suppress(ValueError):
            return reality.Season.replay(file)
    return game_log.from_log(game_log.as_log(played(scenario, seed, policy)), reality.Season)


def scored(season: reality.Season) -> reality.PlayedSeason:
    """Judge a finished game by money and fairness alone: nothing is lived again, so it is quick."""
    if not season.over:
        last = 7 * season.scenario.weeks
        raise ValueError(f"its season is not over: it is day {season.day} of {last}")
    bars, untold = _bars(season.scenario, season.seed), dict.fromkeys(reality.SYMPTOMS)
    return reality.PlayedSeason(
        season, "by hand", bars, fired=untold, effects={}, underpaid=evaluation.underpaid(season)
    )
