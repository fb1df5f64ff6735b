"""The author's loop: an unchanged lesson stays, a change is named and stored, what is wrong is not."""

import shutil

import planted
import pytest

from mlops_lab.course import check
from mlops_lab.course.build import build
from mlops_lab.course.notebooks import Lesson, read, write

pytestmark = pytest.mark.slow
RULES = check.lint.notebook_rules


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Lesson:
    lesson = planted.course(tmp_path_factory.mktemp("course"))
    assert build([], root=lesson.root) == 0
    return lesson


@pytest.fixture
def lesson(built, tmp_path, monkeypatch) -> Lesson:
    """A copy of the miniature, which is no whole lesson: rules on what is written have tests of their own."""
    monkeypatch.setattr(check.lint, "notebook_rules", lambda *given, **named: [])
    shutil.copytree(built.root, tmp_path / "course")
    return Lesson(built.name, tmp_path / "course")


def bytes_of(lesson: Lesson) -> list[bytes]:
    return [path.read_bytes() for path in (lesson.source, lesson.copy)]


def changed(lesson: Lesson, name: str, source: str) -> None:
    write(planted.with_cell(read(lesson.source), name, source=source), lesson.source)


def test_an_unchanged_lesson_stays_as_it_is_though_it_shows_a_timing(lesson, capsys):
    # a stored timing that no run gives again
    stored = read(lesson.source)
    before = bytes_of(lesson)
    assert "‹1.5 s›" in str(planted.cell(stored, "last")["outputs"])
    assert check.main(["0"], root=lesson.root) == 0
    said = capsys.readouterr().out
    assert said.strip().endswith("nothing changed")
    assert "1 claims hold" in said
    assert bytes_of(lesson) == before
    changed(lesson, "last", 'live("It took {}.", 7.25, "s")')
    assert check.main(["0"], root=lesson.root) == 0
    said = capsys.readouterr().out
    assert said.count("reads differently") == 1  # the source is as its author wrote it: there outputs change
    assert "shows something else" not in said
    assert "‹1.5 s›" in str(planted.cell(read(lesson.copy), "last")["outputs"])


def test_a_change_is_named_with_what_it_does_and_both_notebooks_are_stored(lesson, capsys):
    changed(lesson, "numbers", "numbers = [seed, seed + 5]\nnumbers")
    assert check.main(["0"], root=lesson.root) == 0
    said = capsys.readouterr().out
    for line in ("reads differently: numbers", "shows something else", "- [0, 1]", "+ [0, 5]", "3 changes"):
        assert line in said
    for path in (lesson.source, lesson.copy):
        assert "[0, 5]" in str(planted.cell(read(path), "numbers")["outputs"])
    check.main(["0"], root=lesson.root)
    assert capsys.readouterr().out.strip().endswith("nothing changed")


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("claim", planted.CLAIM.replace("0.05, 0.15", "0.2, 0.3"), "BrokenClaim"),
        ("numbers", "1 / 0", "ZeroDivisionError"),
        ("answer", "### BEGIN SOLUTION\nanswer = 2", "BEGIN SOLUTION without"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(lesson, capsys, name, source, said):
    changed(lesson, name, source)
    before = bytes_of(lesson)
    assert check.main(["0"], root=lesson.root) == 1
    told = capsys.readouterr().out
    assert said in told
    assert "nothing was written" in told
    assert bytes_of(lesson) == before


def test_a_broken_rule_is_named_and_nothing_is_stored(lesson, capsys, monkeypatch):
    monkeypatch.setattr(check.lint, "notebook_rules", RULES)
    changed(lesson, "numbers", "numbers = [seed, seed + 5]\nnumbers")
    before = bytes_of(lesson)
    assert check.main(["0"], root=lesson.root) == 1
    said = capsys.readouterr().out
    assert said.count(": L21 more than 6 code cells in a row") == 1
    assert "nothing was written" in said
    assert bytes_of(lesson) == before


def test_the_page_reads_from_top_to_bottom(lesson, capsys):
    assert check.main(["0"], read_page=True, root=lesson.root) == 0
    said = capsys.readouterr().out
    parts = (
        "# 00 A miniature",
        ">>> seed = 0",
        "[0, 1]",
        "[picture: Accuracy falls",
        "Claim (measured here): It is",
    )
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
