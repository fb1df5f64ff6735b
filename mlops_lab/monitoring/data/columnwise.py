"""One column, then and now: which test fits, what it finds, and how far apart the two are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.monitoring.data.columns import category_counts, kind_of, numbers_of
from mlops_lab.monitoring.data.distances import binned_shares, category_shares, divergences, moved
from mlops_lab.monitoring.data.distributions import Distribution
from mlops_lab.monitoring.data.profile import Profile
from mlops_lab.monitoring.data.two_samples import (
    anderson_darling,
    chi_squared,
    gap_p,
    largest_gap,
    smallest_p,
)
from mlops_lab.monitoring.histogram_sketch import MOST

__all__ = ["TESTS", "Comparison", "View", "compare", "view"]

TESTS = ("both", "ks", "ad")
"""How numbers are compared: by the largest gap, by Anderson and Darling, or by both at twice the price."""

FEW_LEVELS = 10
FEWEST_FOR_TAILS = 25


@dataclass(frozen=True, eq=False)
class View:
    """A column as a comparison needs it; `empty_rows` have no value or an infinite one."""

    kind: str
    rows: int
    empty_rows: int
    numbers: Distribution | None = None
    categories: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What comparing a column found, before the other columns are taken into account.

    Parameters
    ----------
    column, kind, test
        Its name, what it holds, and how it was compared ("none" if it was not).
    statistic, p, effect
        The test's number, its p-value, and how far apart the two are, from 0 to 1: the largest gap between
        shares of rows at or below a value, or the total variation between shares of categories.
    least_p
        The smallest p-value that so few rows can reach.
    why
        Why it was not tested; empty if it was.
    gone
        Whether that reason is itself an alarm.
    missing, missing_now, p_missing
        Share of rows without a usable value, then and now, and the p-value of the change (None: none are).
    psi, jensen_shannon, wasserstein
        Distances beside it; NaN where they have no value.
    """

    column: str
    kind: str
    test: str = "none"
    statistic: float = np.nan
    p: float = 1.0
    effect: float = 0.0
    least_p: float = 0.0
    why: str = ""
    gone: bool = False
    missing: float = 0.0
    missing_now: float = 0.0
    p_missing: float | None = None
    psi: float = np.nan
    jensen_shannon: float = np.nan
    wasserstein: float = np.nan


def view(table: pd.DataFrame | Profile, name: str) -> View:
    """Look at one column of a table or of a profile."""
    if isinstance(table, Profile):
        held = table.columns[name]
        numbers = Distribution.kept(held.numbers) if held.kind == "number" else None
        return View(held.kind, held.rows, held.missing + held.infinite, numbers, held.categories)
    series: pd.Series[Any] = table[name]
    kind, rows = kind_of(series), len(series)
    if kind == "number":
        values = numbers_of(series)
        finite = np.isfinite(values)
        numbers = Distribution.of(values if finite.all() else values[finite])
        return View(kind, rows, rows - numbers.rows, numbers)
    counts = category_counts(series) if kind == "category" else {}
    kind = "text" if len(counts) > MOST else kind
    return View(kind, rows, int(series.isna().sum()), None, counts)


def compare(column: str, reference: View, current: View, *, test: str = "both") -> Comparison:
    """Compare one column by the test that fits it.

    Numbers are compared by `test`; numbers with at most ten different values, and categories, by chi-squared.
    Fewer than 25 rows are compared by the largest gap alone, whose p-value is exact.
    """
    missing = _missing(reference, current)
    kinds = (reference.kind, current.kind)
    if "empty" not in kinds and kinds[0] != kinds[1]:
        return Comparison(
            column=column, kind=kinds[0], why=f"held {kinds[0]}, holds {kinds[1]}", gone=True, **missing
        )
    kind = kinds[0] if kinds[0] != "empty" else kinds[1]
    why = _untested(reference, current, kind)
    if why:
        return Comparison(column=column, kind=kind, why=why, **missing)
    found = _categories(reference, current) if kind == "category" else _numbers(reference, current, test)
    return Comparison(column=column, kind=kind, **found, **missing)


def _untested(reference: View, current: View, kind: str) -> str:
    if kind == "time":
        return "a date always moves on: it is not compared"
    if kind == "text":
        return "nearly every row has its own text: shares of texts are not compared"
    for when, each in (("before", reference), ("now", current)):
        if each.rows == each.empty_rows:
            return f"there is no usable value {when}"
    return ""


def _numbers(reference: View, current: View, test: str) -> dict[str, Any]:
    then, now = reference.numbers, current.numbers
    if then is None or now is None:
        raise ValueError("a column of numbers came without its numbers")
    few, few_now = then.levels(FEW_LEVELS), now.levels(FEW_LEVELS)
    if few and few_now:
        named = [
            dict(zip(map(str, values.tolist()), counts.tolist(), strict=True))
            for values, counts in (few, few_now)
        ]
        if len(named[0].keys() | named[1].keys()) <= FEW_LEVELS:
            return {**_counted(*named), "wasserstein": moved(then, now)}
    gap = largest_gap(then, now)
    if min(then.rows, now.rows) < FEWEST_FOR_TAILS or test == "ks":
        name, p = "KS", gap_p(gap, then, now)
    elif test == "ad":
        name, p = "AD", anderson_darling(then, now).p
    else:
        name = "KS and AD"
        p = min(1.0, 2 * min(gap_p(gap, then, now), anderson_darling(then, now).p))
    stability, jensen_shannon = divergences(*binned_shares(then, now))
    return {
        "test": name,
        "statistic": gap,
        "p": p,
        "effect": gap,
        "least_p": smallest_p(then.rows, now.rows),
        "psi": stability,
        "jensen_shannon": jensen_shannon,
        "wasserstein": moved(then, now),
    }


def _categories(reference: View, current: View) -> dict[str, Any]:
    return _counted(reference.categories or {}, current.categories or {})


def _counted(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(counts.keys() | others.keys())
    table = [np.array([each.get(name, 0) for name in names], dtype=np.int64) for each in (counts, others)]
    outcome, shares = chi_squared(*table), category_shares(counts, others)
    stability, jensen_shannon = divergences(*shares)
    return {
        "test": "chi-squared",
        "statistic": outcome.statistic,
        "p": outcome.p,
        "effect": float(np.abs(shares[0] - shares[1]).sum() / 2),
        "least_p": smallest_p(int(table[0].sum()), int(table[1].sum())) / 2,
        "psi": stability,
        "jensen_shannon": jensen_shannon,
    }


def _missing(reference: View, current: View) -> dict[str, Any]:
    """Compare the shares of rows without a usable value, if there are any."""
    before, now = reference.empty_rows / reference.rows, current.empty_rows / current.rows
    p = None
    if reference.empty_rows or current.empty_rows:
        table = [np.array([each.empty_rows, each.rows - each.empty_rows]) for each in (reference, current)]
        p = chi_squared(*table).p
    return {"missing": before, "missing_now": now, "p_missing": p}
