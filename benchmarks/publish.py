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


def real_tables(found: Results) -> str:
    """How `framing.should_use_ml` decides on real tables that were judged beforehand."""
    head = (
        "",
        "questions",
        "answers",
        "acceptable",
        "clearly wrong",
        "same at all seeds",
        "column asked about",
    )
    names = {"shown": "the panel", "apart": "apart"}
    lines = [
        (
            words,
            (each := found[key])["questions"],
            each["asked"],
            *(f"{each[rate]:.1%}" for rate in ("acceptable", "clearly_wrong", "same_at_all_seeds")),
            " of ".join(map(str, each["column_asked_about"])),
        )
        for key, words in names.items()
    ]
    rows = [
        (
            name,
            f"{each['rows']:,}",
            each["columns"],
            " or ".join(each["acceptable"]),
            ", ".join(dict.fromkeys(each["got"])),
            each["cpu_s"],
        )
        for name, each in found["by_question"].items()
    ]
    return "\n\n".join(
        [
            "## When to use machine learning: real tables, judged beforehand",
            f"{sum(found[key]['questions'] for key in names)} public tables with a question each, asked at "
            f"{len(found['seeds'])} seeds. Which decisions are acceptable was settled from an analysis with "
            "scikit-learn alone, before `should_use_ml` was run on any of them. *Clearly wrong* would send a "
            "reader the wrong way. Of those that stay apart, which nobody develops on, only the rates stand "
            "here. *Column asked about*: of the questions in which a column is known only after the answer, "
            "how many got a verdict that asks about it.",
            table(head, lines),
            table(("table", "rows", "columns", "acceptable", "what it said", "CPU s"), rows),
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
    kinds = ratios["times_faster"]
    own_queue = ("simpy", "simpy_callbacks", "simpy_servers")
    least = min(kinds[kind]["plain"][peer] for kind in ("alike", "random") for peer in own_queue)
    speed = [
        (
            peer,
            names[engine],
            *(f"{found[engine][peer]:g} x" if peer in found[engine] else "" for found in kinds.values()),
        )
        for engine in growth
        for peer in dict.fromkeys(peer for found in kinds.values() for peer in found[engine])
    ]
    return "\n\n".join(
        [
            "## Varying load: the simulation beside SimPy and Ciw",
            f"{ratios['requests']:,} requests on {ratios['machines']} machines, 90 % busy, with service "
            "times that are all alike, as in lesson 11, or random (exponential); starts equal to SimPy's. "
            "*simpy* is written as its documentation does, a process for each request. Two are tuned: "
            "*simpy_callbacks* keeps the Resource and has no processes, *simpy_servers* has a process for "
            "each machine, and a Store as the line. *simpy_clock* leaves SimPy only the clock: line and "
            "machines are its own. So are those of *simpy_changing_fleet*, the oracle of the tests, with a "
            "policy that decides every 15 seconds, on a morning of the lecture's traffic.",
            table(("peer", "our engine", *(f"times faster, {kind}" for kind in kinds)), speed),
            f"Plain Python is {least:g} times or more as fast as SimPy's own queue, tuned or not. Against a "
            "queue of one's own on SimPy's clock it is not thirty times as fast: that would leave it a "
            "twentieth of a microsecond a request, and no loop in Python has that. The compiled engine is.",
            "A month of the lecture's traffic, streamed by day:",
            table(
                ("engine", "requests", "CPU s"),
                [(names[name], f"{m['requests']:,}", m["cpu_s"]) for name, m in found["month"].items()],
            ),
            "The most memory that the process held: "
            + ", ".join(f"{mib:,.0f} MiB {when}" for when, mib in found["memory_mib"].items())
            + ".",
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


def rates(found: Results) -> str:
    """How often the drift report, the joint test and the schema raise a false alarm, and what they miss."""

    def line(group: str, name: str, words: str, wanted: str) -> tuple[object, ...]:
        each = found[group][name]
        return (
            words,
            f"{each['share']:.1%}",
            f"{each['low']:.1%} to {each['high']:.1%}",
            each["times"],
            wanted,
        )

    head = ("", "share", "95 % interval", "of", "wanted")
    small, large = found["schema_finds_in_200_rows"], found["schema_finds_in_2000_rows"]
    return "\n\n".join(
        [
            "## Monitoring: drift and quality, false alarms and what is missed",
            "Two tables of 2,000 rows and 20 mixed columns from one source; alpha 5 %. How often is anything "
            "found?",
            table(
                head,
                [
                    line("quiet", "drift", "`drift`", "<= 7 %"),
                    line("quiet", "drift_without_min_effect", "`drift`, however small the effect", ""),
                    line("quiet", "drift_uncorrected", "20 plain KS or chi-squared tests", ""),
                    line("quiet", "joint", "`joint_drift`", ""),
                ],
            ),
            "The same tables with one change. How often is it found, and in the right column?",
            table(
                head,
                [
                    line("power", "shift_0.2_sd", "one column moved by 0.2 sd", ">= 95 %"),
                    line("power", "sd_x_1.25", "one column's sd x 1.25", ">= 85 %"),
                    line("power", "sd_x_1.25_by_ks_alone", "the same by KS alone", ""),
                    line(
                        "power",
                        "rotation_correlation_0.3",
                        "correlation 0.3, now -0.3: `joint_drift`",
                        ">= 95 %",
                    ),
                ],
            ),
            "`Schema`, learned from one table and held against another from the same source: 20 columns, "
            "among them heavy tails, counts, rare categories, truth values and dates. How often is there a "
            "fault?",
            table(head, [line("schema_quiet", name, name, "<= 5 %") for name in found["schema_quiet"]]),
            "One fault planted. How often is it found, in its column and by its name? In 200 rows, "
            "what is rarely found is what chance may do: a tail that reaches further, a rare category.",
            table(
                ("fault", "in 200 rows", "in 2,000 rows"),
                [
                    (name, f"{small[name]['share']:.0%}", f"{each['share']:.0%}")
                    for name, each in large.items()
                ],
            ),
        ]
    )


def sentinels(found: Results) -> str:
    """How often a schema finds a value that was written for a missing one, and what it takes for one."""
    rows = []
    for name, sizes in found["columns"].items():
        wanted = [what for what in next(iter(sizes.values())) if what != "quiet"]
        cells = [
            ", ".join(f"{sizes[size][what]['share']:.1%}" for size in sizes) for what in ("quiet", *wanted)
        ]
        rows.append((name, cells[0], "; ".join(map(" ".join, zip(wanted, cells[1:], strict=True)))))
    sizes = list(next(iter(found["columns"].values())))
    times = next(iter(next(iter(found["columns"].values())).values()))["quiet"]["times"]
    return "\n\n".join(
        [
            "## Monitoring: sentinels, values that were written for a missing one",
            "`Schema`, learned from one table of a single column and held against another from the same "
            f"source, in {times} tables of {' and of '.join(sizes)}: how often is a quiet column out of "
            f"range, and how often is it found that {found['rows_written']} rows hold a sentinel? What the "
            "column itself may hold (-1 in a bell curve around 0, 999 in a tail that reaches there) cannot "
            "be told.",
            table(("column", "false alarms", "found"), rows),
        ]
    )


def speed(found: Results) -> str:
    """What a drift report costs beside Evidently, NannyML, alibi-detect and frouros."""
    tools, times = found["tools"], found["times_our_cpu"]
    shared = ("100000 x 20", "1000000 x 20")
    mine, *_ = tools

    def cells(name: str, size: str) -> tuple[object, ...]:
        each = tools[name].get(size, {})
        if "cpu_s" not in each:
            return each.get("failed", "-"), "-", "-"
        memory = "-" if each["extra_mib"] is None else f"{each['extra_mib']:,.0f}"
        ratio = f"{times[name][size]:g} x" if name in times else "1 x" if name == mine else "-"
        return f"{each['cpu_s']:.2f}", memory, ratio

    machine, equal = found["machine"], found["decisions_as_scipy"]
    same = "; ".join(
        f"{int(size.split()[0]):,} rows: {each['equal_decisions']} of {each['columns']} decisions as scipy's"
        for size, each in equal.items()
    )
    return "\n\n".join(
        [
            "## Monitoring: what a drift report costs",
            f"20 mixed columns, on {machine['system']} ({machine['processor']}, {machine['cores']} cores; no "
            "graphics card is used). Memory is the peak above what the process held before. The tools do not "
            "do the same: ours runs two tests for each column of numbers and gives three distances; "
            "Evidently's preset takes a distance for each column; the others run one test. Wanted: at most a "
            "twentieth of the CPU seconds of Evidently's preset, and at 1,000,000 rows at most 2 CPU seconds "
            f"and 400 MB. {same}.",
            table(
                (
                    "tool",
                    *(
                        f"{word}, {int(size.split()[0]):,} rows"
                        for size in shared
                        for word in ("CPU s", "MiB", "CPU / ours")
                    ),
                ),
                [(name, *(cell for size in shared for cell in cells(name, size))) for name in tools],
            ),
            "Growth of our report of two frames:",
            table(
                ("rows x columns", "CPU s", "MiB"),
                [(size, *cells(mine, size)[:2]) for size in tools[mine]],
            ),
        ]
    )


def reality(found: Results) -> str:
    """Whether the five surprises show, are not invented, and are mended, and what policies earn."""
    parts = [
        "## Expectation versus reality: the loop, played",
        "Every symptom is a test on what was bought or logged, every model is trained, and each remedy is "
        "measured against the same weeks without it, with the same luck. Wanted: a symptom shows in at "
        "least 90 % of seasons with its defect, and in at most 10 % without it; a remedy helps in at least "
        "90 %; the dream earns less than the lecture, and this less than the oracle, always; the loop with "
        "all its forks takes at most 10 CPU s. Spreads are least / median / most.",
    ]
    for each in found["scenarios"].values():
        seeds = len(each["seeds"])
        parts += [
            f"### {each['title']}, {seeds} seeds",
            table(
                (
                    "symptom",
                    "shows",
                    "false alarms",
                    "where all is well",
                    "remedy helps",
                    "beats more of the same",
                ),
                [
                    (
                        name,
                        f"{s['shows']} of {seeds}",
                        f"{s['false_alarms']} of {seeds}",
                        f"{s['false_alarms_where_well']} of {seeds}",
                        f"{s['helps']} of {seeds}",
                        f"{s['beats_more_of_the_same']} of {seeds}",
                    )
                    for name, s in each["symptoms"].items()
                ],
            ),
            table(
                ("remedy of", "measure", "without", "with", "same money, more of the same", "gain"),
                [
                    (name, s["measure"], *(_spread(s[key]) for key in ("without", "with", "naively", "gain")))
                    for name, s in each["symptoms"].items()
                ],
            ),
            table(
                ("policy", "net money of the season", "score", "gap between the groups"),
                [
                    (
                        policy,
                        _spread(net),
                        _spread(each["score"][policy]) if policy in each["score"] else "",
                        _spread(each["gap"][policy]) if policy in each["gap"] else "",
                    )
                    for policy, net in each["net"].items()
                ],
            ),
            f"Dream < lecture < oracle at {each['in_order']} of {seeds} seeds; prevention scores above the "
            f"lecture at {each['prevention_beats_lecture']}. First pages at "
            f"{', '.join(map(str, each['pages']))}. "
            f"The same in another process: {'yes' if each['same_in_another_process'] else 'NO'}. "
            f"CPU seconds of the loop: {_spread(each['cpu_s'])}.",
        ]
    return "\n\n".join(parts)


def validation(found: Results) -> str:
    """What executing lessons costs with cold and with warm kernels."""
    names = {
        "cold": "a kernel of its own for each notebook",
        "warm": "kernels forked from one process",
        "least": "no kernels: one process imports, forks run the cells",
    }
    return "\n\n".join(
        [
            "## Executing lessons: cold and warm kernels",
            f"Both notebooks of {', '.join(found['lessons'])}, by papermill, on a machine with a load of "
            f"{found['load']:g}. Wanted: at most twice the least, in CPU seconds. Warm kernels take "
            f"{found['over_least']['warm']:g} times the least, and cold ones "
            f"{found['over_least']['cold']:g} times.",
            table(
                ("kernels", "CPU s", "wall s"),
                [(names[way], each["cpu_s"], each["wall_s"]) for way, each in found["ways"].items()],
            ),
        ]
    )


def _spread(three: Results) -> str:
    """Give least, median and most; money in whole thousands, shares to two digits."""
    values = [three[key] for key in ("least", "median", "most")]
    if max(map(abs, values)) >= 1000:
        return " / ".join(f"{value / 1000:,.0f}k" for value in values)
    return " / ".join(f"{value:.2f}" if max(map(abs, values)) < 5 else f"{value:.1f}" for value in values)


SECTIONS: dict[str, Callable[[Results], str]] = {
    "framing": framing,
    "real_tables": real_tables,
    "storage": storage,
    "monitoring_streams": streams,
    "monitoring_rates": rates,
    "sentinels": sentinels,
    "monitoring_speed": speed,
    "monitoring_leaks": leaks,
    "load": load,
    "gpu": card,
    "reality": reality,
    "validation": validation,
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
