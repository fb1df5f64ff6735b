"""The deck: a good one becomes pages that need no network; a mistake is named with its file and line."""

import io
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import axe_core
import nbformat
import pytest
from matplotlib.figure import Figure

from mlops_lab import cli, plots
from mlops_lab.lesson.outputs import MIME
from mlops_lab.slides import deck, figures, lesson_openers, pdf, quotes

ROOT = Path(__file__).resolve().parents[2]
NOTES = "```{notes}\n:minutes: 2\n\nSay it.\n```\n"
README = """\
| [01](notebooks/01_demo.ipynb) | Demo | L1 | what | 45 | available |
| 02 | Later on | L2 | what | 45 | planned |
"""
LECTURE = '[L1]\nsource = "the lecture"\nprice = { text = "$25,920 a month" }\nbare = { source = "nobody" }\n'
GOOD = f"""\
# The deck

One line.

## First

It measured {{measured}}`demo.share as percent`, the lecture says {{lecture}}`L1.price`.

```{{package-figure}} mlops_lab.slide_figures:good
:alt: Three weeks of a falling line, from the first to the last.
:size: 7 x 3
:with: weeks=3
:schematic:
```

{{lesson}}`1` {{lesson}}`later_on`

{NOTES}
# The lessons

```{{lesson-openers}}
```
"""


def _claim(id, value, **more):
    claim = {
        "type": "claim",
        "id": id,
        "text": f"The sentence of {id}.",
        "measured": value,
        "shown": f"{value:.4g}",
    }
    claim |= {"kind": "measured", "unit": "", "source": "", "tolerance": 1e-6, "holds": True, **more}
    return {"output_type": "display_data", "metadata": {}, "data": {MIME: claim, "text/plain": "claim"}}


def _lesson(path):
    asked = {"type": "prediction", "id": "demo.ask", "question": "How: far?", "options": ["near", "far"]}
    outputs = [
        _claim("demo.share", 0.9649),
        _claim("demo.bill", 1234.5, unit="$", shown="$1,234"),
        _claim("demo.broken", 1.0, holds=False),
        _claim("demo.absent", 1.0, holds=None),
        _claim("demo.timing", 2.5, tolerance=None, unit="s", kind="world"),
        {"output_type": "display_data", "metadata": {}, "data": {MIME: asked, "text/plain": "ask"}},
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# 01 Demo: does it work?"),
        nbformat.v4.new_markdown_cell("> **You will** see how.\n>\n> **Time** 30 minutes."),
        nbformat.v4.new_markdown_cell("## 1 The core of it (core)\n\n## 2 More (deeper)"),
        nbformat.v4.new_code_cell("1"),
    ]
    path.parent.mkdir(parents=True)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.cells[-1].outputs = [nbformat.from_dict(output) for output in outputs]
    nbformat.write(notebook, path)


def good(seed, weeks=2, ax=None):
    assert seed == 0, "figures are drawn with the fixed seed"
    ax = plots.axes(ax, xlabel="week", ylabel="share of crates")
    ax.plot(range(weeks), [1 / (week + 1) for week in range(weeks)])
    return ax


def overlapping(ax=None):
    ax = plots.axes(ax, xlabel="week")
    ax.plot([0, 1])
    ax.text(0.5, 0.5, "belt scanner")
    ax.text(0.51, 0.5, "handheld")
    return ax


def failing():
    raise ZeroDivisionError("no crates")


def blank():
    return Figure(figsize=(4, 3))


def number():
    return 7


def drawing():
    return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 480"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one lesson, one that is planned, and a module of figure functions."""
    return _course(tmp_path, monkeypatch)


def _course(tmp_path, monkeypatch):
    _lesson(tmp_path / "notebooks" / "solutions" / "01_demo.ipynb")
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    static = tmp_path / "slides" / "_static"
    static.mkdir(parents=True)
    (static / "deck.css").write_text("body {}", encoding="utf-8")
    (tmp_path / "slides" / "lecture.toml").write_text(LECTURE, encoding="utf-8")
    functions = (good, overlapping, failing, blank, number, drawing)
    module = SimpleNamespace(**{one.__name__: one for one in functions})
    monkeypatch.setitem(sys.modules, "mlops_lab.slide_figures", module)
    monkeypatch.setattr(figures, "_FEWEST", 100)  # other processes do not know this module
    return tmp_path


def _build(course, text=GOOD, **more):
    (course / "slides" / "01_deck.md").write_text(text, encoding="utf-8")
    return deck.build(course, to=course / "out", **more)


# --- a good deck --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Build one good deck: with a picture of its own, a second part, and a file that is no part; show it."""
    seen, said = [], io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        course = _course(tmp_path_factory.mktemp("course"), patch)
        patch.setattr(deck.webbrowser, "open", seen.append)
        slides = course / "slides"
        (slides / "crate.svg").write_text(drawing(), encoding="utf-8")
        (slides / "02_more.md").write_text(f"# More\n\n## First\n\nAgain.\n\n{NOTES}", encoding="utf-8")
        (slides / "README.md").write_text("How to write slides: 85 %.", encoding="utf-8")
        text = GOOD.replace("It measured", "![A crate of apples](crate.svg)\n\nIt measured")
        assert _build(course, text, show=True) == 0
    page = (course / "out" / "index.html").read_text(encoding="utf-8")
    return SimpleNamespace(out=course / "out", page=page, said=said.getvalue(), seen=seen)


def test_a_deck_becomes_pages_that_need_no_network(made):
    page = made.page
    assert re.findall(r"<h[12]>(.*?)</h[12]>", page) == [
        "The deck",
        "First",
        "The lessons",
        "01 Demo: does it work?",
        "More",
        "First",
    ]
    assert '<span class="quote measured">96 %</span>' in page
    assert '<span class="quote lecture">$25,920 a month</span><span class="key"> (L1)</span>' in page
    assert "Measured: demo.share (lesson 01, measured here). Lecture: L1 (the lecture)." in page
    assert '<a class="lesson reference internal" href="#lesson-01">Lesson 01: Demo</a>' in page
    assert "Lesson 02: Later on (planned)" in page
    assert "schematic</p>" in page
    assert page.count('<aside class="notes">') == 3
    assert not re.search(r"""(?:src|href)=["'](?:[a-z]+:)?//""", page), "the page asks another machine"
    for name in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert (made.out / name).is_file(), name
    printed = (made.out / "print.html").read_text(encoding="utf-8")
    assert "<script" not in printed and "notes" not in printed
    assert printed.count("<section") == page.count("<section") == 6
    assert "built 5 slides (4 minutes by their notes) and 1 openers of lessons" in made.said
    assert made.seen == [(made.out / "index.html").as_uri()]


def test_an_opener_says_what_its_lesson_says(made):
    opener = made.page[made.page.index('id="lesson-01"') :]
    for said in ("You will see how.", "30 minutes.", "The core of it", "deeper: 1 more", "How: far?", "near"):
        assert said in opener, said


def test_parts_come_in_the_order_of_their_names(made):
    assert re.findall(r'<section id="([^"]+)"', made.page) == [
        "01_deck-the-deck",
        "01_deck-first",
        "01_deck-the-lessons",
        "lesson-01",
        "02_more-more",
        "02_more-first",
    ]


def test_a_picture_of_ones_own_goes_along_and_a_file_that_is_no_part_is_left_out(made):
    assert (made.out / "_images" / "crate.svg").read_text(encoding="utf-8") == drawing()
    assert re.search(r'<img alt="A crate of apples" src="_images/crate.svg" ?/>', made.page)
    assert "85 %" not in made.page


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(course):
    def files():
        return {
            path.relative_to(course): path.read_bytes() for path in course.glob("out/**/*") if path.is_file()
        }

    _build(course)
    first = files()
    _build(course)
    assert files() == first
    with pytest.raises(ValueError, match="to mend"):
        _build(course, GOOD.replace("## First", "## "))
    assert files() == first, "a deck with a mistake has touched the earlier one"
    assert [path.name for path in course.glob(".slides-*")] == []


def test_a_folder_with_other_things_is_left_alone(course):
    (course / "out").mkdir()
    (course / "out" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="holds something else than a deck"):
        _build(course)
    assert (course / "out" / "thesis.txt").read_text(encoding="utf-8") == "mine"


# --- mistakes -----------------------------------------------------------------------------------------------

FIGURE = "```{{package-figure}} mlops_lab.slide_figures:{}\n:alt: A line that falls, week after week.\n{}```"
MISTAKES = {
    "a figure function that fails": (
        FIGURE.format("failing", ""),
        "failing failed: ZeroDivisionError: no crates",
    ),
    "a function that is not there": (FIGURE.format("missing", ""), "has no function 'missing'"),
    "another package": (
        "```{package-figure} os:getcwd\n:alt: A line that falls.\n```",
        "is no function of the package",
    ),
    "a module that is not there": (
        "```{package-figure} mlops_lab.nowhere:f\n:alt: A line that falls.\n```",
        "cannot be imported",
    ),
    "no picture": (FIGURE.format("number", ""), "gives a int: a figure function gives axes"),
    "an empty picture": (FIGURE.format("blank", ""), "draws nothing"),
    "texts that overlap": (FIGURE.format("overlapping", ""), "'belt scanner' and 'handheld' overlap"),
    "letters too small": (FIGURE.format("good", ":size: 20 x 9\n"), "px high on the slide"),
    "an argument it does not take": (FIGURE.format("good", ":with: days=3\n"), "cannot be called so"),
    "an argument that is no literal": (FIGURE.format("good", ":with: weeks=open\n"), "are no arguments"),
    "a size it cannot take": (FIGURE.format("drawing", ":size: 7 x 3\n"), "takes no `ax`"),
    "a figure without alt text": (
        "```{package-figure} mlops_lab.slide_figures:good\n```",
        "a figure needs :alt:",
    ),
    "an unknown option": (FIGURE.format("good", ":colour: red\n"), "colour"),
    "a missing image": ("![A crate of apples](crate.svg)", "crate.svg"),
    "an image from elsewhere": (
        "![A crate](https://example.org/c.png)",
        "no image https://example.org/c.png",
    ),
    "an image without alt text": ("![](crate.svg)", "no alt text"),
    "an unknown lesson": ("{lesson}`77`", "no lesson is called '77'"),
    "an unknown claim": ("{measured}`demo.shame`", "no claim 'demo.shame'. Did you mean demo.share"),
    "a claim that does not hold": ("{claim}`demo.broken`", "does not hold"),
    "a claim not measurable": ("{measured}`demo.absent`", "was not measurable"),
    "an unknown figure of the lecture": ("{lecture}`L1.prize`", "Did you mean L1.price"),
    "an unknown key": ("{lecture}`L9`", "no key of the lecture 'L9'"),
    "a figure of the lecture without text": ("{lecture}`L1.bare`", "lacks its text"),
    "an unknown role": ("{mesured}`demo.share`", "mesured"),
    "an unknown directive": ("```{pakage-figure} a:b\n```", "pakage-figure"),
    "a figure that was typed": ("It fell by 12.5 % last week.", "'12.5 %' was typed"),
    "a figure typed in a table": ("| a |\n|---|\n| $648 |", "'$648' was typed"),
    "a figure typed in bold": ("It fell by **85 %**.", "'85 %' was typed"),
    "a rule": ("---", "begins no slide"),
    "raw HTML": ("<b>Loud</b>", "raw HTML"),
    "a third column": (":::::{columns}\n::::{column}\na\n::::\n:::::", "two columns"),
    "openers inside a slide": ("```{lesson-openers} 1\n```", "directly below a `#`"),
    "notes twice": (NOTES, "more than one box of notes"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Build one deck with a slide for each mistake; give what is said, and the lines of each slide."""
    text, places = "# The deck\n\n", {}
    for what, (planted, _) in MISTAKES.items():
        first = text.count("\n") + 1
        text += f"## {what.capitalize()}\n\nA line.\n\n{planted}\n\n"
        places[what] = range(first, text.count("\n") + 1)
        text += NOTES + "\n"
    with pytest.MonkeyPatch.context() as patch:
        course = _course(tmp_path_factory.mktemp("course"), patch)
        with pytest.raises(ValueError) as caught:
            _build(course, text)
        assert not (course / "out").exists()
    return str(caught.value), places


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_stops_the_build_with_file_and_line(told, what):
    said, places = told
    lines = [line for line in said.splitlines() if MISTAKES[what][1] in line]
    found = [re.match(r"  slides/01_deck\.md:(\d+): ", line) for line in lines]
    assert any(match and int(match[1]) in places[what] for match in found), said


LACKING = [
    ("# Deck\n\n## \n\nText.\n\n" + NOTES, 3, "no title"),
    ("# Deck\n\n## Here\n\nText.\n", 3, "no speaker notes"),
    ("# Deck\n\n## Here\n\n" + NOTES, 3, "is empty"),
    ("Text.\n\n# Deck\n", 1, "above the first heading"),
    ("# Deck\n\n## Here\n\nText.\n\n```{notes}\n\nSay it.\n```\n", 7, ":minutes:"),
    ("# Deck\n\n## Here\n\nText.\n\n```{notes}\n:minutes: many\n\nSay it.\n```\n", 7, "minutes"),
    ("# Deck\n\n## Here\n\nText.\n\n```{notes}\n:minutes: 2\n```\n", 7, "empty"),
    (
        "# Deck\n\n## Here\n\nText.\n\n```{notes}\n:minutes: 2\n\nIt cost $99.\n```\n",
        10,
        "'$99' was typed",
    ),
    ("# Deck\n\n## Here\n\nTwo lines,\nthen {measured}`demo.no`.\n\n" + NOTES, 6, "no claim"),
    ("# Again\n\n```{lesson-openers} 1\n```\n", 3, "lesson 01 has an opener already"),
]


def test_a_slide_lacks_what_a_slide_needs(course):
    for number, (text, _, _) in enumerate(LACKING):
        (course / "slides" / f"{10 + number}_part.md").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        _build(course)
    told = str(caught.value)
    assert int(re.search(r"(\d+) to mend:", told)[1]) == told.count("\n  slides/") >= len(LACKING)
    for number, (_, place, said) in enumerate(LACKING):
        line = rf"^  slides/{10 + number}_part\.md:{place}: .*{re.escape(said)}"
        assert re.search(line, told, re.MULTILINE), (said, told)


def test_a_lesson_without_an_opener_is_missed(course):
    with pytest.raises(ValueError, match="lesson 01 exists and has no opener"):
        _build(course, f"# Deck\n\n## Here\n\nText.\n\n{NOTES}")


@pytest.mark.parametrize("text", ["", "% a comment\n"])
def test_a_deck_without_a_slide_is_none(course, text):
    (course / "notebooks" / "solutions" / "01_demo.ipynb").unlink()
    with pytest.raises(ValueError, match="there is no slide"):
        _build(course, text)


# --- what is quoted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("demo.share", "0.9649"),
        ("demo.share as percent", "96 %"),
        ("demo.share as points", "96 points"),
        ("demo.share as 1 digit", "1"),
        ("demo.bill", "$1,234"),
        ("demo.bill as 2 digits", "$1,200"),
    ],
)
def test_a_value_is_told_as_asked(course, given, text):
    assert quotes.Quotes(course).measured(given).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9996, "99.96 %"),
        (0.0312, "3.1 %"),
        (1.0, "100 %"),
        (0, "0 %"),
        (0.0004, "0.040 %"),
        (-0.5, "-50 %"),
        (2.5, "250 %"),
    ],
)
def test_a_share_is_neither_all_nor_nothing_unless_it_is(course, monkeypatch, value, text):
    looked = quotes.Quotes(course)
    payload = {"id": "a.b", "measured": value, "shown": "x", "unit": "", "holds": True, "kind": "measured"}
    monkeypatch.setattr(looked, "_payload", lambda id: ({**payload, "source": "", "tolerance": 1}, "01_demo"))
    assert looked.measured("a.b as percent").text == text


@pytest.mark.parametrize("given", ["demo.bill as percent", "demo.share as fraction", ""])
def test_a_form_that_does_not_fit_is_refused(course, given):
    with pytest.raises(ValueError):
        quotes.Quotes(course).measured(given)


def test_a_live_value_says_that_it_varies(course):
    assert quotes.Quotes(course).measured("demo.timing").source == (
        "demo.timing (lesson 01, true in our world, differs from run to run)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "85 %",
        "85%",
        "$648",
        "1,200 rows",
        "0.83 of them",
        "twice, .5",
        "3x faster",
        "2.5× faster",
        "40 machines",
    ],
)
def test_a_typed_figure_is_seen(text):
    assert quotes.typed_figures(f"It was {text} then.")


@pytest.mark.parametrize(
    "text",
    [
        "Sculley et al. 2015",
        "lesson 11",
        "lessons 04, 05 and 06",
        "at 2 am",
        "five",
        "L10",
        "CS329S",
        "top-3",
    ],
)
def test_what_is_no_figure_is_left_alone(text):
    assert quotes.typed_figures(f"See {text} then.") == []


def test_every_lesson_of_the_course_has_what_an_opener_needs():
    numbers = lesson_openers.existing(ROOT)
    assert "00" in numbers
    for number in numbers:
        card = lesson_openers.card(number, ROOT)
        assert card.title and card.goal and card.time and card.core, number


# --- pictures -----------------------------------------------------------------------------------------------


def _figure(*places, size=(6, 4)):
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for x, y, text in places:
        axes.text(x, y, text, transform=axes.transAxes, fontsize=12)
    return figure


def test_text_that_overlaps_is_found_and_text_that_does_not_is_left_alone():
    assert figures.text_problems(_figure((0.1, 0.5, "belt"), (0.6, 0.5, "handheld"))) == []
    assert figures.text_problems(_figure((0.1, 0.5, "belt"), (0.12, 0.51, "handheld"))) == [
        "the texts 'belt' and 'handheld' overlap"
    ]


def test_text_beyond_the_edge_is_found():
    assert figures.text_problems(_figure((0.95, 0.5, "handheld"))) == [
        "the text 'handheld' is cut off by the picture's edge"
    ]


def test_tick_labels_that_overlap_are_found_and_hidden_ones_are_not():
    figure = Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.set_xticks(range(8), [f"category {number}" for number in range(8)])
    assert any("category" in found for found in figures.text_problems(figure))
    axes.xaxis.set_visible(False)
    assert not any("category" in found for found in figures.text_problems(figure))
    axes.xaxis.set_visible(True)
    axes.set_axis_off()
    assert figures.text_problems(figure) == []


def test_ticks_outside_the_view_do_not_count():
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    axes.set_xticks([0, 1, 1.001], ["zero", "one", "beyond"])
    axes.set_xlim(0, 1)
    assert figures.text_problems(figure) == []


def test_a_text_of_several_lines_does_not_overlap_itself():
    assert figures.text_problems(_figure((0.1, 0.5, "belt\nscanner\nof the packhouse"))) == []


def test_a_drawing_has_the_size_it_says(course):
    drawn = figures.picture("mlops_lab.slide_figures:drawing")
    assert (drawn.width_in, drawn.height_in, drawn.smallest_pt) == (10, 5, None)


@pytest.mark.parametrize(
    "text",
    [
        "<svg",
        "<html></html>",
        '<svg width="1" height="1"><image href="a.png"/></svg>',
        '<svg width="1" height="1"><style>a{fill:url(http://x)}</style></svg>',
        "<svg></svg>",
    ],
)
def test_a_text_that_is_no_lonely_svg_is_refused(course, monkeypatch, text):
    monkeypatch.setattr(sys.modules["mlops_lab.slide_figures"], "drawing", lambda: text)
    with pytest.raises(ValueError):
        figures.picture("mlops_lab.slide_figures:drawing")


def test_a_picture_is_the_same_whatever_the_settings_of_matplotlib(course):
    import matplotlib

    plain = figures.picture("mlops_lab.slide_figures:good", size=(7, 3))
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red"}):
        assert figures.picture("mlops_lab.slide_figures:good", size=(7, 3)) == plain
    assert plain.smallest_pt == 10 and plain.problems == ()


# --- the browser that prints, and the command ---------------------------------------------------------------


def test_no_browser_is_said_before_anything_is_built(course, monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    monkeypatch.setattr(pdf, "_PLACES", {})
    with pytest.raises(ValueError, match="no Chromium, Chrome or Edge"):
        _build(course, pdf=True)
    assert not (course / "out").exists()


@pytest.mark.parametrize("name", ["win32", "darwin"])
def test_a_browser_is_found_where_the_system_keeps_it(tmp_path, monkeypatch, name):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    monkeypatch.setenv("PROGRAMFILES", str(tmp_path))
    place = tmp_path / "Edge"
    place.touch()
    monkeypatch.setitem(pdf._PLACES, name, ("Edge",) if name == "win32" else (str(place),))
    assert pdf.find(name) == place


def test_a_browser_that_fails_is_quoted(tmp_path):
    page = tmp_path / "print.html"
    page.touch()
    with pytest.raises(ValueError, match="could not print"):
        pdf.print_pdf(Path(sys.executable), page, tmp_path / "slides.pdf")


@pytest.mark.slow
def test_nothing_but_the_build_imports_sphinx():
    code = "import sys; import mlops_lab.cli, mlops_lab.lesson, mlops_lab.slides.deck as d\n"
    code += "assert not {'sphinx', 'docutils', 'sphinx_revealjs'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_command_passes_on_what_is_asked(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(cli.environment, "apply", lambda: None)
    monkeypatch.setattr(deck, "build", lambda *given, **named: calls.append((given, named)) or 0)
    assert cli.main(["slides"], tmp_path) == 0
    assert cli.main(["slides", "--pdf", "--open", "--to", "there"], tmp_path) == 0
    assert calls == [
        ((tmp_path,), {"to": None, "pdf": False, "show": False}),
        ((tmp_path,), {"to": Path("there"), "pdf": True, "show": True}),
    ]


def test_the_command_installs_what_slides_need():
    assert cli.EXTRAS["slides"] == ("slides",)
    assert "slides" in cli.EXTRAS["test"], "the tests build slides, too"


def test_without_the_packages_the_way_out_is_named(course, monkeypatch):
    for name in ("slide_layout", "directives", "write_html"):
        monkeypatch.delitem(sys.modules, f"mlops_lab.slides.{name}", raising=False)
        monkeypatch.delattr(f"mlops_lab.slides.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "sphinx.application", None)
    with pytest.raises(ValueError, match="python -m mlops_lab slides"):
        _build(course)


# --- pictures drawn ahead -----------------------------------------------------------------------------------


def test_pictures_drawn_ahead_are_those_that_slides_ask_for(course):
    (course / "slides" / "01_deck.md").write_text(GOOD, encoding="utf-8")
    assert figures.asked_for([course / "slides" / "01_deck.md"]) == [
        ("mlops_lab.slide_figures:good", (7.0, 3.0), {"weeks": 3})
    ]


@pytest.mark.slow
def test_a_picture_drawn_ahead_is_the_same_and_a_failing_one_is_left_out(monkeypatch):
    monkeypatch.setattr(figures.os, "cpu_count", lambda: 2)
    wanted = [(f"mlops_lab.slides.pictures:{name}", None, {}) for name in ("ml_system", "life_cycle")]
    wanted += [("mlops_lab.load:daily_curve", None, {}), ("mlops_lab.nowhere:f", None, {})]
    made = {one[0]: drawn for one, drawn in figures.draw_ahead(wanted)}
    assert made == {name: figures.picture(name) for name, _, _ in wanted[:2]}


def test_a_few_pictures_are_not_worth_the_processes(monkeypatch):
    monkeypatch.setattr(figures, "ProcessPoolExecutor", None)
    assert figures.draw_ahead([("mlops_lab.slides.pictures:ml_system", None, {})] * 3) == []


def test_where_axe_cannot_be_had_its_test_is_skipped_aloud_and_fails_where_told(tmp_path, monkeypatch):
    monkeypatch.setattr(axe_core, "KEPT", tmp_path)
    monkeypatch.setattr(axe_core.shutil, "which", lambda name: None)
    monkeypatch.delenv("MLOPS_LAB_REQUIRE", raising=False)
    with pytest.warns(UserWarning, match="skipped: axe-core"), pytest.raises(pytest.skip.Exception):
        axe_core.script()
    monkeypatch.setenv("MLOPS_LAB_REQUIRE", "chromium,axe")
    with pytest.raises(pytest.fail.Exception, match="skipped: axe-core"):
        axe_core.script()


def test_another_axe_than_ours_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(axe_core, "KEPT", tmp_path)
    script = tmp_path / "node_modules" / "axe-core" / "axe.min.js"
    script.parent.mkdir(parents=True)
    script.write_text("alert(1)", encoding="utf-8")
    with pytest.raises(AssertionError, match="is not axe-core"):
        axe_core.script()
