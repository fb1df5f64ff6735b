"""Kernels forked from a process that has already imported what every lesson imports.

A fresh kernel spends most of a short lesson on importing NumPy, pandas, SciPy, scikit-learn and matplotlib.
Here one server process imports them once, runs nothing, and forks for each notebook. The fork becomes an
ordinary ipykernel: with its own folder, environment, session, arguments and random state.

Linux only, since other systems' libraries do not stand a fork; there, and wherever the server does not
answer, a kernel is started cold. What a module decides while it is imported is decided in the server, so the
server looks to these modules as a kernel does (`_as_in_a_kernel`). A lesson that times, leaks or serves runs
cold: its process must hold nothing but its own. All forks of a server share one seed of hashes, so only cold
runs can show that an output depends on the order of a set.
"""

from __future__ import annotations

import array
import builtins
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

__all__ = ["SOCKET", "provisioned", "server"]

SOCKET = "MLOPS_LAB_WARM_KERNELS"
"""The variable that names the server's socket to every process that starts kernels."""

SUPPORTED = sys.platform == "linux" and hasattr(os, "pidfd_open")
"""Whether this system can fork kernels."""

_NAME = "mlops-lab-warm"
_ANSWER_TIMEOUT_S = 60
_AT_IMPORT = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE", "PYTHONUTF8")
"""Variables that libraries or Python read once: a kernel that wants others is none for this server."""

_IMPORTED = (
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "IPython.core.completer",
    "numpy",
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "sklearn.ensemble",
    "sklearn.feature_selection",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
)

_OF_A_KERNEL = ("matplotlib_inline.backend_inline", "tqdm.auto", "tqdm.autonotebook", "tqdm.notebook")
"""Modules that bind themselves to the running kernel when they are imported: never taken over by a fork."""


# --- for those who start kernels --------------------------------------------------------------------------


@contextmanager
def server() -> Iterator[None]:
    """Keep a server of warm kernels inside the block, where this system can fork.

    The server ends with this process, however that ends: it holds the reading end of a pipe, sees it closed,
    and kills its kernels.
    """
    if not SUPPORTED:
        yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="mlops-lab-warm-") as folder,
        socket.socket(socket.AF_UNIX) as door,
    ):
        path = str(Path(folder, "door"))
        door.bind(path)
        door.listen(64)
        command = [sys.executable, "-c", f"from {__name__} import serve; serve({door.fileno()})"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[door.fileno()],
            start_new_session=True,  # Ctrl-C in the terminal is for us
        )
        door.close()
        before = os.environ.get(SOCKET)
        os.environ[SOCKET] = path
        try:
            yield
        finally:
            if before is None:
                os.environ.pop(SOCKET, None)
            else:
                os.environ[SOCKET] = before
            with suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr]
            process.wait()


def provisioned() -> dict[str, Any]:
    """Register our way of starting kernels in this process; return what a kernel's description says of it."""
    entry = EntryPoint(_NAME, f"{__name__}:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners[_NAME] = entry
    return {"kernel_provisioner": {"provisioner_name": _NAME}}


class ForkedKernel:
    """A kernel that is not this process's child, with what `subprocess.Popen` says and does of one."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self._pidfd = pidfd
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Say whether it has ended: None while it runs; nobody but its parent learns the code."""
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self.returncode = 0
            os.close(self._pidfd)
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        while self.poll() is None:
            select.select([self._pidfd], [], [], 1)
        return 0

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)  # type: ignore[attr-defined,unused-ignore]

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            self.send_signal(signal.SIGKILL)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of the server; by a process of its own where there is none, or that fails."""

    async def launch_kernel(self, cmd: list[str], **named: Any) -> Any:
        """Start the kernel that a command line describes."""
        env = named.get("env") or os.environ
        try:
            kernel = _forked(cmd, env, named.get("cwd") or Path.cwd())
        except OSError:
            return await super().launch_kernel(cmd, **named)
        self.process = kernel  # type: ignore[assignment]
        self.pid = self.pgid = kernel.pid
        self.cwd = named.get("cwd") or Path.cwd()
        return self.connection_info


def _forked(command: Sequence[str], env: Mapping[str, str], folder: str | Path) -> ForkedKernel:
    if SOCKET not in env:
        raise OSError("no server of warm kernels")
    wish = {"arguments": list(command), "env": dict(env), "folder": str(Path(folder).resolve())}
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_ANSWER_TIMEOUT_S)
        line.connect(env[SOCKET])
        line.sendall(json.dumps(wish).encode() + b"\n")
        answer, fds, _, _ = socket.recv_fds(line, 64, 1)
    if not answer or not fds:
        raise ConnectionError("the server of warm kernels did not fork")
    return ForkedKernel(int(answer), fds[0])


# --- the server -------------------------------------------------------------------------------------------


def serve(door: int) -> None:
    """Import, then fork a kernel for each request until standard input is closed; for `server` alone.

    It returns in a fork that is done being a kernel, so that what the lesson left to Python's exit is done.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    del sys.path[0]  # the caller's folder; a kernel puts its own there
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # a kernel watches it, and ends when its server does
    with _as_in_a_kernel():
        for name in _IMPORTED:
            with suppress(ImportError):
                importlib.import_module(name)
    if threading.active_count() > 1 or any(name in sys.modules for name in _OF_A_KERNEL):
        return  # a fork would lack these threads, or have the wrong kernel: all kernels are started cold
    request = _request(socket.socket(fileno=door))
    if request is not None:
        _become_kernel(request)


@contextmanager
def _as_in_a_kernel() -> Iterator[None]:
    """Let modules that look for a kernel while they are imported find one.

    pandas takes the width of its tables from that (a terminal has another), matplotlib its backend.
    """
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]
        del os.environ["MPLBACKEND"]


def _request(door: socket.socket) -> dict[str, Any] | None:
    """Wait for requests and fork; return the request in the fork, and nothing in the server at its end."""
    settings = {name: os.environ.get(name) for name in _AT_IMPORT}
    kernels: set[int] = set()
    while True:
        ready, _, _ = select.select([door.fileno(), 0], [], [], 0.5)
        kernels -= {pid for pid in kernels if os.waitpid(pid, os.WNOHANG)[0]}
        if 0 in ready:  # our starter has ended
            for pid in kernels:
                for end in (os.killpg, os.kill):
                    with suppress(ProcessLookupError):
                        end(pid, signal.SIGKILL)
            return None
        if door.fileno() not in ready:
            continue
        line, _ = door.accept()
        with line:
            try:
                line.settimeout(5)
                request: dict[str, Any] = json.loads(line.makefile("rb").readline())
            except (OSError, ValueError):
                continue
            if any(request["env"].get(name) != value for name, value in settings.items()):
                continue
            pid = os.fork()
            if pid == 0:
                door.close()
                return request
            kernels.add(pid)
            fd = os.pidfd_open(pid)
            with suppress(OSError):
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
                line.sendmsg([str(pid).encode()], rights)
            os.close(fd)


def _become_kernel(request: Mapping[str, Any]) -> None:
    """Take over what a kernel of its own would have been started with, and run until it is shut down."""
    parent = os.environ["JPY_PARENT_PID"]
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # the pipe that tells our starter's end is the server's
    os.close(nothing)
    os.environ.clear()
    os.environ.update(request["env"], JPY_PARENT_PID=parent)
    os.environ.pop(SOCKET, None)
    os.chdir(request["folder"])
    arguments = request["arguments"]
    launcher = importlib.util.find_spec("ipykernel_launcher")
    sys.argv = [str(launcher and launcher.origin), *arguments[arguments.index("-f") :]]
    import numpy as np

    np.random.seed()  # noqa: NPY002  else every fork has the server's state; `random` reseeds itself
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
