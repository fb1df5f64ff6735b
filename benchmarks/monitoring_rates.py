"""How often `mlops_lab.monitoring` cries wolf over data that has not moved, and what it misses where it has.

    python benchmarks/monitoring_rates.py              # writes benchmarks/results/monitoring_rates.json
    python benchmarks/monitoring_rates.py --workers 2  # the same result sooner
    python benchmarks/monitoring_rates.py --quick      # a tenth of the comparisons, nothing written

Each comparison draws two tables of 2,000 rows and 20 mixed columns. The schema is learned from one table and
held against another, of 200 or 2,000 rows, whose 20 columns have heavier tails and rarer categories; then one
fault is planted. Streams have their own benchmark, benchmarks/monitoring_streams.py.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
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

RESULTS = ROOT / "benchmarks" / "results" / "monitoring_rates.json"
DRIFT = (
    *(
        "../tables/columns",
        "data/columns",
        "data/distances",
        "data/drift",
        "data/joint",
        "data/profile",
        "data/two_samples",
    ),
    "histogram_sketch",
)
SCHEMA = (
    *("../tables/columns", "data/columns", "data/schema", "data/sentinels", "data/two_samples"),
    "histogram_sketch",
)
ROWS = 2_000
PIECE = 20
Seen = Callable[[np.random.Generator], bool]


def sources(names: Iterable[str] = (*DRIFT, *SCHEMA)) -> list[Path]:
    """List the sources that are measured."""
    return [ROOT / "mlops_lab" / "monitoring" / f"{name}.py" for name in sorted(set(names))]


def sources_digest(names: Iterable[str] = (*DRIFT, *SCHEMA)) -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(names), Path(__file__))


# --- drift -------------------------------------------------------------------------------------------------


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


def any_drift(**options: object) -> Seen:
    """Say whether anything is found in two tables from one source."""
    return lambda rng: bool(monitoring.drift(table(rng), table(rng), **options).drifted)


def found_in(change: Callable[[pd.Series], pd.Series], **options: object) -> Seen:
    """Say whether a change of one column is found in that column."""

    def seen(rng: np.random.Generator) -> bool:
        before, now = table(rng), table(rng)
        now["bell_3"] = change(now["bell_3"])
        return "bell_3" in monitoring.drift(before, now, **options).drifted

    return seen


def joint(turned: float) -> Seen:
    """Say whether a classifier tells two tables apart whose first two columns turn against each other."""
    return lambda rng: monitoring.joint_drift(table(rng, turned), table(rng, -turned)).drifted


# --- the schema --------------------------------------------------------------------------------------------


def mixed(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Draw 20 columns: bell curves, heavy tails, counts, rare categories, truth values and dates."""
    columns: dict[str, object] = {f"bell_{i}": rng.normal(150, 10, rows) for i in range(4)}
    columns |= {f"tail_{spread}": rng.lognormal(0, spread, rows) for spread in (0.5, 1.0, 1.5, 2.0)}
    columns |= {f"count_{mean}": rng.poisson(mean, rows) for mean in (0.2, 2, 8, 40)}
    columns |= {"sort_2": rng.choice(list("ab"), rows), "sort_8": rng.choice(list("abcdefgh"), rows)}
    columns["rare_3"] = rng.choice(list("abc"), rows, p=[0.7, 0.295, 0.005])
    shares = 1 / np.arange(1, 21) ** 1.8
    columns["rare_20"] = rng.choice([f"kind {i}" for i in range(20)], rows, p=shares / shares.sum())
    columns |= {"flag": rng.random(rows) < 0.5, "rare_flag": rng.random(rows) < 0.01}
    columns["day"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 365, rows), "D")
    columns["rounded"] = rng.normal(size=rows).round(1)
    frame = pd.DataFrame(columns)
    for name in ("bell_1", "sort_8"):
        frame.loc[rng.random(rows) < 0.03, name] = np.nan
    frame.loc[rng.random(rows) < 0.002, "bell_2"] = np.nan
    return frame


def first(share: float, column: str, change: Callable[[pd.Series], object]) -> Callable[..., pd.DataFrame]:
    """Change a column in a share of the rows, in at least one."""

    def plant(frame: pd.DataFrame) -> pd.DataFrame:
        some = np.arange(len(frame)) < max(1, round(share * len(frame)))
        values = frame[column].astype(object if frame[column].dtype.kind not in "fi" else float)
        return frame.assign(**{column: values.mask(some, change(values))})

    return plant


def again(share: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Append a share of the rows once more."""
    return lambda frame: pd.concat([frame, frame.head(round(share * len(frame)))], ignore_index=True)


FAULTS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
    "bell curve x 100, 1 row": (first(0, "bell_0", lambda x: x * 100), "bell_0", "out_of_range"),
    "bell curve x 1000, 1 row": (first(0, "bell_0", lambda x: x * 1000), "bell_0", "out_of_range"),
    "bell curve negative, 1 row": (first(0, "bell_0", lambda x: -x), "bell_0", "out_of_range"),
    "bell curve -999, 1 row": (first(0, "bell_0", lambda _: -999.0), "bell_0", "out_of_range"),
    "bell curve 9999, 1 row": (first(0, "bell_0", lambda _: 9999.0), "bell_0", "out_of_range"),
    "heavy tail x 100, 5 %": (first(0.05, "tail_1.5", lambda x: x * 100), "tail_1.5", "out_of_range"),
    "heavy tail x 1000, 5 %": (first(0.05, "tail_1.5", lambda x: x * 1000), "tail_1.5", "out_of_range"),
    "heavy tail negative, 5 %": (first(0.05, "tail_1.5", lambda x: -x), "tail_1.5", "out_of_range"),
    "heavy tail -999, 1 row": (first(0, "tail_1.5", lambda _: -999.0), "tail_1.5", "out_of_range"),
    "heavy tail 9999, 1 row": (first(0, "tail_1.5", lambda _: 9999.0), "tail_1.5", "out_of_range"),
    "heavy tail 9999, 5 %": (first(0.05, "tail_1.5", lambda _: 9999.0), "tail_1.5", "out_of_range"),
    "new category, 1 row": (first(0, "sort_2", lambda _: "new"), "sort_2", "new_category"),
    "new category, 8 %": (first(0.08, "sort_2", lambda _: "new"), "sort_2", "new_category"),
    "missing, 2 % where none were": (first(0.02, "bell_0", lambda _: np.nan), "bell_0", "missing"),
    "missing, 10 % where 3 % were": (first(0.10, "bell_1", lambda _: np.nan), "bell_1", "missing"),
    "missing, 20 % where 3 % were": (first(0.20, "bell_1", lambda _: np.nan), "bell_1", "missing"),
    "infinite, 1 row": (first(0, "bell_0", lambda _: np.inf), "bell_0", "infinite"),
    "constant number": (lambda frame: frame.assign(bell_0=150.0), "bell_0", "constant"),
    "constant category": (lambda frame: frame.assign(sort_2="a"), "sort_2", "constant"),
    "numbers as texts": (lambda frame: frame.assign(bell_0=frame["bell_0"].astype(str)), "bell_0", "dtype"),
    "equal rows, 2 %": (again(0.02), "", "duplicate_rows"),
    "equal rows, 10 %": (again(0.10), "", "duplicate_rows"),
}


def faults(learned: int, rows: int) -> Seen:
    """Say whether a schema finds any fault in another table from the same source."""
    return lambda rng: bool(monitoring.Schema.infer(mixed(rng, learned)).check(mixed(rng, rows)).issues)


@functools.lru_cache(maxsize=128)
def learned_and_new(rows: int, seed: tuple[int, ...]) -> tuple[monitoring.Schema, pd.DataFrame]:
    """Give a schema and another table; all faults are planted in the same ones."""
    rng = np.random.default_rng(seed)
    return monitoring.Schema.infer(mixed(rng, rows)), mixed(rng, rows)


def caught(name: str, rows: int) -> Seen:
    """Say whether a planted fault is found, where it is and by its name."""
    plant, column, issue = FAULTS[name]

    def seen(rng: np.random.Generator) -> bool:
        schema, table = learned_and_new(rows, tuple(rng.bit_generator.seed_seq.entropy))
        return (column, issue) in schema.check(plant(table)).issues

    return seen


# --- what is asked, how often, and from which seed ---------------------------------------------------------

JOBS: dict[tuple[str, str], tuple[int, int, Seen]] = {
    ("quiet", "drift"): (1000, 1, any_drift()),
    ("power", "shift_0.2_sd"): (300, 4, found_in(lambda x: x + 0.2)),
    ("power", "sd_x_1.25"): (300, 5, found_in(lambda x: x * 1.25)),
    ("power", "rotation_correlation_0.3"): (100, 6, joint(0.3)),
    ("quiet", "joint"): (200, 2, joint(0.0)),
    ("quiet", "drift_uncorrected"): (200, 1, any_drift(min_effect=0, correction="none", test="ks")),
    ("quiet", "drift_without_min_effect"): (400, 1, any_drift(min_effect=0)),
    ("power", "sd_x_1.25_by_ks_alone"): (100, 5, found_in(lambda x: x * 1.25, test="ks")),
    **{
        ("schema_quiet", f"{learned} rows, then {rows}"): (500, 7, faults(learned, rows))
        for learned, rows in ((200, 200), (2000, 2000), (2000, 200), (200, 2000))
    },
    **{
        (f"schema_finds_in_{rows}_rows", name): (50, 8, caught(name, rows))
        for rows in (200, 2000)
        for name in FAULTS
    },
}


def piece(job: tuple[str, str], start: int, stop: int) -> tuple[int, float]:
    """Count how often something was seen at some of the seeds, and the CPU seconds it took."""
    begin = os.times()
    _, seed, seen = JOBS[job]
    found = sum(seen(np.random.default_rng([seed, each])) for each in range(start, stop))
    end = os.times()
    return found, end.user - begin.user + end.system - begin.system


def share(found: int, times: int) -> dict[str, float]:
    """Give how often something was seen, with the 95 % interval (Clopper and Pearson 1934)."""
    from scipy import stats

    interval = stats.binomtest(found, times).proportion_ci(method="exact")
    low, high = round(float(interval.low), 4), round(float(interval.high), 4)
    return {"share": round(found / times, 4), "low": low, "high": high, "times": times}


def kept(job: tuple[str, str], noted: dict[str, Any], stamp: dict[str, Any]) -> bool:
    """Say whether a share was measured as often as now asked, on these sources and with these libraries."""
    part = "schema" if job[0].startswith("schema") else "drift"
    alike = all(noted.get(name) == stamp[name] for name in ("python", "numpy", "pandas", "scipy"))
    same = noted.get("parts_sha256", {}).get(part) == stamp["parts_sha256"][part]
    return alike and same and noted.get(job[0], {}).get(job[1], {}).get("times") == JOBS[job][0]


def main() -> None:
    """Measure, show each share as it comes, and write."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--quick", action="store_true", help="a tenth of the comparisons; nothing is written")
    asked.add_argument("--workers", type=int, default=1, help="processes that share the work")
    asked.add_argument("--keep", action="store_true", help="keep shares measured on these very sources")
    told = asked.parse_args()
    few = 10 if told.quick else 1
    stamp: dict[str, Any] = {"sources_sha256": sources_digest(), "python": platform.python_version()}
    stamp |= {name: version(name) for name in ("numpy", "pandas", "scipy")}
    stamp["parts_sha256"] = {"drift": sources_digest(DRIFT), "schema": sources_digest(SCHEMA)}
    noted = json.loads(RESULTS.read_text(encoding="utf-8")) if told.keep else {}
    found: dict[str, dict[str, dict[str, float]]] = {}
    spent = 0.0
    with ProcessPoolExecutor(told.workers) as pool:
        waiting = {}
        for job, (times, _, _) in JOBS.items():
            cuts = [*range(0, times // few, PIECE), times // few]
            if not kept(job, noted, stamp):
                waiting[job] = [pool.submit(piece, job, *ends) for ends in itertools.pairwise(cuts)]
        for group, name in JOBS:
            if (group, name) in waiting:
                counts, seconds = zip(*(part.result() for part in waiting[group, name]), strict=True)
                spent += sum(seconds)
                noted.setdefault(group, {})[name] = share(sum(counts), JOBS[group, name][0] // few)
            each = found.setdefault(group, {})[name] = noted[group][name]
            print(f"{spent:6.0f} CPU s  {group:26}{name:32}{each['share']:7.1%}", flush=True)
            if few == 1:
                text = json.dumps({**stamp, **found}, indent=1) + "\n"
                RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
