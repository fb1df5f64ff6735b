"""How often a schema finds a value that was written for a missing one, and how often it takes chance for one.

    python benchmarks/sentinels.py              # writes benchmarks/results/sentinels.json
    python benchmarks/sentinels.py --quick      # a tenth of the tables, nothing written

A schema is learned from one table of a single column and held against another of as many rows, from the same
source. Quiet tables must not be out of range; then three rows get one sentinel: -1, 999, 9999, 1900-01-01.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from digest import code_digest  # noqa: E402

from mlops_lab import monitoring  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "sentinels.json"
SOURCES = (
    *("tables/columns", "monitoring/data/columns", "monitoring/data/schema", "monitoring/data/sentinels"),
    *("monitoring/data/two_samples", "monitoring/histogram_sketch"),
)
SIZES = (1_000, 5_000)
TIMES = 200
FEW = 3
Draw = Callable[[np.random.Generator, int], np.ndarray[Any, Any]]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest([ROOT / "mlops_lab" / f"{name}.py" for name in SOURCES], Path(__file__))


def days(first: str, span: int, *, later: int = 0) -> Draw:
    """Draw days from a first one on; those of a later table begin later."""
    begin = np.datetime64(first) + np.timedelta64(later, "D")
    return lambda rng, rows: begin + rng.integers(0, span, rows).astype("timedelta64[D]")


COLUMNS: dict[str, Draw] = {
    "normal (150, 10)": lambda rng, rows: rng.normal(150, 10, rows),
    "normal (0, 1)": lambda rng, rows: rng.normal(size=rows),
    "normal, to one digit": lambda rng, rows: rng.normal(size=rows).round(1),
    "lognormal (0, 1)": lambda rng, rows: rng.lognormal(0, 1, rows),
    "lognormal (0, 2)": lambda rng, rows: rng.lognormal(0, 2, rows),
    "prices, to the cent": lambda rng, rows: rng.lognormal(3, 1, rows).round(2),
    "Pareto (1)": lambda rng, rows: rng.pareto(1, rows) + 1,
    "Pareto (2)": lambda rng, rows: rng.pareto(2, rows) + 1,
    "t (2)": lambda rng, rows: rng.standard_t(2, rows),
    "counts, mean 0.2": lambda rng, rows: rng.poisson(0.2, rows),
    "counts, mean 2": lambda rng, rows: rng.poisson(2, rows),
    "counts, mean 8": lambda rng, rows: rng.poisson(8, rows),
    "counts, mean 40": lambda rng, rows: rng.poisson(40, rows),
    "counts, Zipf (2)": lambda rng, rows: rng.zipf(2, rows),
    "zero-inflated": lambda rng, rows: rng.lognormal(0, 1, rows) * (rng.random(rows) < 0.3),
    "zero-inflated counts": lambda rng, rows: rng.poisson(3, rows) * (rng.random(rows) < 0.3),
    "ages, 18 to 90": lambda rng, rows: rng.integers(18, 91, rows),
    "ages, mean 40": lambda rng, rows: rng.normal(40, 12, rows).clip(0).round(),
    "whole, normal (3, 1)": lambda rng, rows: rng.normal(3, 1, rows).round(),
    "marks, 1 to 5": lambda rng, rows: rng.integers(1, 6, rows),
    "shares": lambda rng, rows: rng.beta(2, 5, rows),
}
DAYS: dict[str, tuple[Draw, Draw]] = {
    "days of a year": (days("2024-01-01", 366), days("2024-01-01", 366)),
    "days, all later": (days("2024-01-01", 90), days("2024-06-01", 30)),
    "days, the next month": (days("2024-01-01", 90), days("2024-03-31", 30)),
    "days of birth": (days("1935-01-01", 27_000), days("1935-01-01", 27_000)),
}
SENTINELS = (-1, 999, 9999)
MOMENTS = ("1900-01-01", "1970-01-01", "9999-12-31")


def tables(name: str, rows: int, seed: int) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Draw a column then and now."""
    rng = np.random.default_rng([11, rows, seed])
    then, now = DAYS[name] if name in DAYS else (COLUMNS[name], COLUMNS[name])
    return pd.Series(then(rng, rows)), pd.Series(now(rng, rows))


def written(now: pd.Series[Any], sentinel: int | str) -> pd.Series[Any]:
    """Write a sentinel into the first three rows."""
    typed = now.astype("datetime64[s]") if isinstance(sentinel, str) else now
    value = pd.Timestamp(sentinel) if isinstance(sentinel, str) else sentinel
    return typed.mask(np.arange(len(now)) < FEW, value)


def alarms(name: str, rows: int, times: int) -> dict[str, int]:
    """Count in how many tables a column is out of range, as drawn and with each sentinel."""
    counts: dict[str, int] = {}
    for seed in range(times):
        then, now = tables(name, rows, seed)
        schema = monitoring.Schema.infer(pd.DataFrame({"x": then}))
        broken = {str(each): written(now, each) for each in (MOMENTS if name in DAYS else SENTINELS)}
        for what, column in {"quiet": now, **broken}.items():
            found = ("x", "out_of_range") in schema.check(pd.DataFrame({"x": column})).issues
            counts[what] = counts.get(what, 0) + found
    return counts


def share(found: int, times: int) -> dict[str, float]:
    """Give how often something was seen, with the 95 % interval (Clopper and Pearson 1934)."""
    from scipy import stats

    interval = stats.binomtest(found, times).proportion_ci(method="exact")
    low, high = round(float(interval.low), 4), round(float(interval.high), 4)
    return {"share": round(found / times, 4), "low": low, "high": high, "times": times}


def main() -> None:
    """Measure, show each share as it comes, and write."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--quick", action="store_true", help="a tenth of the tables; nothing is written")
    times = TIMES // 10 if asked.parse_args().quick else TIMES
    stamp: dict[str, Any] = {"sources_sha256": sources_digest(), "python": platform.python_version()}
    stamp |= {name: version(name) for name in ("numpy", "pandas", "scipy")}
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name in (*COLUMNS, *DAYS):
        for rows in SIZES:
            counts = alarms(name, rows, times)
            shares = {what: share(count, times) for what, count in counts.items()}
            found.setdefault(name, {})[f"{rows} rows"] = shares
            line = "  ".join(f"{what} {each['share']:.1%}" for what, each in shares.items())
            print(f"{name:24}{rows:6}  {line}", flush=True)
    if times == TIMES:
        text = json.dumps({**stamp, "rows_written": FEW, "columns": found}, indent=1) + "\n"
        RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
