"""A run's record: its file of JSON lines, and the record that is read back from it.

The file survives its writer: each line is handed to the system before the next step, appended and never
rewritten. When the program is killed, what was handed over stays, and at most the last line is torn. When the
disk is full, what could not be written waits in memory and is tried again with the next line, from the very
byte at which it stopped, so that no line is lost or garbled. Where a line cannot be read the rest still can,
and the record says so.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from mlops_lab import plots
from mlops_lab.tracking.run_environment import alive
from mlops_lab.tracking.values import from_json

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FILE", "FORMAT", "LineFile", "Record", "read", "read_all", "read_lines"]

FILE = "run.jsonl"
FORMAT = 1


class LineFile:
    """Append JSON lines to a new file, each at once.

    Nothing is kept in a buffer of this program, so kill -9 loses nothing that ``write`` has returned for. A
    power cut may: that would need fsync at every step, which costs milliseconds.

    Parameters
    ----------
    path
        The file; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._waiting = b""
        self._lock = threading.Lock()

    def write(self, row: Mapping[str, Any]) -> None:
        """Hand one line, and whatever still waits, to the system; OSError if it does not take all of it."""
        line = json.dumps(row, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self._waiting += line.encode("utf-8", "replace") + b"\n"
            self._drain()

    def _drain(self) -> None:
        while self._waiting:
            written = self._file.write(self._waiting)
            self._waiting = self._waiting[written or 0 :]

    def close(self) -> None:
        """Try once more to write what waits, and close the file."""
        with self._lock:
            try:
                self._drain()
            finally:
                self._file.close()

    def discard(self) -> None:
        """Close and remove the file: the run never began."""
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def read_lines(path: Path) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    r"""Read JSON lines, past those that cannot be read."""
    rows, unreadable = [], []
    pieces = path.read_bytes().split(b"\n")
    for place, piece in enumerate(pieces, start=1):
        if not piece.strip():
            continue
        try:
            row = json.loads(piece)
        except ValueError:  # UnicodeDecodeError and JSONDecodeError are both of this kind
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            unreadable.append(place)
    return rows, tuple(unreadable)


State = Literal["finished", "failed", "killed", "running", "unknown"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Record:
    """One run, read back.

    Attributes
    ----------
    name, folder
        The run's name and its own folder.
    state
        ``"finished"``; ``"failed"``: an error ended it; ``"killed"``: it has no end and its process is gone;
        ``"running"``: its process is alive; ``"unknown"``: it has no end and ran on another machine.
    error
        What ended a failed run, such as ``"ValueError: ..."``; else None.
    params, seed, train
        What the training was told, and by which function it was done (None: not said).
    lineage
        What made it, as it was passed in.
    metrics
        One row for each step, one column for each metric, in the order in which they came. What was not
        logged at a step is NaN there, as is a NaN that was logged: ``not_finite`` tells them apart.
    not_finite
        For each metric that was ever NaN or infinite, the first step at which it was.
    hparams
        ``params`` and what ``run.hparams`` added.
    data
        Name -> fingerprint of the tables that the training saw.
    texts, tables, histograms, pr_curves, figures
        Name -> the last one of that name: text, DataFrame, counts, DataFrame, path of the PNG.
    environment
        Versions, system and settings that can change numbers.
    code
        Fingerprint of the source that ``train`` stands in.
    started, ended
        Seconds since 1970; ``ended`` is None without an end.
    sink_failures
        For each sink that failed, its first failure in words.
    unreadable
        Numbers of the lines that could not be read. The last line of a killed run may be torn.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with tracking.Run(folder, "steep", params={"rate": 9.0}) as run:
    ...         run.log(0, loss=0.7)
    ...         run.log(1, loss=float("nan"))
    ...     record = tracking.read(run.folder)
    >>> record
    Record 'steep': finished, 2 steps of loss; loss is not finite from step 1
    >>> record.not_finite
    {'loss': 1}
    """

    name: str
    folder: Path
    state: State
    error: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    train: str | None = None
    lineage: Mapping[str, Any] = field(default_factory=dict)
    metrics: pd.DataFrame
    not_finite: Mapping[str, int]
    hparams: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pr_curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    started: float | None = None
    ended: float | None = None
    sink_failures: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[int, ...] = ()

    def __repr__(self) -> str:
        steps = len(self.metrics)
        what = ", ".join(map(str, self.metrics.columns)) or "nothing"
        said = [f"{self.state}{f' ({self.error})' if self.error else ''}, {steps} steps of {what}"]
        said += [f"{name} is not finite from step {step}" for name, step in self.not_finite.items()]
        said += [f"{name} failed" for name in self.sink_failures]
        if self.unreadable:
            said.append(f"{len(self.unreadable)} unreadable lines")
        return f"Record {self.name!r}: {'; '.join(said)}"

    def plot(self, ax: Axes | None = None, *, metrics: Sequence[str] | None = None) -> Axes:
        """Draw the run's curves on one axis; choose metrics of one unit.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        metrics
            What is drawn; by default all.

        Raises
        ------
        ValueError
            If there is no such metric, or no value that can be drawn.
        """
        chosen = list(self.metrics if metrics is None else metrics)
        unknown = [name for name in chosen if name not in self.metrics]
        if unknown:
            raise ValueError(f"no metric {unknown[0]!r} in {self.name!r}; there is {list(self.metrics)}")
        finite = self.metrics[chosen].replace([math.inf, -math.inf], math.nan)
        label = str(chosen[0]) if len(chosen) == 1 else "value"
        return plots.line(finite, xlabel="step", ylabel=label, title=self.name, ax=ax)


def read(folder: str | os.PathLike[str]) -> Record:
    """Read one run back.

    It may be read while it runs, and after it was killed. A last line that was torn is read past and listed
    in ``unreadable``. It says what was written down, not that this is true: anybody can edit a file of lines.

    Parameters
    ----------
    folder
        The run's own folder, ``run.folder``, or its ``run.jsonl``.

    Raises
    ------
    FileNotFoundError
        If there is no run; the error names the runs that are near.
    ValueError
        If the file was not written by a run, its begin is lost, or it is of a later format.

    Examples
    --------
    >>> read("no/such/run")
    Traceback (most recent call last):
    FileNotFoundError: there is no run in 'no/such/run': ...

    Taught in notebooks/06_tracking.ipynb.
    """
    place = Path(folder)
    place = place.parent if place.name == FILE else place
    path = place / FILE
    if not path.is_file():
        near = sorted(one.parent.name for one in place.glob(f"*/{FILE}"))
        hint = (
            f"it holds the runs {', '.join(near)}; read one of them, or read_all"
            if near
            else (f"a run's folder holds a file {FILE}; see run.folder")
        )
        raise FileNotFoundError(f"there is no run in {str(place)!r}: {hint}")
    rows, unreadable = read_lines(path)
    start = rows[0] if rows else {}
    if start.get("kind") != "start":
        raise ValueError(f"{str(path)!r} does not begin as a run does; its first line is missing or damaged")
    if start.get("format") != FORMAT:
        raise ValueError(
            f"{str(path)!r} is of format {start.get('format')!r}, this release reads format {FORMAT}; "
            "install the release that wrote it"
        )
    where: dict[str, Any] = next((row for row in rows if row.get("kind") == "surroundings"), {})
    end: dict[str, Any] = next((row for row in rows if row.get("kind") == "end"), {})
    return Record(
        name=start["name"],
        folder=place,
        state=_state(end, where),
        error=end.get("error"),
        params=start.get("params", {}),
        seed=start.get("seed"),
        train=start.get("train"),
        lineage=start.get("lineage", {}),
        environment=where.get("here", {}),
        code=where.get("code"),
        started=where.get("started"),
        ended=end.get("ended"),
        unreadable=unreadable,
        **_contents(rows, start, place),
    )


def read_all(folder: str | os.PathLike[str]) -> list[Record]:
    """Read every run that a folder keeps, in the order of their names.

    One that cannot be read at all, as its first line is missing, is left out with a warning.

    Parameters
    ----------
    folder
        The folder that was given to the runs.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b", "a"):
    ...         with tracking.Run(folder, name):
    ...             pass
    ...     [record.name for record in read_all(folder)]
    ['a', 'b']

    Taught in notebooks/06_tracking.ipynb.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(
            f"there is no folder {str(place)!r}; give the folder that the runs were given"
        )
    records = []
    for path in sorted(place.glob(f"*/{FILE}")):
        try:
            records.append(read(path.parent))
        except ValueError as failure:
            warnings.warn(f"left out: {failure}", RuntimeWarning, stacklevel=2)
    return records


def _state(end: Mapping[str, Any], where: Mapping[str, Any]) -> State:
    if end.get("state") in ("finished", "failed"):
        return "finished" if end["state"] == "finished" else "failed"
    lives = alive(where)
    return "unknown" if lives is None else ("running" if lives else "killed")


def _contents(rows: list[dict[str, Any]], start: Mapping[str, Any], place: Path) -> dict[str, Any]:
    steps: dict[int, dict[str, float]] = {}
    not_finite: dict[str, int] = {}
    held: dict[str, dict[str, Any]] = {kind: {} for kind in _READERS}
    hparams: dict[str, Any] = dict(start.get("params", {}))
    sink_failures: dict[str, str] = {}
    for row in rows:
        kind = row.get("kind")
        if kind == "log":
            given = row["values"]
            values = {name: from_json(value) for name, value in given.items() if value is not None}
            at = steps.setdefault(row["step"], {})
            at.update(values)
            at |= {name: math.nan for name in given if name not in at}  # what was logged and is missing
            for name, value in values.items():
                if not math.isfinite(value):
                    not_finite.setdefault(name, row["step"])
        elif kind == "hparams":
            hparams.update(row["values"])
        elif kind == "sink_failed":
            sink_failures.setdefault(row["sink"], row["error"])
        elif kind in _READERS:
            content = _READERS[kind](row, place)
            if content is not None:
                held[kind][row["name"]] = content
    names = {name: None for values in steps.values() for name in values}
    metrics = pd.DataFrame(
        {name: [values.get(name, math.nan) for values in steps.values()] for name in names},
        index=pd.Index(list(steps), name="step", dtype="int64"),
        dtype="float64",
    )
    named = {_FIELDS[kind]: content for kind, content in held.items()}
    return {
        "metrics": metrics,
        "not_finite": not_finite,
        "hparams": hparams,
        "sink_failures": sink_failures,
        **named,
    }


_PR = ("threshold", "precision", "recall", "tp", "fp", "tn", "fn")
_FIELDS = {
    "data": "data",
    "text": "texts",
    "table": "tables",
    "histogram": "histograms",
    "pr_curve": "pr_curves",
    "figure": "figures",
}
_READERS: dict[str, Callable[[Mapping[str, Any], Path], Any]] = {
    "data": lambda row, place: row["hash"],
    "text": lambda row, place: row["text"],
    "table": lambda row, place: pd.DataFrame(row["rows"], columns=row["columns"]),
    "histogram": lambda row, place: {name: row[name] for name in ("edges", "counts", "not_finite")},
    "pr_curve": lambda row, place: pd.DataFrame({name: row[name] for name in _PR}),
    "figure": lambda row, place: place / row["file"] if row["file"] else None,
}
