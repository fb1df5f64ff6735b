"""Do the packages that are installed satisfy what `pyproject.toml` asks for? Standard library only.

It answers before anything is installed, so it cannot use `packaging`. It understands the few forms that our
own `pyproject.toml` uses and refuses every other one aloud; a test holds it against `packaging`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

__all__ = ["unmet"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;]*)$")
_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|<|>)\s*([0-9][^\s,*]*)\s*$")
_VERSION = re.compile(
    r"v?(?:0!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>a|alpha|b|beta|c|rc|pre|preview)[-_.]?(?P<pre_n>\d*))?"
    r"(?:-(?P<post_short>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$",
    re.IGNORECASE,
)
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}

_Key = tuple[tuple[int, ...], tuple[int, int], int, tuple[int, int]]


def _key(version: str) -> _Key:
    """Return what versions are sorted by (PEP 440), local labels left out."""
    match = _VERSION.match(version.strip())
    if match is None:
        raise ValueError(f"version {version!r} is not understood; expected e.g. 2.1, 2.1rc1, 2.1.post1")
    numbers = [int(part) for part in match["release"].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    if match["pre"]:
        pre = (_PRE[match["pre"].lower()], int(match["pre_n"] or 0))
    elif match["dev"] and not match["post"] and not match["post_short"]:
        pre = (-1, 0)
    else:
        pre = (3, 0)
    post = int(match["post_short"] or match["post_n"] or 0) if match["post"] or match["post_short"] else -1
    dev = (0, int(match["dev_n"] or 0)) if match["dev"] else (1, 0)
    return tuple(numbers), pre, post, dev


def satisfies(version: str, bounds: str) -> bool:
    """Say whether a version lies within bounds such as ``>=2.0,<3``.

    Pre-releases count as within, if they sort there, as pip has it for packages already installed; one of the
    upper bound itself (3.0rc1 against ``<3``) does not. Wildcards, ``~=`` and ``===`` are not understood.
    """
    have = _key(version)
    for clause in filter(str.strip, bounds.split(",")):
        match = _CLAUSE.match(clause)
        if match is None:
            raise ValueError(f"bound {clause!r} is not understood; write it with >=, <=, ==, !=, < or >")
        operator, want = match[1], _key(match[2])
        final = want[1] == (3, 0) and want[3] == (1, 0)
        first_pre = (want[0], want[1] if want[2] >= 0 else (-1, 0), want[2], (0, 0))
        pre_of_bound = final and have >= first_pre
        post_of_bound = want[2] < 0 and have[2] >= 0 and have[:2] == want[:2]
        holds = {
            ">=": have >= want,
            "<=": have <= want,
            "==": have == want,
            "!=": have != want,
            "<": have < want and not pre_of_bound,
            ">": have > want and not post_of_bound,
        }[operator]
        if not holds:
            return False
    return True


def requirements(root: Path, extras: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield name and bounds of every package that `pyproject.toml` asks for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = list(project["dependencies"])
    groups = project.get("optional-dependencies", {})
    for extra in extras:
        if extra not in groups:
            raise ValueError(f"pyproject.toml has no extra {extra!r}; it has {', '.join(sorted(groups))}")
        texts += groups[extra]
    for text in texts:
        match = _NAME.match(text)
        if match is None:
            raise ValueError(
                f"requirement {text!r} in pyproject.toml is not understood: write name and bounds"
            )
        yield match[1], match[2].strip()


def _installed(name: str, site: Path | None) -> str | None:
    """Return the version of a package; the first on the path wins, as in an import."""
    path = sys.path if site is None else [str(site)]
    # the standard library's own finder: a package of the same kind may have put another one beside it
    context = metadata.DistributionFinder.Context(name=name, path=path)
    for distribution in metadata.MetadataPathFinder.find_distributions(context):
        # a removal that was cut off leaves metadata without a version
        if version := distribution.metadata["Version"]:
            return str(version)
    return None


def unmet(root: Path, extras: Iterable[str] = (), site: Path | None = None) -> list[str]:
    """List what `pyproject.toml` asks for and the environment does not have.

    It reads the packages' metadata; whether their files are whole, and what they themselves need, it does not
    look at.
    """
    problems = []
    for name, bounds in requirements(root, extras):
        version = _installed(name, site)
        if version is None:
            problems.append(f"{name} is missing (needed: {bounds or 'any version'})")
            continue
        try:
            fits = satisfies(version, bounds)
        except ValueError:
            fits = False
        if not fits:
            problems.append(f"{name} is {version} (needed: {bounds})")
    return problems
