"""The student's copy is the source without its solutions; a lesson is built whole, in normal form, or not."""

import copy

import nbformat
import planted
import pytest

from mlops_lab.course.build import build, copy_differences, derived, without_solution
from mlops_lab.course.notebooks import call_of, normalised, read, stored_form, write

REGION = "### BEGIN SOLUTION\nanswer = 42\n### END SOLUTION"


@pytest.mark.parametrize(
    ("source", "student"),
    [
        (REGION, "answer = ..."),
        (f'x = 1\n{REGION}\ncheck("a.1", answer)', 'x = 1\nanswer = ...\ncheck("a.1", answer)'),
        ("if x:\n    ### BEGIN SOLUTION\n    answer = 1\n    ### END SOLUTION", "if x:\n    answer = ..."),
        (f"{REGION}\n{REGION}", "answer = ...\nanswer = ..."),
        ("### BEGIN SOLUTION\ndef answer(x):\n    return x\n### END SOLUTION", "answer = ..."),
        ("### BEGIN SOLUTION\nanswer: int = 1\n### END SOLUTION", "answer = ..."),
        ("answer = 3  # no markers", "answer = 3  # no markers"),
        ("", ""),
    ],
)
def test_a_region_becomes_three_dots(source, student):
    assert without_solution(source) == student


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("### BEGIN SOLUTION\nanswer = 1", "without ### END SOLUTION"),
        ("answer = 1\n### END SOLUTION", "line 2: ### END SOLUTION without"),
        (f"### BEGIN SOLUTION\n{REGION}\n### END SOLUTION", "line 2: ### BEGIN SOLUTION inside"),
        ("### BEGIN SOLUTION\nresult = 1\n### END SOLUTION", "must set `answer`"),
        ("### BEGIN SOLUTION\n### END SOLUTION", "must set `answer`"),
        ("### begin solution\nanswer = 1", "is no marker"),
        ("###BEGIN SOLUTION\nanswer = 1", "is no marker"),
        ("### BEGIN SOLUTIONS\nanswer = 1", "is no marker"),
        ("# BEGIN SOLUTION\nanswer = 1", "is no marker"),
    ],
)
def test_markers_that_do_not_fit_are_refused_with_cell_and_line(source, error):
    cells = [nbformat.v4.new_markdown_cell("# A"), nbformat.v4.new_code_cell(source)]
    with pytest.raises(ValueError, match="cell 1") as raised:
        derived(nbformat.v4.new_notebook(cells=cells), "a")
    assert error in str(raised.value)


def test_all_else_stays_and_the_source_is_not_changed():
    source = planted.finished()
    before = copy.deepcopy(source)
    student, texts = derived(source, "start_here")
    assert source == before
    assert [cell["id"] for cell in student["cells"]] == [cell["id"] for cell in source["cells"]]
    changed = [
        call_of(c)
        for c, o in zip(student["cells"], source["cells"], strict=True)
        if c["source"] != o["source"]
    ]
    assert changed == ["predict", "reveal", "claim", "check"]
    assert {kind: list(found) for kind, found in texts.items()} == {
        "predictions": ["start_here.spread"],
        "claims": ["start_here.settles"],
        "pictures": [],
    }
    assert "SOLUTION" not in str(student)
    assert "10 * 2**2" not in str(student)
    assert all(not cell["outputs"] for cell in student["cells"] if cell["cell_type"] == "code")


def test_differences_are_named():
    source = planted.finished()
    student = copy.deepcopy(source)
    for cell, own in zip(derived(source, "start_here")[0]["cells"], student["cells"], strict=True):
        own["source"] = cell["source"]
    assert copy_differences(source, student, "start_here") == []
    claim = next(i for i, cell in enumerate(source["cells"]) if cell["source"].startswith("claim("))
    for part, value in (("source", "x"), ("id", "another"), ("metadata", {"tags": ["x"]})):
        other = copy.deepcopy(student)
        other["cells"][claim][part] = value
        assert f"cell {claim}: its {part} differs from what the source gives" in copy_differences(
            source, other, "start_here"
        )
    other = copy.deepcopy(student)
    other["cells"][claim]["outputs"] = []
    assert copy_differences(source, other, "start_here") == [
        f"cell {claim}: its output differs from the source's"
    ]
    assert (
        "cells, where the source has"
        in copy_differences(source, normalised(planted.lesson()), "start_here")[-1]
    )


@pytest.mark.slow
def test_both_notebooks_are_executed_and_stored(tmp_path, capsys):
    lesson = planted.course(tmp_path)
    assert build([], root=tmp_path) == 0
    assert "built 00_start_here" in capsys.readouterr().out
    source, copy = read(lesson.source), read(lesson.copy)
    assert copy_differences(source, copy, "start_here") == []
    counts = [cell["execution_count"] for cell in source["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    for path in (lesson.source, lesson.copy):
        assert path.read_bytes() == stored_form(read(path))
        assert b"papermill" not in path.read_bytes()
        assert b"injected" not in path.read_bytes()
    (solved,) = planted.cell(source, "answer")["outputs"]
    (open_,) = planted.cell(copy, "answer")["outputs"]
    assert (solved["data"]["text/plain"], open_["data"]["text/plain"]) == ("42", "Ellipsis")


@pytest.mark.slow
def test_nothing_is_stored_where_the_students_copy_does_not_run(tmp_path, capsys):
    """The source runs; the copy stops, since a later cell needs what only the solution makes."""
    lesson = planted.course(tmp_path, planted.lesson(later="answer + 1"))
    write(planted.lesson(), lesson.copy)
    before = [path.read_bytes() for path in (lesson.source, lesson.copy)]
    assert build([], root=tmp_path) == 1
    said = capsys.readouterr().out
    assert "FAILED 00_start_here, cell 7: TypeError" in said
    assert "answer + 1" in said
    assert [path.read_bytes() for path in (lesson.source, lesson.copy)] == before
