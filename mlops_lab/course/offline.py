"""Prove that the course needs no network: run a command where only this machine can be reached.

On Linux a command runs in a network namespace of its own that holds nothing but loopback. Where the
machine does not allow that (macOS, Windows, locked-down containers) a guard inside every Python process
refuses to connect to, or look up, anything but loopback. The guard is weaker: it sees Python's sockets only.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["guarded", "namespace_command"]

# Run inside the new namespace, where loopback is still down: switch it on (SIOCSIFFLAGS 0x8914, IFF_UP |
# IFF_RUNNING 0x41), then become the real command.
_LOOPBACK_UP = (
    "import fcntl, os, socket, struct, sys; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0x41)); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)

_GUARD = '''\
"""Refuse every connection and look-up that leaves this machine."""
import sys

LOCAL = {"localhost", "127.0.0.1", "::1", "", None, "0.0.0.0"}


def refuse(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in LOCAL and not str(host).startswith("127."):
        raise OSError(f"offline: this course must not reach {host!r}; only loopback is allowed")


sys.addaudithook(refuse)
'''


def namespace_command(command: Sequence[str]) -> list[str]:
    """Wrap a command so that it runs with loopback as its only network."""
    prefix = _namespace_prefix()
    return [*prefix, *command] if prefix else []


@functools.cache
def _namespace_prefix() -> tuple[str, ...]:
    unshare = shutil.which("unshare")
    if unshare is None or not sys.platform.startswith("linux"):
        return ()
    as_user = () if os.geteuid() == 0 else ("--user", "--map-current-user")
    prefix = (unshare, *as_user, "--net", sys.executable, "-c", _LOOPBACK_UP)
    works = subprocess.run([*prefix, sys.executable, "-c", ""], capture_output=True, check=False)
    return prefix if works.returncode == 0 else ()


@contextmanager
def guarded(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Give an environment in which every new Python process refuses to leave this machine."""
    with tempfile.TemporaryDirectory(prefix="mlops-lab-guard-") as folder:
        Path(folder, "sitecustomize.py").write_text(_GUARD, encoding="utf-8")
        path = [folder, *filter(None, [environment.get("PYTHONPATH")])]
        yield {**environment, "PYTHONPATH": os.pathsep.join(path)}
