"""What may be logged: numbers under a name at a step, plain values that JSON can hold, and two summaries.

JSON knows no NaN and no infinity, and most programs that read it refuse them. But a training that diverges
logs exactly these. So they are written as the words "NaN", "Infinity" and "-Infinity", as W&B does too.
The summaries: how values are distributed, and what each threshold buys.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = [
    "from_json",
    "histogram",
    "metric_name",
    "number",
    "plain",
    "precision_recall",
    "step_number",
    "to_json",
    "to_mapping",
    "whole_seed",
]

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def number(name: str, value: Any) -> float:
    """Take one metric's value as a float; NaN and infinity are values too, text and lists are not."""
    if getattr(value, "ndim", 0) and getattr(value, "size", 0) == 1:  # an array of one number is that number
        value = np.asarray(value).item()
    single = getattr(value, "ndim", 0) == 0
    is_number = isinstance(value, numbers.Real | np.generic) or (
        hasattr(value, "__float__") and not isinstance(value, str | bytes)
    )
    if single and is_number and not isinstance(value, np.str_ | np.bytes_ | np.complexfloating):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    raise TypeError(
        f"metric {name!r} is {_short(value)}, which is no number: log one number for each name; for text use "
        "run.text, for many numbers run.histogram or run.table, for settings run.hparams"
    )


def to_json(value: float) -> float | str:
    """Write a number so that strict JSON holds it; ``from_json`` gives it back to the last bit."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def from_json(value: float | str) -> float:
    """Read what ``to_json`` wrote."""
    if isinstance(value, str):
        if value not in _WORDS:
            raise ValueError(f"{value!r} is no number; words for numbers are {', '.join(_WORDS)}")
        return _WORDS[value]
    return float(value)


def metric_name(name: Any) -> str:
    """Accept a metric's name, such as ``"loss"`` or ``"validation/loss"``."""
    parts = name.split("/") if isinstance(name, str) else []
    good = bool(parts) and all(part and part.strip() == part and part not in (".", "..") for part in parts)
    if not good or not name.isprintable() or name.startswith("_") or name == "step" or len(name) > 200:
        raise ValueError(
            f"{name!r} cannot be a metric's name: use up to 200 printable characters such as 'loss' or "
            "'validation/loss', not beginning with '_' (W&B's own), not 'step', no empty part and no '..'"
        )
    return str(name)


def step_number(step: Any) -> int:
    """Accept the number of a step: a whole number from 0, also one that stands as a float."""
    if isinstance(step, bool | np.bool_):
        raise TypeError(f"step {step!r} is no whole number; count steps 0, 1, 2, ...")
    if isinstance(step, float | np.floating) and float(step).is_integer():
        step = int(step)
    try:
        whole = operator.index(step)
    except TypeError:
        raise TypeError(
            f"step {_short(step)} is no whole number; count steps 0, 1, 2, ..., and log a time or an epoch's "
            "fraction as a metric of its own"
        ) from None
    if whole < 0:
        raise ValueError(f"step {whole} is below 0; count steps from 0")
    return whole


def whole_seed(seed: Any) -> int:
    """Accept a seed: a whole number from 0, as NumPy takes it."""
    try:
        return step_number(seed if isinstance(seed, int | np.integer) else str(seed))
    except (TypeError, ValueError):
        kind = ValueError if isinstance(seed, int) else TypeError
        raise kind(
            f"seed {_short(seed)} is no whole number from 0; give one, or None if it is not known"
        ) from None


def plain(value: Any, what: str, *, strict: bool = True) -> Any:
    """Turn a value into what JSON holds: text, numbers, true and false, nothing, lists, mappings."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if strict and not math.isfinite(value):
            raise ValueError(f"{what} is {value!r}, which JSON does not know; give None, or text")
        return to_json(value)
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong and strict:
            raise TypeError(f"{what} has the key {wrong[0]!r}; only text can be a key")
        return {str(key): plain(held, f"{what}[{key!r}]", strict=strict) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(held, f"{what}[{place}]", strict=strict) for place, held in enumerate(value)]
    if not strict:
        return str(value)
    raise TypeError(
        f"{what} is {_short(value)}, which a record cannot hold: give text, numbers, True, False, None, and "
        "lists and mappings of these; for an object, its name or its hash"
    )


def to_mapping(thing: Any, what: str) -> dict[str, Any]:
    """Take a mapping, or anything that has a mapping's form: ``to_dict()``, ``_asdict()``, a dataclass."""
    given = thing
    for form in ("to_dict", "_asdict"):
        if not isinstance(given, Mapping) and callable(getattr(given, form, None)):
            given = getattr(given, form)()
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        given = dataclasses.asdict(given)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} must be a mapping, a dataclass, or have to_dict(), and is {_short(thing)}; give for "
            "example {'data': frame_hash}"
        )
    held: dict[str, Any] = plain(given, what, strict=False)
    return held


def _short(value: Any) -> str:
    said = repr(value)
    said = said if len(said) <= 60 else f"{said[:57]}..."
    return said if isinstance(value, str | int | float | None) else f"{said} ({type(value).__name__})"


def histogram(values: Any, bins: int = 30) -> dict[str, Any]:
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
