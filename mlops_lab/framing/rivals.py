"""The best that can be done on paper: one answer, a points card, and the rule that you bring.

A model must beat these before it is worth its upkeep. Each rival is fitted inside the same folds as the
models and gives its rule in words. The others are in `trees`, `tables` and `formula`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.framing.inputs import Problem

__all__ = ["Constant", "OwnRule", "PointsCard", "Rival"]

MOST_FEATURES = 5
MOST_POINTS = 5


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
        return "; ".join(parts)

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
