"""What made this model? Data, code, parameters, seed, libraries, hardware, noted while they are known."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_lab.versioning.manifests import Version

__all__ = ["PACKAGES", "lineage"]

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
