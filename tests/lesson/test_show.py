"""Live values, pictures and scratch folders."""

import base64
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mlops_lab.lesson import outputs, show
from mlops_lab.lesson.outputs import mask_live
from mlops_lab.lesson.show import live, picture, scratch

ALT = "Accuracy falls from 0.8 to 0.6."


@pytest.fixture
def stored(monkeypatch):
    found = []
    monkeypatch.setattr(show, "show_typed", lambda *forms: found.append(forms))
    return found


def drawn():
    ax = Figure(figsize=(7, 4)).subplots()
    ax.plot([1, 2], [0.8, 0.6])
    ax.set(xlabel="week", ylabel="accuracy")
    return ax


@pytest.mark.parametrize(
    ("text", "value", "unit", "sentence"),
    [
        ("Took", 1.23456, "s", "Took: ‹1.235 s›"),
        ("Took {} here.", np.float64(1.5), "s", "Took ‹1.5 s› here."),
        ("Serving at", "127.0.0.1:8080", "", "Serving at: ‹127.0.0.1:8080›"),
    ],
)
def test_a_live_value_stands_between_marks(stored, text, value, unit, sentence):
    assert live(text, value, unit) is None
    payload, plain, face = stored[0]
    assert plain == sentence and sentence in face
    assert (
        payload["type"] == "live"
        and payload["value"] == value
        and not isinstance(payload["value"], np.generic)
    )


def test_two_live_values_look_the_same_once_masked(stored):
    live("Took", 1.5, "s")
    live("Took", 999, "s")
    assert [mask_live(form) for form in stored[0][1:]] == [mask_live(form) for form in stored[1][1:]]


@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}])
def test_a_live_value_is_a_number_or_a_text(value):
    with pytest.raises(TypeError, match="number or a short text"):
        live("Took", value)


@pytest.fixture
def published(stored, monkeypatch):
    found = []
    monkeypatch.setattr(show, "in_ipython", lambda: True)
    monkeypatch.setattr(show, "publish", lambda data, metadata: found.append((data, metadata)))
    return found


def test_a_picture_has_its_words_and_a_fixed_size(published, stored):
    for _ in range(2):
        assert picture(drawn(), ALT) is None
    (data, metadata), again = published
    assert (data, metadata) == again
    assert data["text/plain"] == ALT and metadata["image/png"] == {"alt": ALT, "width": 700, "height": 400}
    image = base64.b64decode(data["image/png"])
    assert struct.unpack(">II", image[16:24]) == (1050, 600)
    assert b"Software" not in image
    assert stored[0][0]["type"] == "picture" and ALT in stored[0][2]


def test_a_picture_closes_what_pyplot_holds(published):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    _, (left, right) = plt.subplots(1, 2)
    left.bar([1, 2], [3, 4])
    right.set(xlabel="grade", ylabel="crates")
    picture(right, ALT)
    assert plt.get_fignums() == before and len(published) == 1


@pytest.mark.parametrize("alt", ["", "A figure.", "              x", None])
def test_a_description_says_something(alt):
    with pytest.raises(ValueError, match="says too little"):
        picture(drawn(), alt)


def test_empty_and_unlabelled_axes_are_refused():
    with pytest.raises(ValueError, match="empty"):
        picture(Figure().subplots(), ALT)
    ax = Figure().subplots()
    ax.plot([1, 2])
    with pytest.raises(ValueError, match="no labels"):
        picture(ax, ALT)
    ax.set_axis_off()
    picture(ax, ALT)


def test_a_figure_is_no_axes():
    with pytest.raises(TypeError, match="matplotlib axes"):
        picture(Figure(), ALT)


def test_outside_ipython_a_picture_is_its_words(capsys):
    assert not outputs.in_ipython()
    picture(drawn(), ALT)
    assert capsys.readouterr().out == f"Figure: {ALT}\n"


def test_a_scratch_folder_works_as_a_path_and_hides_its_place():
    with scratch() as folder:
        file = folder / "data" / "weeks.csv"
        file.parent.mkdir()
        file.write_text("week\n", encoding="utf-8")
        assert Path(folder).is_dir() and os.path.exists(file)  # noqa: PTH110  any library may ask this way
        assert [repr(path) for path in folder.rglob("*.csv")] == ["<scratch folder: data/weeks.csv>"]
        assert repr(folder) == "<scratch folder>" and repr(file.parent) == "<scratch folder: data>"
        assert pickle.loads(pickle.dumps(file)) == file
    assert not folder.parent.exists()


def test_scratch_folders_are_apart_and_removed_after_an_error():
    one, other = scratch(), scratch()
    assert one != other and not list(one.iterdir())
    with pytest.raises(KeyError), one:
        raise KeyError("in the block")
    assert not one.exists() and other.exists()
    other.__exit__(None, None, None)


@pytest.mark.slow
def test_a_scratch_folder_is_removed_when_the_process_ends():
    code = "from mlops_lab.lesson import scratch\nfolder = scratch()\n(folder / 'a').touch()\n"
    code += "print(str(folder))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() and not Path(done.stdout.strip()).parent.exists()


def test_a_picture_may_hold_its_data_in_inset_axes():
    ax = Figure().subplots()
    ax.set_axis_off()
    inner = ax.inset_axes((0, 0, 1, 1))
    alt = "Two timelines, one below the other."
    with pytest.raises(ValueError, match="figure is empty"):
        picture(ax, alt)
    inner.plot([1, 2], [1, 2])
    picture(ax, alt)
