"""Which model is the champion? Names that point at versions and are moved in one step.

Production asks for ``champion``, never for a version. Promotion and rollback then move a name, which takes a
moment, instead of a model, which takes a release.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from mlops_lab.artifacts.files import atomic_write, locked, safe_name

__all__ = ["Aliases"]

_FORM = 1


class Aliases:
    """A small JSON file of alias -> version, which readers always find whole and writers share.

    A change reads, decides and writes under a lock, so that of two writers neither loses its update. It does
    not check that a version exists, nor who may promote it: those are questions for a registry.

    Parameters
    ----------
    path
        The file; it is made at the first change, and its folder must exist.
    timeout_s
        How long a change waits for another writer, in seconds.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     aliases = Aliases(Path(folder, "aliases.json"))
    ...     _ = aliases.promote("grader-1")
    ...     _ = aliases.promote("grader-2")
    ...     before = aliases.targets()
    ...     after = aliases.rollback()
    >>> before
    {'champion': 'grader-2', 'previous': 'grader-1'}
    >>> after
    {'champion': 'grader-1', 'previous': 'grader-2'}
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout_s: float = 10.0) -> None:
        self.path = Path(path)
        self.timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"Aliases({str(self.path)!r})"

    def targets(self) -> dict[str, str]:
        """Give all aliases and what they point at; a ValueError if this class did not write the file."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        try:
            held = json.loads(text)
            if held["form"] != _FORM or not all(
                isinstance(target, str) for target in held["aliases"].values()
            ):
                raise ValueError(f"its form is {held['form']!r}, this program reads form {_FORM}")
            return dict(sorted(held["aliases"].items()))
        except (ValueError, TypeError, KeyError, AttributeError) as problem:
            raise ValueError(
                f"{str(self.path)!r} is no file of aliases ({problem}); move it away or restore a copy"
            ) from problem

    def resolve(self, alias: str) -> str:
        """Give the version that an alias points at; a KeyError names the aliases that there are."""
        return _target(self.targets(), alias)

    def move(self, alias: str, target: str, *, expected: str | None = None) -> dict[str, str]:
        """Point an alias at a version, and make the alias if there is none.

        With ``expected`` it moves only an alias that points there now, else it raises a ValueError: so a
        decision that was made on an old reading does not overwrite a newer one.
        """
        safe_name(alias, what="alias")
        safe_name(target, what="version")

        def moved(now: dict[str, str]) -> dict[str, str]:
            if expected is not None and now.get(alias) != expected:
                raise ValueError(
                    f"{alias!r} points at {now.get(alias)!r}, not at {expected!r}; read it and decide again"
                )
            return {**now, alias: target}

        return self._change(moved)

    def promote(self, target: str) -> dict[str, str]:
        """Make a version the champion, and remember the champion before it as ``previous``, in one step.

        Promoting the champion again changes nothing. A challenger that is promoted is challenger no longer.
        """
        safe_name(target, what="version")

        def promoted(now: dict[str, str]) -> dict[str, str]:
            if now.get("champion") == target:
                return now
            kept = {alias: held for alias, held in now.items() if (alias, held) != ("challenger", target)}
            before = {"previous": now["champion"]} if "champion" in now else {}
            return {**kept, **before, "champion": target}

        return self._change(promoted)

    def rollback(self) -> dict[str, str]:
        """Swap ``champion`` and ``previous``, in one step; a second rollback undoes the first."""
        return self._change(
            lambda now: {**now, "champion": _target(now, "previous"), "previous": _target(now, "champion")}
        )

    def remove(self, alias: str) -> dict[str, str]:
        """Take an alias away; the version it pointed at stays."""

        def removed(now: dict[str, str]) -> dict[str, str]:
            _target(now, alias)
            return {name: target for name, target in now.items() if name != alias}

        return self._change(removed)

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"the folder {str(self.path.parent)!r} does not exist; make it before the first alias"
            )
        with locked(self.path, timeout_s=self.timeout_s):
            aliases = dict(sorted(change(self.targets()).items()))
            text = json.dumps({"form": _FORM, "aliases": aliases}, indent=2)
            atomic_write(self.path, text + "\n")
        return aliases


def _target(aliases: dict[str, str], alias: str) -> str:
    if alias not in aliases:
        raise KeyError(f"no alias {alias!r}; there are: {', '.join(aliases) or 'none yet'}")
    return aliases[alias]
