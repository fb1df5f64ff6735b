"""Hold every lesson's stored outputs against what its cells give now.

Each notebook is executed twice, independently. nbval executes it and compares texts and tables to the letter
(on Linux x86-64, where the lock fixes every digit; elsewhere it only executes). papermill executes it, and we
compare what nbval cannot: claims by their tolerance, and figures.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

from mlops_lab.course import compare, warm_kernels
from mlops_lab.course.execution import (
    CELL_TIMEOUT_S,
    KERNEL,
    WORKERS,
    execute,
    is_alone,
    jobs_for,
    own_kernel,
    shown_progress,
)
from mlops_lab.course.notebooks import Lesson, chosen, read
from mlops_lab.lesson.derived_texts import read_from

__all__: list[str] = []

_PLUGIN = "mlops_lab.course.nbval_plugin"


def exact() -> bool:
    """Say whether this system gives the stored numbers to the last digit: Linux on x86-64, under the lock."""
    return sys.platform == "linux" and platform.machine().lower() in ("x86_64", "amd64")


def nbval(
    notebooks: Sequence[Path],
    *,
    strict: bool | None = None,
    warm: bool = False,
    cell_timeout_s: float = CELL_TIMEOUT_S,
) -> list[str]:
    """Execute notebooks with nbval, in copies, and compare their outputs with the stored ones.

    Two notebooks run at a time, each in a kernel of its own; those that must run alone follow. pytest's own
    report goes to standard output.
    """
    strict = exact() if strict is None else strict
    together = [path for path in notebooks if not is_alone(path)]
    alone = [[path] for path in notebooks if path not in together]
    with own_kernel() as folder:
        with warm_kernels.server() if warm and together else nullcontext():
            found = _batch(together, folder / "together", strict, cell_timeout_s) if together else []
        for number, batch in enumerate(alone):
            found += _batch(batch, folder / str(number), strict, cell_timeout_s)
    return found


def _batch(notebooks: Sequence[Path], folder: Path, strict: bool, cell_timeout_s: float) -> list[str]:
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    labels: dict[str, int] = {}
    for notebook in notebooks:
        target = folder / notebook.parent.name / notebook.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(notebook, target)
        cells = [cell for cell in read(notebook)["cells"] if cell["cell_type"] == "code"]
        labels[f"{notebook.parent.name}.{notebook.name}"] = len(cells)
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "--no-header", "--tb=short"]
    command += ["-p", "nbval.plugin", "-p", _PLUGIN, "-p", "no:cacheprovider", "--junitxml=report.xml"]
    command += ["--nbval" if strict else "--nbval-lax", "--nbval-kernel-name", KERNEL]
    command += ["--nbval-cell-timeout", str(cell_timeout_s)]
    if len(notebooks) > 1:
        command += ["-p", "xdist", "-n", str(WORKERS), "--dist", "loadfile"]
    # plugins that happen to be installed beside ours must not change what is tested
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    code = subprocess.run(command, cwd=folder, env=env, check=False).returncode
    report = folder / "report.xml"
    found = _judge(report, labels) if report.is_file() else ["nbval wrote no report"]
    return found or ([f"nbval ended with code {code}"] if code else [])


def _judge(report: Path, labels: dict[str, int]) -> list[str]:
    """Read pytest's report: what failed, and whether every cell of every notebook was executed."""
    found = []
    executed = dict.fromkeys(labels, 0)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = next((label for label in labels if str(case.get("classname", "")).endswith(label)), "")
        wrong = next((part for part in case if part.tag in ("failure", "error")), None)
        if wrong is not None:
            found.append(f"{name}, code {str(case.get('name')).lower()}: {_shortened(wrong.text or '')}")
        if name and case.find("skipped") is None:
            executed[name] += 1
    if not found:
        found = [
            f"{name}: nbval executed {executed[name]} of {count} code cells"
            for name, count in labels.items()
            if executed[name] != count
        ]
    return found


def _shortened(text: str) -> str:
    """Keep the line that says what happened, and what follows the cell's source."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n    ".join(lines[1:12]) if len(lines) > 1 else "".join(lines)


def validate(lessons: Sequence[Lesson], *, cell_timeout_s: float = CELL_TIMEOUT_S) -> list[str]:
    """Execute lessons with papermill and compare claims and figures with what is stored."""
    found = []
    with tempfile.TemporaryDirectory(prefix="mlops-lab-validate-", ignore_cleanup_errors=True) as folder:
        jobs = jobs_for(lessons, Path(folder))
        with read_from(lessons[0].texts.parent):
            results = execute(jobs, cell_timeout_s=cell_timeout_s, progress=shown_progress())
        for result in results:
            if result.failure is not None:
                found.append(str(result.failure))
                continue
            stored, fresh = read(result.job.notebook), read(result.job.target)
            differences = compare.differences(stored, fresh, exact=exact())
            found += [f"{result.job.name}, {difference}" for difference in differences]
    return found


def main(lessons: Sequence[str] = (), *, cold: bool = False, root: Path) -> int:
    """Validate lessons by both engines and print what differs; `cold` starts every kernel anew."""
    known = chosen(lessons, root=root)
    by_papermill = validate(known)
    with read_from(known[0].texts.parent):
        by_nbval = nbval([path for lesson in known for path in (lesson.copy, lesson.source)], warm=not cold)
    for engine, found in (("papermill", by_papermill), ("nbval", by_nbval)):
        sys.stdout.write("".join(f"DIFFERS ({engine}) {difference}\n" for difference in found))
        sys.stdout.write(f"{engine}: {2 * len(known)} notebooks executed, {len(found)} differences\n")
    sys.stdout.flush()
    return int(bool(by_papermill or by_nbval))
