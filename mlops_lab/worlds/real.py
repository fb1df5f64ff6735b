"""Real tables under one interface, so that nothing the course says rests on simulation alone.

Bundled tables come with scikit-learn and need no network. None of them carries dates. We looked for a real
dated table with a clear licence in the files of every required package, and there is none: matplotlib's
sample data holds dated share prices (Stocks.csv "Data source: https://finance.yahoo.com", msft.csv,
goog.npz) without a word on their licence, so they are not used; scipy's own data sets are downloads;
scipy's NIST test tables and scikit-learn's tables have no dates. Time is therefore played by the orchard,
or fetched by those who want to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

__all__ = ["FETCHABLE", "REAL", "Table", "fetch", "real"]

UNSTATED = "no licence stated by the data's description; its file ships in scikit-learn (BSD-3-Clause)"
ASK = "not stated by the loader; read it at the provider before you use or pass on the data"

REAL = ("breast_cancer", "digits", "wine", "diabetes", "iris")
"""The names that `real` takes: bundled, offline."""

FETCHABLE = ("california_housing", "bike_sharing", "electricity")
"""The names that `fetch` takes: larger public tables, downloaded."""

SOURCES: dict[str, str] = {
    "breast_cancer": "Wolberg, Street and Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI, 1995",
    "digits": "Alpaydin, Optical recognition of handwritten digits, test set, UCI, 1998",
    "wine": "Forina et al., PARVUS; Wine recognition, UCI, 1991",
    "diabetes": "Efron, Hastie, Johnstone and Tibshirani, Least angle regression, Annals of Statistics, 2004",
    "iris": "Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics, 1936",
    "california_housing": "Pace and Barry, Sparse spatial autoregressions, 1997; 1990 U.S. census",
    "bike_sharing": "Fanaee-T and Gama, Event labeling combining ensemble detectors, 2014; by OpenML",
    "electricity": "Harries, Splice-2 comparative evaluation: electricity pricing, 1999; by OpenML",
}


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A real table with its papers.

    Parameters
    ----------
    name
        Its name.
    data
        The columns, named without spaces.
    target
        What is to be predicted, named "target"; strings in a classification.
    task
        "classification" or "regression".
    source
        Who made it.
    licence
        Under which licence, as far as its own description says.
    dated
        The columns that tell the time of a row; empty if there are none.

    Examples
    --------
    >>> real("wine")
    Table wine: classification, 178 rows, 13 columns, not dated
    """

    name: str
    data: pd.DataFrame
    target: pd.Series
    task: str
    source: str
    licence: str
    dated: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows, columns = self.data.shape
        when = f"dated by {', '.join(self.dated)}" if self.dated else "not dated"
        return f"Table {self.name}: {self.task}, {rows:,} rows, {columns} columns, {when}"


def real(name: str) -> Table:
    """Load a real table that comes with scikit-learn; nothing is downloaded.

    Answers: does the method also work on data that nobody tuned? It misleads where a table is taken for
    today's world: these are small, clean and old, and what follows from them for patients or plants is not
    known to us.

    Parameters
    ----------
    name
        One of `REAL`.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> table = real("breast_cancer")
    >>> table.target.value_counts().to_dict()
    {'benign': 357, 'malignant': 212}
    >>> table.data.columns[0]
    'mean_radius'
    """
    if name not in REAL:
        raise ValueError(f"no bundled table is called {name!r}; there are {', '.join(REAL)} (see also fetch)")
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **options)
    task = "regression" if name == "diabetes" else "classification"
    target = pd.Series(bunch.target, name="target")
    if task == "classification":
        names = (
            [f"cultivar_{i}" for i in (1, 2, 3)] if name == "wine" else [str(c) for c in bunch.target_names]
        )
        target = target.map(dict(enumerate(names))).astype(object)
    return Table(name, _plain(bunch.data), target, task, SOURCES[name], UNSTATED)


def fetch(name: str, *, download: bool = False, folder: str | None = None) -> Table:
    """Download a larger public table through scikit-learn; no lesson and no test needs it.

    Answers: does it hold on more rows, and over real time? It cannot promise that the provider still has it.

    Parameters
    ----------
    name
        One of `FETCHABLE`. bike_sharing and electricity tell the time of a row.
    download
        Must be True: a table is only ever downloaded by a person who asked for it.
    folder
        Where scikit-learn keeps it; its own folder in the home directory by default.

    Raises
    ------
    ValueError
        For an unknown name, or without ``download=True``.
    ConnectionError
        If it cannot be reached.

    Examples
    --------
    >>> fetch("bike_sharing")
    Traceback (most recent call last):
    ...
    ValueError: bike_sharing is not bundled; ask with fetch('bike_sharing', download=True), or use real(...)
    """
    if name not in FETCHABLE:
        raise ValueError(f"no table called {name!r} can be fetched; there are {', '.join(FETCHABLE)}")
    if not download:
        raise ValueError(f"{name} is not bundled; ask with fetch({name!r}, download=True), or use real(...)")
    from sklearn import datasets

    try:
        bunch: Any
        if name == "california_housing":
            bunch = datasets.fetch_california_housing(data_home=folder, as_frame=True, n_retries=1, delay=0)
        else:
            known = {"bike_sharing": ("Bike_Sharing_Demand", 2), "electricity": ("electricity", 1)}
            title, version = known[name]
            bunch = datasets.fetch_openml(
                title, version=version, data_home=folder, as_frame=True, n_retries=1, delay=0, parser="auto"
            )
    except OSError as error:
        raise ConnectionError(
            f"{name} could not be downloaded ({error}); go online and try again, or use real(...)"
        ) from error
    dated = {"bike_sharing": ("year", "month", "hour"), "electricity": ("date", "day", "period")}.get(
        name, ()
    )
    task = "classification" if name == "electricity" else "regression"
    target = pd.Series(bunch.target, name="target")
    target = target.astype(str).astype(object) if task == "classification" else target.astype(float)
    return Table(name, _plain(bunch.data), target, task, SOURCES[name], ASK, dated)


def _plain(data: pd.DataFrame) -> pd.DataFrame:
    """Column names that can be typed."""
    typed = str.maketrans({" ": "_", "/": "_per_", "(": None, ")": None})
    return data.rename(columns=lambda column: str(column).strip().translate(typed))
