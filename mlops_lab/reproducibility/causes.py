"""How far does each cause move a model: its bits, its answers, its score.

Each cause is a knob of a small network of ours: ``MLPClassifier`` has one ``random_state`` for both its first
weights and the order of its rows. Here they are two, so that each can be moved alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report
from mlops_lab.reproducibility.bitwise_equality import same

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Variants", "train", "variants"]


def train(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    init: int = 0,
    order: int = 0,
    batch: int = 50,
    epochs: int = 10,
    hidden: Sequence[int] = (16,),
    rate: float = 0.01,
    activation: str = "relu",
    nudge: bool = False,
) -> Any:
    """Train a small neural network in which each cause of a difference can be moved alone.

    It answers what a training does when just one thing about it changes. It is small and calm: large networks
    and graphics cards differ more, so it misleads whoever takes its sizes for theirs.

    Parameters
    ----------
    x
        Readings, one row for each crate: shape (rows, columns), near mean 0 and spread 1.
    y
        The answers, one for each row.
    init
        The seed of the first weights.
    order
        The seed of the order in which the rows come.
    batch
        How many rows make one step.
    epochs
        How often all rows are seen.
    hidden
        How many units each hidden layer has.
    rate
        The learning rate, the length of a step.
    activation
        ``"relu"``, ``"tanh"`` or ``"logistic"``.
    nudge
        Move each weight of the first layer by one ulp after the first epoch: the smallest change there is, as
        another processor may make it.

    Raises
    ------
    ValueError
        If `batch` is not between 1 and the number of rows, or `epochs` is below 1.

    Examples
    --------
    >>> x, y = np.array([[-1.0], [1.0]] * 20), np.array(["low", "high"] * 20)
    >>> first, again, other = train(x, y, batch=8), train(x, y, batch=8), train(x, y, batch=8, init=1)
    >>> bool((first.coefs_[0] == again.coefs_[0]).all()), bool((first.coefs_[0] == other.coefs_[0]).all())
    (True, False)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    from sklearn.neural_network import MLPClassifier

    rows, answers = np.asarray(x, dtype=np.float64), np.asarray(y)
    if not 1 <= batch <= len(rows):
        raise ValueError(f"batch={batch!r}: a step takes between 1 and all {len(rows)} rows")
    if epochs < 1:
        raise ValueError(f"epochs={epochs!r}: at least one is needed")
    net = MLPClassifier(
        tuple(hidden),
        activation=activation,
        learning_rate_init=rate,
        batch_size=batch,
        shuffle=False,
        random_state=init,
    )
    rng = np.random.default_rng(order)
    grades = np.unique(answers)
    for epoch in range(epochs):
        turn = rng.permutation(len(rows))
        net.partial_fit(rows[turn], answers[turn], classes=grades)
        if nudge and epoch == 0:
            net.coefs_[0][:] = np.nextafter(net.coefs_[0], np.inf)
    return net


@dataclass(frozen=True, kw_only=True)
class Variants(Report):
    """What `variants` found.

    Attributes
    ----------
    runs
        One row for each run: ``cause``, ``knobs``, ``same_bits``, ``flips`` (share of answers that are not
        the first run's) and ``score`` (share right).
    baseline
        The score of the first run, on which all knobs stand as they are.

    Examples
    --------
    >>> found = variants(lambda shift=0.0: [0.2 + shift, 0.8], {"nothing": [{}]}, truth=[False, True])
    >>> found.baseline
    1.0
    """

    runs: pd.DataFrame
    baseline: float

    def table(self) -> pd.DataFrame:
        """Give one row for each cause.

        Returns
        -------
        pandas.DataFrame
            Indexed by the cause: ``runs``, ``same_bits`` (how many of them), ``flips`` (mean share of answers
            that change), ``lowest`` and ``highest`` score, and ``spread``, their distance, the first run
            counted in.
        """
        rows = {}
        for cause, held in self.runs.groupby("cause", sort=False):
            scores = [self.baseline, *held["score"]]
            rows[cause] = {
                "runs": len(held),
                "same_bits": int(held["same_bits"].sum()),
                "flips": float(held["flips"].mean()),
                "lowest": min(scores),
                "highest": max(scores),
                "spread": max(scores) - min(scores),
            }
        counts = dict.fromkeys(("runs", "same_bits"), "int64")
        return pd.DataFrame.from_dict(rows, orient="index").astype(counts).rename_axis("cause")

    def headline(self) -> str:
        """Say which cause moves the score farthest."""
        table = self.table()
        farthest = table["spread"].idxmax()
        return f"The score moves farthest by {farthest}: {100 * table['spread'].max():.1f} points."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the score of every run, one row for each cause, beside that of the first run.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
        table = self.table()
        size = (7.5, 1.3 + 0.55 * len(table))
        ax = plots.axes(ax, title=self.title, xlabel="share of answers right", size=size)
        ax.grid(visible=False, axis="y")
        names = []
        for row, (cause, found) in enumerate(table.iterrows()):
            scores = self.runs.loc[self.runs["cause"] == cause, "score"]
            apart = np.linspace(-0.16, 0.16, len(scores)) if len(scores) > 1 else np.zeros(1)
            ax.plot(
                [found["lowest"], found["highest"]], [row, row], color=plots.PALETTE["sky_blue"], linewidth=5
            )
            ax.plot(scores, row + apart, "o", color=plots.PALETTE["blue"], markersize=5, alpha=0.8)
            names.append(f"{cause}\n{_bits(found)}; {_changes(found)}")
        ax.axvline(self.baseline, color="black", linewidth=1.2, linestyle="--")
        at = ax.get_xaxis_transform()
        ax.text(self.baseline, 1.01, "first run", transform=at, ha="center", va="bottom", fontsize=9)
        if self.title:
            ax.set_title(self.title, loc="left", fontsize=11, pad=20)
        ax.set_yticks(range(len(table)), names, fontsize=9)
        ax.set_ylim(len(table) - 0.5, -0.5)
        return ax


def variants(
    train: Callable[..., npt.ArrayLike],
    causes: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    truth: npt.ArrayLike,
    title: str = "How far does each cause move the model?",
) -> Variants:
    """Train under each variation of each cause, and compare with a first run that has none.

    It answers which causes change nothing, which the last bits, and which the answers; seeds are the
    yardstick for the rest. It cannot add causes up: two that move a model by one point each do not move it by
    two. It misleads on few runs, since a range grows with their number: give every cause equally many.

    Parameters
    ----------
    train
        Takes the knobs of a variation by name, trains, and returns a score for each row and class, shape
        (rows, classes), or for one class, shape (rows,), where at least one half means yes.
    causes
        For each cause its variations, each a mapping of knobs; ``{}`` is the same run again.
    truth
        What is right: the column number of the right class for each row, or True and False.
    title
        What the report is about.

    Returns
    -------
    Variants
        The report, with one finding for each cause; one is in order if no answer changes.

    Raises
    ------
    ValueError
        If there is no cause, a cause without variation, or shapes do not fit.

    Examples
    --------
    >>> def train(shift=0.0):
    ...     return np.array([0.2, 0.4, 0.9]) + shift
    >>> moves = {"same again": [{}], "a last bit": [{"shift": 1e-16}], "a push": [{"shift": 0.2}]}
    >>> found = variants(train, moves, truth=[False, False, True])
    >>> found.table()["same_bits"].tolist(), found.table()["flips"].round(2).tolist()
    ([1, 0, 0], [0.0, 0.0, 0.33])

    Taught in notebooks/05_reproducibility.ipynb.
    """
    empty = [cause for cause, moves in causes.items() if not moves]
    if not causes or empty:
        raise ValueError(
            f"causes without a variation: {', '.join(empty) or 'all'}; [{{}}] is the same run again"
        )
    first, right = np.asarray(train()), np.asarray(truth)
    if right.shape != first.shape[:1] or first.ndim > 2:
        raise ValueError(
            f"scores of shape {first.shape} and truth of shape {right.shape}: one row for each answer"
        )
    answers = _answers(first)
    rows = []
    for cause, moves in causes.items():
        for knobs in moves:
            scores = np.asarray(train(**knobs))
            if scores.shape != first.shape:
                raise ValueError(
                    f"{dict(knobs)} of {cause!r} gave scores of shape {scores.shape}, not {first.shape}"
                )
            given = _answers(scores)
            rows.append(
                {
                    "cause": cause,
                    "knobs": ", ".join(f"{name}={value}" for name, value in knobs.items()) or "as it was",
                    "same_bits": same(first, scores).bitwise,
                    "flips": float((given != answers).mean()),
                    "score": float((given == right).mean()),
                }
            )
    runs, baseline = pd.DataFrame(rows), float((answers == right).mean())
    table = Variants(title=title, runs=runs, baseline=baseline).table()
    findings = tuple(_finding(cause, found) for cause, found in table.iterrows())
    return Variants(title=title, findings=findings, runs=runs, baseline=baseline)


def _bits(found: pd.Series[Any]) -> str:
    runs, alike = int(found["runs"]), int(found["same_bits"])
    return (
        "same bits"
        if alike == runs
        else "other bits"
        if not alike
        else f"{alike} of {runs} with the same bits"
    )


def _changes(found: pd.Series[Any]) -> str:
    return f"{100 * found['flips']:.1f} % of answers change" if found["flips"] else "no answer changes"


def _answers(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return scores.argmax(axis=1) if scores.ndim == 2 else scores >= 0.5


def _finding(cause: Any, found: pd.Series[Any]) -> Finding:
    runs, alike = int(found["runs"]), int(found["same_bits"])
    if alike == runs:
        said = "Every run is the same, bit for bit."
    elif found["flips"] == 0:
        said = f"{runs - alike} of {runs} runs differ in their bits, and not one answer changes."
    else:
        said = f"The score lies between {found['lowest']:.3f} and {found['highest']:.3f}."
    return Finding(
        code="reproducibility." + "_".join(str(cause).lower().split()),
        title=str(cause),
        ok=found["flips"] == 0,
        statistic="answers that change",
        value=found["flips"],
        limit=0,
        explanation=said,
        source="measured here",
    )
