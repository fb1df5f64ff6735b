"""A run as it can be read back: its curves, what it was told, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from mlops_lab import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Record", "State"]

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
    surroundings
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
    surroundings: Mapping[str, str] = field(default_factory=dict)
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
