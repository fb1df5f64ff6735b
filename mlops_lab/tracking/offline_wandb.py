"""Weights & Biases without a network: its own run files, written by its own client, read by its own reader.

What must stand before ``import wandb`` decides whether it stays silent and at home: ``mode="offline"`` alone
still looks up a host for its telemetry. The course's own environment sets all of it; where wandb has not been
imported yet, the sink does.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlops_lab.setup import environment
from mlops_lab.tracking.values import from_json

__all__ = ["Wandb", "wandb_history"]

_BEFORE_IMPORT = ("WANDB_MODE", "WANDB_ERROR_REPORTING", "WANDB_SILENT", "WANDB_CONSOLE")
_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")
# By default a killed run loses its last 15 s; this many are lost here.
_FLUSH_S = 1.0
_READ_S = 60.0


class Wandb:
    """Keep runs as Weights & Biases does, offline: no account, no network, nothing printed.

    For who has an account, going online is one line in a terminal, after ``wandb login``:
    ``wandb sync FOLDER/wandb/offline-run-*``.

    It misleads about what was killed: wandb keeps a step until the next one begins, and writes once a second,
    so a killed run's last second is lost here. ``run.jsonl`` has it; ``replay`` sends it to a new sink. An
    artifact has no versions offline, so keep data and models in a store and their hashes in the lineage.

    The sink sets in this process what wandb reads from the environment, unless it is set already: offline,
    silent, no telemetry, and four folders of wandb's own under ``folder``.

    Parameters
    ----------
    folder
        Where wandb keeps its runs: in a folder ``wandb`` inside.
    project
        The project that runs are listed under once they are online.

    Raises
    ------
    ModuleNotFoundError
        If wandb is not installed.
    RuntimeError
        If wandb was imported before its environment was prepared, or is told to go online.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import tracking
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sink = tracking.Wandb(folder, project="orchard")  # for tracking.Run(..., sinks=[sink])
    >>> sink.project
    'orchard'
    """

    def __init__(self, folder: str | os.PathLike[str], *, project: str = "mlops-lab") -> None:
        _needed()
        self.folder = Path(folder)
        self.project = project
        self._run: Any = None
        _prepare(self.folder)

    def start(self, about: Mapping[str, Any]) -> None:
        """Begin an offline run."""
        import wandb

        self.folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(
            mode="offline",
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            reinit="create_new",
            x_disable_stats=True,
            x_disable_meta=True,
            x_disable_machine_info=True,
            x_transaction_log_flush_interval=_FLUSH_S,
        )
        config = {**about["params"], "seed": about["seed"], "lineage": about["lineage"]}
        self._run = wandb.init(
            dir=str(self.folder), project=self.project, name=about["name"], config=config, settings=settings
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log the numbers of one step."""
        self._begun().log(dict(values), step=step)

    def histogram(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Log counts in bins."""
        import wandb

        counts = (held["counts"], held["edges"])
        self._begun().log({name: wandb.Histogram(np_histogram=counts)}, step=step)

    def figure(self, step: int, name: str, picture: bytes) -> None:
        """Log a PNG."""
        import wandb
        from PIL import Image

        self._begun().log({name: wandb.Image(Image.open(io.BytesIO(picture)))}, step=step)

    def text(self, step: int, name: str, text: str) -> None:
        """Keep a note in the run's summary."""
        self._begun().summary[name] = text

    def table(self, step: int, name: str, frame: pd.DataFrame) -> None:
        """Log a table."""
        import wandb

        self._begun().log({name: wandb.Table(dataframe=frame)}, step=step)

    def hparams(self, step: int, values: Mapping[str, Any]) -> None:
        """Add settings to the run's configuration."""
        self._begun().config.update(dict(values), allow_val_change=True)

    def pr_curve(self, step: int, name: str, held: Mapping[str, Any]) -> None:
        """Log precision and recall at each threshold as a table."""
        self.table(step, name, pd.DataFrame(dict(held)))

    def end(self, state: str) -> None:
        """End the run with the exit code that its state means."""
        run, self._run = self._run, None
        if run is not None:
            run.finish(exit_code=0 if state == "finished" else 1)

    def close(self) -> None:
        """End a run that nobody has ended; the sink may serve another one afterwards."""
        self.end("finished")

    def _begun(self) -> Any:
        if self._run is None:
            raise ValueError("this Wandb sink has not begun; give it to Run(..., sinks=[...])")
        return self._run


def wandb_history(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read one offline run's numbers back with wandb's own reader, ``wandb leet inspect --json``.

    Parameters
    ----------
    path
        The ``.wandb`` file, or a folder that holds exactly one, at any depth.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or more than one; the error names them.
    ModuleNotFoundError
        If wandb is not installed.
    RuntimeError
        If its reader fails.

    Examples
    --------
    >>> wandb_history("no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: there is no .wandb file in 'no/such/folder'; ...

    Taught in notebooks/06_tracking.ipynb.
    """
    _needed()
    place = Path(path)
    files = [place] if place.is_file() else sorted(place.rglob("run-*.wandb"))
    if not files:
        raise FileNotFoundError(
            f"there is no .wandb file in {str(place)!r}; give the folder of the Wandb sink"
        )
    if len(files) > 1:
        raise ValueError(
            f"{str(place)!r} holds {len(files)} runs; give one of {', '.join(str(file) for file in files)}"
        )
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(files[0])]
    said = subprocess.run(
        command,
        env=environment.prepared(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_READ_S,
        check=False,
    )
    if said.returncode != 0:
        raise RuntimeError(f"wandb's reader failed on {str(files[0])!r}: {said.stderr.strip()}")
    steps: dict[int, dict[str, float]] = {}
    for line in said.stdout.splitlines():
        row = json.loads(line)
        if row.get("type") == "history":
            held = row["history"]["item"]
            steps.setdefault(int(held["_step"]), {}).update(_numbers(held))
    frame = pd.DataFrame.from_dict(steps, orient="index", dtype="float64")
    return frame.rename_axis("step").sort_index()


def _numbers(held: Mapping[str, Any]) -> dict[str, float]:
    """Keep the metrics; the parts of a picture or table stand there too, as ``name._type``, ``name.size``."""
    things = tuple(name.removesuffix("_type") for name in held if name.endswith("._type"))
    return {
        name: from_json(value)
        for name, value in held.items()
        if not name.startswith(("_", *things))
        and (isinstance(value, int | float) or value in ("NaN", "Infinity", "-Infinity"))
    }


def _prepare(folder: Path) -> None:
    wanted = {name: value for name, value in environment.prepared().items() if name in _BEFORE_IMPORT}
    current = {name: os.environ.get(name) for name in wanted}
    for name in ("WANDB_MODE", "WANDB_ERROR_REPORTING"):
        if current[name] not in (None, wanted[name]):
            raise RuntimeError(
                f"{name} is {current[name]!r}, and this sink writes offline only, with {wanted[name]!r}: "
                "unset it, and upload afterwards with 'wandb sync'"
            )
    missing = {name: value for name, value in wanted.items() if current[name] is None}
    if missing and "wandb" in sys.modules:
        said = " ".join(f"{name}={value}" for name, value in missing.items())
        raise RuntimeError(
            f"wandb was imported before its environment stood, and would look up a host: set {said} before "
            "Python starts (python -m mlops_lab lab does), or make the Wandb sink before 'import wandb', and "
            "restart the kernel"
        )
    os.environ.update(missing)
    for name in _FOLDERS:
        os.environ.setdefault(name, str(folder.absolute() / "wandb" / name.removeprefix("WANDB_").lower()))


def _needed() -> None:
    found = importlib.util.find_spec("wandb")
    if found is None or found.origin is None:  # wandb's own folder of runs is no package
        raise ModuleNotFoundError(
            "wandb is not installed, and this sink writes with it; install the course's packages "
            "('python -m mlops_lab lab' does), or leave the sink out: run.jsonl is always written"
        )
