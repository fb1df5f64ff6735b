"""What executing lessons costs with cold kernels, with warm ones, and at the least, in CPU and wall seconds.

    python benchmarks/validation.py                   # lesson 00; writes benchmarks/results/validation.json
    python benchmarks/validation.py 00 07 --out -     # other lessons, printed only

Each lesson's two notebooks are executed by papermill, two at a time, strictly: once with a kernel of its own
each, once with kernels forked from one process (`course.warm_kernels`). The least is no kernel at all: one
process imports what the kernels import, and a fork of it runs the cells of each notebook, one after another.
Ratios are of CPU seconds within one run; wall seconds say little on a machine that others use, so its load
stands there.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest import code_digest  # noqa: E402

from mlops_lab.course.execution import execute, is_alone, jobs_for  # noqa: E402
from mlops_lab.course.notebooks import chosen  # noqa: E402
from mlops_lab.setup import environment  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "validation.json"
LESSONS = ["00"]

LEAST = """\
import importlib, json, os, sys
from mlops_lab.course.warm_kernels import _IMPORTED
for name in _IMPORTED:
    importlib.import_module(name)
import matplotlib
matplotlib.use("agg")
for path in sys.argv[1:]:
    if os.fork() == 0:
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        for cell in json.load(open(path, encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                shell.run_cell("".join(cell["source"])).raise_error()
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{path} does not run")
"""


def sources() -> list[Path]:
    """List the sources that the figures depend on."""
    return [ROOT / "mlops_lab" / "course" / f"{name}.py" for name in ("execution", "warm_kernels")]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def _spent() -> float:
    """Give the CPU seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _measured(way: str, names: list[str]) -> dict[str, float]:
    """Execute lessons in one way."""
    lessons = chosen(names, root=ROOT)
    start, before = time.perf_counter(), _spent()
    with tempfile.TemporaryDirectory() as folder:
        if way == "least":
            paths = [str(path) for lesson in lessons for path in (lesson.copy, lesson.source)]
            env = {**environment.prepared(strict=True), "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", LEAST, *paths]
            subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
        else:
            results = execute(jobs_for(lessons, Path(folder)), warm=way == "warm")
            failed = [str(result.failure) for result in results if not result.ok]
            if failed:
                sys.exit("\n".join(failed))
    return {"cpu_s": round(_spent() - before, 1), "wall_s": round(time.perf_counter() - start, 1)}


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", default=LESSONS)
    parser.add_argument("--out", default=str(RESULTS), help="a file, or - for the screen")
    arguments = parser.parse_args()
    environment.apply(strict=True)
    for lesson in chosen(arguments.lessons, root=ROOT):
        if is_alone(lesson.source):
            sys.exit(f"{lesson.name} runs alone, and so never in a warm kernel; choose other lessons")
    _measured("least", arguments.lessons)  # files into memory, bytecode written
    ways = {way: _measured(way, arguments.lessons) for way in ("cold", "warm", "least")}
    least = ways["least"]["cpu_s"]
    result = {
        "sources_sha256": sources_digest(),
        "lessons": [lesson.name for lesson in chosen(arguments.lessons, root=ROOT)],
        "load": round(os.getloadavg()[1], 1),
        "ways": ways,
        "over_least": {way: round(ways[way]["cpu_s"] / least, 2) for way in ("cold", "warm")},
    }
    text = json.dumps(result, indent=1) + "\n"
    if arguments.out == "-":
        print(text)
        return
    Path(arguments.out).write_text(text, encoding="utf-8", newline="\n")
    print(json.dumps(ways), "written to", arguments.out)


if __name__ == "__main__":
    main()
