"""The kernels that lessons run in: this very Python, whatever else is installed, and none left behind.

A kernel called `python3` may be registered by another program and point to another Python. IPython runs a
user's start-up files. Both would make a lesson's result depend on the machine, so a run brings its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_lab.setup import environment

__all__ = ["KERNEL", "Kernels", "own_kernel"]

KERNEL = "python3"
"""The name under which lessons ask for their kernel."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def own_kernel(*, strict: bool = True) -> Iterator[Path]:
    """Set this process up so that every kernel it starts is this Python, with a clean IPython.

    The environment of the process is changed inside the block and put back after it, so only one such block
    may be open at a time; kernels may run in parallel inside it. The package that kernels import is the one
    that this module belongs to.
    """
    from ipykernel.kernelspec import get_kernel_dict

    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="mlops-lab-run-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        spec = place / "jupyter" / "kernels" / KERNEL / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(get_kernel_dict()), encoding="utf-8")
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
