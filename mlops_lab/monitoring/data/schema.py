"""Is the data whole? A schema learned from good rows, and what is wrong with new ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.monitoring.data.columns import category_counts, checked_table, kind_of, numbers_of
from mlops_lab.monitoring.histogram_sketch import MOST
from mlops_lab.report import Finding, Report

__all__ = ["Schema"]

FALSE_ALARMS = 0.05
"""The accepted chance of any fault in a quiet table, shared evenly among all that a schema looks for."""

MATTERS = 0.01
"""A share of missing or doubled rows must rise by so much to be a fault, however sure the rise is."""

COMPLETE_ROWS = 300
"""A list of categories learned from so many rows, none of which stood there once, is taken to be complete."""

TAIL = 20
"""How many of the outermost rows tell how fast a column's values thin out; a tenth of a small table."""

FAR = {1: 7.0, 2: 3.0, 4: 2.0, 8: 1.5}
"""So many rows are judged together, if all lie so many times as far from the median as any learned row."""


@dataclass(frozen=True, kw_only=True)
class Issue(Finding):
    """One fault of the data.

    Parameters
    ----------
    column
        Where; empty for whole rows.
    issue
        "missing", "new_category", "out_of_range", "constant", "infinite", "dtype" or "duplicate_rows".
        One that chance may have made (`ok` is None) is a note, no fault.

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
        many = f"{len(named)} fault{'s' * (len(named) > 1)}"
        return f"{many}: {', '.join(named[:6])}." if named else "No fault was found."

    def frame(self) -> pd.DataFrame:
        """Give one row for each finding, with ``column`` and ``issue`` first."""
        table = super().frame()
        table.insert(0, "column", [getattr(each, "column", "") for each in self.findings])
        table.insert(1, "issue", [getattr(each, "issue", "") for each in self.findings])
        return table


@dataclass(frozen=True)
class ColumnRule:
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
    middle, below, above
        The median, and how the values thin out on either side of it.
    categories
        The known categories; None if there are too many to know.
    single
        Rows whose category stood there only once.
    commonest
        Share of the most frequent value among the rows that have one.
    infinite
        Whether infinite values were seen.
    """

    kind: str
    missing: float = 0.0
    low: float | None = None
    high: float | None = None
    hard: bool = False
    middle: float = 0.0
    below: Tail | None = None
    above: Tail | None = None
    categories: frozenset[str] | None = None
    single: int = 0
    commonest: float = 1.0
    infinite: bool = False


@dataclass(frozen=True)
class Schema:
    """What good rows look like.

    Answers: which columns there are, of which kind, in which range, with which categories, how much is
    missing. What differs is a fault only if chance alone would hardly do it: in a table from the same source
    all faults together come up in less than 5 % of the checks (benchmarks/monitoring_rates.py measures it).
    Values beyond the range are faults if too many come, or if one lies so far out that the tail does not
    reach there. It cannot know what was never seen: a rare right category that all of at least 300 rows
    happened to lack is taken for a fault, and of fewer rows a new category in a few rows is a note. It
    misleads if the rows that it learned from were not good, or depend on each other.

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
    >>> schema = Schema.infer(pd.DataFrame({"mass_g": range(1000, 1400), "sort": list("ab") * 200}))
    >>> schema.check(pd.DataFrame({"mass_g": [1150, 1160, None, None], "sort": list("abac")})).issues
    (('mass_g', 'missing'), ('sort', 'new_category'))
    >>> schema.with_("mass_g", low=0, high=1300).check(pd.DataFrame({"mass_g": [1390], "sort": ["a"]})).issues
    (('mass_g', 'out_of_range'),)

    Notes
    -----
    Shares are compared by Fisher's exact test, each at the accepted 5 % divided by the number of questions
    (Bonferroni). New categories are held against the rows whose category stood there only once (Good 1953).
    How far out a value may lie is told by the outermost rows (Hill 1975, Weissman 1978).
    """

    rows: int
    rules: Mapping[str, ColumnRule]
    duplicates: float = 0.0

    @classmethod
    def infer(cls, frame: pd.DataFrame) -> Schema:
        """Learn from good rows, which a person has looked at."""
        table = checked_table(frame, "the table")
        if table.empty:
            raise ValueError(f"{len(table)} rows and {table.shape[1]} columns: a schema is learned from rows")
        rules = {name: _rule(table[name]) for name in table.columns}
        return cls(len(table), rules, float(_doubled(table).mean()))

    def with_(self, column: str, *, low: float | None = None, high: float | None = None) -> Schema:
        """Give the schema with limits that a person knows for a column of numbers; this one stays as it is.

        Both limits are included; None sets none at that end.
        """
        if column not in self.rules or self.rules[column].kind != "number":
            known = [name for name, rule in self.rules.items() if rule.kind == "number"]
            raise ValueError(f"{column!r} is no column of numbers; there are {', '.join(known)}")
        rule = replace(self.rules[column], low=low, high=high, hard=True)
        return replace(self, rules={**self.rules, column: rule})

    def check(self, frame: pd.DataFrame) -> QualityReport:
        """Hold new rows against the schema: any table with rows, however broken."""
        table = checked_table(frame, "the table")
        if len(table) == 0:
            raise ValueError("the table has no rows: nothing to check")
        level = FALSE_ALARMS / (1 + sum(6 if rule.kind == "number" else 3 for rule in self.rules.values()))
        found: list[Issue] = []
        for name, rule in self.rules.items():
            if name not in table.columns:
                found.append(_issue(name, "missing", "The column is not there.", 1.0))
            else:
                found += _faults(name, rule, table[name], self.rows, level)
        found += _copies(float(_doubled(table).mean()), self.duplicates, len(table), self.rows, level)
        said = "Nothing that the schema knows of is wrong."
        good = Issue(code="quality.none", title="All columns", ok=True, explanation=said)
        faults = any(each.ok is False for each in found)
        return QualityReport(title="Quality of the data", findings=(*(() if faults else (good,)), *found))


# --- learning ----------------------------------------------------------------------------------------------


def _rule(series: pd.Series[Any]) -> ColumnRule:
    kind, missing = kind_of(series), float(series.isna().mean())
    commonest = _commonest(series)
    if kind == "number":
        values = numbers_of(series)
        finite = values[np.isfinite(values)]
        infinite = bool(np.isinf(values).any())
        if not finite.size:
            return ColumnRule(kind, missing, commonest=commonest, infinite=infinite)
        middle = float(np.median(finite))
        low, high = float(finite.min()), float(finite.max())
        below, above = Tail.of(middle / 2 - finite / 2), Tail.of(finite / 2 - middle / 2)
        rule = ColumnRule(kind, missing, low, high, middle=middle, below=below, above=above)
        return replace(rule, commonest=commonest, infinite=infinite)
    if kind == "category":
        counts, truth = category_counts(series), pd.api.types.is_bool_dtype(series.dtype)
        names = frozenset(counts) | (frozenset(("True", "False")) if truth else frozenset())
        single, known = list(counts.values()).count(1), names if len(names) <= MOST else None
        return ColumnRule(kind, missing, categories=known, single=single, commonest=commonest)
    return ColumnRule(kind, missing, commonest=commonest)


def _commonest(series: pd.Series[Any]) -> float:
    """Give the share of the most frequent value among the rows that have one; 1 if none has."""
    values = series.dropna()
    if not len(values):
        return 1.0
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biufmM":
        return float(np.unique(values.to_numpy(), return_counts=True)[1].max() / len(values))
    try:
        counts = values.value_counts(sort=False)
    except TypeError:  # cells that cannot be hashed
        counts = values.astype(str).value_counts(sort=False)
    return float(counts.max() / len(values))


# --- checking ----------------------------------------------------------------------------------------------


def _faults(name: str, rule: ColumnRule, series: pd.Series[Any], learned: int, level: float) -> list[Issue]:
    """Find what is wrong with one column."""
    kind, rows = kind_of(series), len(series)
    missing = float(series.isna().mean())
    said = f"{missing:.1%} of the rows have no value; {rule.missing:.1%} had none when all was well."
    found = _grown(name, "missing", said, (missing, rows), (rule.missing, learned), level)
    if kind == "empty":
        return found
    if rule.kind not in (kind, "empty"):
        return [*found, _issue(name, "dtype", f"It held {rule.kind} and holds {kind}.")]
    usable, usable_then = int(series.notna().sum()), round(learned * (1 - rule.missing))
    again = max(0, usable - 1)  # the first row's value is given; all others repeat it
    same = _share_p(again, again, round(rule.commonest * usable_then), usable_then)
    if rule.commonest < 1 and same < level and _commonest(series) == 1:
        found.append(_issue(name, "constant", "All rows have the same value: is a sensor stuck?"))
    if kind == "category" and rule.categories is not None:
        found += _strangers(name, rule, series, learned, level)
    if kind == "number":
        values = numbers_of(series)
        infinite = float(np.isinf(values).mean())
        if infinite and not rule.infinite:
            said = "Infinite values: was something divided by zero?"
            found.append(_issue(name, "infinite", said, infinite))
        found += _beyond(name, rule, values[np.isfinite(values)], learned, level)
    return found


def _strangers(
    name: str, rule: ColumnRule, series: pd.Series[Any], learned: int, level: float
) -> list[Issue]:
    """Find categories that were never seen, and say whether rare ones explain them."""
    counts = category_counts(series)
    new = [category for category in counts if category not in (rule.categories or ())]
    if not new:
        return []
    now, rows = sum(counts[category] for category in new), len(series)
    said = f"Categories never seen before: {len(new)}, such as {new[0]!r}, in {now} of {rows} rows."
    complete = rule.single == 0 and learned >= COMPLETE_ROWS
    if complete or _share_p(now, rows, rule.single, learned) < level:
        return [_issue(name, "new_category", said, now / rows)]
    said += f" A rare one may well be missing from the {learned} rows that the schema was learned from."
    return [_issue(name, "new_category", said, now / rows, fault=False)]


def _beyond(
    name: str, rule: ColumnRule, values: np.ndarray[Any, Any], learned: int, level: float
) -> list[Issue]:
    """Find values beyond the range: any beyond a hard limit; else too many, or one too far out."""
    low = -np.inf if rule.low is None else rule.low
    high = np.inf if rule.high is None else rule.high
    counts = int((values < low).sum()), int((values > high).sum())
    outside = sum(counts)
    if outside == 0:
        return []
    if not rule.hard:
        # If nothing has changed, k new rows beyond the largest of the old ones come with at most this chance.
        chance = (values.size / (values.size + learned)) ** max(counts)
        beyond = values / 2 - rule.middle / 2  # halves: no difference of numbers is too large
        ends = (rule.below, -beyond), (rule.above, beyond)
        wild = any(end is not None and end.too_far(distances, level) for end, distances in ends)
        if chance >= level and not wild:
            return []
    worst = values.min() if counts[0] > counts[1] else values.max()
    said = f"{outside} of {values.size} rows lie outside {low:.4g} to {high:.4g}, such as {worst:.4g}."
    return [_issue(name, "out_of_range", said, outside / values.size)]


def _grown(
    name: str, issue: str, said: str, now: tuple[float, int], then: tuple[float, int], level: float
) -> list[Issue]:
    """Report a share that is larger than it was: a fault if by more than chance, a note if from none."""
    (share, rows), (before, learned) = now, then
    if share - before < MATTERS:
        return []
    if _share_p(round(share * rows), rows, round(before * learned), learned) < level:
        return [_issue(name, issue, said, share)]
    return [_issue(name, issue, said, share, fault=False)] if before == 0 else []


def _copies(share: float, before: float, rows: int, learned: int, level: float) -> list[Issue]:
    """Find more rows that stood there before than there were, given that more rows make more pairs."""
    if share - before * max(1, rows / learned) < MATTERS:
        return []
    now, then = round(share * rows), round(before * learned)
    sure = _copies_p(now, rows, then, learned) < level
    said = f"{share:.1%} of the rows stood there before; {before:.1%} did when all was well."
    found = [_issue("", "duplicate_rows", said, share, title="whole rows", fault=sure)]
    return found if sure or before == 0 else []


def _doubled(table: pd.DataFrame) -> pd.Series[Any]:
    try:
        return table.duplicated()
    except TypeError:  # cells that cannot be hashed
        return table.astype(str).duplicated()


def _issue(
    column: str, issue: str, said: str, share: float | None = None, *, title: str = "", fault: bool = True
) -> Issue:
    return Issue(
        code=f"quality.{issue}",
        title=title or column,
        ok=False if fault else None,
        explanation=said if fault else f"{said} Chance may have done it.",
        statistic="share of rows" if share is not None else "",
        value=share,
        severity="warning" if fault else "note",
        column=column,
        issue=issue,
    )


# --- what chance alone does: values far out, shares that differ, rows that repeat --------------------------


@dataclass(frozen=True)
class Tail:
    """How fast the values of a column thin out at one end, so that a few far out can be judged.

    Parameters
    ----------
    share
        Share of the rows that lie in the tail.
    rows
        How many that were.
    start, end
        Where it begins, and the outermost row, as distances from the median.
    spread
        How far the tail's rows lie beyond its start, on the average: as a difference if `heavy` is False, as
        a difference of logarithms if it is True (Hill 1975).
    heavy
        Whether the distances from the median vary more than exponential ones do.
    """

    share: float
    rows: int
    start: float
    end: float
    spread: float
    heavy: bool

    @classmethod
    def of(cls, distances: np.ndarray[Any, Any]) -> Tail | None:
        """Learn from distances to the median, those on its other side being negative; None of too few."""
        far = np.sort(distances)[::-1]
        beyond = far[far > 0]
        rows = min(TAIL, far.size // 10, beyond.size - 1)
        if rows < 1:
            return None
        with np.errstate(over="ignore"):
            heavy = bool(beyond.std() > beyond.mean())
        steps = np.log(far[:rows]) - np.log(far[rows]) if heavy else far[:rows] - far[rows]
        # Equal rows, such as counts of one, tell only that the next step is no smaller than the last.
        spread = float(steps.mean()) or (math.log(2) if heavy else float(far[rows]))
        return cls(rows / far.size, rows, float(far[rows]), float(far[0]), spread, heavy)

    def chance(self, distance: float, rows: int, reached: int = 1) -> float:
        """Bound the chance that so many of the new rows lie at least so far from the median.

        Right for exponential tails, and if `heavy` for those that fall like a power, with what the few rows
        cannot tell about their spread taken into account; an upper bound for tails that fall faster.
        """
        if distance <= self.start:
            return 1.0
        beyond = np.log(distance) - np.log(self.start) if self.heavy else distance - self.start
        thinned = -self.rows * math.log1p(reached * float(beyond) / self.spread / self.rows)
        drawn = reached * math.log(rows * self.share) - math.lgamma(reached + 1)
        return math.exp(min(0.0, drawn + thinned))

    def too_far(self, distances: np.ndarray[Any, Any], level: float) -> bool:
        """Say whether one, two, four or eight of the new rows lie farther out than the tail reaches."""
        far = np.sort(distances)[::-1]
        return any(
            far.size >= few
            and far[few - 1] > times * self.end
            and self.chance(float(far[few - 1]), far.size, few) < level / len(FAR)
            for few, times in FAR.items()
        )


def _share_p(now: int, rows: int, then: int, learned: int) -> float:
    """Give the chance of at least `now` of the rows, if their share is that of `then` in the learned ones.

    Fisher's exact test (1935).
    """
    from scipy import stats

    table = np.array([[now, rows - now], [then, learned - then]])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def _copies_p(now: int, rows: int, then: int, learned: int) -> float:
    """Bound the chance of at least `now` rows that stood there before, if `then` of the learned ones did.

    Twice the rows make up to four times the pairs, so a larger table has a larger share of equal rows.
    """
    from scipy import stats

    part = max(rows / (rows + learned), rows**2 / (rows**2 + learned**2))
    return float(stats.binom.sf(now - 1, now + then, part))
