"""How often `mlops_lab.monitoring` cries wolf over data that has not moved, and what it misses where it has.

    python benchmarks/monitoring_rates.py          # writes benchmarks/results/monitoring_rates.json
    python benchmarks/monitoring_rates.py --quick  # a tenth of the comparisons, nothing written

Each comparison draws two tables of 2,000 rows and 20 mixed columns. Streams have their own benchmark,
benchmarks/monitoring_streams.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from mlops_lab import monitoring  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "monitoring_rates.json"
MEASURED = (
    *("columns", "columnwise", "corrections", "distances", "distributions", "drift", "encoding", "joint"),
    *("profile", "quality", "sketches", "two_samples"),
)
ROWS = 2_000


def sources_digest() -> str:
    """Give the SHA-256 of the sources that are measured, names and contents."""
    total = hashlib.sha256()
    for name in MEASURED:
        path = ROOT / "mlops_lab" / "monitoring" / f"{name}.py"
        total.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


def table(rng: np.random.Generator, turned: float = 0.0) -> pd.DataFrame:
    """Draw 2,000 rows of 20 columns; `turned` correlates the first two bell curves."""
    columns: dict[str, np.ndarray] = {f"bell_{i}": rng.normal(size=ROWS) for i in range(8)}
    columns |= {f"tail_{i}": rng.lognormal(0, 1.5, ROWS) for i in range(3)}
    columns |= {f"count_{mean}": rng.poisson(mean, ROWS) for mean in (2, 8, 40)}
    columns |= {f"rounded_{digits}": rng.normal(size=ROWS).round(digits) for digits in (0, 1)}
    columns |= {f"sort_{size}": rng.choice(list("abcdefgh")[:size], ROWS) for size in (2, 4, 6, 8)}
    columns["bell_1"] = turned * columns["bell_0"] + np.sqrt(1 - turned**2) * columns["bell_1"]
    frame = pd.DataFrame(columns)
    for name in ("bell_2", "count_8"):
        frame.loc[rng.random(ROWS) < 0.03, name] = np.nan
    return frame


def share(times: int, seed: int, seen: Callable[[np.random.Generator], bool]) -> dict[str, float]:
    """Give how often something was seen, with the 95 % interval (Clopper and Pearson 1934)."""
    from scipy import stats

    found = sum(seen(np.random.default_rng([seed, each])) for each in range(times))
    interval = stats.binomtest(found, times).proportion_ci(method="exact")
    low, high = round(float(interval.low), 4), round(float(interval.high), 4)
    return {"share": round(found / times, 4), "low": low, "high": high, "times": times}


def found_in(change: Callable[[pd.Series], pd.Series], **options: object) -> Callable[..., bool]:
    """Say whether a change of one column is found in that column."""

    def seen(rng: np.random.Generator) -> bool:
        before, now = table(rng), table(rng)
        now["bell_3"] = change(now["bell_3"])
        return "bell_3" in monitoring.drift(before, now, **options).drifted

    return seen


def main() -> None:
    """Measure, print, and write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    few = 10 if asked.parse_args().quick else 1
    begin = time.process_time()

    def any_drift(**options: object) -> Callable[..., bool]:
        return lambda rng: bool(monitoring.drift(table(rng), table(rng), **options).drifted)

    def joint(turned: float) -> Callable[..., bool]:
        return lambda rng: monitoring.joint_drift(table(rng, turned), table(rng, -turned)).drifted

    def faults(rng: np.random.Generator) -> bool:
        return bool(monitoring.Schema.infer(table(rng)).check(table(rng)).issues)

    found = {
        "quiet": {
            "drift": share(1000 // few, 1, any_drift()),
            "drift_without_min_effect": share(1000 // few, 1, any_drift(min_effect=0)),
            "drift_uncorrected": share(400 // few, 1, any_drift(min_effect=0, correction="none", test="ks")),
            "joint": share(200 // few, 2, joint(0.0)),
            "quality": share(400 // few, 3, faults),
        },
        "power": {
            "shift_0.2_sd": share(300 // few, 4, found_in(lambda x: x + 0.2)),
            "sd_x_1.25": share(300 // few, 5, found_in(lambda x: x * 1.25)),
            "sd_x_1.25_by_ks_alone": share(200 // few, 5, found_in(lambda x: x * 1.25, test="ks")),
            "rotation_correlation_0.3": share(60 // few, 6, joint(0.3)),
        },
    }
    print(json.dumps(found, indent=1))
    print(f"{time.process_time() - begin:.0f} CPU s")
    if few == 1:
        stamp = {"sources_sha256": sources_digest(), "python": platform.python_version()}
        stamp |= {name: version(name) for name in ("numpy", "pandas", "scipy")}
        RESULTS.write_text(json.dumps({**stamp, **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
