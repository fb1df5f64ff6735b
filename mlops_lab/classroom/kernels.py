"""The kernel that lessons run in: this very Python, whatever else is installed on the machine.

A kernel called `python3` may be registered by another program and point to another Python. And IPython runs a
user's start-up files. Both would make a lesson's result depend on the machine, so a run brings its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_lab import environment

__all__ = ["KERNEL", "own_kernel"]

KERNEL = "python3"
"""The name under which lessons ask for their kernel."""


@contextmanager
def own_kernel(*, strict: bool = True) -> Iterator[Path]:
    """Set this process up so that every kernel it starts is this Python, with a clean IPython.

    The environment of the process is changed inside the block and put back after it, so only one such block
    may be open at a time; kernels may run in parallel inside it.

    Parameters
    ----------
    strict
        Whether a broken claim and a wrong answer raise.

    Yields
    ------
    Path
        An empty folder, removed at the end, in which kernels may start.

    Examples
    --------
    >>> with own_kernel() as folder:
    ...     folder.is_dir(), os.environ["MLOPS_LAB_STRICT"]
    (True, '1')
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="mlops-lab-run-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        spec = place / "jupyter" / "kernels" / KERNEL / "kernel.json"
        spec.parent.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}), "utf-8")
        start = place / "start"
        start.mkdir()
        try:
            environment.apply(strict)
            path = [str(spec.parents[2]), *filter(None, [os.environ.get("JUPYTER_PATH")])]
            os.environ["JUPYTER_PATH"] = os.pathsep.join(path)
            os.environ["IPYTHONDIR"] = str(place / "ipython")
            os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
            yield start
        finally:
            os.environ.clear()
            os.environ.update(before)
