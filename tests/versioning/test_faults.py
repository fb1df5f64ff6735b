"""versioning: a kill, a full disk, a flipped bit or a second writer harms no version that was there."""

import errno
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from mlops_lab import versioning
from mlops_lab.versioning.packfiles import DamagedError

FIRST, SECOND = pd.DataFrame({"a": range(400)}), pd.DataFrame({"a": range(1, 401)})
# Children of a fork need not import pandas anew; where there is no fork they do, and the tests take longer.
PROCESSES = multiprocessing.get_context(
    "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
)


def made(folder):
    store = versioning.Store(folder, timeout_s=20)
    store.promote(store.commit(FIRST, "crates", "first"))
    return store


def commit(store):
    return store.commit(SECOND, "crates", "second")


def forget_and_sweep(store):
    store.commit({"depth": 3}, "settings")
    store.forget("settings")
    return store.gc()


def promote(store):
    return store.promote(store.commit({"depth": 3}, "settings"))


def make(store):
    return versioning.Store(store.folder.with_name("another"))


ACTS = {"commit": commit, "gc": forget_and_sweep, "promote": promote, "make": make}
LONG = {"gc", "promote", "make"}
EACH = [pytest.param(act, marks=[pytest.mark.slow] if act in LONG else []) for act in ACTS]


def whole(folder, act):
    """All that was there is there, nothing is half there, and the act works now."""
    store = versioning.Store(folder, timeout_s=20)
    pd.testing.assert_frame_equal(store.load("champion" if act != "promote" else "crates@1"), FIRST)
    for ref in store.log().index:
        store.load(ref)
    assert store.verify().ok, store.verify()
    ACTS[act](store)
    store.commit(SECOND, "crates")
    pd.testing.assert_frame_equal(store.load("crates"), SECOND)
    store.gc()
    assert store.verify().ok
    assert not list(folder.glob("packs/.*")) and not list(folder.glob("versions/.*"))


class Faults:
    """Counts the calls that change the disk, and lets the n-th fail in its way, and all later ones too."""

    def __init__(self, monkeypatch, fail):
        self.calls, self.at, self.fail = 0, None, fail
        for module, name in ((os, "fsync"), (os, "replace"), (os, "mkdir"), (os, "unlink")):
            monkeypatch.setattr(module, name, self.counted(getattr(module, name)))
        plain = pathlib.Path.open
        faults = self

        def opened(path, mode="r", *rest, **named):
            if not set(mode) & set("wxa+"):
                return plain(path, mode, *rest, **named)
            faults.count()
            file = (
                plain(path, mode, buffering=0, **named) if "b" in mode else plain(path, mode, *rest, **named)
            )
            return Written(file, faults)

        monkeypatch.setattr(pathlib.Path, "open", opened)

    def counted(self, call):
        def counting(*given, **named):
            self.count()
            return call(*given, **named)

        return counting

    def count(self):
        self.calls += 1
        if self.at is not None and self.calls >= self.at:
            self.fail()


class Written:
    """A file whose writes are counted, and of which half is written when they fail."""

    def __init__(self, file, faults):
        self._file, self._faults = file, faults

    def write(self, data):
        try:
            self._faults.count()
        except OSError:
            self._file.write(data[: len(data) // 2])
            raise
        except SystemExit:
            self._file.write(data[: len(data) // 2])
            die()
        return self._file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


def full():
    raise OSError(errno.ENOSPC, "No space left on device")


def leave():
    sys.exit(1)


def die():
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


def _calls(folder, act):
    with pytest.MonkeyPatch.context() as patch:
        store = made(folder)
        faults = Faults(patch, full)
        ACTS[act](store)
    return faults.calls


@pytest.mark.parametrize("act", EACH)
def test_a_full_disk_at_any_point_harms_nothing(tmp_path, act):
    calls = _calls(tmp_path / "count" / "store", act)
    assert calls >= 4
    for at in range(1, calls + 1):
        folder = tmp_path / str(at) / "store"
        store = made(folder)
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, full).at = at
            try:
                ACTS[act](store)
            except OSError as refused:
                assert refused.errno == errno.ENOSPC
                assert any("versions are whole" in note for note in refused.__notes__)
            else:
                assert at == calls  # only the folder's own entry was not forced to the disk
        whole(folder, act)


def _until_killed(folder, act, at):
    with pytest.MonkeyPatch.context() as patch:
        Faults(patch, leave if at < 0 else die).at = abs(at)
        ACTS[act](versioning.Store(folder))


@pytest.mark.parametrize("act", EACH)
def test_a_kill_at_any_point_harms_nothing(tmp_path, act):
    calls = _calls(tmp_path / "count" / "store", act)
    for at in range(1, calls + 1):
        for how in (at, -at):  # before the call; and in a write, after half of it
            folder = tmp_path / str(how) / "store"
            made(folder)
            child = PROCESSES.Process(target=_until_killed, args=(folder, act, how))
            child.start()
            child.join()
            assert child.exitcode in (-9, 9, 1)
            whole(folder, act)


def _real_disk(tmp_path):
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small disk of its own can be mounted by root on Linux only")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)], capture_output=True
    )
    if done.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    return disk


def test_a_disk_that_is_really_full(tmp_path):
    disk = _real_disk(tmp_path)
    try:
        store = made(disk / "store")
        rng = random.Random(0)
        failures = 0
        for size in (100, 200, 300, 400, 150, 50, 400, 30, 10, 5, 2):
            path = tmp_path / "blob"
            path.write_bytes(rng.randbytes(size * 1000))
            try:
                store.commit(path, "blob")
            except OSError as refused:
                assert refused.errno == errno.ENOSPC
                failures += 1
            assert store.verify().ok
            pd.testing.assert_frame_equal(store.load("champion"), FIRST)
        assert failures >= 3
        for ref in [ref for ref in store.log().index if ref.startswith("blob")]:
            store.forget(ref)
        store.gc()
        assert commit(store).ref == "crates@2"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# --- several at once ---------------------------------------------------------------------------------------


def _write(folder, who, count):
    store = versioning.Store(folder)
    for number in range(count):
        table = pd.DataFrame({"a": range(2000), "who": [f"{who} {number}"] * 2000})
        store.commit(table, "crates", f"{who} {number}")
        store.point(f"latest-{who}", store.commit({"who": who, "number": number}, "settings"))


def _sweep(folder, until):
    store = versioning.Store(folder)
    while not until.is_set():
        store.gc()
        time.sleep(0.005)


def _read(folder, until, failures):
    store = versioning.Store(folder)
    while not until.is_set():
        for ref in store.log("crates").index[-3:]:
            table = store.load(ref)
            if len(table) not in (400, 2000) or ("who" in table and table["who"].nunique() != 1):
                failures.put(ref)
        time.sleep(0.002)


def test_writers_readers_and_a_sweeper_at_once(tmp_path):
    folder, count = tmp_path / "store", 8
    made(folder)
    until, failures = PROCESSES.Event(), PROCESSES.Queue()
    writers = [PROCESSES.Process(target=_write, args=(folder, who, count)) for who in ("ann", "bob")]
    others = [
        PROCESSES.Process(target=_sweep, args=(folder, until)),
        PROCESSES.Process(target=_read, args=(folder, until, failures)),
    ]
    for process in (*writers, *others):
        process.start()
    for process in writers:
        process.join(120)
    until.set()
    for process in others:
        process.join(60)
    assert [process.exitcode for process in (*writers, *others)] == [0, 0, 0, 0]
    assert failures.empty()
    store = versioning.Store(folder)
    log = store.log("crates")
    assert log.index.tolist() == [f"crates@{number}" for number in range(1, 2 * count + 2)]
    assert sorted(log["message"][1:]) == sorted(f"{who} {n}" for who in ("ann", "bob") for n in range(count))
    for ref, message in log["message"][1:].items():
        assert set(store.load(ref)["who"]) == {message}
    assert store.load("latest-ann") == {"who": "ann", "number": count - 1}
    assert store.verify().ok


def test_a_commit_builds_on_what_a_sweep_left(tmp_path):
    """The committer has read the packs before another program sweeps them together."""
    store = made(tmp_path / "store")
    commit(store)
    other = versioning.Store(tmp_path / "store")
    other.forget("crates@2")
    assert other.gc().removed_pieces > 0
    third = store.commit(SECOND, "crates", "third")  # its pieces were known to this store, and are gone
    pd.testing.assert_frame_equal(versioning.Store(tmp_path / "store").load(third), SECOND)
    assert third.number == 3  # the number of a forgotten version is not used again


def test_a_sweep_removes_what_is_forgotten_and_only_that(tmp_path):
    store = made(tmp_path / "store")
    bytes_before = store.bytes()
    path = tmp_path / "blob"
    path.write_bytes(random.Random(0).randbytes(200_000))
    store.commit(path, "blob")
    store.forget("blob@1")
    with pytest.raises(KeyError, match="'blob@1' was forgotten"):
        store.load("blob@1")
    swept = store.gc()
    assert swept.removed_bytes > 190_000 and store.bytes() < bytes_before + 1_000
    pd.testing.assert_frame_equal(store.load("champion"), FIRST)
    assert store.gc().removed_pieces == 0


def test_what_is_needed_is_not_forgotten(tmp_path):
    store = made(tmp_path / "store")
    with pytest.raises(ValueError, match="needed by champion"):
        store.forget("crates")
    commit(store)
    store.commit({"depth": 3}, "settings", lineage=versioning.lineage("crates@2"))
    with pytest.raises(ValueError, match="needed by settings@1;"):
        store.forget("crates@2")


def test_a_writer_that_waits_too_long_says_so(tmp_path):
    from mlops_lab.artifacts import locked

    store = made(tmp_path / "store")
    store.timeout_s = 0.05
    with locked(store.folder / "store"), pytest.raises(TimeoutError, match="another writer"):
        commit(store)


def test_a_folder_that_cannot_be_written_can_be_read(tmp_path, monkeypatch):
    store = made(tmp_path / "store")

    def refused():
        raise PermissionError(errno.EACCES, "Permission denied")

    Faults(monkeypatch, refused).at = 1
    pd.testing.assert_frame_equal(versioning.Store(store.folder).load("champion"), FIRST)
    assert store.verify().ok
    with pytest.raises(PermissionError) as failure:
        commit(store)
    assert "it can be read here, but not written" in failure.value.__notes__[-1]


# --- flipped bits ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bits") / "store"
    store = versioning.Store(folder)
    store.promote(store.commit(pd.DataFrame({"a": range(3000), "b": range(3000, 6000)}), "crates"))
    store.commit(pd.DataFrame({"a": range(3000), "b": range(3001, 6001)}), "crates")
    store.commit({"depth": 3}, "settings", lineage={"inputs": {"data": "crates@1"}})
    return folder


def _flips(folder, count):
    rng = random.Random(0)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        for place in sorted({*range(min(size, 1)), *rng.sample(range(size), min(size, count))}):
            yield path.relative_to(folder), place, 1 << rng.randrange(8)


@pytest.mark.parametrize("count", [12, pytest.param(40, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_found_and_what_it_harms_is_named(old, tmp_path, count):
    folder = tmp_path / "store"
    shutil.copytree(old, folder)
    contents = {ref: versioning.Store(folder).load(ref) for ref in ("crates@1", "crates@2", "settings@1")}
    found = dict.fromkeys(("packs", "versions", "aliases.json", "aliases.sha256", "store.json"), 0)
    for relative, place, bit in _flips(folder, count):
        path = folder / relative
        content = path.read_bytes()
        store = versioning.Store(folder)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        verified = store.verify()
        assert verified.ok is False, (relative, place, bit)
        assert relative.name in "".join(verified.damaged["file"]) or "aliases" in relative.name, verified
        named = {ref for refs in verified.damaged["versions"] for ref in refs}
        for ref, expected in contents.items():
            if ref in named:
                continue
            back = versioning.Store(folder).load(ref) if relative.name != "store.json" else store.load(ref)
            assert back.equals(expected) if isinstance(back, pd.DataFrame) else back == expected, (
                relative,
                place,
            )
        found[relative.parts[0]] += 1
        path.write_bytes(content)
    assert all(found.values()), found
    assert versioning.Store(folder).verify().ok


def test_damage_is_named_when_it_is_loaded_and_stops_a_sweep(old, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(old, folder)
    store = versioning.Store(folder)
    harmed = []
    for pack in sorted((folder / "packs").iterdir()):
        content = bytearray(pack.read_bytes())
        content[40] ^= 4
        pack.write_bytes(content)
    verified = store.verify()
    for refs in verified.damaged["versions"]:
        harmed += refs
    assert set(harmed) == {"crates@1", "crates@2", "settings@1"}
    for ref in set(harmed):
        with pytest.raises(DamagedError, match=r"piece .* is damaged"):
            store.load(ref)
    before = {path: path.read_bytes() for path in folder.rglob("*.pack")}
    with pytest.raises(DamagedError):
        store.gc()
    assert {path: path.read_bytes() for path in folder.rglob("*.pack")} == before
    assert "Harmed: crates@1" in str(verified)


@pytest.mark.parametrize("part", ["packs", "versions", "aliases.json"])
def test_a_file_that_is_gone_is_missed(old, tmp_path, part):
    folder = tmp_path / "store"
    shutil.copytree(old, folder)
    path = folder / part
    path = path if path.is_file() else sorted(path.iterdir())[0]
    path.unlink()
    if part == "versions":  # crates@1: needed by an alias and by the lineage of settings@1
        assert "champion" in versioning.Store(folder).verify().damaged["object"].tolist()
        assert versioning.Store(folder).lineage("settings@1").ok is False
    else:
        assert versioning.Store(folder).verify().ok is False
