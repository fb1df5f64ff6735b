"""Hashes are held against what pandas and NumPy call equal, files against a full disk a killed process."""

import contextlib
import copy
import errno
import functools
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlops_lab import artifacts
from mlops_lab.artifacts import files, hashes

ROOT = Path(__file__).parents[2]


# --- hashes -----------------------------------------------------------------------------------------------


def test_sha256_of_the_published_test_vector_and_of_a_large_file(tmp_path):
    # FIPS 180-4, the message "abc"
    assert artifacts.sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    big = tmp_path / "big"
    big.write_bytes(b"x" * 3_000_001)
    assert artifacts.sha256(big) == artifacts.sha256(str(big)) == artifacts.sha256(b"x" * 3_000_001)


def _crates():
    return pd.DataFrame(
        {
            "weight_kg": [17.5, np.nan, 18.25],
            "week": [1, 2, 3],
            "scanner": ["belt", "handheld", None],
            "grade": pd.Categorical(["table", "juice", "table"], categories=["juice", "table"]),
            "when": pd.to_datetime(["2024-09-01", "2024-09-08", None]),
            "where": pd.to_datetime(["2024-09-01", "2024-09-08", None]).tz_localize("Europe/Vienna"),
            "checked": [True, False, True],
            "count": pd.array([1, None, 3], dtype="Int64"),
            "mixed": [1, "1", 1.0],
        }
    )


# Each says something else than _crates() does, though some print alike.
CHANGES = {
    "a value": lambda f: f.assign(week=[1, 2, 4]),
    "a type": lambda f: f.astype({"week": "int32"}),
    "the rows' order": lambda f: f.iloc[::-1],
    "the columns' order": lambda f: f[f.columns[::-1]],
    "a column's name": lambda f: f.rename(columns={"week": "Week"}),
    "a number for a text in a name": lambda f: f.rename(columns={"week": 1}),
    "the index": lambda f: f.set_axis([0, 1, 3]),
    "the index's name": lambda f: f.rename_axis("crate"),
    "one row less": lambda f: f.head(2),
    "one column less": lambda f: f.drop(columns="mixed"),
    "a category nobody uses": lambda f: f.assign(grade=f.grade.cat.add_categories("premium")),
    "ordered categories": lambda f: f.assign(grade=f.grade.cat.as_ordered()),
    "a missing value for a zero": lambda f: f.assign(count=pd.array([1, 0, 3], dtype="Int64")),
    "a time zone": lambda f: f.assign(where=f["where"].dt.tz_convert("UTC")),
    "a type inside objects": lambda f: f.assign(mixed=pd.Series([1, "1", 1], dtype=object)),
    "text moved between rows": lambda f: f.assign(scanner=["belth", "andheld", None]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_frame_hash_sees(what):
    assert artifacts.frame_hash(CHANGES[what](_crates())) != artifacts.frame_hash(_crates())


def test_frame_hash_does_not_see_the_layout_in_memory():
    frame = _crates()
    one_by_one = pd.DataFrame(index=frame.index)
    for column in frame:
        one_by_one[column] = frame[column]
    sliced = pd.concat([frame, frame]).iloc[:3]
    for same in (
        frame.copy(),
        one_by_one,
        sliced,
        frame.set_axis([0, 1, 2]),
        pickle.loads(pickle.dumps(frame)),
    ):
        assert artifacts.frame_hash(same) == artifacts.frame_hash(frame)
    with_attrs = frame.copy()
    with_attrs.attrs["source"] = "elsewhere"
    assert artifacts.frame_hash(with_attrs) == artifacts.frame_hash(frame)


def test_frame_hash_is_the_same_on_every_machine_and_release():
    """A stored fingerprint stays good: the canonical form may change only together with its number."""
    frame = pd.DataFrame(
        {"weight_kg": [17.5, np.nan], "week": np.array([1, 2], dtype="int64"), "ok": [True, False]}
    )
    assert artifacts.frame_hash(frame) == "d7efab66e94da1191f6ef358b534528aba6900624f3dfaf905d2a6cae5b80933"


NUMBERS = hnp.arrays(
    dtype=st.sampled_from(["f8", ">f8", "f4", "i8", "u1", "?", "c16", "M8[s]"]),
    shape=hnp.array_shapes(min_dims=2, max_dims=2, max_side=4),
)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, NUMBERS)
def test_frame_hash_agrees_with_pandas_equality(left, right):
    frames = [pd.DataFrame(left), pd.DataFrame(right)]
    equal = frames[0].equals(frames[1]) and frames[0].columns.equals(frames[1].columns)
    assert (artifacts.frame_hash(frames[0]) == artifacts.frame_hash(frames[1])) == equal
    assert artifacts.frame_hash(frames[0]) == artifacts.frame_hash(pd.DataFrame(np.asfortranarray(left)))


def test_frame_hash_of_zero_and_of_any_nan():
    other_nan = np.array([0x7FF8000000000123], dtype="uint64").view("float64")
    plain = pd.DataFrame({"x": [0.0, np.nan], "y": pd.Series([0.0, np.nan], dtype=object)})
    same = pd.DataFrame({"x": [-0.0, other_nan[0]], "y": pd.Series([-0.0, other_nan[0]], dtype=object)})
    assert artifacts.frame_hash(plain) == artifacts.frame_hash(same)


def test_frame_hash_takes_several_levels_and_columns_of_one_name():
    frame = pd.DataFrame(
        [[1, 2], [3, 4]], columns=["a", "a"], index=pd.MultiIndex.from_tuples([(1, "x"), (1, "y")])
    )
    wide = frame.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]), axis=1)
    assert len({artifacts.frame_hash(f) for f in (frame, wide, frame[["a"]].iloc[:, [1, 0]])}) == 3


@pytest.mark.parametrize("thing", [[1, 2], {"a": 1}, object()])
def test_frame_hash_refuses_what_has_no_agreed_form(thing):
    with pytest.raises(TypeError, match=r"column 'x' holds a .* leave the column out"):
        artifacts.frame_hash(pd.DataFrame({"x": pd.Series([thing], dtype=object)}))
    with pytest.raises(TypeError, match="takes a pandas DataFrame, not list"):
        artifacts.frame_hash([1, 2])


def test_array_bytes_leave_out_the_gaps_between_fields():
    kind = np.dtype([("feature", "i1"), ("threshold", "f8")], align=True)
    full, empty = np.frombuffer(bytearray(b"\xff" * kind.itemsize), kind), np.zeros(1, kind)
    full["feature"], full["threshold"] = 0, 0
    assert full.tobytes() != empty.tobytes()
    assert hashes.array_bytes(full) == hashes.array_bytes(empty)
    columns_first = np.asfortranarray([[0.0, 1.0], [np.nan, 2.0]])
    assert hashes.array_bytes(columns_first) == hashes.array_bytes(np.array([[-0.0, 1.0], [-np.nan, 2.0]]))
    signed = np.asfortranarray([[-0.0, 1.0], [-np.nan, 2.0]])
    assert hashes.array_bytes(signed) == hashes.array_bytes(columns_first)
    with pytest.raises(TypeError, match="Python objects"):
        hashes.array_bytes(np.array([object()]))


# --- whole files ------------------------------------------------------------------------------------------


def test_atomic_write_writes_bytes_and_text_and_keeps_the_mode(tmp_path):
    file = tmp_path / "a.txt"
    assert artifacts.atomic_write(file, b"one") == file
    file.chmod(0o640)
    artifacts.atomic_write(str(file), "zwei\nüß\n")
    assert file.read_bytes() == "zwei\nüß\n".encode()
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


class _FullFile:
    """A file on a disk that has room for three more bytes."""

    def __init__(self, file):
        self._file = file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, data):
        self._file.write(data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")


def _no_room(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("before", [b"old", None])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, step, before):
    file = tmp_path / "model.skops"
    if before is not None:
        file.write_bytes(before)
    if step == "write":
        really = Path.open
        monkeypatch.setattr(Path, "open", lambda self, *how: _FullFile(really(self, *how)))
    else:
        monkeypatch.setattr(os, step, _no_room)
    with pytest.raises(OSError, match="No space left") as failure:
        artifacts.atomic_write(file, b"new content")
    monkeypatch.undo()
    assert failure.value.errno == errno.ENOSPC
    assert "unchanged" in failure.value.__notes__[0]
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == (
        {"model.skops": before} if before else {}
    )


@pytest.mark.parametrize(("system", "tries_made"), [("nt", 3), ("posix", 1)])
def test_a_file_held_open_is_tried_again_on_windows(tmp_path, monkeypatch, system, tries_made):
    part, file, tries, really = tmp_path / "part", tmp_path / "file", [], os.replace
    part.write_bytes(b"1")

    def busy_twice(source, target):
        tries.append(source)
        if len(tries) <= 2:
            raise PermissionError(errno.EACCES, "in use")
        really(source, target)

    with monkeypatch.context() as patch, contextlib.suppress(PermissionError):
        patch.setattr(os, "replace", busy_twice)
        patch.setattr(os, "name", system)
        files._replace(part, file)
    assert len(tries) == tries_made
    assert file.exists() == (tries_made == 3)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX signal")
def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    """Killed at any moment while writing two contents in turn, the file is one of the two."""
    file = tmp_path / "model.bin"
    size = 2_000_000
    file.write_bytes(b"a" * size)
    writer = textwrap.dedent(f"""
        import runpy  # of the package only this file: its children start thirty times
        atomic_write = runpy.run_path({files.__file__!r})["atomic_write"]
        print("started", flush=True)
        while True:
            for letter in (b"b", b"a"):
                atomic_write({str(file)!r}, letter * {size})
    """)
    rng = np.random.default_rng(0)
    parts = []
    for wait_s in rng.uniform(0.0, 0.02, size=30):
        process = subprocess.Popen([sys.executable, "-c", writer], stdout=subprocess.PIPE, cwd=ROOT)
        process.stdout.readline()
        threading.Event().wait(wait_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        content = file.read_bytes()
        assert len(content) == size
        assert set(content) in ({ord("a")}, {ord("b")})
        parts = list(tmp_path.glob(".model.bin.*.part"))
        if len(parts) >= 3:  # so many were killed in the middle
            break
    assert parts, "no writer was killed in the middle of a write: this test has shown nothing"


def test_atomic_write_says_what_it_needs(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing.* does not exist"):
        artifacts.atomic_write(tmp_path / "missing" / "a", b"")
    with pytest.raises(TypeError, match="bytes or text, not dict"):
        artifacts.atomic_write(tmp_path / "a", {})


OUTSIDE = ["", ".", "..", "a/b", "a\\b", "../a", "a..b", "C:", "/etc"]
AWKWARD = [".hidden", "-rf", "a b", "a.", "é", "nul", "COM1.txt", "a\n", "x" * 101]


@pytest.mark.parametrize("name", OUTSIDE + AWKWARD)
def test_names_that_could_leave_their_folder_are_refused(name):
    with pytest.raises(ValueError, match=r"version .* is not accepted: use 1 to 100 letters"):
        artifacts.safe_name(name, what="version")


@pytest.mark.parametrize("name", ["a", "grader-3", "v1.2.0", "2024-09-01", "_x", "console", "x" * 100])
def test_ordinary_names_are_accepted(name):
    assert artifacts.safe_name(name) == name


# --- the lock ---------------------------------------------------------------------------------------------


def test_lock_waits_and_gives_up(tmp_path):
    with artifacts.locked(tmp_path / "a"):
        with (
            pytest.raises(TimeoutError, match=r"another writer has held .*a\.lock"),
            artifacts.locked(tmp_path / "a", timeout_s=0.05),
        ):
            pass
        with artifacts.locked(tmp_path / "b", timeout_s=0.05):
            pass
    with artifacts.locked(tmp_path / "a", timeout_s=0.05):
        pass


def test_lock_is_free_when_its_owner_is_killed(tmp_path):
    owner = f"""
import runpy
locked = runpy.run_path({files.__file__!r})["locked"]
with locked({str(tmp_path / "a")!r}):
    print("held", flush=True)
    input()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout.readline().strip() == b"held"
    with pytest.raises(TimeoutError), artifacts.locked(tmp_path / "a", timeout_s=0.05):
        pass
    process.kill()
    process.communicate()
    with artifacts.locked(tmp_path / "a", timeout_s=5):
        pass


# --- models -----------------------------------------------------------------------------------------------


def _data():
    x = np.random.default_rng(0).normal(size=(80, 3))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


@functools.cache
def _fitted():
    x, y = _data()
    frame = pd.DataFrame(x, columns=["size", "colour", "weight"]).assign(
        scanner=np.where(y, "belt", "handheld")
    )
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["size"]), ("words", OneHotEncoder(), ["scanner"])]
    )
    return {
        "linear": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y),
        "columns": make_pipeline(columns, LogisticRegression()).fit(frame, y),
        "forest": RandomForestClassifier(3, random_state=0).fit(x, y),
        "boosting": HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(x, y),
        "words": TfidfVectorizer(stop_words=["the", "of"]).fit(["a crate of fruit", "the belt"]),
        "sparse": LogisticRegression().fit(sparse.csr_array(x), y).sparsify(),
        "fortran": StandardScaler().fit(np.asfortranarray(x)),
        "with sets": StandardScaler().set_params().fit(x),
    }


def _trusting(path):
    import skops.io

    return artifacts.load_model(path, trusted=skops.io.get_untrusted_types(file=path))


@pytest.mark.parametrize("kind", sorted(_fitted()))
def test_a_model_its_file_and_its_copy_have_one_hash(tmp_path, kind):
    model = copy.deepcopy(_fitted()[kind])
    if kind == "with sets":
        model.seen_ = {"belt", "handheld", "lamp", "hill"}
    file = tmp_path / "m.skops"
    saved = artifacts.save_model(model, file)
    assert (
        saved
        == artifacts.model_hash(model)
        == artifacts.model_hash(file)
        == artifacts.model_hash(file.read_bytes())
    )
    assert artifacts.model_hash(_trusting(file)) == saved
    assert artifacts.model_hash(pickle.loads(pickle.dumps(model))) == saved


def test_two_files_of_one_model_differ_in_bytes_and_not_in_content():
    import skops.io

    first, second = skops.io.dumps(_fitted()["linear"]), skops.io.dumps(_fitted()["linear"])
    assert artifacts.sha256(first) != artifacts.sha256(second)
    assert artifacts.model_hash(first) == artifacts.model_hash(second)


@pytest.mark.slow
def test_model_hash_is_the_same_in_another_process(tmp_path):
    code = """
import sys
from sklearn.linear_model import LogisticRegression
from mlops_lab import artifacts
model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
model.seen_ = {"belt", "handheld", "lamp", "hill"}
sys.stdout.write(artifacts.model_hash(model))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_model_hash_sees_settings_numbers_and_types():
    x, y = _data()
    base = LogisticRegression().fit(x, y)
    other_number = LogisticRegression().fit(x, y)
    other_number.coef_[0, 0] = np.nextafter(other_number.coef_[0, 0], 9)
    others = [
        LogisticRegression(C=2.0).fit(x, y),
        LogisticRegression(),
        other_number,
        StandardScaler().fit(x),
    ]
    assert len({artifacts.model_hash(model) for model in [base, *others]}) == 5


def test_a_model_answers_as_before(tmp_path):
    x, _ = _data()
    for kind in ("linear", "forest", "boosting"):
        model = _fitted()[kind]
        artifacts.save_model(model, tmp_path / "m.skops")
        np.testing.assert_array_equal(
            _trusting(tmp_path / "m.skops").predict_proba(x), model.predict_proba(x)
        )


class Planted:
    """A type that nobody has named; building it leaves a mark."""

    def __setstate__(self, state):
        Path(state["mark"]).touch()

    def __getstate__(self):
        return self.__dict__


def test_untrusted_types_are_named_and_not_built(tmp_path):
    mark = tmp_path / "built"
    planted = Planted()
    planted.mark = str(mark)
    artifacts.save_model(planted, tmp_path / "m.skops")
    name = f"{Planted.__module__}.Planted"
    with pytest.raises(artifacts.UntrustedModelError) as refusal:
        artifacts.load_model(tmp_path / "m.skops")
    assert refusal.value.types == (name,)
    assert f"load_model(path, trusted=['{name}'])" in str(refusal.value)
    assert not mark.exists()
    artifacts.load_model(tmp_path / "m.skops", trusted=[Planted])
    assert mark.exists()


def test_tree_models_must_be_named_and_the_message_says_why(tmp_path):
    artifacts.save_model(_fitted()["forest"], tmp_path / "m.skops")
    with pytest.raises(
        artifacts.UntrustedModelError, match=r"sklearn\.tree\._tree\.Tree.*without bounds checking"
    ):
        artifacts.load_model(tmp_path / "m.skops")


class _Trap:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.skops", "m"])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_is_refused_unopened(tmp_path, name, protocol):
    mark = tmp_path / "ran"
    (tmp_path / name).write_bytes(pickle.dumps(_Trap(mark), protocol=protocol))
    known = protocol >= 2 or name in {"m.pkl", "m.joblib"}  # the oldest protocol has no mark of its own
    for opened in (artifacts.load_model, artifacts.model_hash):
        with pytest.raises(
            artifacts.UntrustedModelError,
            match="is a pickle" if known else "no skops file",
        ):
            opened(tmp_path / name)
    assert not mark.exists()


def _rewritten(content, change):
    """The same skops archive with its schema changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == "schema.json" else old.read(name))
    return out.getvalue()


def test_a_changed_file_is_not_the_expected_model(tmp_path):
    file = tmp_path / "m.skops"
    saved = artifacts.save_model(LogisticRegression(C=1.5).fit(*_data()), file)
    assert artifacts.load_model(file, expected_hash=saved).C == 1.5
    file.write_bytes(_rewritten(file.read_bytes(), lambda schema: schema.replace(b'"1.5"', b'"7.5"')))
    assert artifacts.load_model(file).C == 7.5
    with pytest.raises(artifacts.UntrustedModelError, match="does not hold the expected model") as refusal:
        artifacts.load_model(file, expected_hash=saved)
    assert saved in str(refusal.value)


def test_a_file_that_is_read_as_something_else_than_it_says_is_refused(tmp_path):
    """skops builds one object for each address: one address planted twice loads what no hash has seen."""
    import skops.io

    def share_an_address(schema):
        held = json.loads(schema)
        settings = held["content"]["content"]
        settings["tol"]["__id__"] = settings["C"]["__id__"]
        return json.dumps(held).encode()

    file = tmp_path / "m.skops"
    content = _rewritten(skops.io.dumps(LogisticRegression(C=3.0).fit(*_data())), share_an_address)
    assert skops.io.loads(content).tol == 3.0, "the attack works on plain skops"
    file.write_bytes(content)
    with pytest.raises(artifacts.UntrustedModelError, match="share the address"):
        artifacts.load_model(file)


def test_broken_files_are_refused_with_one_kind_of_error(tmp_path):
    import skops.io

    whole = skops.io.dumps(_fitted()["linear"])
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(1))
    broken = [
        b"",
        b"half",
        whole[: len(whole) // 2],
        other.read_bytes(),
        _rewritten(whole, lambda _: b"{"),
        _rewritten(whole, lambda _: b"[]"),
    ]
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(whole), size=30):
        broken.append(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
    before = artifacts.model_hash(whole)
    for content in broken:
        (tmp_path / "m.skops").write_bytes(content)
        with contextlib.suppress(artifacts.UntrustedModelError):
            artifacts.load_model(tmp_path / "m.skops", expected_hash=before)
    for content in broken[:6]:
        (tmp_path / "m.skops").write_bytes(content)
        with pytest.raises(artifacts.UntrustedModelError):
            artifacts.load_model(tmp_path / "m.skops")


def test_saving_replaces_in_one_step_and_refuses_a_class(tmp_path, monkeypatch):
    file = tmp_path / "m.skops"
    first = artifacts.save_model(_fitted()["linear"], file)
    monkeypatch.setattr(os, "replace", _no_room)
    with pytest.raises(OSError, match="No space left"):
        artifacts.save_model(LogisticRegression(), file)
    monkeypatch.undo()
    assert artifacts.model_hash(file) == first
    with pytest.raises(TypeError, match=r"LogisticRegression is a class; save a model made from it"):
        artifacts.save_model(LogisticRegression, file)


# --- aliases ----------------------------------------------------------------------------------------------


def test_promote_rollback_move_remove(tmp_path):
    aliases = artifacts.Aliases(tmp_path / "aliases.json")
    assert aliases.move("challenger", "v2") == {"challenger": "v2"}
    assert aliases.promote("v1") == {"challenger": "v2", "champion": "v1"}
    assert aliases.promote("v2") == {"champion": "v2", "previous": "v1"}
    assert aliases.promote("v2") == {"champion": "v2", "previous": "v1"}
    assert aliases.rollback() == {"champion": "v1", "previous": "v2"}
    assert aliases.rollback() == {"champion": "v2", "previous": "v1"}
    assert (
        aliases.resolve("champion")
        == artifacts.Aliases(tmp_path / "aliases.json").resolve("champion")
        == "v2"
    )
    assert aliases.remove("previous") == {"champion": "v2"}
    with pytest.raises(KeyError, match=r"no alias 'previous'; there are: champion"):
        aliases.rollback()
    with pytest.raises(KeyError, match="no alias 'shadow'"):
        aliases.remove("shadow")
    assert aliases.targets() == {"champion": "v2"}


def test_a_decision_on_an_old_reading_does_not_overwrite_a_newer_one(tmp_path):
    aliases = artifacts.Aliases(tmp_path / "aliases.json")
    aliases.promote("v1")
    aliases.move("champion", "v2", expected="v1")
    with pytest.raises(ValueError, match="points at 'v2', not at 'v1'"):
        aliases.move("champion", "v3", expected="v1")
    assert aliases.resolve("champion") == "v2"


@pytest.mark.parametrize(
    ("alias", "target"),
    [("../x", "v1"), ("a/b", "v1"), ("champion", "../v1"), ("champion", "a\\b"), ("", "v1")],
)
def test_aliases_refuse_names_that_leave_the_folder(tmp_path, alias, target):
    aliases = artifacts.Aliases(tmp_path / "aliases.json")
    with pytest.raises(ValueError, match="is not accepted"):
        aliases.move(alias, target)
    with pytest.raises(ValueError, match="is not accepted"):
        aliases.promote("..")
    assert not aliases.path.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"form": 2, "aliases": {}}', '{"form": 1, "aliases": {"a": 1}}', '{"form": 1}']
)
def test_a_strange_file_of_aliases_is_refused_and_kept(tmp_path, text):
    file = tmp_path / "aliases.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="is no file of aliases"):
        artifacts.Aliases(file).promote("v1")
    assert file.read_text(encoding="utf-8") == text


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="make it before the first alias"):
        artifacts.Aliases(tmp_path / "none" / "aliases.json").promote("v1")


def test_two_processes_and_two_threads_lose_no_update(tmp_path):
    """Four writers make 15 aliases each, while a reader always finds a whole file."""
    file = tmp_path / "aliases.json"
    code = """
import sys
from mlops_lab.artifacts import Aliases
for number in range(15):
    Aliases(sys.argv[1], timeout_s=60).move(f"{sys.argv[2]}-{number}", "v1")
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(file), f"p{n}"], cwd=ROOT) for n in range(2)
    ]
    aliases = artifacts.Aliases(file, timeout_s=60)
    threads = [
        threading.Thread(target=lambda n=n: [aliases.move(f"t{n}-{number}", "v1") for number in range(15)])
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    seen = []
    while any(process.poll() is None for process in processes):
        seen.append(len(aliases.targets()))
        threading.Event().wait(0.005)
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert len(aliases.targets()) == 60
    assert seen == sorted(seen)
