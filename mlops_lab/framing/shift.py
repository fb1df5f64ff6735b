"""Will tomorrow look like the past? A classifier that tells live from past, and skill on the latest quarter.

`tell_apart` needs no answers: if a classifier can tell live inputs from past ones, they differ. `over_time`
needs answers with times: it learns from the past and is asked about the latest quarter.
Left out: which column moved and whether it matters (lesson 07).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.framing.contest import Model, credit, folds, models
from mlops_lab.framing.paper_rivals import prior
from mlops_lab.framing.problem import CLOSE_ROWS, Problem, encode
from mlops_lab.framing.skill import Answers, interval, redraws

__all__ = ["Ageing", "Apart", "over_time", "separation", "tell_apart"]

ROWS = 800
FEWEST_LIVE = 40
FEWEST_TIMED = 120


@dataclass(frozen=True)
class Apart:
    """How well a classifier tells two tables apart.

    Attributes
    ----------
    auc
        Chance that it ranks a live row above a past one: 0.5 is a coin, 1.0 is certain.
    low, high
        95 % interval.
    """

    auc: float
    low: float
    high: float


def tell_apart(past: pd.DataFrame, live: pd.DataFrame, *, seed: int = 0) -> Apart:
    """Train a classifier to tell live rows from past ones, and score it on rows held back.

    At 0.5 it cannot: the inputs look alike. The interval is Hanley and McNeil's (1982). It cannot say
    whether a difference harms, nor see that the same inputs now deserve other answers. Dates are left out,
    for they always tell apart.

    Parameters
    ----------
    past, live
        Tables with the same input columns; the last 800 rows of each are read.
    seed
        How rows fall into folds.

    Raises
    ------
    ValueError
        When a column is missing in `live` or there are under 40 rows in either.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> past, live = (pd.DataFrame({"mass_g": rng.normal(mean, 10, 200)}) for mean in (150, 165))
    >>> tell_apart(past, live).low > 0.7
    True

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    missing = [str(column) for column in past.columns if column not in live.columns]
    if missing:
        raise ValueError(f"live lacks the columns {', '.join(missing[:5])}; give the columns that past has.")
    if min(len(past), len(live)) < FEWEST_LIVE:
        raise ValueError(f"{len(past)} past and {len(live)} live rows; give at least {FEWEST_LIVE} of each.")
    encoded = encode(past)
    return separation(encoded.values, encode(live[list(past.columns)], like=past).values, encoded.names, seed)


def separation(
    past: NDArray[np.float64], live: NDArray[np.float64], names: tuple[str, ...], seed: int = 0
) -> Apart:
    """Do `tell_apart` for rows that are numbers already."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    dated = np.array(
        [name.startswith(("year of ", "month of ", "weekday of ", "hour of ")) for name in names]
    )
    rows = np.concatenate([past[-ROWS:, ~dated], live[-ROWS:, ~dated]])
    is_live = np.repeat([0, 1], [min(len(past), ROWS), min(len(live), ROWS)])
    guess = np.zeros(len(rows))
    for train, held in StratifiedKFold(4, shuffle=True, random_state=seed).split(rows, is_live):
        trees = ExtraTreesClassifier(30, min_samples_leaf=5, random_state=0).fit(rows[train], is_live[train])
        guess[held] = trees.predict_proba(rows[held])[:, 1]
    auc = float(roc_auc_score(is_live, guess))
    error = _auc_error(auc, int(is_live.sum()), int((1 - is_live).sum()))
    return Apart(auc, max(auc - 1.96 * error, 0.0), min(auc + 1.96 * error, 1.0))


def _auc_error(auc: float, ones: int, zeros: int) -> float:
    """Standard error of an area under the curve (Hanley and McNeil 1982)."""
    first, second = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = (
        auc * (1 - auc) + (ones - 1) * (first - auc * auc) + (zeros - 1) * (second - auc * auc)
    ) / (ones * zeros)  # fmt: skip
    return math.sqrt(max(spread, 1e-12))


@dataclass(frozen=True)
class Ageing:
    """What happens to a model that stops learning.

    Attributes
    ----------
    past
        Skill within the first three quarters (on held-back rows).
    latest
        Skill of the model of the past on the latest quarter.
    drop, low, high
        past - latest, with its 95 % interval.
    refit_gain
        What refitting with the first half of the latest quarter adds on its second half.
    """

    past: float
    latest: float
    drop: float
    low: float
    high: float
    refit_gain: float


def over_time(problem: Problem, *, model: str = "trees", seed: int = 0) -> Ageing:
    """Learn from the first three quarters, answer the latest one, and compare; at most 3,000 rows are read.

    A drop says that the past stopped explaining the present; a gain by refitting, that the new pattern can be
    learned. It cannot say why, and sees no change that came after the last row.

    Parameters
    ----------
    problem
        From `prepare` with `time`.
    model
        Name of one of `models(problem)`.
    seed
        How rows fall into folds and are redrawn.

    Raises
    ------
    ValueError
        When rows have no time, are under 120, or there is no such model.

    Examples
    --------
    >>> from mlops_lab import framing
    >>> case = framing.case("concept_drift", seed=0)
    >>> over_time(framing.prepare(case.data, case.target, time=case.options["time"])).low > 0.1
    True

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    if not problem.timed or problem.too_few or problem.size < FEWEST_TIMED:
        raise ValueError(
            f"over_time needs at least {FEWEST_TIMED} rows in order of time; got {problem.size} rows, "
            f"{'with' if problem.timed else 'without'} time. Use prepare(..., time='column')."
        )
    named = {candidate.name: candidate for candidate in models(problem)}
    if model not in named:
        raise ValueError(f"No model '{model}' for this problem; choose one of {', '.join(named)}.")
    problem = problem.part(CLOSE_ROWS, seed)
    quick = {candidate.name: candidate for candidate in models(problem)}
    fitted = quick.get(model, quick["trees"])
    cut = int(0.75 * problem.size)
    past, latest = np.arange(cut), np.arange(cut, problem.size)
    held = np.zeros(cut)
    for train, rest in folds(problem, 4, seed=seed, rows=past):
        held[rest] = _asked(problem, fitted, train, rest)
    before = Answers(problem.answers[past], held, len(problem.classes))
    after = Answers(problem.answers[latest], _asked(problem, fitted, past, latest), len(problem.classes))
    drops = before.skills(redraws(cut, seed)) - after.skills(redraws(len(latest), seed + 1))
    middle = latest[len(latest) // 2 :]
    frozen = Answers(problem.answers[middle], after.credit[len(latest) // 2 :], len(problem.classes)).skill()
    recent = np.arange(cut, middle[0])
    refits = [np.concatenate([past, recent]), np.concatenate([past[-len(recent) :], recent])]
    refitted = max(
        Answers(problem.answers[middle], _asked(problem, fitted, rows, middle), len(problem.classes)).skill()
        for rows in refits
    )
    drop = before.skill() - after.skill()
    return Ageing(before.skill(), after.skill(), drop, *interval(drops), refitted - frozen)


def _asked(
    problem: Problem, model: Model, train: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    usual = None if problem.numbers else np.maximum(prior(problem, train), 1 / len(train))
    return credit(problem, rows, model.fit(problem, train).chances(problem, rows), usual)
