"""Provenance: what a version was made from, noted while it is known, and traced all the way back.

`lineage` writes it down when a result is made; `trace` walks back from a version over its inputs, their
inputs, and names what is no longer known.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_lab import plots
from mlops_lab.report import Finding, Report
from mlops_lab.versioning.manifests import Version

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Lineage", "lineage", "trace"]

PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
"""The libraries whose versions are written down unless others are asked for."""

_LIMIT_S = 20.0


def lineage(
    data: Version | str | Iterable[Version | str] | Mapping[str, Version | str] | None = None,
    *,
    code: str | os.PathLike[str] = ".",
    params: Mapping[str, Any] | Version | None = None,
    seed: int | None = None,
    packages: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Write down what a result is made from, to be handed to ``Store.commit`` or to a run.

    It notes what it is told (data, parameters, seed) and what it can see (the commit of the code, versions,
    hardware). It misleads where the code reads anything that nobody has named here, and where the code has
    changes that are not committed: those are noted as changes, not kept.

    Parameters
    ----------
    data
        The versions it is made from: one, several, or role -> version; text is a reference in the store.
    code
        A folder in the Git repository of the code.
    params
        The parameters, or the version that holds them.
    seed
        The seed.
    packages
        Names of libraries whose versions are to be noted; ``None`` takes ``PACKAGES``.

    Returns
    -------
    dict
        Text, numbers, lists and dicts only: ``inputs`` (role -> version), ``code`` (``commit``, ``changed``,
        and ``why`` if there is none), ``params``, ``seed``, ``python``, ``packages``, ``hardware``.

    Raises
    ------
    TypeError
        If the data are named by something that is no version and no text.

    Examples
    --------
    >>> origin = lineage("crates@2", params={"depth": 3}, seed=0)
    >>> origin["inputs"], origin["params"], origin["seed"]
    ({'data': 'crates@2'}, {'depth': 3}, 0)
    >>> sorted(origin)
    ['code', 'hardware', 'inputs', 'packages', 'params', 'python', 'seed']

    Taught in notebooks/04_versioning.ipynb.
    """
    inputs = _inputs(data)
    if isinstance(params, Version):
        inputs["params"] = params.id
    return {
        "inputs": inputs,
        "code": _code(Path(code)),
        "params": dict(params) if isinstance(params, Mapping) else {},
        "seed": seed,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in (PACKAGES if packages is None else packages)},
        "hardware": {
            "system": platform.system(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        },
    }


def _inputs(data: Any) -> dict[str, str]:
    if data is None:
        return {}
    if isinstance(data, Version | str):
        data = [data]
    if not isinstance(data, Mapping):
        named = list(data)
        roles = [one.name if isinstance(one, Version) else "data" for one in named]
        data = {
            role if roles.count(role) == 1 else f"{role} {place}": one
            for place, (role, one) in enumerate(zip(roles, named, strict=True), start=1)
        }
    for role, one in data.items():
        if not isinstance(one, Version | str) or not isinstance(role, str):
            raise TypeError(f"data {role!r} must be a version or a reference such as 'crates@2', not {one!r}")
    return {role: one.id if isinstance(one, Version) else one for role, one in data.items()}


def _code(folder: Path) -> dict[str, Any]:
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain"))}
    except FileNotFoundError:
        why = f"there is no folder {str(folder)!r}" if not folder.is_dir() else "Git is not installed"
    except subprocess.CalledProcessError:
        why = "no Git repository with a commit"
    except (subprocess.TimeoutExpired, OSError) as problem:
        why = f"Git did not answer ({type(problem).__name__})"
    return {"commit": None, "changed": None, "why": why}


def _git(folder: Path, *words: str) -> str:
    # Git takes its optional lock otherwise, and would disturb a commit that runs at the same time.
    told = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    ran = subprocess.run(
        ["git", *words], cwd=folder, env=told, capture_output=True, text=True, timeout=_LIMIT_S, check=True
    )
    return ran.stdout.strip()


def _version(package: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


_SOURCE = "what was noted when the version was committed"
_NODES = ["kind", "id", "depth", "code", "seed", "message"]


@dataclass(frozen=True, kw_only=True)
class Lineage(Report):
    """Everything that made a version, as far back as the store knows: what ``Store.lineage`` answers.

    Parameters
    ----------
    title, findings
        As in every report. Each says whether something that is needed to make the version again is known.
    nodes
        One row for each version, the asked one first; ``depth`` is the number of steps back.
    edges
        One row for each step: ``made`` was made from ``source``, in the role ``role``.
    origin
        What was noted of the version itself.

    Examples
    --------
    >>> import tempfile
    >>> from mlops_lab import versioning
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = versioning.Store(folder)
    ...     crates = store.commit(pd.DataFrame({"weight_kg": [17.5]}), "crates")
    ...     _ = store.commit({"depth": 3}, "settings", lineage=versioning.lineage(crates, seed=0))
    ...     found = store.lineage("settings@1")
    >>> found.edges
             made    role    source
    0  settings@1  crates  crates@1

    Taught in notebooks/04_versioning.ipynb.
    """

    nodes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_NODES))
    edges: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["made", "role", "source"]))
    origin: Mapping[str, Any] = field(default_factory=dict)

    def headline(self) -> str:
        """Say how many versions it rests on."""
        others = len(self.nodes) - 1
        if not others:
            return f"{self.nodes.index[0]} rests on no other version that was noted."
        return f"{self.nodes.index[0]} rests on {others} other version{'s' if others > 1 else ''}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the versions, sources left and what they made right, with an arrow for each step.

        Parameters
        ----------
        ax
            Axes to draw on; None makes a figure.
        """
        deepest = int(self.nodes["depth"].max())
        ax = plots.axes(ax, title=self.title, xlabel="steps back from the version asked for")
        at: dict[str, tuple[float, float]] = {}
        for depth, group in self.nodes.groupby("depth"):
            for place, ref in enumerate(group.index):
                at[str(ref)] = (-float(depth), (len(group) - 1) / 2 - place)  # type: ignore[arg-type]
        colours = dict(
            zip(("frame", "file", "params", "model", "pipeline"), plots.PALETTE.values(), strict=False)
        )
        for edge in self.edges.itertuples(index=False):
            to, source = at[str(edge.made)], at[str(edge.source)]
            bend = 0.0 if to[0] - source[0] == 1 else 0.18  # a long arrow goes round what stands between
            ax.annotate(
                "",
                to,
                source,
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": "#595959",
                    "shrinkA": 12,
                    "shrinkB": 14,
                    "connectionstyle": f"arc3,rad={bend}",
                },
            )
        for ref, (x, y) in at.items():
            kind = str(self.nodes.loc[ref, "kind"])
            mark = "s" if kind in ("model", "pipeline") else "o"
            ax.plot(
                x,
                y,
                mark,
                markersize=13,
                color="white",
                markeredgecolor=colours.get(kind, "#000000"),
                markeredgewidth=2.5,
            )
            ax.annotate(
                f"{ref}\n{kind}",
                (x, y),
                (0, -13),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=9,
            )
        tallest = max((abs(y) for _, y in at.values()), default=0.0)
        ax.set_xlim(-deepest - 0.6, 0.6)
        ax.set_ylim(-tallest - 0.9, tallest + 0.6)
        ax.set_xticks(range(-deepest, 1), [str(-step) for step in range(-deepest, 1)])
        ax.set_yticks([])
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
        return ax


def trace(version: Version, known: Mapping[str, Version], forgotten: Mapping[str, str]) -> Lineage:
    """Walk back from a version over everything it was made from.

    Taught in notebooks/04_versioning.ipynb.
    """
    depth = {version.id: 0}
    edges: list[tuple[str, str, str]] = []
    missing: list[str] = []
    waiting = [version]
    while waiting:
        made = waiting.pop(0)
        for role, source in made.lineage.get("inputs", {}).items():
            if source not in known:
                name = forgotten.get(source[:24], source[:12])
                missing.append(f"{name} ({role} of {made.ref})")
                continue
            edges.append((made.ref, role, known[source].ref))
            if depth.get(source, -1) < depth[made.id] + 1:  # the longest way, so that arrows lead right
                depth[source] = depth[made.id] + 1
                waiting.append(known[source])
    rows = {}
    for one in sorted(depth, key=lambda key: (depth[key], known[key].ref)):
        held = known[one]
        code = held.lineage.get("code", {}).get("commit")
        rows[held.ref] = (
            held.kind,
            one[:12],
            depth[one],
            (code or "")[:12],
            held.lineage.get("seed"),
            held.message,
        )
    return Lineage(
        title=f"Lineage of {version.ref}",
        findings=tuple(_findings(version, missing)),
        nodes=pd.DataFrame.from_dict(rows, orient="index", columns=_NODES).rename_axis("ref"),
        edges=pd.DataFrame(list(dict.fromkeys(edges)), columns=["made", "role", "source"]),
        origin=version.lineage,
    )


def _findings(version: Version, missing: list[str]) -> Iterable[Finding]:
    origin = version.lineage
    told = bool(origin)

    def finding(code: str, title: str, ok: bool | None, explanation: str) -> Finding:
        return Finding(code=f"lineage.{code}", title=title, ok=ok, explanation=explanation, source=_SOURCE)

    yield finding(
        "inputs",
        "What it was made from",
        False if missing else (True if origin.get("inputs") else None),
        f"No longer in the store: {', '.join(missing)}."
        if missing
        else (
            "All are in the store." if origin.get("inputs") else "No input was noted; perhaps it has none."
        ),
    )
    code = origin.get("code", {})
    commit = code.get("commit")
    said = {
        True: f"Commit {str(commit)[:12]}, without other changes.",
        False: f"Commit {str(commit)[:12]}, and changes that were not committed: that code is not kept.",
        None: f"Not noted{': ' + code['why'] if code.get('why') else ''}.",
    }
    clean = None if commit is None else not code.get("changed")
    yield finding("code", "Code", clean, said[clean])
    seed = origin.get("seed")
    yield finding(
        "seed",
        "Seed",
        True if seed is not None else None,
        f"Seed {seed}." if seed is not None else "Not noted.",
    )
    if not told:
        yield finding("machine", "Libraries and hardware", None, "Not noted.")
        return
    here = lineage(packages=origin.get("packages", PACKAGES))
    parts = {"python": origin.get("python"), **origin.get("packages", {}), **origin.get("hardware", {})}
    now = {"python": here["python"], **here["packages"], **here["hardware"]}
    other = [
        f"{name} {then} then, {now.get(name)} now" for name, then in parts.items() if now.get(name) != then
    ]
    yield finding(
        "machine",
        "Libraries and hardware",
        not other if parts.get("python") else None,
        f"Other than here: {'; '.join(other)}." if other else "The same as here.",
    )
