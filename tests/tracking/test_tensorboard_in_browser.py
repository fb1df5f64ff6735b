"""Lesson 06's training in TensorBoard as a student sees it: the real server, in a real browser."""

import os

import pytest
from real_browser import BROWSER, FLAGS, leaves

from mlops_lab import tracking
from mlops_lab.lesson.tensorboard_server import open_tensorboard
from mlops_lab.tracking.training import train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]


def test_tensorboard_draws_the_lessons_run_and_asks_no_other_machine(tmp_path):
    from playwright.sync_api import sync_playwright

    told = {"hidden": 64, "rate": 0.01, "epochs": 30}
    sinks = [tracking.TensorBoard(tmp_path / "board")]
    with tracking.Run(tmp_path / "runs", "watched", params=told, sinks=sinks) as run:
        train(run, seed=0, **told)
    logged = tracking.read(run.folder).metrics
    problems, foreign = [], []
    with open_tensorboard(tmp_path / "board") as server, sync_playwright() as play:
        server.scalars("watched", "loss", until=29)
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1400, "height": 2600}
        )  # a card is drawn once it is in sight
        page.set_default_timeout(90_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: foreign.append(asked.url) if leaves(asked.url, server.url) else None)
        page.goto(f"{server.url}#timeseries")
        # A filter lists all curves in one view; without it only the first two groups are unfolded.
        page.get_by_role("combobox", name="Filter tags").fill(".")
        view = "metrics-filtered-view scalar-card"
        drawn = f"{view}:has(line-chart canvas, line-chart svg) tb-data-table-content-row"
        page.wait_for_function(f"document.querySelectorAll({drawn!r}).length === {logged.shape[1]}")
        cards = [text.split() for text in page.locator(view).all_inner_texts()]
        shot = os.environ.get("MLOPS_LAB_SCREENSHOT")
        if shot:
            page.screenshot(path=shot)
        browser.close()
    assert not problems
    assert not foreign, "TensorBoard's page asked another machine"
    assert sorted(words[0] for words in cards) == sorted(logged)
    for metric, *words in cards:
        # Below each curve stand the run, its smoothed and its true last value, and the step.
        _, _, value, step, *_ = words[words.index("watched") :]
        assert float(value) == pytest.approx(logged[metric].iloc[-1], abs=5.1e-5), metric
        assert step == "29"
