"""The lecture's pictures: the same bytes in every process, readable from the last row, in both themes."""

import functools
import itertools
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from matplotlib.text import Text

from mlops_lab import load
from mlops_lab.slides import figures, pictures
from mlops_lab.slides.pictures import around_the_model, drawing, tasks_and_life_cycle, varying_load
from mlops_lab.slides.pictures.drawing import box, words

ROOT = Path(__file__).parents[2]
NAMES = [name for name in pictures.__all__ if name != "DRAWINGS"]
SLOW = {
    "evidence_table",
    "expectation_and_reality",
    "five_dials",
    "one_run_of_each",
    "paper_or_model",
    "seven_causes",
    "shuffled_scores",
    "twelve_curves",
    "who_is_late",
}
"""They train or simulate for seconds."""
QUICK_IN_DARK = {
    *pictures.DRAWINGS,
    "colour_of_fruit",
    "kept_promise",
    "load_bills",
    "pays_or_not",
    "ten_versions",
}
"""The drawings, and a chart of each kind."""
BOTH = [
    pytest.param(name, theme, marks=[pytest.mark.slow] if slow else [])
    for name, theme in itertools.product(NAMES, ("light", "dark"))
    for slow in [name in SLOW or (theme == "dark" and name not in QUICK_IN_DARK)]
]


def _draw(name, theme="light"):
    return getattr(pictures, name)(theme)


def _svg(name, theme="light"):
    """Give a picture as the deck stores it."""
    return figures.picture(f"mlops_lab.slides.pictures:{name}", given={"theme": theme}).svg


# --- what the eye needs, each as a function, so that planted faults prove it --------------------------------


def _texts(figure):
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


@functools.lru_cache(maxsize=1)
def _extents(figure):
    """Give the texts of a figure that is done, and their places; drawn once for all questions about it."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    hidden = _hidden(figure)
    return [(text, text.get_window_extent(renderer)) for text in _texts(figure) if id(text) not in hidden]


def _hidden(figure):
    """Give the labels that stand in the tree and are not drawn: ticks out of sight, axes switched off."""
    hidden = set()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = (high - low) * 1e-9
            for tick in (*axis.majorTicks, *axis.minorTicks):
                seen = ax.axison and low - slack <= tick.get_loc() <= high + slack
                hidden |= set() if seen else {id(tick.label1), id(tick.label2)}
            hidden |= set() if ax.axison else {id(axis.label)}
    return hidden


def overlapping(figure):
    """Name the pairs of texts that lie over each other by more than a pixel."""
    found = []
    for (one, a), (other, b) in itertools.combinations(_extents(figure), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 1 and high > 1:
            found.append(f"{one.get_text()!r} lies over {other.get_text()!r}")
    return found


def cut_off(figure):
    """Name the texts that leave the picture, or the box that holds their middle."""
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [patch.get_window_extent() for patch in _boxes(figure)]
    found = []
    for text, extent in _extents(figure):
        x, y = (extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2
        holders = [one for one in boxes if one.x0 < x < one.x1 and one.y0 < y < one.y1]
        for left, low, right, top in [(0, 0, width, height), *(one.extents for one in holders)]:
            if extent.x0 < left - 1 or extent.x1 > right + 1 or extent.y0 < low - 1 or extent.y1 > top + 1:
                found.append(f"{text.get_text()!r} leaves its place")
    return found


def _boxes(figure):
    """Give the boxes that words stand in; the frame of a legend and a label's own background are none."""
    frames = [ax.get_legend().get_frame() for ax in figure.axes if ax.get_legend()]
    seen = [patch for patch in figure.findobj(Patch) if patch.axes is not None and patch not in frames]
    return [patch for patch in seen if type(patch).__name__ == "FancyBboxPatch"]


def too_small(figure):
    """Name the texts that the last row cannot read."""
    larger = drawing.WIDTH_IN / figure.get_size_inches()[0]
    least = drawing.SMALLEST_PT - 0.1
    return [
        f"{text.get_text()!r} has {text.get_fontsize() * larger:.1f} pt"
        for text, _ in _extents(figure)
        if text.get_fontsize() * larger < least
    ]


def _luminance(colour):
    values = np.array(to_rgba(colour)[:3])
    linear = np.where(values <= 0.03928, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pale(figure, paper):
    """Name the texts whose contrast with what lies behind them is under 4.5 (WCAG 2, AA)."""
    found = []
    for text, extent in _extents(figure):
        behind = np.array(to_rgba(paper)[:3])
        for patch in sorted(_boxes(figure), key=lambda one: one.get_zorder()):
            place = patch.get_window_extent()
            if place.contains((extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2):
                *colour, alpha = to_rgba(patch.get_facecolor())
                behind = alpha * np.array(colour) + (1 - alpha) * behind
        own = text.get_bbox_patch()
        if own is not None:
            behind = np.array(to_rgba(own.get_facecolor())[:3])
        if contrast(text.get_color(), tuple(behind)) < 4.5:
            found.append(f"{text.get_text()!r} is {text.get_color()} on {behind.round(2)}")
    return found


@pytest.mark.parametrize(("name", "theme"), BOTH)
def test_a_picture_can_be_read(name, theme):
    figure = _draw(name, theme)
    assert len(_extents(figure)) >= 4, "nearly empty"
    found = [*overlapping(figure), *cut_off(figure), *too_small(figure)]
    found += pale(figure, drawing.theme_of(theme).paper)
    assert not found, "\n".join(["", *found])


def _planted(ax, colours, fault):
    words(ax, colours, (3, 3), "far enough from all others")
    if fault == "over each other":
        words(ax, colours, (3.4, 3.1), "this lies over it")
    elif fault == "out of its box":
        box(ax, colours, (6, 1), (1, 0.8), "wider than the box")
    elif fault == "out of the picture":
        words(ax, colours, (11.9, 1), "leaves on the right")
    elif fault == "too small":
        words(ax, colours, (6, 1), "small print", points=9)
    elif fault == "pale":
        box(ax, colours, (6, 1), (4, 1), "grey on grey", fill="#888888", ink="#999999")


@pytest.mark.parametrize(
    "fault", ["none", "over each other", "out of its box", "out of the picture", "too small", "pale"]
)
def test_a_planted_fault_is_found(fault):
    colours = drawing.theme_of("light")
    figure, ax = drawing.canvas()
    _planted(ax, colours, fault)
    found = [*overlapping(figure), *cut_off(figure), *too_small(figure), *pale(figure, colours.paper)]
    assert len(found) == (fault != "none")


# --- bytes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ml_system", "leak_or_cache"])
def test_a_picture_drawn_again_has_the_same_bytes(name):
    assert _svg(name) == _svg(name)


@pytest.mark.slow
@pytest.mark.timeout(900)  # the deck is built first, and a busy machine may take minutes for its pictures
def test_other_processes_drew_the_same_bytes_of_every_picture(built):
    drawn = {name: list((built / "_images").glob(f"slides-pictures-{name}-*.svg")) for name in NAMES}
    assert all(drawn.values()), drawn
    assert [name for name in NAMES if {path.read_bytes() for path in drawn[name]} != {_svg(name)}] == []


@pytest.mark.parametrize("name", ["load_bills", "leak_or_cache", "nine_tasks"])
def test_an_svg_is_whole_without_a_date_and_needs_nothing_from_elsewhere(name):
    before = dict(mpl.rcParams)
    text = _svg(name).decode("utf-8")
    assert dict(mpl.rcParams) == before
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and len(list(root.iter())) > 30
    assert "<text" not in text and "date" not in text.lower() and "Matplotlib" not in text
    links = [value for node in root.iter() for key, value in node.attrib.items() if key.endswith("href")]
    assert all(link.startswith("#") for link in links)


def test_the_themes_differ():
    assert _svg("ml_system", "light") != _svg("ml_system", "dark")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_theme_is_told_at_once(name):
    with pytest.raises(ValueError, match="theme='twilight' is none of light, dark"):
        _draw(name, "twilight")


# --- what they state --------------------------------------------------------------------------------------


def test_the_bills_are_the_lectures():
    said = [text.get_text() for ax in _draw("load_bills").axes for text in ax.texts]
    assert [text for text in said if "$" in text] == ["$25,920 a month", "$12,312 a month", "$3,888 a month"]


def test_the_paid_machines_are_those_of_the_bills():
    bills = load.bills(load.daily_curve(), capacity=varying_load.CAPACITY, window_min=varying_load.WINDOW_MIN)
    for name, paid in varying_load.paid_machines().items():
        assert paid.mean() == pytest.approx(bills.loc[name, "mean_machines"])


def test_shares_are_the_lectures_and_complete():
    lecture = tomllib.loads((ROOT / "slides" / "lecture.toml").read_text(encoding="utf-8"))
    split = tasks_and_life_cycle.MAINTENANCE_SPLIT
    assert {f"{share} %" for share in split.values()} == {
        lecture["L13"]["development"]["text"],
        lecture["L13"]["maintenance"]["text"],
    }
    told = {key: value["text"] for key, value in lecture["L6"].items() if isinstance(value, dict)}
    assert [f"{share} %" for share in around_the_model.DATA_DILEMMA.values()] == [
        told["analysis"],
        told["preparation"],
    ]
    first, _, last = around_the_model.TIME_TO_DEPLOY.values()
    assert [f"{first} %", f"{last} %"] == [told["within_a_week"], told["a_month_or_longer"]]
    for shares in (split, around_the_model.DATA_DILEMMA, around_the_model.TIME_TO_DEPLOY):
        assert sum(shares.values()) == 100


def test_the_two_splits_are_not_one():
    assert not {*tasks_and_life_cycle.MAINTENANCE_SPLIT} & {*around_the_model.DATA_DILEMMA}


def test_nine_tasks_point_at_lessons_of_the_course_table():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    there = set(re.findall(r"^\| \[?(\d\d)\b", readme, re.MULTILINE))
    assert len(tasks_and_life_cycle.NINE_TASKS) == 9
    assert {number for lessons in tasks_and_life_cycle.NINE_TASKS.values() for number in lessons} <= there


def test_drawings_and_slow_ones_are_pictures():
    assert {*pictures.DRAWINGS} < {*NAMES}
    assert {*NAMES} > SLOW
