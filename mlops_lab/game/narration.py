"""What a game of expectation and reality says in words: where it stands, what an action did, the timeline."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_lab.reality.timeline import steps

if TYPE_CHECKING:
    from mlops_lab import reality
    from mlops_lab.game.session import Verdict

__all__ = [
    "Standing",
    "answered",
    "bars",
    "bill",
    "complaints",
    "found",
    "prices",
    "situation",
    "standing",
    "timeline",
    "verdict_table",
]


class Standing(NamedTuple):
    """Where a game stood before an action, as far as its answer needs it."""

    day: int
    weeks: int
    pages: int
    money: float


def standing(game: reality.Project) -> Standing:
    """Note where a game stands."""
    return Standing(game.day, len(game.weeks), len(game.pages), game.money)


def bill(cost: reality.Bill) -> str:
    """Say what an action costs."""
    money = f"{cost.money:,.2f}" if cost.money else "nothing"
    days = _days(cost.days) if cost.days else "no time"
    return f"Costs {money} and takes {days}."


def _days(days: int) -> str:
    return f"{days:,} day{'' if days == 1 else 's'}"


def situation(game: reality.Project) -> list[tuple[str, str]]:
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


def answered(action: str, result: Any, given: dict[str, Any], before: Standing, game: reality.Project) -> str:
    """Say what an action did, what it cost, and what happened meanwhile."""
    said: str = _SAID[action](result, given, game)
    paid = before.money - game.money
    took = game.day - before.day
    if action != "tick" and (paid or took):
        said += f" Paid {paid:,.2f}, {_days(took) if took else 'no time'}."
    if len(game.weeks) > before.weeks:
        said += f" {'' if action == 'tick' else 'Meanwhile: '}{_served(game, before)}"
    unheard = [page for page in game.pages[before.pages :] if page != result]
    for page in unheard:
        said += f" Nobody heard the phone: {page}"
    if game.over:
        said += f" {game.scenario.story['ending']}"
    return said


def _served(game: reality.Project, before: Standing) -> str:
    weeks = game.weeks[before.weeks :]
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


def _bought(what: str, rows: Any, game: reality.Project) -> str:
    counts = rows["label"].value_counts()
    kinds = ", ".join(f"{counts[grade]:,} {grade}" for grade in game.scenario.grades if grade in counts)
    return what.format(f"{len(rows):,}", game.scenario.items) + f": {kinds}."


def _gold(rows: Any, game: reality.Project) -> str:
    rates = []
    for name, version in game.registry.items():
        rates.append(f"{name} {(version.grades(rows) == rows['label']).mean():.0%}")
    return (
        _bought("An expert graded {} {}", rows, game)
        + f" On them these versions are right: {', '.join(rates)}."
    )


def _trained(name: str, game: reality.Project) -> str:
    version = game.registry[name]
    return (
        f"Trained {name} on {version.rows:,} rows, reading {', '.join(version.features)}. It is not live yet."
    )


def _metric(game: reality.Project) -> str:
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


def timeline(game: reality.Project) -> str:
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
    events: dict[int, list[str]] = {}
    for step in steps(game):
        events.setdefault(step.day // 7, []).append(("! " if step.alarm else "") + step.words)
    for week in game.weeks:
        bar = "#" * max(0, round(14 * week.revenue / most))
        rates = " ".join(f"{week.complaints[group] / max(week.items[group], 1):>9.1%}" for group in groups)
        line = f"{week.week:>4} {week.version:<5} {week.revenue:>8,.0f} {bar:<14} {week.price:>5.0%} {rates}"
        told = textwrap.wrap("; ".join(events.get(week.week, [])), 38) or [""]
        lines += [f"{line}  {told[0]}".rstrip(), *(f"{'':<{len(line)}}  {more}" for more in told[1:])]
    return "\n".join(lines)


def verdict_table(verdict: Verdict) -> str:
    """Give the score beside the others' as text."""
    lines = [f"{'who':<14} {'net':>10} {'gap':>6} {'score':>7}"]
    for who, net, gap, score in verdict.rows():
        lines.append(f"{who:<14} {net:>10,.0f} {'' if gap is None else f'{gap:.2f}':>6} {score:>7.2f}")
    story = verdict.story
    lines.append(
        "Score: 0 is the dream's money and 1 the oracle's; what a gap between the groups of more than 0.05 "
        f"costs is taken off, {story.penalty:.2f} from yours."
    )
    for name, effect in story.effects.items():
        unit = "{:,.0f}" if effect.unit == "money" else "{:.2f}"
        lines.append(
            f"Your remedy for {name}: {effect.measure} {unit.format(effect.with_remedy)}, without it "
            f"{unit.format(effect.without)}, the money spent naively {unit.format(effect.naively)}."
        )
    return "\n".join(lines)
