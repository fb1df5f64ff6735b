"""A class's leaderboard: every log in a folder is played again, judged anew, and ranked.

A score that stands in a file is never believed. Left out: who really played; a log can be copied, so equal
games are pointed out, and the rest is for the teacher to ask.
"""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_lab import artifacts, reality
from mlops_lab.game.scores import scored

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]

COLUMNS = (
    "rank",
    "name",
    "scenario",
    "seed",
    "score",
    "net",
    "gap",
    "penalty",
    "dream",
    "card",
    "oracle",
    "note",
)
"""What is known of each game."""

CSV, PAGE = "leaderboard.csv", "leaderboard.html"

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8888; vertical-align: top; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
"""

_FIGURES = {"rank": "{:d}", "seed": "{:d}", "score": "{:.3f}", "gap": "{:.3f}", "penalty": "{:.3f}"}
_MONEY = ("net", "dream", "card", "oracle")


def leaderboard(
    folder: str | Path, *, scenario: reality.Scenario | str | Path | None = None, write: bool = True
) -> pd.DataFrame:
    """Rank the games whose logs lie in a folder.

    Answers: who ran the season best, in money and fairness? Each log is played again action by action; one
    that is damaged, edited, or not finished is refused whole, and the others are ranked. It cannot tell who
    played, and scores of other dials than the shipped ones are no fair match: the note says so.
    """
    import pandas as pd

    place = Path(folder)
    if not place.is_dir():
        raise ValueError(
            f"{place}: there is no such folder; give the one that holds the logs, NAME.json each"
        )
    logs = sorted(path for path in place.glob("*.json") if path.is_file())
    if not logs:
        raise ValueError(f"{place} holds no NAME.json; put each player's log there (the board's game_*.json)")
    only = scenario if isinstance(scenario, reality.Scenario | None) else reality.load_scenario(scenario)
    rows: list[dict[str, object]] = []
    refused: dict[str, str] = {}
    games: dict[str, str] = {}
    for path in logs:
        try:
            rows.append(_row(path, only, games))
        except (ValueError, TypeError, LookupError, ArithmeticError, OSError) as wrong:
            refused[path.name] = str(wrong).removeprefix(f"{path}: ").replace(str(path), path.name)
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    found["rank"] = found["score"].astype(float).rank(method="min", ascending=False).astype("int64")
    found = found.sort_values(["rank", "name"], kind="stable").reset_index(drop=True)
    found.attrs["refused"] = refused
    if write:
        artifacts.atomic_write(place / CSV, _csv(found))
        artifacts.atomic_write(place / PAGE, page(found, refused))
    return found


def _row(path: Path, only: reality.Scenario | None, games: dict[str, str]) -> dict[str, object]:
    """Play one log again and judge it; `games` remembers who played which."""
    season = reality.Season.replay(path)
    if only is not None and season.scenario.digest != only.digest:
        raise ValueError(f"it is a game of {_title(season.scenario)}, and only {only.name!r} is ranked")
    judged = scored(season)
    bars = judged.yardsticks
    key = json.dumps([season.scenario.digest, season.seed, season.actions], sort_keys=True)
    other = games.setdefault(key, path.stem)
    notes = [] if _shipped(season.scenario) else ["dials of its own"]
    notes += [] if other == path.stem else [f"the same actions as {other}"]
    return {
        "rank": 0,
        "name": path.stem,
        "scenario": season.scenario.name,
        "seed": season.seed,
        "score": judged.score,
        "net": judged.net,
        "gap": judged.gap,
        "penalty": judged.penalty,
        "dream": bars.naive,
        "card": bars.rule_card,
        "oracle": bars.oracle,
        "note": "; ".join(notes),
    }


def _shipped(scenario: reality.Scenario) -> bool:
    return any(reality.load_scenario(name).digest == scenario.digest for name in reality.scenarios())


def _title(scenario: reality.Scenario) -> str:
    return repr(scenario.name) if _shipped(scenario) else f"{scenario.name!r} with dials of its own"


def _csv(found: pd.DataFrame) -> str:
    """Give the table as CSV; a name that a spreadsheet would take for a formula is quoted."""
    safe = found.copy()
    for column in ("name", "scenario", "note"):
        safe[column] = [f"'{text}" if text[:1] in "=+-@\t\r" and text else text for text in safe[column]]
    return safe.to_csv(index=False, lineterminator="\n")


def page(found: pd.DataFrame, refused: Mapping[str, str]) -> str:
    """Write the leaderboard as one page of HTML that needs no network."""
    shown = [column for column in COLUMNS if column not in ("dream", "card", "oracle")]
    number = {column for column in shown if column in _FIGURES or column in _MONEY}
    head = "".join(
        f'<th scope="col"{" class=number" if column in number else ""}>{column}</th>' for column in shown
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if column in number else ''}>{html.escape(_told(column, row[column]))}</td>"
            for column in shown
        )
        + "</tr>\n"
        for row in found.to_dict("records")
    )
    told = "".join(
        f"<li><b>{html.escape(name)}</b>: {html.escape(why)}</li>\n" for name, why in refused.items()
    )
    left_out = f"<h2>Refused</h2>\n<ul>\n{told}</ul>\n" if refused else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Leaderboard</title>'
        f"<style>{_STYLE}</style></head><body><main>\n<h1>Expectation versus reality: the leaderboard</h1>\n"
        f"<p>Games that are ranked: {len(found)}; files that were refused: {len(refused)}. "
        "Every game was played again and judged anew. Score: 0 is the dream's money and 1 the oracle's, of "
        "the same season; what a gap between the two groups of more than 0.05 costs is taken off.</p>\n"
        f"<table><caption>The games</caption>\n<tr>{head}</tr>\n{body}</table>\n"
        f"{left_out}</main></body></html>\n"
    )


def _told(column: str, value: object) -> str:
    if column in _MONEY:
        return f"{value:,.0f}"
    return _FIGURES[column].format(value) if column in _FIGURES else str(value)


def main(folder: Path, *, scenario: str | None = None) -> int:
    """Rank a folder's games and say what was found; return 1 if a file was refused, else 0."""
    found = leaderboard(folder, scenario=scenario)
    wide = max(4, *(len(name) for name in found["name"])) if len(found) else 4
    lines = [f"{'rank':>4}  {'name':<{wide}}  {'score':>7} {'net':>10} {'gap':>6}  note"]
    lines += [
        f"{row['rank']:>4}  {row['name']:<{wide}}  {row['score']:>7.3f} {row['net']:>10,.0f} "
        f"{row['gap']:>6.2f}  {row['note']}".rstrip()
        for row in found.to_dict("records")
    ]
    lines += [f"REFUSED {name}: {why}" for name, why in found.attrs["refused"].items()]
    lines.append(f"Written: {folder / CSV}, {folder / PAGE}")
    sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(found.attrs["refused"]))
