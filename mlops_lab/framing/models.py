"""Three ordinary models: a linear one, many trees, and boosted trees.

They stand for "machine learning" in the contest with paper. Each is fitted plainly and answers with chances;
where classes shall count equally, chances are divided by how common each class is when the answer is chosen
(not by weighting the fit: the two come to the same decision, and weights make boosted trees twenty times
slower). Left out: tuning, deep networks, features made by hand. A better model may exist; these three find
what is plainly there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.inputs import Problem

__all__ = ["Model", "decide", "models"]


@dataclass
class Model:
    """An ordinary scikit-learn model that reads a `Problem`.

    Parameters
    ----------
    name
        What it is called in tables.
    make
        Makes a fresh estimator.
    """

    name: str
    make: Callable[[], Any]
    estimator: Any = None

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Model:
        """Fit a fresh estimator to these rows and return self."""
        self.estimator = self.make().fit(problem.inputs.values[rows], problem.answers[rows])
        return self

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give chances, shape (rows, K), or predicted numbers, shape (rows,)."""
        return self.chances_of(problem, problem.inputs.values[rows])

    def chances_of(self, problem: Problem, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give chances for rows of numbers in the problem's columns."""
        if problem.numbers:
            return np.asarray(self.estimator.predict(values), dtype=float)
        chances = np.zeros((len(values), len(problem.classes)))
        chances[:, self.estimator.classes_] = self.estimator.predict_proba(values)
        return chances


def decide(chances: NDArray[np.float64], prior: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """Choose a class for each row: the likeliest, or with `prior` the one that gains most over its usual
    chance.

    Dividing by the prior is right where all classes count equally, and wrong where every error costs the
    same.
    """
    weighted = chances if prior is None else chances / np.maximum(prior, 1e-9)
    return np.asarray(weighted.argmax(axis=1), dtype=np.int64)


def models(problem: Problem) -> list[Model]:
    """List the models that are worth fitting to this problem.

    Boosted trees join from 400 rows on, for at most 4 classes and 60 columns: elsewhere they cost more time
    than they add. The rest of the time the other two stand for machine learning, which can miss a gain.

    Parameters
    ----------
    problem
        From `prepare`.

    Examples
    --------
    >>> import pandas as pd
    >>> from mlops_lab.framing.inputs import prepare
    >>> problem = prepare(pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}), "y")
    >>> [model.name for model in models(problem)]
    ['linear', 'trees']

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    from sklearn import ensemble, linear_model
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = problem.numbers

    def linear() -> Any:
        last = linear_model.Ridge(1.0) if numbers else linear_model.LogisticRegression(max_iter=300)
        return make_pipeline(StandardScaler(), last)

    def trees() -> Any:
        kind = ensemble.ExtraTreesRegressor if numbers else ensemble.ExtraTreesClassifier
        share = 0.5 if numbers else "sqrt"
        return kind(40, min_samples_leaf=2, max_features=share, random_state=0)

    def boosted() -> Any:
        name = "HistGradientBoostingRegressor" if numbers else "HistGradientBoostingClassifier"
        return getattr(ensemble, name)(
            max_iter=40, max_leaf_nodes=10, learning_rate=0.2, early_stopping=False, random_state=0
        )

    found = [Model("linear", linear), Model("trees", trees)]
    if problem.size >= 400 and len(problem.classes) <= 4 and problem.inputs.values.shape[1] <= 60:
        found.append(Model("boosted trees", boosted))
    return found
