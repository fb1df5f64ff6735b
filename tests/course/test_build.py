"""A lesson is built whole, in normal form, or not touched."""

import planted
import pytest

from mlops_lab.course.build import build
from mlops_lab.course.derive import differences
from mlops_lab.course.notebooks import read, stored_form, write

pytestmark = pytest.mark.slow


def test_both_notebooks_are_executed_and_stored(tmp_path, capsys):
    lesson = planted.course(tmp_path)
    assert build([], root=tmp_path) == 0
    assert "built 00_start_here" in capsys.readouterr().out
    source, copy = read(lesson.source), read(lesson.copy)
    assert differences(source, copy) == []
    counts = [cell["execution_count"] for cell in source["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    for path in (lesson.source, lesson.copy):
        assert path.read_bytes() == stored_form(read(path))
        assert b"papermill" not in path.read_bytes()
        assert b"injected" not in path.read_bytes()
    (solved,) = planted.cell(source, "answer")["outputs"]
    (open_,) = planted.cell(copy, "answer")["outputs"]
    assert (solved["data"]["text/plain"], open_["data"]["text/plain"]) == ("42", "Ellipsis")


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
