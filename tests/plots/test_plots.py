"""Every picture is labelled, readable in greyscale, without text over text, and changes nothing global."""

import itertools
import random
import warnings
from unittest import mock

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from mlops_lab import plots
from mlops_lab.plots import style


@pytest.fixture(autouse=True)
def _no_window():
    with plt.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


def _weeks(columns=4, rows=30):
    rng = np.random.default_rng(0)
    values = 0.9 + rng.normal(0, 0.002, (rows, columns)).cumsum(axis=0) / 10
    return pd.DataFrame(
        values, columns=[f"belt scanner {n}" for n in range(columns)], index=range(1, rows + 1)
    )


def _estimates():
    return pd.DataFrame(
        {
            "value": [0.80, 0.55, np.nan, 0.75],
            "low": [0.72, 0.50, np.nan, 0.60],
            "high": [0.88, 0.60, np.nan, 0.90],
            "limit": [0.7, 0.7, np.nan, 0.7],
            "ok": [True, False, None, None],
        },
        index=["recall of spoiled crates from the hill growers", "accuracy", "precision", "profit kept"],
    )


STOPS = pd.Series({"collect and label": 5.0, "train": 1.0, "deploy": np.nan, "monitor and repair": 8.0})
GRADES = ["spoiled", "juice", "table", "premium"]
GROUPS = pd.DataFrame(
    {"belt": [0.9, 0.8, 0.7, 0.95], "handheld": [0.6, 0.7, 0.5, 0.9], "both": [0.8, 0.75, 0.6, 0.9]},
    index=GRADES,
)
FEATURES = pd.Series(range(1, 15), index=[f"feature {n}" for n in range(14)])
RNG = np.random.default_rng(1)

FIGURES = {
    "lines that end together": lambda ax=None: plots.line(
        _weeks(), xlabel="week", ylabel="accuracy (share)", title="Four scanners", limit=0.9, ax=ax
    ),
    "one line with events": lambda ax=None: plots.line(
        _weeks(1).iloc[:, 0],
        xlabel="week",
        ylabel="accuracy (share)",
        title="The lamps were swapped",
        limit=0.85,
        events={2: "release", 12: "lamps swapped", 13: "relabelled", 29: "rollback"},
        ax=ax,
    ),
    "eight lines": lambda ax=None: plots.line(_weeks(8), xlabel="week", ylabel="accuracy (share)", ax=ax),
    "dates": lambda ax=None: plots.line(
        _weeks(2).set_axis(pd.date_range("2024-09-01", periods=30, freq="W")),
        xlabel="week",
        ylabel="accuracy (share)",
        events={pd.Timestamp("2024-10-06"): "lamps swapped"},
        ax=ax,
    ),
    "bars": lambda ax=None: plots.bars(
        STOPS,
        xlabel="step",
        ylabel="time (h)",
        title="Where the time goes",
        limit=6,
        limit_label="a day",
        ax=ax,
    ),
    "grouped bars": lambda ax=None: plots.bars(
        GROUPS, xlabel="grade", ylabel="recall (share)", title="Who is graded well", limit=0.8, ax=ax
    ),
    "many bars": lambda ax=None: plots.bars(FEATURES, xlabel="feature", ylabel="importance (%)", ax=ax),
    "intervals": lambda ax=None: plots.intervals(
        _estimates(),
        xlabel="share (0 to 1)",
        title="Held against the floor",
        limit=0.7,
        limit_label="floor",
        ax=ax,
    ),
    "histograms": lambda ax=None: plots.histograms(
        RNG.normal(60, 5, 800), RNG.normal(66, 5, 300), xlabel="firmness (N)", title="New lamps", ax=ax
    ),
}


def _texts(figure):
    """Give each text that is really drawn (matplotlib keeps more tick labels than it draws), and its box."""
    drawn, really = [], Text.draw

    def remembered(text, renderer):
        drawn.append(text)
        really(text, renderer)

    with mock.patch.object(Text, "draw", remembered):
        figure.canvas.draw()
        drawn.clear()  # the layout settles in the first drawing
        figure.canvas.draw()
    return [(text.get_text(), Text.get_window_extent(text)) for text in drawn if text.get_text().strip()]


def _overlaps(figure):
    """Name each pair of texts that touch, and each text that is cut by the edge of the figure."""
    texts = _texts(figure)
    pairs = [
        (one, two)
        for (one, box), (two, other) in itertools.combinations(texts, 2)
        if min(box.x1, other.x1) - max(box.x0, other.x0) > 1
        and min(box.y1, other.y1) - max(box.y0, other.y0) > 1
    ]
    width, height = figure.get_size_inches() * figure.dpi
    cut = [
        text for text, box in texts if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    return pairs + cut


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_overlaps_or_is_cut_nothing_is_warned_about_or_changed_for_others(name):
    before, state = dict(mpl.rcParams), random.getstate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _overlaps(FIGURES[name]().get_figure()) == []
    assert dict(mpl.rcParams) == before
    assert random.getstate() == state
    assert not plt.isinteractive()


def test_the_overlap_test_sees_planted_overlaps():
    ax = FIGURES["bars"]()
    ax.text(0, 5.0, "over the value")
    ax.text(0, 5.0, "and over this")
    assert len(_overlaps(ax.get_figure())) >= 1
    ax = FIGURES["bars"]()
    ax.text(1.2, 0.5, "beyond the edge", transform=ax.get_figure().transFigure, in_layout=False)
    assert "beyond the edge" in _overlaps(ax.get_figure())


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_given_back(name):
    ax = FIGURES[name]()
    assert ax.get_xlabel()
    assert ax.get_ylabel() or name == "intervals"  # there every row bears its own words
    given = plt.figure(layout="constrained").subplots()
    before = len(plt.get_fignums())
    assert FIGURES[name](ax=given) is given
    assert len(plt.get_fignums()) == before


@pytest.mark.parametrize("helper", [plots.line, plots.bars, plots.intervals])
def test_labels_are_no_option(helper):
    with pytest.raises(TypeError, match="xlabel"):
        helper(_estimates()[["value"]])


def test_a_figure_of_its_own_is_known_to_pyplot_and_one_passed_in_is_not():
    """pyplot is how a notebook shows a figure at the end of its cell."""
    ax = plots.axes(xlabel="week", size=(5, 3))
    assert plt.gcf() is ax.get_figure()
    assert tuple(ax.get_figure().get_size_inches()) == (5, 3)
    plt.close("all")
    plots.axes(Figure().subplots(), xlabel="week")
    assert plt.get_fignums() == []


def test_data_are_not_changed():
    frame, copy = _estimates(), _estimates()
    plots.intervals(frame, xlabel="share")
    pd.testing.assert_frame_equal(frame, copy)


@pytest.mark.parametrize("name", ["one line with events", "grouped bars"])
def test_the_same_picture_has_the_same_bytes(name):
    first, second = (plots.png(FIGURES[name](), dpi=50) for _ in range(2))
    assert first == second
    assert b"Software" not in first
    assert b"matplotlib" not in first


def _lightness(colour):
    """CIE L* (0 black, 100 white) of the grey that a printer makes of a colour (IEC 61966-2-1, sRGB)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def test_palette_is_okabe_and_itos_and_its_first_colours_differ_in_grey():
    assert sorted(plots.PALETTE.values()) == sorted(
        ["#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"]
    )
    greys = [_lightness(colour) for colour in plots.PALETTE.values()]
    for first, second in itertools.combinations(greys[:4], 2):
        assert abs(first - second) > 10
    for first, second in itertools.pairwise(greys):
        assert abs(first - second) > 8
    with pytest.raises(TypeError):
        plots.PALETTE["blue"] = "#0000FF"


def test_where_greys_are_alike_shapes_differ():
    looks = list(zip(style.MARKERS, itertools.cycle(style.DASHES)))
    assert len(set(looks)) == len(looks) == len(plots.PALETTE)
    assert len(set(style.HATCHES)) == len(plots.PALETTE)
    lines = plots.line(_weeks(8), xlabel="week", ylabel="share").get_lines()
    assert len({(drawn.get_marker(), drawn.get_linestyle()) for drawn in lines}) == 8
    hatches = {patch.get_hatch() for patch in plots.bars(GROUPS, xlabel="grade", ylabel="share").patches}
    assert len(hatches) == 3


def test_the_three_states_of_an_interval_differ_without_colour():
    shapes = {state: (marker, fill == "none") for state, (marker, fill, _) in style.MARKS.items()}
    assert len(set(shapes.values())) == 3
    drawn = plots.intervals(_estimates(), xlabel="share").get_lines()
    assert {"o", "X", "D"} <= {line.get_marker() for line in drawn}


def test_line_draws_the_values_and_names_the_last_known_one():
    weeks = pd.DataFrame({"belt": [0.9, 0.8, np.nan], "handheld": [0.5, 0.6, 0.7]}, index=[1, 2, 3])
    ax = plots.line(weeks, xlabel="week", ylabel="share")
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), weeks["belt"])
    ends = {text.get_text(): tuple(text.xy) for text in ax.texts}
    assert ends == {"belt": (2.0, 0.8), "handheld": (3.0, 0.7)}


def test_histograms_are_shares_of_each_ones_rows():
    ax = plots.histograms([1, 1, 1, 2], [1, 2], xlabel="x (N)", bins=2)
    heights = [
        patch.get_data().values
        for patch in ax.patches
        if patch.get_label() and not patch.get_label().startswith("_")
    ]
    np.testing.assert_allclose(heights, [[75, 25], [50, 50]])


def test_bars_begin_at_zero_and_say_where_there_is_none():
    ax = plots.bars(STOPS, xlabel="step", ylabel="time (h)")
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.texts] == ["5", "1", "none", "8"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plots.line(pd.DataFrame(), xlabel="x", ylabel="y"), "0 x 0 table holds no value"),
        (
            lambda: plots.line(pd.Series([np.nan, np.nan]), xlabel="x", ylabel="y"),
            "2 x 1 table holds no value",
        ),
        (lambda: plots.bars(pd.Series(dtype=float), xlabel="x", ylabel="y"), "holds no value"),
        (
            lambda: plots.intervals(pd.DataFrame({"low": [1]}), xlabel="x"),
            r"needs a column 'value'; the table has \['low'\]",
        ),
        (
            lambda: plots.intervals(pd.DataFrame({"value": [np.nan]}), xlabel="x"),
            "none of the 1 rows has a value",
        ),
        (lambda: plots.histograms([1.0], [np.nan], xlabel="x"), "'current' holds no finite value"),
    ],
)
def test_nothing_to_draw_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
    assert plt.get_fignums() == []
