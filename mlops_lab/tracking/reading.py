"""From a run's file back to a record.

Everything comes from the run's file of JSON lines. Where a line cannot be read the rest still can, and the
record says so.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.tracking.json_lines import read_lines
from mlops_lab.tracking.record import Record, State
from mlops_lab.tracking.run import FILE, FORMAT
from mlops_lab.tracking.run_environment import alive
from mlops_lab.tracking.values import from_json

__all__ = ["read", "read_all"]


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
        surroundings=where.get("here", {}),
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
            values = {name: from_json(value) for name, value in row["values"].items()}
            steps.setdefault(row["step"], {}).update(values)
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
