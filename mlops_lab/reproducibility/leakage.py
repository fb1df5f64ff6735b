"""Label leakage: does a training see its own exam? On shuffled labels it must fall to chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops_lab import plots
from mlops_lab.report import Finding, Report
from mlops_lab.reproducibility.seed_comparison import paired_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["leak_test", "oversample"]


def oversample(
    x: npt.ArrayLike, y: npt.ArrayLike, *, seed: int = 0
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Repeat rows of the rarer classes until all classes are equally frequent.

    It answers nothing; it prepares a *training* set for models that ignore rare classes. It misleads at once
    when it is called before the split: copies of one row then stand on both sides.

    Parameters
    ----------
    x, y
        Rows and their classes.
    seed
        Picks the rows that are repeated.

    Returns
    -------
    tuple of numpy.ndarray
        All rows in their order, the repeated ones behind them; and their classes.

    Raises
    ------
    ValueError
        If there are no rows, or not one class for each.

    Examples
    --------
    >>> rows, classes = oversample([[1.0], [2.0], [3.0]], ["fine", "fine", "spoiled"])
    >>> rows.ravel().tolist(), classes.tolist()
    ([1.0, 2.0, 3.0, 3.0], ['fine', 'fine', 'spoiled', 'spoiled'])

    Taught in notebooks/05_reproducibility.ipynb.
    """
    rows, classes = np.asarray(x), np.asarray(y)
    if not len(rows) or rows.shape[:1] != classes.shape:
        raise ValueError(
            f"{len(rows)} rows and {classes.size} classes: one class for each row, at least one row"
        )
    rng = np.random.default_rng(seed)
    names, counts = np.unique(classes, return_counts=True)
    more = [
        rng.choice(np.flatnonzero(classes == name), counts.max() - count)
        for name, count in zip(names, counts, strict=True)
    ]
    chosen = np.concatenate([np.arange(len(rows)), *more]).astype(np.intp)
    return rows[chosen], classes[chosen]


@dataclass(frozen=True, kw_only=True)
class LeakTest(Report):
    """What `leak_test` found.

    Attributes
    ----------
    score
        What the procedure scores on the real labels.
    shuffled
        What it scores on each shuffling of them.
    chance
        What it should score there.
    low, high
        The interval in which the mean on shuffled labels lies.

    Examples
    --------
    >>> leak_test(lambda labels: 1.0, [0, 1, 0, 1], chance=0.5, shuffles=3).ok
    False
    """

    score: float
    shuffled: tuple[float, ...]
    chance: float
    low: float
    high: float

    def headline(self) -> str:
        """Say whether the procedure finds something where there is nothing."""
        mean = float(np.mean(self.shuffled))
        if self.ok:
            return f"On labels that mean nothing it scores {mean:.2f}, as chance does."
        return f"On labels that mean nothing it scores {mean:.2f}; chance scores {self.chance:.2f}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scores on shuffled labels against chance, and the score on the real ones."""
        ax = plots.axes(ax, title=self.title, xlabel="score", size=(7, 2.2))
        ax.grid(visible=False, axis="y")
        place = np.linspace(0.8, 1.2, len(self.shuffled))
        ax.plot(self.shuffled, place, "o", color=plots.PALETTE["blue"], markersize=6, alpha=0.8)
        ax.plot(self.score, 0, "D", color="black", markersize=8)
        ax.axvline(self.chance, color="black", linewidth=1.0, linestyle="--")
        ax.set_yticks([0, 1], ["real labels", "shuffled labels"])
        ax.set_ylim(1.6, -0.6)
        at = ax.get_xaxis_transform()
        ax.text(self.chance, 1.01, "chance", transform=at, ha="center", va="bottom", fontsize=9)
        if self.title:
            ax.set_title(self.title, loc="left", fontsize=11, pad=20)
        return ax


def leak_test(
    score: Callable[[npt.NDArray[Any]], float],
    labels: npt.ArrayLike,
    *,
    chance: float,
    shuffles: int = 20,
    confidence: float = 0.99,
    seed: int = 0,
    title: str = "Does it see its exam?",
) -> LeakTest:
    """Run a whole procedure, from raw rows to score, on shuffled labels: it must fall to chance.

    It answers whether labels of the exam reach the training, by whatever way. It cannot see a leak that has
    nothing to do with labels, such as a column that is known only afterwards, or a mean over all rows. It
    misleads if a part of the procedure was run before: all that uses labels must happen inside `score`.

    Parameters
    ----------
    score
        Takes labels for the same rows, does everything, and returns the score.
    labels
        The real labels.
    chance
        What somebody who knows nothing scores: one half for two equally frequent classes, or 1/k for the
        balanced accuracy over k classes.
    shuffles
        How often to shuffle, at least two.
    confidence
        Of the interval for the mean on shuffled labels.
    seed
        Of the shuffles.
    title
        What is tested.

    Returns
    -------
    LeakTest
        The report; its finding needs attention if the interval lies above chance.

    Raises
    ------
    ValueError
        If there are fewer than two shuffles, or a score is not finite.

    Notes
    -----
    To compare with permuted labels is Fisher's idea (1935); Ojala and Garriga (2010) test classifiers so.

    Examples
    --------
    >>> labels = np.array([0, 1] * 50)
    >>> honest = leak_test(lambda given: float((given == labels[::-1]).mean()), labels, chance=0.5)
    >>> peeking = leak_test(lambda given: float((given == given).mean()), labels, chance=0.5)
    >>> honest.ok, peeking.ok
    (True, False)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    if shuffles < 2:
        raise ValueError(f"shuffles={shuffles!r}: at least two are needed, better twenty")
    rng, real = np.random.default_rng(seed), np.asarray(labels)
    found = tuple(float(score(rng.permutation(real))) for _ in range(shuffles))
    low, high = paired_interval(found, confidence=confidence)
    leaks = low > chance
    finding = Finding(
        code="reproducibility.leak",
        title="Shuffled labels",
        ok=not leaks,
        statistic=f"mean score over {shuffles} shuffles",
        value=float(np.mean(found)),
        interval=(low, high),
        limit=chance,
        explanation="A step before the split has used the exam's labels: put it behind, into the pipeline."
        if leaks
        else "No sign that labels of the exam reach the training.",
        source="Ojala and Garriga 2010",
    )
    real_score = float(score(real))
    return LeakTest(
        title=title, findings=(finding,), score=real_score, shuffled=found, chance=chance, low=low, high=high
    )
