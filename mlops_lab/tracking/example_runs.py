"""The runs that lesson 06 looks at: twelve of which one is bad, and three from strangers.

All of them grade the orchard's crates as `tracking.training.train` does, and say so. What is wrong with a
run, and where, is known here and stands in none of its parameters: it has to be found from what was logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

from mlops_lab import tracking, worlds
from mlops_lab.tracking.training import measured, train

__all__ = ["CRATES", "FAULTS", "Planted", "Twelve", "faults", "planted", "strangers", "twelve_runs"]

CRATES = 600
"""How many crates of the archive are used; one half is learned from, the other is not."""

FAULTS = ("none", "no seed", "other data")
"""What is wrong with a stranger's record."""

_GRID = [(hidden, rate) for hidden in (16, 32, 64, 256) for rate in (0.002, 0.005, 0.015)]
_BAD = (256, 0.015)
_EPOCHS = 40
_STRANGERS = ("luca", "mia", "noor")
_RELABELLED = 12


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

    records: list[tracking.Record]
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
    crates = _crates(seed)
    fresh = worlds.Orchard(seed).sample(3000, range(4), purpose="lesson 06, fresh crates")
    inputs, truth = fresh.crates[worlds.FEATURES].to_numpy(), _codes(fresh.truth)
    losses, every = {}, np.arange(len(truth))
    for place, which in enumerate(order):
        name, (hidden, rate) = _name(place), _GRID[which]
        told: dict[str, Any] = {"orchard": seed, "hidden": hidden, "rate": rate, "epochs": _EPOCHS}
        with tracking.Run(folder, name, params=told, seed=seed, train=train) as run:
            resumed = bad.step if name == bad.run else None
            model = _train(
                run, crates, seed=seed, hidden=hidden, rate=rate, epochs=_EPOCHS, resumed_at=resumed
            )
        losses[name] = measured(model, inputs, truth, every, every)["loss"]
    return Twelve(tracking.read_all(folder), pd.Series(losses, name="fresh_loss"))


def faults(seed: int) -> dict[str, str]:
    """Say what is wrong with each stranger's record: one of `FAULTS`."""
    order = np.random.default_rng([seed, 3]).permutation(len(FAULTS))
    return {name: FAULTS[which] for name, which in zip(_STRANGERS, order, strict=True)}


def strangers(folder: Path, *, seed: int) -> dict[str, tracking.Record]:
    """Let three strangers train; give their records: one lacks its seed, one saw other data."""
    crates = _crates(seed)
    changed = crates.copy()
    changed.loc[changed.index[:_RELABELLED], "grade"] = 3 - changed["grade"].iloc[:_RELABELLED]
    found = {}
    for place, (name, fault) in enumerate(faults(seed).items()):
        own = 1000 + 10 * seed + place
        told: dict[str, Any] = {"orchard": seed, "hidden": 32, "rate": 0.01, "epochs": 10}
        said = None if fault == "no seed" else own
        with tracking.Run(folder, name, params=told, seed=said, train=train) as run:
            seen = changed if fault == "other data" else crates
            _train(run, seen, seed=own, hidden=32, rate=0.01, epochs=10)
        found[name] = tracking.read(run.folder)
    return found


def _name(place: int) -> str:
    return f"run-{place + 1:02d}"


def _codes(grades: pd.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
    return grades.map(sorted(worlds.GRADES).index).to_numpy()


@lru_cache(maxsize=4)
def _crates(orchard: int) -> pd.DataFrame:
    """Give the readings of the archive's crates and the graders' labels as numbers; do not change it."""
    archive = worlds.Orchard(orchard).archive(CRATES)
    return archive.crates[worlds.FEATURES].assign(grade=_codes(archive.labels))


def _train(
    run: tracking.Run,
    crates: pd.DataFrame,
    *,
    seed: int,
    hidden: int,
    rate: float,
    epochs: int,
    resumed_at: int | None = None,
) -> MLPClassifier:
    """Do what `tracking.training.train` does, on these very crates, and with a resumption that goes wrong."""
    run.data("crates", crates)
    inputs, grades = crates[worlds.FEATURES].to_numpy(), crates["grade"].to_numpy()
    order = np.random.default_rng(seed).permutation(len(crates))
    seen, unseen = order[: CRATES // 2], order[CRATES // 2 :]
    model = MLPClassifier((hidden,), learning_rate_init=rate, batch_size=32, random_state=seed)
    for step in range(epochs):
        if step == resumed_at:
            unseen = np.arange(len(crates))
            run.text("note", "power cut; resumed from the checkpoint, split not found, testing on all crates")
        model.partial_fit(inputs[seen], grades[seen], classes=range(len(worlds.GRADES)))
        run.log(step, measured(model, inputs, grades, seen, unseen))
    return model
