"""Has the data moved in a way that no single column shows? A classifier tries to tell now from before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops_lab.monitoring.data.columns import checked_table, listed
from mlops_lab.monitoring.data.profile import Profile
from mlops_lab.monitoring.data.two_samples import mostly_single
from mlops_lab.report import Finding, Report
from mlops_lab.tables import Column, aligned_columns, read_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["joint_drift"]

Floats = NDArray[np.float64]
Encoded = tuple[Floats, list[tuple[str, ...]]]

FOLDS = 5
FEWEST = 20
MOST_LEVELS = 6
MOST_PAIRED = 40
"""Encoded columns that are paired with each other; further ones stand alone."""

SOURCE = "classifier two-sample test, Lopez-Paz and Oquab 2017; p-value by permutation, Fisher 1935"


@dataclass(frozen=True, kw_only=True)
class JointReport(Report):
    """Whether a classifier can tell the two tables apart, and by what.

    Parameters
    ----------
    auc
        Chance that it ranks a row of now above a row of before: 0.5 is a coin, 1 is certain.
    p
        Chance of such a classifier if nothing has changed.
    by
        What it can tell them apart by, the clearest first: a column, or two columns that together show it.
        One row each: ``columns``, ``z``. Empty where nothing stands out.
    alpha, min_auc
        How it was decided.
    left_out
        Columns that were not looked at, each with the reason.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.normal(size=(3, 400))
    >>> before = pd.DataFrame({"a": a, "b": 0.9 * a + 0.4 * b, "c": noise})
    >>> report = joint_drift(before, before.assign(b=-before["b"]))
    >>> report.drifted, report.columns
    (True, ('a', 'b'))
    """

    auc: float
    p: float
    by: pd.DataFrame
    alpha: float
    min_auc: float
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def drifted(self) -> bool:
        """Whether the tables differ, all columns taken together."""
        return self.findings[0].ok is False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns by which the tables can be told apart, the clearest first."""
        return tuple(dict.fromkeys(name for names in self.by["columns"] for name in names.split(" x ")))

    def headline(self) -> str:
        """Say whether they can be told apart, and by what, and name the columns that were not looked at."""
        rest = f" Not compared: {listed(self.left_out)}." if self.left_out else ""
        if self.findings[0].ok is None:
            return f"Nothing could be compared.{rest}"
        if not self.drifted:
            return f"A classifier cannot tell now from before.{rest}"
        found = ", ".join(self.by["columns"].head(3)) or "nothing that stands out alone"
        return f"A classifier tells now from before (AUC {self.auc:.2f}, p = {self.p:.2g}), by {found}.{rest}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what the tables can be told apart by; at most the 12 clearest."""
        from mlops_lab import plots

        if self.by.empty:
            raise ValueError("nothing stands out: there is nothing to draw; print the report")
        clearest = self.by.head(12).set_index("columns")["z"].abs()
        drawn = pd.DataFrame({"value": clearest, "low": clearest, "high": clearest, "ok": False})
        return plots.intervals(drawn, xlabel="difference of means (standard errors)", title=self.title, ax=ax)


def joint_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    alpha: float = 0.05,
    min_auc: float = 0.53,
    columns: Iterable[str] | None = None,
    max_rows: int = 2000,
    permutations: int = 199,
    seed: int = 0,
) -> JointReport:
    """Let a classifier try to tell the rows of now from those of before, on rows that it did not learn from.

    Answers: do the tables differ in any column or any *pair* of columns together? The classifier is linear in
    the columns' ranks and in the products of their pairs, so it sees two columns turn around each other, and
    not what needs three. Its p-value is honest whatever the data: all is repeated with the two tables' rows
    shuffled, and p is the share of shuffles that do as well. It cannot say whether a change does harm. It
    misleads where rows depend on each other.

    Parameters
    ----------
    reference, current
        The rows before and now. A profile does not do: it has no rows.
    alpha
        The accepted chance of a false alarm.
    min_auc
        The least chance of ranking a row of now above one of before that matters.
    columns
        Look at these alone; by default at all that both have.
    max_rows
        More rows than that in a table are drawn at random.
    permutations
        How many shuffles; the smallest p-value is ``1 / (permutations + 1)``.
    seed
        For folds, drawing and shuffling.

    Returns
    -------
    JointReport
        AUC, p-value and what gives the difference away. Not decided with under 20 rows in a table, or where
        there is no column to compare.

    Raises
    ------
    TypeError
        If one of the two is no DataFrame.
    ValueError
        If one has no rows, no column is shared, or an argument is out of range.

    Notes
    -----
    Lopez-Paz and Oquab 2017, *Revisiting classifier two-sample tests*. `by` lists columns and pairs whose
    means differ by more than the largest difference in all but alpha of the shuffles (Westfall and Young
    1993).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame(rng.normal(size=(600, 3)), columns=["a", "b", "c"])
    >>> joint_drift(rows.head(300), rows.tail(300)).drifted
    False

    Taught in notebooks/07_monitoring_data.ipynb.
    """
    tables, left_out = _tables(reference, current, columns)
    if not (0 < alpha < 1 and 0.5 <= min_auc <= 1):
        raise ValueError(f"alpha={alpha!r}, min_auc={min_auc!r}: give 0 < alpha < 1 and 0.5 <= min_auc <= 1")
    if permutations < 1 / alpha - 1:
        raise ValueError(f"permutations={permutations!r}: at least {1 / alpha - 1:.0f} for alpha={alpha:g}")
    if max_rows < FEWEST:
        raise ValueError(f"max_rows={max_rows!r}: at least {FEWEST} are needed")
    rng = np.random.default_rng(seed)
    drawn = [
        table.iloc[np.sort(rng.choice(len(table), max_rows, replace=False))]
        if len(table) > max_rows
        else table
        for table in tables
    ]
    rows = len(drawn[0]) + len(drawn[1])
    is_now = np.repeat([0.0, 1.0], [len(drawn[0]), len(drawn[1])])
    pairs, unread = _read(*drawn)
    left_out |= unread
    values, found = _paired(*_encoded(pairs, rows))
    if min(map(len, drawn)) < FEWEST or not found:
        why = f"{len(drawn[0])} and {len(drawn[1])} rows, {len(found)} usable columns: too few"
        nothing = pd.DataFrame({"columns": [], "z": []})
        return _report(0.5, 1.0, nothing, alpha, min_auc, why, left_out)
    labels = np.column_stack([is_now, *(rng.permutation(is_now) for _ in range(permutations))])
    places = rng.permutation(rows) % FOLDS
    auc = _areas(_scores(values, labels, places), labels)
    z = _differences(values, labels)
    limit = float(np.quantile(np.abs(z[:, 1:]).max(axis=0), 1 - alpha, method="higher"))
    by = pd.DataFrame({"columns": [" x ".join(each) for each in found], "z": z[:, 0]})
    by = by[by["z"].abs() > limit].sort_values("z", key=lambda each: -each.abs(), kind="stable")
    by = by.drop_duplicates("columns").reset_index(drop=True)
    p = float((1 + (auc[1:] >= auc[0]).sum()) / (1 + permutations))
    return _report(float(auc[0]), p, by, alpha, min_auc, "", left_out)


def _tables(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str] | None
) -> tuple[list[pd.DataFrame], dict[str, str]]:
    """Give both tables with the columns asked for, and name those that only one of them has."""
    tables = []
    for what, table in (("reference", reference), ("current", current)):
        if isinstance(table, Profile):
            raise TypeError(f"{what} is a profile: joint drift needs the rows")
        tables.append(checked_table(table, what))
        if table.empty:
            raise ValueError(f"{what} has {len(table)} rows and {table.shape[1]} columns: nothing to compare")
    shared = [name for name in tables[0].columns if name in set(tables[1].columns)]
    names = shared if columns is None else [str(name) for name in columns]
    unknown = [name for name in names if name not in shared]
    if unknown or not names:
        raise ValueError(f"columns={names!r}: both tables have {', '.join(shared[:20]) or 'none'}")
    alone = (
        [] if columns is not None else [str(name) for name in (*tables[0], *tables[1]) if name not in shared]
    )
    left_out = dict.fromkeys(alone, "only one of the tables has it")
    return [table[names] for table in tables], left_out


def _read(then: pd.DataFrame, now: pd.DataFrame) -> tuple[dict[str, tuple[Column, Column]], dict[str, str]]:
    """Read the columns of both tables by what they mean; say why some cannot be used."""
    pairs: dict[str, tuple[Column, Column]] = {}
    left_out: dict[str, str] = {}
    for name in then.columns:
        columns = read_column(then[name]), read_column(now[name])
        pair = aligned_columns(*columns)
        if pair is None:
            left_out[str(name)] = f"held {columns[0].kind}, holds {columns[1].kind}"
            continue
        kind = next((each.kind for each in pair if each.kind != "empty"), "empty")
        if kind == "time":
            left_out[str(name)] = "a date always moves on"
        elif kind == "nested":
            left_out[str(name)] = "lists and structs are not compared"
        elif kind == "empty":
            left_out[str(name)] = "there is no value"
        elif kind == "category" and _single(*pair):
            left_out[str(name)] = "most rows have a rare category or one of their own"
        else:
            pairs[str(name)] = pair
    return pairs, left_out


def _single(then: Column, now: Column) -> bool:
    counts = then.counts(), now.counts()
    if not counts[0] or not counts[1]:
        return False
    names = sorted(counts[0].keys() | counts[1].keys())
    both = np.array([[each.get(name, 0) for name in names] for each in counts], dtype=np.int64)
    return mostly_single(both[0], both[1])


def _encoded(pairs: Mapping[str, tuple[Column, Column]], rows: int) -> Encoded:
    """Turn columns into numbers: ranks on a bell curve, common categories as 0 or 1, and what is missing.

    Ranks take away units, tails and the shape of each column.
    """
    from scipy import special, stats

    found: list[Floats] = []
    names: list[tuple[str, ...]] = []
    for name, pair in pairs.items():
        if "number" in (pair[0].kind, pair[1].kind):
            values = np.concatenate([each.numbers() for each in pair])
            usable = np.isfinite(values)
            scores = np.zeros(len(values))
            scores[usable] = special.ndtri((stats.rankdata(values[usable]) - 0.5) / max(1, usable.sum()))
            parts = [scores]
        else:
            usable = ~np.concatenate([each.missing for each in pair])
            texts = pd.Series(np.concatenate([each.texts() for each in pair]), dtype=object)
            levels = texts[usable].value_counts().sort_index().nlargest(MOST_LEVELS).index
            parts = [(texts == level).to_numpy(dtype=np.float64) for level in levels]
            parts = parts[1:] if len(parts) == 2 else parts
        parts.append((~usable).astype(np.float64))
        for part in parts:
            deviation = part.std()
            if deviation > 0:
                found.append((part - part.mean()) / deviation)
                names.append((name,))
    return (np.column_stack(found) if found else np.empty((rows, 0))), names


def _paired(values: Floats, names: list[tuple[str, ...]]) -> Encoded:
    """Add the product of each pair of columns: it is what moves when two columns turn around each other."""
    few = min(len(names), MOST_PAIRED)
    left, right = np.triu_indices(few, 1)
    apart = np.array([names[i] != names[j] for i, j in zip(left, right, strict=True)], dtype=bool)
    left, right = left[apart], right[apart]
    products = values[:, left] * values[:, right]
    products -= products.mean(axis=0)
    deviation = products.std(axis=0)
    alive = deviation > 1e-9
    products = products[:, alive] / deviation[alive]
    pairs = [names[i] + names[j] for i, j in zip(left[alive], right[alive], strict=True)]
    return np.hstack([values, products]), names + pairs


def _scores(values: Floats, labels: Floats, places: NDArray[np.int64]) -> Floats:
    """Score each row by ridge regressions that did not see it: for the labels and for each shuffle."""
    from scipy import linalg

    scores = np.empty_like(labels)
    folds = [np.flatnonzero(places == fold) for fold in range(FOLDS)]
    # What all rows and each fold add to the normal equations; the rows to learn from give the difference.
    gram, goal = values.T @ values, [values[held].T @ labels[held] for held in folds]
    for fold, held in enumerate(folds):
        size = len(values) - len(held)
        left = gram - values[held].T @ values[held]
        left[np.diag_indices_from(left)] += size / 4
        mean = (labels.sum(axis=0) - labels[held].sum(axis=0)) / size
        right = sum(goal) - goal[fold] + np.outer(values[held].sum(axis=0), mean)
        weights = linalg.cho_solve(linalg.cho_factor(left, overwrite_a=True), right)
        scores[held] = values[held] @ weights
    return scores


def _areas(scores: Floats, labels: Floats) -> Floats:
    """Give the area under the curve of each column of scores (Mann and Whitney 1947)."""
    ranks = np.empty_like(scores)
    order = np.argsort(scores, axis=0)
    np.put_along_axis(ranks, order, np.arange(1.0, len(scores) + 1)[:, None], axis=0)
    now = labels.sum(axis=0)
    areas: Floats = ((ranks * labels).sum(axis=0) - now * (now + 1) / 2) / (now * (len(labels) - now))
    return areas


def _differences(values: Floats, labels: Floats) -> Floats:
    """Give the difference of each column's means in standard errors, for the labels and each shuffle."""
    rows = len(labels)
    share = labels.mean(axis=0)
    errors: Floats = (values.T @ (labels - share)) / np.sqrt(rows * share * (1 - share))
    return errors


def _report(
    auc: float,
    p: float,
    by: pd.DataFrame,
    alpha: float,
    min_auc: float,
    why: str,
    left_out: Mapping[str, str],
) -> JointReport:
    drifted = p <= alpha and auc >= min_auc
    if why:
        said = f"{why}; nothing can be said."
    elif drifted:
        said = f"It ranks a row of now above one of before in {auc:.0%} of the cases, more than chance does."
    elif p <= alpha:
        said = f"More than chance (p = {p:.2g}), but less than what matters ({min_auc:g})."
    else:
        said = f"Shuffled rows are often told apart as well (p = {p:.2g})."
    found = Finding(
        code="drift.joint",
        title="All columns together",
        ok=None if why else not drifted,
        explanation=said,
        statistic="AUC",
        value=None if why else auc,
        limit=min_auc if p <= alpha else None,
        source=SOURCE,
    )
    notes = [
        Finding(
            code="drift.joint.column",
            title=name,
            ok=None,
            explanation=f"Not compared: {reason}.",
            severity="note",
        )
        for name, reason in left_out.items()
    ]
    return JointReport(
        title="Drift, all columns together",
        findings=(found, *notes),
        auc=auc,
        p=p,
        by=by,
        alpha=alpha,
        min_auc=min_auc,
        left_out=left_out,
    )
