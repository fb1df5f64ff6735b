"""What a run can keep beside its numbers: pictures, tables, distributions, notes, the data's fingerprint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_lab import plots
from mlops_lab.artifacts import frame_hash, safe_name
from mlops_lab.tracking.curves import counted, precision_recall
from mlops_lab.tracking.sinks import Logbook
from mlops_lab.tracking.values import metric_name, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Extras"]

_MOST_ROWS = 10_000


class Extras(ABC):
    """The part of a run that keeps what is no number; a run brings the file and counts the steps.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "a") as run:
    ...         run.text("note", "The first try.")
    ...         run.histogram("weights", [0.1, -0.2, 0.3], bins=2)
    ...         run.hparams(best_threshold=0.4)
    ...     record = tracking.read(run.folder)
    >>> record.texts, record.histograms["weights"]["counts"], record.hparams
    ({'note': 'The first try.'}, [1, 2], {'best_threshold': 0.4})
    """

    folder: Path
    _book: Logbook

    @abstractmethod
    def _step(self, step: int | None) -> int:
        """Accept a step, or give the last one."""

    @abstractmethod
    def _keep(self, kind: str, step: int | None, held: Mapping[str, Any], *sent: Any) -> None:
        """Write a line of this kind, and send it to the sinks."""

    def figure(self, name: str, ax: Axes, step: int | None = None) -> None:
        """Keep a picture as a PNG beside the record.

        Parameters
        ----------
        name
            What the picture is called; part of a file's name.
        ax
            Any axes of the figure.
        step
            The step it belongs to; by default the last one that was logged.

        Raises
        ------
        ValueError
            If the name cannot be a file's name.

        Examples
        --------
        >>> import tempfile
        >>> from matplotlib.figure import Figure
        >>> from mlops_lab import tracking
        >>> with tempfile.TemporaryDirectory() as folder, tracking.Run(folder, "a") as run:
        ...     run.figure("curve", Figure().subplots(), step=2)
        ...     [file.name for file in run.folder.glob("*.png")]
        ['curve-2.png']
        """
        at = self._step(step)
        picture = plots.png(ax)
        file = f"{safe_name(name, what='figure name')}-{at}.png"
        stored = self._book.store(self.folder / file, picture)
        self._keep("figure", at, {"name": name, "file": file if stored else None}, name, picture)

    def table(self, name: str, frame: pd.DataFrame, step: int | None = None) -> None:
        """Keep a small table in the record; an index that is more than a count becomes a column.

        Parameters
        ----------
        name
            What the table is called.
        frame
            At most 10,000 rows of numbers and text. A large table belongs in the data store, its hash here.
        step
            The step it belongs to; by default the last one that was logged.

        Raises
        ------
        ValueError
            If there are more rows.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab import tracking
        >>> with tempfile.TemporaryDirectory() as folder, tracking.Run(folder, "a") as run:
        ...     run.table("confusion", pd.DataFrame({"said": ["juice"], "crates": [3]}))
        ...     tracking.read(run.folder).tables["confusion"].to_dict("records")
        [{'said': 'juice', 'crates': 3}]
        """
        if len(frame) > _MOST_ROWS:
            raise ValueError(
                f"table {name!r} has {len(frame):,} rows, a record keeps at most {_MOST_ROWS:,}: keep it in "
                "a data store and log its hash, or log a summary"
            )
        whole = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
        rows = plain(whole.astype(object).where(whole.notna(), None).to_numpy().tolist(), name, strict=False)
        held = {"name": metric_name(name), "columns": [str(column) for column in whole.columns], "rows": rows}
        self._keep("table", step, held, name, whole)

    def histogram(self, name: str, values: Any, step: int | None = None, *, bins: int = 30) -> None:
        """Keep how values are distributed, such as a layer's weights or the scores of a model.

        Parameters
        ----------
        name
            What is counted.
        values
            Numbers of any shape; those that are not finite are counted apart.
        step
            The step it belongs to; by default the last one that was logged.
        bins
            How many bins of equal width.
        """
        held = counted(values, bins)
        self._keep("histogram", step, {"name": metric_name(name), **held}, name, held)

    def pr_curve(self, name: str, truth: Any, score: Any, step: int | None = None) -> None:
        """Keep precision and recall at 51 thresholds from 0 to 1.

        Parameters
        ----------
        name
            What the curve is called.
        truth
            True where a case is positive.
        score
            The model's score from 0 to 1 for each case.
        step
            The step it belongs to; by default the last one that was logged.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab import tracking
        >>> with tempfile.TemporaryDirectory() as folder, tracking.Run(folder, "a") as run:
        ...     run.pr_curve("spoiled", [True, False], [0.9, 0.2])
        ...     tracking.read(run.folder).pr_curves["spoiled"].loc[10, ["threshold", "precision"]].tolist()
        [0.2, 0.5]
        """
        held = precision_recall(truth, score)
        self._keep("pr_curve", step, {"name": metric_name(name), **held}, name, held)

    def text(self, name: str, text: str, step: int | None = None) -> None:
        """Keep a note.

        Parameters
        ----------
        name
            What it is called.
        text
            The note.
        step
            The step it belongs to; by default the last one that was logged.
        """
        self._keep("text", step, {"name": metric_name(name), "text": str(text)}, name, str(text))

    def hparams(self, **values: Any) -> None:
        """Add settings that were only found on the way, such as a threshold; ``params`` stays as it was.

        Parameters
        ----------
        **values
            Name -> plain value.
        """
        held = plain(values, "hparams")
        self._keep("hparams", None, {"values": held}, held)

    def data(self, name: str, frame: pd.DataFrame) -> None:
        """Write down the fingerprint of a table that is trained or measured on; ``rerun`` compares it.

        Parameters
        ----------
        name
            What the table is.
        frame
            The table; it is not kept.

        Examples
        --------
        >>> import tempfile
        >>> from mlops_lab import tracking
        >>> with tempfile.TemporaryDirectory() as folder, tracking.Run(folder, "a") as run:
        ...     run.data("crates", pd.DataFrame({"sugar": [0.1, 0.2]}))
        ...     tracking.read(run.folder).data["crates"][:8]
        '5ee8ce16'
        """
        held = {"name": metric_name(name), "hash": frame_hash(frame), "rows": len(frame)}
        self._keep("data", None, held, name, held["hash"])
