"""The estimate of a lesson's minutes: counted from the page, written by the build, held by the linter."""

import copy

import nbformat
import planted
import pytest

from mlops_lab.course import lint
from mlops_lab.course.notebooks import text_of
from mlops_lab.course.time import Estimate, estimate, with_time

SOUND = planted.finished()


def page(*cells):
    return {
        "cells": [nbformat.v4.new_markdown_cell(each) if isinstance(each, str) else each for each in cells]
    }


def card(**payload):
    data = {"application/vnd.mlops-lab+json": payload, "text/html": "<p>x</p>"}
    return nbformat.v4.new_code_cell(
        "claim('a.b', 1)", outputs=[nbformat.v4.new_output("display_data", data=data)]
    )


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("word " * 230, 1.0),
        ("```\n" + "code " * 500 + "\n```", 0.0),
        (nbformat.v4.new_code_cell("x = 1"), 0.2),
        (card(type="claim", text="word " * 23), 0.4),
        (card(type="prediction", question="word " * 23, options=["text " * 23, "more " * 23]), 1.3),
        (card(type="reveal", because="word " * 23, answer="said " * 99), 0.1),
        (card(type="check", message="word " * 99), 8.5),
        (card(type="hint"), 0.0),
    ],
)
def test_each_thing_on_the_page_takes_its_minutes(cell, minutes):
    assert estimate(page(cell)).core == pytest.approx(minutes, abs=0.01)


def test_a_table_is_read():
    table = nbformat.v4.new_output("execute_result", data={"text/html": '<table class="dataframe">x</table>'})
    assert estimate(page(nbformat.v4.new_code_cell("x", outputs=[table]))).core == pytest.approx(1.7)


def test_a_section_is_core_unless_its_heading_says_deeper():
    core, deeper, again = (
        f"## {n} Part ({part})\n" + "word " * 460 for n, part in enumerate(("core", "deeper", "core"))
    )
    found = estimate(page("word " * 230, core + "\n" + deeper, nbformat.v4.new_code_cell("x = 1"), again))
    assert found.core == pytest.approx(5, abs=0.05) and found.deeper == pytest.approx(2.2, abs=0.05)


def test_the_line_is_written_and_does_not_count():
    minutes = Estimate(58.2, 12.0)
    notebook = with_time(page("# A\n\n> **Time** ages, and " + "more " * 500 + "\n>\n> x", "Text."), minutes)
    assert (
        "> **Time** about 60 minutes and 15 more for the deeper sections, by our estimate.\n>\n> x"
        in text_of(notebook["cells"][0])
    )
    assert estimate(notebook).core < 0.1


def codes(notebook, name=planted.NAME):
    return {broken.code for broken in lint.notebook_rules(notebook, name, source=True)}


def test_a_line_that_was_typed_is_found():
    notebook = copy.deepcopy(SOUND)
    box = next(cell for cell in notebook["cells"] if "**Time**" in text_of(cell))
    box["source"] = box["source"].replace(str(estimate(SOUND)), "45 minutes")
    assert codes(notebook) == {"L12"}


@pytest.mark.parametrize("part", ["core", "deeper"])
def test_a_part_beyond_its_limit_is_found_where_the_limit_binds(part):
    notebook = copy.deepcopy(SOUND)
    place = next(n for n, cell in enumerate(notebook["cells"]) if text_of(cell).startswith("## Exercises"))
    text = f"## 2 Long ({part})\n" + "".join(
        f"word{chr(97 + n % 26)}{chr(97 + n // 26 % 26)} " for n in range(60 * 230)
    )
    notebook["cells"].insert(place, nbformat.v4.new_markdown_cell(text))
    assert "L13" not in codes(notebook)
    assert "L13" in codes(notebook, "15_start_here")
