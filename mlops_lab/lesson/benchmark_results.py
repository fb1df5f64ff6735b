"""What the kit's own benchmarks measured and stored, for lessons that quote it."""

from __future__ import annotations

from typing import Any

from mlops_lab.report import benchmark_result

__all__ = ["stored"]


def stored(benchmark: str, *keys: str) -> float | None:
    """Read one number that a benchmark measured; None where it is not stored beside the kit.

    It answers: what did we publish? It cannot tell what holds on this machine: a lesson that quotes it calls
    it *reported*.

    Parameters
    ----------
    benchmark
        The result's name, as in ``benchmarks/results/<name>.json``.
    keys
        Where in the result the number stands, from the outside to the inside.

    Returns
    -------
        The number, or None: a benchmark that was stopped has stored only what it came to.

    Raises
    ------
    ValueError
        If the kit has no such benchmark.

    Examples
    --------
    >>> stored("monitoring_rates", "no", "such", "number") is None
    True
    """
    found: Any = benchmark_result(benchmark)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, (int, float)) else None
