"""Sketches: any cut merges to the whole, and edges enclose the exact order statistics, on either scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_lab.monitoring.histogram_sketch import FloatScale, HistogramSketch, LogScale

ANY = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=60)


@settings(max_examples=60, deadline=None)
@given(ANY, st.integers(1, 59), st.integers(1, 60))
def test_any_cut_of_any_numbers_merges_to_the_whole(values, cut, rank):
    numbers = np.array(values)
    for scale in (FloatScale(most=8), FloatScale(), LogScale(0.01)):
        of = np.abs(numbers).clip(1e-6, 1e300) if isinstance(scale, LogScale) else numbers
        whole = HistogramSketch.of(of, scale)
        parts = [HistogramSketch.of(part, scale) for part in (of[:cut], of[cut:])]
        assert parts[1].merge(parts[0]) == parts[0].merge(parts[1]) == whole
        assert whole.rows == len(values)
        assert len(whole.bins) <= scale.most
        low, high = whole.edges_at(min(rank, len(values)))
        exact = np.sort(of)[min(rank, len(values)) - 1]
        slack = 1e-9 * exact if isinstance(scale, LogScale) else 0.0
        assert low - slack <= exact <= high + slack
        if isinstance(scale, FloatScale):
            counted = [(of <= edge).sum() for edge in whole.edges[1]]
            assert counted == np.cumsum(whole.counts).tolist()
        else:
            assert (high - low) / (high + low) == pytest.approx(0.01)  # the middle is so near to both ends


def test_few_different_values_are_kept_as_they_are_and_minus_zero_is_zero():
    sketch = HistogramSketch.of(np.array([3.5, -0.0, 0.0, -1e300, 3.5, 3.5]))
    assert sketch.shift == 0
    assert sketch.edges[0].tolist() == sketch.edges[1].tolist() == [-1e300, 0.0, 3.5]
    assert sketch.counts.tolist() == [1, 2, 3]


def test_bins_narrow_where_the_rows_are():
    sketch = HistogramSketch.of(np.random.default_rng(0).normal(size=100_000))
    assert sketch.shift > 0
    assert len(sketch.bins) <= 4096
    assert sketch.counts.max() / sketch.rows < 0.004


def test_sketches_of_different_bins_and_damaged_ones_are_refused():
    rows = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="different bins"):
        HistogramSketch.of(rows, LogScale(0.01)).merge(HistogramSketch.of(rows, LogScale(0.02)))
    held = HistogramSketch.of(rows).plain()
    assert HistogramSketch.read(held) == HistogramSketch.of(rows)
    for damage in ({"counts": [0, 1]}, {"bins": held["bins"][::-1]}, {"shift": 64}, {"bins": ["x", 1]}):
        with pytest.raises(ValueError, match="damaged"):
            HistogramSketch.read({**held, **damage})
