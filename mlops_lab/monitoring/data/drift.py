"""Has the data moved? Every column is tested, and a verdict needs significance and size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_lab.monitoring.data.columnwise import TESTS, Comparison, compare, view
from mlops_lab.monitoring.data.corrections import METHODS, correct
from mlops_lab.monitoring.data.profile import Profile, checked
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MIN_EFFECT", "DriftReport", "drift"]

MIN_EFFECT = 0.04
"""The default size that matters: shares of rows differ by 4 points; a bell curve moved by a tenth of its
standard deviation does so."""

SOURCE = {
    "KS": "Kolmogorov 1933, Smirnov 1948",
    "AD": "Anderson and Darling 1952",
    "KS and AD": "Smirnov 1948; Anderson and Darling 1952; the smaller p-value, doubled",
    "chi-squared": "Pearson 1900",
    "none": "",
}
MEASURE = {"number": "largest gap", "category": "total variation"}


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
        """Say which columns drifted."""
        names = self.drifted
        if not names:
            return f"None of {len(self.table)} columns is seen to have drifted."
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        return f"{len(names)} of {len(self.table)} columns drifted: {', '.join(names[:6])}{more}."

    def frame(self) -> pd.DataFrame:
        """Give one row for each column, in the reference's order.

        Returns
        -------
        pandas.DataFrame
            ``column``, ``kind``, ``test``, ``statistic``, ``p``, ``p_corrected``, ``effect`` (0 to 1),
            ``missing`` and ``missing_now`` (shares), ``p_missing`` (corrected; 1 where nothing is missing),
            ``verdict`` ("drifted", "no drift", "too small", "not decided"), ``reason``, ``psi``,
            ``jensen_shannon``, ``wasserstein`` (NaN where a distance has no value).
        """
        return self.table.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the size of each column's change against the size that matters; at most the 25 largest.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
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
        new one is noted. Too few rows to ever decide are "not decided".

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
    reference, current = taken(reference, "reference"), taken(current, "current")
    names = asked(reference, alpha, correction, min_effect, test, columns)
    there = set(current.columns)
    found = [
        compare(name, view(reference, name), view(current, name), test=test)
        if name in there
        else Comparison(column=name, kind="gone", why="the column is not there any more", gone=True)
        for name in names
    ]
    if columns is None:
        new = [name for name in current.columns if name not in set(names)]
        found += [Comparison(column=name, kind="new", why="the reference has no such column") for name in new]
    table = judged(found, alpha, correction, min_effect)
    findings = tuple(_finding(row, min_effect) for row in table.to_dict("records"))
    return DriftReport(
        title="Drift, column by column",
        findings=findings,
        table=table,
        alpha=alpha,
        correction=correction,
        min_effect=min_effect,
    )


def taken(table: Any, what: str) -> pd.DataFrame | Profile:
    """Take a table or a profile with rows and columns; refuse anything else."""
    held = table if isinstance(table, Profile) else checked(table, what)
    rows = held.rows if isinstance(held, Profile) else len(held)
    if rows == 0 or len(held.columns) == 0:
        raise ValueError(f"{what} has {rows} rows and {len(held.columns)} columns: nothing to compare")
    return held


def asked(
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
    if correction not in METHODS:
        raise ValueError(f"correction={correction!r}: choose one of {', '.join(METHODS)}")
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


def judged(found: list[Comparison], alpha: float, correction: str, min_effect: float) -> pd.DataFrame:
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
    each: Comparison, p: float, p_missing: float, alpha: float, min_effect: float, tests: int
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
        return "no drift", f"chance alone often does as much (p = {p:.2g})"
    if each.effect < min_effect:
        return "too small", f"no chance (p = {p:.2g}), but smaller than what matters ({min_effect:g})"
    return "drifted", f"no chance (p = {p:.2g}), and large enough to matter"


def _finding(row: dict[Any, Any], min_effect: float) -> Finding:
    states = {"drifted": False, "not decided": None}
    tested = row["test"] != "none"
    noted = row["kind"] in ("time", "text", "new")
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
