"""What the packhouse knows: grades, scanner readings, what a crate earns, and the card for grading by hand.

A world is only half of a problem; the other half is what a decision is worth. Both are here in the smallest
form: a table of money and a rule that fits on a card. Left out: what happens after the sale (returns, lost
trust).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["FEATURES", "GRADES", "PRICES", "SCANNERS", "profit", "rule_card"]

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
