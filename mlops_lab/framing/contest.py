"""Is a rule enough? Paper against three ordinary models, on rows that neither has seen.

Every candidate is fitted in the same five folds and answers the rows held back (three folds of more than
3,000 rows; of more than 8,000 one third is asked of the other two, once). What counts is the
difference between the best model and the best rival, with an interval over the same redrawn rows for both.
Ties go to the rule. Left out: whether the gain is worth its money, which `costs` asks.

A linear model, many trees and boosted trees stand for "machine learning". Each is fitted plainly and answers
with chances; where classes shall count equally, chances are divided by how common each class is when the
answer is chosen (not by weighting the fit: the two come to the same decision, and weights make boosted trees
twenty times slower). Left out: tuning, deep networks, features made by hand. A better model may exist; these
three find what is plainly there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.framing.lookup_tables import UsualAnswers
from mlops_lab.framing.paper_rivals import MOST_LEAVES, Constant, Formula, OwnRule, PointsCard, Rival, Tree
from mlops_lab.framing.paper_rivals import prior as shares
from mlops_lab.framing.problem import Problem
from mlops_lab.framing.skill import Answers, interval, redraws

__all__ = ["Contest", "Entry", "Model", "answered_right", "contest", "credit", "folds", "models", "rivals"]


@dataclass
class Model:
    """An ordinary scikit-learn model that reads a `Problem`.

    Parameters
    ----------
    name
        What it is called in tables.
    make
        Makes a fresh estimator.
    most
        Rows that it learns from at most, evenly chosen: many trees cost the most time.
    """

    name: str
    make: Callable[[], Any]
    most: int = 20_000
    estimator: Any = None

    def fit(self, problem: Problem, rows: NDArray[np.int64]) -> Model:
        """Fit a fresh estimator to these rows and return self."""
        if len(rows) > self.most:
            rows = rows[np.linspace(0, len(rows) - 1, self.most).astype(np.int64)]
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

    Boosted trees join from 400 rows on, for at most 4 classes and 60 columns (12 classes where there are more
    than 3,000 rows, which are learned from seldom): elsewhere they cost too much time. `left_out` says where
    the other two stand for machine learning, which can miss a gain.

    Parameters
    ----------
    problem
        From `prepare`.
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
        trees_a_round = len(problem.classes) if len(problem.classes) > 2 else 1
        rounds = max(120 // trees_a_round, 30) if many else 40
        return getattr(ensemble, name)(
            max_iter=rounds,
            max_leaf_nodes=31 if many else 10,
            learning_rate=0.1 if rounds >= 100 else 0.2,
            early_stopping=False,
            random_state=0,
        )

    many = problem.size > MOST_IN_FOLDS
    found = [Model("linear", linear), Model("trees", trees, most=6000)]
    return found if left_out(problem) else [*found, Model("boosted trees", boosted)]


def left_out(problem: Problem) -> str:
    """Say which model is not tried on this problem, and why; "" where all are."""
    columns, classes = problem.inputs.values.shape[1], len(problem.classes)
    most = 12 if problem.size > MOST_IN_FOLDS else 4
    if problem.size < 400:
        return f"boosted trees, for lack of rows ({problem.size})"
    if classes > most:
        return f"boosted trees, which take too long for {classes} classes"
    return f"boosted trees, which take too long for {columns} columns" if columns > 60 else ""


MOST_IN_FOLDS = 3000
"""Of more rows each third is asked of the other two, in place of five folds."""

MOST_IN_THIRDS = 8000
"""Of more rows one third is enough to be asked."""


MARGIN = 0.03
"""Skill that a model must add to be worth its upkeep at all."""

UNDECIDED = 0.20

FOLDS = 5

TRAINING_SPREAD = 1.25
"""The interval of a difference is widened by this much, because redrawing rows leaves out that other
training rows would have given other models (set on trial cases; checked by the error rates in
benchmarks/framing.py)."""


@dataclass(frozen=True)
class Entry:
    """One candidate's result.

    Attributes
    ----------
    name
        What it is called.
    kind
        "paper" or "model".
    answers
        Its answers for rows it was not fitted on, every class counting the same.
    chances
        Its chances (rows, K) or numbers (rows,) for these rows.
    words
        The rule in words, for paper; "" for models.
    rows
        Which of the problem's rows were asked.
    """

    name: str
    kind: str
    answers: Answers
    chances: NDArray[np.float64]
    words: str
    rows: NDArray[np.int64]

    def right(self, problem: Problem, tolerance: float | None = None) -> NDArray[np.float64]:
        """Tell which rows are answered rightly when every error costs the same: 1.0 or 0.0.

        For numbers, right means off by at most `tolerance`.
        """
        return answered_right(problem, self.chances, tolerance, self.rows)


@dataclass(frozen=True)
class Contest:
    """Paper against models.

    Attributes
    ----------
    entries
        All candidates.
    best_paper, best_model
        The best of each kind.
    gain
        Skill of the best model less that of the best on paper.
    low, high
        95 % interval of the gain.
    margin
        What the gain must reach.
    p_value
        Share of shufflings of the answers asked, the real order among them, in which some candidate scores
        as high as the best one really does.
    left_out
        Which model was not tried and why, or "".
    """

    entries: tuple[Entry, ...]
    best_paper: Entry
    best_model: Entry
    gain: float
    low: float
    high: float
    margin: float = MARGIN
    p_value: float = 1.0
    left_out: str = ""

    @property
    def answer(self) -> str:
        """Give "model", "rule" or "unclear".

        Model: the gain is at least the margin and its interval above 0. Unclear: the interval reaches so
        high (over
        0.20; over twice the margin where the gain passes it) that a gain worth having is not ruled out. Else
        rule.
        """
        if self.gain >= self.margin and self.low > 0:
            return "model"
        hopeful = UNDECIDED if self.gain < self.margin else 2 * self.margin
        return "unclear" if self.high > hopeful else "rule"

    def frame(self) -> pd.DataFrame:
        """Give one row per candidate, best first: kind, skill, rule in words."""
        rows = [(entry.name, entry.kind, entry.answers.skill(), entry.words) for entry in self.entries]
        table = pd.DataFrame(rows, columns=["candidate", "kind", "skill", "rule"])
        return table.sort_values("skill", ascending=False, kind="stable").reset_index(drop=True)


def rivals(problem: Problem, rule: Callable[[pd.DataFrame], Any] | None = None) -> list[Rival]:
    """List the rivals on paper, unfitted, simplest first.

    Parameters
    ----------
    problem
        From `prepare`.
    rule
        A rule of your own: reads a table of inputs, returns one answer a row.

    Returns
    -------
    list
        One answer, one rule, four-leaf tree (for five to ten classes as many leaves), points card (up to ten
        classes), table, formula, and your rule.
    """
    classes = len(problem.classes)
    tree = "four-leaf tree" if classes <= 4 else f"tree of {min(classes, MOST_LEAVES)} leaves"
    listed: list[Rival] = [Constant(), Tree("one rule", 2), Tree(tree, 4)]
    if classes <= MOST_LEAVES:
        listed.append(PointsCard())
    if problem.codes.shape[1]:
        listed.append(UsualAnswers())
    if problem.inputs.measured.sum() >= 2:
        listed.append(Formula())
    return listed if rule is None else [*listed, OwnRule(rule)]


def contest(
    problem: Problem,
    *,
    rule: Callable[[pd.DataFrame], Any] | None = None,
    margin: float = MARGIN,
    seed: int = 0,
) -> Contest:
    """Let paper and models answer the same unseen rows, in five folds (twice five up to 400 rows, three of
    more than 3,000; of more than 8,000 rows one third, once).

    It answers whether a model adds at least `margin` of skill to the best rule. It cannot find a rule that
    needs knowledge outside the table; bring such a rule as `rule`. It misleads where rows are copies of each
    other (one patient many times), because then unseen rows are not unseen.

    Parameters
    ----------
    problem
        From `prepare`.
    rule
        A rule of your own.
    margin
        Skill that a model must add.
    seed
        How rows fall into folds.

    Raises
    ------
    ValueError
        When there are too few rows to hold any back.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("one_rule", seed=0)
    >>> contest(framing.prepare(case.data, case.target)).best_paper.name
    'one rule'

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if problem.too_few:
        raise ValueError(f"Too little to hold rows back: {problem.too_few} Collect more first.")
    candidates: list[tuple[str, Any]] = [("paper", rival) for rival in rivals(problem, rule)]
    candidates += [("model", model) for model in models(problem)]
    sums = [np.zeros(problem.answers.shape if problem.numbers else (problem.size, len(problem.classes)))
            for _ in candidates]  # fmt: skip
    credits = [np.zeros(problem.size) for _ in candidates]
    many = problem.size > MOST_IN_FOLDS
    repeats = 2 if problem.size <= 400 else 1
    asked = []
    for repeat in range(repeats):
        split = folds(problem, 3 if many else FOLDS, seed=seed + 1000 * repeat)
        for train, held in split[:1] if problem.size > MOST_IN_THIRDS else split:
            asked.append(held)
            usual = None if problem.numbers else shares(problem, train)
            for position, (_, candidate) in enumerate(candidates):
                chances = candidate.fit(problem, train).chances(problem, held)
                sums[position][held] += chances / repeats
                credits[position][held] += credit(problem, held, chances, usual) / repeats
    everything, rows = np.arange(problem.size), np.unique(np.concatenate(asked))
    entries = []
    for position, (kind, candidate) in enumerate(candidates):
        words = candidate.fit(problem, everything).words(problem) if kind == "paper" else ""
        answers = Answers(problem.answers[rows], credits[position][rows], len(problem.classes))
        entries.append(Entry(candidate.name, kind, answers, sums[position][rows], words, rows))
    paper = max(
        (entry for entry in entries if entry.kind == "paper"), key=lambda entry: entry.answers.skill()
    )
    model = max(
        (entry for entry in entries if entry.kind == "model"), key=lambda entry: entry.answers.skill()
    )
    return Contest(
        tuple(entries), paper, model, *difference(model.answers, paper.answers, seed), margin,
        held_back_p(problem, entries, seed=seed), left_out(problem),
    )  # fmt: skip


def held_back_p(
    problem: Problem, entries: Sequence[Entry], *, permutations: int = 199, seed: int = 0
) -> float:
    """Ask how often some candidate would score as high if its answers had nothing to do with the rows.

    The candidates' answers stand, and the true answers of the rows asked are shuffled. The best score over
    all candidates is compared with the best one after each shuffle, so having tried many candidates is
    allowed for. Exact for rows that were held back once; in folds it errs towards a larger p-value, for what
    one fold holds the others lack.
    """
    rng = np.random.default_rng([seed, 13])
    actual = entries[0].answers.actual
    orders = np.vstack([actual, *(rng.permutation(actual) for _ in range(permutations))])
    if problem.numbers:
        given = np.vstack([entry.chances for entry in entries])
        errors = (given**2).mean(axis=1)[:, None] - 2 * given @ orders.T / len(actual)
        scores = -errors.min(axis=0)
    else:
        prior = shares(problem, entries[0].rows)
        weights = (1 / np.maximum(prior, 1e-9))[orders]
        given = np.vstack([decide(entry.chances, prior) for entry in entries])
        scores = np.max([(weights * (orders == each)).sum(axis=1) for each in given], axis=0)
    return float((scores >= scores[0] - 1e-9).mean())


def folds(
    problem: Problem, count: int, *, seed: int, rows: NDArray[np.int64] | None = None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Split rows into (training, held back) pairs, each class spread evenly."""
    from sklearn.model_selection import KFold, StratifiedKFold

    chosen = np.arange(problem.size) if rows is None else rows
    splitter = (KFold if problem.numbers else StratifiedKFold)(count, shuffle=True, random_state=seed % 2**31)
    return [(chosen[train], chosen[held]) for train, held in splitter.split(chosen, problem.answers[chosen])]


def answered_right(
    problem: Problem,
    chances: NDArray[np.float64],
    tolerance: float | None = None,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Tell which rows these chances (rows, K) or numbers (rows,) answer rightly; see `Entry.right`."""
    actual = problem.answers if rows is None else problem.answers[rows]
    if problem.numbers:
        limit = np.inf if tolerance is None else tolerance
        return np.asarray(np.abs(chances - actual) <= limit, dtype=float)
    return np.asarray(decide(chances) == actual, dtype=float)


def credit(
    problem: Problem, rows: NDArray[np.int64], chances: NDArray[np.float64], usual: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Right or wrong with every class counting the same; squared error for numbers."""
    if problem.numbers:
        return np.asarray((chances - problem.answers[rows]) ** 2)
    return np.asarray(decide(chances, usual) == problem.answers[rows], dtype=float)


def difference(first: Answers, second: Answers, seed: int) -> tuple[float, float, float]:
    """Difference in skill with its 95 % interval, both scored on the same redrawn rows."""
    weights = redraws(len(first.actual), seed)
    gain = first.skill() - second.skill()
    spread = first.skills(weights) - second.skills(weights)
    low, high = interval(gain + TRAINING_SPREAD * (spread - spread.mean()))
    return gain, low, high
