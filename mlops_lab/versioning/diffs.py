"""What is different between two versions? Rows, columns, types, and above all labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CELLS", "COLUMNS", "Diff", "noted"]

CELLS = ["row", "column", "before", "after"]
COLUMNS = ["column", "change", "before", "after", "cells"]
_SOURCE = "both versions, cell by cell"


@dataclass(frozen=True, kw_only=True)
class Diff(Report):
    """What is different between two versions: what ``Store.diff`` answers.

    ``ok`` is True if nothing is. It does not say whether a difference matters.

    Parameters
    ----------
    title, findings
        As in every report.
    added, removed, changed
        The rows: their keys; where rows have none, their positions (after, before).
    cells
        One row for each changed cell: ``row`` (its key), ``column``, ``before``, ``after``.
    columns
        One row for each column that differs: ``column``, ``change`` ("added", "removed", "type", "values",
        "moved"), its type ``before`` and ``after``, and how many ``cells`` changed. For parameters: one row
        for each setting.
    labels
        Rows by label before, columns by label after, and how often; only labels that changed.

    Examples
    --------
    >>> from mlops_lab.versioning import compare_frames
    >>> before = pd.DataFrame({"crate": ["a", "b"], "grade": ["table", "juice"]})
    >>> after = pd.DataFrame({"crate": ["b", "c"], "grade": ["premium", "table"]})
    >>> diff = compare_frames(before, after, key="crate", label="grade")
    >>> diff.rows_added, diff.rows_removed, diff.rows_changed
    (1, 1, 1)
    >>> diff.cells
      row column before    after
    0   b  grade  juice  premium

    Taught in notebooks/04_versioning.ipynb.
    """

    added: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    removed: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    changed: pd.Index[Any] = field(default_factory=lambda: pd.Index([]))
    cells: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CELLS))
    columns: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    labels: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def rows_added(self) -> int:
        """How many rows are new."""
        return len(self.added)

    @property
    def rows_removed(self) -> int:
        """How many rows are gone."""
        return len(self.removed)

    @property
    def rows_changed(self) -> int:
        """How many rows are in both and differ in a cell."""
        return len(self.changed)

    @property
    def labels_changed(self) -> int:
        """How many labels are other ones."""
        return int(self.labels.to_numpy().sum())

    def headline(self) -> str:
        """Say in one sentence what is different."""
        found = [finding.explanation for finding in self.findings if finding.ok is not True]
        return " ".join(found) or "Nothing is different."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many rows and cells are different.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
        counts = {
            "rows\nadded": self.rows_added,
            "rows\nremoved": self.rows_removed,
            "rows\nchanged": self.rows_changed,
        }
        cells = (
            self.columns[self.columns["cells"] > 0].set_index("column")["cells"].sort_values(ascending=False)
        )
        counts |= {f"cells of\n{name}": int(count) for name, count in cells.head(8).items()}
        return plots.bars(
            pd.Series(counts),
            xlabel="what is different",
            ylabel="number",
            title=self.title,
            number_format="{:,.0f}",
            ax=ax,
        )


def noted(code: str, title: str, ok: bool, explanation: str, **measured: Any) -> Finding:
    """Make a finding of a difference."""
    return Finding(
        code=f"diff.{code}", title=title, ok=ok, explanation=explanation, source=_SOURCE, **measured
    )
