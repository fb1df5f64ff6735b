"""The first lesson as a student meets it: `lab`, a real JupyterLab, a real browser."""

import json
import os
import time
from pathlib import Path

import pytest
from real_browser import BROWSER, CELLS, FLAGS, cell_shown, leaves

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]


def test_a_student_runs_the_first_lesson(lab):
    from playwright.sync_api import sync_playwright

    work, address = lab
    base = address.split("/lab")[0]
    problems, foreign = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: foreign.append(request.url) if leaves(request.url, base) else None)
        page.goto(address)
        # the value that ended the wait: asked again, the kernel may be busy with the front end's greetings
        before = page.wait_for_function(CELLS).json_value()
        assert before["run"] == 0, "the student's copy shows outputs before anything was run"
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        done = f"() => {{ const s = ({CELLS})(); return s && s.run === s.all && s; }}"
        cells = page.wait_for_function(done).json_value()
        option = page.locator(".jupyter-widgets input[type=radio]").nth(1)
        option.scroll_into_view_if_needed()
        option.check()
        saved = work / "predictions.json"
        deadline = time.monotonic() + 120
        while not saved.exists() and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        shot = os.environ.get("MLOPS_LAB_SCREENSHOT")
        if shot:
            page.screenshot(path=shot)
        browser.close()
    assert cells["errors"] == []
    assert not problems
    assert not foreign, "the page asked another machine"
    assert json.loads(saved.read_text(encoding="utf-8")), "the prediction that was clicked is not saved"


PANEL = """from mlops_lab import load
from mlops_lab.lesson.panels import load_panel
load_panel(load.daily_curve())
"""


def test_the_sliders_of_the_load_lesson_move_the_bill(lab):
    with cell_shown(lab, PANEL) as page:
        bill = page.locator(".jupyter-widgets b").first
        bill.wait_for()
        before, picture = bill.inner_text(), page.locator(".jupyter-widgets img, img.widget-image").first
        drawn = picture.get_attribute("src")
        handle = page.locator(".jupyter-widgets .noUi-handle").first
        handle.focus()
        for _ in range(12):  # the window, in steps of five minutes
            handle.press("ArrowRight")
        page.wait_for_function(
            "before => document.querySelector('.jupyter-widgets b').innerText !== before", arg=before
        )
        page.wait_for_function(
            "([image, drawn]) => image.src !== drawn", arg=[picture.element_handle(), drawn]
        )
        after = bill.inner_text()
        shot = os.environ.get("MLOPS_LAB_SCREENSHOT")
        if shot:
            page.screenshot(path=str(Path(shot).with_stem("panel")))
    assert before.startswith("$") and after.startswith("$")
    assert float(after[1:].replace(",", "")) > float(before[1:].replace(",", "")), (
        "a longer window costs more"
    )
