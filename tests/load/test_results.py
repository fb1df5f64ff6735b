"""What a run says about itself: tables, summary, comparison, picture."""

import numpy as np
import pytest

from mlops_lab import load


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(1)
    return load.simulate(
        np.sort(rng.uniform(0, 3600, 8000)), 0.5, load.Hold(1, capacity=2), cold_start_s=20.0
    )


def test_the_request_table(run):
    table = run.requests
    assert list(table.columns) == ["arrive_s", "start_s", "wait_s", "cold"]
    np.testing.assert_allclose(table["wait_s"], table["start_s"] - table["arrive_s"])
    assert (table["wait_s"] >= 0).all()


def test_the_summary_recounted(run):
    summary = run.summary(late_s=2.0, price_usd_per_hour=2.0)
    waits = run.requests["wait_s"]
    assert summary.mean_wait_s == pytest.approx(waits.mean())
    assert summary.p95_wait_s == pytest.approx(waits.quantile(0.95))
    assert summary.p99_wait_s == pytest.approx(waits.quantile(0.99))
    assert summary.late == pytest.approx((waits > 2).mean())
    assert summary.bill_usd == pytest.approx(summary.machines * 1440)
    assert summary.requests == 8000


def test_compare_puts_the_cheapest_first_and_keeps_the_names(run):
    table = load.compare({"dear": load.simulate([0.0], 1.0, load.Fixed(90)), "held": run})
    assert list(table.index) == ["held", "dear"]
    assert {"machines", "bill_usd", "mean_wait_s", "p95_wait_s", "p99_wait_s", "late", "cold"} <= set(table)
    with pytest.raises(ValueError, match="nothing to compare"):
        load.compare({})


def test_the_picture_has_labels_and_draws_where_it_is_told(run):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    assert run.plot(axes) is axes
    assert axes.get_xlabel() == "hour"
    assert axes.get_ylabel() == "machines"
    drawn = axes.get_lines()[0].get_ydata()
    np.testing.assert_array_equal(drawn, run.fleet["machines"])


def test_the_picture_shows_a_full_fleet_while_people_wait():
    # Ten calls at once on two machines of 10 s: at 10, 20, ... both are just done, and both begin again.
    from matplotlib.figure import Figure

    run = load.simulate([0.0] * 10, 10.0, load.Fixed(2), tick_s=10.0)
    assert run.fleet["busy"].max() == 0  # as the policy sees it, before those in line have started
    lines = {line.get_label(): line.get_ydata() for line in run.plot(Figure().add_subplot()).lines}
    assert lines["busy"].tolist() == [0, 2, 2, 2, 2, 0]
