"""One form for every stored notebook; the real course keeps it, and its copies are true to their sources."""

import json
from pathlib import Path

import nbformat
import planted
import pytest

from mlops_lab.course import lint
from mlops_lab.course.notebooks import Lesson, chosen, normalised, read, write
from mlops_lab.setup import lessons

ROOT = Path(__file__).resolve().parents[2]
COURSE = [Lesson(name, ROOT) for name in lessons.names(ROOT)]


def test_the_course_is_found():
    assert [lesson.name for lesson in COURSE][:1] == ["00_start_here"]


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.name)
def test_a_lesson_keeps_the_rules(lesson):
    """Among them: stored in normal form, and a copy that is what its source gives."""
    assert [str(broken) for broken in lint.lint(lesson)] == []


def messy():
    """A notebook as JupyterLab on Windows may leave it."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A  \r\ntext\t\r\n"),
            nbformat.v4.new_code_cell(
                "1 + 1\r\n",
                execution_count=3,
                metadata={
                    "collapsed": True,
                    "execution": {"iopub.execute_input": "now"},
                    "tags": ["parameters"],
                },
                outputs=[nbformat.v4.new_output("display_data", data={"text/plain": "2"}, metadata={"x": 1})],
            ),
        ],
        metadata={
            "kernelspec": {"name": "mine", "display_name": "Mine"},
            "language_info": {"name": "python", "version": "3.12.1"},
            "papermill": {"duration": 1.5},
            "widgets": {"x": {}},
            "mlops_lab": {"alone": True},
        },
    )
    notebook.cells[1].id = notebook.cells[0].id
    return notebook


def test_normal_form_drops_what_tells_of_editing_and_running():
    clean = normalised(messy())
    assert clean["metadata"] == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "mlops_lab": {"alone": True},
    }
    text, code = clean["cells"]
    assert text["source"] == "# A\ntext"
    assert code["metadata"] == {"tags": ["parameters"]}
    assert code["execution_count"] == 3
    assert code["outputs"][0]["metadata"] == {}
    assert code["id"] != text["id"]


def test_normal_form_is_stable_and_leaves_what_it_was_given():
    notebook = messy()
    before = json.dumps(notebook)
    once = normalised(notebook)
    assert normalised(once) == once == normalised(messy() | {"cells": notebook["cells"]})
    assert json.dumps(notebook) == before


def test_the_stored_file(tmp_path):
    path = tmp_path / "lesson.ipynb"
    write(messy(), path)
    data = path.read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"}\n")
    assert not data.endswith(b"\n\n")
    assert data.startswith(b'{\n "cells": [\n  {\n   "cell_type"')
    assert read(path) == normalised(messy() | {"cells": read(path)["cells"]})
    write(read(path), path)
    assert path.read_bytes() == data


def test_pictures_keep_their_description():
    about = {"image/png": {"alt": "A line that falls.", "width": 3}, "needs_background": "light"}
    output = nbformat.v4.new_output("display_data", data={"image/png": "AA=="}, metadata=about)
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    clean = normalised(nbformat.v4.new_notebook(cells=[cell]))
    assert clean["cells"][0]["outputs"][0]["metadata"] == {"image/png": about["image/png"]}


def test_an_invalid_notebook_is_not_stored(tmp_path):
    path = tmp_path / "lesson.ipynb"
    path.write_text("before")
    notebook = planted.lesson()
    notebook["cells"][3]["outputs"] = [{"output_type": "no such type"}]
    with pytest.raises(ValueError, match=r"lesson\.ipynb would be no valid notebook"):
        write(notebook, path)
    assert path.read_text() == "before"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": []}', "\xff"])
def test_what_is_no_notebook_is_refused_by_name(tmp_path, text):
    path = tmp_path / "lesson.ipynb"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"lesson\.ipynb is no readable notebook"):
        read(path)


def test_lessons_are_chosen_by_any_name_once(tmp_path):
    lesson = planted.course(tmp_path)
    planted.course(tmp_path, name="11_load")
    assert chosen(["0", "start_here"], root=tmp_path) == [lesson]
    assert [each.name for each in chosen([], root=tmp_path)] == ["00_start_here", "11_load"]
    with pytest.raises(ValueError, match="Did you mean 11_load"):
        chosen(["laod"], root=tmp_path)
