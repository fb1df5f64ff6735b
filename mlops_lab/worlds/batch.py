"""A batch of crates: what the scanner saw, what the graders wrote, and, kept apart, the truth."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd

__all__ = ["Batch"]


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
        """Keep the crates for which a condition holds, with everything that belongs to them.

        Parameters
        ----------
        which
            Series of True and False with the batch's index.

        Raises
        ------
        ValueError
            If `which` has another index or holds anything but True and False.
        """
        if which.dtype != bool or not which.index.equals(self.crates.index):
            raise ValueError(
                f"a condition of dtype {which.dtype} on {len(which)} rows does not fit {len(self)} crates; "
                "build it from the batch itself, such as batch.crates['scanner'] == 'belt'"
            )
        return Batch(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def concat(self, *others: Batch) -> Batch:
        """Put batches one after the other.

        Parameters
        ----------
        *others
            The batches that follow this one.

        Raises
        ------
        ValueError
            If the same crate is in two of them: drawing twice with one purpose gives the same crates.
        """
        batches = (self, *others)
        return Batch(**{f.name: pd.concat([getattr(b, f.name) for b in batches]) for f in fields(self)})
