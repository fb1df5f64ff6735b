"""TensorBoard's own event files, written without TensorFlow.

An event file is a row of records: the length, a checksum, a message, a checksum. The message says at which
step which tag had which tensor, and which plugin shall draw it. Both come from TensorBoard's own package, so
its server and its reader see no difference to a file that TensorFlow wrote.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab.artifacts import safe_name

__all__ = ["TensorBoard"]

_FILE = "events.out.tfevents.mlops_lab"
_MOST_SHOWN = 100


class TensorBoard:
    """Show runs in TensorBoard: scalars, histograms, pictures, text, precision-recall curves, settings.

    Each run gets a folder of its own under ``folder``, so one server on ``folder`` shows them all. Each step
    is handed to the system at once, so a killed run keeps its curve.

    It misleads beyond seven digits: TensorBoard keeps numbers as float32, and what is above 3.4e38 becomes
    infinite. It misleads where there are many steps: the server draws a sample of 1,000 for each tag, unless
    it is started with ``--samples_per_plugin scalars=100000``. Tables are shown as text, their first 100
    rows.

    Parameters
    ----------
    folder
        What the server is given as ``--logdir``.
    clock
        Gives the time in seconds since 1970, which TensorBoard can draw along.

    Raises
    ------
    ModuleNotFoundError
        If tensorboard is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "a", sinks=[tracking.TensorBoard(Path(folder, "board"))]) as run:
    ...         for step in range(3):
    ...             run.log(step, loss=1 / (step + 1))
    ...     [path.name for path in Path(folder, "board", "a").iterdir()]
    ['events.out.tfevents.mlops_lab']
    """

    def __init__(self, folder: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        _needed()
        self.folder = Path(folder)
        self._clock = clock
        self._file: io.FileIO | None = None

    def start(self, about: Mapping[str, Any]) -> None:
        """Begin a run's own event file, with its settings for the tab HPARAMS."""
        place = self.folder / safe_name(about["name"], what="run name")
        place.mkdir(parents=True, exist_ok=True)
        try:
            self._file = (place / _FILE).open("xb", buffering=0)
        except FileExistsError:
            raise FileExistsError(
                f"{str(place)!r} holds events already; TensorBoard would draw two runs as one: take another "
                "run name or another folder"
            ) from None
        from tensorboard.plugins.hparams import summary_v2

        self._event(file_version="brain.Event:2")
        settings = {"seed": about["seed"], **about["params"]}
        shown = {name: _setting(value) for name, value in settings.items()}
        self._event(
            summary=summary_v2.hparams_pb(shown, trial_id=about["name"], start_time_secs=self._clock())
        )
        if about["lineage"]:
            self.text(0, "lineage", f"```\n{json.dumps(about['lineage'], indent=1)}\n```")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the numbers of one step."""
        from tensorboard.plugins.scalar import metadata

        kind = metadata.create_summary_metadata(display_name="", description="")
        # TensorBoard's fast server shows nothing at all of a scalar in float64.
        with np.errstate(over="ignore"):
            small = {name: np.float32(value) for name, value in values.items()}
        self._summary(step, [(name, kind, _tensor(value)) for name, value in small.items()])

    def histogram(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Write counts in bins."""
        from tensorboard.plugins.histogram import metadata

        edges = np.asarray(held["edges"], dtype=np.float64)
        table = np.stack([edges[:-1], edges[1:], np.asarray(held["counts"], dtype=np.float64)], axis=1)
        kind = metadata.create_summary_metadata(display_name="", description="")
        self._summary(step, [(name, kind, _tensor(table))])

    def figure(self, step: int, name: str, picture: bytes) -> None:
        """Write a PNG."""
        from tensorboard.plugins.image import metadata

        # A PNG's width and height are its bytes 16 to 24.
        width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
        kind = metadata.create_summary_metadata(display_name="", description="", converted_to_tensor=False)
        parts = [str(width).encode(), str(height).encode(), picture]
        self._summary(step, [(name, kind, _tensor(parts))])

    def text(self, step: int, name: str, text: str) -> None:
        """Write a note; TensorBoard reads it as Markdown."""
        from tensorboard.plugins.text import metadata

        kind = metadata.create_summary_metadata(display_name="", description="")
        self._summary(step, [(name, kind, _tensor([text.encode("utf-8", "replace")]))])

    def table(self, step: int, name: str, frame: pd.DataFrame) -> None:
        """Write a table as text."""
        rows: list[Any] = [
            frame.columns,
            ["---"] * frame.shape[1],
            *frame.head(_MOST_SHOWN).itertuples(index=False),
        ]
        cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
        self.text(step, name, "\n".join(f"| {' | '.join(row)} |" for row in cells))

    def hparams(self, step: int, values: Mapping[str, Any]) -> None:
        """Write settings that were found on the way as text: the tab HPARAMS takes those of the start."""
        self.text(step, "hparams", f"```\n{json.dumps(dict(values), indent=1)}\n```")

    def pr_curve(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Write precision and recall at evenly spaced thresholds."""
        from tensorboard.plugins.pr_curve import metadata

        rows = [held[row] for row in ("tp", "fp", "tn", "fn", "precision", "recall")]
        kind = metadata.create_summary_metadata(
            display_name="", description="", num_thresholds=len(held["threshold"])
        )
        self._summary(step, [(name, kind, _tensor(np.asarray(rows, dtype=np.float64)))])

    def end(self, state: str) -> None:
        """Say in the tab HPARAMS how the run ended."""
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        status = api_pb2.STATUS_SUCCESS if state == "finished" else api_pb2.STATUS_FAILURE
        ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=self._clock())
        kind = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=ended))
        self._summary(0, [(metadata.SESSION_END_INFO_TAG, kind, metadata.NULL_TENSOR)])

    def close(self) -> None:
        """Close the event file; the sink may serve another run afterwards."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _summary(self, step: int, values: list[tuple[str, Any, Any]]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary()
        for tag, kind, tensor in values:
            summary.value.add(tag=tag, metadata=kind, tensor=tensor)
        self._event(step=step, summary=summary)

    def _event(self, **parts: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        if self._file is None:
            raise ValueError("this TensorBoard sink has not begun; give it to Run(..., sinks=[...])")
        record = io.BytesIO()
        RecordWriter(record).write(Event(wall_time=self._clock(), **parts).SerializeToString())
        waiting, before = record.getvalue(), self._file.tell()
        try:
            while waiting:
                waiting = waiting[self._file.write(waiting) or 0 :]
        except OSError:
            # Half a record would make all that follows unreadable.
            self._file.seek(before)
            self._file.truncate()
            raise


def _needed() -> None:
    found = importlib.util.find_spec("tensorboard")
    if found is None or found.origin is None:  # a mere folder of that name is no package
        raise ModuleNotFoundError(
            "tensorboard is not installed, and this sink writes with it; install the course's packages "
            "('python -m mlops_lab lab' does), or leave the sink out: run.jsonl is always written"
        )


def _tensor(value: Any) -> Any:
    from tensorboard.compat.tensorflow_stub import dtypes
    from tensorboard.util.tensor_util import make_tensor_proto

    return (
        make_tensor_proto(value, dtype=dtypes.string) if isinstance(value, list) else make_tensor_proto(value)
    )


def _setting(value: Any) -> bool | float | str:
    """Give a setting as one of the three kinds that the tab HPARAMS knows."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)
