"""Two tables as numbers, so that a classifier can try to tell their rows apart: columns, and their pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.monitoring.data.columns import kind_of, numbers_of

__all__ = ["encoded", "paired"]

Floats = NDArray[np.float64]
Named = tuple[Floats, list[tuple[str, ...]]]

MOST_LEVELS = 6
MOST_PAIRED = 40
"""Encoded columns that are paired with each other; further ones stand alone."""


def encoded(table: pd.DataFrame) -> Named:
    """Turn columns into numbers: ranks on a bell curve, common categories as 0 or 1, and what is missing.

    Ranks take away units, tails and the shape of each column. Dates and columns without a value are left out.
    """
    from scipy import special, stats

    found: list[Floats] = []
    names: list[tuple[str, ...]] = []
    for name in table.columns:
        series: pd.Series[Any] = table[name]
        kind = kind_of(series)
        if kind not in ("number", "category"):
            continue
        if kind == "number":
            values = numbers_of(series)
            usable = np.isfinite(values)
            scores = np.zeros(len(values))
            scores[usable] = special.ndtri((stats.rankdata(values[usable]) - 0.5) / max(1, usable.sum()))
            parts = [scores]
        else:
            usable = series.notna().to_numpy()
            texts = series.astype(str)
            levels = texts[usable].value_counts().sort_index().nlargest(MOST_LEVELS).index
            parts = [(texts == level).to_numpy(dtype=np.float64) for level in levels]
            parts = parts[1:] if len(parts) == 2 else parts
        parts.append((~usable).astype(np.float64))
        for part in parts:
            deviation = part.std()
            if deviation > 0:
                found.append((part - part.mean()) / deviation)
                names.append((str(name),))
    return (np.column_stack(found) if found else np.empty((len(table), 0))), names


def paired(values: Floats, names: list[tuple[str, ...]]) -> Named:
    """Add the product of each pair of columns: it is what moves when two columns turn around each other."""
    few = min(len(names), MOST_PAIRED)
    left, right = np.triu_indices(few, 1)
    apart = np.array([names[i] != names[j] for i, j in zip(left, right, strict=True)], dtype=bool)
    left, right = left[apart], right[apart]
    products = values[:, left] * values[:, right]
    products -= products.mean(axis=0)
    deviation = products.std(axis=0)
    alive = deviation > 1e-9
    products = products[:, alive] / deviation[alive]
    pairs = [names[i] + names[j] for i, j in zip(left[alive], right[alive], strict=True)]
    return np.hstack([values, products]), names + pairs
