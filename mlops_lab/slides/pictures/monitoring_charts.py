"""L9, what is watched in a running system: data, model and machine, as lessons 07 to 09 measure it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab import monitoring, plots, worlds
from mlops_lab.slides.pictures.drawing import box, canvas, chart, dressed, theme_of, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "colour_of_fruit",
    "exploding_numbers",
    "kept_promise",
    "late_bad_news",
    "leak_or_cache",
    "night_calls",
    "sure_and_wrong",
    "two_servers",
    "what_to_watch",
]


def what_to_watch(theme: str = "light") -> Figure:
    """Draw the three layers that are watched (L9), with their questions."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    layers = (
        ("data", "do live inputs still look like the past?", colours.blue),
        ("model", "does the metric keep its promise?", colours.orange),
        ("machine", "numbers, memory, speed, graphics card", colours.green),
    )
    for number, (name, asks, edge) in enumerate(layers):
        low = 2.95 - number * 1.15
        box(ax, colours, (0.15, low), (2.2, 1.05), name, points=22, bold=True, edge=edge)
        box(ax, colours, (2.5, low), (9.35, 1.05), asks, points=20)
    words(ax, colours, (6.0, 0.22), "and each needs somebody who is told", points=20, ink=colours.soft)
    return figure


def colour_of_fruit(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the colour readings of the archive and of a week under the new lamps."""
    figure, ax = chart(theme)
    orchard = worlds.Orchard(seed=seed)
    plots.histograms(
        orchard.archive(2600).crates["colour"], orchard.week(15).crates["colour"],
        xlabel="colour reading (no unit)", names=("archive", "week 15"), ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


@functools.lru_cache(maxsize=2)
def _at_work(seed: int) -> tuple[worlds.Orchard, worlds.Batch, Any]:
    """Give lesson 08's orchard (its graders make no mistakes), its hold-out, and its model."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    orchard = worlds.Orchard(seed=seed, noise=0)
    archive, exam = orchard.archive(2600), orchard.sample(2000, range(4), purpose="exam")
    steps = StandardScaler(), PolynomialFeatures(2, include_bias=False), LogisticRegression(max_iter=500)
    model = make_pipeline(*steps).fit(archive.crates[list(worlds.FEATURES)], archive.truth)
    return orchard, exam, model


def _right(model: Any, batch: worlds.Batch) -> np.ndarray[Any, Any]:
    return np.asarray(model.predict(batch.crates[list(worlds.FEATURES)]) == batch.truth)


def kept_promise(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw nine weeks of accuracy as intervals against the promise, from the crates opened in each week."""
    figure, ax = chart(theme, (6.3, 2.5))
    orchard, exam, model = _at_work(seed)
    promised, fair = float(_right(model, exam).mean()), orchard.with_(checked_bias=0)
    rows = {}
    for week in range(4, 13):
        batch = fair.week(week, 600)
        opened = batch.select(batch.checked)
        rows[f"week {week}"] = monitoring.expectation(_right(model, opened), promised, margin=0.05).frame()
    table = pd.concat(rows.values()).set_axis(list(rows)).drop(columns="limit")
    plots.intervals(
        table, limit=round(promised - 0.05, 2), limit_label="promise less five points",
        xlabel="share of right grades among the opened crates", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


def late_bad_news(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw what is known today of eight quiet weeks, when complaints come sooner than praise."""
    figure, ax = chart(theme)
    orchard, _, model = _at_work(seed)
    calm = orchard.with_(checked_bias=0, drift=0)
    weeks = np.repeat(range(8), 1200)
    fine = np.concatenate([_right(model, calm.week(week, 1200)) for week in range(8)])
    rng = np.random.default_rng(seed)
    waits = np.where(fine, rng.integers(0, 5, weeks.size), rng.integers(0, 2, weeks.size))
    late = monitoring.late_labels(fine, made=weeks, known=weeks + waits, now=7)
    told = pd.DataFrame(
        {"known today": late.weeks["right"], "the truth": pd.Series(fine).groupby(weeks).mean()}
    )
    plots.line(told, xlabel="week in which the crates were graded", ylabel="share of grades right", ax=ax)
    return dressed(figure, theme)


def sure_and_wrong(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the accuracy as estimated without labels beside the truth, in the two cases of lesson 08."""
    figure, ax = chart(theme)
    orchard, exam, model = _at_work(seed)
    names, then = list(worlds.FEATURES), _right(model, exam)
    intake = orchard.sample(8000, range(4), purpose="wet summer")
    look = intake.crates["colour"] + intake.crates["sugar"]
    cases = {"only plain fruit": intake.select(look.abs() < 0.8), "new lamps": orchard.week(12, 4000)}
    told = {}
    for name, batch in cases.items():
        crates = batch.crates[names]
        told[name] = {
            "by confidence": 100 * float(model.predict_proba(crates).max(axis=1).mean()),
            "by weights": 100 * monitoring.importance_weighted(exam.crates[names], then, crates).value,
            "the truth": 100 * float(_right(model, batch).mean()),
        }
    plots.bars(
        pd.DataFrame(told).T, xlabel="what changed", ylabel="grades right (%)", number_format="{:.0f}", ax=ax
    )
    return dressed(figure, theme)


def exploding_numbers(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how error, loss and gradient grow in lesson 09's training, up to the step that overflows."""
    figure, ax = chart(theme)
    crates = worlds.Orchard(seed=seed).archive(1000)
    x = crates.crates[list(worlds.FEATURES)].to_numpy().astype(np.float16)
    y = (crates.labels == "premium").to_numpy().astype(np.float16)
    watch = monitoring.Numerics("float16", least_doublings=4)
    weights: np.ndarray[Any, Any] = np.zeros(6, np.float16)
    with np.errstate(all="ignore"):
        for step in watch.over(range(200)):
            error = x @ weights - y
            gradient = x.T @ error / np.float16(len(y))
            watch.see(step, error=error, loss=np.mean(error**2), gradient=gradient)
            weights = weights - np.float16(1.5) * gradient
    watch.report().plot(ax)
    bad = watch.first_bad
    told = f"; at step {bad.step} the {bad.name} is {bad.kind}" if bad else ""
    ax.set(xlabel=f"step, of 200{told}", ylabel="largest (power of two)")
    return dressed(figure, theme)


def leak_or_cache(theme: str = "light") -> Figure:
    """Draw the memory of lesson 09's three made-up programs, of which only one leaks."""
    figure, ax = chart(theme)
    lorries = np.arange(240)
    shapes = pd.DataFrame({"one large table": 300.0 * (lorries >= 120), "a leak": 1.5 * lorries})
    shapes["a cache that fills"] = np.minimum(lorries, 110) * 2.0
    plots.line(shapes, xlabel="lorry", ylabel="memory gained (MiB)", ax=ax)
    return dressed(figure, theme)


def two_servers(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the p99 of lesson 09's two servers: averaged, from added buckets, and as it is."""
    figure, ax = chart(theme)
    rng = np.random.default_rng(seed)
    rng.permutation(600)  # the lesson's requests, drawn first
    small = rng.lognormal(2, 0.3, 9000)
    mixed = np.r_[rng.lognormal(2, 0.3, 900), rng.lognormal(5, 0.3, 100)]
    one, other = monitoring.Latency(), monitoring.Latency()
    one.update(small)
    other.update(mixed)
    p99s = {
        "mean of both p99": (one.quantile(0.99) + other.quantile(0.99)) / 2,
        "buckets added": one.merge(other).quantile(0.99),
        "all answers together": np.quantile(np.r_[small, mixed], 0.99, method="inverted_cdf"),
    }
    plots.bars(
        pd.Series(p99s), xlabel="how it was worked out", ylabel="p99 (ms)", number_format="{:.0f}", ax=ax
    )
    return dressed(figure, theme)


def night_calls(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how often each rule of lesson 09 wakes somebody in a quiet week."""
    figure, ax = chart(theme)
    quiet = np.where(np.random.default_rng(seed).random(10_000) < 0.03, 250.0, 150.0)
    pages = {}
    for bad, of in ((1, 1), (2, 3), (3, 5)):
        rule = monitoring.AlertRule(
            name="slow_answers", metric="p99_ms", above=200.0, k=bad, n=of, severity="page",
            runbook="Halve the batch size.",
        )  # fmt: skip
        monitor = monitoring.Monitor([rule])
        for minute, p99 in enumerate(quiet):
            monitor.log(minute, {"p99_ms": p99})
        pages[f"{bad} bad of {of}"] = sum(alert.state == "firing" for alert in monitor.alerts)
    plots.bars(
        pd.Series(pages, dtype=float), xlabel="minutes that the rule asks for", ylabel="pages in a week",
        number_format="{:.0f}", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)
