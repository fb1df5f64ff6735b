"""The picture of L12: expectation and reality side by side, week by week, with all that was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_lab import plots
from mlops_lab.reality.evaluation import Yardsticks
from mlops_lab.reality.scenario import Scenario
from mlops_lab.reality.season import Season

if TYPE_CHECKING:
    from matplotlib.axes import Axes


__all__ = ["draw", "events"]


MOST_EVENTS = 33
"""So many events can be written below the picture."""


@dataclass(frozen=True)
class Event:
    """One event of a season, as the picture names it.

    Parameters
    ----------
    day
        When it began.
    words
        What it was, in a few words.
    alarm
        Whether it is bad news.
    """

    day: int
    words: str
    alarm: bool = False


def events(season: Season) -> list[Event]:
    """Tell a season in events: what was done, what a test found, and when the pager rang."""
    told: list[Event] = []
    found = [(day, _found(report), bool(report.fired)) for day, report in season.reports]
    trained = 0
    for entry in season.actions:
        trained += entry["action"] == "train"
        words = _done(entry["action"], entry["arguments"], season.scenario, f"v{trained}")
        if (
            entry["action"] == "train"
            and told
            and not told[-1].alarm
            and told[-1].words.startswith(("coll", "rel"))
        ):
            told[-1] = Event(told[-1].day, f"{told[-1].words}, {words}")
        elif words:
            told.append(Event(entry["day"], words))
    heard = [Event(day, words, alarm) for day, words, alarm in found if words]
    heard += [Event(page.day, f"{page.clock} the pager: {page.group}", True) for page in season.pages]
    return sorted(
        [*heard, *told], key=lambda step: step.day
    )  # on one day, the news comes before what is done


def _done(action: str, given: dict[str, Any], scenario: Scenario, version: str) -> str:
    if action == "collect":
        old = given["source"] == "archive"
        kinds = (given.get("grade"), given.get("group") if given.get("group") != "all" else None)
        parts = ["" if old else "recent", *(kind or "" for kind in kinds), scenario.items]
        return " ".join(["collect", f"{given['n']:,}", *(part for part in parts if part)])
    words = {
        "relabel": lambda: f"relabel {given['n']:,} {scenario.items}",
        "train": lambda: f"train {version}",
        "deploy": lambda: f"deploy {given['version']}",
        "rollback": lambda: f"roll back to {given['version']}",
        "choose_metric": lambda: f"metric: {given['name']}",
    }
    return words[action]() if action in words else ""


def _found(report: Any) -> str:
    measures = report.measures
    if report.fired is None:
        return ""
    return {
        "labels": lambda: f"{measures['share']:.0%} of the labels are wrong",
        "class": lambda: f"{measures['recall']:.0%} of {report.worst} found",
        "recent": lambda: f"recent accuracy {measures['now']:.0%}, was {measures['then']:.0%}",
        "bias": lambda: f"complaints {measures['rate']:.1%} / {measures['others']:.1%}",
        "revenue": lambda: f"revenue {measures['change']:+.0%}, accuracy {measures['now']:.0%}",
    }[report.symptom]()


def draw(season: Season, yardsticks: Yardsticks, ax: Axes | None = None) -> Axes:
    """Draw a season: left the dream as it was promised, right what came, and below every step in words."""
    if ax is None:
        ax = plots.axes(size=(11, 6.4))
    ax.set_axis_off()
    left, right = ax.inset_axes((0.0, 0.42, 0.25, 0.52)), ax.inset_axes((0.33, 0.42, 0.67, 0.52))
    for side, title in (
        (left, "Expectation: collect, train, deploy"),
        (right, f"Reality: {season.scenario.title}"),
    ):
        plots.axes(side, title=title, xlabel="week", ylabel="profit a week (thousands)")
    _expectation(season, yardsticks, left)
    _reality(season, yardsticks, right)
    profits = [week.profit / 1000 for week in (*season.weeks, *yardsticks.dream)]
    high = max(*profits, yardsticks.promised / 1000)
    for side in (left, right):
        side.set_ylim(min(0.0, *profits) - 0.03 * high, 1.5 * high)  # above the lines is room for the numbers
        side.set_xlim(3.5, season.scenario.weeks)
    _words(ax, _shown(season))
    return ax


def _shown(season: Season) -> list[Event]:
    """Give the steps for which there is room, and say how many more there are."""
    told = events(season)
    if len(told) <= MOST_EVENTS:
        return told
    return [
        *told[: MOST_EVENTS - 1],
        Event(told[MOST_EVENTS].day, f"and {len(told) - MOST_EVENTS + 1} more steps"),
    ]


def _expectation(season: Season, yardsticks: Yardsticks, ax: Axes) -> None:
    deployed = next(w.week for w in yardsticks.dream if w.version != "v0")
    promised = yardsticks.promised / 1000
    card = yardsticks.dream[0].profit / 1000
    weeks = [4, deployed, deployed, season.scenario.weeks]
    ax.plot(weeks, [card, card, promised, promised], color=plots.PALETTE["blue"], linewidth=2.2)
    ax.annotate("deploy", (deployed, promised), (4, 5), textcoords="offset points", fontsize=9)


def _reality(season: Season, yardsticks: Yardsticks, ax: Axes) -> None:
    last = season.scenario.weeks
    ax.axhline(yardsticks.promised / 1000, color="#595959", linewidth=1.2, linestyle=(0, (6, 3)))
    ax.annotate(
        "promised",
        (last, yardsticks.promised / 1000),
        (-2, 4),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    lines = (
        ("the dream, as it went", yardsticks.dream, "vermillion", "--", 1.6),
        ("this season", season.weeks, "blue", "-", 2.2),
    )
    for name, weeks, colour, dashes, width in lines:
        at, profit = [week.week + 1 for week in weeks], [week.profit / 1000 for week in weeks]
        ax.plot(at, profit, color=plots.PALETTE[colour], linestyle=dashes, linewidth=width)
        place = int(0.8 * len(at))
        ax.annotate(
            name,
            (at[place], profit[place]),
            (0, 13 if dashes == "--" else -18),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    _numbers(ax, _shown(season))


def _numbers(ax: Axes, told: list[Event]) -> None:
    """Put the steps' numbers over the week in which they began, those of one fortnight under each other."""
    heights: dict[int, int] = {}
    for number, step in enumerate(told, start=1):
        slot = step.day // 14
        heights[slot] = heights.get(slot, 0) + 1
        ax.annotate(
            str(number),
            (slot * 2 + 1, 1),
            (0, -8 - 13 * (heights[slot] - 1)),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if step.alarm else "black",
            bbox={
                "boxstyle": "circle,pad=0.2",
                "facecolor": plots.PALETTE["vermillion"] if step.alarm else "white",
                "edgecolor": "black",
                "linewidth": 0.7,
            },
        )


def _words(ax: Axes, told: list[Event]) -> None:
    columns, rows = 3, -(-len(told) // 3)
    for number, step in enumerate(told):
        column, row = divmod(number, max(rows, 1))
        ax.text(
            column / columns,
            0.28 - row * 0.28 / max(rows - 1, 5),
            f"{number + 1}  week {step.day // 7}: {step.words}",
            transform=ax.transAxes,
            fontsize=8.5 if rows < 8 else 7,
            va="center",
            weight="bold" if step.alarm else "normal",
        )
