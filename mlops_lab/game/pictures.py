"""The board's pictures: the weeks, what a test compared, the score beside the others; and words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_lab import plots
from mlops_lab.game import narration as words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mlops_lab import reality
    from mlops_lab.game.session import Verdict

__all__ = ["comparison", "in_words", "score", "timeline"]


def timeline(game: reality.Project) -> Axes:
    """Draw the weeks: revenue and profit, the price, complaints by group; with deployments and pages."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 5.0), layout="constrained")
    rows: tuple[Axes, Axes, Axes] = figure.subplots(3, sharex=True, height_ratios=(2.2, 1, 1.6))
    top, middle, low = rows
    weeks = [week.week + 0.5 for week in game.weeks]
    plots.axes(top, ylabel="money (thousands)")
    _line(top, weeks, [week.revenue / 1000 for week in game.weeks], "blue", "-", "revenue")
    _line(top, weeks, [week.profit / 1000 for week in game.weeks], "vermillion", "--", "profit")
    plots.axes(middle, ylabel="price (%)")
    _line(middle, weeks, [100 * week.price for week in game.weeks], "black", "-", "price that buyers pay")
    middle.set_ylim(0, 112)
    plots.axes(low, xlabel="week", ylabel="complaints (%)")
    for group, colour, dashes in zip(game.scenario.groups, ("blue", "vermillion"), ("-", "--"), strict=True):
        share = [100 * week.complaints[group] / max(week.items[group], 1) for week in game.weeks]
        _line(low, weeks, share, colour, dashes, f"{group} {game.scenario.items}")
    for ax in (top, low):
        ax.set_ylim(
            bottom=min([0.0, *(1.1 * week.profit / 1000 for week in game.weeks)]) if ax is top else 0.0
        )
        if weeks:
            ax.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1, 1.05))
    top.set_xlim(3.5, game.scenario.weeks + 0.5)
    _events(game, top, low)
    return top


def _line(ax: Axes, weeks: list[float], values: list[float], colour: str, dashes: str, label: str) -> None:
    marker = "o" if dashes == "-" else "s"
    style: dict[str, Any] = {"color": plots.PALETTE[colour], "linestyle": dashes, "markersize": 3.5}
    ax.plot(weeks, values, marker=marker, label=label, **style)


def _events(game: reality.Project, top: Axes, low: Axes) -> None:
    """Mark what was put live and when the phone rang, each name a little higher where they stand close."""
    last, height = -9.0, 0
    for entry in game.actions:
        if entry["action"] not in ("deploy", "rollback", "choose_metric"):
            continue
        week = entry["day"] / 7
        height, last = (height + 1) % 3 if week - last < 3.2 else 0, week
        arguments = entry["arguments"]
        name = arguments.get("version") or f"metric: {arguments['name']}"
        name = f"back to {name}" if entry["action"] == "rollback" else name
        top.axvline(week, color="#595959", linewidth=1)
        top.annotate(
            name, (week, 1), (2, 2 + 11 * height), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=9,
        )  # fmt: skip
    for page in game.pages:
        low.axvline(page.hour / 168, color="black", linewidth=1.2, linestyle=":")
        low.annotate(
            f"{page.clock}", (page.hour / 168, 1), (2, 1), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=9, weight="bold",
        )  # fmt: skip


def comparison(report: reality.Symptom) -> Axes:
    """Draw what a test compared, as bars; hatched and red where the symptom is there."""
    from matplotlib.figure import Figure

    compared = words.bars(report)[::-1]
    answer = {True: "the symptom is there", False: "all right", None: "not decided yet"}[report.fired]
    ax = plots.axes(
        Figure(figsize=(3.6, 1.1 + 0.42 * len(compared)), layout="constrained").subplots(),
        title=f"{report.symptom}: {answer}",
        xlabel="share (%)",
    )
    names, values = [name for name, _ in compared], [100 * value for _, value in compared]
    colours = [plots.PALETTE["blue"]] * len(values)
    if report.fired:
        colours[-1 if report.symptom in ("labels", "class", "bias") else 0] = plots.PALETTE["vermillion"]
    bars = ax.barh(names, values, color=colours, edgecolor="black", linewidth=0.7, height=0.6)
    for bar, colour in zip(bars, colours, strict=True):
        if colour == plots.PALETTE["vermillion"]:
            bar.set_hatch("///")
    ax.bar_label(bars, [f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in values], padding=3)
    ax.set_xlim(0, 1.18 * max(max(values), 1.0))
    return ax


def score(verdict: Verdict) -> Axes:
    """Draw the net money of a game beside the others' of the same season, with every score."""
    from matplotlib.figure import Figure

    rows = verdict.rows()[::-1]
    ax = plots.axes(
        Figure(figsize=(9.6, 2.5), layout="constrained").subplots(),
        title="What the season brought, less what was spent",
        xlabel="net money (thousands)",
    )
    values = [net / 1000 for _, net, _, _ in rows]
    colours = [plots.PALETTE["orange" if who == "you" else "sky_blue"] for who, *_ in rows]
    bars = ax.barh([who for who, *_ in rows], values, color=colours, edgecolor="black", linewidth=0.7)
    for bar, (who, *_) in zip(bars, rows, strict=True):
        bar.set_hatch("///" if who == "you" else "")
    said = [
        f"{net / 1000:,.0f}, score {points:.2f}" + ("" if gap is None else f" (gap {gap:.2f})")
        for _, net, gap, points in rows
    ]
    ax.bar_label(bars, said, padding=4)
    ax.set_xlim(min(0.0, *values), 1.35 * max(*values, 1.0))
    return ax


def in_words(game: reality.Project) -> str:
    """Say what the timeline shows, for who does not see it."""
    if not game.weeks:
        return "The season before its first week: nothing is drawn yet."
    first, last = game.weeks[0], game.weeks[-1]
    live = ", ".join(dict.fromkeys(week.version for week in game.weeks))
    shares = words.complaints(game.weeks)
    pages = ", ".join(f"{page.clock} in week {page.week}" for page in game.pages) or "never"
    return (
        f"Weeks {first.week} to {last.week}, graded by {live}. Revenue goes from {first.revenue:,.0f} to "
        f"{last.revenue:,.0f} a week, the price that buyers pay from {first.price:.0%} to {last.price:.0%}. "
        f"Complaints over these weeks: {shares}. The pager rang: {pages}."
    )
