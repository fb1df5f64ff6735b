"""L1 to L3, when to use ML and when not: conditions, dials and a verdict, each measured as lesson 01 does."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlops_lab import framing, plots, worlds
from mlops_lab.slides.pictures.drawing import arrow, box, canvas, chart, dressed, theme_of, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "enough_rows",
    "evidence_table",
    "five_conditions",
    "five_dials",
    "paper_or_model",
    "pays_or_not",
    "shuffled_scores",
    "yesterday_or_today",
]


def five_conditions(theme: str = "light") -> Figure:
    """Draw the five conditions as gates in a row: whoever fails one leaves by a way of its own."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.0)
    gates = (
        ("learn", "is there\na relation?", "leave it"),
        ("complex", "is paper\nnot enough?", "a rule"),
        ("data", "are there\nenough?", "collect"),
        ("predict", "is a probable\nanswer fine?", "a table"),
        ("unseen", "will live look\nlike the past?", "wait"),
    )
    width, gap = 1.98, 0.22
    for number, (name, asks, way_out) in enumerate(gates):
        left = 0.12 + number * (width + gap)
        middle = left + width / 2
        box(ax, colours, (left, 1.95), (width, 1.95))
        words(ax, colours, (middle, 3.5), f"{number + 1} {name}", points=20, bold=True)
        words(ax, colours, (middle, 2.58), asks, points=17.5)
        if number:
            arrow(ax, colours, (left - gap, 3.05), (left, 3.05))
        arrow(ax, colours, (middle, 1.92), (middle, 0.92), colour=colours.red)
        words(ax, colours, (middle + 0.14, 1.45), "no", align="left", ink=colours.soft)
        box(ax, colours, (left + 0.14, 0.12), (width - 0.28, 0.76), way_out, edge=colours.red, points=19)
    arrow(ax, colours, (11.0, 3.05), (11.3, 3.05))
    words(ax, colours, (11.62, 3.05), "ML", points=22, bold=True)
    return figure


_PLACES = {"A": 5, "B": 0, "D": 1, "F": 4, "G": 7}


def _case(letter: str, seed: int) -> worlds.Case:
    return worlds.case(worlds.CASES[_PLACES[letter]], 600, seed=seed)


@functools.lru_cache(maxsize=8)
def _problem(letter: str, seed: int) -> framing.Problem:
    case = _case(letter, seed)
    return framing.prepare(case.data.assign(target=case.target), "target", seed=seed)


@functools.lru_cache(maxsize=2)
def _shuffled(letter: str, seed: int) -> framing.ShuffleTest:
    """Hold a case's score against those of shuffled answers. About 2 s."""
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    case, tree = _case(letter, seed), DecisionTreeClassifier(max_depth=5, random_state=0)
    score = lambda answers: float(cross_val_score(tree, case.data, answers, cv=3).mean())  # noqa: E731
    return framing.shuffle_test(score, case.target.to_numpy(), permutations=99, seed=seed)


def shuffled_scores(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the scores on shuffled answers and the real one, for cases A and B of lesson 01."""
    figure, ax = chart(theme)
    tests = {letter: _shuffled(letter, seed) for letter in "AB"}
    plots.histograms(
        tests["A"].shuffled, tests["B"].shuffled, xlabel="share right",
        names=("A, shuffled", "B, shuffled"), bins=12, ax=ax,
    )  # fmt: skip
    ax.set_ylabel("share of shuffles (%)")
    for letter, style in (("A", "-"), ("B", "--")):
        ax.axvline(
            tests[letter].score, linestyle=style, linewidth=2.5, color="black", label=f"{letter}, real"
        )
    lines, names = ax.get_legend_handles_labels()
    ax.legend(lines, [name.partition(" (")[0] for name in names], frameon=False, loc="upper center",
              bbox_to_anchor=(0.66, 1), fontsize=9)  # fmt: skip
    return dressed(figure, theme)


@functools.lru_cache(maxsize=3)
def _gained(letter: str, seed: int) -> tuple[float, float, float]:
    """Give what a model adds to paper, and the ends of its interval. About 1 s."""
    found = framing.contest(_problem(letter, seed), seed=seed)
    return found.gain, found.low, found.high


def paper_or_model(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw what a model adds to the best that paper can do, for three cases of lesson 01."""
    figure, ax = chart(theme)
    names = {"A": "A: machines fail", "D": "D: trucks turned away", "F": "F: price of a kilogram"}
    found = pd.DataFrame(
        [_gained(letter, seed) for letter in names],
        index=list(names.values()), columns=["value", "low", "high"],
    )  # fmt: skip
    plots.intervals(
        found, limit=0.03, limit_label="worth it from", xlabel="skill that a model adds to paper", ax=ax
    )
    return dressed(figure, theme)


def enough_rows(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how skill on held-back rows grows with the rows learned from, for case A of lesson 01."""
    figure, ax = chart(theme)
    curve = framing.learning_curve(_problem("A", seed), model="boosted trees", seed=seed)
    plots.line(
        pd.Series(curve.skill, index=curve.rows), xlabel="rows learned from",
        ylabel="skill on held-back rows", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


def yesterday_or_today(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how well a classifier tells live rows from past ones, in the old plant and in the new one."""
    figure, ax = chart(theme)
    auc = {}
    for name, letter in (("the same plant", "A"), ("a new plant", "G")):
        case = _case(letter, seed)
        auc[name] = framing.tell_apart(case.data, case.live, seed=seed).auc
    plots.bars(
        pd.Series(auc), xlabel="where the live rows come from", ylabel="AUC: live against past",
        limit=0.5, limit_label="a coin", number_format="{:.2f}", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


def pays_or_not(theme: str = "light") -> Figure:
    """Draw what three models earn at lesson 01's price list, by how many answers are wanted."""
    figure, ax = chart(theme)
    costs = framing.Costs(value_correct=1, cost_wrong=3, run=0.01, build=60_000, keep=20_000, volume=100_000)
    yearly = costs.build / costs.years + costs.keep
    volumes = np.array([20_000, 50_000, 100_000, 200_000, 400_000])
    net = {}
    for error in (0.05, 0.15, 0.30):
        each = costs.value_correct * (1 - error) - costs.cost_wrong * error - costs.run
        net[f"{100 * error:.0f} % wrong"] = (volumes * each - yearly) / 1000
    plots.line(
        pd.DataFrame(net, index=volumes // 1000), xlabel="answers a year (thousands)",
        ylabel="net value a year\n(thousand $)", limit=0, limit_label="even at", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


def five_dials(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw what each of the lecture's five dials (L2) does to one number, as lesson 01 measures it."""
    colours = theme_of(theme)
    figure, ax = canvas()
    for x, head in ((0.15, "turn this up"), (3.9, "watch this"), (8.5, "low"), (11.1, "high")):
        align = "left" if x < 8 else "center"
        words(ax, colours, (x, 4.95), head, ink=colours.soft, align=align, points=18)
    for number, (dial, what, low, high) in enumerate(_dials(seed)):
        y = 4.15 - number * 0.92
        words(ax, colours, (0.15, y), dial, points=20, align="left", bold=True)
        words(ax, colours, (3.9, y), what, points=19, align="left")
        for x, value in ((8.5, low), (11.1, high)):
            told = value.replace("-", "\N{MINUS SIGN}")
            box(ax, colours, (x - 0.75, y - 0.33), (1.5, 0.66), told, points=20)
        arrow(ax, colours, (9.35, y), (10.25, y), colour=colours.blue)
    return figure


@functools.lru_cache(maxsize=2)
def _dials(seed: int) -> tuple[tuple[str, ...], ...]:
    """Give each dial's name, what is watched, and its value at the low and at the high end. About 5 s."""

    def asked(name: str, rows: int) -> framing.Problem:
        made = worlds.case(name, rows, seed=seed)
        table = made.data.assign(target=made.target).rename_axis("row").reset_index()
        return framing.prepare(table, "target", time="day" if "day" in table else "row", seed=seed)

    few, still = asked(worlds.CASES[5], 150), asked(worlds.CASES[5], 1600)
    turning = asked(worlds.CASES[11], 1600)
    costs = framing.Costs(value_correct=1, cost_wrong=3, run=0.01, build=60_000, keep=20_000, volume=100_000)
    skill = [framing.contest(problem, seed=seed).best_model.answers.skill() for problem in (few, still)]
    refit = [framing.over_time(problem, seed=seed).refit_gain for problem in (still, turning)]
    cheap = [framing.break_even_error(replace(costs, cost_wrong=loss)) for loss in (10, 1)]
    many = [framing.break_even_error(replace(costs, volume=volume)) for volume in (45_000, 1_000_000)]
    dull = [costs.volume * minutes / 60 for minutes in (0.1, 3)]
    return (
        ("more data", "skill of the best model", *(f"{value:.2f}" for value in skill)),
        ("cheap errors", "bearable share of errors", *(f"{100 * value:.0f} %" for value in cheap)),
        ("many answers", "bearable share of errors", *(f"{100 * value:.0f} %" for value in many)),
        ("repetitive work", "people's hours a year", *(f"{value:,.0f}" for value in dull)),
        ("patterns change", "skill won by refitting", *(f"{value:.2f}" for value in refit)),
    )


_ROW_IN = 0.36

_MARKS = {"for": "for ML", "against": "against", "unclear": "unclear", "unknown": "unknown"}


@functools.lru_cache(maxsize=1)
def _verdict_of_the_new_plant() -> framing.Verdict:
    """Give the verdict on case G of lesson 01: machines fail in a plant that no row comes from. About 5 s."""
    case = _case("G", seed=0)
    attested = framing.Attestation(legal=True, ethical=True, by="the lecturer")
    table = case.data.assign(target=case.target)
    return framing.should_use_ml(table, "target", live=case.live, attest=attested, seed=0)


def evidence_table(theme: str = "light") -> Figure:
    """Draw the thirteen questions with their answers, and where each answer comes from."""
    colours = theme_of(theme)
    verdict = _verdict_of_the_new_plant()
    height = _ROW_IN * (len(verdict.evidence) + 1) + 0.06
    figure, ax = canvas(height_in=height)
    looks = {
        "for": (colours.blue, colours.on_strong),
        "against": (colours.red, "#000000"),
        "unclear": (colours.orange, "#000000"),
        "unknown": (colours.paper, colours.ink),
    }
    for x, head in ((1.55, "answer"), (2.85, "question"), (9.2, "known how")):
        align = "center" if head == "answer" else "left"
        words(ax, colours, (x, height - 0.2), head, ink=colours.soft, align=align)
    for number, row in enumerate(verdict.evidence):
        y = height - _ROW_IN * (number + 1) - 0.2
        fill, ink = looks[row.status]
        decides = row.key in verdict.because
        mark = "not so" if row.asks.startswith("not if") and row.status == "for" else _MARKS[row.status]
        box(ax, colours, (0.75, y - 0.16), (1.6, 0.32), mark, fill=fill,
            edge=colours.line, ink=ink)  # fmt: skip
        words(ax, colours, (2.85, y), row.asks, align="left", bold=decides)
        told = f"{row.basis}: decides" if decides else row.basis
        words(
            ax,
            colours,
            (9.2, y),
            told,
            align="left",
            bold=decides,
            ink=colours.ink if decides else colours.soft,
        )
        if decides:
            ax.plot([0.35], [y], marker=">", color=colours.red, markersize=15)
    return figure
