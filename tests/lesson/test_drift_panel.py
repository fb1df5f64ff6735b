"""The sliders redraw, and say what the draws say; the power curve is held against scipy and formulas."""

import io

import numpy as np
import pytest
from real_browser import BROWSER, cell_shown
from scipy import stats

from mlops_lab.lesson import drift_panel as panel
from mlops_lab.lesson.drift_panel import drift_panel, gap_power

NONE = np.array([0.0])
CODE = "from mlops_lab.lesson.drift_panel import drift_panel\ndrift_panel()\n"


@pytest.fixture
def box(monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return drift_panel()


def test_the_gaps_are_scipys():
    rng = np.random.default_rng(0)
    before, now = np.sort(rng.normal(size=(5, 40)), axis=1), rng.normal(0.5, 1, size=(5, 40))
    truth = [stats.ks_2samp(*pair).statistic for pair in zip(before, now, strict=True)]
    assert panel._gaps(before, now) == pytest.approx(truth)


def test_power_is_the_share_of_tests_that_scipy_finds():
    rng = np.random.default_rng(3)
    before, now = rng.normal(size=(2, 150, 300))
    found = [stats.ks_2samp(*pair).pvalue <= 0.05 / 20 for pair in zip(before, now + 0.3, strict=True)]
    ours, _ = gap_power(np.array([0.3]), rows=300, columns=20, weeks=150, seed=3)
    assert ours[0] == pytest.approx(np.mean(found), abs=0.02)


def test_quiet_weeks_give_the_false_alarms_that_are_said():
    alone, quiet = gap_power(NONE, rows=200, columns=1, weeks=4000)
    assert quiet == pytest.approx(0.05) and alone[0] == pytest.approx(0.05, abs=0.015)
    flood = gap_power(NONE, rows=50, columns=20, correction="none", weeks=1)[1]
    assert flood == pytest.approx(1 - 0.95**20)
    assert gap_power(NONE, rows=50, columns=20, weeks=1)[1] < 0.05


def test_power_grows_with_shift_and_rows_and_falls_with_columns():
    shifts = np.array([0.1, 0.2, 0.4])
    few, many = (gap_power(shifts, rows=rows, columns=20)[0] for rows in (100, 1000))
    assert (np.diff(many) > 0).all() and (many > few).all()
    assert gap_power(shifts, rows=300, columns=50)[0][1] < gap_power(shifts, rows=300, columns=2)[0][1]
    corrected, plain = (
        gap_power(shifts, rows=300, columns=20, correction=each)[0] for each in ("holm", "none")
    )
    assert (plain >= corrected).all() and plain[1] > corrected[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rows": 1}, "rows=1"),
        ({"columns": 0}, "columns=0"),
        ({"weeks": 0}, "weeks=0"),
        ({"correction": "bonferroni"}, "choose 'holm' or 'none'"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        gap_power(NONE, **{"rows": 50, "columns": 2, **wrong})


def test_under_a_proof_there_are_no_sliders(monkeypatch):
    monkeypatch.setenv("MLOPS_LAB_STRICT", "1")
    assert drift_panel() is None


def test_the_first_picture_is_the_draws_answer(box):
    *_, text, image = box.children
    power, quiet = gap_power(np.array([0.2]), rows=300, columns=20)
    assert f"<b>{power[0]:.0%}</b>" in text.value and f"<b>{quiet:.0%}</b>" in text.value
    assert f"gap is {2 * stats.norm.cdf(0.1) - 1:.2f}" in text.value
    from matplotlib import image as images

    assert images.imread(io.BytesIO(image.value)).std() > 0.01  # not blank


def test_each_slider_changes_text_and_picture(box):
    shift, size, width, kind, text, image = box.children
    for control, value in ((shift, 0.4), (size, 150), (width, 50), (kind, "none")):
        before = text.value, image.value
        control.value = value
        assert text.value != before[0] and image.value != before[1], control.description


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_student_moves_the_shift_in_a_browser(lab):
    with cell_shown(lab, CODE) as page:
        found = page.locator(".jupyter-widgets b").first
        found.wait_for()
        before, drawn = found.inner_text(), page.locator(".jupyter-widgets img, img.widget-image").first
        source = drawn.get_attribute("src")
        handle = page.locator(".jupyter-widgets .noUi-handle").first
        handle.focus()
        for _ in range(6):  # the shift, in steps of 0.05
            handle.press("ArrowRight")
        page.wait_for_function(
            "before => parseInt(document.querySelector('.jupyter-widgets b').innerText) > before + 40",
            arg=int(before.rstrip("%")),
        )
        page.wait_for_function(
            "([image, source]) => image.src !== source", arg=[drawn.element_handle(), source]
        )
