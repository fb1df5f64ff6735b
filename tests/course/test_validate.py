"""Each planted defect is found by the right tool, and a sound notebook passes both."""

import base64
import copy
import io
import shutil
import time

import planted
import pytest

from mlops_lab.course import build, compare, validate
from mlops_lab.course.notebooks import Lesson, read, write
from mlops_lab.lesson.outputs import MIME

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Lesson:
    """The miniature as the course stores it: derived and executed."""
    lesson = planted.course(tmp_path_factory.mktemp("course"))
    assert build.build([], root=lesson.root) == 0
    return lesson


@pytest.fixture(scope="module")
def sound(built):
    return read(built.source)


def output(notebook, name: str, kind: str = ""):
    outputs = planted.cell(notebook, name)["outputs"]
    return next(each for each in outputs if not kind or kind in each.get("data", {}))


def picture(width: int, height: int, *, blank: bool) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100))
    if not blank:
        figure.subplots().plot([1, 2])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return base64.b64encode(buffer.getvalue()).decode()


def changed_output(notebook):
    output(notebook, "numbers")["data"]["text/plain"] = "[0, 2]"


def lost_output(notebook):
    planted.cell(notebook, "numbers")["outputs"] = []


def never_run(notebook):
    planted.cell(notebook, "numbers").update(execution_count=None, outputs=[])


def deleted_picture(notebook):
    cell = planted.cell(notebook, "figure")
    cell["outputs"] = [each for each in cell["outputs"] if "image/png" not in each.get("data", {})]


def blank_picture(notebook):
    output(notebook, "figure", "image/png")["data"]["image/png"] = picture(960, 720, blank=True)


def resized_picture(notebook):
    output(notebook, "figure", "image/png")["data"]["image/png"] = picture(700, 400, blank=False)


def torn_picture(notebook):
    output(notebook, "figure", "image/png")["data"]["image/png"] = "aGVsbG8="


def wrong_value(notebook):
    output(notebook, "claim")["data"][MIME]["measured"] = 0.1001


def other_bound(notebook):
    output(notebook, "claim")["data"][MIME]["bound"] = {"within": [0.0, 0.15]}


def lost_claim(notebook):
    planted.cell(notebook, "claim")["outputs"] = []


def other_card(notebook):
    output(notebook, "claim")["data"]["text/html"] += "<p>and more</p>"


def within_tolerance(notebook):
    data = output(notebook, "claim")["data"]
    data[MIME]["measured"] = 0.1 + 1e-8
    data["text/plain"] = data["text/plain"].replace("0.1,", "0.1001,")


def other_time(notebook):
    data = output(notebook, "last")["data"]
    data[MIME]["value"] = 7.25
    for form in ("text/plain", "text/html"):
        data[form] = data[form].replace("1.5 s", "7.25 s")


def other_live_sentence(notebook):
    data = output(notebook, "last")["data"]
    data["text/plain"] = data["text/plain"].replace("took", "lasted")


FIGURES = {
    deleted_picture: "1 figures were drawn, 0 are stored",
    blank_picture: "the stored figure is blank",
    resized_picture: "the figure has 960 x 720 pixels, the stored one has 700 x 400",
    torn_picture: "the stored figure cannot be read",
}
TYPED = {
    wrong_value: "measured 0.1, stored is 0.1001",
    other_bound: "its bound is",
    lost_claim: "typed outputs are ['claim start_here.tenth'], stored are []",
    other_card: "its text/html differs",
    other_live_sentence: "its text/plain differs",
}


@slow
@pytest.mark.parametrize("plant", [*FIGURES, *TYPED, never_run], ids=lambda plant: plant.__name__)
def test_a_defect_is_found_by_our_comparison(sound, plant):
    stored = copy.deepcopy(sound)
    plant(stored)
    (found,) = compare.differences(stored, sound)
    assert {**FIGURES, **TYPED, never_run: "was never run"}[plant] in found


@slow
@pytest.mark.parametrize("plant", [within_tolerance, other_time], ids=lambda plant: plant.__name__)
def test_what_may_differ_is_let_through(sound, plant):
    stored = copy.deepcopy(sound)
    plant(stored)
    assert compare.differences(stored, sound) == []
    assert stored != sound


@slow
def test_elsewhere_numbers_may_differ_and_bounds_may_not(sound):
    for plant, found in ((wrong_value, 0), (other_card, 0), (other_bound, 1), (deleted_picture, 1)):
        stored = copy.deepcopy(sound)
        plant(stored)
        assert len(compare.differences(stored, sound, exact=False)) == found


@slow
def test_nbval_finds_each_defect_and_passes_what_is_sound(built, tmp_path):
    """One batch, as in CI; each notebook is executed."""
    sound = read(built.source)
    plants = {
        "changed": changed_output,
        "lost": lost_output,
        "never_run": never_run,
        "value": wrong_value,
        "live": other_time,
        "tolerance": within_tolerance,
        "sound": lambda notebook: None,
    }
    for name, plant in plants.items():
        notebook = copy.deepcopy(sound)
        plant(notebook)
        write(notebook, tmp_path / f"{name}.ipynb")
    ignored = copy.deepcopy(sound)
    changed_output(ignored)
    planted.cell(ignored, "numbers")["source"] = "# NBVAL_IGNORE_OUTPUT\n[0, 1]"
    write(ignored, tmp_path / "ignored.ipynb")
    dying = planted.with_cell(sound, "numbers", source="import os\nos._exit(3)", outputs=[])
    write(dying, tmp_path / "dies.ipynb")
    found = validate.nbval(sorted(tmp_path.glob("*.ipynb")), strict=True)
    expected = {
        "changed": "[0, 2]",
        "lost": "Unexpected output fields",
        "never_run": "never run",
        "value": "measured 0.1, stored is 0.1001",
        "ignored": "switches nbval off",
        "dies": "the kernel died",
    }
    by_name = {line.split(".ipynb")[0].split(".")[-1]: line for line in found}
    assert set(by_name) == set(expected), found
    for name, part in expected.items():
        assert part in by_name[name], by_name[name]


@slow
def test_nbval_stops_a_cell_that_hangs(tmp_path):
    write(planted.hanging(), tmp_path / "hangs.ipynb")
    start = time.monotonic()
    (found,) = validate.nbval([tmp_path / "hangs.ipynb"], strict=True, cell_timeout_s=8)
    assert time.monotonic() - start < 120
    assert "code cell 1" in found
    assert "Timeout of 8 seconds" in found


@slow
def test_both_engines_pass_the_built_course_and_find_a_stale_output(built, tmp_path, capsys):
    shutil.copytree(built.root, tmp_path / "course")
    lesson = Lesson(built.name, tmp_path / "course")
    assert validate.main([], root=lesson.root) == 0
    said = capsys.readouterr().out
    assert "papermill: 2 notebooks executed, 0 differences" in said
    assert "nbval: 2 notebooks executed, 0 differences" in said
    stored = read(lesson.copy)
    output(stored, "claim")["data"][MIME]["measured"] = 0.12
    write(stored, lesson.copy)
    assert len(validate.validate([lesson])) == (1 if validate.exact() else 0)


def test_a_cell_that_nbval_did_not_execute_is_missed(tmp_path):
    """The count of executed cells does not rest on nbval's own word."""
    report = tmp_path / "report.xml"
    case = '<testcase classname="a.lesson.ipynb" name="Cell {}">{}</testcase>'
    report.write_text(f"<s><t>{case.format(0, '')}{case.format(1, '<skipped/>')}</t></s>")
    assert validate._judge(report, {"a.lesson.ipynb": 2}) == [
        "a.lesson.ipynb: nbval executed 1 of 2 code cells"
    ]
    assert validate._judge(report, {"a.lesson.ipynb": 1}) == []
