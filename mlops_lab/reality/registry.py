"""What the registry holds: the card that grades by hand, and the models that were trained.

A version says how likely each grade is; which channel follows from it is the metric's business (`channels`).
Left out: serving over a network, and loading from disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from mlops_lab.reality.product import RETURNS
from mlops_lab.reality.scenario import Scenario
from mlops_lab.worlds import FEATURES, GRADES
from mlops_lab.worlds import rule_card as card

__all__ = ["METRICS", "RegisteredModel", "by_hand", "can_hold_out", "channels", "fit", "held_out"]

METRICS = ("accuracy", "money")
"""Which channel an item goes to: that of its most likely grade, or the one that is expected to bring most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegisteredModel:
    """One entry of the registry.

    Answers: which grade, and how sure. It cannot say that a reading means today what it meant in training.

    Parameters
    ----------
    name, note
        Its name, such as ``"v1"``, and why it was made.
    scenario
        Whose words it speaks.
    features
        The columns it reads.
    rows
        Number of rows it was trained on; 0 for the card.
    day
        The day it was made.

    Examples
    --------
    >>> version = by_hand(Scenario())
    >>> version.name, version.by_hand, version.rows
    ('v0', True, 0)
    >>> crate = pd.DataFrame(dict.fromkeys(Scenario().features, [0.1]))
    >>> version.grades(crate).tolist(), version.probabilities(crate)["juice"].tolist()
    (['juice'], [1.0])
    """

    name: str
    note: str
    scenario: Scenario
    features: tuple[str, ...]
    rows: int = 0
    day: int = 28
    _model: Any = field(default=None, repr=False)

    @property
    def by_hand(self) -> bool:
        """Whether it is the card."""
        return self._model is None

    def probabilities(self, items: pd.DataFrame) -> pd.DataFrame:
        """Say how likely each grade is.

        Parameters
        ----------
        items
            Readings, with at least the version's features.

        Returns
        -------
        pandas.DataFrame
            One row for each item, one column for each grade; the card is always sure.
        """
        return pd.DataFrame(self._likely(items), index=items.index, columns=list(self.scenario.grades))

    def grades(self, items: pd.DataFrame) -> pd.Series:
        """Give the most likely grade.

        Parameters
        ----------
        items
            Readings, with at least the version's features.
        """
        names = np.array(self.scenario.grades, dtype=object)
        return pd.Series(
            names[self._likely(items).argmax(axis=1)], index=items.index, name="grade", dtype=object
        )

    def _likely(self, items: pd.DataFrame) -> Floats:
        missing = [name for name in self.features if name not in items.columns]
        if missing:
            raise ValueError(f"columns {missing} are missing; {self.name} reads {', '.join(self.features)}")
        if self._model is None:
            words = dict(zip(self.scenario.features, FEATURES, strict=True))
            places = pd.Index(GRADES).get_indexer(pd.Index(card(items.rename(columns=words))))
            return np.eye(len(GRADES))[places]
        given = self._model.predict_proba(_readings(items, self.features, self.scenario))
        likely = np.zeros((len(items), len(GRADES)))
        likely[:, self._model.classes_] = given
        return likely


def by_hand(scenario: Scenario) -> RegisteredModel:
    """Give the card with three thresholds that was used before any model."""
    return RegisteredModel("v0", "the card, by hand", scenario, scenario.features)


def fit(rows: pd.DataFrame, labels: NDArray[np.int64], features: Sequence[str], scenario: Scenario) -> Any:
    """Train boosted trees with lesson 00's settings.

    Rows that shall count twice are given twice: weights would make the training several times slower.
    """
    model = HistGradientBoostingClassifier(
        max_iter=35,
        learning_rate=0.18,
        max_leaf_nodes=10,
        min_samples_leaf=12,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    return model.fit(_readings(rows, features, scenario), labels)


def _fold(rows: int, folds: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).permutation(rows) % folds


def can_hold_out(labels: NDArray[np.int64], folds: int = 3) -> bool:
    """Say whether each model of `held_out` would see two grades at least, as a classifier must."""
    fold = _fold(len(labels), folds)
    rests = [labels[fold != number] for number in range(folds)]
    return len(labels) >= folds and all(len(np.unique(rest)) > 1 for rest in rests)


def held_out(rows: pd.DataFrame, labels: NDArray[np.int64], scenario: Scenario, folds: int = 3) -> Floats:
    """Say how likely each grade is for each row, by models that have not seen the row."""
    likely = np.zeros((len(rows), len(GRADES)))
    fold = _fold(len(rows), folds)
    for number in range(folds):
        out = fold == number
        model = fit(rows[~out], labels[~out], scenario.features, scenario)
        likely[np.ix_(out, model.classes_)] = model.predict_proba(
            _readings(rows[out], scenario.features, scenario)
        )
    return likely


def channels(
    likely: Floats, scenario: Scenario, metric: str, return_cost: float = 0.0, price: float = 1.0
) -> NDArray[np.int64]:
    """Choose each item's channel, as its place in the list of grades.

    With "accuracy" it is the most likely grade. With "money" it is the channel that is expected to bring most
    at today's price, less `return_cost` for each weighted return that is to be expected.
    """
    if metric == "accuracy":
        return _highest(likely)
    value = np.array(scenario.values)
    best = value[:, 2:]
    value[:, 2:] = np.where(best > 0, best * price, best)
    return _highest(likely @ (value - return_cost * RETURNS))


def _highest(table: Floats) -> NDArray[np.int64]:
    places: NDArray[np.int64] = table.argmax(axis=1)
    return places


def _readings(items: pd.DataFrame, features: Sequence[str], scenario: Scenario) -> Floats:
    """Give the features as numbers; the device becomes 1 for the small group, 0 for the other."""
    columns = [
        (items[name] == scenario.small_group).to_numpy(float)
        if name == scenario.device
        else items[name].to_numpy(float)
        for name in features
    ]
    return np.column_stack(columns)
