"""A real training to be tracked: a small network learns to grade crates, epoch by epoch.

All chance comes from the seed and all data from the orchard. So the seed and the parameters alone give the
same numbers again, bit by bit, on the same machine under the same releases.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mlops_lab.report import Sink
from mlops_lab.tracking.entry_point import rerunnable
from mlops_lab.tracking.run import Run
from mlops_lab.worlds import FEATURES, GRADES, Orchard

__all__ = ["LIMITS", "measured", "train"]

LIMITS = {
    "orchard": (0, 2**31),
    "crates": (40, 20_000),
    "hidden": (1, 512),
    "rate": (0, 1e6),
    "epochs": (0, 500),
}
"""What each parameter may be: a record from a stranger can start this training, and not a long one."""

_BATCH = 32


@rerunnable
def train(
    run: Sink,
    *,
    seed: int,
    orchard: int = 0,
    crates: int = 600,
    hidden: int = 64,
    rate: float = 0.01,
    epochs: int = 30,
) -> Any:
    """Train a network to grade crates, and log two losses and two accuracies after each epoch.

    ``loss`` and ``accuracy`` are measured on the half that is learnt from, ``validation_loss`` and
    ``validation_accuracy`` on the other half. A loss is the mean cross-entropy in nats, an accuracy the share
    of crates graded as the packhouse's graders wrote it down, who are partly wrong. With a rate that is too
    high the loss grows; that is shown and not mended.

    Parameters
    ----------
    run
        Where each epoch's numbers go: a ``Run``, which gets the data's fingerprint too, or any
        ``report.Sink``.
    seed
        For the split into halves, the first weights and the order of the crates.
    orchard, crates
        The seed of the world that the crates come from, and how many of its archive.
    hidden
        How many hidden units.
    rate
        How far each correction goes (Adam: Kingma and Ba, 2015).
    epochs
        How often all crates are seen.

    Returns
    -------
    sklearn.neural_network.MLPClassifier
        The trained network; its classes are the places of the grades in ``sorted(worlds.GRADES)``.

    Raises
    ------
    ValueError
        If a parameter is outside ``LIMITS``.

    Examples
    --------
    >>> from mlops_lab.report import MemorySink
    >>> sink = MemorySink()
    >>> model = train(sink, seed=0, epochs=5)
    >>> len(sink.frame()), bool(sink.frame()["loss"].is_monotonic_decreasing)
    (5, True)
    """
    given = {"orchard": orchard, "crates": crates, "hidden": hidden, "rate": rate, "epochs": epochs}
    for name, (low, high) in LIMITS.items():
        if not low <= given[name] <= high:
            raise ValueError(f"{name}={given[name]!r}: from {low:g} to {high:g} is accepted")
    batch = Orchard(orchard).archive(crates)
    readings = batch.crates[list(FEATURES)]
    grade = batch.labels.map(sorted(GRADES).index).to_numpy()
    if isinstance(run, Run):
        run.data("crates", readings.assign(grade=grade))
    X = readings.to_numpy()
    order = np.random.default_rng(seed).permutation(len(X))
    seen, unseen = order[: crates // 2], order[crates // 2 :]
    model = MLPClassifier((hidden,), learning_rate_init=rate, batch_size=_BATCH, random_state=seed)
    for step in range(epochs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.partial_fit(X[seen], grade[seen], classes=range(len(GRADES)))
        run.log(step, measured(model, X, grade, seen, unseen))
    return model


def measured(
    model: Any,
    X: NDArray[np.float64],
    grade: NDArray[np.int64],
    seen: NDArray[np.int64],
    unseen: NDArray[np.int64],
) -> dict[str, float]:
    """Measure loss and accuracy on the crates that were learned from and on the others."""
    chance = model.predict_proba(X)
    loss = -np.log(chance[np.arange(len(X)), grade].clip(1e-15))
    right = chance.argmax(axis=1) == grade
    return {
        "loss": float(loss[seen].mean()),
        "validation_loss": float(loss[unseen].mean()),
        "accuracy": float(right[seen].mean()),
        "validation_accuracy": float(right[unseen].mean()),
    }
