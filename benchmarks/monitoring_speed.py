"""What a drift report costs in CPU seconds and memory, beside Evidently, NannyML, alibi-detect and frouros.

    python benchmarks/monitoring_speed.py                  # ours; the peers' figures are kept
    python benchmarks/monitoring_speed.py --peers FOLDER   # all; either writes results/monitoring_speed.json
    python benchmarks/monitoring_speed.py --quick          # ours, few rows; nothing is written

Each peer gets an environment of its own in FOLDER, which is made by uv or venv if it is not there; what
cannot be installed, imported or run is named in the result with its error. Every measurement is one run in a
fresh process: both tables and all imports are there, and the tool has answered once on 500 rows. Then CPU
seconds (user and system, all threads) and the peak of memory above what was held are taken. Ours is the
median of three processes up to 100,000 rows; all else is one process. A peer that wants arrays or codes gets
them before the clock starts.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import gc
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}

import numpy as np
import pandas as pd
from digest import code_digest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "monitoring_speed.json"
MEASURED = (
    *(
        "../tables/columns",
        "data/columns",
        "data/distances",
        "data/drift",
        "data/profile",
        "data/two_samples",
    ),
    "histogram_sketch",
)
ALPHA = 0.05
LIMIT_S = 1800
Run = Callable[[pd.DataFrame, pd.DataFrame], Callable[[], object]]


def sources() -> list[Path]:
    """List the sources that are measured."""
    return [ROOT / "mlops_lab" / "monitoring" / f"{name}.py" for name in MEASURED]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def tables(rows: int, columns: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw two tables: bell curves, heavy tails, counts categories; every second column has moved a bit."""
    rng, found = np.random.default_rng(0), []
    for now in (0, 1):
        table: dict[str, Any] = {}
        for place in range(columns):
            moved = now * (place % 2) * 0.01 * (1 + place // 5)
            if place % 5 in (0, 1):
                table[f"bell_{place}"] = rng.normal(moved, 1, rows)
            elif place % 5 == 2:
                table[f"tail_{place}"] = rng.lognormal(moved, 1.5, rows)
            elif place % 5 == 3:
                table[f"count_{place}"] = rng.poisson(40 + moved, rows)
            else:
                table[f"sort_{place}"] = np.array(list("abcdefgh"), dtype=object)[rng.integers(0, 8, rows)]
        found.append(pd.DataFrame(table))
    return found[0], found[1]


def sorts(frame: pd.DataFrame) -> list[str]:
    """Name the columns of categories."""
    return [name for name in frame.columns if name.startswith("sort")]


# --- the tools: each gives a job without arguments, with all preparation done ------------------------------


def ours(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Compare two frames."""
    from mlops_lab import monitoring

    return lambda: monitoring.drift(reference, current)


def ours_profile(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Compare a frame with a profile that was fitted before."""
    from mlops_lab import monitoring

    profile = monitoring.Profile.fit(reference)
    return lambda: monitoring.drift(profile, current)


def ours_fit(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Fit a profile."""
    from mlops_lab import monitoring

    return lambda: monitoring.Profile.fit(reference)


def evidently(**options: str) -> Run:
    """Run Evidently's preset for data drift."""

    def prepare(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        numbers = [name for name in reference.columns if name not in sorts(reference)]
        held = DataDefinition(numerical_columns=numbers, categorical_columns=sorts(reference))
        both = [Dataset.from_pandas(table, data_definition=held) for table in (current, reference)]
        return lambda: Report([DataDriftPreset(**options)]).run(*both).dict()

    return prepare


def nannyml(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Run NannyML's univariate calculator on one chunk, by KS and chi-squared."""
    import nannyml as nml

    def job() -> object:
        calculator = nml.UnivariateDriftCalculator(
            column_names=list(reference.columns),
            continuous_methods=["kolmogorov_smirnov"],
            categorical_methods=["chi2"],
            chunk_size=len(current),
        )
        return calculator.fit(reference).calculate(current).to_df()

    return job


def alibi_detect(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Run alibi-detect's TabularDrift, KS and chi-squared with Bonferroni's correction, on codes."""
    from alibi_detect.cd import TabularDrift

    levels = {name: sorted(set(reference[name]) | set(current[name])) for name in sorts(reference)}
    arrays = [
        table.assign(**{name: table[name].map(levels[name].index) for name in levels}).to_numpy(np.float64)
        for table in (reference, current)
    ]
    places: dict[int, Any] = {list(reference.columns).index(name): None for name in levels}
    return lambda: TabularDrift(arrays[0], p_val=ALPHA, categories_per_feature=places).predict(arrays[1])


def frouros(reference: pd.DataFrame, current: pd.DataFrame) -> Callable[[], object]:
    """Run frouros column by column, KS and chi-squared, on arrays."""
    from frouros.detectors.data_drift import ChiSquareTest, KSTest

    named = sorts(reference)
    arrays = [{name: table[name].to_numpy() for name in table.columns} for table in (reference, current)]

    def job() -> object:
        found = []
        for name in arrays[0]:
            detector = ChiSquareTest() if name in named else KSTest()
            detector.fit(X=arrays[0][name])
            found.append(detector.compare(X=arrays[1][name]))
        return found

    return job


# name -> the tool, its package ("" for ours), and what else its environment needs
TOOLS: dict[str, tuple[Run, str, tuple[str, ...]]] = {
    "drift(frame, frame)": (ours, "", ()),
    "drift(profile, frame)": (ours_profile, "", ()),
    "Profile.fit(frame)": (ours_fit, "", ()),
    "Evidently, DataDriftPreset": (evidently(), "evidently==0.7.23", ("pandas<3",)),
    "Evidently, by KS and chi-squared": (
        evidently(num_method="ks", cat_method="chisquare"),
        "evidently==0.7.23",
        ("pandas<3",),
    ),
    "NannyML, KS and chi-squared": (nannyml, "nannyml==0.13.1", ("pandas<3", "statsmodels")),
    "alibi-detect, TabularDrift": (alibi_detect, "alibi-detect==0.13.0", ("pandas<3",)),
    "frouros, KS and chi-squared": (frouros, "frouros==0.9.0", ("pandas<3",)),
}
MINE = [name for name, tool in TOOLS.items() if not tool[1]]
SIZES = [(10_000, 20), (100_000, 5), (100_000, 20), (100_000, 80), (1_000_000, 20)]
SHARED = [(100_000, 20), (1_000_000, 20)]


# --- one measurement, in a process of its own --------------------------------------------------------------


def held_mib(what: str) -> float:
    """Give the memory that the process holds ("VmRSS") or held at most since the last reset ("VmHWM")."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise OSError(f"{what} is not told here")


def give_back() -> None:
    """Return freed memory to the system, as far as it can be asked, so that its use again is counted."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def measure(tool: str, rows: int, columns: int) -> dict[str, float | None]:
    """Run a tool once on tables in memory, and give its CPU seconds and the memory it took on top."""
    prepare = TOOLS[tool][0]
    reference, current = tables(rows, columns)
    prepare(reference.head(500), current.head(500))()  # imports, and what a first call sets up
    job = prepare(reference, current)
    give_back()
    before: float | None = None
    if Path("/proc/self/clear_refs").exists():  # Linux alone can forget an earlier peak
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = held_mib("VmRSS")
    begin, begin_s = os.times(), time.process_time()
    job()
    end, spent = os.times(), time.process_time() - begin_s
    peak = None if before is None else round(held_mib("VmHWM") - before, 1)
    spent += end.children_user - begin.children_user + end.children_system - begin.children_system
    return {"cpu_s": round(spent, 3), "extra_mib": peak}


def decisions(rows: int, columns: int) -> dict[str, float | int]:
    """Hold our KS test against scipy's, column by column."""
    from scipy import stats

    from mlops_lab import monitoring

    reference, current = tables(rows, columns)
    report = monitoring.drift(reference, current, test="ks", correction="none", min_effect=0, alpha=ALPHA)
    found = report.frame().set_index("column")
    mine = found[found["test"] == "KS"]
    theirs = {name: stats.ks_2samp(reference[name], current[name]) for name in mine.index}
    p = pd.Series({name: float(each.pvalue) for name, each in theirs.items()})
    gap = pd.Series({name: float(each.statistic) for name, each in theirs.items()})
    return {
        "columns": len(mine),
        "equal_decisions": int(((mine["p"] <= ALPHA) == (p <= ALPHA)).sum()),
        "drifted": int((p <= ALPHA).sum()),
        "largest_difference_of_gaps": float((mine["statistic"] - gap).abs().max()),
        "largest_relative_difference_of_p": float(((mine["p"] - p).abs() / p)[p > 1e-6].max()),
    }


# --- environments and children -----------------------------------------------------------------------------


def environment(tool: str, folder: Path | None) -> str:
    """Give the Python that has the tool, and make its environment if it is not there."""
    package = TOOLS[tool][1]
    if not package:
        return sys.executable
    if folder is None:
        raise LookupError("no --peers folder was given")
    place = folder.resolve() / package.partition("==")[0]
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = place / "made"
    if not done.exists():
        words = [package, *TOOLS[tool][2]]
        uv = shutil.which("uv")
        if uv:
            subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, place], check=True)
            install = [uv, "pip", "install", "-q", "--python", str(python), *words]
        else:
            venv.create(place, clear=True, with_pip=True)
            install = [str(python), "-m", "pip", "install", "-q", *words]
        ran = subprocess.run(install, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise LookupError(f"cannot be installed: {last_line(ran.stderr)}")
        done.write_text(" ".join(words), encoding="utf-8")
    return str(python)


def last_line(text: str) -> str:
    """Give the last line of an error message."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["no message"])[-1][:300]


def child(python: str, *words: object) -> dict[str, Any]:
    """Run this file in a process of its own, and give what it printed last, or why it failed."""
    command = [python, __file__, "--worker", *map(str, words)]
    paths = {"PYTHONPATH": str(ROOT)} if python == sys.executable else {}
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ, **paths}
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer within {LIMIT_S} s"}
    if ran.returncode:
        return {"failed": last_line(ran.stderr) if ran.returncode > 0 else f"killed, {ran.returncode}"}
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def one(tool: str, rows: int, columns: int, folder: Path | None) -> dict[str, Any]:
    """Measure a tool at one size: ours up to 100,000 rows thrice, with the median; all else once."""
    try:
        python = environment(tool, folder)
    except (LookupError, OSError, subprocess.SubprocessError) as error:
        return {"failed": str(error)[:300]}
    times = 3 if tool in MINE and rows <= 100_000 else 1
    runs = [child(python, tool, rows, columns) for _ in range(times)]
    failed = [run for run in runs if "failed" in run]
    if failed:
        return failed[0]
    middle = {"cpu_s": statistics.median(run["cpu_s"] for run in runs)}
    peaks = [run["extra_mib"] for run in runs if run["extra_mib"] is not None]
    return {**middle, "extra_mib": max(peaks) if peaks else None}


def machine() -> dict[str, Any]:
    """Say on what it was measured."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "graphics_card": "none is used",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pandas", "scipy")},
    }


def ratios(tools: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Give how many times the CPU seconds of our report each peer took, size by size."""
    found: dict[str, dict[str, float]] = {}
    for tool, by_size in tools.items():
        for size, each in by_size.items():
            mine = tools.get(MINE[0], {}).get(size, {}).get("cpu_s")
            if tool not in MINE and mine and "cpu_s" in each:
                found.setdefault(tool, {})[size] = round(each["cpu_s"] / mine, 1)
    return found


def plan(names: Iterable[str], quick: bool) -> list[tuple[str, int, int]]:
    """List what is measured: our report at every size, profiles and peers where they are compared."""
    every = [(name, *size) for size in SIZES for name in names if name == MINE[0] or size in SHARED]
    return [each for each in every if not quick or each[1] <= 100_000]


def write(tools: dict[str, dict[str, Any]], equal: dict[str, Any], names: list[str]) -> None:
    """Write what is known so far."""
    ordered = {name: tools[name] for name in TOOLS if name in tools}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    about = {"sources_sha256": sources_digest(), "date": today, "machine": machine(), "ran_last": names}
    held = {**about, "decisions_as_scipy": equal, "tools": ordered, "times_our_cpu": ratios(ordered)}
    RESULTS.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8", newline="\n")


def main() -> None:
    """Measure, show each figure as it comes, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="a folder that has or gets the peers' environments")
    parser.add_argument("--tools", nargs="+", choices=list(TOOLS), metavar="TOOL", help="these alone")
    parser.add_argument("--quick", action="store_true", help="ours, up to 100,000 rows; nothing is written")
    parser.add_argument("--keep", action="store_true", help="keep what was measured on these very sources")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.worker:
        tool, rows, columns = told.worker[0], *map(int, told.worker[1:])
        print(json.dumps(decisions(rows, columns) if tool == "decisions" else measure(tool, rows, columns)))
        return
    names = told.tools or (list(TOOLS) if told.peers else MINE)
    noted = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    tools: dict[str, dict[str, dict[str, Any]]] = noted.get("tools", {})
    equal: dict[str, dict[str, Any]] = noted.get("decisions_as_scipy", {})
    fresh = noted.get("sources_sha256") == sources_digest()
    for rows, columns in SHARED[: 1 if told.quick else 2]:
        size = f"{rows} x {columns}"
        if told.tools is None and not (told.keep and fresh and size in equal):
            equal[size] = child(sys.executable, "decisions", rows, columns)
            print(f"as scipy: {equal[size]}", flush=True)
    for tool, rows, columns in plan(names, told.quick):
        size = f"{rows} x {columns}"
        if told.keep and fresh and "cpu_s" in tools.get(tool, {}).get(size, {}):
            continue
        found = one(tool, rows, columns, told.peers)
        tools.setdefault(tool, {})[size] = found
        print(f"{tool:34}{size:14}{found}", flush=True)
        if not told.quick:
            write(tools, equal, names)


if __name__ == "__main__":
    main()
