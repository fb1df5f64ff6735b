"""Lesson 00's exercise: the week in which reality left what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import read_number
from mlops_lab.report import shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXERCISES"]

POINTS = 0.05
"""How far below the promise a week must lie to count: five points."""


FIRST_WEEK = 4
"""The week after the archive's last one: the first in which the model is at work."""


@dataclass(frozen=True)
class FirstWeeks:
    """What was promised before the deployment, and what experts measured in the weeks after it.

    Parameters
    ----------
    promised
        The model's accuracy on held-out crates of the archive.
    weeks
        One row for each production week: `week` (its number) and `accuracy` (share of crates graded truly).
    """

    promised: float
    weeks: pd.DataFrame


def first_weeks(seed: int = 0) -> FirstWeeks:
    """Train lesson 00's model on the archive, deploy it, and measure weeks 4 to 15, as the lesson does.

    Each call returns a table of its own; the training behind it runs once for each seed.
    """
    import pandas as pd

    promised, accuracies = _measured(seed)
    return FirstWeeks(
        promised,
        pd.DataFrame({"week": range(FIRST_WEEK, FIRST_WEEK + len(accuracies)), "accuracy": accuracies}),
    )


@lru_cache(maxsize=8)
def _measured(seed: int) -> tuple[float, tuple[float, ...]]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    from mlops_lab import worlds

    world = worlds.Orchard(seed=seed)
    archive = world.archive(2600)
    features = list(worlds.FEATURES)
    known, held_out, known_labels, held_out_labels = train_test_split(
        archive.crates[features], archive.labels, test_size=0.25, random_state=seed
    )
    model = HistGradientBoostingClassifier(
        max_iter=35,
        learning_rate=0.18,
        max_leaf_nodes=10,
        random_state=seed,
    ).fit(known, known_labels)
    weeks = [world.week(week, 1200) for week in range(FIRST_WEEK, 16)]
    return (
        float(model.score(held_out, held_out_labels)),
        tuple(float(model.score(batch.crates[features], batch.truth)) for batch in weeks),
    )


def _first_far_below(seed: int) -> int:
    """The solution, in one line of pandas."""
    found = first_weeks(seed)
    far = found.weeks.loc[found.weeks.accuracy < found.promised - POINTS, "week"]
    if far.empty:
        raise ValueError(
            f"seed={seed}: no week lies five points below the promise, so there is nothing to find"
        )
    return int(far.iloc[0])


def _judge(answer: object, seed: int) -> Outcome:
    kinds = (
        set(map(str, getattr(answer, "dtypes", [])))
        if hasattr(answer, "columns")
        else {str(getattr(answer, "dtype", ""))}
    )
    if kinds == {"bool"}:
        return not_yet(
            "Your answer marks weeks with True and False: the number of the first marked week is asked for."
        )
    value = read_number(answer)
    if isinstance(value, Outcome):
        return value
    if not value.is_integer():
        return not_yet(
            f"Your answer {shown(value)} is no week number; it looks like an accuracy: which week is it from?"
        )
    found, true, week = first_weeks(seed), _first_far_below(seed), int(value)
    accuracy = dict(zip(found.weeks["week"], found.weeks["accuracy"], strict=True))
    if week == true:
        return right(
            f"In week {week} the accuracy is {accuracy[week]:.3f}, and {found.promised:.3f} was promised."
        )
    if week not in accuracy:
        rows = f"the weeks run from {min(accuracy)} to {max(accuracy)}"
        if week in range(len(accuracy)):
            return not_yet(
                f"Your answer {week} is no week ({rows}). Is it a row's position? Read the column `week`."
            )
        return not_yet(f"Your answer {week} is no week here: {rows}.")
    seen = f"In week {week} the accuracy is {accuracy[week]:.3f} and {found.promised:.3f} was promised"
    if week == list(accuracy).index(true):
        return not_yet(f"{seen}. Is {week} a row's position? Read the column `week`.")
    if accuracy[week] >= found.promised:
        return not_yet(f"{seen}: that week keeps the promise.")
    if accuracy[week] >= found.promised - POINTS:
        return not_yet(f"{seen}: that is below, but not by more than five points (0.05).")
    if accuracy[week] == min(accuracy.values()):
        return not_yet(f"{seen}: that is the worst week, and not the first one so far below.")
    return not_yet(f"{seen}: far enough below, but an earlier week is so too.")


EXERCISES = (
    Exercise(
        id="start_here.1",
        question="Which is the first week with an accuracy more than five points below what was promised?",
        judge=_judge,
        hints=(
            "How low is too low? Write down the accuracy that lies exactly five points below the promise.",
            "Compare the column `weeks.accuracy` with that limit. Several rows lie lower; which one counts?",
            "`weeks[weeks.accuracy < limit]` keeps the rows that are too low, in order. "
            "Take the value of the column `week` in the first of them, for example with `.iloc[0]`.",
        ),
    ),
)
