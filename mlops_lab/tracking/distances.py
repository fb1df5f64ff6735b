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
    """Give each run's distance on the worse side, in usual distances; NaN where nothing is usual."""
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
    """Put all runs in one table, each in a row."""
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
