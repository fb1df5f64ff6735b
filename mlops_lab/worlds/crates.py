"""Crates of fruit: what is read, labelled and true of them, what they earn, and the card for grading by hand.

A world is only half of a problem; the other half is what a decision is worth. Both are here in the smallest
form: a table of money and a rule that fits on a card. Left out: what happens after the sale (returns, lost
trust).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

__all__ = ["FEATURES", "GRADES", "PRICES", "SCANNERS", "Batch", "profit", "rule_card"]

GRADES = ("spoiled", "juice", "table", "premium")
"""The grades, from worst to best; also the four sales channels ("spoiled" is composted)."""

SCANNERS = ("belt", "handheld")
"""The packhouse's own belt scanners, and the handheld ones of the hill growers."""

FEATURES = ["colour", "sugar", "firmness", "blemish", "nir", "weight"]
"""The scanner's readings, standardised: 0 is average, 1 is one standard deviation (blemish starts at 0)."""

PRICES = pd.DataFrame(
    [[0.0, -12.0, -30.0, -60.0], [0.0, 6.0, -4.0, -16.0], [0.0, 6.0, 16.0, -4.0], [0.0, 6.0, 18.0, 30.0]],
    index=pd.Index(GRADES, name="truth"),
    columns=pd.Index(GRADES, name="sold as"),
)
"""Money a crate brings, by its true grade (row) and the channel it is sold in (column)."""


def rule_card(crates: pd.DataFrame) -> pd.Series:
    """Grade crates as the packhouse did before any model: by a card with a sum and three thresholds.

    Answers: what a person with a pocket calculator would say. The card trusts sugar, firmness and
    blemishes, looks at `nir` for rot and ignores colour, so the belt's lamps cannot mislead it. It is
    cautious: it would rather sell too low than have a crate sent back. It cannot use what only shows in
    combination (ripe *and* sweet).

    Parameters
    ----------
    crates
        Frame with at least the columns sugar, firmness, blemish and nir.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> crate = pd.DataFrame({"sugar": [1.0], "firmness": [1.0], "blemish": [0.1], "nir": [0.2]})
    >>> rule_card(crate).tolist()
    ['table']
    """
    missing = sorted({"sugar", "firmness", "blemish", "nir"} - set(crates.columns))
    if missing:
        raise ValueError(f"columns {missing} are missing; give crates as Batch.crates holds them")
    points = 0.9 * crates["sugar"] + 0.4 * crates["firmness"] - 0.5 * crates["blemish"]
    grades = np.select(
        [crates["nir"] > 2.0, points > 2.0, points > 0.3], ["spoiled", "premium", "table"], "juice"
    )
    return pd.Series(grades, index=crates.index, name="grade", dtype=object)


def profit(grades: pd.Series, truth: pd.Series) -> float:
    """Add up what crates bring when each is sold in the channel of its grade.

    Answers: what a set of decisions is worth at today's prices. It cannot see tomorrow: crates sold above
    their true grade come back and cost the co-operative its name, and that is not in this sum.

    Parameters
    ----------
    grades
        The grade each crate is sold as, strings of `GRADES`, in the same order as `truth`.
    truth
        The true grade of each crate.

    Raises
    ------
    ValueError
        If the lengths differ or a grade is unknown.

    Examples
    --------
    >>> profit(pd.Series(["premium", "juice"]), pd.Series(["premium", "spoiled"]))
    18.0
    """
    sold, true = np.asarray(grades, dtype=object), np.asarray(truth, dtype=object)
    if sold.shape != true.shape:
        raise ValueError(f"{len(sold)} grades for {len(true)} crates; give one grade for each crate")
    unknown = sorted((set(sold) | set(true)) - set(GRADES), key=str)
    if unknown:
        raise ValueError(f"unknown grades {unknown}; the grades are {', '.join(GRADES)}")
    rows, columns = PRICES.index.get_indexer(pd.Index(true)), PRICES.columns.get_indexer(pd.Index(sold))
    return float(PRICES.to_numpy()[rows, columns].sum())


@dataclass(frozen=True, eq=False, repr=False)
class Batch:
    """Crates with their labels, and beside them the truth that nobody in the story can see.

    Answers: what is known about these crates, and (for whoever marks the exercise) what is true. All parts
    share one index of crate numbers such as ``"week-07-00012"``: purpose, week, position. The truth is
    never a column of `crates`, so a model cannot be trained on it by accident. Grades are plain strings,
    which scikit-learn takes as they are; their order is that of ``worlds.GRADES``.

    Parameters
    ----------
    crates
        The scanner's readings, the columns ``worlds.FEATURES``, then ``scanner`` and ``week``.
    labels
        The grade the graders wrote down; may be wrong.
    truth
        The true grade.
    checked
        True where an expert will ever open the crate, so that its true grade becomes known in time.
    chance
        The chance that crate had of being checked; part of the truth, as nobody in the story knows it.
    shift
        The graders' shift, "day" or "night", that wrote the label.

    Raises
    ------
    ValueError
        If the parts do not have the same index, or a crate stands in it twice.

    Examples
    --------
    >>> from mlops_lab import worlds
    >>> batch = worlds.Orchard(seed=0).week(5, n=200)
    >>> batch
    Batch of 200 crates (week 5; belt 162, handheld 38; 21 are ever checked)
    >>> bool(batch.select(batch.checked).checked.all())
    True
    """

    crates: pd.DataFrame
    labels: pd.Series
    truth: pd.Series
    checked: pd.Series
    chance: pd.Series
    shift: pd.Series

    def __post_init__(self) -> None:
        for part in (self.labels, self.truth, self.checked, self.chance, self.shift):
            if not part.index.equals(self.crates.index):
                raise ValueError(
                    f"the index of {part.name!r} differs from that of the crates; align them first"
                )
        if not self.crates.index.is_unique:
            twice = self.crates.index[self.crates.index.duplicated()][0]
            raise ValueError(
                f"crate {twice!r} stands in the batch twice; draw further samples with another purpose"
            )

    def __len__(self) -> int:
        return len(self.crates)

    def __repr__(self) -> str:
        weeks = self.crates["week"]
        if len(self) == 0:
            return "Batch of 0 crates"
        when = (
            f"week {weeks.min()}" if weeks.min() == weeks.max() else f"weeks {weeks.min()} to {weeks.max()}"
        )
        handheld = int((self.crates["scanner"] == "handheld").sum())
        return (
            f"Batch of {len(self):,} crates ({when}; belt {len(self) - handheld:,}, handheld {handheld:,}; "
            f"{int(self.checked.sum()):,} are ever checked)"
        )

    def select(self, which: pd.Series) -> Batch:
        """Keep the crates for which a condition holds: a Series of True and False with the batch's index."""
        if which.dtype != bool or not which.index.equals(self.crates.index):
            raise ValueError(
                f"a condition of dtype {which.dtype} on {len(which)} rows does not fit {len(self)} crates; "
                "build it from the batch itself, such as batch.crates['scanner'] == 'belt'"
            )
        return Batch(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def concat(self, *others: Batch) -> Batch:
        """Put batches one after the other.

        The same crate in two of them is an error: drawing twice with one purpose gives the same crates.
        """
        batches = (self, *others)
        return Batch(**{f.name: pd.concat([getattr(b, f.name) for b in batches]) for f in fields(self)})
