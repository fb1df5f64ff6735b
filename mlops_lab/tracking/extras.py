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
    """The part of a run that keeps what is no number; a run brings the file and counts the steps."""

    folder: Path
    _book: Logbook

    @abstractmethod
    def _step(self, step: int | None) -> int:
        """Accept a step, or give the last one."""

    @abstractmethod
    def _keep(self, kind: str, step: int | None, held: Mapping[str, Any], *sent: Any) -> None:
        """Write a line of this kind, and send it to the sinks."""

    def figure(self, name: str, ax: Axes, step: int | None = None) -> None:
        """Keep a picture as a PNG beside the record."""
        at = self._step(step)
        picture = plots.png(ax)
        file = f"{safe_name(name, what='figure name')}-{at}.png"
        stored = self._book.store(self.folder / file, picture)
        self._keep("figure", at, {"name": name, "file": file if stored else None}, name, picture)

    def table(self, name: str, frame: pd.DataFrame, step: int | None = None) -> None:
        """Keep a small table in the record; an index that is more than a count becomes a column."""
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
        """Keep how values are distributed, such as a layer's weights or the scores of a model."""
        held = counted(values, bins)
        self._keep("histogram", step, {"name": metric_name(name), **held}, name, held)

    def pr_curve(self, name: str, truth: Any, score: Any, step: int | None = None) -> None:
        """Keep precision and recall at 51 thresholds from 0 to 1."""
        held = precision_recall(truth, score)
        self._keep("pr_curve", step, {"name": metric_name(name), **held}, name, held)

    def text(self, name: str, text: str, step: int | None = None) -> None:
        """Keep a note."""
        self._keep("text", step, {"name": metric_name(name), "text": str(text)}, name, str(text))

    def hparams(self, **values: Any) -> None:
        """Add settings that were only found on the way, such as a threshold; ``params`` stays as it was."""
        held = plain(values, "hparams")
        self._keep("hparams", None, {"values": held}, held)

    def data(self, name: str, frame: pd.DataFrame) -> None:
        """Write down the fingerprint of a table that is trained or measured on; ``rerun`` compares it."""
        held = {"name": metric_name(name), "hash": frame_hash(frame), "rows": len(frame)}
        self._keep("data", None, held, name, held["hash"])
