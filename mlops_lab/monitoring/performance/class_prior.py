"""Has the mix of classes moved? Counting predictions is a biased answer; two better ones.

Label shift: each class looks as it always did, there is only more or less of it, as in an outbreak of rot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.outcomes import read_probabilities, require_aligned
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["class_prior", "class_prior_by_confusion"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ClassPrior(Report):
    """The shares of the classes now, beside those that the model has learned.

    Parameters
    ----------
    title, findings
        As in every report.
    learned
        Shares in the training data.
    shares
        Estimated shares now.

    Examples
    --------
    >>> class_prior([[0.5, 0.5]] * 4, [0.5, 0.5], classes=["a", "b"]).shares.tolist()
    [0.5, 0.5]
    """

    learned: pd.Series[float]
    shares: pd.Series[float]

    def headline(self) -> str:
        """Name the class whose share moved most."""
        place = int(np.argmax(abs(self.shares.to_numpy() - self.learned.to_numpy())))
        name, then, now = self.shares.index[place], self.learned.iloc[place], self.shares.iloc[place]
        return f"Share of {name}: {then:.1%} learned, {now:.1%} estimated now."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw learned and estimated shares side by side."""
        both = pd.DataFrame({"learned": self.learned, "estimated now": self.shares})
        return plots.bars(both, ylabel="share of rows", xlabel="class", title=self.title, ax=ax)


def class_prior(
    probabilities: npt.ArrayLike,
    learned: npt.ArrayLike,
    *,
    classes: npt.ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> ClassPrior:
    """Estimate the shares of the classes in rows without labels, from the model's probabilities.

    Start from the shares that the model has learned. Correct its probabilities for the shares, average them,
    take the averages as new shares, and repeat. It answers "how many of each class come in now?". It cannot
    work with a model that is not calibrated, and it misleads where a class *looks* different now: then it
    explains the new looks by other shares.

    Parameters
    ----------
    probabilities
        What `predict_proba` gives for today's rows.
    learned
        Shares of the classes in the training data, in the order of the columns.
    classes
        Their names.
    tolerance
        It stops when no share moves further than this.

    Raises
    ------
    ValueError
        If the shares do not fit the columns, or one of them is not above 0.

    Notes
    -----
    Saerens, Latinne and Decaestecker (2002): expectation and maximisation in turns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.r_[rng.normal(-1, 1, 200), rng.normal(1, 1, 800)]  # the model has learned half and half
    >>> sure = 1 / (1 + np.exp(-2 * x))
    >>> found = class_prior(np.c_[1 - sure, sure], [0.5, 0.5])
    >>> float((sure > 0.5).mean().round(2)), float(found.shares[1].round(2))
    (0.7, 0.8)

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    values = read_probabilities(probabilities)
    before: Floats = np.asarray(learned, dtype=np.float64)
    require_aligned("the columns of probabilities", values.shape[1], "learned", before.size)
    if (before <= 0).any() or abs(before.sum() - 1) > 1e-6:
        raise ValueError(f"learned={before.tolist()}: give shares above 0 that add up to 1")
    if not tolerance > 0:
        raise ValueError(f"tolerance={tolerance!r}: give a number above 0")
    now = before
    for _ in range(10_000):
        last, now = now, _reweighted(values, now / before).mean(axis=0)
        if abs(now - last).max() < tolerance:
            break
    names = pd.Index(range(before.size) if classes is None else np.asarray(classes))
    return _report(pd.Series(before, names), pd.Series(now, names), "Saerens, Latinne and Decaestecker 2002")


def class_prior_by_confusion(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, predicted_now: npt.ArrayLike
) -> ClassPrior:
    """Estimate the shares of the classes from predictions alone, and how they were confused before.

    A hold-out shows how often each class is taken for which. Today's predictions are a mixture of those
    rows: solve for the shares. It needs no probabilities and no calibration. It cannot tell classes apart
    that the model never tells apart, and misleads where the confusion itself has changed.

    Parameters
    ----------
    truth, predicted
        True and predicted classes of a hold-out; every class must come in both.
    predicted_now
        What was predicted for today's rows.

    Raises
    ------
    ValueError
        If a class is missing, or the model cannot tell two of them apart.

    Notes
    -----
    Lipton, Wang and Smola (2018), black-box shift estimation.

    Examples
    --------
    >>> truth = ["good"] * 8 + ["bad"] * 2
    >>> seen = ["good"] * 7 + ["bad"] + ["bad"] * 2
    >>> found = class_prior_by_confusion(truth, seen, ["good"] * 7 + ["bad"] * 9)
    >>> found.shares.round(2).to_dict()
    {'bad': 0.5, 'good': 0.5}

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    true, seen, now = (np.asarray(values) for values in (truth, predicted, predicted_now))
    require_aligned("truth", len(true), "predicted", len(seen))
    classes = np.unique(true)
    strange = set(np.unique(np.concatenate([seen, now])).tolist()) - set(classes.tolist())
    if strange or len(now) == 0:
        raise ValueError(
            f"{len(now)} predictions now, {sorted(map(str, strange))} of them no class of the hold-out: "
            "give at least one, and classes of the hold-out only"
        )
    joint = np.array([[np.mean((seen == row) & (true == column)) for column in classes] for row in classes])
    if np.linalg.cond(joint) > 1e6:
        raise ValueError("the hold-out's predictions cannot tell all classes apart: merge some of them")
    ratio = np.linalg.solve(joint, np.array([np.mean(now == row) for row in classes]))
    before = joint.sum(axis=0)
    shares = np.maximum(ratio, 0) * before
    names = pd.Index(classes)
    return _report(
        pd.Series(before, names), pd.Series(shares / shares.sum(), names), "Lipton, Wang and Smola 2018"
    )


def _reweighted(values: Floats, ratio: Floats) -> Floats:
    """Multiply each class by how much more of it there is, and let each row add up to 1 again."""
    weighted = values * ratio
    sums: Floats = weighted.sum(axis=1, keepdims=True)
    found: Floats = weighted / sums
    return found


def _report(learned: pd.Series[Any], shares: pd.Series[Any], source: str) -> ClassPrior:
    findings = tuple(
        Finding(
            code=f"prior.{place}",
            title=f"Share of {name}",
            ok=None,
            statistic="estimated share",
            value=float(shares[name]),
            explanation=f"The model has learned {learned[name]:.3f}. It assumes that each looks as ever.",
            source=source,
        )
        for place, name in enumerate(shares.index)
    )
    return ClassPrior(title="Shares of the classes", findings=findings, learned=learned, shares=shares)
