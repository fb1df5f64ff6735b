"""Write docs/measured.md from the committed results, so that no figure in it is typed.

python benchmarks/publish.py           # writes docs/measured.md
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "measured.md"
Results = dict[str, Any]

OPENING = """# What was measured

Made by `benchmarks/publish.py` from `benchmarks/results/`; a test compares. Each result names the sources it
measured by their digest, and the tests say loudly when these have changed since. Times are CPU seconds of one
core; trust the ratios, which were measured within one run, rather than the seconds.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Lay out a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def framing(found: Results) -> str:
    """How often `framing.should_use_ml` is wrong, and how long it takes."""
    rates = found["generated"]
    wrong = [
        (name, " or ".join(case["right"]), ", ".join(f"{got} {n}" for got, n in case["got"].items()))
        for name, case in found["by_case"].items()
        if set(case["got"]) - set(case["right"])
    ]
    first, last = found["seeds"]
    return "\n\n".join(
        [
            "## When to use machine learning: how often `should_use_ml` is wrong",
            f"{found['cases']} kinds of case that we made ourselves, one trouble in each, at seeds "
            f"{first} to {last}: {rates['asked']} questions. These are rates over *our* cases. Real problems "
            "have several troubles at once, and nobody knows their rate.",
            table(
                ("", "rate", "of", "wanted"),
                [
                    ("right decision", f"{rates['right_decision']:.1%}", rates["asked"], ">= 85 %"),
                    (
                        "ML recommended where it should not be",
                        f"{rates['ml_where_it_should_not']:.1%}",
                        rates["ml_where_it_should_not_asked"],
                        "<= 5 %",
                    ),
                    (
                        "ML refused where it is right",
                        f"{rates['refused_where_right']:.1%}",
                        rates["refused_where_right_asked"],
                        "<= 15 %",
                    ),
                ],
            ),
            "Where it went wrong:",
            table(("case", "right", "what it said"), wrong),
            f"The cases of `worlds`, made by another hand ({found['worlds']['asked']} questions): "
            f"{found['worlds']['right_decision']:.1%} right.",
            "Bundled real tables, whose right answer nobody knows:",
            table(
                ("table", "rows", "decision", "best on paper", "skill", "best model", "skill"),
                [
                    (
                        name,
                        t["rows"],
                        t["decision"],
                        t["paper"],
                        t["paper_skill"],
                        t["model"],
                        t["model_skill"],
                    )
                    for name, t in found["real"].items()
                ],
            ),
            f"Time for one verdict on 22 columns; of more than {found['row_cap']:,} rows a random "
            f"{found['row_cap']:,} are read.",
            table(("rows", "CPU s"), [(f"{size['rows']:,}", size["cpu_s"]) for size in found["growth"]]),
        ]
    )


def streams(found: Results) -> str:
    """How often monitors of a stream raise a false alarm, and how soon they see a doubled error rate."""
    rows = [
        (
            kind.removeprefix("errors_"),
            name,
            each["streams"],
            f"{each['false_alarms']:.1%}",
            each.get("median_delay"),
        )
        for kind, by_name in found.items()
        if kind.startswith("errors_")
        for name, each in by_name.items()
        if "streams" in each
    ]
    return "\n\n".join(
        [
            "## Monitoring: streams of right and wrong answers",
            f"{found['steps']:,} steps each. False alarms in quiet streams; the delay, in steps, after the "
            f"error rate doubles at step {found['change_at']:,}. Wanted of the CUSUM: at most 5 % and 300 "
            "steps.",
            table(("error rate", "monitor", "streams", "false alarms", "median delay"), rows),
        ]
    )


def leaks(found: Results) -> str:
    """How often `watch_memory` finds a leak, and how often it reports one that is not there."""
    rows = [
        (
            name,
            each["runs"],
            each["leak_reported"],
            each["not_decided"],
            each["in_order"],
            f"{each['kib_per_step']['least']:g} to {each['kib_per_step']['most']:g}",
        )
        for name, each in found["services"].items()
    ]
    return "\n\n".join(
        [
            "## Monitoring: memory leaks",
            "Each run in a fresh process, with arrays that come and go, a cache that is kept small, and now "
            "and then a table of 16 MB. Wanted: a leak of 64 KiB a step found in 20 of 20, none reported in "
            "0 of 20. A leak fills the holes that freed tables leave before the system sees it: 400 steps "
            "are too few for this service, 1,600 (the default) suffice.",
            table(("service", "runs", "leak reported", "not decided", "in order", "KiB a step"), rows),
        ]
    )


def load(found: Results) -> str:
    """How fast the load simulation is beside SimPy and Ciw."""
    ratios, growth = found["ratios"], found["growth"]
    names = {"plain": "plain Python", "compiled": "numba"}
    speed = [
        (peer, names[engine.removesuffix("_changing_fleet")], f"{times:g} x")
        for pair, times in ratios["times_faster"].items()
        for peer, engine in [pair.split(" / ")]
    ]
    return "\n\n".join(
        [
            "## Varying load: the simulation beside SimPy and Ciw",
            f"{ratios['requests']:,} requests on {ratios['machines']} machines, 90 % busy; waits equal to "
            "SimPy's. *simpy* is written as its documentation does, a process for each request; "
            "*simpy_tuned* leaves out processes and resources, and keeps only the event queue; "
            "*simpy_changing_fleet* is the oracle of the tests, with a policy that decides every 15 seconds.",
            table(("peer", "our engine", "faster by"), speed),
            "Plain Python is at least thirty times as fast as an ordinary SimPy model, not as a stripped "
            "one: that would leave a tenth of a microsecond for each request, which no loop in Python has. "
            "The compiled engine is.",
            "A month of the lecture's traffic, streamed by day:",
            table(
                ("engine", "requests", "CPU s"),
                [(names[name], f"{m['requests']:,}", m["cpu_s"]) for name, m in found["month"].items()],
            ),
            "Microseconds for a request, as requests (40 machines) and machines (a million requests) grow:",
            table(
                (
                    "engine",
                    *(f"{int(n):,} requests" for n in growth["plain"]["us_per_request_by_requests"]),
                    *(f"{int(n):,} machines" for n in growth["plain"]["us_per_request_by_machines"]),
                ),
                [
                    (
                        names[name],
                        *g["us_per_request_by_requests"].values(),
                        *g["us_per_request_by_machines"].values(),
                    )
                    for name, g in growth.items()
                ],
            ),
        ]
    )


def storage(found: Results) -> str:
    """What ten versions of one table cost, kept in many ways."""
    kinds = list(found["kinds"])
    rows = []
    for name, by_kind in found["ways"].items():
        cells = [by_kind.get(kind, {}) for kind in kinds]
        rows.append(
            (
                name,
                *(f"{c['bytes'] / 1e6:,.0f}" if "bytes" in c else "-" for c in cells),
                *(f"{c['cpu_s']:.1f}" if "bytes" in c else "-" for c in cells),
            )
        )
    head = ("way", *(f"MB, {kind}" for kind in kinds), *(f"CPU s, {kind}" for kind in kinds))
    ratios = [
        (kind, *(f"{value:.2f}" for value in found["verdict"][kind].values())) for kind in found["verdict"]
    ]
    first = next(iter(found["verdict"].values()))
    return "\n\n".join(
        [
            "## Versioning: what ten versions of a table cost",
            f"{found['versions']} versions of a CSV table of {found['first_version_mb']:,.0f} MB, measured "
            f"on {found['date']} ({found['machine']['system']}, {found['machine']['cores']} cores). "
            + "; ".join(f"*{kind}*: {words}" for kind, words in found["kinds"].items())
            + f". Restored and compared: {found['restored_and_equal']}.",
            table(head, rows),
            "Our pieces of the file against the best general chunker and restic, in this run:",
            table(("change", *first), ratios),
        ]
    )


def card(found: Results) -> str:
    """What a graphics card shows while it works, and whether a training on it is the same training."""
    works = []
    for work in found["phases"]:
        shown = {name: statistics.median(values[4:-1]) for name, values in work["readings"].items()}
        works.append(
            (
                work["phase"],
                f"{shown['utilisation_percent']:.0f} %",
                f"{shown['power_w']:.0f} W",
                f"{work['tflops']:.3g}",
            )
        )
    runs, sums = found["trainings"], found["sums"]
    kinds = [name for name, value in runs[0].items() if isinstance(value, dict)]
    return "\n\n".join(
        [
            "## A graphics card: busy is not busy, and the same is not the same",
            f"Recorded by `benchmarks/gpu.py` on one {found['card']} (PyTorch {found['versions']['torch']});"
            " lessons 05 and 09 show it. Utilisation is the share of time in which anything ran.",
            table(("work", "utilisation", "power", "TFLOP/s"), works),
            f"One small network, trained at {len(runs)} seeds on a processor and again as named:",
            table(
                ("", "same bits", "other grades, at most"),
                [
                    (
                        kind,
                        f"{sum(run[kind]['same_bits'] for run in runs)} of {len(runs)}",
                        f"{max(run[kind]['flips'] for run in runs):.1%}",
                    )
                    for kind in kinds
                ],
            ),
            f"A million numbers added into ten groups, {sums['runs']} times: "
            + "; ".join(
                f"{name} {sums['different_answers'][name]} different, {sums['ms'][name]:.2g} ms each"
                for name in sums["ms"]
            )
            + ".",
        ]
    )


SECTIONS: dict[str, Callable[[Results], str]] = {
    "framing": framing,
    "storage": storage,
    "monitoring_streams": streams,
    "monitoring_leaks": leaks,
    "load": load,
    "gpu": card,
}


def page() -> str:
    """Put the page together from the results that are there."""
    parts = [OPENING.rstrip()]
    for name, section in SECTIONS.items():
        path = ROOT / "benchmarks" / "results" / f"{name}.json"
        if path.is_file():
            parts.append(section(json.loads(path.read_text(encoding="utf-8"))))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"{PAGE.relative_to(ROOT)} written")
