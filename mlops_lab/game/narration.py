"""How a game speaks, in words and pictures: where it stands, what an action did, its weeks, its score."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_lab import plots, reality
from mlops_lab.game.scores import FinalScore
from mlops_lab.reality.timeline import events

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "MARKED",
    "answered",
    "bars",
    "bill",
    "describe_weeks",
    "diary",
    "draw_score",
    "draw_test",
    "draw_weeks",
    "found",
    "prices",
    "score_table",
    "situation",
]


def bill(cost: reality.Bill) -> str:
    """Say what an action costs."""
    money = f"{cost.money:,.2f}" if cost.money else "nothing"
    days = _days(cost.days) if cost.days else "no time"
    return f"Costs {money} and takes {days}."


def _days(days: int) -> str:
    return f"{days:,} day{'' if days == 1 else 's'}"


def situation(game: reality.Season) -> list[tuple[str, str]]:
    """Give the figures that a player always sees, each with its name."""
    price = game.weeks[-1].next_price if game.weeks else 1.0
    metric = f"money, {game.return_cost:,.2f} a return" if game.metric == "money" else game.metric
    return [
        ("money left", f"{game.money:,.0f}"),
        ("week", f"{game.week} of {game.scenario.weeks} (day {game.day})"),
        ("live", f"{game.live}{' (the card)' if game.registry[game.live].by_hand else ''}"),
        ("metric", metric),
        ("labelled " + game.scenario.items, f"{len(game.data):,}"),
        ("earned less spent", f"{game.net:,.0f}"),
        ("buyers pay", f"{price:.0%} of the price"),
    ]


def prices(scenario: reality.Scenario) -> list[tuple[str, str]]:
    """Give the price list: each action and what it costs."""
    s = scenario
    return [
        (
            "collect",
            f"{s.routine_cost:,.2f} a {s.item}; {s.expert_cost:,.2f} if an expert labels it; "
            f"{s.targeted_cost:,.2f} if of one grade; recent {s.items} of {s.small_group} "
            f"{s.fetch_factor:g} times that. {s.routine_pace:g} a day, an expert {s.expert_pace:g}",
        ),
        ("gold", f"{s.expert_cost:,.2f} a {s.item}, {s.expert_pace:g} a day"),
        (
            "test",
            f"an expert's {s.expert_cost:,.2f} for each {s.item} looked at; bias: nothing, the log is there",
        ),
        (
            "relabel",
            f"{s.relabel_cost:,.2f} a label, {s.expert_pace:g} a day; the first time "
            f"{s.guide_cost:,.2f} for the graders' guide",
        ),
        ("train", f"{s.train_cost:,.2f}, one day"),
        ("deploy, rollback", "nothing, no time"),
        ("choose a metric", "nothing, no time"),
        ("grading by hand (v0)", f"{s.hand_fee:,.2f} a {s.item} while the card is live"),
    ]


def found(report: reality.Symptom) -> str:
    """Say in words what a test found."""
    answer = {True: "THE SYMPTOM IS THERE", False: "all right", None: "not decided yet"}[report.fired]
    return f"Test of {report.symptom}: {answer}. {report.headline()}"


def answered(
    action: str, result: Any, given: dict[str, Any], before: reality.Season, game: reality.Season
) -> str:
    """Say what an action did, what it cost, and what happened since `before`, a fork from before it."""
    said: str = _SAID[action](result, given, game)
    paid = before.money - game.money
    took = game.day - before.day
    if action != "tick" and (paid or took):
        said += f" Paid {paid:,.2f}, {_days(took) if took else 'no time'}."
    if len(game.weeks) > len(before.weeks):
        said += f" {'' if action == 'tick' else 'Meanwhile: '}{_served(game, before)}"
    unheard = [page for page in game.pages[len(before.pages) :] if page != result]
    for page in unheard:
        said += f" Nobody heard the phone: {page}"
    if game.over:
        said += f" {game.scenario.story['ending']}"
    return said


def _served(game: reality.Season, before: reality.Season) -> str:
    weeks = game.weeks[len(before.weeks) :]
    name = f"Week {weeks[0].week}" if len(weeks) == 1 else f"Weeks {weeks[0].week} to {weeks[-1].week}"
    return (
        f"{name}: revenue {sum(week.revenue for week in weeks):,.0f}, profit "
        f"{sum(week.profit for week in weeks):,.0f}; complaints: {complaints(weeks)}; buyers now pay "
        f"{weeks[-1].next_price:.0%} of the price."
    )


def complaints(weeks: Sequence[reality.Week]) -> str:
    """Say which share of each group's items was complained about."""
    shares = []
    for group in weeks[0].items:
        count, items = (sum(getattr(week, kind)[group] for week in weeks) for kind in ("complaints", "items"))
        shares.append(f"{group} {count / max(items, 1):.1%}")
    return ", ".join(shares)


def _bought(what: str, rows: Any, game: reality.Season) -> str:
    counts = rows["label"].value_counts()
    kinds = ", ".join(f"{counts[grade]:,} {grade}" for grade in game.scenario.grades if grade in counts)
    return what.format(f"{len(rows):,}", game.scenario.items) + f": {kinds}."


def _gold(rows: Any, game: reality.Season) -> str:
    rates = []
    for name, version in game.registry.items():
        rates.append(f"{name} {(version.grades(rows) == rows['label']).mean():.0%}")
    return (
        _bought("An expert graded {} {}", rows, game)
        + f" On them these versions are right: {', '.join(rates)}."
    )


def _trained(name: str, game: reality.Season) -> str:
    version = game.registry[name]
    return (
        f"Trained {name} on {version.rows:,} rows, reading {', '.join(version.features)}. It is not live yet."
    )


def _metric(game: reality.Season) -> str:
    if game.metric == "accuracy":
        return f"The {game.scenario.items} go to the channel of their most likely grade."
    return (
        f"The {game.scenario.items} go where they are expected to bring most; one expected return counts "
        f"{game.return_cost:,.2f}."
    )


_SAID: dict[str, Any] = {
    "collect": lambda rows, _, game: _bought("Bought {} labelled {}", rows, game),
    "gold": lambda rows, _, game: _gold(rows, game),
    "audit": lambda report, _, game: found(report),
    "test": lambda report, _, game: found(report),
    "relabel": lambda wrong, given, game: (
        f"The expert looked at {given['n']:,} labels; {wrong:,} were wrong and are "
        "right now. The graders have a guide."
    ),
    "train": lambda name, _, game: _trained(name, game),
    "deploy": lambda _, given, game: f"{given['version']} grades from now on.",
    "rollback": lambda _, given, game: f"{given['version']} grades again.",
    "choose_metric": lambda _, given, game: _metric(game),
    "tick": lambda page, _, game: str(page) if page is not None else f"It is day {game.day}.",
}


def bars(report: reality.Symptom) -> list[tuple[str, float]]:
    """Give what a test compared: names and shares, for a picture."""
    m = report.measures
    if report.fired is None:
        return [("right now", m["now"])]
    return {
        "labels": lambda: [("wrong labels", m["share"]), ("borne", report.findings[0].limit or 0.0)],
        "class": lambda: [(f"{report.worst} found", m["recall"]), ("others found", m["others"])],
        "recent": lambda: [("old right", m["then"]), ("recent right", m["now"])],
        "bias": lambda: [(f"{report.worst} complain", m["rate"]), ("others complain", m["others"])],
        "revenue": lambda: [
            ("right then", m["then"]),
            ("right now", m["now"]),
            ("revenue now / then", 1 + m["change"]),
        ],
    }[report.symptom]()


def diary(game: reality.Season) -> str:
    """Give the season so far as text: one line a week, with what was done in it."""
    if not game.weeks:
        return "No week is in the books yet."
    most = max(max(week.revenue for week in game.weeks), 1.0)
    groups = game.scenario.groups
    names = " ".join(f"{group[:9]:>9}" for group in groups)
    lines = [
        f"{'':<36}complaints of each group",
        f"{'week':>4} {'live':<5} {'revenue':>8} {'':<14} {'price':>5} {names}  what happened",
    ]
    happened: dict[int, list[str]] = {}
    for event in events(game):
        happened.setdefault(event.day // 7, []).append(("! " if event.alarm else "") + event.words)
    for week in game.weeks:
        bar = "#" * max(0, round(14 * week.revenue / most))
        rates = " ".join(f"{week.complaints[group] / max(week.items[group], 1):>9.1%}" for group in groups)
        line = f"{week.week:>4} {week.version:<5} {week.revenue:>8,.0f} {bar:<14} {week.price:>5.0%} {rates}"
        told = textwrap.wrap("; ".join(happened.get(week.week, [])), 38) or [""]
        lines += [f"{line}  {told[0]}".rstrip(), *(f"{'':<{len(line)}}  {more}" for more in told[1:])]
    return "\n".join(lines)


def score_table(final: FinalScore) -> str:
    """Give the score beside the others' as text."""
    lines = [f"{'who':<14} {'net':>10} {'gap':>6} {'score':>7}"]
    for who, net, gap, score in final.rows():
        lines.append(f"{who:<14} {net:>10,.0f} {'' if gap is None else f'{gap:.2f}':>6} {score:>7.2f}")
    yours = final.yours
    lines.append(
        "Score: 0 is the dream's money and 1 the oracle's; what a gap between the groups of more than 0.05 "
        f"costs is taken off, {yours.penalty:.2f} from yours."
    )
    for name, effect in yours.effects.items():
        unit = "{:,.0f}" if effect.unit == "money" else "{:.2f}"
        lines.append(
            f"Your remedy for {name}: {effect.measure} {unit.format(effect.with_remedy)}, without it "
            f"{unit.format(effect.without)}, the money spent naively {unit.format(effect.naively)}."
        )
    return "\n".join(lines)


# ---------------------------------------------------------------- pictures

MARKED = ("deploy", "rollback", "choose_metric")
"""The actions that the picture of the weeks shows."""


def draw_weeks(game: reality.Season) -> Axes:
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


def _events(game: reality.Season, top: Axes, low: Axes) -> None:
    """Mark what was put live and when the phone rang, each name a little higher where they stand close."""
    last, height = -9.0, 0
    for entry in game.actions:
        if entry["action"] not in MARKED:
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


def draw_test(report: reality.Symptom) -> Axes:
    """Draw what a test compared, as bars; hatched and red where the symptom is there."""
    from matplotlib.figure import Figure

    compared = bars(report)[::-1]
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
    drawn = ax.barh(names, values, color=colours, edgecolor="black", linewidth=0.7, height=0.6)
    for bar, colour in zip(drawn, colours, strict=True):
        if colour == plots.PALETTE["vermillion"]:
            bar.set_hatch("///")
    ax.bar_label(drawn, [f"{value:.1f}" if value < 10 else f"{value:.0f}" for value in values], padding=3)
    ax.set_xlim(0, 1.18 * max(max(values), 1.0))
    return ax


def draw_score(final: FinalScore) -> Axes:
    """Draw the net money of a game beside the others' of the same season, with every score."""
    from matplotlib.figure import Figure

    rows = final.rows()[::-1]
    ax = plots.axes(
        Figure(figsize=(9.6, 2.5), layout="constrained").subplots(),
        title="What the season brought, less what was spent",
        xlabel="net money (thousands)",
    )
    values = [net / 1000 for _, net, _, _ in rows]
    colours = [plots.PALETTE["orange" if who == "you" else "sky_blue"] for who, *_ in rows]
    drawn = ax.barh([who for who, *_ in rows], values, color=colours, edgecolor="black", linewidth=0.7)
    for bar, (who, *_) in zip(drawn, rows, strict=True):
        bar.set_hatch("///" if who == "you" else "")
    said = [
        f"{net / 1000:,.0f}, score {points:.2f}" + ("" if gap is None else f" (gap {gap:.2f})")
        for _, net, gap, points in rows
    ]
    ax.bar_label(drawn, said, padding=4)
    ax.set_xlim(min(0.0, *values), 1.35 * max(*values, 1.0))
    return ax


def describe_weeks(game: reality.Season) -> str:
    """Say what the picture of the weeks shows, for who does not see it."""
    if not game.weeks:
        return "The season before its first week: nothing is drawn yet."
    first, last = game.weeks[0], game.weeks[-1]
    live = ", ".join(dict.fromkeys(week.version for week in game.weeks))
    shares = complaints(game.weeks)
    pages = ", ".join(f"{page.clock} in week {page.week}" for page in game.pages) or "never"
    return (
        f"Weeks {first.week} to {last.week}, graded by {live}. Revenue goes from {first.revenue:,.0f} to "
        f"{last.revenue:,.0f} a week, the price that buyers pay from {first.price:.0%} to {last.price:.0%}. "
        f"Complaints over these weeks: {shares}. The pager rang: {pages}."
    )
