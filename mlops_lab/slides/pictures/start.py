"""The dream of lesson 00 and its first weeks at work (L12), computed as the lesson does."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pandas as pd

from mlops_lab import plots, worlds
from mlops_lab.slides.pictures.charts import chart, dressed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["colour_of_fruit", "dream_scores", "first_weeks"]

_WEEKS = range(4, 16)


@functools.lru_cache(maxsize=4)
def _dream(seed: int) -> tuple[float, float, tuple[float, ...]]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    orchard = worlds.Orchard(seed=seed)
    archive = orchard.archive(2600)
    names = list(worlds.FEATURES)
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        archive.crates[names], archive.labels, test_size=0.25, random_state=seed
    )
    model = HistGradientBoostingClassifier(
        max_iter=35, learning_rate=0.18, max_leaf_nodes=10, random_state=seed
    ).fit(seen, seen_labels)
    promised = float(model.score(unseen, unseen_labels))
    by_rule = float((worlds.rule_card(unseen) == unseen_labels).mean())
    weeks = []
    for week in _WEEKS:
        batch = orchard.week(week)
        weeks.append(float((model.predict(batch.crates[names]) == batch.truth).mean()))
    return promised, by_rule, tuple(weeks)


def dream_scores(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw how often the model and the rule card are right on crates that neither has seen."""
    figure, ax = chart(theme)
    promised, by_rule, _ = _dream(seed)
    shares = pd.Series({"rule card": 100 * by_rule, "model": 100 * promised})
    plots.bars(shares, xlabel="who grades", ylabel="grades right (%)", number_format="{:.0f} %", ax=ax)
    return dressed(figure, theme)


def first_weeks(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the deployed model's accuracy over its first twelve weeks, against what the hold-out promised."""
    figure, ax = chart(theme)
    promised, _, weeks = _dream(seed)
    plots.line(
        pd.Series(weeks, index=_WEEKS), xlabel="week of the year", ylabel="share of grades right",
        limit=round(promised, 2), limit_label="promised", ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)


def colour_of_fruit(theme: str = "light", *, seed: int = 0) -> Figure:
    """Draw the colour readings of the archive and of a week under the new lamps."""
    figure, ax = chart(theme)
    orchard = worlds.Orchard(seed=seed)
    plots.histograms(
        orchard.archive(2600).crates["colour"], orchard.week(15).crates["colour"],
        xlabel="colour reading (no unit)", names=("archive", "week 15"), ax=ax,
    )  # fmt: skip
    return dressed(figure, theme)
