"""How often does `watch_memory` find a leak, and how often does it cry wolf? Each run in a fresh process.

    python benchmarks/monitoring_leaks.py            # 20 runs of each; writes results/monitoring_leaks.json
    python benchmarks/monitoring_leaks.py --quick    # 3 runs of each, nothing written

The work of a step is noisy on purpose: arrays of 8 to 800 KB that come and go, a dict of some hundred texts,
a cache of at most 50 entries, and now and then a table of 16 MB, which leaves a hole of its size. A leak
fills such holes first, unseen by the system: so a watch of 400 steps (26 MB leaked) stands beside 1,600.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest import code_digest  # noqa: E402

from mlops_lab.monitoring import watch_memory  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "monitoring_leaks.json"
MEASURED = ("health/memory_leaks.py",)
KIB = 1024
SERVICES = {  # bytes that each step leaks, in a hundred pieces or one, steps
    "no leak, 400 steps": (0, False, 400),
    "64 KiB a step in one block, 400 steps": (64 * KIB, False, 400),
    "no leak, 1600 steps": (0, False, 1600),
    "64 KiB a step in one block, 1600 steps": (64 * KIB, False, 1600),
    "64 KiB a step in a hundred objects, 400 steps": (64 * KIB, True, 400),
    "64 KiB a step in a hundred objects, 1600 steps": (64 * KIB, True, 1600),
}


def sources() -> list[Path]:
    """List the sources that are measured."""
    return [ROOT / "mlops_lab" / "monitoring" / name for name in MEASURED]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def one_run(leak_bytes: int, in_pieces: bool, steps: int, seed: int) -> dict[str, object]:
    """Watch one noisy service in this process."""
    rng = random.Random(seed)
    kept: list[object] = []
    cache: dict[int, np.ndarray] = {}

    def step(number: int) -> None:
        arrays = [np.ones(rng.randint(1_000, 100_000)) for _ in range(3)]
        texts = {str(key): bytes(rng.randint(10, 2_000)) for key in range(rng.randint(100, 800))}
        if rng.random() < 0.02:
            arrays.append(np.ones(2_000_000))
        cache[number] = np.ones(rng.randint(100, 5_000))
        if len(cache) > 50:
            del cache[next(iter(cache))]
        if leak_bytes and in_pieces:
            kept.append([bytes(leak_bytes // 100 + rng.randint(-300, 300)) for _ in range(100)])
        elif leak_bytes:
            kept.append(bytearray(leak_bytes))
        del arrays, texts

    report = watch_memory(step, steps=steps)
    return {"ok": report.ok, "kib_per_step": round(report.bytes_per_step / KIB, 2)}


def runs(name: str, number: int) -> dict[str, object]:
    """Run one kind of service several times, each in a fresh process."""
    leak_bytes, in_pieces, steps = SERVICES[name]
    found = []
    for seed in range(number):
        command = [
            sys.executable,
            __file__,
            "--one",
            str(leak_bytes),
            str(int(in_pieces)),
            str(steps),
            str(seed),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found.append(json.loads(ran.stdout))
    growth = sorted(one["kib_per_step"] for one in found)
    return {
        "runs": number,
        "leak_reported": sum(one["ok"] is False for one in found),
        "in_order": sum(one["ok"] is True for one in found),
        "not_decided": sum(one["ok"] is None for one in found),
        "kib_per_step": {"least": growth[0], "median": growth[number // 2], "most": growth[-1]},
    }


def main() -> None:
    """Measure, print, and unless asked to be quick write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three runs of each; nothing is written")
    parser.add_argument("--one", nargs=4, type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        leak_bytes, in_pieces, steps, seed = asked.one
        print(json.dumps(one_run(leak_bytes, bool(in_pieces), steps, seed)))
        return
    results: dict[str, object] = {
        "sources_sha256": sources_digest(),
        "services": {name: runs(name, 3 if asked.quick else 20) for name in SERVICES},
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "packages": {name: version(name) for name in ("numpy", "psutil")},
        },
    }
    text = json.dumps(results, indent=2) + "\n"
    print(text)
    if not asked.quick:
        RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
