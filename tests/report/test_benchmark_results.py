"""A lesson quotes what a benchmark stored, says nothing where none is stored, and never guesses."""

import json
import re
from pathlib import Path

import pytest

from mlops_lab.report import benchmark_result, benchmark_results

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A kit with one benchmark, and what it measured."""
    (tmp_path / "rates.py").touch()
    (tmp_path / "results").mkdir()
    result = json.dumps({"quiet": {"share": 0.04, "times": 50}})
    (tmp_path / "results" / "rates.json").write_text(result, encoding="utf-8")
    monkeypatch.setattr(benchmark_results, "_RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_stored_number_is_read(folder):
    assert benchmark_result("rates", "quiet", "share") == 0.04
    assert benchmark_result("rates", "quiet", "times") == 50.0


def test_without_a_result_there_is_no_number(folder):
    (folder / "rates.json").unlink()
    assert benchmark_result("rates", "quiet", "share") is None
    assert benchmark_result("rates") == {}


def test_a_benchmark_that_does_not_exist_is_no_missing_result(folder):
    with pytest.raises(ValueError, match=r"'rate' is not known; results are stored of rates"):
        benchmark_result("rate", "quiet", "share")


@pytest.mark.parametrize("keys", [("loud",), ("quiet",), ("quiet", "power"), ("quiet", "share", "low")])
def test_of_a_result_that_is_not_whole_only_what_is_there_is_read(folder, keys):
    assert benchmark_result("rates", *keys) is None


def test_the_kits_own_results_lie_where_it_looks():
    assert any(benchmark_results._RESULTS.glob("*.json"))


def test_what_lessons_quote_is_stored():
    """A slip in a name would read as 'not measured' for ever."""
    sources = (ROOT / "notebooks" / "solutions").glob("*.ipynb")
    quoted = re.findall(
        r'benchmark_result\(\\"(\w+)\\"', "".join(each.read_text("utf-8") for each in sources)
    )
    assert len(quoted) >= 2
    assert all(benchmark_result(name) for name in quoted)
