"""How often `should_use_ml` was wrong in the last benchmark over our cases."""

from __future__ import annotations

from mlops_lab.report import benchmark_result

__all__ = ["error_rates"]


def error_rates() -> dict[str, float]:
    """Read the error rates that benchmarks/framing.py measured and stored.

    They are rates over *our* generated cases, one trouble in each; they cannot tell how often the function is
    wrong on problems that nobody made up.

    Returns
    -------
    dict
        `asked`, `right_decision`, `ml_where_it_should_not` and `refused_where_right`; empty where no result
        is stored.

    Examples
    --------
    >>> all(rate >= 0 for rate in error_rates().values())
    True

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    stored = benchmark_result("framing").get("generated", {})
    wanted = ("asked", "right_decision", "ml_where_it_should_not", "refused_where_right")
    return {name: float(stored[name]) for name in wanted if name in stored}
