"""The picture of L12: expectation and reality side by side, week by week, with all that was done.

Left out: the figures themselves; they are the story's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_lab import plots
from mlops_lab.reality.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlops_lab.reality.project import Project
    from mlops_lab.reality.story import Story

__all__ = ["Step", "draw", "steps"]


MOST_STEPS = 33
"""So many steps can be written below the picture."""


@dataclass(frozen=True)
class Step:
    """One step of a game, as the picture names it.

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


def steps(project: Project) -> list[Step]:
    """Tell a game in steps: what was done, what a test found, and when the pager rang."""
    told: list[Step] = []
    found = [(day, _found(report), bool(report.fired)) for day, report in project.reports]
    trained = 0
    for entry in project.actions:
        trained += entry["action"] == "train"
        words = _done(entry["action"], entry["arguments"], project.scenario, f"v{trained}")
        if (
            entry["action"] == "train"
            and told
            and not told[-1].alarm
            and told[-1].words.startswith(("coll", "rel"))
        ):
            told[-1] = Step(told[-1].day, f"{told[-1].words}, {words}")
        elif words:
            told.append(Step(entry["day"], words))
    heard = [Step(day, words, alarm) for day, words, alarm in found if words]
    heard += [Step(page.day, f"{page.clock} the pager: {page.group}", True) for page in project.pages]
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


def draw(story: Story, ax: Axes | None = None) -> Axes:
    """Draw a story: left the dream as it was promised, right what came, and below every step in words."""
    if ax is None:
        ax = plots.axes(size=(11, 6.4))
    ax.set_axis_off()
    left, right = ax.inset_axes((0.0, 0.42, 0.25, 0.52)), ax.inset_axes((0.33, 0.42, 0.67, 0.52))
    for side, title in (
        (left, "Expectation: collect, train, deploy"),
        (right, f"Reality: {story.scenario.title}"),
    ):
        plots.axes(side, title=title, xlabel="week", ylabel="profit a week (thousands)")
    _expectation(story, left)
    _reality(story, right)
    profits = [week.profit / 1000 for week in (*story.weeks, *story.yardsticks.dream)]
    high = max(*profits, story.yardsticks.promised / 1000)
    for side in (left, right):
        side.set_ylim(min(0.0, *profits) - 0.03 * high, 1.5 * high)  # above the lines is room for the numbers
        side.set_xlim(3.5, story.scenario.weeks)
    _words(ax, _shown(story.project))
    return ax


def _shown(project: Project) -> list[Step]:
    """Give the steps for which there is room, and say how many more there are."""
    told = steps(project)
    if len(told) <= MOST_STEPS:
        return told
    return [
        *told[: MOST_STEPS - 1],
        Step(told[MOST_STEPS].day, f"and {len(told) - MOST_STEPS + 1} more steps"),
    ]


def _expectation(story: Story, ax: Axes) -> None:
    deployed = next(w.week for w in story.yardsticks.dream if w.version != "v0")
    promised = story.yardsticks.promised / 1000
    card = story.yardsticks.dream[0].profit / 1000
    weeks = [4, deployed, deployed, story.scenario.weeks]
    ax.plot(weeks, [card, card, promised, promised], color=plots.PALETTE["blue"], linewidth=2.2)
    ax.annotate("deploy", (deployed, promised), (4, 5), textcoords="offset points", fontsize=9)


def _reality(story: Story, ax: Axes) -> None:
    last = story.scenario.weeks
    ax.axhline(story.yardsticks.promised / 1000, color="#595959", linewidth=1.2, linestyle=(0, (6, 3)))
    ax.annotate(
        "promised",
        (last, story.yardsticks.promised / 1000),
        (-2, 4),
        textcoords="offset points",
        ha="right",
        fontsize=9,
    )
    lines = (
        ("the dream, as it went", story.yardsticks.dream, "vermillion", "--", 1.6),
        ("this season", story.weeks, "blue", "-", 2.2),
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
    _numbers(ax, _shown(story.project))


def _numbers(ax: Axes, told: list[Step]) -> None:
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


def _words(ax: Axes, told: list[Step]) -> None:
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
