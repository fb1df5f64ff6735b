"""A rule as questions: one question, or three questions with four leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_lab.framing.inputs import Problem
from mlops_lab.framing.rivals import at_prior, even_weights, number_words, prior

__all__ = ["Tree", "best_root"]

BINS = 32
MOST_ROOTS = 12


@dataclass
class Tree:
    """A tree with so few leaves that it is a rule: two leaves (one question), or four (three questions).

    With more classes than leaves it gets one leaf for each class.
    """

    name: str
    leaves: int
    fewest: int = 3
    root: tuple[int, float] | None = None
    parts: list[Any] = field(default_factory=list)
    share: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Tree:
        """Grow the tree, every class counting the same."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeRegressor if problem.numbers else DecisionTreeClassifier
        leaves = self.leaves if self.leaves == 2 else max(self.leaves, len(problem.classes))
        values, weights = problem.inputs.values[rows], even_weights(problem, rows)
        self.share = np.empty(0) if problem.numbers else prior(problem, rows)
        self.root = best_root(problem, rows) if leaves == 4 else None
        sides = [np.arange(len(rows))]
        if self.root is not None:
            left = values[:, self.root[0]] <= self.root[1]
            sides, leaves = [np.flatnonzero(left), np.flatnonzero(~left)], 2
        self.parts = [
            kind(max_leaf_nodes=leaves, min_samples_leaf=self.fewest, random_state=0).fit(
                values[side], problem.answers[rows][side], sample_weight=weights[side]
            )
            for side in sides
        ]
        return self

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give each row its leaf's chances, or mean."""
        values = problem.inputs.values[rows]
        side = (
            np.zeros(len(rows), dtype=bool) if self.root is None else values[:, self.root[0]] > self.root[1]
        )
        given = np.zeros((len(rows), max(len(problem.classes), 1)))
        for number, part in enumerate(self.parts):
            chosen = np.flatnonzero(side == bool(number))
            if len(chosen) and problem.numbers:
                given[chosen, 0] = part.predict(values[chosen])
            elif len(chosen):
                given[np.ix_(chosen, part.classes_)] = part.predict_proba(values[chosen])
        return np.asarray(given[:, 0]) if problem.numbers else at_prior(given, self.share)

    def words(self, problem: Problem) -> str:
        """Tell the questions and the answer at each leaf."""
        if self.root is None:
            lines = self._told(problem, self.parts[0], ())
        else:
            no, yes = _sides(problem, *self.root)
            lines = self._told(problem, self.parts[0], (no,)) + self._told(problem, self.parts[1], (yes,))
        if len(lines) == 2:
            lines[1] = "otherwise" + lines[1][lines[1].rindex(": ") :]
        return "; ".join(lines)

    def _told(self, problem: Problem, part: Any, path: tuple[str, ...], node: int = 0) -> list[str]:
        tree = part.tree_
        if tree.children_left[node] < 0:
            value = tree.value[node][0]
            if problem.numbers:
                return [f"{' and '.join(path) or 'always'}: {number_words(float(value[0]))}"]
            label = problem.classes[int(part.classes_[int(value.argmax())])]
            return [f"{' and '.join(path) or 'always'}: {label}"]
        no, yes = _sides(problem, int(tree.feature[node]), float(tree.threshold[node]))
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        return self._told(problem, part, (*path, no), left) + self._told(problem, part, (*path, yes), right)


def _sides(problem: Problem, feature: int, cut: float) -> tuple[str, str]:
    name = problem.inputs.names[feature]
    if " = " in name:
        return f"not {name}", name
    return f"{name} <= {number_words(cut)}", f"{name} > {number_words(cut)}"


def best_root(problem: Problem, rows: NDArray[np.int64]) -> tuple[int, float] | None:
    """Find the first question after which one more question on each side sorts the answers best.

    A greedy tree takes the question that sorts best by itself, and can so miss three questions that belong
    together. Cuts are tried at 32 ranks, for the 12 columns that sort best alone.
    """
    values, weights = problem.inputs.values[rows], even_weights(problem, rows)
    if problem.numbers:
        wanted = (problem.answers[rows] - problem.answers[rows].mean())[:, None].astype(float)
    else:
        wanted = np.equal.outer(problem.answers[rows], np.arange(len(problem.classes))).astype(float)
    cuts = [_cuts(column) for column in values.T]
    bins = np.column_stack(
        [np.searchsorted(cut, column, side="left") for cut, column in zip(cuts, values.T, strict=True)]
    )
    alone = _purity(*_sums(bins, wanted, weights)).max(axis=(0, 2))
    columns = np.argsort(-alone, kind="stable")[:MOST_ROOTS]
    bins = bins[:, columns]
    best, root = -np.inf, None
    for position, column in enumerate(columns):
        mass, sums = (part.cumsum(axis=-3) for part in _sums(bins, wanted, weights, bins[:, position]))
        after = sum(
            _purity(*side).max(axis=(1, 2))
            for side in ((mass, sums), (mass[-1:] - mass, sums[:, -1:] - sums))
        )
        left = np.bincount(bins[:, position], minlength=BINS).cumsum()
        for rank, cut in enumerate(cuts[column]):
            if min(left[rank], len(rows) - left[rank]) >= 6 and after[rank] > best + 1e-9:
                best, root = float(after[rank]), (int(column), float(cut))
    return root


def _cuts(column: NDArray[np.float64]) -> NDArray[np.float64]:
    levels = np.unique(column)
    if len(levels) <= BINS:
        return np.asarray((levels[1:] + levels[:-1]) / 2)
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))


def _sums(
    bins: NDArray[np.int64],
    wanted: NDArray[np.float64],
    weights: NDArray[np.float64],
    first: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up what lies left of each cut, for each bin of a first question, in one pass over the rows.

    Gives the weights, shape (first bins, columns, cuts), and the weighted answers, one such block for each.
    """
    columns = bins.shape[1]
    size, blocks = BINS * columns, 1 if first is None else BINS
    places = bins + BINS * np.arange(columns) + (0 if first is None else first[:, None] * size)

    def heaped(each: NDArray[np.float64]) -> NDArray[np.float64]:
        heap = np.bincount(places.ravel(), np.repeat(each, columns), minlength=size * blocks)
        return np.asarray(heap.reshape(blocks, columns, BINS).cumsum(axis=2))

    return heaped(weights), np.stack([heaped(weights * column) for column in wanted.T])


def _purity(mass: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how pure the two sides of each cut are, shape (first bins, columns, cuts)."""
    rest, others = mass[..., -1:] - mass, sums[..., -1:] - sums
    return np.asarray((sums**2).sum(0) / np.maximum(mass, 1e-9) + (others**2).sum(0) / np.maximum(rest, 1e-9))
