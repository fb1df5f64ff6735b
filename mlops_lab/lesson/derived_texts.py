"""The texts that stand inline in a lesson's source and here for its student's copy.

`derive` moves questions, options, explanations, claims' sentences and descriptions of pictures out of the
student's notebook, so that nothing below an open question tells its answer. A call finds its texts by its id:
`monitoring_data.flood` stands in `texts/07_monitoring_data.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mlops_lab.lesson import cards
from mlops_lab.lesson.outputs import show_typed, strict

__all__ = ["read_from", "show_without_texts", "texts_of"]

_FOLDER = Path(__file__).with_name("texts")
_ELSEWHERE = "MLOPS_LAB_TEXTS"
"""The variable that names another folder of texts: those of a lesson that is just being built."""

_OLDER = (
    "This copy of the lesson is older than the kit, which no longer has the text for it. "
    "`python -m mlops_lab lab` lays the newer lesson beside yours."
)


def texts_of(kind: str, id: str) -> Any:
    """Give the texts of one call, by its kind and id; None where the kit has none."""
    folder = Path(os.environ.get(_ELSEWHERE) or _FOLDER)
    return _texts(folder, id.split(".")[0]).get(kind, {}).get(id)


@cache
def _texts(folder: Path, topic: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(folder.glob(f"[0-9][0-9]_{topic}.json")):
        found.update(json.loads(path.read_text(encoding="utf-8")))
    return found


@contextmanager
def read_from(folder: Path) -> Iterator[None]:
    """Let this process and those that it starts read their texts from another folder, for a while."""
    before = os.environ.get(_ELSEWHERE)
    os.environ[_ELSEWHERE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ELSEWHERE]
        else:
            os.environ[_ELSEWHERE] = before


def show_without_texts(kind: str, id: str, values: Mapping[str, str]) -> None:
    """Show what a call measured where the kit has no texts for it (any more); an error in strict mode."""
    if strict():
        raise ValueError(
            f"{kind} {id!r} has no texts: write them inline in the lesson's source, then build the lesson"
        )
    shown = ", ".join(f"{name} = {value}" if name else value for name, value in values.items())
    said = f"{id}: {shown}" if shown else id
    payload = {"type": "live", "id": id, "text": said, "value": shown, "unit": ""}
    show_typed(payload, f"{said}\n  {_OLDER}", cards.card("open", said, cards.paragraph(_OLDER), label=said))
