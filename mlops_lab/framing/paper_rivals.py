"""The best that can be done on paper: one answer, a few questions, a points card, a formula, your own rule.

A model must beat these before it is worth its upkeep. Each rival is fitted inside the same folds as the
models and gives its rule in words. The one that remembers a table is in `lookup_tables`. Left out: formulas
of three columns, powers and sums (a points card adds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.framing.problem import Problem

__all__ = [
    "MOST_LEAVES",
    "Constant",
    "Formula",
    "OwnRule",
    "PointsCard",
    "Rival",
    "Tree",
    "at_prior",
    "even_weights",
    "number_words",
    "prior",
]

MOST_FEATURES = 5

MOST_POINTS = 5

MOST_TOLD = 6

MOST_LEAVES = 10

LONGEST = 240


class Rival(Protocol):
    """Something doable on paper: fitted to rows, answers with chances or numbers, told in words."""

    name: str

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Any:
        """Learn from these rows and return self."""

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give chances, shape (rows, K), or numbers, shape (rows,)."""

    def words(self, problem: Problem) -> str:
        """Tell the rule in words."""


def prior(problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of each class among these rows, shape (K,)."""
    counts = np.bincount(problem.answers[rows].astype(np.int64), minlength=len(problem.classes))
    return counts / max(len(rows), 1)


def even_weights(problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights with which every class counts the same, mean 1; all 1 for numbers."""
    if problem.numbers:
        return np.ones(len(rows))
    share = prior(problem, rows)
    present = int((share > 0).sum())
    return np.asarray(1 / (present * share[problem.answers[rows].astype(np.int64)]))


def at_prior(even: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn chances learned with even weights back into chances at the classes' true shares."""
    tilted = even * share
    return np.asarray(tilted / np.maximum(tilted.sum(axis=1, keepdims=True), 1e-12))


def number_words(value: float) -> str:
    """Write a number shortly."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def told(lines: list[str]) -> str:
    """Join the parts of a rule, and say how many are left out of a long one."""
    more = len(lines) - MOST_TOLD
    if more > 0:
        lines = [*lines[:MOST_TOLD], f"and {more} more"]
    return "; ".join(line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..." for line in lines)


@dataclass
class Constant:
    """Always the same answer: the commonest class, or the mean."""

    name: str = "one answer"
    value: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Constant:
        """Learn the share of each class, or the mean."""
        self.value = np.array([problem.answers[rows].mean()]) if problem.numbers else prior(problem, rows)
        return self

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the same chances, or the mean, for every row."""
        if problem.numbers:
            return np.full(len(rows), self.value[0])
        return np.tile(self.value, (len(rows), 1))

    def words(self, problem: Problem) -> str:
        """Name the answer."""
        if problem.numbers:
            return f"always {number_words(float(self.value[0]))}"
        return f"always {problem.classes[int(self.value.argmax())]}"


@dataclass
class PointsCard:
    """At most five features, whole points from -5 to 5, added up: what a packhouse pins to the wall.

    Features are chosen one by one, each to explain what the others left (orthogonal matching pursuit, Pati,
    Rezaiifar and Krishnaprasad 1993); weights are fitted, then rounded to whole points. With two classes
    there is one score, with more one score for each class and the highest wins. It misses what only shows in
    combinations.
    """

    name: str = "points card"
    features: list[int] = field(default_factory=list)
    points: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    middle: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    step: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    worth: float = 1.0
    start: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    share: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> PointsCard:
        """Choose features, fit weights, round them to the whole points that do best."""
        values, answers = problem.inputs.values[rows], problem.answers[rows]
        weights = even_weights(problem, rows)
        flags = np.all((values == 0) | (values == 1), axis=0)
        spread = values.std(axis=0)
        self.middle = np.where(flags, 0.0, values.mean(axis=0))
        self.step = np.where(flags, 1.0, np.where(spread > 1e-12, spread, np.inf))
        scaled = (values - self.middle) / self.step
        if problem.numbers:
            wanted = answers[:, None].astype(float)
        else:
            self.share = prior(problem, rows)
            wanted = np.equal.outer(answers, np.arange(len(problem.classes))).astype(float)
        self.features = _pursue(scaled, wanted, weights)
        chosen = scaled[:, self.features]
        if problem.numbers:
            coefficients, start = _least_squares(chosen, wanted, weights)[1:], np.zeros(1)
        else:
            coefficients, start = _logistic(chosen, answers.astype(np.int64), len(problem.classes))
        best = np.inf
        for most in range(MOST_POINTS, 1, -1):
            worth = max(float(np.abs(coefficients).max(initial=0.0)) / most, 1e-12)
            points = np.round(coefficients / worth)
            line = _line(problem, chosen @ points, wanted, weights, worth, start)
            error = self._error(problem, chosen @ points, line, wanted, weights)
            if error < best - 1e-9:
                best, self.points, (self.worth, self.start) = error, points, line
        return self

    def _error(
        self,
        problem: Problem,
        scores: NDArray[np.float64],
        line: tuple[float, NDArray[np.float64]],
        wanted: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> float:
        reached = line[1] + line[0] * scores
        if problem.numbers:
            return float(np.average((reached - wanted)[:, 0] ** 2, weights=weights))
        if reached.shape[1] == 1:
            reached = np.column_stack([np.zeros(len(reached)), reached[:, 0]])
        return float(np.average(reached.argmax(axis=1) != wanted.argmax(axis=1), weights=weights))

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Add up the points and turn them into chances or a number."""
        scaled = ((problem.inputs.values[rows] - self.middle) / self.step)[:, self.features]
        scores = self.start + self.worth * (scaled @ self.points)
        if problem.numbers:
            return np.asarray(scores[:, 0])
        if scores.shape[1] == 1:
            scores = np.column_stack([np.zeros(len(scores)), scores[:, 0]])
        even = np.exp(scores - scores.max(axis=1, keepdims=True))
        return at_prior(even / even.sum(axis=1, keepdims=True), self.share)

    def words(self, problem: Problem) -> str:
        """Tell the points of each feature."""
        heads = [""] if self.points.shape[1] == 1 else [f"{label}: " for label in problem.classes]
        parts = []
        for column, head in enumerate(heads):
            terms = [
                f"{int(points):+d} {self._unit(problem, feature)}"
                for feature, points in zip(self.features, self.points[:, column], strict=True)
                if points
            ]
            parts.append(head + (", ".join(terms) or "no points"))
        return told(parts)

    def _unit(self, problem: Problem, feature: int) -> str:
        name, middle, step = (
            problem.inputs.names[feature],
            float(self.middle[feature]),
            float(self.step[feature]),
        )
        if middle == 0 and step == 1:
            return f"for {name}"
        return f"for each {number_words(step)} of {name} above {number_words(middle)}"


def _line(
    problem: Problem,
    scores: NDArray[np.float64],
    wanted: NDArray[np.float64],
    weights: NDArray[np.float64],
    worth: float,
    start: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64]]:
    """What a point is worth and where the score starts, refitted for the rounded points."""
    if problem.numbers:
        fitted = _least_squares(scores, wanted, weights)
        return float(fitted[1, 0]), fitted[0]
    if scores.shape[1] > 1:
        return worth, start
    hit = wanted[:, 1] > 0
    levels = np.unique(scores[:, 0])
    cuts = (levels[1:] + levels[:-1]) / 2 if len(levels) > 1 else levels
    cuts = cuts[:: max(1, len(cuts) // 200)]
    order = np.argsort(scores[:, 0], kind="stable")
    ranked = scores[order, 0]
    gained = np.concatenate([[0.0], np.cumsum(np.where(hit[order], -weights[order], weights[order]))])
    best = float(cuts[int(gained[np.searchsorted(ranked, cuts)].argmax())])
    return worth, np.array([-worth * best])


def _pursue(
    scaled: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[int]:
    chosen: list[int] = []
    left = wanted - np.average(wanted, axis=0, weights=weights)
    for _ in range(min(MOST_FEATURES, scaled.shape[1])):
        pull = ((scaled * weights[:, None]).T @ left) ** 2
        gain = pull.sum(axis=1)
        gain[chosen] = -1
        best = int(gain.argmax())
        if gain[best] <= 1e-9:
            break
        chosen.append(best)
        fitted = _least_squares(scaled[:, chosen], wanted, weights)
        left = wanted - fitted[0] - scaled[:, chosen] @ fitted[1:]
    return chosen or [0]


def _least_squares(
    inputs: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    root = np.sqrt(weights)[:, None]
    design = np.column_stack([np.ones(len(inputs)), inputs]) * root
    ridge = 1e-6 * len(inputs) * np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(design.T @ design + ridge, design.T @ (wanted * root)))


def _logistic(
    inputs: NDArray[np.float64], codes: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=10.0, class_weight="balanced", max_iter=200).fit(inputs, codes)
    coefficients, start = fitted.coef_.T, fitted.intercept_
    if classes > 2 and len(fitted.classes_) < classes:
        wide, first = np.zeros((inputs.shape[1], classes)), np.full(classes, -20.0)
        wide[:, fitted.classes_], first[fitted.classes_] = coefficients, start
        return wide, first
    return coefficients, start


@dataclass
class OwnRule:
    """A rule that you bring: a function that reads the inputs' table and returns one answer a row."""

    rule: Callable[[pd.DataFrame], Any]
    name: str = "your rule"
    share: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> OwnRule:
        """Remember how common each class is; the rule itself stands."""
        self.share = np.empty(0) if problem.numbers else prior(problem, rows)
        return self

    def chances(self, problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Ask the rule."""
        answers = np.asarray(self.rule(problem.table.iloc[rows]))
        if answers.shape != (len(rows),):
            raise ValueError(
                f"rule returned shape {answers.shape} for {len(rows)} rows; return one answer a row."
            )
        if problem.numbers:
            return answers.astype(float)
        known = {label: code for code, label in enumerate(problem.classes)}
        codes = np.array([known.get(str(answer), -1) for answer in answers])
        chances = np.where(np.equal.outer(codes, np.arange(len(problem.classes))), 1.0, 1e-9)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def words(self, problem: Problem) -> str:
        """Name the rule's function."""
        return f"your rule {getattr(self.rule, '__name__', '')}".strip()


BINS = 32

MOST_ROOTS = 12


@dataclass
class Tree:
    """A tree with so few leaves that it is a rule: two leaves (one question), or four (three questions).

    With more classes than leaves it gets one leaf for each class, at most ten: more is no rule for a wall.
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
        leaves = self.leaves if self.leaves == 2 else max(self.leaves, min(len(problem.classes), MOST_LEAVES))
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
        return told(lines)

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

        leaves = max(2, min(len(problem.classes), MOST_LEAVES))
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
        between = "/" if self.ratio else "x"
        names = problem.inputs.names
        term = f"{names[self.upper]} {between} {names[self.lower]}"
        if problem.numbers:
            start, slope = (float(each) for each in self.line)
            sign = "-" if slope < 0 else "+"
            return f"{number_words(start)} {sign} {number_words(abs(slope))} x ({term})"
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
