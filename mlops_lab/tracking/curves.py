"""Two summaries worth logging at every step: how values are distributed, and what each threshold buys."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["counted", "precision_recall"]


def counted(values: Any, bins: int = 30) -> dict[str, Any]:
    """Count values in bins of equal width; NaN and infinity fit in none and are counted apart."""
    if bins < 1:
        raise ValueError(f"bins={bins!r}: at least one bin is needed")
    try:
        numbers = np.asarray(values, dtype=float).ravel()
    except (TypeError, ValueError):
        raise TypeError(
            f"a histogram takes numbers, not {type(values).__name__} that holds others; select the numbers"
        ) from None
    finite = numbers[np.isfinite(numbers)]
    counts, edges = np.histogram(finite, bins=bins)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "not_finite": int(numbers.size - finite.size),
    }


def precision_recall(truth: Any, score: Any, thresholds: int = 51) -> dict[str, list[float]]:
    """Count hits and errors at evenly spaced thresholds from 0 to 1.

    A case is called positive where its score is at least the threshold. Where nothing is called positive,
    precision is written as 0, as TensorBoard does; it is not defined there.
    """
    positive, scores = np.asarray(truth), np.asarray(score, dtype=float)
    if positive.ndim != 1 or positive.shape != scores.shape:
        raise ValueError(
            f"{positive.shape} truths and {scores.shape} scores; give one score for each case, such as "
            "model.predict_proba(X)[:, 1]"
        )
    if not np.isin(positive, (0, 1)).all():
        raise ValueError(
            "truth must be True and False (or 1 and 0); compare first, such as truth == 'spoiled'"
        )
    if thresholds < 2 or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("scores must lie from 0 to 1, and at least 2 thresholds are needed")
    positive = positive.astype(bool)
    at = np.linspace(0, 1, thresholds)
    called = scores[None, :] >= at[:, None]
    tp, fp = (called & positive).sum(1), (called & ~positive).sum(1)
    fn, tn = positive.sum() - tp, (~positive).sum() - fp
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.nan_to_num(tp / (tp + fp)), np.nan_to_num(tp / (tp + fn))
    held = {"threshold": at, "tp": tp, "fp": fp, "tn": tn, "fn": fn, "precision": precision, "recall": recall}
    return {name: column.tolist() for name, column in held.items()}
