"""Typed outputs: what a lesson says about itself, readable by a person and by a program.

Every call of `claim`, `predict`, `reveal`, `check`, `hint` and `live` shows one output in three forms: a card
(HTML) for notebooks, plain text for terminals, and a small JSON payload under `MIME`, so that an executed
notebook can be read back by `collect`. What is stored never depends on the machine, the clock or what a
student saved before.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["MIME", "collect", "is_id", "mask_live", "require_id", "rounded", "show_typed", "strict"]

MIME = "application/vnd.mlops-lab+json"
"""The key under which a typed output stores its payload."""

TYPES = ("claim", "prediction", "reveal", "check", "hint", "live", "picture")
"""The values that a payload's `type` may take."""

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)+")
_LIVE = re.compile("‹[^‹›]*›")


def strict() -> bool:
    """Say whether this process runs lessons for a proof rather than for a student.

    `MLOPS_LAB_STRICT=1` stands in the environment under `run`, `test` and CI: a broken claim or a wrong
    answer raises, and no widget is shown.
    """
    return os.environ.get("MLOPS_LAB_STRICT", "") not in ("", "0")


def is_id(text: object) -> bool:
    """Say whether a text is an id, `topic.word`."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def require_id(id: str, *, what: str = "id") -> str:
    """Return `id` when it names a topic and a thing in it, as `monitoring.drift_without_harm` does."""
    if not is_id(id):
        raise ValueError(
            f"{what}={id!r} is not an id: write topic.word in lower case, as in 'start_here.first_weeks'."
        )
    return id


def rounded(value: float, digits: int = 10) -> float:
    """Round to significant digits, so that the last bits, which differ between machines, are never stored."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value


def mask_live(text: str) -> str:
    """Blank what stands between ‹ and ›: the values that differ from run to run."""
    return _LIVE.sub("‹›", text)


def mime_bundle(payload: Mapping[str, Any], text: str, html: str) -> dict[str, Any]:
    """Put the three forms of one typed output into the dictionary that Jupyter stores."""
    problem = _problem(payload)
    if problem:
        raise ValueError(f"This payload cannot be shown: {problem}.")
    return {"text/plain": text, "text/html": html, MIME: dict(payload)}


def show_typed(payload: Mapping[str, Any], text: str, html: str) -> None:
    """Display one typed output: as a card in a notebook, as plain text in a terminal or a script."""
    bundle = mime_bundle(payload, text, html)
    if in_ipython():
        publish(bundle)
    else:
        sys.stdout.write(text + "\n")


def publish(bundle: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    """Hand a ready bundle of representations to IPython."""
    from IPython.display import publish_display_data

    publish_display_data(dict(bundle), metadata=dict(metadata or {}))  # type: ignore[no-untyped-call]


def in_ipython() -> bool:
    """Say whether IPython runs this process (a notebook's kernel or its terminal)."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return get_ipython() is not None


def in_students_notebook() -> bool:
    """Say whether a person sits in front: a live notebook kernel outside strict mode that may ask for input.

    Programs that execute notebooks (papermill, nbclient, nbval) allow no cell to ask: nobody would answer.
    """
    if strict() or not in_ipython():
        return False
    from IPython.core.getipython import get_ipython

    return bool(getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", False))


def collect(notebook: Mapping[str, Any], type: str | None = None) -> list[dict[str, Any]]:
    """Read the typed outputs of an executed notebook back, in order.

    Other outputs (prints, figures, tables, errors) are passed over. A never-run notebook gives an empty list.
    """
    if type is not None and type not in TYPES:
        raise ValueError(
            f"type={type!r} is unknown: choose one of {', '.join(TYPES)}, or leave it out for all."
        )
    found: list[dict[str, Any]] = []
    said: dict[tuple[str, str], tuple[object, int]] = {}
    for cell, content in enumerate(notebook.get("cells", [])):
        for output in content.get("outputs") or []:
            data = output.get("data") or {}
            if not isinstance(data, Mapping) or MIME not in data:
                continue
            payload = data[MIME]
            problem = _problem(payload)
            if problem:
                raise ValueError(
                    f"Cell {cell} stores a malformed typed output: {problem}. Run the cell again."
                )
            key, sentence = (payload["type"], payload["id"]), payload.get("text", payload.get("question"))
            earlier, first = said.setdefault(key, (sentence, cell))
            if key[0] in ("claim", "prediction") and sentence != earlier:
                raise ValueError(
                    f"The {key[0]} {key[1]!r} says different things in cells {first} and {cell}: rename one."
                )
            if type is None or key[0] == type:
                found.append({**payload, "cell": cell})
    return found


def _problem(payload: object) -> str:
    """Name what is wrong with a payload, or nothing."""
    if not isinstance(payload, Mapping):
        return f"its payload is a {payload.__class__.__name__}, not a dictionary"
    if payload.get("type") not in TYPES:
        return f"its type is {payload.get('type')!r}, not one of {', '.join(TYPES)}"
    if not isinstance(payload.get("id"), str) or not _ID.fullmatch(payload["id"]):
        return f"its id is {payload.get('id')!r}, not topic.word"
    return ""
