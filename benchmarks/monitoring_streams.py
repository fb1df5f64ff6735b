"""How often the monitors of a stream cry wolf, and how soon they see that errors have doubled.

    python benchmarks/monitoring_streams.py          # writes benchmarks/results/monitoring_streams.json
    python benchmarks/monitoring_streams.py --quick  # a tenth of the streams, nothing written

Quiet streams have 10,000 steps at the promised share of errors. In the others it doubles at step 5,000, and
the delay counts from there; streams with an alarm before that are left out of the delay and counted. Where
river is installed, its detectors run beside ours with their own default settings.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from digest import code_digest  # noqa: E402

from mlops_lab import monitoring  # noqa: E402
from mlops_lab.monitoring.performance.cusum import Cusum, alarm_probability  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "monitoring_streams.json"
MEASURED = tuple(f"performance/{name}" for name in ("confidence_sequence", "cusum", "outcomes"))
STEPS, CHANGE = 10_000, 5_000
PROMISED = (0.05, 0.1, 0.2)

First = Callable[[np.ndarray], int | None]


def sources() -> list[Path]:
    """List the sources that are measured."""
    return [ROOT / "mlops_lab" / "monitoring" / f"{name}.py" for name in MEASURED]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def streams(promised: float, number: int, *, change: bool) -> np.ndarray:
    """Draw streams of errors, a row each."""
    rng = np.random.default_rng([round(1000 * promised), change])
    rate = np.full(STEPS, promised)
    rate[CHANGE:] *= 2 if change else 1
    return rng.random((number, STEPS)) < rate


def plain_interval(promised: float) -> First:
    """Look every day at a 95 % interval that was made for one look."""

    def first(wrong: np.ndarray) -> int | None:
        steps = np.arange(1, wrong.size + 1)
        mean = wrong.cumsum() / steps
        out = np.flatnonzero((abs(mean - promised) > 1.96 * np.sqrt(promised * (1 - promised) / steps))[100:])
        return 100 + int(out[0]) if out.size else None

    return first


def river_detector(name: str) -> First:
    """Run one of river's detectors with its default settings."""
    from river import drift

    def first(wrong: np.ndarray) -> int | None:
        detector = drift.binary.DDM() if name == "DDM" else getattr(drift, name)()
        for step, bad in enumerate(wrong.tolist()):
            detector.update(bad)
            if detector.drift_detected:
                return step
        return None

    return first


def rates(first: First, promised: float, number: int) -> dict[str, float | int | None]:
    """Give how often a monitor alarms on quiet streams, and its delay on changed ones."""
    quiet = [first(wrong) for wrong in streams(promised, number, change=False)]
    changed = [first(wrong) for wrong in streams(promised, number, change=True)]
    early = sum(at is not None and at < CHANGE for at in changed)
    delays = [math.inf if at is None else at - CHANGE + 1 for at in changed if at is None or at >= CHANGE]
    ordered = sorted(delays) or [math.inf]
    middle, late = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.9))
    return {
        "streams": number,
        "false_alarms": round(sum(at is not None for at in quiet) / number, 4),
        "early_alarms": round(early / number, 4),
        "median_delay": int(middle) if math.isfinite(middle) else None,
        "delay_of_nine_in_ten": int(late) if math.isfinite(late) else None,
    }


def alarm_chances(chart: Cusum, rate: float) -> np.ndarray:
    """Give the exact chance of an alarm so far, after each step of the horizon."""
    return alarm_probability(rate, chart.up, chart.down, chart.limit, chart.horizon)


def median_delay(chart: Cusum, rate: float) -> int | None:
    """Give the steps in which half of all alarms come, when the rate is this from the start."""
    late = np.flatnonzero(alarm_chances(chart, rate) >= 0.5)
    return int(late[0]) + 1 if late.size else None


def guessed_promise(number: int) -> dict[str, dict[str, float]]:
    """Give the exact chance of a false alarm, if the promise is estimated on a hold-out."""
    true, found = 0.1, {}
    for rows in (650, 2_600, 10_000):
        rng = np.random.default_rng(rows)
        plain, upper, late = [], [], {"plain": [], "upper": []}
        for wrong in rng.binomial(rows, true, number).tolist():
            measured = monitoring.Cusum.for_errors(wrong / rows, 2 * wrong / rows)
            safe = monitoring.Cusum.from_holdout(wrong, rows)
            for chances, chart, name in ((plain, measured, "plain"), (upper, safe, "upper")):
                chances.append(float(alarm_chances(chart, true)[-1]))
                late[name].append(median_delay(chart, 2 * true) or STEPS)
        found[str(rows)] = {
            "promise_as_measured": round(float(np.mean(plain)), 3),
            "as_measured_above_5_percent": round(float(np.mean(np.array(plain) > 0.05)), 3),
            "as_measured_median_delay_if_doubled": round(float(np.median(late["plain"]))),
            "upper_end_of_90_percent_interval": round(float(np.mean(upper)), 3),
            "upper_end_above_5_percent": round(float(np.mean(np.array(upper) > 0.05)), 3),
            "upper_end_median_delay_if_doubled": round(float(np.median(late["upper"]))),
        }
    return found


def main() -> None:
    """Measure, print, and unless asked to be quick write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the streams; nothing is written")
    quick = parser.parse_args().quick
    number, few = (100, 10) if quick else (1_000, 100)
    results: dict[str, object] = {"sources_sha256": sources_digest(), "steps": STEPS, "change_at": CHANGE}
    for promised in PROMISED:
        chart = monitoring.Cusum.for_errors(promised, 2 * promised, horizon=STEPS, false_alarm=0.05)
        found: dict[str, object] = {
            "cusum_exact": {
                "false_alarms": round(chart.false_alarm, 4),
                "median_delay_from_the_start": median_delay(chart, 2 * promised),
            },
            "cusum": rates(chart.first_alarm, promised, number),
            "confidence_sequence": rates(
                lambda wrong, promised=promised: monitoring.confidence_sequence(wrong).first_excluding(
                    promised
                ),
                promised,
                number // 4,
            ),
            "plain_95_percent_interval_looked_at_every_step": rates(
                plain_interval(promised), promised, number
            ),
        }
        if importlib.util.find_spec("river"):
            for name in ("ADWIN", "PageHinkley", "DDM"):
                found[f"river_{name}"] = rates(river_detector(name), promised, few)
        results[f"errors_{promised:g}"] = found
    results["false_alarms_with_a_guessed_promise_of_0.1"] = guessed_promise(few)
    packages = ["numpy", "scipy", *(["river"] if importlib.util.find_spec("river") else [])]
    results["machine"] = {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }
    text = json.dumps(results, indent=2) + "\n"
    print(text)
    if not quick:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
