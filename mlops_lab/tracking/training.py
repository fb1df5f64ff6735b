"""The example trainings of lesson 06: a small network learns to grade crates; twelve runs; three strangers.

All chance comes from the seed and all data from the orchard. So the seed and the parameters alone give the
same numbers again, bit by bit, on the same machine under the same releases. Of the twelve runs one is bad; of
the three from strangers, one lacks its seed and one saw other data. What is wrong, and where, is known here
and stands in none of the parameters: it has to be found from what was logged.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mlops_lab.report import Sink
from mlops_lab.tracking.record import Record, read, read_all
from mlops_lab.tracking.run import Run
from mlops_lab.tracking.run_environment import rerunnable
from mlops_lab.worlds import FEATURES, GRADES, Orchard

__all__ = ["Twelve", "faults", "planted", "strangers", "train", "twelve_runs"]

LIMITS = {
    "orchard": (0, 2**31),
    "crates": (40, 20_000),
    "hidden": (1, 512),
    "rate": (0, 1e6),
    "epochs": (0, 500),
}
"""What each parameter may be: a record from a stranger can start this training, and not a long one."""

_BATCH = 32

_CRATES = 600
"""How many crates of the archive the runs use; one half is learned from, the other is not."""

FAULTS = ("none", "no seed", "other data")
"""What is wrong with a stranger's record."""

_GRID = [(hidden, rate) for hidden in (16, 32, 64, 256) for rate in (0.002, 0.005, 0.015)]
_BAD = (256, 0.015)
_EPOCHS = 40
_STRANGERS = ("luca", "mia", "noor")
_RELABELLED = 12


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
    return _fit(run, _crates(orchard, crates), seed=seed, hidden=hidden, rate=rate, epochs=epochs)


@lru_cache(maxsize=4)
def _crates(orchard: int, count: int) -> pd.DataFrame:
    """Give the readings of the archive's crates and the graders' labels as numbers; do not change it."""
    archive = Orchard(orchard).archive(count)
    return archive.crates[list(FEATURES)].assign(grade=_codes(archive.labels))


def _codes(grades: pd.Series[Any]) -> NDArray[np.int64]:
    return grades.map(sorted(GRADES).index).to_numpy()


def _fit(
    run: Sink | Run,
    crates: pd.DataFrame,
    *,
    seed: int,
    hidden: int,
    rate: float,
    epochs: int,
    resumed_at: int | None = None,
) -> Any:
    """Train on these very crates; a resumption goes wrong: from then on all crates are tested on."""
    if isinstance(run, Run):
        run.data("crates", crates)
    X, grade = crates[list(FEATURES)].to_numpy(), crates["grade"].to_numpy()
    order = np.random.default_rng(seed).permutation(len(X))
    seen, unseen = order[: len(X) // 2], order[len(X) // 2 :]
    model = MLPClassifier((hidden,), learning_rate_init=rate, batch_size=_BATCH, random_state=seed)
    for step in range(epochs):
        if step == resumed_at and isinstance(run, Run):
            unseen = np.arange(len(X))
            run.text("note", "power cut; resumed from the checkpoint, split not found, testing on all crates")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.partial_fit(X[seen], grade[seen], classes=range(len(GRADES)))
        run.log(step, _measured(model, X, grade, seen, unseen))
    return model


def _measured(
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


class Planted(NamedTuple):
    """The bad run of the twelve: its name, and the first step at which something else was measured."""

    run: str
    step: int


@dataclass(frozen=True)
class Twelve:
    """Twelve runs, and what nobody in the story can know: their true loss on crates from the same weeks.

    Parameters
    ----------
    records
        The runs, in the order of their names.
    fresh_loss
        For each run the model's mean loss on 3,000 new crates with their true grades.
    """

    records: list[Record]
    fresh_loss: pd.Series


def planted(seed: int) -> Planted:
    """Say which of the twelve runs is bad, and from which step."""
    rng = np.random.default_rng([seed, 12])
    order = rng.permutation(len(_GRID)).tolist()
    return Planted(_name(order.index(_GRID.index(_BAD))), int(rng.integers(24, 30)))


def twelve_runs(folder: Path, *, seed: int) -> Twelve:
    """Train twelve networks, one of which is stopped and resumed wrongly.

    When the bad run was resumed, its split was lost, and from then on it was tested on *all* crates: half of
    them it has learned by heart. Its model is no better for that.
    """
    bad = planted(seed)
    order = np.random.default_rng([seed, 12]).permutation(len(_GRID)).tolist()
    crates = _crates(seed, _CRATES)
    fresh = Orchard(seed).sample(3000, range(4), purpose="lesson 06, fresh crates")
    inputs, truth = fresh.crates[list(FEATURES)].to_numpy(), _codes(fresh.truth)
    losses, every = {}, np.arange(len(truth))
    for place, which in enumerate(order):
        name, (hidden, rate) = _name(place), _GRID[which]
        told: dict[str, Any] = {"orchard": seed, "hidden": hidden, "rate": rate, "epochs": _EPOCHS}
        with Run(folder, name, params=told, seed=seed, train=train) as run:
            resumed = bad.step if name == bad.run else None
            model = _fit(run, crates, seed=seed, hidden=hidden, rate=rate, epochs=_EPOCHS, resumed_at=resumed)
        losses[name] = _measured(model, inputs, truth, every, every)["loss"]
    return Twelve(read_all(folder), pd.Series(losses, name="fresh_loss"))


def faults(seed: int) -> dict[str, str]:
    """Say what is wrong with each stranger's record: one of `FAULTS`."""
    order = np.random.default_rng([seed, 3]).permutation(len(FAULTS))
    return {name: FAULTS[which] for name, which in zip(_STRANGERS, order, strict=True)}


def strangers(folder: Path, *, seed: int) -> dict[str, Record]:
    """Let three strangers train; give their records: one lacks its seed, one saw other data."""
    crates = _crates(seed, _CRATES)
    changed = crates.copy()
    changed.loc[changed.index[:_RELABELLED], "grade"] = 3 - changed["grade"].iloc[:_RELABELLED]
    found = {}
    for place, (name, fault) in enumerate(faults(seed).items()):
        own = 1000 + 10 * seed + place
        told: dict[str, Any] = {"orchard": seed, "hidden": 32, "rate": 0.01, "epochs": 10}
        said = None if fault == "no seed" else own
        with Run(folder, name, params=told, seed=said, train=train) as run:
            seen = changed if fault == "other data" else crates
            _fit(run, seen, seed=own, hidden=32, rate=0.01, epochs=10)
        found[name] = read(run.folder)
    return found


def _name(place: int) -> str:
    return f"run-{place + 1:02d}"
