"""The lecture's deck in a real browser, as the room sees it: 1280 x 720, without a network, by keyboard."""

import re
import zlib
from pathlib import Path

import axe_core
import pytest
from real_browser import BROWSER, FLAGS
from slide_checks import AXE, LOOK

from mlops_lab.slides import pdf

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # the deck is built first, and a busy machine may take minutes for its pictures
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def said():
    """What the browser complained about, and what it asked for beyond the deck's own files."""
    return {"errors": [], "foreign": []}


@pytest.fixture(scope="module")
def shown(built, said):
    """The deck in one page of one browser, for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        page.set_default_timeout(60_000)

        def wrong(text, url=""):
            if PLANTED_FILE not in url:  # of what a test plants itself, the browser may complain at any time
                said["errors"].append(f"{text} {url}")

        page.on("pageerror", lambda error: wrong(str(error)))
        page.on(
            "console",
            lambda told: wrong(told.text, told.location["url"]) if told.type == "error" else None,
        )
        page.on("requestfailed", lambda request: wrong("not there:", request.url))
        own = built.as_uri()
        page.context.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((own, "data:", "blob:", "about:"))
                else said["foreign"].append(request.url)
            ),
        )
        page.goto((built / "index.html").as_uri())
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        yield page
        browser.close()


@pytest.fixture
def page(shown):
    shown.evaluate("() => Reveal.slide(0)")
    return shown


def _each(page, check):
    """Go to every slide; return what the check finds, one line for each finding with its slide."""
    found = []
    for place in range(page.evaluate("() => Reveal.getTotalSlides()")):
        page.evaluate("place => Reveal.slide(place)", place)
        name = page.evaluate("() => Reveal.getCurrentSlide().id")
        slide = page.evaluate_handle("() => Reveal.getCurrentSlide()")
        found += [f"{place + 1} {name}: {what}" for what in page.evaluate(check, slide)]
    return found


def test_every_slide_can_be_read_from_the_last_row(page):
    found = _each(page, LOOK)
    assert not found, "\n" + "\n".join(found)


def test_every_slide_is_accessible(page):
    page.evaluate(axe_core.script())
    found = _each(page, AXE)
    assert not found, "\n" + "\n".join(found)
    assert page.evaluate(AXE, page.evaluate_handle("() => document")) == []


PLANTED_FILE = "_images/none.svg"
PLANTED = {
    "lines": "for (let i = 0; i < 30; i++) body.innerHTML += '<p>more</p>'",
    "a long word": "body.innerHTML += '<p>' + 'overflow'.repeat(30) + '</p>'",
    "code too wide": "body.innerHTML += '<pre>' + 'x = 1; '.repeat(40) + '</pre>'",
    "cut off": "body.innerHTML = '<p style=\"height: 30px; overflow: hidden\">' + 'w '.repeat(200) + '</p>'",
    "ends in dots": "body.innerHTML = '<p style=\"width: 200px; overflow: hidden; white-space: nowrap; "
    "text-overflow: ellipsis\">a line that is too long for its box</p>'",
    "small": "body.innerHTML += '<p style=\"font-size: 18px\">small print</p>'",
    "on top": "body.innerHTML = '<p>one line</p><p style=\"margin-top: -50px\">another line</p>'",
    "under the number": "slide.innerHTML += '<p style=\"position: absolute; right: 9px; bottom: 9px\">x</p>'",
    "no title": "slide.querySelector('h2').remove()",
    "no alt text": "body.innerHTML += '<img src=\"data:image/gif;base64,R0lGODlhAQABAAAAACw=\">'",
    "no picture": 'body.innerHTML += \'<img alt="a crate" src="' + PLANTED_FILE + "\">'",
}
SAYS = {
    "lines": "leaves the slide",
    "a long word": "leaves the slide",
    "code too wide": "leaves the slide",
    "cut off": "is cut off",
    "ends in dots": "ends in dots",
    "small": "18 px high",
    "on top": "overlap",
    "under the number": "overlap",
    "no title": "has no title",
    "no alt text": "has no alt text",
    "no picture": "is not there",
}
ON_A_SLIDE = """([change]) => {
  const slide = Reveal.getSlides().find(one => one.querySelector("h2") && !one.querySelector("img"));
  Reveal.slide(Reveal.getSlides().indexOf(slide));
  window.before = [slide, slide.innerHTML];
  new Function("slide", "body", change)(slide, slide.querySelector(".body"));
  return slide;
}"""


@pytest.mark.parametrize("what", PLANTED)
def test_what_cannot_be_read_is_found(page, what):
    slide = page.evaluate_handle(ON_A_SLIDE, [PLANTED[what]])
    page.wait_for_timeout(50)
    found = page.evaluate(LOOK, slide)
    page.evaluate("() => { window.before[0].innerHTML = window.before[1]; }")
    assert any(SAYS[what] in one for one in found), found
    assert page.evaluate(LOOK, slide) == [], "the slide was not put right again"


def test_low_contrast_is_found(page):
    page.evaluate(axe_core.script())
    change = "body.innerHTML += '<p style=\"color: #bbb\">pale words</p>'"
    slide = page.evaluate_handle(ON_A_SLIDE, [change])
    found = page.evaluate(AXE, slide)
    page.evaluate("() => { window.before[0].innerHTML = window.before[1]; }")
    assert any(one.startswith("color-contrast") for one in found), found


def test_the_keyboard_reaches_everything(page):
    total = page.evaluate("() => Reveal.getTotalSlides()")
    place = "() => Reveal.getSlidePastCount()"
    for _ in range(total - 1):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(place) == total - 1
    page.keyboard.press("Home")
    assert page.evaluate(place) == 0
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(place) == total - 2


def test_a_link_is_reached_by_tab_and_followed_by_enter(page):
    page.evaluate("() => Reveal.slide(Reveal.getSlides().findIndex(one => one.querySelector('.pointer a')))")
    seen = page.evaluate("() => Reveal.getCurrentSlide().id")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Tab")
    focus = (
        "() => [document.activeElement.closest('section')?.id, document.activeElement.getAttribute('href')]"
    )
    slide, target = page.evaluate(focus)
    assert slide == seen, "the first link that Tab reaches is not one of the slide that is shown"
    page.keyboard.press("Enter")
    page.wait_for_function("target => Reveal.getCurrentSlide().id === target", arg=target.removeprefix("#"))


def test_the_speaker_sees_the_notes(page):
    page.evaluate("() => Reveal.slide(Reveal.getSlides().findIndex(one => one.querySelector('aside.notes')))")
    notes = page.evaluate("() => Reveal.getCurrentSlide().querySelector('aside.notes').innerHTML")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    view = opened.value
    view.wait_for_function("() => document.querySelector('.speaker-controls-notes .value')?.innerText.trim()")
    words = re.sub(r"<[^>]+>", " ", notes).split()
    assert view.locator(".speaker-controls-notes .value").inner_text().split()[:5] == words[:5]
    view.close()


def test_the_page_to_print_needs_no_script_and_holds_every_slide(page, built):
    total = page.evaluate("() => Reveal.getTotalSlides()")
    printed = (built / "print.html").read_text(encoding="utf-8")
    assert printed.count("<section ") == total
    assert "<script" not in printed
    reader = page.context.new_page()
    reader.goto((built / "print.html").as_uri())
    reader.evaluate(axe_core.script())
    found = reader.evaluate(AXE, reader.evaluate_handle("() => document"))
    reader.close()
    assert not found, "\n" + "\n".join(found)


def _streams(pdf):
    """Give the uncompressed streams of a PDF."""
    for match in re.finditer(rb"stream\r?\n", pdf):
        try:
            yield zlib.decompressobj().decompress(pdf[match.end() :])
        except zlib.error:
            continue  # the word stood in "endstream", or the stream is not compressed


def _mapped(stream):
    """Give the characters that a font's map says its shapes stand for."""
    code = rb"<([0-9A-Fa-f]{4})>"
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL):
        yield from (int(to, 16) for _, to in re.findall(code + rb" " + code, block))
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", stream, re.DOTALL):
        for low, high, to in re.findall(code + rb" " + code + rb" " + code, block):
            yield from (int(to, 16) + step for step in range(int(high, 16) - int(low, 16) + 1))


def test_the_pdf_has_a_page_for_each_slide_an_outline_and_text(page, built, tmp_path):
    pdf.print_pdf(Path(BROWSER), built / "print.html", tmp_path / "slides.pdf")
    printed = (tmp_path / "slides.pdf").read_bytes()
    titles = page.evaluate("() => Reveal.getSlides().map(one => one.querySelector('h1, h2').innerText)")
    assert len(re.findall(rb"/Type ?/Page\b", printed)) == len(titles)
    outline = re.findall(rb"/Title \(((?:\\.|[^)\\])*)\)", printed)
    plain = [title for title in titles if title.isascii() and not set(title) & set("()\\")]
    assert len(plain) > len(titles) / 2
    assert set(plain) <= {re.sub(rb"\\(.)", rb"\1", title).decode("latin-1") for title in outline}
    letters = {chr(code) for stream in _streams(printed) for code in _mapped(stream)}
    assert {letter for title in titles for letter in title if letter.isalpha()} <= letters
    assert b"/StructTreeRoot" in printed, (
        "the PDF is not tagged, so its pictures have lost their descriptions"
    )


def test_the_deck_is_small_enough_to_send(built):
    assert sum(path.stat().st_size for path in built.rglob("*") if path.is_file()) < 15e6


def test_nothing_was_said_or_asked_of_another_machine(page, said):
    """The last test: it looks at what all others have caused."""
    assert said["errors"] == []
    assert said["foreign"] == [], "the deck asks another machine"
    plant = "() => { document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'})); }"
    with page.context.expect_event("request"):
        page.evaluate(plant)
    assert said["foreign"], "a planted request was not seen"
