"""Is the data whole? A schema learned from good rows, and what is wrong with new ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.monitoring.data.columns import checked_table, listed
from mlops_lab.monitoring.data.sentinels import OUTERMOST, End, stray_moment
from mlops_lab.monitoring.data.two_samples import share_p
from mlops_lab.monitoring.histogram_sketch import MOST
from mlops_lab.report import Finding, Report
from mlops_lab.tables import Column, as_precise, number_text, read_column

__all__ = ["Schema"]

FALSE_ALARMS = 0.05
"""The accepted chance of any fault in a quiet table, shared evenly among all that a schema looks for."""

TRUTHS = frozenset(("True", "False"))

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
    unchecked
        Columns of whose values nothing was checked: not in the schema, without a value when it was learned,
        lists and structs, or too many different texts to know them.

    Examples
    --------
    >>> good = pd.DataFrame({"mass_g": range(100, 200)})
    >>> Schema.infer(good).check(good).issues
    ()
    """

    unchecked: tuple[str, ...] = ()

    @property
    def issues(self) -> tuple[tuple[str, str], ...]:
        """Column and issue of each fault."""
        faults = [each for each in self.findings if isinstance(each, Issue) and each.ok is False]
        return tuple((fault.column, fault.issue) for fault in faults)

    def headline(self) -> str:
        """Name the faults, and the columns of which no value was checked."""
        named = [f"{issue} ({column})" if column else issue for column, issue in self.issues]
        many = f"{len(named)} fault{'s' * (len(named) > 1)}"
        rest = f" Not checked: {listed(self.unchecked)}." if self.unchecked else ""
        return (f"{many}: {', '.join(named[:6])}." if named else "No fault was found.") + rest

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
        "number", "category", "time", "nested" or "empty".
    missing
        Share of rows without a value.
    low, high
        The smallest and largest finite number, or moment in seconds; limits once `hard`.
    hard
        Whether a person set the limits: then a single row beyond them is a fault.
    middle, below, above
        The median, and how the values thin out on either side of it.
    ends, step
        How the values end downwards and upwards; of moments the largest step at both ends.
    categories
        The known categories; None if there are too many to know.
    single
        Rows whose category stood there only once.
    commonest
        Share of the most frequent value among the rows that have one.
    infinite
        Whether infinite values were seen.
    digits
        The significant bits of the numbers.
    text
        Whether numbers were written as texts.
    coded
        Whether the table itself said that numbers are categories.
    """

    kind: str
    missing: float = 0.0
    low: float | None = None
    high: float | None = None
    hard: bool = False
    middle: float = 0.0
    below: Tail | None = None
    above: Tail | None = None
    ends: tuple[End, End] | None = None
    step: float = 0.0
    categories: frozenset[str] | None = None
    single: int = 0
    commonest: float = 1.0
    infinite: bool = False
    digits: int = 53
    text: bool = False
    coded: bool = False

    @property
    def truth(self) -> bool:
        """Whether it holds truth values."""
        return self.kind == "category" and self.categories == TRUTHS

    @property
    def unchecked(self) -> bool:
        """Whether it says nothing about values."""
        return self.kind in ("nested", "empty") or (self.kind == "category" and self.categories is None)


@dataclass(frozen=True)
class Schema:
    """What good rows look like.

    Answers: which columns there are, of which kind, in which range, with which categories, how much is
    missing. What differs is a fault only if chance alone would hardly do it: in a table from the same source
    all faults together come up in less than 5 % of the checks (benchmarks/monitoring_rates.py measures it).
    Values beyond the range are faults if too many come, if one lies so far out that the tail does not reach
    there, or if three rows share one that only a sentinel such as -1 or 999 explains; dates only if they are
    such sentinels (benchmarks/sentinels.py measures it). A column is read by what it means; of its type only
    numbers that arrive as texts are a fault. It cannot know what was never seen: a rare right category that
    all of at least 300 rows happened to lack is taken for a fault, and of fewer rows a new category in a few
    rows is a note. It misleads if the rows that it learned from were not good, or depend on each other.

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
        columns = {name: read_column(table[name]) for name in table.columns}
        rules = {name: _rule(column) for name, column in columns.items()}
        return cls(len(table), rules, _doubled(columns))

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
        columns = {name: read_column(table[name]) for name in table.columns}
        for name, rule in self.rules.items():
            if name not in columns:
                found.append(_issue(name, "missing", "The column is not there.", 1.0))
            else:
                found += _faults(name, rule, columns[name], self.rows, level)
        found += _copies(_doubled(columns), self.duplicates, len(table), self.rows, level)
        blind = {name for name, rule in self.rules.items() if rule.unchecked}
        unchecked = tuple(name for name in table.columns if name in blind or name not in self.rules)
        said = "Nothing that the schema knows of is wrong."
        good = Issue(code="quality.none", title="All columns", ok=True, explanation=said)
        faults = any(each.ok is False for each in found)
        return QualityReport(
            title="Quality of the data", findings=(*(() if faults else (good,)), *found), unchecked=unchecked
        )


# --- learning ----------------------------------------------------------------------------------------------


def _rule(column: Column) -> ColumnRule:
    coded = column.declared and column.kind == "number"
    column = column.as_category() if coded else column
    missing, commonest = float(column.missing.mean()), _commonest(column)
    rule = ColumnRule(column.kind, missing, commonest=commonest, digits=column.digits, text=column.text)
    if column.kind == "number":
        values = column.numbers()
        finite = np.sort(values[np.isfinite(values)])
        rule = replace(rule, infinite=bool(np.isinf(values).any()))
        if not finite.size:
            return rule
        middle = float(np.median(finite))
        low, high = float(finite[0]), float(finite[-1])
        below, above = Tail.of(middle / 2 - finite / 2), Tail.of(finite / 2 - middle / 2)
        ends = End.of(-finite[::-1]), End.of(finite)
        return replace(rule, low=low, high=high, middle=middle, below=below, above=above, ends=ends)
    if column.kind == "time":
        moments = np.unique(_seconds(column))
        steps = np.diff(moments)
        return replace(
            rule,
            low=float(moments[0]),
            high=float(moments[-1]),
            step=float(np.concatenate([steps[:OUTERMOST], steps[-OUTERMOST:]]).max(initial=0.0)),
        )
    if column.kind == "category":
        counts = column.counts()
        names = TRUTHS if column.truth else frozenset(counts)
        single, known = list(counts.values()).count(1), names if len(names) <= MOST else None
        return replace(rule, categories=known, single=single, coded=coded)
    return rule


def _seconds(column: Column) -> np.ndarray[Any, Any]:
    moments = np.asarray(column.values)[~column.missing]
    return moments.astype(np.int64) / 1e6


def _commonest(column: Column) -> float:
    """Give the share of the most frequent value among the rows that have one; 1 if none has."""
    if column.values is None or column.kind == "time":
        counts = np.array(list(column.counts().values()))
    else:
        counts = np.unique(column.values[~column.missing], return_counts=True)[1]
    return float(counts.max() / counts.sum()) if len(counts) else 1.0


# --- checking ----------------------------------------------------------------------------------------------


def _faults(name: str, rule: ColumnRule, column: Column, learned: int, level: float) -> list[Issue]:
    """Find what is wrong with one column."""
    column, rows = _as_learned(rule, column), column.rows
    missing = float(column.missing.mean())
    said = f"{missing:.1%} of the rows have no value; {rule.missing:.1%} had none when all was well."
    found = _grown(name, "missing", said, (missing, rows), (rule.missing, learned), level)
    if "empty" in (rule.kind, column.kind):
        return found
    if rule.kind != column.kind:
        return [*found, _issue(name, "dtype", f"It held {rule.kind} and holds {column.kind}.")]
    if column.kind == "number" and column.text and not rule.text:
        return [*found, _issue(name, "dtype", "It held numbers and holds numbers that are written as texts.")]
    usable, usable_then = rows - int(column.missing.sum()), round(learned * (1 - rule.missing))
    again = max(0, usable - 1)  # the first row's value is given; all others repeat it
    same = share_p(again, again, round(rule.commonest * usable_then), usable_then)
    if rule.commonest < 1 and same < level and _commonest(column) == 1:
        found.append(_issue(name, "constant", "All rows have the same value: is a sensor stuck?"))
    if column.kind == "category" and rule.categories is not None:
        found += _strangers(name, rule, column, learned, level)
    if column.kind == "time" and rule.low is not None and rule.high is not None:
        found += _stray(name, rule, _seconds(column))
    if column.kind == "number":
        values = column.numbers()
        infinite = float(np.isinf(values).mean())
        if infinite and not rule.infinite:
            said = "Infinite values: was something divided by zero?"
            found.append(_issue(name, "infinite", said, infinite))
        values, rule = values[np.isfinite(values)], _rounded(rule, column.digits)
        found += _beyond(name, rule, as_precise(values, rule.digits), learned, level)
    return found


def _as_learned(rule: ColumnRule, column: Column) -> Column:
    """Read a column as the kind that was learned, where what it means allows it."""
    if rule.kind == "number" and column.truth:
        return column.read_as("number")
    if rule.kind == "category" and column.kind in ("number", "time"):
        if rule.truth and column.kind == "number":
            return column.as_truth()
        if rule.coded or column.codes is not None:
            return column.as_category()
    return column


def _rounded(rule: ColumnRule, digits: int) -> ColumnRule:
    """Give a rule in the coarser of two float types; limits that a person set stay."""
    if rule.low is None or rule.high is None or rule.hard or digits >= rule.digits:
        return rule
    low, high = as_precise(np.array([rule.low, rule.high]), digits).tolist()
    ends = rule.ends and (replace(rule.ends[0], last=-low), replace(rule.ends[1], last=high))
    return replace(rule, low=low, high=high, ends=ends, digits=digits)


def _strangers(name: str, rule: ColumnRule, column: Column, learned: int, level: float) -> list[Issue]:
    """Find categories that were never seen, and say whether rare ones explain them."""
    counts, known = column.counts(), rule.categories or frozenset()
    if rule.coded and column.digits != rule.digits:
        digits = min(column.digits, rule.digits)
        known = frozenset(number_text(float(each), digits) for each in known)
        counts = {number_text(float(each), digits): count for each, count in counts.items()}
    new = [category for category in counts if category not in known]
    if not new:
        return []
    now, rows = sum(counts[category] for category in new), len(column.missing)
    said = f"Categories never seen before: {len(new)}, such as {new[0]!r}, in {now} of {rows} rows."
    complete = rule.single == 0 and learned >= COMPLETE_ROWS
    if complete or share_p(now, rows, rule.single, learned) < level:
        return [_issue(name, "new_category", said, now / rows)]
    said += f" A rare one may well be missing from the {learned} rows that the schema was learned from."
    return [_issue(name, "new_category", said, now / rows, fault=False)]


def _stray(name: str, rule: ColumnRule, moments: np.ndarray[Any, Any]) -> list[Issue]:
    """Find a date that a few rows share far from all others: one that was written for a missing one."""
    low, high = rule.low or 0.0, rule.high or 0.0
    stray = stray_moment(rule.step, low, high, moments)
    if stray is None:
        return []
    share = float((moments == stray).mean())
    first, last, such = (str(np.datetime64(int(each), "s"))[:10] for each in (low, high, stray))
    said = (
        f"{share:.1%} of the rows have the date {such}, far from all others; learned were {first} to {last}."
    )
    return [_issue(name, "out_of_range", said, share)]


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
        if chance >= level and not wild and not _sentinel(rule, values, level):
            return []
    worst = values.min() if counts[0] > counts[1] else values.max()
    said = f"{outside} of {values.size} rows lie outside {low:.4g} to {high:.4g}, such as {worst:.4g}."
    return [_issue(name, "out_of_range", said, outside / values.size)]


def _sentinel(rule: ColumnRule, values: np.ndarray[Any, Any], level: float) -> bool:
    if rule.ends is None:
        return False
    ways = ((rule.ends[0], rule.below, -1.0), (rule.ends[1], rule.above, 1.0))
    for end, tail, sign in ways:

        def chance(value: float, rows: int, tail: Tail | None = tail, sign: float = sign) -> float:
            distance = value / 2 - sign * rule.middle / 2
            return 1.0 if tail is None else tail.chance(distance, values.size, rows)

        if end.sentinel(sign * values, level, chance) is not None:
            return True
    return False


def _grown(
    name: str, issue: str, said: str, now: tuple[float, int], then: tuple[float, int], level: float
) -> list[Issue]:
    """Report a share that is larger than it was: a fault if by more than chance, a note if from none."""
    (share, rows), (before, learned) = now, then
    if share - before < MATTERS:
        return []
    if share_p(round(share * rows), rows, round(before * learned), learned) < level:
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


def _doubled(columns: Mapping[str, Column]) -> float:
    """Give the share of rows that stood there before, whatever their columns are stored as."""
    held = [column.codes if column.values is None else column.values for column in columns.values()]
    return float(pd.DataFrame(dict(enumerate(held))).duplicated().mean())


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


def _copies_p(now: int, rows: int, then: int, learned: int) -> float:
    """Bound the chance of at least `now` rows that stood there before, if `then` of the learned ones did.

    Twice the rows make up to four times the pairs, so a larger table has a larger share of equal rows.
    """
    from scipy import stats

    part = max(rows / (rows + learned), rows**2 / (rows**2 + learned**2))
    return float(stats.binom.sf(now - 1, now + then, part))
