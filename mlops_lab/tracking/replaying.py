"""Send a record to another sink afterwards: what a killed run's tracker lost, its own file still has."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlops_lab.report import Sink
from mlops_lab.tracking.json_lines import read_lines
from mlops_lab.tracking.record import Record
from mlops_lab.tracking.run import FILE
from mlops_lab.tracking.values import from_json

__all__ = ["replay"]


def replay(record: Record, sink: Sink) -> int:
    """Send everything that a record holds to a sink, in the order in which it came, and close the sink.

    Answers how a run would look in another tool, or in one that lost it. Times are those of the replay, not
    of the run. Tables come back with the types that JSON has.

    Parameters
    ----------
    record
        What ``read`` gave; its folder must still be there.
    sink
        A new sink, such as ``Wandb(folder)``. Its errors are not caught: nothing is being trained.

    Raises
    ------
    FileNotFoundError
        If the record's file is gone.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import report, tracking
    >>> memory = report.MemorySink()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "a") as run:
    ...         run.log(0, loss=0.5)
    ...     tracking.replay(tracking.read(run.folder), memory)
    1
    >>> memory.rows, memory.closed
    ([{'step': 0, 'loss': 0.5}], True)

    Taught in notebooks/06_tracking.ipynb.
    """
    rows, _ = read_lines(record.folder / FILE)
    _send(sink, "start", rows[0])
    sent = 0
    try:
        for row in rows:
            given = _given(record, row)
            if given is not None:
                _send(sink, row["kind"], row["step"], *given)
                sent += 1
        _send(sink, "end", record.state)
    finally:
        sink.close()
    return sent


def _send(sink: Sink, kind: str, *given: Any) -> None:
    method = getattr(sink, kind, None)
    if method is not None:
        method(*given)


def _given(record: Record, row: dict[str, Any]) -> tuple[Any, ...] | None:
    """Give what a sink's method of this kind takes after the step; None where there is nothing to send."""
    kind = row["kind"]
    if kind == "log":
        return ({name: from_json(value) for name, value in row["values"].items()},)
    if kind == "hparams":
        return (row["values"],)
    if kind == "text":
        return row["name"], row["text"]
    if kind == "table":
        return row["name"], pd.DataFrame(row["rows"], columns=row["columns"])
    if kind in ("histogram", "pr_curve"):
        return row["name"], {name: held for name, held in row.items() if name not in ("kind", "step", "name")}
    if kind == "figure" and row["file"] and (record.folder / row["file"]).is_file():
        return row["name"], (record.folder / row["file"]).read_bytes()
    return None
