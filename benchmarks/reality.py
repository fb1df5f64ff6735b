"""Does the reality loop do what lesson 13 says, in both stories and at many seeds? Models are really trained.

    python benchmarks/reality.py                        # 12 seeds of each; writes results/reality.json
    python benchmarks/reality.py --scenario phones      # one story; what is there of the other is kept
    python benchmarks/reality.py --quick                # 2 seeds of each, nothing written

For each seed the lecture's policy is played with everything switched on, then with each defect switched off
in turn (as far as the test that must now stay silent), then where all is well. One game runs once more in a
fresh process.
"""

from __future__ import annotations

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before numpy: threads cost a busy machine far more than they give

import argparse
import hashlib
import json
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest import code_digest  # noqa: E402

from mlops_lab.reality import POLICIES, SYMPTOMS, Season, load_scenario, play, scenarios  # noqa: E402
from mlops_lab.reality.evaluation import underpaid  # noqa: E402
from mlops_lab.reality.policies import ARCHIVE, LECTURE  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "reality.json"
SEEDS = 12
WORLD = ("orchard", "crates", "random_streams")


def sources() -> list[Path]:
    """List the sources that are measured; the picture measures nothing."""
    folder = ROOT / "mlops_lab"
    drawn = folder / "reality" / "timeline.py"
    return [
        *(each for each in sorted((folder / "reality").glob("*.py")) if each != drawn),
        *(folder / "worlds" / f"{name}.py" for name in WORLD),
        *sorted((folder / "reality" / "scenarios").glob("*.toml")),
    ]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def fired(season: Season) -> dict[str, bool | None]:
    """Say which symptoms showed in a game; the pager is the test for bias."""
    found = {report.symptom: report.fired for _, report in season.reports}
    return {**found, "bias": bool(season.pages)}


def silent(name: str, symptom: str, seed: int) -> bool:
    """Play the lecture without one defect, as far as its test, and say whether that stays silent."""
    season = Season(load_scenario(name).without(symptom), seed=seed)
    season.collect(ARCHIVE)
    season.train()
    for step in LECTURE[: SYMPTOMS.index(symptom) + 1]:
        step(season)
    return fired(season)[symptom] is False


def one_seed(name: str, seed: int) -> dict[str, Any]:
    """Play everything for one story and seed."""
    start = time.process_time()
    played = play(name, seed=seed)
    cpu_s = time.process_time() - start
    better = Season(name, seed=seed)
    POLICIES["prevention"](better)
    prevented = replace(played, season=better, policy="prevention", effects={}, underpaid=underpaid(better))
    well = Season(load_scenario(name).healthy(), seed=seed)
    POLICIES["lecture"](well)
    bars = played.yardsticks
    return {
        "seed": seed,
        "fired": dict(played.fired),
        "silent": {symptom: silent(name, symptom, seed) for symptom in SYMPTOMS},
        "silent_where_well": {symptom: found is False for symptom, found in fired(well).items()},
        "effects": {
            symptom: {
                "measure": each.measure,
                "without": each.without,
                "with": each.with_remedy,
                "naively": each.naively,
                "gain": each.gain,
            }
            for symptom, each in played.effects.items()
        },
        "net": {
            "expectation": bars.naive,
            "rule_card": bars.rule_card,
            "lecture": played.net,
            "prevention": prevented.net,
            "oracle": bars.oracle,
        },
        "score": {"lecture": played.score, "prevention": prevented.score},
        "gap": {"lecture": played.gap, "prevention": prevented.gap},
        "page": played.season.pages[0].clock if played.season.pages else None,
        "cpu_s": round(cpu_s, 2),
        "log_sha256": fingerprint(played.log, played.gain),
    }


def fingerprint(log: object, gain: object) -> str:
    """Give the SHA-256 of a game and its gains."""
    return hashlib.sha256(json.dumps([log, gain], sort_keys=True).encode()).hexdigest()


def again(name: str, seed: int) -> str:
    """Play the same in a fresh process with another hash seed, and give its fingerprint."""
    environment = {**os.environ, "PYTHONHASHSEED": "5"}
    command = [sys.executable, __file__, "--fingerprint", name, str(seed)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return ran.stdout.strip()


def spread(values: list[float]) -> dict[str, float]:
    """Give the least, the median and the most."""
    return {
        "least": round(min(values), 4),
        "median": round(statistics.median(values), 4),
        "most": round(max(values), 4),
    }


def summary(name: str, rows: list[dict[str, Any]], same: bool) -> dict[str, Any]:
    """Count and spread what was found at all seeds."""
    symptoms = {}
    for symptom in SYMPTOMS:
        effects = [row["effects"][symptom] for row in rows if symptom in row["effects"]]
        symptoms[symptom] = {
            "shows": sum(row["fired"][symptom] is True for row in rows),
            "false_alarms": sum(not row["silent"][symptom] for row in rows),
            "false_alarms_where_well": sum(not row["silent_where_well"][symptom] for row in rows),
            "helps": sum(each["gain"] > 0 for each in effects),
            "beats_more_of_the_same": sum(
                (each["with"] - each["naively"]) * (1 if symptom != "bias" else -1) > 0 for each in effects
            ),
            "measure": effects[0]["measure"],
            **{
                key: spread([each[key] for each in effects]) for key in ("without", "with", "naively", "gain")
            },
        }
    nets = [row["net"] for row in rows]
    return {
        "title": load_scenario(name).title,
        "seeds": [row["seed"] for row in rows],
        "symptoms": symptoms,
        "net": {policy: spread([net[policy] for net in nets]) for policy in nets[0]},
        "in_order": sum(net["expectation"] < net["lecture"] < net["oracle"] for net in nets),
        "prevention_beats_lecture": sum(row["score"]["prevention"] > row["score"]["lecture"] for row in rows),
        "score": {policy: spread([row["score"][policy] for row in rows]) for policy in rows[0]["score"]},
        "gap": {policy: spread([row["gap"][policy] for row in rows]) for policy in rows[0]["gap"]},
        "pages": [row["page"] for row in rows],
        "cpu_s": spread([row["cpu_s"] for row in rows]),
        "same_in_another_process": same,
    }


def measure(name: str, seeds: int) -> dict[str, Any]:
    """Measure one story, and say how far it is."""
    rows = []
    for seed in range(seeds):
        rows.append(one_seed(name, seed))
        row = rows[-1]
        quiet = sum(row["silent"].values()), sum(row["silent_where_well"].values())
        shown = sum(value is True for value in row["fired"].values())
        gains = ", ".join(f"{key} {each['gain']:.3g}" for key, each in row["effects"].items())
        print(
            f"{name} {seed + 1}/{seeds}: {shown} of 5 show, {quiet[0]} and {quiet[1]} of 5 silent; {gains}; "
            f"{row['cpu_s']} CPU s",
            flush=True,
        )
    return summary(name, rows, again(name, 0) == rows[0]["log_sha256"])


def main() -> None:
    """Measure, print, and unless asked to be quick write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two seeds of each; nothing is written")
    parser.add_argument("--scenario", choices=scenarios(), help="one story only")
    parser.add_argument("--fingerprint", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fingerprint:
        played = play(asked.fingerprint[0], seed=int(asked.fingerprint[1]))
        print(fingerprint(played.log, played.gain))
        return
    digest = sources_digest()
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    found = kept.get("scenarios", {}) if kept.get("sources_sha256") == digest else {}
    for name in [asked.scenario] if asked.scenario else scenarios():
        found[name] = measure(name, 2 if asked.quick else SEEDS)
        results = {
            "sources_sha256": digest,
            "scenarios": dict(sorted(found.items())),
            "machine": {
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
                "packages": {each: version(each) for each in ("numpy", "pandas", "scikit-learn", "scipy")},
            },
        }
        if not asked.quick:
            RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8", newline="\n")
    print(json.dumps(results["scenarios"], indent=2))


if __name__ == "__main__":
    main()
