"""Where a run is sent: its own file first, and further sinks that can never stop the training.

The least a further sink can do is ``report.Sink``: ``log`` and ``close``. One that can also show pictures or
tables has further methods, and is sent what it has a method for: ``start(about)``, ``figure``, ``table``,
``histogram``, ``pr_curve``, ``text``, ``hparams``, each with the step first, and ``end(state)``. `replay`
sends a record to another sink afterwards: what a killed run's tracker lost, its own file still has.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.artifacts import atomic_write
from mlops_lab.report import GuardedSink, Sink
from mlops_lab.tracking.record import FILE, LineFile, Record, read_lines
from mlops_lab.tracking.values import from_json

__all__ = ["Logbook", "replay"]


class _Guard(GuardedSink):
    """A guard around one sink that also passes on pictures, tables and the rest.

    Parameters
    ----------
    sink
        The sink.
    tell
        Called with the first failure: the sink's name, and what happened in words.
    """

    def __init__(self, sink: Sink, tell: Callable[[str, str], None]) -> None:
        super().__init__(sink)
        self._tell = tell

    @property
    def name(self) -> str:
        """What the sink is called."""
        return type(self.sink).__name__

    def send(self, kind: str, *given: Any) -> None:
        """Call one method of the sink, if it has it; count a failure, and tell the first."""
        method = getattr(self.sink, kind, None)
        if method is None:
            return
        try:
            method(*given)
        except Exception as failure:  # noqa: BLE001  (whatever a tracker raises, the training goes on)
            self._failed(failure, f"in {kind}")

    def _failed(self, failure: Exception, where: str) -> None:
        first = self.first_failure is None
        super()._failed(failure, where)
        if first:
            self._tell(self.name, f"{where}: {type(failure).__name__}: {failure}")


class Logbook:
    """A run's own file and its guarded sinks, written to in this order.

    Parameters
    ----------
    file
        The run's file of JSON lines.
    sinks
        The further sinks.
    """

    def __init__(self, file: LineFile, sinks: Sequence[Sink]) -> None:
        self._file = file
        self._own_failures = 0
        self.left_out = 0
        self._guards = [_Guard(sink, self._note) for sink in sinks]

    @property
    def failures(self) -> dict[str, int]:
        """How many writes have failed, by the name of the sink; ``"run.jsonl"`` is the record itself."""
        counts = {self._file.path.name: self._own_failures}
        for guard in self._guards:
            counts[guard.name] = counts.get(guard.name, 0) + guard.failures
        return {name: count for name, count in counts.items() if count}

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one line into the run's own file; a disk that fails is warned about once."""
        try:
            self._file.write(row)
        except OSError as failure:
            self._lost(failure)

    def leave_out(self, words: str) -> None:
        """Count what could not be kept as it was logged; the first of it is noted and warned about."""
        self.left_out += 1
        if self.left_out == 1:
            self.write({"kind": "left_out", "said": words})
            warnings.warn(
                f"{words}. The training goes on, this is recorded as missing, and more of it is only counted",
                RuntimeWarning,
                stacklevel=4,
            )

    def store(self, path: Path, content: bytes) -> bool:
        """Write a file beside the record, whole or not at all; say whether that worked."""
        try:
            atomic_write(path, content)
        except OSError as failure:
            self._lost(failure)
            return False
        return True

    def send(self, kind: str, *given: Any) -> None:
        """Pass something on to every further sink that has a method for it."""
        for guard in self._guards:
            guard.send(kind, *given)

    def close(self, state: str, row: Mapping[str, Any]) -> None:
        """End the sinks, then write the last line, so that what failed at the end stands there too."""
        self.send("end", state)
        for guard in self._guards:
            guard.close()
        left_out = {"left_out": self.left_out} if self.left_out else {}
        self.write({**row, "failures": self.failures, **left_out})
        try:
            self._file.close()
        except OSError as failure:
            self._lost(failure)

    def _note(self, sink: str, words: str) -> None:
        self.write({"kind": "sink_failed", "sink": sink, "error": words})

    def _lost(self, failure: OSError) -> None:
        self._own_failures += 1
        if self._own_failures == 1:
            warnings.warn(
                f"the record could not be written ({type(failure).__name__}: {failure}); the training "
                "goes on, and the lines wait in memory until the disk takes them",
                RuntimeWarning,
                stacklevel=4,
            )


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
        values = {name: from_json(value) for name, value in row["values"].items() if value is not None}
        return (values,) if values else None
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
