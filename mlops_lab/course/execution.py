"""Notebooks executed by papermill: each in a fresh kernel of this very Python, two at a time, failures named.

What is written is a copy. The course's own notebooks are only read, so an interrupted run leaves them as they
were. A kernel called `python3` may be registered by another program and point to another Python, and IPython
runs a user's start-up files: both would make a result depend on the machine, so a run brings its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_lab.course import warm_kernels
from mlops_lab.course.notebooks import Lesson, read, text_of
from mlops_lab.setup import environment

__all__ = [
    "CELL_TIMEOUT_S",
    "KERNEL",
    "WORKERS",
    "Job",
    "JobResult",
    "execute",
    "is_alone",
    "jobs_for",
    "own_kernel",
    "shown_progress",
]

KERNEL = "python3"
"""The name under which lessons ask for their kernel."""

CELL_TIMEOUT_S = 120
"""How long one cell may take, in seconds; papermill itself would wait for ever."""

_START_TIMEOUT_S = 120
"""How long a kernel may take to start, in seconds."""

WORKERS = 2
"""How many notebooks run at a time."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def is_alone(notebook: Path) -> bool:
    """Say whether a notebook asks to run alone, since it times, leaks or serves.

    Its metadata then holds ``"mlops_lab": {"alone": true}``.
    """
    return notebook.is_file() and bool(read(notebook)["metadata"].get("mlops_lab", {}).get("alone", False))


@dataclass(frozen=True)
class Job:
    """A notebook to run, and where its executed copy goes."""

    name: str
    notebook: Path
    target: Path
    seed: int | None = None

    @property
    def alone(self) -> bool:
        """Whether it must have the machine to itself."""
        return is_alone(self.notebook)


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not run to its end."""

    name: str
    cell: int | None
    source: str
    error: str

    def __str__(self) -> str:
        where = self.name if self.cell is None else f"{self.name}, cell {self.cell}"
        return "\n".join([f"{where}: {self.error}", *(f"    {line}" for line in self.source.splitlines())])


@dataclass(frozen=True)
class JobResult:
    """What came of a job: the executed notebook, its time, and the failure if there was one."""

    job: Job
    seconds: float
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether every cell ran."""
        return self.failure is None


def execute(
    jobs: Sequence[Job],
    *,
    strict: bool = True,
    warm: bool = False,
    cell_timeout_s: float = CELL_TIMEOUT_S,
    progress: Callable[[JobResult, int, int], None] | None = None,
) -> list[JobResult]:
    """Run notebooks with papermill and store executed copies.

    Every notebook gets a fresh kernel in a folder of its own, two run at a time; those that must run alone
    follow one by one. A kernel that fails to start is tried once more; a cell that fails is not. Where `warm`
    is asked for, kernels are forks of a process that has imported what lessons import (`warm_kernels`); those
    of lessons that must run alone never are.
    """
    together = [job for job in jobs if not job.alone]
    alone = [job for job in jobs if job not in together]
    done: dict[int, JobResult] = {}
    kernels = Kernels()
    with own_kernel(strict=strict) as folder:

        def perform(batch: Sequence[Job], workers: int) -> None:
            with ThreadPoolExecutor(workers) as pool:
                running = {pool.submit(_one, job, folder, cell_timeout_s, kernels): job for job in batch}
                try:
                    for future in as_completed(running):
                        result = done[id(running[future])] = future.result()
                        if progress is not None:
                            progress(result, len(done), len(jobs))
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    kernels.stop()
                    raise

        with warm_kernels.server() if warm and together else nullcontext():
            perform(together, WORKERS)
        perform(alone, 1)
    return [done[id(job)] for job in jobs]


def shown_progress() -> Callable[[JobResult, int, int], None]:
    """Show progress: a bar in a terminal, a line for each notebook elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        bar: Any = tqdm(unit="notebook", dynamic_ncols=True)

        def advance(result: JobResult, done: int, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(f"{result.job.name} {result.seconds:.1f} s")
            bar.update()
            if done == total:
                bar.close()

        return advance

    def line(result: JobResult, done: int, total: int) -> None:
        verdict = "ran" if result.ok else "FAILED"
        sys.stdout.write(f"[{done}/{total}] {result.job.name}: {verdict} in {result.seconds:.1f} s\n")
        sys.stdout.flush()

    return line


def _one(job: Job, folder: Path, cell_timeout_s: float, kernels: Kernels) -> JobResult:
    start = time.perf_counter()
    job.target.parent.mkdir(parents=True, exist_ok=True)
    for last_try in (False, True):
        job.target.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as place:
            failure = _papermill(job, Path(place), cell_timeout_s, kernels)
        if failure is None or failure.cell is not None or last_try or kernels.stopped:
            break
    return JobResult(job, time.perf_counter() - start, failure)


def _papermill(job: Job, place: Path, cell_timeout_s: float, kernels: Kernels) -> Failure | None:
    """Run one notebook; a failure without a cell says that the kernel did not even start."""
    import papermill
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        executed = papermill.execute_notebook(
            str(job.notebook.resolve()),
            str(job.target.resolve()),
            parameters={} if job.seed is None else {"seed": job.seed},
            kernel_name=KERNEL,
            # papermill's own `cwd` changes the folder of this whole process, under the other worker's feet
            resources={"metadata": {"path": str(place)}},
            kernel_manager_class=kernels.manager_class(),
            execution_timeout=cell_timeout_s,
            start_timeout=_START_TIMEOUT_S,
            progress_bar=False,
            log_output=False,
        )
    except papermill.PapermillExecutionError as error:
        # papermill puts one cell at the very top and one before the failing cell
        return _failed(job, error.cell_index + 2, error.source, f"{error.ename}: {error.evalue}")
    except (CellTimeoutError, TimeoutError):
        return _stopped(job, f"took more than {cell_timeout_s:g} s and was stopped")
    except DeadKernelError:
        return _stopped(
            job, "the kernel died while it ran this cell (memory? os._exit? a crash in a library?)"
        )
    except (CellExecutionError, RuntimeError, OSError) as error:
        return _stopped(job, f"{type(error).__name__}: {error}")
    for cell_place, cell in enumerate(executed["cells"]):  # papermill takes sys.exit() for a good end
        if cell["cell_type"] == "code" and text_of(cell).strip() and cell["execution_count"] is None:
            return _failed(job, cell_place, text_of(cell), "never ran: a cell before it left the kernel")
    return None


def _stopped(job: Job, error: str) -> Failure:
    """Find the cell at which a run ended without an answer of the kernel: the last one that was begun."""
    begun = [
        (place, cell)
        for place, cell in enumerate(read(job.target)["cells"] if job.target.exists() else [])
        if cell["metadata"].get("papermill", {}).get("start_time")
    ]
    if not begun:
        return Failure(job.name, None, "", f"the kernel did not start: {error}")
    place, cell = begun[-1]
    return _failed(job, place, text_of(cell), error)


def _failed(job: Job, place: int, source: str, error: str) -> Failure:
    """Name the cell as the notebook counts it: the executed copy holds cells that papermill put in."""
    added = sum(
        bool({"injected-parameters", "papermill-error-cell-tag"} & set(cell["metadata"].get("tags", [])))
        for cell in read(job.target)["cells"][:place]
    )
    return Failure(job.name, place - added, source, error)


def jobs_for(lessons: Iterable[Lesson], folder: Path, seed: int | None = None) -> list[Job]:
    """List both notebooks of each lesson, student's and solution, with their executed copies in a folder."""
    return [
        Job(name, path, folder / f"{name}.ipynb", seed)
        for lesson in lessons
        for name, path in ((lesson.name, lesson.copy), (f"solutions/{lesson.name}", lesson.source))
    ]


# --- kernels ----------------------------------------------------------------------------------------------


@contextmanager
def own_kernel(*, strict: bool = True, warm: bool = False) -> Iterator[Path]:
    """Set this process up so that every kernel it starts is this Python, with a clean IPython.

    The environment of the process is changed inside the block and put back after it, so only one such block
    may be open at a time; kernels may run in parallel inside it. The package that kernels import is the one
    that this module belongs to. A server of warm kernels that a surrounding process keeps is used where
    `warm` says so; one that is started inside the block is used in any case.
    """
    from ipykernel.kernelspec import get_kernel_dict

    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="mlops-lab-run-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        spec = place / "jupyter" / "kernels" / KERNEL / "kernel.json"
        spec.parent.mkdir(parents=True)
        kernel = {**get_kernel_dict(), "metadata": warm_kernels.provisioned()}
        spec.write_text(json.dumps(kernel), encoding="utf-8")
        start, runtime = place / "start", place / "runtime"
        start.mkdir()
        runtime.mkdir(mode=0o700)
        try:
            environment.apply(strict)
            os.environ["JUPYTER_PATH"] = _first(spec.parents[2], os.environ.get("JUPYTER_PATH"))
            os.environ["PYTHONPATH"] = _first(_PACKAGE_ROOT, os.environ.get("PYTHONPATH"))
            os.environ["JUPYTER_RUNTIME_DIR"] = str(runtime)
            os.environ["IPYTHONDIR"] = str(place / "ipython")
            os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
            if not warm:
                os.environ.pop(warm_kernels.SOCKET, None)
            yield start
        finally:
            os.environ.clear()
            os.environ.update(before)


def _first(folder: Path, others: str | None) -> str:
    return os.pathsep.join([str(folder), *filter(None, [others])])


class Kernels:
    """The kernels of one run: each is known from its start, so that all can be ended at once.

    An interrupted program must not wait for a cell that computes for minutes. Once stopped, it starts no
    kernel any more.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._managers: list[Any] = []
        self._lock = threading.Lock()

    def manager_class(self) -> type[Any]:
        """Make the class of kernel managers whose kernels are known here; for nbclient."""
        from jupyter_client.manager import AsyncKernelManager

        kernels = self

        class Manager(AsyncKernelManager):
            async def start_kernel(self, *given: Any, **named: Any) -> None:  # type: ignore[override]
                kernels.refuse_when_stopped()
                named.setdefault("stderr", subprocess.DEVNULL)  # a cell's own stderr is in its outputs
                await super().start_kernel(*given, **named)
                kernels.add(self)

        return Manager

    def refuse_when_stopped(self) -> None:
        """Raise where the run was stopped."""
        if self.stopped:
            raise RuntimeError("the run was stopped")

    def add(self, manager: Any) -> None:
        """Remember a manager whose kernel has started; end the kernel at once where the run was stopped."""
        with self._lock:
            self._managers.append(manager)
            if self.stopped:
                _kill(manager)

    def stop(self) -> None:
        """End every kernel now, whatever it computes."""
        with self._lock:
            self.stopped = True
            for manager in self._managers:
                _kill(manager)


def _kill(manager: Any) -> None:
    process = getattr(manager.provisioner, "process", None)
    if process is not None and process.poll() is None:
        process.kill()
