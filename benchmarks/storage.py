"""What ten versions of a 100 MB table take on disk and in time, kept in many ways.

    python benchmarks/storage.py --rivals ENV/bin/python    # writes benchmarks/results/storage.json
    python benchmarks/storage.py --mb 5 --out -             # a short look, printed only
    python benchmarks/storage.py --ways restic "ours, chunks of the file" --keep    # again; keep the others

ENV is an environment of its own with deltalake, fastcdc, pandas, pyarrow (21 or newer) and zstandard. Git,
restic and zstd are used where they are installed; what is missing is named in the result. Every way runs in a
process of its own and keeps the same ten CSV files. Then every version is brought back, in order, and held
against the original: bytes with bytes, or rows with rows. Seconds are those of keeping and of bringing back,
without comparing, imports, and the parsing of CSV for "chunks of the table". The start of a command line tool
is part of its time. Chains (patches, row differences) build each version on the one brought back before.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
from digest import code_digest  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "storage.json"
VERSIONS, SHARE = 10, 0.01
KINDS = {
    "edit": "1 % of the crates, scattered, are graded and weighed again",
    "append": "1 % more crates at the end",
    "delete": "a block of 1 % of the crates is taken out",
}
GIT_LIMIT_S = 900
CHUNKERS = ("fixed 16 KB", "fastcdc 8 KB", "fastcdc 16 KB", "fastcdc 64 KB", "restic")
OURS = "ours, chunks of the file"
Restore = Callable[[int], object]
Kept = tuple[Path, Restore]


def sources() -> list[Path]:
    """List the sources that are measured."""
    return sorted((ROOT / "mlops_lab" / "versioning").glob("*.py"))


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


# --- the ten versions --------------------------------------------------------------------------------------


def tables(kind: str, megabytes: float) -> Iterator[bytes]:
    """Give ten versions of the orchard's table as CSV, each made from the one before."""
    import numpy as np

    from mlops_lab import worlds

    batch = worlds.Orchard(seed=0).archive(round(megabytes * 1e6 / 75))
    whole = batch.crates.assign(grade=batch.labels).to_csv(float_format="%.4f", lineterminator="\n")
    head, *rows = whole.encode().splitlines(keepends=True)
    rng = np.random.default_rng(0)
    batch_size = round(len(rows) * SHARE)
    held_back = [row.replace(b"archive", b"arrived") for row in rows[: batch_size * VERSIONS]]
    columns = head.rstrip().split(b",")
    weight, grade = columns.index(b"weight"), columns.index(b"grade")
    for version in range(VERSIONS):
        if version and kind == "edit":
            for place in rng.choice(len(rows), batch_size, replace=False):
                cells = rows[place].rstrip().split(b",")
                cells[weight] = b"%.4f" % rng.normal()
                cells[grade] = str(rng.choice(worlds.GRADES)).encode()
                rows[place] = b",".join(cells) + b"\n"
        elif version and kind == "append":
            rows += held_back[(version - 1) * batch_size : version * batch_size]
        elif version:
            start = int(rng.integers(len(rows) - batch_size))
            del rows[start : start + batch_size]
        yield head + b"".join(rows)


def sizes(folder: Path) -> int:
    """Add up the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def command(*words: str, folder: Path, limit_s: float = 3600, quiet: Path | None = None) -> None:
    """Run a tool without its settings; its output is kept only where a file is asked for."""
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / ".cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    people = {
        f"GIT_{who}_{what}": "benchmark" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    told = {
        "RESTIC_PASSWORD": "benchmark",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".site"),
    }
    dvc = {"DVC_GLOBAL_CONFIG_DIR": str(folder / ".settings"), "GIT_CONFIG_NOSYSTEM": "1"}
    with Path(quiet or os.devnull).open("wb") as out:
        subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **home, **people, **told, **dvc},
            stdout=out,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=limit_s,
        )


# --- the ways: each gives the folder to be weighed, and how a version comes back -------


def copies(folder: Path, files: list[Path], kind: str) -> Kept:
    """Keep whole files."""
    for file in files:
        shutil.copyfile(file, folder / file.name)
    return folder, lambda version: (folder / files[version].name).read_bytes()


def zstd_each(folder: Path, files: list[Path], kind: str) -> Kept:
    """Keep whole files, each compressed."""
    import zstandard

    for file in files:
        packed = zstandard.ZstdCompressor(level=3).compress(file.read_bytes())
        (folder / file.name).write_bytes(packed)
    return folder, lambda v: zstandard.ZstdDecompressor().decompress((folder / files[v].name).read_bytes())


def dvc(folder: Path, files: list[Path], kind: str) -> Kept:
    """Add each file to DVC."""
    program = str(Path(sys.executable).with_name("dvc"))
    command("git", "init", "-q", folder=folder)
    command(program, "init", "-q", folder=folder)
    command(program, "config", "core.check_update", "false", folder=folder)
    pointers = []
    for file in files:
        (folder / "data.csv").unlink(missing_ok=True)
        shutil.copyfile(file, folder / "data.csv")
        command(program, "add", "-q", "data.csv", folder=folder)
        pointers.append((folder / "data.csv.dvc").read_bytes())

    def restore(version: int) -> bytes:
        (folder / "data.csv.dvc").write_bytes(pointers[version])
        command(program, "checkout", "-q", "--force", folder=folder)
        return (folder / "data.csv").read_bytes()

    return folder / ".dvc" / "cache", restore


def git_gc(folder: Path, files: list[Path], kind: str) -> Kept:
    """Commit each file to Git, then pack all."""
    command("git", "init", "-q", folder=folder)
    for version, file in enumerate(files):
        shutil.copyfile(file, folder / "data.csv")
        command("git", "add", "data.csv", folder=folder)
        command("git", "commit", "-qm", str(version), folder=folder)
        command("git", "tag", f"v{version}", folder=folder)
    command("git", "-c", "pack.threads=1", "gc", "-q", "--prune=now", folder=folder, limit_s=GIT_LIMIT_S)

    def restore(version: int) -> bytes:
        command("git", "checkout", "-q", f"v{version}", "--", "data.csv", folder=folder)
        return (folder / "data.csv").read_bytes()

    return folder / ".git", restore


def restic(folder: Path, files: list[Path], kind: str) -> Kept:
    """Back each file up with restic, which also encrypts."""
    repository = folder / "repository"
    run = ("restic", "-q", "-r", str(repository))
    command(*run, "init", "--repository-version", "2", folder=folder)
    for version, file in enumerate(files):
        shutil.copyfile(file, folder / "data.csv")
        command(*run, "backup", "--tag", f"v{version}", "data.csv", folder=folder)

    def restore(version: int) -> bytes:
        words = (*run, "dump", "--tag", f"v{version}", "latest", "data.csv")
        command(*words, folder=folder, quiet=folder / "back.csv")
        return (folder / "back.csv").read_bytes()

    return repository, restore


def _chunk_store(folder: Path, cuts: Callable[[Path, bytes], list[int]], blobs: Iterator[Path] | list[Path]):
    """Keep files as compressed pieces in one pack, each piece once; a version is a list of names."""
    import zstandard

    compressor, known, recipes, end = zstandard.ZstdCompressor(level=3), {}, [], 0
    with (folder / "pack").open("wb") as pack:
        for file in blobs:
            data, names, start = file.read_bytes(), [], 0
            for stop in cuts(file, data):
                piece = data[start:stop]
                name = hashlib.sha256(piece).digest()
                if name not in known:
                    packed = compressor.compress(piece)
                    known[name] = (end, len(packed))
                    end += pack.write(packed)
                names.append(name)
                start = stop
            (folder / f"recipe-{len(recipes)}").write_bytes(b"".join(names))
            recipes.append(names)

    def restore(version: int) -> bytes:
        decompressor = zstandard.ZstdDecompressor()
        with (folder / "pack").open("rb") as pack:
            pieces = []
            for name in recipes[version]:
                pack.seek(known[name][0])
                pieces.append(decompressor.decompress(pack.read(known[name][1])))
        return b"".join(pieces)

    return folder, restore


def fixed(folder: Path, files: list[Path], kind: str) -> Kept:
    """Keep pieces of a fixed length."""

    def cuts(_: Path, data: bytes) -> list[int]:
        return [*range(16_384, len(data), 16_384), len(data)]

    return _chunk_store(folder, cuts, files)


def _fast(average: int) -> Callable[[Path, bytes], list[int]]:
    from fastcdc.fastcdc_cy import fastcdc_cy

    def cuts(file: Path, _: bytes) -> list[int]:
        pieces = fastcdc_cy(str(file), average // 4, average, average * 8, fat=False)
        return [piece.offset + piece.length for piece in pieces]

    return cuts


def fastcdc(average: int) -> Callable[[Path, list[Path], str], Kept]:
    """Keep pieces cut by the PyPI package fastcdc."""
    return lambda folder, files, kind: _chunk_store(folder, _fast(average), files)


def ours(chunked: bool, frame: bool = False) -> Callable[[Path, list[Path], str], Kept]:
    """Keep each file, or the table in it, in our store."""

    def way(folder: Path, files: list[Path], kind: str) -> Kept:
        import pandas as pd

        from mlops_lab import versioning

        store = versioning.Store(folder / "store", chunked=chunked)
        ids = []
        for file in files:
            thing = pd.read_csv(file, index_col="crate") if frame else file
            begin = time.perf_counter(), time.process_time()
            ids.append(store.commit(thing, name="crates").id)
            _ALONE["wall_s"] += time.perf_counter() - begin[0]
            _ALONE["cpu_s"] += time.process_time() - begin[1]

        def restore(version: int) -> object:
            back = store.load(ids[version])
            return Path(back).read_bytes() if isinstance(back, (str, os.PathLike)) else back

        return folder / "store", restore

    return way


_ALONE = {"wall_s": 0.0, "cpu_s": 0.0}
"""Seconds of keeping alone, for the way that must first parse what the others take as bytes."""


def _table(file: Path) -> Any:
    import pyarrow.csv

    return pyarrow.csv.read_csv(file)


def cdc_parquet(folder: Path, files: list[Path], kind: str) -> Kept:
    """Write Parquet with pages cut by content, and keep its pieces."""
    import pyarrow.parquet as pq

    def written() -> Iterator[Path]:
        for version, file in enumerate(files):
            path = folder / f"v{version}.parquet"
            table = _table(file)
            pq.write_table(table, path, use_content_defined_chunking=True, compression="zstd")
            yield path
            path.unlink()

    _, back = _chunk_store(folder, _fast(65_536), written())

    def restore(version: int) -> object:
        import pyarrow

        return pq.read_table(pyarrow.BufferReader(back(version)))

    return folder, restore


def delta_lake(folder: Path, files: list[Path], kind: str) -> Kept:
    """Append, merge or delete in a Delta Lake table, as somebody would who knows the change."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    place, before = str(folder / "table"), None
    for file in files:
        table = _table(file)
        if before is None:
            write_deltalake(place, table)
        elif kind == "append":
            write_deltalake(place, table.slice(before.num_rows), mode="append")
        elif kind == "delete":
            gone = pa.table({"crate": sorted({*before["crate"].to_pylist()} - {*table["crate"].to_pylist()})})
            merge = DeltaTable(place).merge(gone, "s.crate = t.crate", "s", "t")
            merge.when_matched_delete().execute()
        else:
            old, new = before.to_pandas(), table.to_pandas()
            rows = new[(old.to_numpy() != new.to_numpy()).any(axis=1)]
            merge = DeltaTable(place).merge(
                pa.Table.from_pandas(rows, preserve_index=False), "s.crate = t.crate", "s", "t"
            )
            merge.when_matched_update_all().execute()
        before = table
    return folder, lambda version: DeltaTable(place, version=version).to_pyarrow_table()


def row_differences(folder: Path, files: list[Path], kind: str) -> Kept:
    """Keep the rows that changed, and the names of those that are gone."""
    import pandas as pd

    before = None
    for version, file in enumerate(files):
        table = _table(file).to_pandas().set_index("crate")
        if before is None:
            table.to_parquet(folder / "0.parquet", compression="zstd")
        else:
            both = before.index.intersection(table.index)
            changed = (before.loc[both].to_numpy() != table.loc[both].to_numpy()).any(axis=1)
            kept = table.index.difference(before.index).union(both[changed])
            table.loc[kept].to_parquet(folder / f"{version}.parquet", compression="zstd")
            gone = before.index.difference(table.index).to_frame()
            gone.to_parquet(folder / f"{version}.gone.parquet", compression="zstd", index=False)
        before = table

    back = [pd.read_parquet(folder / "0.parquet")]

    def restore(version: int) -> object:
        if version:
            new = pd.read_parquet(folder / f"{version}.parquet")
            kept = back[-1].drop(pd.read_parquet(folder / f"{version}.gone.parquet")["crate"])
            back[:] = [pd.concat([kept.drop(kept.index.intersection(new.index)), new])]
        return back[-1]

    return folder, restore


def zstd_chain(folder: Path, files: list[Path], kind: str) -> Kept:
    """Keep each file as a patch on the one before."""
    place = folder.with_name(folder.name + "-back")
    place.mkdir()
    for version, file in enumerate(files):
        base = ["--patch-from", str(files[version - 1])] if version else []
        words = ["zstd", "-q", "-3", "--long=27", *base, str(file), "-o", str(folder / f"{version}.zst")]
        command(*words, folder=folder)

    def restore(version: int) -> bytes:
        base = ["--patch-from", f"back-{version - 1}"] if version else []
        words = (
            "zstd",
            "-q",
            "-d",
            "--long=27",
            *base,
            str(folder / f"{version}.zst"),
            "-o",
            f"back-{version}",
        )
        command(*words, folder=place)
        return (place / f"back-{version}").read_bytes()

    return folder, restore


# name -> the way, whether it runs in the rivals' environment, and the program it needs
WAYS: dict[str, tuple[Callable[[Path, list[Path], str], Kept], bool, str]] = {
    "copies": (copies, False, ""),
    "copies, zstd each": (zstd_each, False, ""),
    "DVC": (dvc, False, "git"),
    "git + gc": (git_gc, False, "git"),
    "restic": (restic, False, "restic"),
    "fixed 16 KB": (fixed, False, ""),
    "fastcdc 8 KB": (fastcdc(8_192), True, ""),
    "fastcdc 16 KB": (fastcdc(16_384), True, ""),
    "fastcdc 64 KB": (fastcdc(65_536), True, ""),
    "ours, whole files": (ours(False), False, ""),
    OURS: (ours(True), False, ""),
    "ours, chunks of the table": (ours(True, frame=True), False, ""),
    "CDC parquet": (cdc_parquet, True, ""),
    "Delta Lake": (delta_lake, True, ""),
    "row differences": (row_differences, True, ""),
    "zstd patch chain": (zstd_chain, False, "zstd"),
}


# --- one way, in a process of its own ----------------------------------------------------------------------


def spent() -> tuple[float, float]:
    """Give wall and CPU seconds so far, of this process and of the tools that it ran."""
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def same(back: object, file: Path) -> bool:
    """Compare a version that came back with its original: bytes with bytes, rows with rows in any order."""
    if isinstance(back, bytes):
        return back == file.read_bytes()
    import pandas as pd

    def fingerprint(frame: pd.DataFrame) -> tuple[int, int]:
        frame = frame if frame.index.name == "crate" else frame.set_index("crate")
        plain = frame.astype(dict.fromkeys(("scanner", "grade"), object))[sorted(frame)]
        rows = pd.util.hash_pandas_object(plain.set_axis(plain.index.astype(object)), categorize=False)
        return len(frame), int(rows.sum())

    found = back if isinstance(back, pd.DataFrame) else back.to_pandas()  # type: ignore[attr-defined]
    return fingerprint(found) == fingerprint(pd.read_csv(file))


def measure(way: str, kind: str, data: Path, folder: Path) -> dict[str, float]:
    """Keep ten versions one way, weigh them, bring each back and compare it."""
    files = sorted(data.glob("v*.csv"))
    for name in ("pandas", "pyarrow.parquet", "deltalake") if WAYS[way][1] else ("mlops_lab.versioning",):
        importlib.import_module(name)  # not to be timed
    begin = spent()
    kept, restore = WAYS[way][0](folder, files, kind)
    end = spent()
    wall_s, cpu_s = (end[0] - begin[0], end[1] - begin[1])
    if "of the table" in way:
        wall_s, cpu_s = _ALONE["wall_s"], _ALONE["cpu_s"]
    back_wall_s = back_cpu_s = 0.0
    for version, file in enumerate(files):
        begin = spent()
        back = restore(version)
        end = spent()
        back_wall_s, back_cpu_s = back_wall_s + end[0] - begin[0], back_cpu_s + end[1] - begin[1]
        if not same(back, file):
            raise SystemExit(f"{way}, {kind}: version {version} did not come back as it was")
    seconds = {"wall_s": wall_s, "cpu_s": cpu_s, "back_wall_s": back_wall_s, "back_cpu_s": back_cpu_s}
    return {"bytes": sizes(kept), **{name: round(value, 2) for name, value in seconds.items()}}


def missing(way: str, rivals: str) -> str:
    """Say why a way cannot be measured here; the empty text if it can."""
    _, apart, program = WAYS[way]
    if program and shutil.which(program) is None:
        return f"{program} is not installed"
    return "no --rivals environment was given" if apart and not rivals else ""


def run(way: str, kind: str, data: Path, scratch: Path, rivals: str) -> dict[str, Any]:
    """Measure one way in a process of its own, or say why not."""
    if why := missing(way, rivals):
        return {"missing": why}
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        words = [
            rivals if WAYS[way][1] else sys.executable,
            __file__,
            "--worker",
            way,
            kind,
            str(data),
            folder,
        ]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
    if ran.returncode:
        return {"missing": "failed: " + (ran.stderr.strip().splitlines() or ["no message"])[-1][:200]}
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def verdict(ways: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Hold ours against the best general chunker's bytes and restic's seconds, for each kind of change."""
    found: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        mine = ways.get(OURS, {}).get(kind, {})
        best = [ways[way][kind]["bytes"] for way in CHUNKERS if "bytes" in ways.get(way, {}).get(kind, {})]
        peer = ways.get("restic", {}).get(kind, {})
        if "bytes" in mine and best:
            found[kind] = {"bytes / best general chunker": round(mine["bytes"] / min(best), 3)}
            if "bytes" in peer:
                for name in ("wall_s", "cpu_s", "back_wall_s"):
                    found[kind][f"{name} / restic"] = round(mine[name] / peer[name], 3)
    return found


def machine() -> dict[str, Any]:
    """Say on what it was measured."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def tools(rivals: str) -> dict[str, str]:
    """Give the versions of what was compared."""
    words = {
        "git": ["git", "--version"],
        "restic": ["restic", "version"],
        "zstd": ["zstd", "--version"],
        "dvc": [str(Path(sys.executable).with_name("dvc")), "--version"],
    }
    if rivals:
        show = "import importlib.metadata as m; print(*(n + ' ' + m.version(n) for n in "
        words["rivals"] = [
            rivals,
            "-c",
            show + "('deltalake', 'fastcdc', 'pyarrow', 'zstandard')), sep=', ')",
        ]
    found = {}
    for name, line in words.items():
        if shutil.which(line[0]):
            found[name] = subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()
    return found


def main() -> None:
    """Measure every way under every kind of change, show each as it comes, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, default=100, help="size of the first version in MB")
    parser.add_argument(
        "--rivals", default="", help="a Python that has deltalake, fastcdc, pyarrow, zstandard"
    )
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--out", default=str(RESULTS), help="a file, or - to write none")
    parser.add_argument("--keep", action="store_true", help="keep the figures of ways that do not run now")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        way, kind, data, folder = options.worker
        print(json.dumps(measure(way, kind, Path(data), Path(folder))))
        return
    noted = json.loads(Path(options.out).read_text(encoding="utf-8")) if options.keep else {"ways": {}}
    ways: dict[str, dict[str, Any]] = {way: dict(noted["ways"].get(way, {})) for way in WAYS}
    about = {
        "sources_sha256": sources_digest(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "tools": tools(options.rivals),
        "first_version_mb": options.mb,
        "versions": VERSIONS,
        "kinds": KINDS,
        "restored_and_equal": "every version of every way without 'missing'",
        "ran_last": options.ways,
    }
    with tempfile.TemporaryDirectory(prefix="storage-") as place:
        for kind in options.kinds:
            data = Path(place, kind)
            data.mkdir()
            for version, content in enumerate(tables(kind, options.mb)):
                (data / f"v{version}.csv").write_bytes(content)
            print(f"{kind}: {sizes(data) / 1e6:.1f} MB in {VERSIONS} versions", flush=True)
            for way in options.ways:
                found = run(way, kind, data, Path(place), options.rivals)
                ways[way][kind] = found
                seconds = "  ".join(
                    f"{key} {value:7.1f}" for key, value in found.items() if key.endswith("_s")
                )
                shown = found.get("missing") or f"{found['bytes'] / 1e6:9.1f} MB  {seconds}"
                print(f"  {kind:7}{way:28}{shown}", flush=True)
            shutil.rmtree(data)
            held = verdict({way: ways[way] for way in options.ways}) or noted.get("verdict", {})
            results = {**about, "ways": {way: found for way, found in ways.items() if found}, "verdict": held}
            if options.out != "-":
                Path(options.out).parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps(results, indent=2) + "\n"
                Path(options.out).write_text(text, encoding="utf-8", newline="\n")
    print(json.dumps(held, indent=2))


if __name__ == "__main__":
    main()
