"""Sliders redraw and say what is computed; power is held against scipy; a board draws what summaries say."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from scipy import stats

from mlops_lab import load, plots
from mlops_lab.lesson import panels
from mlops_lab.lesson.panels import (
    alarm_rates,
    drift_panel,
    gap_power,
    load_panel,
    policy_board,
    significance_panels,
)

NONE = np.array([0.0])


@pytest.fixture
def drift_box(monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return drift_panel()


def test_the_gaps_are_scipys():
    rng = np.random.default_rng(0)
    before, now = np.sort(rng.normal(size=(5, 40)), axis=1), rng.normal(0.5, 1, size=(5, 40))
    truth = [stats.ks_2samp(*pair).statistic for pair in zip(before, now, strict=True)]
    assert panels._gaps(before, now) == pytest.approx(truth)


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


def test_alarm_rates_are_those_of_bonferroni_s_smallest_p_value():
    p = np.random.default_rng(0).uniform(size=(300, 12))
    rates = alarm_rates(p)
    for columns in (1, 5, 12):
        smallest = p[:, :columns].min(axis=1)
        assert rates.loc[columns, "uncorrected"] == (smallest <= 0.05).mean()
        assert rates.loc[columns, "Holm"] == (smallest <= 0.05 / columns).mean()
        assert rates.loc[columns, "formula"] == pytest.approx(1 - 0.95**columns)
    assert rates.index.tolist() == list(range(1, 13))
    assert (alarm_rates(p, alpha=0.2) >= rates).all().all()


@pytest.mark.parametrize("p", [[0.1, 0.2], [[]], 0.5])
def test_alarm_rates_need_weeks_by_columns(p):
    with pytest.raises(ValueError, match="weeks by columns"):
        alarm_rates(np.array(p))


def test_gap_and_p_value_have_panels_of_their_own():
    grown = pd.DataFrame({"largest gap": [0.05, 0.01], "p-value": [0.5, 1e-8]}, index=[500, 500_000])
    left, right = significance_panels(grown).figure.axes
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    for panel, column in ((left, "largest gap"), (right, "p-value")):
        assert panel.lines[0].get_ydata().tolist() == grown[column].tolist()
    pyplot.close(left.figure)
    with pytest.raises(ValueError, match="3 columns: give two"):
        significance_panels(grown.assign(more=1))


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
    assert drift_panel() is None and load_panel(load.daily_curve()) is None


def test_the_first_picture_is_the_draws_answer(drift_box):
    *_, text, image = drift_box.children
    power, quiet = gap_power(np.array([0.2]), rows=300, columns=20)
    assert f"<b>{power[0]:.0%}</b>" in text.value and f"<b>{quiet:.0%}</b>" in text.value
    assert f"gap is {2 * stats.norm.cdf(0.1) - 1:.2f}" in text.value
    from matplotlib import image as images

    assert images.imread(io.BytesIO(image.value)).std() > 0.01  # not blank


def test_each_slider_changes_text_and_picture(drift_box):
    shift, size, width, kind, text, image = drift_box.children
    for control, value in ((shift, 0.4), (size, 150), (width, 50), (kind, "none")):
        before = text.value, image.value
        control.value = value
        assert text.value != before[0] and image.value != before[1], control.description


# --- lesson 11 ---


@pytest.fixture
def load_box(monkeypatch):
    monkeypatch.delenv("MLOPS_LAB_STRICT", raising=False)
    return load_panel(load.daily_curve())


def test_the_first_picture_is_the_fluids_answer(load_box):
    *_, text, image = load_box.children
    found = load.fluid(load.daily_curve(), load.Hold(5), cold_start_s=60.0).summary()
    assert f"${found.bill_usd:,.0f}" in text.value
    from matplotlib import image as images

    assert images.imread(io.BytesIO(image.value)).std() > 0.01  # not blank


def test_moving_a_slider_changes_bill_and_picture(load_box):
    window, spare, cold, text, image = load_box.children
    before = text.value, image.value
    window.value = 300
    assert text.value != before[0]
    assert image.value != before[1]
    longer = text.value
    spare.value, cold.value = 20, 300
    assert text.value != longer


CALLS = load.arrivals(load.daily_curve(), seed=3)
CALLS = CALLS[CALLS >= 7 * 3600][:40_000] - 7 * 3600  # in the first rush
RUNS = {
    "fixed 8": load.simulate(CALLS, 0.25, load.Fixed(8)),
    "headroom": load.simulate(CALLS, 0.25, load.Hold(5, target=0.8), cold_start_s=60.0),
}


class Like:
    """Asks a built-in policy: so it is one's own."""

    def __init__(self, policy):
        self.wanted = policy.wanted


class Broken:
    def wanted(self, seen):
        raise RuntimeError("no idea")


def drawn(ax):
    return [tuple(points.get_offsets()[0]) for points in ax.collections]


def test_each_point_lies_at_bill_and_p95():
    ax = policy_board(RUNS)
    expected = [(run.summary().bill_usd, run.summary().p95_wait_s) for run in RUNS.values()]
    np.testing.assert_allclose(drawn(ax), expected)
    assert [text.get_text() for text in ax.texts] == ["fixed 8", "headroom", "both limits kept"]


def test_a_policy_of_ones_own_meets_the_same_requests():
    ax = policy_board(RUNS, Like(load.Hold(5, target=0.8)))
    points = drawn(ax)
    np.testing.assert_allclose(points[2], points[1])
    assert [text.get_text() for text in ax.texts][2] == "yours"
    slower = policy_board(RUNS, Like(load.Hold(5, target=0.8)), cold_start_s=300.0)
    assert drawn(slower)[2][1] > 2 * points[2][1]


@pytest.mark.parametrize(
    "answer", [..., None, 12, load.Hold, load.Fixed(40), load.PerRequest(), Broken(), "Hold(5)"]
)
def test_what_cannot_be_simulated_is_not_drawn(answer):
    assert len(drawn(policy_board(RUNS, answer))) == 2


def test_the_picture_shows_every_point_and_the_corner():
    ax = policy_board({**RUNS, "fixed 1": load.simulate(CALLS, 0.25, load.Fixed(1))})
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < usd < right and bottom < wait < top for usd, wait in drawn(ax))
    corner = ax.patches[0]
    assert (corner.get_width(), corner.get_height()) == (5_000, 0.5)
    assert len(plots.png(ax)) > 5_000


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        policy_board({})
