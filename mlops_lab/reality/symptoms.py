"""The five symptoms of the lecture (L12), each a test on what was bought or logged; none sees the truth.

Each test answers with a `Symptom`: a report that fires, or does not. Left out: mending, which is up to the
player, and when to look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mlops_lab.reality.pager import Page, Pager
from mlops_lab.reality.product import Week
from mlops_lab.report import Finding, Report

__all__ = [
    "SALES_WEEKS",
    "Symptom",
    "falling_revenue",
    "first_spot_check",
    "stale",
    "unequal_complaints",
    "weak_class",
    "wrong_labels",
]

Words = Sequence[str] | NDArray[Any] | pd.Series
Flags = Sequence[bool] | NDArray[Any] | pd.Series

WRONG_LABELS = 0.05
"""So many wrong labels are borne: the interval must lie above."""

WEAKER_BY = 0.25
"""A grade is weak if its recall, at the upper end of its interval, is so far below the others' mean."""

STALE_BY, ALPHA = 0.05, 0.01
"""A loss of accuracy that matters, and the probability of a false alarm of one test."""

SALES_WEEKS = 6
"""So many weeks of sales are needed to speak of a trend."""

POORER_BY, STEADY = 0.05, 0.01
"""A loss of revenue that matters; accuracy counts as steady unless it fell with a p-value below this."""


@dataclass(frozen=True, kw_only=True)
class Symptom(Report):
    """What one test found.

    Parameters
    ----------
    symptom
        One of "labels", "class", "recent", "bias", "revenue".
    measures
        What was measured, by name.
    worst
        The grade or group that it is about, if it is about one.

    Examples
    --------
    >>> found = wrong_labels(["table"] * 80 + ["juice"] * 20, ["table"] * 100)
    >>> found.symptom, found.fired, found.measures["share"]
    ('labels', True, 0.2)
    """

    symptom: str
    measures: Mapping[str, float]
    worst: str = ""

    @property
    def fired(self) -> bool | None:
        """Whether the symptom is there."""
        return None if self.ok is None else not self.ok

    def headline(self) -> str:
        """Say what was found."""
        return self.findings[0].explanation


def _answer(
    symptom: str,
    title: str,
    ok: bool | None,
    explanation: str,
    measures: Mapping[str, float],
    *,
    worst: str = "",
    **measured: object,
) -> Symptom:
    """Make a symptom of one finding; further arguments are those of `report.Finding`."""
    finding = Finding(
        code=f"reality.{symptom}",
        title=title,
        ok=ok,
        explanation=explanation,
        **measured,  # type: ignore[arg-type]
    )
    return Symptom(title=title, findings=(finding,), symptom=symptom, measures=dict(measures), worst=worst)


def _wilson(count: int, total: int) -> tuple[float, float]:
    """Give the 95 % interval of a share (Wilson 1927)."""
    found = stats.binomtest(count, total).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def wrong_labels(given: Words, true: Words) -> Symptom:
    """Test whether too many labels are wrong, on rows that an expert has looked at again.

    Answers: is the share of wrong labels above 5 %, beyond doubt? It cannot say which of the unseen labels
    are wrong. It misleads if the rows were not drawn at random.

    Parameters
    ----------
    given, true
        The labels as they stood, and as the expert sees them.

    Raises
    ------
    ValueError
        If there are none, or not as many of one as of the other.

    Examples
    --------
    >>> wrong_labels(["table"] * 80 + ["juice"] * 20, ["table"] * 100).fired
    True

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    before, after = np.asarray(given, dtype=object), np.asarray(true, dtype=object)
    if not len(before) or len(before) != len(after):
        raise ValueError(
            f"{len(before)} labels for {len(after)} seen by an expert; as many are needed, and some"
        )
    wrong = int((before != after).sum())
    low, high = _wilson(wrong, len(before))
    return _answer(
        "labels",
        "Labels that are wrong",
        low <= WRONG_LABELS,
        f"Of {len(before)} labels, the expert calls {wrong} wrong.",
        {"share": wrong / len(before), "low": low, "high": high},
        statistic="share",
        value=wrong / len(before),
        interval=(low, high),
        limit=WRONG_LABELS,
        source="Wilson 1927",
    )


def weak_class(graded: Words, true: Words, grades: Sequence[str]) -> Symptom:
    """Test whether one grade is found much less often than the others.

    Answers: of the items that truly have a grade, how many are given it, and does one grade stand out? It
    misleads where a few items stand for a grade: the interval is wide then, and nothing fires.

    Parameters
    ----------
    graded, true
        What the version said, and what the expert says.
    grades
        All grades.

    Returns
    -------
    Symptom
        Measures ``recall`` (of the worst grade), ``others``, ``low``, ``high``; `worst` names the grade.

    Raises
    ------
    ValueError
        If a grade has no item.

    Examples
    --------
    >>> true = ["rot"] * 50 + ["fine"] * 50
    >>> weak_class(["fine"] * 90 + ["fine"] * 10, true, ["rot", "fine"]).worst
    'rot'

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    said, truth = np.asarray(graded, dtype=object), np.asarray(true, dtype=object)
    absent = [grade for grade in grades if not (truth == grade).any()]
    if absent:
        raise ValueError(f"no item is truly {absent[0]}; a recall needs items of each of {', '.join(grades)}")
    recall = np.array([(said[truth == grade] == grade).mean() for grade in grades])
    place = int(recall.argmin())
    total, others = int((truth == grades[place]).sum()), float(np.delete(recall, place).mean())
    low, high = _wilson(round(recall[place] * total), total)
    return _answer(
        "class",
        f"Recall of {grades[place]}",
        high >= others - WEAKER_BY,
        f"{recall[place]:.0%} of the {grades[place]} items are found, against {others:.0%} of the others.",
        {"recall": float(recall[place]), "others": others, "low": low, "high": high},
        worst=grades[place],
        statistic="recall",
        value=float(recall[place]),
        interval=(low, high),
        limit=max(others - WEAKER_BY, 0.0),
        bound="at least",
        source="Wilson 1927",
    )


def stale(right_then: Flags, right_now: Flags) -> Symptom:
    """Test whether a version is worse on recent items than on those it was made for.

    Answers: has accuracy fallen, and by an amount that matters? It cannot say what has changed.

    Parameters
    ----------
    right_then, right_now
        For each item that an expert has looked at, whether the version was right: old ones, recent ones.

    Returns
    -------
    Symptom
        Measures ``then``, ``now``, ``fall`` and ``p`` (Fisher's exact test, one-sided).

    Raises
    ------
    ValueError
        If one of them is empty.

    Examples
    --------
    >>> stale([True] * 90 + [False] * 10, [True] * 60 + [False] * 40).fired
    True

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    then, now, p = _fall(right_then, right_now)
    return _answer(
        "recent",
        "Accuracy on recent items",
        not (p < ALPHA and then - now > STALE_BY),
        f"{then:.0%} of the old items are graded right, and {now:.0%} of the recent ones.",
        {"then": then, "now": now, "fall": then - now, "p": p},
        statistic="fall of accuracy",
        value=then - now,
        limit=STALE_BY,
        source="Fisher 1922",
    )


def unequal_complaints(
    complaints: pd.DataFrame, *, device: str, group: str, alpha: float = 0.001
) -> tuple[Symptom, Page | None]:
    """Test whether one group complains more often, item by item in the order of the clock.

    Answers: would the pager have rung, and when? Its false alarms are known, however long it watches: at most
    `alpha`. It cannot hear those who do not complain.

    Parameters
    ----------
    complaints
        One row an item: ``hour``, the device column, ``complained``.
    device
        The name of the device column.
    group
        The group asked about.
    alpha
        Probability of ever ringing without a cause.

    Raises
    ------
    ValueError
        If a column or the group is missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"hour": range(600), "scanner": (["belt"] * 5 + ["handheld"]) * 100})
    >>> rows["complained"] = rows.index % 12 == 5
    >>> symptom, page = unequal_complaints(rows, device="scanner", group="handheld")
    >>> symptom.fired, page.hour
    (True, 77)

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    missing = [name for name in ("hour", device, "complained") if name not in complaints]
    if missing:
        raise ValueError(f"columns {missing} are missing; give Season.complaints")
    rows = complaints.sort_values("hour", kind="stable")
    ours = (rows[device] == group).to_numpy(bool)
    if not ours.any() or ours.all():
        raise ValueError(f"{device} {group!r}: items of this group and of another are needed")
    spoke = rows["complained"].to_numpy(bool)
    pager = Pager(group, alpha)
    page = pager.watch(zip(rows["hour"].tolist(), ours.tolist(), spoke.tolist(), strict=True))
    rate, others = float(spoke[ours].mean()), float(spoke[~ours].mean())
    return _complaint_symptom(group, rate, others, pager.evidence, alpha), page


def _complaint_symptom(group: str, rate: float, others: float, evidence: float, alpha: float) -> Symptom:
    """Put what a pager knows into words."""
    return _answer(
        "bias",
        f"Complaints about {group} items",
        evidence < 1 / alpha,
        f"{rate:.1%} of the {group} items are complained about, against {others:.1%} of the others.",
        {"rate": rate, "others": others, "evidence": evidence},
        worst=group,
        statistic="evidence",
        value=evidence,
        limit=1 / alpha,
        source="Ville 1939; Shafer 2021",
    )


def falling_revenue(weeks: Sequence[Week], right_then: Flags, right_now: Flags) -> Symptom:
    """Test whether revenue falls while the version grades as well as before.

    Answers: does less money come in although the metric holds? It cannot say why buyers pay less.

    Parameters
    ----------
    weeks
        The log since the version went live, at least six weeks.
    right_then, right_now
        Two spot checks by an expert: whether the version was right, soon after it went live and now.

    Returns
    -------
    Symptom
        Measures ``change`` (of the straight line through the weeks, from first to last), ``p_trend``
        (Kendall 1938, one-sided), ``then``, ``now``, ``p_accuracy``.

    Raises
    ------
    ValueError
        If there are fewer than six weeks, or a spot check is empty.

    Examples
    --------
    >>> log = [Week(w, 100.0 - 4 * w, 0.0, 1.0, 1.0, 9, 0.0, {}, {}) for w in range(8)]
    >>> falling_revenue(log, [True] * 80 + [False] * 20, [True] * 79 + [False] * 21).fired
    True

    Taught in notebooks/13_expectation_vs_reality.ipynb.
    """
    if len(weeks) < SALES_WEEKS:
        raise ValueError(f"{len(weeks)} weeks: at least six are needed to see a trend; let time pass")
    revenue = np.array([week.revenue for week in weeks])
    tau, two_sided = stats.kendalltau(np.arange(len(revenue)), revenue)
    p_trend = 1.0 if math.isnan(tau) else two_sided / 2 if tau < 0 else 1 - two_sided / 2
    slope, start, *_ = stats.theilslopes(revenue)
    change = float(slope * (len(revenue) - 1) / max(start, 1e-9))
    then, now, p_accuracy = _fall(right_then, right_now)
    falls = p_trend < ALPHA and change < -POORER_BY
    return _answer(
        "revenue",
        "Revenue at steady accuracy",
        not (falls and p_accuracy > STEADY),
        f"Revenue changed by {change:+.0%}; spot-checked accuracy went from {then:.0%} to {now:.0%}.",
        {"change": change, "p_trend": float(p_trend), "then": then, "now": now, "p_accuracy": p_accuracy},
        statistic="change of revenue",
        value=change,
        limit=-POORER_BY,
        bound="at least",
        source="Kendall 1938; Theil 1950; Fisher 1922",
    )


def _fall(right_then: Flags, right_now: Flags) -> tuple[float, float, float]:
    then, now = np.asarray(right_then, dtype=bool), np.asarray(right_now, dtype=bool)
    if not len(then) or not len(now):
        raise ValueError(f"{len(then)} old and {len(now)} recent items: some of both are needed")
    table = np.array([[each.sum(), (~each).sum()] for each in (then, now)])
    return (
        float(then.mean()),
        float(now.mean()),
        float(stats.fisher_exact(table, alternative="greater").pvalue),
    )


def first_spot_check(right: Flags, weeks: int) -> Symptom:
    """Say that one spot check alone decides nothing about revenue."""
    share = float(np.mean(right))
    words = f"{share:.0%} of the items are graded right. Test again when six weeks of sales are in the log."
    return _answer(
        "revenue", "Revenue at steady accuracy", None, words, {"now": share, "weeks": float(weeks)}
    )
