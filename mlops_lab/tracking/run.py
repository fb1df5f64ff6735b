"""One training run, written down while it happens.

A run is a folder with one file of JSON lines, ``run.jsonl``, and its pictures. The first line says what would
be needed to train again; then comes a line for each thing that was logged; the last says how it ended. A run
without a last line whose process is gone was killed: nobody writes their own obituary.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from mlops_lab import plots
from mlops_lab.artifacts import frame_hash, safe_name
from mlops_lab.report import Sink
from mlops_lab.tracking.record import FILE, FORMAT, LineFile
from mlops_lab.tracking.run_environment import code_hash, entry_name, this_process, versions_here
from mlops_lab.tracking.sinks import Logbook
from mlops_lab.tracking.values import (
    histogram,
    metric_name,
    number,
    plain,
    precision_recall,
    step_number,
    to_json,
    to_mapping,
    whole_seed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Run"]

_MOST_ROWS = 10_000


class Run:
    """Write down one training: what it was told, what it measured at each step, and how it ended.

    Use it as ``with tracking.Run(...) as run:``. Leaving the block ends the run as finished; an error in it
    ends the run as failed, with the error, and passes on. Without ``with``, call ``close`` yourself. Beside
    ``log`` it has ``figure``, ``table``, ``histogram``, ``pr_curve``, ``text``, ``hparams`` and ``data``.

    It answers later: which settings made this number, how did the curve go, can it be made again. It cannot
    see what you do not log, and it misleads where one run is used for two trainings.

    Whatever goes wrong with writing, the training goes on. A sink that fails is warned about once, noted in
    the record and counted in ``failures``. If the disk is full, lines wait in memory until it is not. So it
    does whatever the training hands over: a value that is no number is recorded as missing, what comes at a
    step that goes back or is none is left out; the first is warned about and noted, all are counted in
    ``left_out``. Only names that cannot be kept and a run that has ended are refused: those are mistakes in
    the program, and show at its first try.

    Parameters
    ----------
    folder
        The folder in which runs are kept; made if it is not there.
    name
        The run's name, and that of its own folder in there.
    params
        What the training is told; plain values. With them and the seed alone, ``rerun`` trains again.
    seed
        Where all chance in the training comes from, a whole number from 0. None, and so nothing in the
        record, if it is not known: a seed that nobody set would promise a run that can be made again.
    lineage
        What made it: hashes of data, the code's commit; a mapping, or anything with ``to_dict()``.
    sinks
        Where else it is sent: ``TensorBoard(...)``, ``Wandb(...)``, or any ``report.Sink``.
    train
        The function that trains, itself or as ``"package.module:function"``; None if nobody shall rerun it.
    clock
        Gives the time in seconds since 1970, written at the begin and the end only.

    Attributes
    ----------
    folder
        The run's own folder; what ``read`` takes.
    name, params, seed
        As given, the parameters as a record holds them (tuples are lists).

    Raises
    ------
    FileExistsError
        If the folder already holds a run of that name.
    ValueError, TypeError
        If a name or a parameter cannot be kept.
    OSError
        If the folder cannot be written; the training has not begun yet.

    Notes
    -----
    Steps count from 0 and do not go back. Logging one step twice adds to it; of a metric that is logged twice
    at a step, the last value counts. NaN and infinity are kept, and are strict JSON in the file.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> folder = tempfile.TemporaryDirectory()
    >>> with tracking.Run(folder.name, "baseline", params={"rate": 0.1}, seed=3) as run:
    ...     for step in range(3):
    ...         run.log(step, loss=1 / (step + 1))
    ...     run.text("note", "The first try.")
    ...     run.histogram("weights", [0.1, -0.2, 0.3])
    ...     run.hparams(best_threshold=0.4)
    >>> record = tracking.read(run.folder)
    >>> record.state, record.params, record.metrics["loss"].round(2).tolist()
    ('finished', {'rate': 0.1}, [1.0, 0.5, 0.33])
    >>> tracking.Run(folder.name, "baseline")
    Traceback (most recent call last):
    FileExistsError: there is a run 'baseline' already in ...: take another name, such as 'baseline-2', ...
    >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        name: str,
        *,
        params: Mapping[str, Any] | None = None,
        seed: int | None = None,
        lineage: Any = None,
        sinks: Sequence[Sink] = (),
        train: Callable[..., Any] | str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(sinks, Sink):
            raise TypeError(f"sinks is a list; write sinks=[{type(sinks).__name__}(...)]")
        self.name = safe_name(name, what="run name")
        self.folder = Path(folder) / self.name
        self.params: dict[str, Any] = plain(dict(params or {}), "params")
        self.seed = None if seed is None else whole_seed(seed)
        self._clock, self._last_step, self._ended = clock, -1, False
        entry = entry_name(train)
        about = {
            "kind": "start",
            "format": FORMAT,
            "name": self.name,
            "params": self.params,
            "seed": self.seed,
            "train": entry,
            "lineage": to_mapping(lineage, "lineage"),
        }
        where = {
            "kind": "surroundings",
            "started": clock(),
            "code": code_hash(entry),
            "here": versions_here(),
        }
        self._book = Logbook(self._begin(about, where | this_process()), sinks)
        self._book.send("start", about)

    @property
    def failures(self) -> dict[str, int]:
        """How many writes have failed, by the name of the sink; ``"run.jsonl"`` is the record itself."""
        return self._book.failures

    @property
    def left_out(self) -> int:
        """How many things could not be kept as they were logged: no number, a step that goes back."""
        return self._book.left_out

    def log(self, step: int, values: Mapping[str, float] | None = None, /, **named: float) -> None:
        """Log numbers at a step: ``run.log(3, loss=0.2)``, or a mapping for names that are no Python words.

        Parameters
        ----------
        step
            The step's number; not below the last one.
        values, **named
            Name -> number; NaN and infinity are kept, and what is no number is recorded as missing.

        Raises
        ------
        ValueError
            If a name cannot be kept, or the run has ended.
        """
        self._open()
        given = {metric_name(name): value for name, value in {**(values or {}), **named}.items()}
        held: dict[str, float] = {}
        for name, value in given.items():
            try:
                held[name] = number(name, value)
            except Exception as wrong:  # noqa: BLE001  (whatever a value raises, the training goes on)
                self._book.leave_out(f"at step {step}, {wrong}")
        row = {name: to_json(held[name]) if name in held else None for name in given}
        self._keep("log", step, {"values": row}, held)

    def figure(self, name: str, ax: Axes, step: int | None = None) -> None:
        """Keep a picture as a PNG beside the record."""
        at = self._step(step)
        if at is None:
            return
        picture = plots.png(ax)
        file = f"{safe_name(name, what='figure name')}-{at}.png"
        stored = self._book.store(self.folder / file, picture)
        self._keep("figure", at, {"name": name, "file": file if stored else None}, name, picture)

    def table(self, name: str, frame: pd.DataFrame, step: int | None = None) -> None:
        """Keep a small table in the record; an index that is more than a count becomes a column."""
        if len(frame) > _MOST_ROWS:
            self._open()
            self._book.leave_out(
                f"table {metric_name(name)!r} has {len(frame):,} rows, a record keeps at most "
                f"{_MOST_ROWS:,}: keep it in a data store and log its hash, or log a summary"
            )
            return
        whole = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
        rows = plain(whole.astype(object).where(whole.notna(), None).to_numpy().tolist(), name, strict=False)
        held = {"name": metric_name(name), "columns": [str(column) for column in whole.columns], "rows": rows}
        self._keep("table", step, held, name, whole)

    def histogram(self, name: str, values: Any, step: int | None = None, *, bins: int = 30) -> None:
        """Keep how values are distributed, such as a layer's weights or the scores of a model."""
        if bins < 1:
            raise ValueError(f"bins={bins!r}: at least one bin is needed")
        self._counted("histogram", name, step, lambda: histogram(values, bins))

    def pr_curve(self, name: str, truth: Any, score: Any, step: int | None = None) -> None:
        """Keep precision and recall at 51 thresholds from 0 to 1."""
        self._counted("pr_curve", name, step, lambda: precision_recall(truth, score))

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

    def close(self) -> None:
        """End the run as finished; what is logged afterwards is refused. A second call does nothing."""
        self._end("finished", None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        good = error is None or (isinstance(error, SystemExit) and error.code in (None, 0))
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        self._end("finished" if good else "failed", None if good else said)

    def _end(self, state: str, error: str | None) -> None:
        if not self._ended:
            self._ended = True
            ended = {"kind": "end", "state": state, "error": error, "ended": self._clock()}
            self._book.close(state, ended)

    def _open(self) -> None:
        """Refuse to log into a run that has ended."""
        if self._ended:
            raise ValueError(f"the run {self.name!r} has ended; log inside its with block, or begin another")

    def _step(self, step: int | None) -> int | None:
        """Give the step that this belongs to; None, and a note, if it is none or goes back."""
        self._open()
        try:
            at = max(self._last_step, 0) if step is None else step_number(step)
        except (TypeError, ValueError) as wrong:
            self._book.leave_out(str(wrong))
            return None
        if at < self._last_step:
            self._book.leave_out(
                f"step {at} comes after step {self._last_step}, and steps do not go back: count on over all "
                "epochs; a training that starts over is a run of its own"
            )
            return None
        return at

    def _counted(self, kind: str, name: str, step: int | None, count: Callable[[], dict[str, Any]]) -> None:
        """Keep a summary of values, if they are such that there is one."""
        self._open()
        full = metric_name(name)
        try:
            held = count()
        except (TypeError, ValueError) as wrong:
            self._book.leave_out(f"{kind} {full!r}: {wrong}")
            return
        self._keep(kind, step, {"name": full, **held}, name, held)

    def _keep(self, kind: str, step: int | None, held: Mapping[str, Any], *sent: Any) -> None:
        at = self._step(step)
        if at is None:
            return
        self._last_step = at
        self._book.write({"kind": kind, "step": at, **held})
        if sent != ({},) or kind != "log":
            self._book.send(kind, at, *sent)

    def _begin(self, *rows: Mapping[str, Any]) -> LineFile:
        unwritable = f"the run {self.name!r} was not begun: {str(self.folder)!r} cannot be written"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            failure.add_note(unwritable)
            raise
        try:
            file = LineFile(self.folder / FILE)
        except FileExistsError:
            raise FileExistsError(
                f"there is a run {self.name!r} already in {str(self.folder.parent)!r}: take another name, "
                f"such as '{self.name}-2', look at the old one with tracking.read(...), or remove its folder"
            ) from None
        try:
            for row in rows:
                file.write(row)
        except OSError as failure:
            file.discard()
            failure.add_note(unwritable)
            raise
        return file
