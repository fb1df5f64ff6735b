"""The sliders redraw, and say what the fluid says."""

import io

import pytest

from mlops_lab import load
from mlops_lab.lesson.load_panel import load_panel


@pytest.fixture
def box(monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return load_panel(load.daily_curve())


def test_under_a_proof_there_are_no_sliders(monkeypatch):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    assert load_panel(load.daily_curve()) is None


def test_the_first_picture_is_the_fluids_answer(box):
    *_, text, image = box.children
    found = load.fluid(load.daily_curve(), load.Hold(5), cold_start_s=60.0).summary()
    assert f"${found.bill_usd:,.0f}" in text.value
    from matplotlib import image as images

    assert images.imread(io.BytesIO(image.value)).std() > 0.01  # not blank


def test_moving_a_slider_changes_bill_and_picture(box):
    window, spare, cold, text, image = box.children
    before = text.value, image.value
    window.value = 300
    assert text.value != before[0]
    assert image.value != before[1]
    longer = text.value
    spare.value, cold.value = 20, 300
    assert text.value != longer
