"""The accuracy fell: how much of it is other rows, by which column, and how much is a new meaning.

Both periods are compared on the rows that they share, so nothing is extrapolated; what is left to each side
of it is the part of the inputs. The parts add up to the drop exactly.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab import plots
from mlops_lab.monitoring.performance.importance_weighting import likely_current
from mlops_lab.monitoring.performance.outcomes import FEWEST_EFFECTIVE_ROWS, read_outcomes, require_aligned
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["attribute_drop"]

Floats = npt.NDArray[np.float64]
SetValue = Callable[[frozenset[str]], float]

MEANING = "meaning (labels, given the inputs)"
_SAID = "Alike rows are answered right less often than before."
_EXACT_COLUMNS = 8
"""Up to so many columns all their sets are tried; beyond, random orders of them."""


@dataclass(frozen=True, kw_only=True)
class Attribution(Report):
    """Parts of a drop, which add up to it.

    Parameters
    ----------
    title, findings
        As in every report.
    before, after
        Share of right answers in the reference and now.
    columns
        For each input column the part of the drop that comes with its changed mix.
    meaning
        The part where alike rows are answered right less often.
    effective
        How many rows, drawn alike, the two sides have in common.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    >>> found = attribute_drop(x[:200], x["a"][:200] < 1, x[200:], x["b"][200:] < 0)
    >>> bool(abs(sum(found.parts()) - (found.before - found.after)) < 1e-12)
    True
    """

    before: float
    after: float
    columns: pd.Series[float]
    meaning: float
    effective: float

    @property
    def drop(self) -> float:
        """The whole drop, before less after."""
        return self.before - self.after

    def parts(self) -> pd.Series[float]:
        """Give all parts, the columns' first."""
        return pd.concat([self.columns, pd.Series({MEANING: self.meaning})])

    def headline(self) -> str:
        """Say the drop and its two parts, if the two sides share rows enough to tell them apart."""
        told = f"From {self.before:.1%} to {self.after:.1%}."
        if self.effective < FEWEST_EFFECTIVE_ROWS:
            return f"{told} Both share {self.effective:.0f} rows: too few to split the drop into its parts."
        return (
            f"{told} Of the drop of {100 * self.drop:.1f} points, "
            f"{100 * float(self.columns.sum()):.1f} are other rows, {100 * self.meaning:.1f} a new meaning."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a bar for each part."""
        shown = (100 * self.parts()).rename(index={MEANING: "meaning"})
        return plots.bars(shown, xlabel="", ylabel="part of the drop (points)", number_format="{:.1f}", ax=ax)


def attribute_drop(
    reference: pd.DataFrame,
    right: npt.ArrayLike,
    current: pd.DataFrame,
    right_now: npt.ArrayLike,
    *,
    seed: int = 0,
) -> Attribution:
    """Split a drop of accuracy into the parts of the columns and the part of a new meaning.

    It answers "would new rows of the old kind mend it, or must the model learn anew?". It cannot speak about
    rows that only one side has: they count to the columns. It misleads where few rows are shared (`effective`
    is small), where the change hides in what squares and products of columns do not show, and where a label
    depends on something that no column holds: that counts as meaning.

    Parameters
    ----------
    reference, right
        Inputs with labels that the model was not trained on, and whether it was right on each.
    current, right_now
        Inputs with labels of now, and whether it was right on each.
    seed
        Steers the orders that are tried, where there are more than 8 columns.

    Raises
    ------
    ValueError
        If the columns differ, or there is not one outcome for each row.

    Notes
    -----
    Shared rows, and the split into inputs and meaning: Cai, Namkoong and Yadlowsky (2023). The part of each
    column is its Shapley (1953) value: its gain, averaged over all orders in which columns may be matched.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> old, new = (pd.DataFrame({"x": rng.normal(m, 1, 2000), "y": rng.normal(0, 1, 2000)}) for m in (0, 1))
    >>> found = attribute_drop(old, old["x"] < 1, new, new["x"] < 1)  # the same rule: only x has moved
    >>> (found.parts().round(2) + 0).to_dict()
    {'x': 0.36, 'y': 0.0, 'meaning (labels, given the inputs)': -0.02}

    Taught in notebooks/08_monitoring_performance.ipynb.
    """
    then, now = read_outcomes(right), read_outcomes(right_now, "right_now")
    require_aligned("reference", len(reference), "right", then.size)
    require_aligned("current", len(current), "right_now", now.size)
    names = [str(name) for name in reference.columns]
    if set(names) != {str(name) for name in current.columns} or not names:
        raise ValueError(f"columns {names} and {list(current.columns)} differ: give the same ones")

    @functools.cache
    def inputs(columns: frozenset[str]) -> float:
        """Give the part of the drop that is gone once both sides share these columns' mix."""
        if not columns:
            return 0.0
        chosen = [name for name in reference.columns if str(name) in columns]
        share_then, share_now, _ = _on_shared(reference[chosen], then, current[chosen], now)
        return float(then.mean()) - share_then + share_now - float(now.mean())

    share_then, share_now, effective = _on_shared(reference, then, current, now)
    columns = _shapley(names, inputs, np.random.default_rng(seed))
    meaning = share_then - share_now
    return Attribution(
        title="Where the drop comes from",
        findings=_findings(columns, meaning, effective),
        before=float(then.mean()),
        after=float(now.mean()),
        columns=columns,
        meaning=meaning,
        effective=effective,
    )


def _on_shared(
    reference: pd.DataFrame, then: Floats, current: pd.DataFrame, now: Floats
) -> tuple[float, float, float]:
    """Give both accuracies on the rows that both sides share, and how many those are.

    A row counts as much as it could be from the *other* side: rows that only one side has count for nothing,
    and no weight exceeds 1.
    """
    likely_then, likely_now = likely_current(reference, current)
    there, here = likely_then, 1 - likely_now
    # twice the sum: had nothing changed, each row would count for a half, and all rows would be shared
    rows = min(min(weights.sum() ** 2 / (weights @ weights), 2 * weights.sum()) for weights in (there, here))
    return float(np.average(then, weights=there)), float(np.average(now, weights=here)), float(rows)


def _shapley(names: list[str], value: SetValue, rng: np.random.Generator) -> pd.Series[float]:
    """Average what each column adds, over all orders of the columns, or over 16 random ones."""
    if len(names) <= _EXACT_COLUMNS:
        found = dict.fromkeys(names, 0.0)
        for size in range(len(names)):
            share = 1 / (len(names) * math.comb(len(names) - 1, size))
            for name in names:
                others = [other for other in names if other != name]
                for chosen in itertools.combinations(others, size):
                    found[name] += share * (value(frozenset({*chosen, name})) - value(frozenset(chosen)))
        return pd.Series(found)
    orders = [list(rng.permutation(names)) for _ in range(16)]
    found = dict.fromkeys(names, 0.0)
    for order in orders:
        for place, name in enumerate(order):
            step = value(frozenset(order[: place + 1])) - value(frozenset(order[:place]))
            found[name] += step / len(orders)
    return pd.Series(found)


def _findings(columns: pd.Series[float], meaning: float, effective: float) -> tuple[Finding, ...]:
    parts = [*columns.items(), (MEANING, meaning)]
    found = [
        Finding(
            code=f"attribution.{place}",
            title=str(name),
            ok=True if effective >= FEWEST_EFFECTIVE_ROWS else None,
            statistic="part of the drop",
            value=float(value),
            severity="note",
            explanation=_SAID if name == MEANING else "Its mix has changed.",
            source="Cai, Namkoong and Yadlowsky 2023",
        )
        for place, (name, value) in enumerate(parts)
    ]
    overlap = Finding(
        code="attribution.overlap",
        title="Rows that both sides share",
        ok=True if effective >= FEWEST_EFFECTIVE_ROWS else None,
        statistic="effective rows",
        value=effective,
        limit=FEWEST_EFFECTIVE_ROWS,
        bound="at least",
        explanation="The part of the meaning is measured on these alone.",
        source="Kish 1965",
    )
    return (*found, overlap)
