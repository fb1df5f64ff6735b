"""A sound lesson is let through, and nobody fools the linter: each planted breach is found by its rule."""

import copy
import re
from pathlib import Path

import nbformat
import planted
import pytest

from mlops_lab.course import lint
from mlops_lab.course.build import derived, written_texts
from mlops_lab.course.notebooks import normalised, read, text_of, write

SOUND = planted.finished()
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def find(notebook, part: str):
    return next(cell for cell in notebook["cells"] if part in text_of(cell))


def codes(notebook, *, source: bool = True) -> set[str]:
    return {broken.code for broken in lint.notebook_rules(notebook, planted.NAME, source=source)}


def renumbered(notebook):
    """Execution counts as after a run from the top, and outputs as the calls would give them."""
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
    return notebook


def added(source: str, *, after: str = "claim(\n", outputs=None):
    """Plant a code cell."""

    def plant(notebook):
        place = notebook["cells"].index(find(notebook, after)) + 1
        cell = nbformat.v4.new_code_cell(
            source, outputs=planted.outputs(source) if outputs is None else outputs
        )
        notebook["cells"].insert(place, cell)
        renumbered(notebook)

    return plant


def replaced(part: str, old: str, new: str):
    """Change the source of a cell."""

    def plant(notebook):
        cell = find(notebook, part)
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)

    return plant


def rewritten(part: str, new: str):
    def plant(notebook):
        find(notebook, part)["source"] = new

    return plant


def stored(*outputs, **metadata):
    """Plant outputs in an ordinary cell."""

    def plant(notebook):
        find(notebook, "spread.round")["outputs"] = [nbformat.v4.new_output(**each) for each in outputs]

    return plant


def printed(text: str, name: str = "stdout"):
    return stored({"output_type": "stream", "name": name, "text": text})


def html(text: str):
    return stored({"output_type": "display_data", "data": {"text/html": text, "text/plain": "a table"}})


def image(**about):
    data = {"image/png": PIXEL, "text/plain": "figure"}
    return stored({"output_type": "display_data", "data": data, "metadata": {"image/png": about}})


def removed(part: str):
    def plant(notebook):
        notebook["cells"].remove(find(notebook, part))
        renumbered(notebook)

    return plant


def swapped(one: str, other: str):
    def plant(notebook):
        cells = notebook["cells"]
        i, j = cells.index(find(notebook, one)), cells.index(find(notebook, other))
        cells[i], cells[j] = cells[j], cells[i]
        renumbered(notebook)

    return plant


def tagged(tag: str):
    def plant(notebook):
        find(notebook, "spread.round")["metadata"] = {"tags": [tag]}

    return plant


def counted(change):
    def plant(notebook):
        find(notebook, "spread.round")["execution_count"] = change

    return plant


def failed(notebook):
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="1", traceback=[])
    find(notebook, "spread.round")["outputs"] = [error]


def typed_value(name: str, key: str, value):
    def plant(notebook):
        data = find(notebook, name)["outputs"][0]["data"]
        data["application/vnd.mlops-lab+json"][key] = value

    return plant


def without_outputs(part: str):
    def plant(notebook):
        find(notebook, part)["outputs"] = []

    return plant


FILLER = "a long line of words that says the very same thing over and over again\n" * 9


def padded(text: str):
    """Plant many code cells, with something between them that is no prose."""

    def plant(notebook):
        place = notebook["cells"].index(find(notebook, "def scatter"))
        for n in range(24):
            pair = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(f"a{n} = {n}")]
            notebook["cells"][place:place] = pair
        renumbered(notebook)

    return plant


PLANTED = {
    # the structure
    "a title that claims nothing": (replaced("# 00", "?", "."), "L01"),
    "another lesson's number": (replaced("# 00", "# 00", "# 07"), "L01"),
    "no time in the box": (replaced("**Time**", "> **Time** 30 minutes.", "Soon."), "L02"),
    "work among the imports": (replaced("import numpy", "import pandas as pd", "x = 1"), "L03"),
    "a seed that is not 0": (rewritten("seed = 0", "seed = 1"), "L04"),
    "two parameters cells": (
        lambda nb: find(nb, "spread.round").update(metadata={"tags": ["parameters"]}),
        "L04",
    ),
    "a section without its mark": (replaced("## 1", " (core)", ""), "L05"),
    "a section out of number": (replaced("## 1", "## 1", "## 2"), "L05"),
    "code without a word before": (
        replaced("## 1", text_of(find(SOUND, "## 1")), "## 1 One idea (core)"),
        "L06",
    ),
    "an ending in another order": (swapped("## In the wild", "## With LLMs"), "L07"),
    "no exercises": (replaced("## Exercises", "## Exercises", "Exercises"), "L07"),
    "an incident without a source": (replaced("## In the wild", "](https", "] (https"), "L08"),
    "no word on what stays": (replaced("## With LLMs", "does not", "stays"), "L08"),
    "two links instead of three": (replaced("## What you can", "(https://ml-ops.org)", ""), "L09"),
    "something left to do": (replaced("## 1", "First say", "TO" + "DO say"), "L11"),
    # prose that is none
    "repeated prose": (padded(FILLER), "L10"),
    "prose in a code fence": (padded("```\n" + "word " * 60 + "\n```"), "L10"),
    "prose in an address": (padded("[a](https://a.b/" + "/word" * 60 + ")"), "L10"),
    "prose in a comment": (padded("<!-- " + "word " * 60 + "-->"), "L10"),
    "a comment left in the text": (padded("<!-- write this -->"), "L11"),
    # cells
    "a long cell": (added("\n".join(f"a{n} = {n}" for n in range(16))), "L20"),
    "a cell that blank lines make long": (added("\n\n\n".join(f"a{n} = {n}" for n in range(6))), "L20"),
    "a long cell in one line": (added("; ".join(f"a{n} = {n}" for n in range(16))), "L20"),
    "a long cell in one wide line": (added("a = [" + "1, " * 600 + "]"), "L20"),
    "many cells in a row": (lambda nb: [added(f"a{n} = {n}")(nb) for n in range(7)], "L21"),
    "a shell line": (added("!ls"), "L22"),
    "a magic": (added("%timeit 1"), "L22"),
    "a magic that assigns": (added("files = !ls"), "L22"),
    "an automatic magic": (added("ls"), "L22"),
    "pip without a sign": (added("pip install evidently"), "L22"),
    "help": (added("np.mean?"), "L22"),
    "a magic by its function": (added("get_ipython().system('ls')"), "L22"),
    "a shell by os": (added("import os\nos.system('ls')"), "L22"),
    "a shell handed on": (added("import os\ndo = os.system"), "L22"),
    "a shell imported": (added("from os import system as run"), "L22"),
    "pip by subprocess": (
        added("import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'list'])"),
        "L22",
    ),
    "a download": (added("pd.read_csv('https://example.org/a.csv')"), "L23"),
    "a data set of scikit-learn": (
        added("from sklearn import datasets\ndatasets.fetch_openml('adult')"),
        "L23",
    ),
    "one imported": (added("from sklearn.datasets import fetch_openml as load"), "L23"),
    "one handed on": (added("load = datasets.fetch_openml"), "L23"),
    "requests": (added("import requests as r"), "L23"),
    "urllib": (added("from urllib.request import urlopen"), "L23"),
    "a socket": (added("import socket"), "L23"),
    "an import by name": (added("import importlib\nimportlib.import_module('requests')"), "L27"),
    "a picture from elsewhere": (replaced("## 1", "First", "![a plot](https://a.b/c.png) First"), "L23"),
    "a semicolon": (added("np.arange(3);"), "L24"),
    "a semicolon before a comment": (added("np.arange(3);  # shown below"), "L24"),
    "a semicolon above": (added("np.arange(3);\nx = 1"), "L24"),
    "no Python": (added("def f(:"), "L25"),
    "a tag for nbval": (tagged("nbval-ignore-output"), "L26"),
    "a tag that allows errors": (tagged("raises-exception"), "L26"),
    "a comment for nbval": (added("# NBVAL_IGNORE_OUTPUT\n1"), "L26"),
    "a comment for ruff": (added("l = 1  # noqa: E741"), "L26"),
    "exec": (added("exec('import requests')"), "L27"),
    "the end of the kernel": (added("raise SystemExit"), "L27"),
    "the end by sys": (added("import sys\nsys.exit()"), "L27"),
    "strictness off": (added("import os\nos.environ['MLOPS_LAB_STRICT'] = '0'"), "L27"),
    # the calls that teach
    "a claim of another topic": (replaced("claim(\n", "start_here.settles", "other.settles"), "L30"),
    "a claim's id computed": (replaced("claim(\n", '"start_here.settles"', 'f"start_here.{seed}"'), "L30"),
    "a claim twice": (
        added('claim("Again.", spread[10], id="start_here.settles", at_least=0)', after="claim(\n"),
        "L30",
    ),
    "a claim of nothing": (added('claim("Yes.", 1 + 1, id="start_here.yes", at_least=0)'), "L30"),
    "no claim": (removed("claim(\n"), "L30"),
    "a check of another exercise": (replaced("check(", "start_here.1", "start_here.9"), "L31"),
    "a check without the seed": (replaced("check(", ", seed=seed", ""), "L31"),
    "a check of a constant": (replaced("check(", ", answer,", ", 40,"), "L31"),
    "a check of its own seed": (replaced("check(", "seed=seed", "seed=0"), "L31"),
    "no hint": (removed("hint("), "L31"),
    "a solution left open": (replaced("check(", "### END SOLUTION\n", ""), "L31"),
    "a solution without markers": (
        replaced("check(", "### BEGIN SOLUTION\nanswer = 10 * 2**2\n### END SOLUTION", "answer = 40"),
        "L31",
    ),
    "a solution of another name": (replaced("check(", "answer = 10", "result = 10"), "L31"),
    "a solution that others need": (
        lambda nb: [
            replaced("check(", "answer = 10 * 2**2", "n = 40\nanswer = n")(nb),
            added("n + 1", after="hint(")(nb),
        ],
        "L31",
    ),
    "no prediction": (removed("predict(\n"), "L32"),
    "a prediction after the run": (swapped("predict(\n", "reveal(\n"), "L32"),
    "revealed at once": (lambda nb: [removed("def scatter")(nb), removed("spread.round")(nb)], "L32"),
    "never revealed": (removed("reveal(\n"), "L32"),
    "a claim in a try": (
        added('try:\n    claim("A.", spread[10], id="start_here.a", at_least=0)\nfinally:\n    pass'),
        "L33",
    ),
    "a claim in an expression": (
        added('claim("A.", spread[10], id="start_here.a", at_least=0) if seed else 0'),
        "L33",
    ),
    "a claim by its module": (
        added('import mlops_lab.lesson as c\nc.claim("A.", seed, id="b.a", at_least=0)'),
        "L33",
    ),
    "a claim renamed": (replaced("import numpy", "check, claim,", "check, claim, claim as say,"), "L33"),
    "a claim handed on": (added("say = claim"), "L33"),
    "a claim replaced": (added("def claim(*given, **named):\n    pass"), "L33"),
    "a check replaced": (added("check = print"), "L33"),
    "a claim that does not hold": (typed_value("claim(\n", "holds", False), "L34"),
    "a solution that is not right": (typed_value("check(", "outcome", "not yet"), "L34"),
    "a claim that was not shown": (without_outputs("claim(\n"), "L34"),
    # texts, and what tells an answer
    "a claim without an id": (replaced("claim(\n", '    id="start_here.settles",\n', ""), "L35"),
    "a sentence computed": (replaced("claim(\n", '    "A hundred', '    f"A hundred'), "L35"),
    "an option that no value reaches": (replaced("predict(\n", "ratio > 0.03", "ratio > 0.6"), "L35"),
    "options that overlap": (replaced("predict(\n", "ratio > 0.03", "ratio < 0.7"), "L35"),
    "a value for which no option holds": (replaced("predict(\n", "otherwise", "ratio < 0.02"), "L35"),
    "a condition that computes": (replaced("predict(\n", "ratio > 0.03", "ratio * 2 > 0.06"), "L35"),
    "a value that is not passed": (replaced("reveal(\n", "ratio=", "share="), "L35"),
    "a field that is not passed": (replaced("reveal(\n", "{ratio:", "{share:"), "L35"),
    "a value for nothing": (replaced("reveal(\n", "    because", "    more=1,\n    because"), "L35"),
    "a picture without an id": (added('picture(ax, "Accuracy falls from week to week.")'), "L35"),
    "a word before the answer": (
        lambda nb: nb["cells"].insert(
            nb["cells"].index(find(nb, "def scatter")), nbformat.v4.new_markdown_cell("It falls.")
        ),
        "L37",
    ),
    "three cells before the answer": (added("a = 1", after="def scatter"), "L37"),
    "a title before the answer": (replaced("spread.round", "round(2)", "plot(title='It falls')"), "L37"),
    "a comment before the answer": (replaced("spread.round", "round(2)", "round(2)  # falls"), "L37"),
    # what is stored
    "never run": (counted(None), "L40"),
    "run out of order": (counted(3), "L40"),
    "an empty cell": (added(""), "L40"),
    "an error": (failed, "L41"),
    "a warning": (printed("DeprecationWarning", "stderr"), "L42"),
    "a progress bar": (printed("100%|██████████| 3/3 [00:00<00:00, 9.1it/s]"), "L42"),
    "a rewritten line": (printed("1 of 3\r2 of 3"), "L42"),
    "a home folder": (printed("saved to /home/ada/model.skops"), "L43"),
    "a folder of macOS": (printed("'/Users/ada/model'"), "L43"),
    "a folder of Windows": (printed(r"C:\Users\ada"), "L43"),
    "a temporary folder": (printed("PosixPath('/tmp/abc/x')"), "L43"),
    "a file's address": (printed("file:///tmp/x"), "L43"),
    "an object's address": (printed("<function f at 0x7f3a2c41b1c0>"), "L44"),
    "a random id": (printed("run 123e4567-e89b-12d3-a456-426614174000"), "L44"),
    "a port": (printed("listening on http://127.0.0.1:40213"), "L44"),
    "scikit-learn's HTML": (html('<div class="sk-top-container">x</div>'), "L45"),
    "a script": (html("<script>alert(1)</script>"), "L45"),
    "a style for the page": (html("<style>p {color: red}</style>"), "L45"),
    "an id made by chance": (html('<div id="x9">x</div>'), "L45"),
    "an image in HTML": (html('<img src="data:image/png;base64,AA==">'), "L45"),
    "a widget": (
        stored(
            {
                "output_type": "display_data",
                "data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": ""},
            }
        ),
        "L45",
    ),
    "HTML alone": (stored({"output_type": "display_data", "data": {"text/html": "<p>x</p>"}}), "L45"),
    "a picture without words": (image(), "L46"),
    "a picture with an empty word": (image(alt="   "), "L46"),
    "a picture with one word": (image(alt="figure"), "L46"),
    "a picture in the text": (replaced("## 1", "First", "![](a.png) First"), "L46"),
    "a payload of no type": (typed_value("claim(\n", "type", "verdict"), "L47"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_breach_is_found_by_its_rule(name):
    plant, code = PLANTED[name]
    notebook = copy.deepcopy(SOUND)
    plant(notebook)
    assert code in codes(notebook), lint.notebook_rules(notebook, planted.NAME, source=True)


def test_a_sound_lesson_breaks_no_rule():
    assert lint.notebook_rules(SOUND, planted.NAME, source=True) == []


ALLOWED = {
    "a table of pandas": html(
        '<div>\n<style scoped>\n.dataframe {}\n</style>\n<table class="dataframe">x</table></div>'
    ),
    "a described picture": image(alt="Accuracy falls from week to week."),
    "a model that predicts": added("grades = model.predict(spread)"),
    "an expression compiled": added("import re\nfound = re.compile('a').search('abc')"),
    "a semicolon in a text": added("print('a;')"),
    "a per cent sign that divides": added("rest = (\n    7\n    % 3\n)"),
    "a shell sign in a text": added('text = """\n!ls\n"""'),
    "a server on this machine": added("address = 'http://127.0.0.1:8000'"),
    "a column called requests": added("spread['requests'] = 1"),
    "a live port": printed("The server listens on ‹127.0.0.1:40213›."),
    "a share like a path": printed("read/write 1/2, and/or"),
    "six cells after each other": lambda nb: [added(f"a{n} = {n}", after="reveal(\n")(nb) for n in range(2)],
    "a reported number": added(
        'claim("A.", 0.11, id="start_here.reported", at_least=0.1, kind="reported", source="Who, 2020")'
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_good_is_let_through(name):
    notebook = copy.deepcopy(SOUND)
    ALLOWED[name](notebook)
    assert codes(notebook) == set()


def test_a_finding_says_where_what_and_how_to_go_on():
    notebook = copy.deepcopy(SOUND)
    added("!ls")(notebook)
    (finding,) = lint.notebook_rules(notebook, planted.NAME, source=True)
    place = notebook["cells"].index(find(notebook, "!ls"))
    assert str(finding) == (
        f"solutions/00_start_here, cell {place}: L22 '!ls' is no Python: use a function a student can read"
    )


@pytest.fixture
def course(tmp_path):
    """The sound lesson and its copy, as files."""
    lesson = planted.course(tmp_path, SOUND)
    student, texts = derived(SOUND, "start_here")
    lesson.texts.parent.mkdir(parents=True)
    lesson.texts.write_text(written_texts(texts), encoding="utf-8")
    for cell, original in zip(student["cells"], SOUND["cells"], strict=True):
        if cell["cell_type"] == "code":
            cell.update(
                execution_count=original["execution_count"], outputs=copy.deepcopy(original["outputs"])
            )
    check = find(student, "check(")["outputs"][0]["data"]["application/vnd.mlops-lab+json"]
    check["outcome"] = "not attempted"
    write(student, lesson.copy)
    return lesson


def test_a_sound_course_passes(course, capsys):
    assert lint.main([], root=course.root) == 0
    assert "1 lessons, 0 broken rules" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("answer = ...", "answer = 40", "its source differs from what the source gives"),
        ("## With LLMs", "## With  LLMs", "its source differs"),
        ('"cell_type"', '\n"cell_type"', "not in normal form"),
        ("\n", "\r\n", "not in normal form"),
    ],
)
def test_a_stale_or_edited_copy_is_found(course, capsys, old, new, found):
    text = course.copy.read_bytes().decode()
    assert old in text
    course.copy.write_bytes(text.replace(old, new).encode())
    assert lint.main(["0"], root=course.root) == 1
    assert found in capsys.readouterr().out


@pytest.mark.parametrize(
    "text", ["about a hundredth as far", "make the means\nscatter at most a fifth as far"]
)
def test_a_text_that_tells_an_answer_on_the_students_page_is_found(course, capsys, text):
    changed = normalised(SOUND)
    telling = "A hundred times as many readings " + text if "means" in text else f"It is {text}."
    find(changed, "A section goes")["source"] += f" {telling}"
    student = read(course.copy)
    find(student, "A section goes")["source"] += f" {telling}"
    write(changed, course.source)
    write(student, course.copy)
    assert lint.main([], root=course.root) == 1
    assert "L36" in capsys.readouterr().out


@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_texts_that_are_not_the_sources_are_found(course, capsys, harm):
    if harm == "changed":
        course.texts.write_text(course.texts.read_text().replace("a tenth", "a fifth"))
    else:
        course.texts.unlink()
    assert lint.main([], root=course.root) == 1
    assert "its texts" in capsys.readouterr().out


def test_a_changed_source_makes_the_copy_stale(course, capsys):
    changed = normalised(SOUND)
    changed["cells"][0]["source"] += " One more sentence."
    write(changed, course.source)
    assert lint.main([], root=course.root) == 1
    assert "00_start_here, cell 0: L00 cell 0: its source differs" in capsys.readouterr().out


def test_a_missing_copy_is_named(course, capsys):
    course.copy.unlink()
    assert lint.main([], root=course.root) == 1
    assert "L00 00_start_here.ipynb is missing: run build 00_start_here" in capsys.readouterr().out


def test_every_code_that_a_rule_gives_is_explained_in_its_module():
    folder = Path(lint.__file__).parent
    for name in ("lint_structure", "lint_code", "lint_calls", "lint_texts", "lint_outputs"):
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        docstring, rest = text.split('"""')[1], text.split('"""', 2)[2]
        for code in set(re.findall(r'yield \(?\s*"(L\d\d)"', rest)):
            explained = {
                f"L{n:02d}"
                for a, b in re.findall(r"L(\d\d)-L(\d\d)", docstring)
                for n in range(int(a), int(b) + 1)
            }
            elsewhere = code in ("L45", "L46") and name == "lint_code"
            assert code in docstring or code in explained or elsewhere, (name, code)
