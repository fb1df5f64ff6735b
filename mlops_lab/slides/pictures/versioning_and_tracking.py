"""L8, what must be kept with a model: versions, causes of difference, order of steps, runs (lessons 4-6)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_lab import plots, report, reproducibility, tracking, worlds
from mlops_lab.slides.pictures.drawing import arrow, box, canvas, chart, dressed, theme_of, words
from mlops_lab.tracking import training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "one_run_of_each",
    "order_of_steps",
    "seven_causes",
    "ten_versions",
    "twelve_curves",
    "what_to_keep",
]


def what_to_keep(theme: str = "light") -> Figure:
    """Draw what must be kept with a model so that it can be made again (L8)."""
    colours = theme_of(theme)
    figure, ax = canvas(height_in=4.1)
    kept = (
        ("code", "which commit?"),
        ("data", "which table?"),
        ("pipeline", "steps in which order?"),
        ("settings, seed", "which knobs?"),
        ("machine", "which libraries?"),
    )
    for number, (name, asks) in enumerate(kept):
        low = 3.32 - number * 0.8
        box(ax, colours, (0.15, low), (2.7, 0.68), name, points=20, bold=True)
        words(ax, colours, (3.1, low + 0.34), asks, points=19, align="left")
        arrow(ax, colours, (6.25, low + 0.34), (7.75, 2.06 + (1.6 - 0.8 * number) * 0.28))
    box(ax, colours, (7.85, 1.21), (2.2, 1.7), "the\nmodel", points=23, bold=True, fill=colours.blue,
        edge=colours.blue, ink=colours.on_strong)  # fmt: skip
    arrow(ax, colours, (10.1, 2.06), (10.65, 2.06))
    words(ax, colours, (11.3, 2.06), "its\nnumbers", points=19)
    return figure


def ten_versions(theme: str = "light") -> Figure:
    """Draw what ten versions of a table take, way by way: the longer race that lesson 04 shows."""
    figure, ax = chart(theme)
    race = report.benchmark_result("storage")
    names = {"copies": "copies", "DVC": "DVC", "restic": "restic", "git + gc": "git + gc",
             "ours, chunks of the table": "columns in pieces"}  # fmt: skip
    kinds = {"edit": "rows edited", "append": "rows added"}
    taken = pd.DataFrame(
        {
            told: {names[way]: race["ways"][way][kind]["bytes"] / 1e6 for way in names}
            for kind, told in kinds.items()
        }
    )
    plots.bars(taken, xlabel="way of keeping", ylabel="megabytes", number_format="{:,.0f}", ax=ax)
    return dressed(figure, theme)


@functools.lru_cache(maxsize=2)
def _exam(seed: int) -> tuple[worlds.Batch, worlds.Batch, worlds.Orchard]:
    orchard = worlds.Orchard(seed=seed)
    return orchard.archive(1000), orchard.sample(2000, range(4), purpose="exam"), orchard


def seven_causes(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how far each cause moves one training, as lesson 05 measures it. About 10 s."""
    figure, ax = chart(theme)
    moved = _moved(seed).table()
    shares = 100 * moved["spread"]
    plots.bars(
        shares, xlabel="what was changed, all else the same",
        ylabel="accuracy apart (points)", number_format="{:.1f}", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


@functools.lru_cache(maxsize=2)
def _moved(seed: int) -> reproducibility.Variants:
    crates, exam, orchard = _exam(seed)
    names = list(worlds.FEATURES)
    exam_x, labels = exam.crates[names].to_numpy(), np.unique(crates.labels.to_numpy())
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "2")

    def grade(environment: Any = None, again: int = 0, **knobs: Any) -> np.ndarray[Any, Any]:
        fresh = orchard.sample(1000, range(4), purpose=f"again-{again}") if again else crates
        rows = fresh.crates[names].to_numpy(), fresh.labels.to_numpy()
        if environment:
            net = reproducibility.elsewhere(reproducibility.train, environment, *rows, **knobs)
        else:
            net = reproducibility.train(*rows, **knobs)
        return np.asarray(net.predict_proba(exam_x))

    causes: dict[str, list[dict[str, Any]]] = {
        "the same again": [{}],
        "an old processor": [{"environment": reproducibility.old_processor()}],
        "two threads": [{"environment": threads}],
        "first weights": [{"init": k} for k in range(1, 9)],
        "order of rows": [{"order": k} for k in range(1, 9)],
        "batch size": [{"batch": size} for size in (20, 25, 32, 40, 64, 80, 100, 125)],
        "other crates": [{"again": k} for k in range(1, 9)],
    }
    return reproducibility.variants(grade, causes, truth=np.searchsorted(labels, exam.truth.to_numpy()))


def one_run_of_each(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw thirty differences between two trainings, one for each seed, and the interval of their mean."""
    figure, ax = chart(theme)
    _duel(seed).plot(ax)
    return dressed(figure, theme)


@functools.lru_cache(maxsize=2)
def _duel(seed: int) -> reproducibility.Comparison:
    crates, exam, _ = _exam(seed)
    names = list(worlds.FEATURES)
    x, y = crates.crates[names].to_numpy(), crates.labels.to_numpy()
    exam_x, truth = exam.crates[names].to_numpy(), exam.truth.to_numpy()

    def accuracy_of(batch: int):  # type: ignore[no-untyped-def]
        def once(seed: int) -> float:
            net = reproducibility.train(x, y, batch=batch, init=seed, order=seed)
            return float((net.predict(exam_x) == truth).mean())

        return once

    return reproducibility.compare_over_seeds(
        accuracy_of(50), accuracy_of(125), range(30), names=("Ana", "Ben")
    )


def order_of_steps(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the accuracy of the same three steps in two orders, on the wine data of lesson 05."""
    figure, ax = chart(theme)
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    steps = {
        "scale": reproducibility.Step("sklearn.preprocessing.StandardScaler"),
        "reduce": reproducibility.Step("sklearn.decomposition.PCA", {"n_components": 2}),
        "model": reproducibility.Step("sklearn.linear_model.LogisticRegression"),
    }
    wine, folds = worlds.real("wine"), StratifiedKFold(5, shuffle=True, random_state=seed)
    found = {}
    for order in (("scale", "reduce", "model"), ("reduce", "scale", "model")):
        recipe = reproducibility.Recipe({name: steps[name] for name in order})
        score = cross_val_score(recipe.build(), wine.data, wine.target, cv=folds).mean()
        found[", ".join(order)] = 100 * score
    plots.bars(
        pd.Series(found), xlabel="order of the steps", ylabel="accuracy (%)", number_format="{:.0f} %", ax=ax
    )
    return dressed(figure, theme)


def twelve_curves(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the validation accuracy of the twelve runs of lesson 06, one of which is bad."""
    figure, ax = chart(theme)
    bad = [training.planted(seed).run]
    tracking.compare(_twelve(seed).records, metric="validation_accuracy").plot(ax, highlight=bad)
    ax.set(xlabel="epoch", ylabel="share right\n(said: unseen crates)")
    return dressed(figure, theme)


@functools.lru_cache(maxsize=2)
def _twelve(seed: int) -> training.Twelve:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return training.twelve_runs(Path(folder), seed=seed)
