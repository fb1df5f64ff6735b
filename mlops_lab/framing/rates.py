"""How often `should_use_ml` was wrong in the last benchmarks: over our cases, and over real tables."""

from __future__ import annotations

from mlops_lab.report import benchmark_result

__all__ = ["error_rates"]


def error_rates() -> dict[str, float]:
    """Read the rates that benchmarks/framing.py and benchmarks/real_tables.py measured and stored.

    The first are over *our* generated cases, one trouble in each. The others are over public tables, for
    which a person's analysis without this function said beforehand which decisions are acceptable. Neither
    can tell how often it is wrong on the tables of your work.

    Returns
    -------
    dict
        `asked`, `right_decision`, `ml_where_it_should_not` and `refused_where_right` over our cases;
        `real_asked`, `real_acceptable` and `real_clearly_wrong` over real tables; without what is not stored.

    Examples
    --------
    >>> all(rate >= 0 for rate in error_rates().values())
    True

    Taught in notebooks/01_when_to_use_ml.ipynb.
    """
    ours = benchmark_result("framing").get("generated", {})
    wanted = ("asked", "right_decision", "ml_where_it_should_not", "refused_where_right")
    rates = {name: float(ours[name]) for name in wanted if name in ours}
    stored = benchmark_result("real_tables")
    parts = [stored[part] for part in ("shown", "apart") if stored.get(part)]
    asked = float(sum(part["asked"] for part in parts))
    if asked:
        rates["real_asked"] = asked
        for name in ("acceptable", "clearly_wrong"):
            rates[f"real_{name}"] = sum(part[name] * part["asked"] for part in parts) / asked
    return rates
