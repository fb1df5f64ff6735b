"""A committed result that no longer fits its sources is seen."""

import json
import runpy
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

STALE = Path(__file__).parent.parent / "benchmarks" / "stale.py"


def test_a_stale_result_is_named_and_a_true_one_is_not(tmp_path):
    stale = runpy.run_path(str(STALE))["stale"]
    (tmp_path / "results").mkdir()
    for name, measured in (("changed", "old"), ("same", "now")):
        (tmp_path / f"{name}.py").write_text(
            "from __future__ import annotations\nfrom dataclasses import dataclass\n"
            "@dataclass\nclass A:\n    x: int = 0\n\ndef sources_digest():\n    return 'now'\n"
        )
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps({"sources_sha256": measured}))
    assert stale(tmp_path) == ["changed"]


DIGEST = runpy.run_path(str(STALE.with_name("digest.py")))
CODE = '''
"""Measures."""
from mlops_lab.old import sketches

LIMIT = 3


def first(x):
    """Say."""
    return sketches.Sketch(x, LIMIT)
'''
SAME = {
    "a better docstring": CODE.replace("Say.", "Say more."),
    "a comment": CODE.replace("LIMIT = 3", "LIMIT = 3  # why"),
    "a move of what it imports": CODE.replace("mlops_lab.old", "mlops_lab.new"),
    "another name of a module": CODE.replace("sketches", "histogram"),
    "another order": CODE.replace("LIMIT = 3\n", "") + "\n\nLIMIT = 3\n",
}
OTHER = {
    "another number": CODE.replace("LIMIT = 3", "LIMIT = 4"),
    "another name": CODE.replace("Sketch(", "Histogram("),
    "a definition more": CODE + "\n\nMORE = 1\n",
    "a default": CODE.replace("first(x)", "first(x=0)"),
}


def _digest(folder, *sources):
    for number, source in enumerate(sources):
        (folder / f"{number}.py").write_text(source)
    return DIGEST["code_digest"](sorted(folder.glob("*.py")))


@pytest.mark.parametrize("what", [*SAME, *OTHER])
def test_a_digest_is_of_the_code_and_of_nothing_else(tmp_path, what):
    changed = {**SAME, **OTHER}[what]
    found = [_digest(Path(tempfile.mkdtemp(dir=tmp_path)), source) for source in (CODE, changed)]
    assert (found[0] == found[1]) is (what in SAME)


def test_a_merge_of_files_and_a_known_new_name_leave_the_digest(tmp_path):
    one, two = Path(tempfile.mkdtemp(dir=tmp_path)), Path(tempfile.mkdtemp(dir=tmp_path))
    assert _digest(one, CODE, "TWO = 2\n") == _digest(two, CODE + "\n\nTWO = 2\n")
    (two / "0.py").write_text(OTHER["another name"] + "\n\nTWO = 2\n")
    renamed = DIGEST["code_digest"](sorted(one.glob("*.py")), renamed={"Sketch": "Histogram"})
    assert renamed == DIGEST["code_digest"](sorted(two.glob("*.py")))


def test_only_what_the_benchmark_reaches_counts(tmp_path):
    benchmark, source = tmp_path / "benchmark.py", tmp_path / "source.py"
    benchmark.write_text("from mlops_lab import room\nroom.first(1)\n")
    code = "LIMIT = 3\n\ndef first(x):\n    return second(x)\n\ndef second(x):\n    return x < LIMIT\n"

    def digest(text):
        source.write_text(text)
        return DIGEST["code_digest"]([source], benchmark)

    whole = digest(code)
    assert digest(code + "\ndef third(x):\n    return x\n") == whole
    assert digest(code.replace("LIMIT = 3", "LIMIT = 4")) != whole
    assert digest(code.replace("x < LIMIT", "x <= LIMIT")) != whole


def test_every_result_has_its_benchmark_and_a_digest():
    for result in STALE.parent.glob("results/*.json"):
        assert (STALE.parent / f"{result.stem}.py").is_file()
        assert len(json.loads(result.read_text(encoding="utf-8"))["sources_sha256"]) == 64


def test_the_published_figures_are_those_of_the_results():
    publish = runpy.run_path(str(STALE.with_name("publish.py")))
    assert publish["PAGE"].read_text(encoding="utf-8") == publish["page"](), "run benchmarks/publish.py"
    assert set(publish["SECTIONS"]) >= {result.stem for result in STALE.parent.glob("results/*.json")}


RATES, SPEED = (STALE.with_name(f"monitoring_{name}.py") for name in ("rates", "speed"))


def _result(name):
    return json.loads((STALE.parent / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_monitoring_keeps_the_error_rates_that_were_asked_of_it():
    found = _result("monitoring_rates")
    quiet, power = found["quiet"], found["power"]
    assert quiet["drift"]["times"] >= 1000
    assert quiet["drift"]["share"] <= 0.07
    assert power["shift_0.2_sd"]["share"] >= 0.95
    assert power["sd_x_1.25"]["share"] >= 0.85
    assert power["rotation_correlation_0.3"]["share"] >= 0.95
    assert all(each["times"] >= 500 and each["share"] <= 0.05 for each in found["schema_quiet"].values())


def test_sentinels_are_found_and_quiet_columns_left_alone_as_often_as_was_asked():
    found = {
        (name, size): each
        for name, sizes in _result("sentinels")["columns"].items()
        for size, each in sizes.items()
    }
    assert all(each["quiet"]["times"] >= 200 for each in found.values())
    assert all(each["quiet"]["low"] <= 0.02 for each in found.values())
    assert sum(each["quiet"]["share"] for each in found.values()) / len(found) <= 0.015
    for name in ("normal (150, 10)", "lognormal (0, 1)", "zero-inflated", "counts, mean 2", "ages, 18 to 90"):
        assert min(found[name, "5000 rows"][what]["share"] for what in ("-1", "999", "9999")) >= 0.95
    assert (
        min(found["days of birth", "5000 rows"][what]["share"] for what in ("1900-01-01", "9999-12-31"))
        >= 0.95
    )


def test_every_share_that_is_asked_for_was_measured_as_often_as_it_says():
    found, jobs = _result("monitoring_rates"), runpy.run_path(str(RATES))["JOBS"]
    assert {(group, name): found[group][name]["times"] for group, name in jobs} == {
        job: times for job, (times, _, _) in jobs.items()
    }


def test_a_share_does_not_depend_on_how_the_work_is_cut():
    rates = runpy.run_path(str(RATES))
    job = ("schema_finds_in_200_rows", "bell curve -999, 1 row")
    whole, first, second = (rates["piece"](job, *ends)[0] for ends in ((0, 4), (0, 1), (1, 4)))
    assert whole == first + second == 4
    assert rates["share"](0, 100) == {"share": 0.0, "low": 0.0, "high": 0.0362, "times": 100}


def test_a_drift_report_costs_what_was_asked_of_it():
    found = _result("monitoring_speed")
    mine = found["tools"]["drift(frame, frame)"]["1000000 x 20"]
    assert mine["cpu_s"] <= 2
    assert mine["extra_mib"] < 400
    times = found["times_our_cpu"]["Evidently, DataDriftPreset"]
    assert "100000 x 20" in times
    assert min(times.values()) >= 20
    for equal in found["decisions_as_scipy"].values():
        assert equal["equal_decisions"] == equal["columns"] >= 16


def test_cpu_seconds_and_memory_are_those_of_the_job():
    speed = runpy.run_path(str(SPEED))
    held = []

    def job():
        held.append(np.ones(8_000_000))
        return sum(range(3_000_000))

    speed["TOOLS"]["a job"] = (lambda *_: lambda: None if len(held) > 1 else job(), "", ())
    assert speed["measure"]("a job", 1000, 5)["extra_mib"] in (None, pytest.approx(61, abs=8))
    held.clear()
    assert speed["measure"]("a job", 1000, 5)["cpu_s"] > 0.01


def test_what_cannot_be_measured_is_named_with_its_reason():
    speed = runpy.run_path(str(SPEED))
    assert speed["one"]("NannyML, KS and chi-squared", 1000, 5, None) == {
        "failed": "no --peers folder was given"
    }
    failed = speed["child"](sys.executable, "NannyML, KS and chi-squared", 1000, 5)
    assert failed == {"failed": "ModuleNotFoundError: No module named 'nannyml'"}
    assert speed["ratios"](
        {"drift(frame, frame)": {"9 x 9": {"cpu_s": 2}}, "peer": {"9 x 9": {"cpu_s": 9}}}
    ) == {"peer": {"9 x 9": 4.5}}


def test_our_ks_decisions_are_scipys_and_not_by_leaving_columns_out():
    found = runpy.run_path(str(SPEED))["decisions"](20_000, 10)
    assert found["equal_decisions"] == found["columns"] == 8
    assert found["largest_difference_of_gaps"] == 0
    assert 0 < found["drifted"] < 8
    assert found["largest_relative_difference_of_p"] < 0.002
