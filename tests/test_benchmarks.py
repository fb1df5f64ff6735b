"""A committed result that no longer fits its sources is seen."""

import json
import runpy
from pathlib import Path

STALE = Path(__file__).parent.parent / "benchmarks" / "stale.py"


def test_a_stale_result_is_named_and_a_true_one_is_not(tmp_path):
    stale = runpy.run_path(str(STALE))["stale"]
    (tmp_path / "results").mkdir()
    for name, measured in (("changed", "old"), ("same", "now")):
        (tmp_path / f"{name}.py").write_text("def sources_digest():\n    return 'now'\n")
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps({"sources_sha256": measured}))
    assert stale(tmp_path) == ["changed"]


def test_every_result_has_its_benchmark_and_a_digest():
    for result in STALE.parent.glob("results/*.json"):
        assert (STALE.parent / f"{result.stem}.py").is_file()
        assert len(json.loads(result.read_text(encoding="utf-8"))["sources_sha256"]) == 64


def test_the_published_figures_are_those_of_the_results():
    publish = runpy.run_path(str(STALE.with_name("publish.py")))
    assert publish["PAGE"].read_text(encoding="utf-8") == publish["page"](), "run benchmarks/publish.py"
    assert set(publish["SECTIONS"]) >= {result.stem for result in STALE.parent.glob("results/*.json")}
