"""The three forms of a typed output, and reading them back from a notebook."""

import json
import math
import os
import subprocess
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mlops_lab.lesson import outputs
from mlops_lab.lesson.outputs import MIME, collect, mask_live, mime_bundle, require_id, rounded


def stored(payload, **data):
    return new_output("display_data", {MIME: payload, "text/plain": "text", **data})


def test_importing_the_classroom_stays_light():
    code = (
        "import sys, mlops_lab.lesson as c\n"
        "names = 'matplotlib pandas numpy ipywidgets IPython sklearn nbformat'.split()\n"
        "heavy = set(names) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert all(hasattr(c, name) for name in c.__all__)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


@pytest.mark.parametrize("id", ["start_here.1", "monitoring.drift_without_harm", "a.b.c"])
def test_an_id_names_a_topic_and_a_thing(id):
    assert require_id(id) == id


@pytest.mark.parametrize(
    "id", ["", "word", "Topic.word", "topic.", ".word", "topic word.x", "topic.word\n", 3, None]
)
def test_other_ids_are_refused(id):
    with pytest.raises(ValueError, match=r"topic\.word"):
        require_id(id)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(3, 12))
def test_rounding_is_close_and_settles(value, digits):
    once = rounded(value, digits)
    assert once == rounded(once, digits)
    assert math.isclose(once, value, rel_tol=10.0 ** (1 - digits), abs_tol=1e-300)


def test_masking_leaves_the_words():
    assert mask_live("port ‹8080› after ‹2 s›") == mask_live("port ‹1› after ‹33 s›") == "port ‹› after ‹›"
    assert mask_live("took 2 s") == "took 2 s"


def test_a_payload_without_type_or_id_is_not_shown():
    for payload in (
        {"type": "claim"},
        {"id": "a.b"},
        {"type": "novel", "id": "a.b"},
        {"type": "claim", "id": "B"},
    ):
        with pytest.raises(ValueError, match="cannot be shown"):
            mime_bundle(payload, "text", "html")


def notebook(*outputs_of_cells):
    cells = [new_markdown_cell("prose")] + [
        new_code_cell("...", outputs=list(found)) for found in outputs_of_cells
    ]
    return new_notebook(cells=cells)


def test_payloads_come_back_in_order_with_their_cell(tmp_path):
    first, second = (
        {"type": "claim", "id": "a.one", "text": "One."},
        {"type": "live", "id": "a.two", "value": 2},
    )
    foreign = [
        new_output("stream", text="hello"),
        new_output("error", ename="ValueError", evalue="x", traceback=[]),
        new_output("display_data", {"image/png": "AAAA"}),
    ]
    made = notebook([*foreign, stored(first)], [], [stored(second), stored(first)])
    path = tmp_path / "made.ipynb"
    nbformat.write(made, path)
    for read in (made, json.loads(path.read_text(encoding="utf-8"))):
        assert collect(read) == [{**first, "cell": 1}, {**second, "cell": 3}, {**first, "cell": 3}]
        assert collect(read, "live") == [{**second, "cell": 3}]
        assert collect(read, "check") == []


@pytest.mark.parametrize(
    "payload", ["text", ["claim"], {"type": "claim"}, {"type": "?", "id": "a.b"}, {"type": "claim", "id": 3}]
)
def test_a_malformed_payload_names_its_cell(payload):
    with pytest.raises(ValueError, match="Cell 2"):
        collect(notebook([], [stored(payload)]))


def test_one_id_says_one_thing():
    pair = [{"type": "claim", "id": "a.b", "text": text, "measured": 1} for text in ("Up.", "Down.")]
    with pytest.raises(ValueError, match=r"'a\.b'.*cells 1 and 2"):
        collect(notebook([stored(pair[0])], [stored(pair[1])]))


def test_unknown_types_are_refused():
    with pytest.raises(ValueError, match="claim, prediction"):
        collect(new_notebook(), "claims")


def test_without_ipython_the_text_is_written(capsys, monkeypatch):
    monkeypatch.setattr(outputs, "in_ipython", lambda: False)
    outputs.show_typed({"type": "live", "id": "a.b"}, "Two seconds.", "<p>Two</p>")
    assert capsys.readouterr().out == "Two seconds.\n"


def test_strict_is_asked_for_by_the_environment(monkeypatch):
    for value, expected in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("MLOPS_LAB_STRICT", value)
        assert outputs.strict() is expected
    monkeypatch.delenv("MLOPS_LAB_STRICT")
    assert not outputs.strict()


@pytest.mark.slow
def test_a_real_kernel_stores_every_typed_output_the_same_twice(tmp_path):
    from nbclient import NotebookClient

    cells = [
        "from mlops_lab.lesson import check, claim, hint, live, picture, predict, reveal, scratch",
        "predict('demo.way', 'Which way?', {'up': 'change > 0', 'down': 'otherwise'})",
        "claim('It holds.', 0.123456789012345, id='demo.holds', at_least=0.1)",
        "reveal('demo.way', change=-1, because='The lamps were swapped.')",
        "check('start_here.1', ...)\nhint('start_here.1')",
        "live('Took', 1.5, 's')",
        "import matplotlib.pyplot as plt\nax = plt.subplots()[1]\nax.plot([1, 2])\n"
        "ax.set(xlabel='week', ylabel='share')\n"
        "picture(ax, 'A line that rises from one to two.')",
        "with scratch() as folder:\n    folder.joinpath('a.txt').write_text('a')\nfolder",
        "claim('It breaks.', 0.1, id='demo.breaks', at_least=0.2)",
    ]
    runs = []
    for _ in range(2):
        made = new_notebook(cells=[new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(cells)])
        environment = {**os.environ, "MLOPS_LAB_STRICT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        client = NotebookClient(made, timeout=120, allow_errors=True, record_timing=False)
        client.resources = {"metadata": {"path": str(tmp_path)}}
        client.execute(env=environment)
        runs.append(made)
    assert runs[0].cells == runs[1].cells
    types = [payload["type"] for payload in collect(runs[0])]
    assert types == ["prediction", "claim", "reveal", "check", "hint", "live", "picture", "claim"]
    assert collect(runs[0], "claim")[0]["measured"] == 0.1234567890
    assert [output.ename for output in runs[0].cells[-1].outputs if output.output_type == "error"] == [
        "BrokenClaim"
    ]
    assert runs[0].cells[-1].outputs[0].data[MIME]["holds"] is False
    pictures = [o for o in runs[0].cells[6].outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == 1 and pictures[0].metadata["image/png"]["alt"].startswith("A line")
    text = json.dumps(runs[0].cells[:-1])
    assert str(tmp_path) not in text and "0x" not in json.dumps([c.outputs for c in runs[0].cells[1:6]])
    assert "widget" not in text and "/tmp" not in text
    assert not list(tmp_path.iterdir())
