"""Has the data moved? Every column is tested, and a verdict needs significance and size.

A column's way through this file, from two tables to its verdict: `compare_column` reads it from both, tests
the two samples and measures how far apart they are; `verdict_table` corrects the p-values of all columns
together and decides on each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.monitoring.data import distances
from mlops_lab.monitoring.data.columns import ColumnSample, aligned, checked_table, listed
from mlops_lab.monitoring.data.profile import Profile
from mlops_lab.monitoring.data.two_samples import (
    Ecdf,
    anderson_darling,
    chi_squared,
    kolmogorov_smirnov_p,
    largest_gap,
    mostly_single,
    new_categories_p,
    smallest_p,
)
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "MIN_EFFECT",
    "ColumnComparison",
    "DriftReport",
    "asked_columns",
    "compare_column",
    "correct",
    "drift",
    "verdict_table",
]

MIN_EFFECT = 0.04
"""The default size that matters: shares of rows differ by 4 points; a bell curve moved by a tenth of its
standard deviation does so."""

TESTS = ("both", "ks", "ad")
"""How numbers are compared: by the largest gap, by Anderson and Darling, or by both at twice the price."""

CORRECTIONS = ("holm", "bonferroni", "fdr", "none")
"""The corrections for many tests that `correct` knows."""

FEW_LEVELS = 10
"""Numbers with at most so many different values are compared as categories."""

FEWEST_FOR_TAILS = 25
"""With fewer rows numbers are compared by the largest gap alone, whose p-value is exact."""

SOURCE = {
    "KS": "Kolmogorov 1933, Smirnov 1948",
    "AD": "Anderson and Darling 1952",
    "KS and AD": "Smirnov 1948; Anderson and Darling 1952; the smaller p-value, doubled",
    "chi-squared": "Pearson 1900",
    "new categories": "Good 1953, Fisher 1935; Pearson 1900; the smaller p-value, doubled",
    "none": "",
}
MEASURE = {"number": "largest gap", "category": "total variation", "text": "total variation"}


@dataclass(frozen=True, kw_only=True)
class DriftReport(Report):
    """Every column with its test, its size and its verdict.

    Parameters
    ----------
    table
        One row for each column; see `frame`.
    alpha, correction, min_effect
        How it was decided.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> before = pd.DataFrame({"mass_g": rng.normal(150, 10, 500), "sort": rng.choice(["a", "b"], 500)})
    >>> report = drift(before.head(250), before.tail(250).assign(mass_g=lambda t: t["mass_g"] + 5))
    >>> report.drifted
    ('mass_g',)
    >>> report.frame()[["column", "test", "verdict"]]
       column         test   verdict
    0  mass_g    KS and AD   drifted
    1    sort  chi-squared  no drift
    """

    table: pd.DataFrame
    alpha: float
    correction: str
    min_effect: float

    @property
    def drifted(self) -> tuple[str, ...]:
        """The columns that drifted, in the table's order."""
        return tuple(self.table.loc[self.table["verdict"] == "drifted", "column"])

    def headline(self) -> str:
        """Say which columns drifted, of those that could be decided, and name the others."""
        left = self.table.loc[self.table["verdict"] == "not decided", "column"]
        decided = len(self.table) - len(left)
        rest = f" Not decided: {listed(left)}." if len(left) else ""
        if not decided:
            return f"No column could be compared.{rest}"
        if not self.drifted:
            return f"None of {decided} compared columns is seen to have drifted.{rest}"
        return f"{len(self.drifted)} of {decided} columns drifted: {listed(self.drifted)}.{rest}"

    def frame(self) -> pd.DataFrame:
        """Give one row for each column, in the reference's order.

        ``column``, ``kind``, ``test``, ``statistic``, ``p``, ``p_corrected``, ``effect`` (0 to 1),
        ``missing`` and ``missing_now`` (shares), ``p_missing`` (corrected; 1 where nothing is missing),
        ``verdict`` ("drifted", "no drift", "too small", "not decided"), ``reason``, ``psi``,
        ``jensen_shannon``, ``wasserstein`` (NaN where a distance has no value).
        """
        return self.table.copy()

    def summary(self) -> pd.DataFrame:
        """Give what decides, rounded for reading: one row for each column, with test, p, effect, verdict."""
        p = self.table["p_corrected"].map(lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}")
        shown = self.table.assign(p_corrected=p, effect=self.table["effect"].round(3)).set_index("column")
        return shown[["test", "p_corrected", "effect", "verdict"]]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the size of each column's change against the size that matters; at most the 25 largest."""
        from mlops_lab import plots

        table = self.table[self.table["test"] != "none"].sort_values("effect", ascending=False).head(25)
        if table.empty:
            raise ValueError("no column was tested: there is nothing to draw; read .frame()")
        states = {"drifted": False, "not decided": None}
        drawn = pd.DataFrame({"value": table["effect"], "low": table["effect"], "high": table["effect"]})
        drawn["ok"] = pd.array([states.get(verdict, True) for verdict in table["verdict"]], dtype="boolean")
        drawn.index = pd.Index(table["column"] + " (" + table["verdict"] + ")")
        return plots.intervals(
            drawn,
            xlabel="effect: largest difference between shares of rows",
            title=self.title,
            limit=self.min_effect,
            limit_label="matters from",
            ax=ax,
        )


def drift(
    reference: pd.DataFrame | Profile,
    current: pd.DataFrame | Profile,
    *,
    alpha: float = 0.05,
    correction: str = "holm",
    min_effect: float = MIN_EFFECT,
    test: str = "both",
    columns: Iterable[str] | None = None,
) -> DriftReport:
    """Compare two tables column by column, and say which columns have drifted.

    Answers: is the difference more than chance (its p-value, corrected for the number of tests, is at most
    `alpha`), and large enough to matter (`effect` is at least `min_effect`)? Quiet columns raise a false
    alarm in at most 5 % of comparisons, all columns together; benchmarks/monitoring_rates.py measures it. It
    cannot see what shows only in several columns at once (`joint_drift`), nor whether a change does harm. It
    misleads where rows depend on each other, such as many rows of one customer: then p-values are too small.

    Parameters
    ----------
    reference, current
        The rows before and now, or their profiles. With a profile of over 4,096 different values a column is
        compared at the edges of its bins, which finds a little less.
    alpha
        The accepted chance of any false alarm in a comparison.
    correction
        For the number of tests: "holm", "bonferroni", "fdr" or "none".
    min_effect
        The smallest difference between shares of rows that matters, from 0 to 1.
    test
        For numbers: "ks", the largest gap alone; "ad", Anderson and Darling alone; or "both", which takes the
        smaller p-value and doubles it. The gap finds shifts; the other also finds a change of the spread.
    columns
        Compare these alone; by default all columns of the reference.

    Returns
    -------
    DriftReport
        One row for each column. A column that is not there any more, or holds another kind, has drifted; a
        new one is noted. What is compared is what cells mean, not how they are stored. Too few rows to ever
        decide are "not decided", and so are dates, lists, and categories of which most stand alone, unless
        rows of unknown categories are more than chance brings; the headline names these columns.

    Raises
    ------
    TypeError
        If one of the two is neither a DataFrame nor a profile.
    ValueError
        If one has no rows or no columns, or an argument is out of range.

    Notes
    -----
    The p-value of the gap is scipy's (exact up to 10,000 rows). Missing and infinite values are compared as a
    share of the rows of their own, and count as tests.

    Examples
    --------
    >>> before = pd.DataFrame({"colour": range(100), "sort": ["red", "green"] * 50})
    >>> drift(before, before.assign(colour=lambda table: table["colour"] + 40)).drifted
    ('colour',)

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    reference, current = _comparable(reference, "reference"), _comparable(current, "current")
    names = asked_columns(reference, alpha, correction, min_effect, test, columns)
    found = [compare_column(name, reference, current, test=test) for name in names]
    if columns is None:
        new = [name for name in current.columns if name not in set(names)]
        why = "the reference has no such column"
        found += [ColumnComparison(column=name, kind="new", why=why) for name in new]
    table = verdict_table(found, alpha, correction, min_effect)
    findings = tuple(_finding(row, min_effect) for row in table.to_dict("records"))
    return DriftReport(
        title="Drift, column by column",
        findings=findings,
        table=table,
        alpha=alpha,
        correction=correction,
        min_effect=min_effect,
    )


# --- one column, then and now ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ColumnComparison:
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
    unsure
        Why a large p-value says nothing; empty if it does.
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
    unsure: str = ""
    why: str = ""
    gone: bool = False
    missing: float = 0.0
    missing_now: float = 0.0
    p_missing: float | None = None
    psi: float = np.nan
    jensen_shannon: float = np.nan
    wasserstein: float = np.nan


def compare_column(
    name: str,
    reference: pd.DataFrame | Profile,
    current: pd.DataFrame | Profile,
    *,
    test: str = "both",
    label: str = "",
) -> ColumnComparison:
    """Read one column from both tables, and compare it by the test that fits it.

    Numbers are compared by `test`; numbers with at most ten different values, and categories, by chi-squared.
    Fewer than 25 rows are compared by the largest gap alone, whose p-value is exact. `label` names it in the
    report.
    """
    label = label or name
    if name not in current.columns:
        return ColumnComparison(column=label, kind="gone", why="the column is not there any more", gone=True)
    then, now = _sample(reference, name), _sample(current, name)
    pair = aligned(then, now)
    then, now = pair or (then, now)
    missing = _compare_missing(then, now)
    kind = then.kind if then.kind != "empty" else now.kind
    if pair is None or _became_text(then, now):
        why = f"held {then.kind}, holds {now.kind}"
        return ColumnComparison(column=label, kind=then.kind, why=why, gone=True, **missing)
    why = _untested(then, now, kind)
    if why:
        return ColumnComparison(column=label, kind=kind, why=why, **missing)
    if then.numbers and now.numbers:
        found = _compare_numbers(then.numbers, now.numbers, test)
    else:
        found = _compare_categories(then.categories or {}, now.categories or {})
        kind = "text" if found.get("unsure") else kind
    return ColumnComparison(column=label, kind=kind, **found, **missing)


def _sample(table: pd.DataFrame | Profile, name: str) -> ColumnSample:
    return table.columns[name].sample() if isinstance(table, Profile) else ColumnSample.of(table[name])


def _became_text(then: ColumnSample, now: ColumnSample) -> bool:
    """Say whether categories that came again and again have become texts, or the reverse."""
    named = [each for each in (then, now) if each.kind == "category"]
    if "text" not in (then.kind, now.kind) or len(named) != 1:
        return False
    counts = np.array(list((named[0].categories or {}).values()))
    return bool((counts == 1).sum() <= counts.sum() / 2)


def _untested(then: ColumnSample, now: ColumnSample, kind: str) -> str:
    if kind == "time":
        return "a date always moves on: it is not compared"
    if "text" in (then.kind, now.kind):
        return "nearly every row has its own text: shares of texts are not compared"
    if kind == "nested":
        return "lists and structs are not compared: make columns of what matters in them"
    for when, each in (("before", then), ("now", now)):
        if each.rows == each.empty_rows:
            return f"there is no usable value {when}"
    return ""


def _compare_missing(then: ColumnSample, now: ColumnSample) -> dict[str, Any]:
    """Compare the shares of rows without a usable value, if there are any."""
    p = None
    if then.empty_rows or now.empty_rows:
        p = chi_squared(*(np.array([each.empty_rows, each.rows - each.empty_rows]) for each in (then, now))).p
    return {
        "missing": then.empty_rows / then.rows,
        "missing_now": now.empty_rows / now.rows,
        "p_missing": p,
    }


def _compare_numbers(then: Ecdf, now: Ecdf, test: str) -> dict[str, Any]:
    levels = then.levels(FEW_LEVELS), now.levels(FEW_LEVELS)
    if levels[0] and levels[1]:
        counts, counts_now = (
            dict(zip(map(str, values.tolist()), rows.tolist(), strict=True))
            for values, rows in (levels[0], levels[1])
        )
        if len(counts.keys() | counts_now.keys()) <= FEW_LEVELS:
            return {
                **_compare_categories(counts, counts_now),
                "wasserstein": distances.wasserstein_of(then, now),
            }
    gap = largest_gap(then, now)
    if min(then.rows, now.rows) < FEWEST_FOR_TAILS or test == "ks":
        name, p = "KS", kolmogorov_smirnov_p(gap, then, now)
    elif test == "ad":
        name, p = "AD", anderson_darling(then, now).p
    else:
        name = "KS and AD"
        p = min(1.0, 2 * min(kolmogorov_smirnov_p(gap, then, now), anderson_darling(then, now).p))
    shares = distances.binned_shares(then, now)
    return {
        "test": name,
        "statistic": gap,
        "p": p,
        "effect": gap,
        "least_p": smallest_p(then.rows, now.rows),
        "psi": distances.psi_of(*shares),
        "jensen_shannon": distances.jensen_shannon_of(*shares),
        "wasserstein": distances.wasserstein_of(then, now),
    }


def _compare_categories(counts: Mapping[str, int], counts_now: Mapping[str, int]) -> dict[str, Any]:
    names = sorted(counts.keys() | counts_now.keys())
    table = np.array([[each.get(name, 0) for name in names] for each in (counts, counts_now)], dtype=np.int64)
    rows, rows_now = table.sum(axis=1).tolist()
    statistic, p = chi_squared(table[0], table[1])
    test, unsure = "chi-squared", ""
    if mostly_single(table[0], table[1]):
        test, unsure = "new categories", "most rows have a rare category or one of their own"
        p = min(1.0, 2 * min(p, new_categories_p(table[0], table[1])))
    shares = distances.category_shares(counts, counts_now)
    return {
        "test": test,
        "statistic": statistic,
        "p": p,
        "unsure": unsure,
        "effect": distances.total_variation(*shares),
        "least_p": smallest_p(rows, rows_now) / 2,
        "psi": distances.psi_of(*shares),
        "jensen_shannon": distances.jensen_shannon_of(*shares),
    }


# --- many columns ----------------------------------------------------------------------------------------


def correct(p: npt.ArrayLike, method: str = "holm") -> npt.NDArray[np.float64]:
    """Give p-values that may be held against alpha although there are many of them.

    "holm" and "bonferroni" keep the chance of *any* false alarm below alpha, whatever the tests have to do
    with each other; holm never finds less. "fdr" (Benjamini and Hochberg) keeps the expected share of false
    alarms among the alarms below alpha: right when there will be many true ones. "none" corrects nothing, and
    with twenty quiet columns raises a false alarm in up to 64 % of the comparisons.

    Parameters
    ----------
    p
        The p-values.
    method
        "holm", "bonferroni", "fdr" or "none".

    Raises
    ------
    ValueError
        For an unknown method, or what is no p-value.

    Notes
    -----
    Holm 1979; Benjamini and Hochberg 1995.

    Examples
    --------
    >>> correct([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    values = np.asarray(p, dtype=np.float64)
    if method not in CORRECTIONS:
        raise ValueError(f"correction={method!r}: choose one of {', '.join(CORRECTIONS)}")
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values are a list of numbers from 0 to 1")
    tests = len(values)
    if method == "none" or tests == 0:
        return values.copy()
    if method == "bonferroni":
        return np.minimum(values * tests, 1.0)
    if method == "fdr":
        from scipy import stats

        return np.asarray(stats.false_discovery_control(values), dtype=np.float64)
    order = np.argsort(values, kind="stable")
    corrected = np.empty(tests)
    corrected[order] = np.maximum.accumulate(values[order] * (tests - np.arange(tests)))
    return np.minimum(corrected, 1.0)


def verdict_table(
    found: list[ColumnComparison], alpha: float, correction: str, min_effect: float
) -> pd.DataFrame:
    """Correct all p-values together and decide on each column."""
    tested = [place for place, each in enumerate(found) if each.test != "none"]
    holes = [place for place, each in enumerate(found) if each.p_missing is not None]
    raw = [found[place].p for place in tested] + [float(found[place].p_missing or 0.0) for place in holes]
    corrected = correct(raw, correction)
    p = dict(zip(tested, corrected.tolist(), strict=False))
    p_missing = dict(zip(holes, corrected[len(tested) :].tolist(), strict=True))
    strictest = 1 if correction == "none" else max(1, len(raw))
    rows = []
    for place, each in enumerate(found):
        value = p.get(place, 1.0)
        empty = p_missing.get(place, 1.0)
        verdict, reason = _verdict(each, value, empty, alpha, min_effect, strictest)
        rows.append(
            {
                "column": each.column,
                "kind": each.kind,
                "test": each.test,
                "statistic": each.statistic,
                "p": each.p,
                "p_corrected": value,
                "effect": each.effect,
                "missing": each.missing,
                "missing_now": each.missing_now,
                "p_missing": empty,
                "verdict": verdict,
                "reason": reason,
                "psi": each.psi,
                "jensen_shannon": each.jensen_shannon,
                "wasserstein": each.wasserstein,
            }
        )
    return pd.DataFrame(rows)


def _verdict(
    each: ColumnComparison, p: float, p_missing: float, alpha: float, min_effect: float, tests: int
) -> tuple[str, str]:
    if each.gone:
        return "drifted", each.why
    apart = abs(each.missing_now - each.missing)
    if p_missing <= alpha and apart >= min_effect:
        return "drifted", f"missing in {each.missing:.1%} of the rows, now in {each.missing_now:.1%}"
    if each.why:
        return "not decided", each.why
    if p > alpha:
        if each.least_p * tests > alpha:
            return "not decided", "too few rows: no difference, however large, could be told from chance"
        if each.unsure:
            return "not decided", f"{each.unsure}: shares of categories say little"
        return "no drift", f"chance alone often does as much (p = {p:.2g})"
    if each.effect < min_effect:
        return "too small", f"no chance (p = {p:.2g}), but smaller than what matters ({min_effect:g})"
    return "drifted", f"no chance (p = {p:.2g}), and large enough to matter"


def _finding(row: dict[Any, Any], min_effect: float) -> Finding:
    states = {"drifted": False, "not decided": None}
    tested = row["test"] != "none"
    noted = row["kind"] in ("time", "text", "nested", "new")
    return Finding(
        code="drift.column",
        title=row["column"],
        ok=states.get(row["verdict"], True),
        explanation=f"{row['verdict'].capitalize()}: {row['reason']}.",
        statistic=MEASURE.get(row["kind"], "") if tested else "",
        value=row["effect"] if tested else None,
        limit=min_effect if row["verdict"] in ("drifted", "too small") and tested else None,
        severity="note" if noted and row["verdict"] == "not decided" else "warning",
        source=SOURCE[row["test"]],
    )


# --- what may be asked -------------------------------------------------------------------------------------


def _comparable(table: Any, what: str) -> pd.DataFrame | Profile:
    """Take a table or a profile with rows and columns; refuse anything else."""
    held = table if isinstance(table, Profile) else checked_table(table, what)
    rows = held.rows if isinstance(held, Profile) else len(held)
    if rows == 0 or len(held.columns) == 0:
        raise ValueError(f"{what} has {rows} rows and {len(held.columns)} columns: nothing to compare")
    return held


def asked_columns(
    reference: pd.DataFrame | Profile,
    alpha: float,
    correction: str,
    min_effect: float,
    test: str,
    columns: Iterable[str] | None,
) -> list[str]:
    """Refuse arguments out of range, and give the names of the columns to compare."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r}: give a chance between 0 and 1, such as 0.05")
    if not 0 <= min_effect <= 1:
        raise ValueError(f"min_effect={min_effect!r}: give a difference of shares from 0 to 1, such as 0.04")
    if correction not in CORRECTIONS:
        raise ValueError(f"correction={correction!r}: choose one of {', '.join(CORRECTIONS)}")
    if test not in TESTS:
        raise ValueError(f"test={test!r}: choose one of {', '.join(TESTS)}")
    known = list(reference.columns)
    if columns is None:
        return known
    names = [columns] if isinstance(columns, str) else [str(name) for name in columns]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"columns={names!r}: the reference has {', '.join(known[:20])}")
    return names
