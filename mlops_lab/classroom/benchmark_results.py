"""What the kit's own benchmarks measured and stored, for lessons that quote it."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["stored"]

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def stored(benchmark: str, *keys: str, folder: Path | None = None) -> float | None:
    """Read one number that a benchmark measured; None where it is not stored beside the kit.

    It answers: what did we publish? It cannot tell what holds on this machine: a lesson that quotes it calls
    it *reported*.

    Parameters
    ----------
    benchmark
        The result's name, as in ``benchmarks/results/<name>.json``.
    keys
        Where in the result the number stands, from the outside to the inside.
    folder
        Where the results lie; by default in the kit.

    Returns
    -------
        The number, or None: a benchmark that was stopped has stored only what it came to.

    Examples
    --------
    >>> stored("no_such_benchmark", "share") is None
    True
    """
    file = (RESULTS if folder is None else folder) / f"{benchmark}.json"
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, (int, float)) else None
