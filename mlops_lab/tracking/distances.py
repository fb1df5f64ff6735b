"""How far each curve is from the usual one, and all runs in one table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.tracking.record import Record

__all__ = ["FEWEST", "distances", "side_by_side"]

FEWEST = 5
"""With fewer runs at a step, nothing can be said about what is usual there."""
_FLOOR = 1e-3


def distances(curves: pd.DataFrame, better: str) -> pd.Series[float]:
    """Give each run's distance on the worse side, in usual distances; NaN where nothing is usual.

    Parameters
    ----------
    curves
        One row for each step, one column for each run; NaN where a run has no value.
    better
        ``"lower"`` or ``"higher"``.

    Examples
    --------
    >>> curves = pd.DataFrame({name: [level] * 3 for name, level in zip("abcde", [0.9, 1.0, 1.1, 1.2, 4.0])})
    >>> distances(curves, "lower").round(1).to_dict()
    {'a': 0.0, 'b': 0.0, 'c': 0.0, 'd': 1.0, 'e': 29.0}
    """
    finite = curves.where(np.isfinite(curves))
    usable = finite[finite.notna().sum(axis=1) >= FEWEST]
    middle = usable.median(axis=1)
    worse = usable.sub(middle, axis=0) * (1 if better == "lower" else -1)
    usual = worse.abs().median(axis=1).clip(lower=_FLOOR * middle.abs())
    there = usable.notna()
    own = worse.clip(lower=0).mean(axis=0)
    scale = there.mul(usual, axis=0).sum(axis=0) / there.sum(axis=0)
    return (own / scale).where(scale > 0, own.where(own.isna(), np.where(own > 0, np.inf, 0.0)))


def side_by_side(
    records: dict[str, Record], curves: pd.DataFrame, metric: str, better: str, distance: pd.Series[float]
) -> pd.DataFrame:
    """Put all runs in one table, each in a row.

    Parameters
    ----------
    records
        The runs by their names.
    curves, metric, better, distance
        The compared metric: its curves, its name, which value is better, and each run's distance.

    Examples
    --------
    >>> from pathlib import Path
    >>> curves = pd.DataFrame({"a": [0.5, 0.25]})
    >>> record = Record(name="a", folder=Path("a"), state="finished", not_finite={},
    ...     metrics=curves.rename(columns={"a": "loss"}))
    >>> side_by_side({"a": record}, curves, "loss", "lower", pd.Series({"a": 0.0})).loc["a", "best"]
    np.float64(0.25)
    """
    common = curves.dropna()
    settings = {name: {"seed": record.seed, **record.params} for name, record in records.items()}
    names = {setting: None for held in settings.values() for setting in held}
    differ = [n for n in names if len({repr(held.get(n)) for held in settings.values()}) > 1]
    rows = {}
    for name, record in records.items():
        curve = curves[name].dropna()
        best = (curve.argmin() if better == "lower" else curve.argmax()) if len(curve) else None
        rows[name] = {
            **{setting: settings[name].get(setting) for setting in differ},
            "state": record.state,
            "steps": len(record.metrics),
            **{f"last {one}": _last(record.metrics[one]) for one in record.metrics},
            "at common step": common[name].iloc[-1] if len(common) else math.nan,
            "best": math.nan if best is None else curve.iloc[best],
            "best step": None if best is None else curve.index[int(best)],
            "not finite from": record.not_finite.get(metric),
            "distance": distance[name],
        }
    whole: Any = {"best step": "Int64", "not finite from": "Int64"}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("run").astype(whole)
    behind = ["at common step", "best", "best step", "not finite from", "distance"]
    return frame[[*(name for name in frame if name not in behind), *behind]]


def _last(values: pd.Series[float]) -> float:
    """Give the last value that was logged, and NaN if that was one; steps without a value are skipped."""
    held = values.dropna()
    return float(held.iloc[-1]) if len(held) else math.nan
