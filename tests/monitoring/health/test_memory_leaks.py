"""Leaks: planted ones are found, healthy noise is not, and the line is the planted line."""

import functools
import gc
import mmap
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mlops_lab.monitoring import allocating_lines, memory_growth, resident_bytes, watch_memory

ROOT = Path(__file__).parents[3]
PAGE = 4096


@pytest.fixture(autouse=True)
def small_heap():
    """Leave out of each collection what the tests before have left: it takes a tenth of a second."""
    gc.freeze()
    yield
    gc.unfreeze()


def _readings(growth, seed, steps=400, base=60e6):
    """A made-up process: a warm-up that fills, pools that jump and stay, arrays that come and go."""
    rng = np.random.default_rng(seed)
    warm = 20e6 * (1 - np.exp(-np.arange(steps) / 20))
    sawtooth = rng.integers(0, 3, steps) * 800e3
    jumps = np.cumsum(rng.random(steps) < 0.01) * rng.choice([0, 1]) * 100e3
    return (base + warm + sawtooth + jumps + growth * np.arange(steps)) // PAGE * PAGE


def test_planted_growth_is_found_and_noise_is_not():
    found = [memory_growth(_readings(65_536, seed)) for seed in range(20)]
    assert all(report.leaks for report in found)
    assert all(30_000 < report.bytes_per_step < 100_000 for report in found)
    assert all(report.low <= report.bytes_per_step <= report.high for report in found)
    assert not any(memory_growth(_readings(0, seed)).leaks for seed in range(20))


def test_a_steady_leak_is_measured_exactly():
    report = memory_growth(50e6 + 70_000.0 * np.arange(200))
    assert (report.low, report.bytes_per_step, report.high) == (70_000, 70_000, 70_000)
    assert report.ok is False
    assert "allocating_lines" in report.findings[0].explanation


@pytest.mark.parametrize("at", range(50, 400, 10))
def test_one_jump_is_no_leak_wherever_it_comes(at):
    readings = np.full(400, 50e6)
    readings[at:] += 200e6
    assert not memory_growth(readings).leaks


def test_a_cache_that_fills_and_then_stands_is_no_leak():
    for full in (120, 200, 260):
        readings = 50e6 + 65_536.0 * np.minimum(np.arange(400), full)
        assert not memory_growth(readings).leaks, full
    still_filling = 50e6 + 65_536.0 * np.minimum(np.arange(400), 390)
    assert memory_growth(still_filling).leaks  # as the documentation says: it looks like one until it is full


def test_flat_is_in_order_and_doubtful_is_not_decided():
    assert memory_growth(np.full(100, 5e7)).ok is True
    half = np.full(400, 5e7)
    half[250:] += 65_536.0 * np.arange(150)
    assert memory_growth(half).ok is None


def test_a_sawtooth_is_judged_by_its_floor():
    collected = 50e6 + 1e6 * (np.arange(400) % 25)  # rubbish that is collected now and then
    assert memory_growth(collected).ok is True


def test_falling_memory_is_in_order():
    assert memory_growth(90e6 - 65_536.0 * np.arange(400)).ok is True


@pytest.mark.slow
def test_real_leaks_in_fresh_processes():
    code = """
import sys
import numpy as np
from mlops_lab.monitoring import watch_memory
kept, size, rng = [], int(sys.argv[1]), np.random.default_rng(0)
def step(number):
    noise = [np.ones(rng.integers(1000, 50_000)) for _ in range(3)]
    if size:
        kept.append(bytearray(size))
report = watch_memory(step, steps=240)
print(report.leaks, round(report.bytes_per_step))
"""
    said = {
        size: subprocess.run(
            [sys.executable, "-c", code, str(size)], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for size in (0, 262_144)
    }
    assert said[0][0] == "False"
    assert said[262_144][0] == "True"
    assert 150_000 < int(said[262_144][1]) < 500_000


def test_the_watch_calls_each_step_once_in_order_and_reads_after_it():
    calls, kept = [], []

    def step(number):
        calls.append(number)
        kept.append(number)

    report = watch_memory(step, steps=60, warm_up=0.2, read=lambda: 1000.0 * len(kept), limit_bytes=10)
    assert calls == list(range(60))
    assert report.readings.tolist() == [1000.0 * (n + 1) for n in range(60)]
    assert report.leaks
    assert report.plot().get_ylabel() == "memory since the first step (MiB)"


def test_bad_readings_are_told():
    for readings in ([1.0] * 47, [1.0] * 59 + [float("nan")], np.ones((60, 2)), []):
        with pytest.raises(ValueError, match=r"readings"):
            memory_growth(readings)
    with pytest.raises(ValueError, match="warm_up"):
        memory_growth([1.0] * 100, warm_up=1.0)
    with pytest.raises(ValueError, match="limit_bytes"):
        memory_growth([1.0] * 100, limit_bytes=-1)
    with pytest.raises(ValueError, match="too few"):
        watch_memory(lambda step: None, steps=10)


def test_the_planted_line_is_named():
    kept, cache = [], {}

    def leak(step):
        passing = [bytearray(50_000) for _ in range(3)]
        kept.append(bytearray(30_000))  # this one
        cache["same"] = bytearray(40_000)
        return passing

    found = allocating_lines(leak, steps=30)
    assert "# this one" in found["line"].iloc[0]
    assert found["where"].iloc[0].startswith("test_memory_leaks.py:")
    assert found["bytes_per_step"].iloc[0] == pytest.approx(30_000, rel=0.05)
    assert found["blocks_per_step"].iloc[0] == pytest.approx(2, abs=0.5)
    assert len(found) == 1 or found["bytes_per_step"].iloc[1] < 3_000


@pytest.mark.parametrize("kind", ["a dict by number", "lru_cache", "a method's cache"])
def test_the_advice_after_a_watch_leads_to_the_line_of_a_cached_step(kind):
    held = {}

    def work(number):
        held[number] = bytearray(60_000)  # the leak
        return held[number]

    cached = {
        "a dict by number": lambda number: held.get(number) or work(number),
        "lru_cache": functools.lru_cache(maxsize=None)(work),
        "a method's cache": functools.cache(lambda number: len(work(number))),
    }[kind]
    report = watch_memory(cached, steps=60, read=lambda: 60_000 * len(held), warm_up=0)
    assert report.leaks
    assert allocating_lines(cached, steps=20).empty
    advice = re.search(r"allocating_lines\(step, first=(\d+)\)", report.findings[0].explanation)
    found = allocating_lines(cached, steps=20, first=int(advice[1]))
    assert found["line"].iloc[0] == "held[number] = bytearray(60_000)  # the leak"
    assert found["bytes_per_step"].iloc[0] == pytest.approx(60_000, rel=0.05)


def test_it_names_the_users_line_and_not_numpys():
    kept = []

    def leak(step):
        kept.append(np.full(4_000, 1.0))  # asked for here, allocated inside numpy

    found = allocating_lines(leak, steps=20)
    assert "asked for here" in found["line"].iloc[0]
    assert found["bytes_per_step"].iloc[0] == pytest.approx(32_000, rel=0.05)


def test_a_step_that_keeps_nothing_has_no_line():
    assert allocating_lines(lambda step: bytearray(100_000), steps=20).empty


def test_rubbish_in_cycles_is_not_a_leak():
    def cycle(step):
        one = [bytearray(20_000)]
        one.append(one)

    gc.disable()
    try:
        assert allocating_lines(cycle, steps=20).empty
    finally:
        gc.enable()


def test_tracing_is_left_as_it_was():
    assert not tracemalloc.is_tracing()
    with pytest.raises(ZeroDivisionError):
        allocating_lines(lambda step: 1 / 0, steps=2)
    assert not tracemalloc.is_tracing()
    tracemalloc.start(5)
    try:
        allocating_lines(lambda step: None, steps=2)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()
    with pytest.raises(ValueError, match="steps=0"):
        allocating_lines(lambda step: None, steps=0)
    with pytest.raises(ValueError, match="first=-1"):
        allocating_lines(lambda step: None, first=-1)


def test_resident_bytes_see_a_large_array():
    # pages of its own: an array may land in a hole that earlier tests have left, resident already
    pages = mmap.mmap(-1, 20_000_000)
    before = resident_bytes()
    held = np.frombuffer(pages)
    held[:] = 1.0
    assert 15e6 < resident_bytes() - before < 30e6
