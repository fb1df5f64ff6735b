"""Results of the kit's own benchmarks, for lessons that quote what no lesson can measure itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["benchmark_result"]

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def benchmark_result(name: str) -> dict[str, Any]:
    """Read what a benchmark of this kit measured when it last ran, on the machine that the result names.

    Parameters
    ----------
    name
        The benchmark, such as ``"framing"`` for benchmarks/framing.py.

    Raises
    ------
    ValueError
        If the kit has no such benchmark.

    Examples
    --------
    >>> benchmark_result("framing").get("cases", 20) >= 20
    True
    """
    if not (RESULTS.parent / f"{name}.py").is_file():
        known = sorted(path.stem for path in RESULTS.glob("*.json"))
        raise ValueError(f"benchmark {name!r} is not known; results are stored of {', '.join(known)}")
    stored = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    return found
