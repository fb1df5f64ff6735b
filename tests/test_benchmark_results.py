"""A lesson quotes what a benchmark stored, says nothing where none is stored, and never guesses."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from mlops_lab.classroom.benchmark_results import RESULTS, stored

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rates.json").write_text(
        json.dumps({"quiet": {"share": 0.04, "times": 50}}), encoding="utf-8"
    )
    return tmp_path


def test_a_stored_number_is_read(folder):
    assert stored("rates", "quiet", "share", folder=folder) == 0.04
    assert stored("rates", "quiet", "times", folder=folder) == 50.0


def test_without_a_result_there_is_no_number(tmp_path):
    assert stored("rates", "quiet", "share", folder=tmp_path) is None


@pytest.mark.parametrize("keys", [("loud",), ("quiet",), ("quiet", "power"), ("quiet", "share", "low")])
def test_of_a_result_that_is_not_whole_only_what_is_there_is_read(folder, keys):
    assert stored("rates", *keys, folder=folder) is None


def test_the_kits_own_results_lie_where_it_looks():
    assert any(RESULTS.glob("*.json"))


def test_what_a_lesson_quotes_is_what_the_benchmark_measures():
    """A slip in a key would read as 'not measured' for ever."""
    source = (ROOT / "notebooks" / "solutions" / "07_monitoring_data.ipynb").read_text(encoding="utf-8")
    quoted = re.findall(r'stored\(\\"monitoring_rates\\", \\"(\w+)\\", \\"([\w.]+)\\", \\"share\\"\)', source)
    spec = importlib.util.spec_from_file_location("rates", ROOT / "benchmarks" / "monitoring_rates.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    assert len(quoted) == source.count("stored(") == 3
    assert set(quoted) <= set(benchmark.JOBS)
