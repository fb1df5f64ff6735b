"""Small problems with a known truth, to practise the question before every model: should there be one."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import pandas as pd

from mlops_lab.worlds.randomness import Streams
from mlops_lab.worlds.stories import STORIES, Stakes

__all__ = ["CASES", "DECISIONS", "Case", "CaseTruth", "case"]

CASES = tuple(STORIES)
"""The names that `case` takes."""

DECISIONS = ("LOOKUP", "NO_SIGNAL", "COLLECT", "SHIFT", "RULE", "PARTIAL", "NOT_COST_EFFECTIVE", "ML")
"""What can be decided about a problem."""


@dataclass(frozen=True, eq=False)
class CaseTruth:
    """What is right to do in a case, and how well anybody could do.

    Parameters
    ----------
    decision
        A word of `DECISIONS`.
    because
        Why, in a sentence.
    best
        The best accuracy, or R² in a regression, that any method can reach on rows like those of the data,
        on average over many samples; a model that shows more on fresh rows has seen something it should not
        have.
    live_target
        The target of the live rows.

    Examples
    --------
    >>> case("no_relation").truth.best
    0.5
    """

    decision: str
    because: str
    best: float
    live_target: pd.Series


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """A problem as it is brought to you: a table, a target, new rows, money; and, kept apart, the truth.

    Parameters
    ----------
    name
        Its name, one of `CASES`.
    story
        The question in a sentence.
    data
        The columns, without the target.
    target
        What is to be predicted; named "target".
    live
        Rows without a target, as they come in where the answer will be used.
    task
        "classification" (targets are strings) or "regression".
    stakes
        What predictions are worth.
    truth
        The answer.

    Examples
    --------
    >>> case("lookup", n=500)
    Case lookup: Which vehicle carries a parcel? (500 rows; zone, size_class)
    """

    name: str
    story: str
    data: pd.DataFrame
    target: pd.Series
    live: pd.DataFrame
    task: str
    stakes: Stakes
    truth: CaseTruth

    def __repr__(self) -> str:
        columns = ", ".join(self.data.columns)
        return f"Case {self.name}: {self.story} ({len(self.data):,} rows; {columns})"


def case(name: str, n: int = 2000, *, seed: int = 0) -> Case:
    """Bring one problem to the table.

    Answers: would this method have decided rightly, on a problem whose answer is known? It cannot stand for
    the problems of your own work: each case has one trouble only, and real ones have several at once.

    Parameters
    ----------
    name
        One of `CASES`.
    n
        Rows of data; "too_little_data" never has more than 60. There are half as many live rows.
    seed
        Picks the sample. More rows with the same seed begin with the same rows, except in "id_column" and
        "time_order", where a row's place in the whole matters.

    Raises
    ------
    ValueError
        For an unknown name, fewer than 20 rows or a seed out of range.

    Examples
    --------
    >>> problem = case("simple_rule", n=1000, seed=3)
    >>> warm = problem.data["temperature_c"] > 8
    >>> bool(((problem.target == "reject") == warm).mean() > 0.95)
    True
    >>> problem.truth.decision
    'RULE'
    """
    if name not in STORIES:
        raise ValueError(f"no case is called {name!r}; there are {', '.join(CASES)}")
    if operator.index(n) < 20:
        raise ValueError(f"n={n!r}: at least 20 rows are needed to decide anything")
    story = STORIES[name]
    rows = min(n, story.most)
    data, target = story.draw(Streams(seed, f"case {name}", 0), rows, False)
    live, live_target = story.draw(Streams(seed, f"case {name}", 1), max(rows // 2, 300), True)
    return Case(
        name=name,
        story=story.text,
        data=data,
        target=_series(target),
        live=live,
        task=story.task,
        stakes=story.stakes,
        truth=CaseTruth(story.decision, story.because, story.best, _series(live_target)),
    )


def _series(values: object) -> pd.Series:
    series = pd.Series(values, name="target")
    return series if series.dtype.kind == "f" else series.astype(object)
