"""A formula rival: one product or ratio of two measured columns, then a cut or a straight line.

Density, price per kilo, body-mass-like indices: a trained person writes these on paper, and trees need
thousands of rows to imitate them. Left out: formulas of three columns, powers and sums (a points card adds).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.rivals import at_prior, even_weights, number_words, prior

__all__ = ["Formula"]

MOST_COLUMNS = 30
SCREENED_ROWS = 600


@dataclass
class Formula:
    """The product or ratio of two columns that goes best with the answer, cut (classes) or drawn as a line
    (numbers).

    Pairs are tried on at most 600 rows and the 30 measured columns that go best with the answer alone; a
    ratio only where the lower column keeps one sign.
    """

    name: str = "formula"
    upper: int = -1
    lower: int = -1
    ratio: bool = False
    estimator: Any = None
    line: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    share: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Formula:
        """Find the pair, then the cut or the line."""
        weights, answers = even_weights(problem, rows), problem.answers[rows]
        if not problem.numbers:
            self.share = prior(problem, rows)
        self._find(problem, rows[:: max(1, len(rows) // SCREENED_ROWS)])
        values = self._values(problem, rows)
        if problem.numbers:
            design = np.column_stack([np.ones(len(rows)), values])
            self.line = np.asarray(np.linalg.lstsq(design, answers.astype(float), rcond=None)[0])
            return self
        from sklearn.tree import DecisionTreeClassifier

        leaves = max(2, len(problem.classes))
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=3, random_state=0)
        self.estimator = tree.fit(values[:, None], answers, sample_weight=weights)
        return self

    def _find(self, problem: Problem, rows: NDArray[np.int64]) -> None:
        values, answers = problem.inputs.values[rows], problem.answers[rows]
        weights = even_weights(problem, rows)
        wanted = _targets(problem, answers, weights)
        ranked = not problem.numbers
        columns = np.flatnonzero(problem.inputs.measured)
        if len(columns) > MOST_COLUMNS:
            alone = _strength(values[:, columns], wanted, weights, ranked)
            columns = np.sort(columns[np.argsort(-alone, kind="stable")[:MOST_COLUMNS]])
        best = -1.0
        for position, upper in enumerate(columns):
            later = columns[position + 1 :]
            if len(later) == 0:
                break
            trials = [(upper, later, values[:, [upper]] * values[:, later], False)]
            one_sign = later[_keeps_sign(values[:, later])]
            if len(one_sign):
                trials.append((upper, one_sign, values[:, [upper]] / values[:, one_sign], True))
            if _keeps_sign(values[:, [upper]])[0]:
                trials.append((-upper - 1, later, values[:, later] / values[:, [upper]], True))
            for mark, others, made, ratio in trials:
                strength = _strength(made, wanted, weights, ranked)
                winner = int(strength.argmax())
                if strength[winner] > best:
                    best, self.ratio = float(strength[winner]), ratio
                    other = int(others[winner])
                    self.upper, self.lower = (int(mark), other) if mark >= 0 else (other, int(-mark - 1))

    def _values(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.upper < 0:
            return np.zeros(len(rows))
        first, second = problem.inputs.values[rows, self.upper], problem.inputs.values[rows, self.lower]
        if not self.ratio:
            return np.asarray(first * second)
        safe = np.abs(second) > 1e-12
        return np.asarray(np.divide(first, second, out=np.zeros(len(rows)), where=safe))

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Work the formula out for each row."""
        values = self._values(problem, rows)
        if problem.numbers:
            return np.asarray(self.line[0] + self.line[1] * values)
        even = np.zeros((len(rows), len(problem.classes)))
        even[:, self.estimator.classes_] = self.estimator.predict_proba(values[:, None])
        return at_prior(even, self.share)

    def words(self, problem: Problem) -> str:
        """Write the formula, with its cut or line."""
        if self.upper < 0:
            return "no formula"
        sign = "/" if self.ratio else "x"
        names = problem.inputs.names
        term = f"{names[self.upper]} {sign} {names[self.lower]}"
        if problem.numbers:
            return f"{number_words(float(self.line[0]))} + {number_words(float(self.line[1]))} x ({term})"
        tree = self.estimator.tree_
        if tree.node_count != 3:
            return f"{term}, cut into {tree.n_leaves} ranges"
        low, high = (
            problem.classes[int(self.estimator.classes_[int(tree.value[node][0].argmax())])]
            for node in (1, 2)
        )
        return f"{term} <= {number_words(float(tree.threshold[0]))}: {low}; otherwise: {high}"


def _targets(problem: Problem, answers: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred columns to correlate with: the number, or one column for each class."""
    if problem.numbers:
        wanted = np.asarray(answers, dtype=float)[:, None]
    else:
        wanted = np.equal.outer(answers, np.arange(len(problem.classes))).astype(float)
    return np.asarray(wanted - np.average(wanted, axis=0, weights=weights))


def _strength(
    made: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64], ranked: bool
) -> NDArray[np.float64]:
    """Squared correlation of each column with the answer, by ranks for classes."""
    columns = made.argsort(axis=0).argsort(axis=0).astype(float) if ranked else made
    centred = columns - np.average(columns, axis=0, weights=weights)
    pull = ((centred * weights[:, None]).T @ wanted) ** 2
    spread = np.maximum((weights[:, None] * centred**2).sum(axis=0), 1e-12)
    heights = np.maximum((weights[:, None] * wanted**2).sum(axis=0), 1e-12)
    return np.asarray((pull / heights).sum(axis=1) / spread)


def _keeps_sign(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((values.min(axis=0) > 1e-9) | (values.max(axis=0) < -1e-9))
