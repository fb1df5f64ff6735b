"""Lessons as a student meets them: `lab`, a real JupyterLab, a real browser. All tests share the two."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from real_browser import BROWSER, CELLS, browser, cell_shown, opened

from mlops_lab import reality

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def shown():
    """The browser."""
    with browser() as started:
        yield started


def test_a_student_runs_the_first_lesson(shown, lab):
    work, address = lab
    base = address.split("/lab")[0]
    with opened(shown, address, base, width=1400, height=1000) as page:
        # the value that ended the wait: asked again, the kernel may be busy with the front end's greetings
        before = page.wait_for_function(CELLS).json_value()
        assert before["run"] == 0, "the student's copy shows outputs before anything was run"
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        # an error ends the run: the cells below it are never run
        done = f"() => {{ const s = ({CELLS})(); return s && (s.run === s.all || s.errors.length) && s; }}"
        assert page.wait_for_function(done).json_value()["errors"] == []
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
    assert json.loads(saved.read_text(encoding="utf-8")), "the prediction that was clicked is not saved"


PANEL = """from mlops_lab import load
from mlops_lab.lesson.panels import load_panel
load_panel(load.daily_curve())
"""


def test_the_sliders_of_the_load_lesson_move_the_bill(shown, lab):
    with cell_shown(shown, lab, PANEL, name="load") as page:
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


DRIFT = "from mlops_lab.lesson.panels import drift_panel\ndrift_panel()\n"


def test_a_student_moves_the_shift_of_the_drift_panel(shown, lab):
    with cell_shown(shown, lab, DRIFT, name="drift") as page:
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


BOARD = """from mlops_lab import reality
from mlops_lab.game.board import reality_board
reality_board(reality.Scenario(weeks=18, volume=800, group_share=0.3), path="game.json")
"""
SAID = "([part]) => document.querySelector('.jupyter-widgets [role=status]')?.innerText.includes(part)"
COUNT_CLICKS = "window.clicks = 0; document.addEventListener('click', () => window.clicks++, true)"


class Player:
    """A student at the board: each step ends when the page or the kernel shows that it has arrived."""

    def __init__(self, page):
        self.page = page
        page.evaluate(COUNT_CLICKS)

    def button(self, name):
        return self.page.locator(".jupyter-widgets button").filter(has_text=re.compile(f"^{name}$"))

    def turn(self, kind, words):
        """Turn to a kind of form, and wait until it stands there."""
        self.button(kind).first.click()
        self.page.get_by_text(words).first.wait_for()

    def type(self, number, answered):
        """Type into the first field, and wait for what the board answers to the number: the kernel has it."""
        self.page.locator(".jupyter-widgets input[type=text]:visible").first.fill(number)
        self.page.get_by_text(answered).first.wait_for()

    def press(self, name, said):
        """Press a button by the keyboard alone, and wait for the board's answer."""
        for _ in range(5):  # JupyterLab may take the focus between the two, and then nothing was pressed
            before = self.page.evaluate("window.clicks")
            self.button(name).press("Enter")
            if self.page.evaluate("window.clicks") > before:
                return self.hear(said)
        raise AssertionError(f"Enter does not press {name!r}")

    def hear(self, said):
        """Wait until the board says something; if it does not, tell what it says instead."""
        from playwright.sync_api import TimeoutError as Late

        try:
            self.page.wait_for_function(SAID, arg=[said])
        except Late:
            heard = self.page.locator("[role=status]").all_inner_texts()
            raise AssertionError(f"the board never said {said!r}; it says {heard}") from None


def play_a_short_game(page):
    """Play until the end, and give the score that the board tells, and how wide the board is."""
    shot = os.environ.get("MLOPS_LAB_SCREENSHOT")
    player = Player(page)
    player.button("Collect").wait_for()
    player.type("1500", "Costs 900.00")
    player.press("Collect", "Bought 1,500 labelled crates")
    player.turn("Test", "for a symptom")
    player.button("Test").last.click()
    player.hear("Test of labels")
    page.locator(".jupyter-widgets img[alt^='Test of labels']").wait_for()
    player.turn("Train", "a version on all data")
    player.button("Train").last.click()
    player.hear("Trained v1")
    player.turn("Release", "it grades from now on")
    page.locator(".jupyter-widgets select:visible").first.select_option("v1")
    player.press("Deploy", "v1 grades from now on")
    player.turn("Time", "what is live grades")
    player.type("0", "days=0")  # any number of days costs nothing: only a refusal shows that a number arrives
    player.type("70", "Costs nothing.")
    page.get_by_text("days=0").wait_for(state="hidden")
    player.press("Let time pass", "The pager rings")
    page.locator("[role=alert]").wait_for()
    assert not player.button("Finish the season").is_visible(), "the page can be passed over"
    if shot:
        page.screenshot(path=shot.replace(".png", "_page.png"))
    player.press("Look at the log", "Test of bias: THE SYMPTOM IS THERE")
    player.button("Finish the season").click()
    player.hear("Your score is")
    said = page.locator("[role=status]").inner_text()
    page.locator(".jupyter-widgets img[alt^='Net money']").wait_for()
    if shot:
        page.screenshot(path=shot)
    wide = page.locator(".jupyter-widgets.widget-vbox").first.bounding_box()["width"]
    return float(re.search(r"Your score is (-?\d+\.\d+)", said)[1]), wide


def test_a_student_plays_a_short_game(shown, lab):
    with cell_shown(shown, lab, BOARD, name="game", width=1360, height=2300) as page:
        score, wide = play_a_short_game(page)
    log = json.loads((lab[0] / "game.json").read_text(encoding="utf-8"))
    assert [entry["action"] for entry in log["actions"]][:4] == ["collect", "test", "train", "deploy"]
    assert log["actions"][0]["arguments"]["n"] == 1500
    game = reality.Season.replay(lab[0] / "game.json")
    assert reality.judge(game).score == pytest.approx(score, abs=0.005)
    assert wide <= 1000
