"""Results of the kit's own benchmarks, for lessons that quote what no lesson can measure itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, overload

__all__ = ["benchmark_result"]

_RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


@overload
def benchmark_result(name: str, /) -> dict[str, Any]: ...


@overload
def benchmark_result(name: str, key: str, /, *keys: str) -> float | None: ...


def benchmark_result(name: str, /, *keys: str) -> dict[str, Any] | float | None:
    """Read what a benchmark of this kit measured when it last ran, or one number of it.

    It answers: what did we publish, on the machine that the result names? It cannot tell what holds on this
    machine: a lesson that quotes it calls it *reported*.

    Parameters
    ----------
    name
        The benchmark, such as ``"framing"`` for benchmarks/framing.py and its result
        benchmarks/results/framing.json.
    keys
        Where in the result one number stands, from the outside to the inside; without them the whole result
        is given.

    Returns
    -------
        The whole result, empty where none is stored beside the kit; or the number, None where it is not
        stored: a benchmark that was stopped has stored only what it came to.

    Raises
    ------
    ValueError
        If the kit has no such benchmark.

    Examples
    --------
    >>> benchmark_result("framing").get("cases", 20) >= 20
    True
    >>> benchmark_result("monitoring_rates", "no", "such", "number") is None
    True
    """
    if not (_RESULTS.parent / f"{name}.py").is_file():
        known = sorted(path.stem for path in _RESULTS.glob("*.json"))
        raise ValueError(f"benchmark {name!r} is not known; results are stored of {', '.join(known)}")
    stored = _RESULTS / f"{name}.json"
    found: Any = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    if not keys:
        whole: dict[str, Any] = found
        return whole
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, (int, float)) else None
