"""Seven ways to keep ten versions of a table, raced: bytes, seconds, and whether each version comes back.

A way is a function of an empty folder, the versions as tables, and the same as CSV files. It gives the folder
whose bytes count, and a function that brings version number n back, as a table or as the bytes of its file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pandas as pd

from mlops_lab import versioning
from mlops_lab.lesson.show import scratch
from mlops_lab.lesson.terminal import Terminal

__all__ = ["PROGRAMS", "csv_bytes", "folder_bytes", "into_git", "race"]

Back = Callable[[int], "bytes | pd.DataFrame"]
Way = Callable[[Path, "Sequence[pd.DataFrame]", Sequence[bytes]], tuple[Path, Back]]


def csv_bytes(table: pd.DataFrame) -> bytes:
    r"""Write a table as a CSV file, the same bytes on every system.

    Examples
    --------
    >>> csv_bytes(pd.DataFrame({"grade": ["juice"]}, index=pd.Index(["c1"], name="crate")))
    b'crate,grade\nc1,juice\n'
    """
    return table.to_csv(lineterminator="\n").encode()


def folder_bytes(folder: Path) -> int:
    """Add up the bytes of all files below a folder; 0 if there is none.

    Examples
    --------
    >>> with scratch() as folder:
    ...     _ = (folder / "a.txt").write_bytes(b"four")
    ...     folder_bytes(folder)
    4
    """
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def into_git(folder: Path, blobs: Sequence[bytes], name: str = "crates.csv") -> Terminal:
    """Commit one file after the other under one name, with tags v0, v1 and so on.

    Parameters
    ----------
    folder
        An empty folder, which becomes the repository.
    blobs
        The contents of the file, in order.
    name
        What the file is called.

    Returns
    -------
    Terminal
        The terminal that was used; where Git is not installed, nothing was committed.

    Examples
    --------
    >>> with scratch() as folder:
    ...     place = into_git(folder, [b"first", b"second"])
    ...     place.lacks("git") or place.output("git tag").split()
    ['v0', 'v1']
    """
    place = Terminal(folder)
    place.output("git init -q")
    for number, blob in enumerate(blobs):
        (folder / name).write_bytes(blob)
        place.output(f"git add {name}", f"git commit -q --allow-empty -m {number}", f"git tag v{number}")
    return place


def difference(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that are new or changed, and below them an empty row for each that is gone.

    It names rows by the index, and takes an empty row for a gone one: it needs tables without missing values.
    """
    changed = new[~new.eq(old.reindex(new.index)).all(axis=1)]
    return changed.reindex(changed.index.append(old.index.difference(new.index)))


def race(tables: Mapping[str, Sequence[pd.DataFrame]], ways: Mapping[str, Way] | None = None) -> pd.DataFrame:
    """Keep the versions in every way, bring each back, and compare it with the original.

    Seconds are those of keeping and of bringing back together. They mislead where they are taken for large
    tables: here the start of a tool weighs more than its work.

    Parameters
    ----------
    tables
        For each kind of change the versions of a table, the first one first.
    ways
        Name -> way; by default all of `WAYS`. A way whose program is not installed is left out.

    Returns
    -------
    pandas.DataFrame
        For each way and change: ``tables`` (bytes on disk, in CSV files of version 0), ``lost`` (versions
        that did not come back as they were), ``seconds``.

    Examples
    --------
    >>> crates = pd.DataFrame({"kg": [17.5]}, index=pd.Index(["c1"], name="crate"))
    >>> race({"nothing": [crates] * 2}, {"copies": WAYS["copies"]})[["tables", "lost"]]
                     tables  lost
    way    change
    copies nothing      2.0     0
    """
    rows = {}
    blobs = {change: [csv_bytes(version) for version in versions] for change, versions in tables.items()}
    for name, way in (WAYS if ways is None else ways).items():
        if name in _NEEDS and Terminal(scratch()).lacks(*_NEEDS[name]):
            continue
        for change, versions in tables.items():
            with scratch() as folder:
                start = time.perf_counter()
                where, back = way(folder, versions, blobs[change])
                found = [back(number) for number in range(len(versions))]
                seconds = time.perf_counter() - start
                lost = sum(map(_lost, found, versions, blobs[change]))
                rows[name, change] = (folder_bytes(where) / len(blobs[change][0]), lost, seconds)
    found_all = pd.DataFrame.from_dict(rows, orient="index", columns=["tables", "lost", "seconds"])
    found_all.index = pd.MultiIndex.from_tuples(list(rows), names=["way", "change"])
    return found_all


def _lost(found: bytes | pd.DataFrame, version: pd.DataFrame, blob: bytes) -> bool:
    return not version.equals(found) if isinstance(found, pd.DataFrame) else found != blob


def _by_copies(folder: Path, versions: Sequence[pd.DataFrame], blobs: Sequence[bytes]) -> tuple[Path, Back]:
    for number, blob in enumerate(blobs):
        (folder / f"{number}.csv").write_bytes(blob)
    return folder, lambda number: (folder / f"{number}.csv").read_bytes()


def _by_git(folder: Path, versions: Sequence[pd.DataFrame], blobs: Sequence[bytes]) -> tuple[Path, Back]:
    place = into_git(folder, blobs)
    place.output("git gc -q")

    def back(number: int) -> bytes:
        place.output(f"git checkout -q v{number}")
        return (folder / "crates.csv").read_bytes()

    return folder / ".git" / "objects", back


def _by_dvc(folder: Path, versions: Sequence[pd.DataFrame], blobs: Sequence[bytes]) -> tuple[Path, Back]:
    """Let DVC add each version, from Python: its start on the command line is not what is measured."""
    from dvc.repo import Repo  # type: ignore[import-untyped]
    from dvc.ui import ui  # type: ignore[import-untyped]

    # its spinners would become outputs of a notebook, more or fewer as the machine is slow or fast
    ui.error_console = type(ui.rich_console)(quiet=True, force_jupyter=False)
    Terminal(folder).output("dvc init -q --no-scm")
    dvc = Repo(str(folder), config={"core": {"site_cache_dir": str(folder / "site")}})
    data, pointer = folder / "crates.csv", folder / "crates.csv.dvc"
    pointers = []
    for blob in blobs:
        data.write_bytes(blob)
        dvc.add(str(data))
        pointers.append(pointer.read_bytes())

    def back(number: int) -> bytes:
        pointer.write_bytes(pointers[number])
        with Repo(str(folder), config={"core": {"site_cache_dir": str(folder / "site")}}) as again:
            again.checkout(force=True)
        return data.read_bytes()

    return folder / ".dvc" / "cache", back


def _by_store(*, chunked: bool, as_file: bool) -> Way:
    def way(folder: Path, versions: Sequence[pd.DataFrame], blobs: Sequence[bytes]) -> tuple[Path, Back]:
        store, file, kept = versioning.Store(folder / "store", chunked=chunked), folder / "crates.csv", []
        for version, blob in zip(versions, blobs, strict=True):
            if as_file:
                file.write_bytes(blob)
            kept.append(store.commit(file if as_file else version, "crates"))
        return store.folder, lambda number: store.load(kept[number])

    return way


def _by_rows(folder: Path, versions: Sequence[pd.DataFrame], blobs: Sequence[bytes]) -> tuple[Path, Back]:
    nothing = versions[0].head(0)
    for number, (old, new) in enumerate(pairwise([nothing, *versions])):
        difference(old, new).to_csv(folder / f"{number}.csv.zst")

    def back(number: int) -> pd.DataFrame:
        found = nothing
        for file in [folder / f"{step}.csv.zst" for step in range(number + 1)]:
            step = pd.read_csv(file, index_col=0, dtype=str)  # texts, which become exact numbers below
            step.index = step.index.astype(nothing.index.dtype)
            kept = found.drop(step.index, errors="ignore")
            found = pd.concat([kept, step.dropna().astype(nothing.dtypes.to_dict())])
        return found.reindex(versions[number].index)

    return folder, back


WAYS: Mapping[str, Way] = {
    "copies": _by_copies,
    "DVC": _by_dvc,
    "whole tables": _by_store(chunked=False, as_file=False),
    "pieces of the file": _by_store(chunked=True, as_file=True),
    "pieces of columns": _by_store(chunked=True, as_file=False),
    "git + gc": _by_git,
    "row differences": _by_rows,
}
"""Name -> way: copies, DVC, three settings of our store, Git packed by gc, and row differences."""

PROGRAMS: Mapping[str, str] = {
    "prepare.py": (
        "import csv, json\n"
        "rows = [row for row in csv.DictReader(open('crates.csv')) if row['scanner'] == 'belt']\n"
        "json.dump([[float(row['blemish']), row['grade']] for row in rows], open('ready.json', 'w'))\n"
    ),
    "rule.py": (
        "import json\n"
        "limit, rows = json.load(open('params.json'))['limit'], json.load(open('ready.json'))\n"
        "right = sum((blemish > limit) == (grade in ('spoiled', 'juice')) for blemish, grade in rows)\n"
        "json.dump({'share_right': round(right / len(rows), 3)}, open('metrics.json', 'w'))\n"
    ),
    "params.json": '{"limit": 1.5}\n',
}
"""Name -> text: the programs and the setting of a tiny pipeline of two stages, without any library."""

_NEEDS = {"git + gc": ("git",), "DVC": ("dvc",)}
