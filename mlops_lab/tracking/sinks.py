"""Where a run is sent: its own file first, and further places that can never stop the training.

The least a further sink can do is ``report.Sink``: ``log`` and ``close``. One that can also show pictures or
tables has further methods, and is sent what it has a method for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from mlops_lab.artifacts import atomic_write
from mlops_lab.report import GuardedSink, Sink
from mlops_lab.tracking.json_lines import LineFile

__all__ = ["FullSink", "Guard", "Logbook"]


class FullSink(Sink, Protocol):
    """All that a run sends; a sink may leave out any method but ``log`` and ``close``."""

    def start(self, about: Mapping[str, Any]) -> None:
        """Begin a run; ``about`` is the first line of its record: name, params, seed, train, lineage."""

    def figure(self, step: int, name: str, picture: bytes) -> None:
        """Take a PNG."""

    def table(self, step: int, name: str, frame: pd.DataFrame) -> None:
        """Take a small table."""

    def histogram(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Take ``edges``, ``counts`` and how many values are ``not_finite``."""

    def pr_curve(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Take ``threshold``, ``precision``, ``recall``, ``tp``, ``fp``, ``tn`` and ``fn``, a list each."""

    def text(self, step: int, name: str, text: str) -> None:
        """Take a note."""

    def hparams(self, step: int, values: Mapping[str, Any]) -> None:
        """Take settings that were found on the way."""

    def end(self, state: str) -> None:
        """Hear how the run ended, ``"finished"`` or ``"failed"``; ``close`` follows."""


class Guard(GuardedSink):
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
        self._guards = [Guard(sink, self._note) for sink in sinks]

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
        self.write({**row, "failures": self.failures})
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
