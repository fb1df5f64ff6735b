"""Is the data whole? A schema learned from good rows, and what is wrong with new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.monitoring.columns import category_counts, kind_of, numbers_of
from mlops_lab.monitoring.profile import checked
from mlops_lab.monitoring.sketches import MOST
from mlops_lab.report import Finding, Report

__all__ = ["Issue", "QualityReport", "Rule", "Schema"]

CHANCE = 1e-3
"""A share of missing or doubled rows, or of rows beyond both ends, is a fault if chance does it so rarely."""


@dataclass(frozen=True, kw_only=True)
class Issue(Finding):
    """One fault of the data.

    Parameters
    ----------
    column
        Where; empty for whole rows.
    issue
        "missing", "new_category", "out_of_range", "constant", "infinite", "dtype" or "duplicate_rows".

    Examples
    --------
    >>> Issue(code="quality.constant", title="sugar", ok=False, explanation="x", column="sugar",
    ...     issue="constant").issue
    'constant'
    """

    column: str = ""
    issue: str = ""


@dataclass(frozen=True, kw_only=True)
class QualityReport(Report):
    """The faults of one table.

    Parameters
    ----------
    findings
        `Issue` objects; a single one, in order, if no fault was found.

    Examples
    --------
    >>> good = pd.DataFrame({"mass_g": range(100, 200)})
    >>> Schema.infer(good).check(good).issues
    ()
    """

    @property
    def issues(self) -> tuple[tuple[str, str], ...]:
        """Column and issue of each fault."""
        faults = [each for each in self.findings if isinstance(each, Issue) and each.ok is False]
        return tuple((fault.column, fault.issue) for fault in faults)

    def headline(self) -> str:
        """Name the faults."""
        named = [f"{issue} ({column})" if column else issue for column, issue in self.issues]
        return f"{len(named)} faults: {', '.join(named[:6])}." if named else "No fault was found."

    def frame(self) -> pd.DataFrame:
        """Give one row for each finding, with ``column`` and ``issue`` first."""
        table = super().frame()
        table.insert(0, "column", [getattr(each, "column", "") for each in self.findings])
        table.insert(1, "issue", [getattr(each, "issue", "") for each in self.findings])
        return table


@dataclass(frozen=True)
class Rule:
    """What is known of a good column.

    Parameters
    ----------
    kind
        "number", "category", "time" or "empty".
    missing
        Share of rows without a value.
    low, high
        The smallest and largest finite number; limits once `hard`.
    hard
        Whether a person set the limits: then a single row beyond them is a fault.
    categories
        The known categories; None if there are too many to know.
    varied
        Whether there were different values.
    infinite
        Whether infinite values were seen.

    Examples
    --------
    >>> Rule(kind="number", low=0.0, high=9.0).high
    9.0
    """

    kind: str
    missing: float = 0.0
    low: float | None = None
    high: float | None = None
    hard: bool = False
    categories: frozenset[str] | None = None
    varied: bool = True
    infinite: bool = False


@dataclass(frozen=True)
class Schema:
    """What good rows look like.

    Answers: which columns there are, of which kind, in which range, with which categories, how much is
    missing. It cannot know what was never seen: rare but right values beyond the range it learned are taken
    for faults only if too many come, or one lies three ranges away. It misleads if the rows that it learned
    from were not good.

    Parameters
    ----------
    rows
        How many rows it was learned from.
    rules
        Column -> what is known.
    duplicates
        Share of rows that stood there before.

    Examples
    --------
    >>> schema = Schema.infer(pd.DataFrame({"mass_g": range(100, 200), "sort": ["a", "b"] * 50}))
    >>> schema.check(pd.DataFrame({"mass_g": [150, None], "sort": ["a", "c"]})).issues
    (('mass_g', 'missing'), ('sort', 'new_category'))
    >>> schema.with_("mass_g", low=0, high=180).check(pd.DataFrame({"mass_g": [190], "sort": ["a"]})).issues
    (('mass_g', 'out_of_range'),)
    """

    rows: int
    rules: Mapping[str, Rule]
    duplicates: float = 0.0

    @classmethod
    def infer(cls, frame: pd.DataFrame) -> Schema:
        """Learn from good rows.

        Parameters
        ----------
        frame
            Rows that a person has looked at.

        Returns
        -------
        Schema
            What they look like.

        Raises
        ------
        ValueError
            If there are no rows or no columns.
        """
        table = checked(frame, "the table")
        if table.empty:
            raise ValueError(f"{len(table)} rows and {table.shape[1]} columns: a schema is learned from rows")
        rules = {name: _rule(table[name]) for name in table.columns}
        return cls(len(table), rules, float(_doubled(table).mean()))

    def with_(self, column: str, *, low: float | None = None, high: float | None = None) -> Schema:
        """Give the schema with limits that a person knows; this one stays as it is.

        Parameters
        ----------
        column
            A column of numbers.
        low, high
            The limits, both included; None sets none at that end.

        Returns
        -------
        Schema
            With hard limits: a single row beyond them is a fault.

        Raises
        ------
        ValueError
            If there is no such column of numbers.
        """
        if column not in self.rules or self.rules[column].kind != "number":
            known = [name for name, rule in self.rules.items() if rule.kind == "number"]
            raise ValueError(f"{column!r} is no column of numbers; there are {', '.join(known)}")
        rule = replace(self.rules[column], low=low, high=high, hard=True)
        return replace(self, rules={**self.rules, column: rule})

    def check(self, frame: pd.DataFrame) -> QualityReport:
        """Hold new rows against the schema.

        Parameters
        ----------
        frame
            The rows; any table, however broken.

        Returns
        -------
        QualityReport
            One `Issue` for each fault.

        Raises
        ------
        TypeError
            If it is no DataFrame.
        ValueError
            If there are no rows.
        """
        table = checked(frame, "the table")
        if len(table) == 0:
            raise ValueError("the table has no rows: nothing to check")
        found: list[Issue] = []
        for name, rule in self.rules.items():
            if name not in table.columns:
                found.append(_issue(name, "missing", "The column is not there.", 1.0))
            else:
                found += _faults(name, rule, table[name], self.rows)
        share = float(_doubled(table).mean())
        if _rare(share, self.duplicates, len(table), self.rows):
            said = f"{share:.1%} of the rows stood there before; {self.duplicates:.1%} did when all was well."
            found.append(_issue("", "duplicate_rows", said, share, title="whole rows"))
        said = "Nothing that the schema knows of is wrong."
        good = Issue(code="quality.none", title="All columns", ok=True, explanation=said)
        return QualityReport(title="Quality of the data", findings=tuple(found) or (good,))


def _rule(series: pd.Series[Any]) -> Rule:
    kind, missing = kind_of(series), float(series.isna().mean())
    if kind == "number":
        values = numbers_of(series)
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
        infinite = bool(np.isinf(values).any())
        return Rule(kind, missing, low, high, varied=low != high, infinite=infinite)
    if kind == "category":
        names = frozenset(category_counts(series))
        return Rule(kind, missing, categories=names if len(names) <= MOST else None, varied=len(names) > 1)
    return Rule(kind, missing, varied=kind == "time")


def _faults(name: str, rule: Rule, series: pd.Series[Any], learned: int) -> list[Issue]:
    """Find what is wrong with one column."""
    found = []
    kind, rows = kind_of(series), len(series)
    missing = float(series.isna().mean())
    if _rare(missing, rule.missing, rows, learned):
        said = f"{missing:.1%} of the rows have no value; {rule.missing:.1%} had none when all was well."
        found.append(_issue(name, "missing", said, missing))
    if kind == "empty":
        return found
    if rule.kind not in (kind, "empty"):
        return [*found, _issue(name, "dtype", f"It held {rule.kind} and holds {kind}.")]
    different = series.dropna().astype(str).nunique() if kind == "category" else series.dropna().nunique()
    if rule.varied and different == 1 and series.notna().sum() >= 20:
        found.append(_issue(name, "constant", "All rows have the same value: is a sensor stuck?"))
    if kind == "category" and rule.categories is not None:
        counts = category_counts(series)
        new = [category for category in counts if category not in rule.categories]
        if new:
            share = sum(counts[category] for category in new) / rows
            said = f"{len(new)} categories were never seen before, such as {new[0]!r}."
            found.append(_issue(name, "new_category", said, share))
    if kind == "number":
        values = numbers_of(series)
        infinite = float(np.isinf(values).mean())
        if infinite and not rule.infinite:
            said = "Infinite values: was something divided by zero?"
            found.append(_issue(name, "infinite", said, infinite))
        found += _beyond(name, rule, values[np.isfinite(values)], learned)
    return found


def _beyond(name: str, rule: Rule, values: np.ndarray[Any, Any], learned: int) -> list[Issue]:
    low = -np.inf if rule.low is None else rule.low
    high = np.inf if rule.high is None else rule.high
    if not values.size or (rule.low is None and rule.high is None):
        return []
    counts = int((values < low).sum()), int((values > high).sum())
    outside = sum(counts)
    fault = outside > 0
    if not rule.hard:
        # If nothing has changed, k new rows beyond the largest of the old ones come with at most this chance.
        chance = (values.size / (values.size + learned)) ** max(counts)
        far = 3 * (high - low)
        wild = bool((values < low - far).any() or (values > high + far).any()) and high > low
        fault = outside > 0 and (chance < CHANCE or wild)
    if not fault:
        return []
    worst = values.min() if counts[0] > counts[1] else values.max()
    said = f"{outside} rows lie outside {low:.4g} to {high:.4g}, such as {worst:.4g}."
    return [_issue(name, "out_of_range", said, outside / values.size)]


def _rare(share: float, before: float, rows: int, learned: int) -> bool:
    """Say whether a share is larger than it was, by more than chance and by a point or more."""
    if share <= before:
        return False
    from scipy import stats

    now, then = round(share * rows), round(before * learned)
    if then == 0 and before == 0 and rows < 200:
        return True  # never a single one before: one is enough to ask
    table = np.array([[now, rows - now], [then, learned - then]])
    p = stats.fisher_exact(table, alternative="greater").pvalue
    return bool(p < CHANCE and share - before >= 0.01)


def _doubled(table: pd.DataFrame) -> pd.Series[Any]:
    try:
        return table.duplicated()
    except TypeError:  # cells that cannot be hashed
        return table.astype(str).duplicated()


def _issue(column: str, issue: str, said: str, share: float | None = None, title: str = "") -> Issue:
    return Issue(
        code=f"quality.{issue}",
        title=title or column,
        ok=False,
        explanation=said,
        statistic="share of rows" if share is not None else "",
        value=share,
        column=column,
        issue=issue,
    )
