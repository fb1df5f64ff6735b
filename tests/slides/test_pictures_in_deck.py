"""The deck and its pictures fit: all are shown, drawings are marked, the lecture is covered in its time."""

import re
from pathlib import Path

from mlops_lab.slides import pictures

ROOT = Path(__file__).parents[2]
DECK = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "slides").glob("[0-9][0-9]_*.md"))
)
FIGURE = re.compile(r"^```\{package-figure\} mlops_lab\.slides\.pictures:(\w+)\n((?::.*\n)+)```$", re.M)
SHOWN = dict(FIGURE.findall(DECK))


def unmarked(shown, drawings):
    """Name the drawings that a deck shows as measurements, and the measurements that it calls drawings."""
    return [name for name, options in shown.items() if (":schematic:" in options) != (name in drawings)]


def test_every_picture_is_shown():
    assert {*SHOWN} == {*pictures.__all__} - {"DRAWINGS"}


def test_what_is_no_measurement_says_so():
    assert unmarked(SHOWN, pictures.DRAWINGS) == []


def test_a_drawing_without_its_mark_is_found_and_so_is_a_mark_on_a_measurement():
    assert unmarked({"nine_tasks": ":alt: x\n"}, pictures.DRAWINGS) == ["nine_tasks"]
    assert unmarked({"load_bills": ":alt: x\n:schematic:\n"}, pictures.DRAWINGS) == ["load_bills"]


def test_all_parts_of_the_lecture_are_named():
    named = {int(number) for number in re.findall(r"\{lecture\}`L(\d+)", DECK)}
    assert named == set(range(1, 16))


def test_the_notes_add_up_to_one_lecture():
    minutes = [float(number) for number in re.findall(r"^:minutes: ([\d.]+)$", DECK, re.M)]
    assert sum(minutes) == 90


def test_the_deck_is_as_long_as_a_lecture_bears():
    assert 35 <= len(re.findall(r"^## ", DECK, re.M)) <= 45


def test_every_slide_asks_the_room_and_names_a_misconception():
    slides = re.split(r"^## ", DECK, flags=re.M)[1:]
    silent = [slide.splitlines()[0] for slide in slides if ":ask:" not in slide]
    assert silent == []
    assert sum(":misconception:" in slide for slide in slides) == len(slides)
