"""Outcomes, right or wrong, row by row: read and refused in one way for every question about performance.

Intervals for shares stand here too: the exact one for rows that count alike, and one for rows that do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = [
    "FEWEST_EFFECTIVE_ROWS",
    "between_0_and_1",
    "exact_interval",
    "read_outcomes",
    "read_probabilities",
    "require_aligned",
    "weighted_interval",
]

Floats = npt.NDArray[np.float64]

FEWEST_EFFECTIVE_ROWS = 30.0
"""Below so many effective rows a weighted share rests on a few of them, and is not to be trusted."""


def read_outcomes(right: npt.ArrayLike, name: str = "right") -> Floats:
    """Read outcomes, one a row: 1 or True where the answer was right, 0 or False where it was wrong."""
    values = np.asarray(right)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} has the shape {values.shape}: give one outcome for each row, at least one")
    try:
        numbers: Floats = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} holds {values[0]!r}: give True or False for each row") from error
    if np.isnan(numbers).any():
        missing = int(np.isnan(numbers).sum())
        raise ValueError(
            f"{name} has no outcome in {missing} of {numbers.size} rows: leave rows without a label out, "
            "and say how many they are"
        )
    if not np.isin(numbers, (0.0, 1.0)).all():
        other = numbers[~np.isin(numbers, (0.0, 1.0))][0]
        raise ValueError(f"{name} holds {other:g}: an outcome is right (1) or wrong (0)")
    return numbers


def read_probabilities(probabilities: npt.ArrayLike, name: str = "probabilities") -> Floats:
    """Read what `predict_proba` gives: a row a crate, a column a class, rows that add up to 1."""
    values: Floats = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] == 0 or values.shape[1] < 2:
        raise ValueError(
            f"{name} has the shape {values.shape}: give a row for each crate and a column for each class"
        )
    if not np.isfinite(values).all() or (values < 0).any() or (abs(values.sum(axis=1) - 1) > 1e-6).any():
        raise ValueError(f"{name} are no probabilities: each row must be 0 or more and add up to 1")
    return values


def between_0_and_1(**values: float) -> None:
    """Refuse what does not lie between 0 and 1, both ends left out."""
    for name, value in values.items():
        if not 0 < value < 1:
            raise ValueError(f"{name}={value!r}: a number between 0 and 1 is needed, such as 0.95")


def exact_interval(right: float, rows: float, confidence: float = 0.95) -> tuple[float, float]:
    """Give the exact interval for a share, whatever the number of rows.

    It keeps its promise at every true share and is a little too wide at most. It cannot know whether the rows
    are a fair sample of all, and misleads where they are not. Fractions of rows are taken too. Clopper and
    Pearson (1934).

    Parameters
    ----------
    right
        How many were right.
    rows
        Out of how many; 0 gives the whole range.
    confidence
        How often such an interval holds the true share.

    Examples
    --------
    >>> [round(end, 3) for end in exact_interval(8, 10)]
    [0.444, 0.975]

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    between_0_and_1(confidence=confidence)
    if rows < 0 or not 0 <= right <= rows:
        raise ValueError(f"right={right!r} of rows={rows!r}: give at least 0 and at most as many as rows")
    from scipy import stats

    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, right, rows - right + 1)) if right > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, right + 1, rows - right)) if right < rows else 1.0
    return low, high


def weighted_interval(
    right: Floats, weights: Floats, confidence: float = 0.95
) -> tuple[float, tuple[float, float], float]:
    """Give a weighted share, its interval, and how many equal rows would know as much.

    The exact interval for that effective number of rows. Korn and Graubard (1998); Kish (1965).
    """
    total = float(weights.sum())
    share = float(weights @ right) / total
    kish = total**2 / float(weights @ weights)
    spread = float(weights**2 @ (right - share) ** 2) / total**2
    rows = min(kish, share * (1 - share) / spread) if spread > 0 else kish
    share = min(1.0, max(0.0, share))
    return share, exact_interval(share * rows, rows, confidence), rows


def require_aligned(name: str, rows: int, other: str, others: int) -> None:
    """Refuse two things that should have a row for each crate and do not."""
    if rows != others:
        raise ValueError(f"{name} has {rows} rows and {other} {others}: give one for each crate")
