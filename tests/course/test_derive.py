"""The student's copy is the source without its solutions, and nothing else."""

import copy

import nbformat
import planted
import pytest

from mlops_lab.course.derive import derived, differences, without_solution
from mlops_lab.course.notebooks import normalised

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
        derived(nbformat.v4.new_notebook(cells=cells))
    assert error in str(raised.value)


def test_all_else_stays_and_the_source_is_not_changed():
    source = planted.finished()
    before = copy.deepcopy(source)
    student = derived(source)
    assert source == before
    assert [cell["id"] for cell in student["cells"]] == [cell["id"] for cell in source["cells"]]
    changed = [
        c for c, o in zip(student["cells"], source["cells"], strict=True) if c["source"] != o["source"]
    ]
    assert len(changed) == 1
    assert "SOLUTION" not in str(student)
    assert "10 * 2**2" not in str(student)
    assert all(not cell["outputs"] for cell in student["cells"] if cell["cell_type"] == "code")


def test_differences_are_named():
    source = planted.finished()
    student = copy.deepcopy(source)
    for cell, own in zip(derived(source)["cells"], student["cells"], strict=True):
        own["source"] = cell["source"]
    assert differences(source, student) == []
    claim = next(i for i, cell in enumerate(source["cells"]) if cell["source"].startswith("claim("))
    for part, value in (("source", "x"), ("id", "another"), ("metadata", {"tags": ["x"]})):
        other = copy.deepcopy(student)
        other["cells"][claim][part] = value
        assert f"cell {claim}: its {part} differs from what the source gives" in differences(source, other)
    other = copy.deepcopy(student)
    other["cells"][claim]["outputs"] = []
    assert differences(source, other) == [f"cell {claim}: its output differs from the source's"]
    assert "cells, where the source has" in differences(source, normalised(planted.lesson()))[-1]
