"""The course must not leave the machine: both guards are tried against a real attempt to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.course import offline

# An address reserved for documentation (RFC 5737): nothing ever answers there.
LEAVE = "import socket; s = socket.socket(); s.settimeout(0.5); s.connect(('192.0.2.1', 80))"
LOOK_UP = "import socket; socket.getaddrinfo('example.invalid', 80)"
LOOPBACK = (
    "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    "socket.create_connection(s.getsockname(), timeout=5); print('reached')"
)


def _python(code, env=None, wrap=None):
    command = [sys.executable, "-c", code]
    command = wrap(command) if wrap else command
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)


def test_guard_refuses_to_leave_and_names_the_host():
    with offline.guarded(os.environ) as inside:
        for code, host in ((LEAVE, "192.0.2.1"), (LOOK_UP, "example.invalid")):
            refused = _python(code, inside)
            assert refused.returncode == 1
            assert f"offline: this course must not reach '{host}'" in refused.stderr


def test_guard_leaves_loopback_alone_and_is_removed():
    with offline.guarded(os.environ) as inside:
        assert _python(LOOPBACK, inside).stdout.strip() == "reached"
        folder = inside["PYTHONPATH"].split(os.pathsep)[0]
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


def test_namespace_holds_nothing_but_loopback():
    if not offline.namespace_command(["x"]):
        pytest.skip("this machine allows no network namespace")
    names = "import socket; print([name for _, name in socket.if_nameindex()])"
    out = _python(names, wrap=offline.namespace_command)
    assert out.stdout.strip() == "['lo']", out.stderr
    assert "unreachable" in _python(LEAVE, wrap=offline.namespace_command).stderr
    assert _python(LOOPBACK, wrap=offline.namespace_command).stdout.strip() == "reached"
