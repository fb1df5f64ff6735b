"""JupyterLab on a copy of the course, as `lab` starts it, for tests that look at a lesson in a browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start `lab` on a copy of the course; yield the student's folder and the address."""
    tmp_path = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    settings = tmp_path / "config"
    settings.mkdir()
    (settings / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(tmp_path / name) for name in ("data", "runtime", "ipython")}
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTER_DATA_DIR": places["data"],
        "JUPYTER_RUNTIME_DIR": places["runtime"],
        "IPYTHONDIR": places["ipython"],
        "PYTHONPATH": str(ROOT),
    }
    code = (
        "import pathlib, sys; from mlops_lab.course import workspace; "
        f"sys.exit(workspace.lab(pathlib.Path({str(tmp_path)!r}), browser=False, port={port}))"
    )
    log = tmp_path / "lab.log"
    with log.open("wb") as stream:
        server = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=stream, stdout=stream)
        try:
            yield tmp_path / "work", _address(server, log)
        finally:
            server.terminate()
            server.wait(120)


def _address(server, log):
    """Read the address with its token from the log, as a student copies it from the terminal."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:\d+/\S*token=\w+", log.read_text(encoding="utf-8"))
        if found:
            return found.group(0)
        time.sleep(0.3)
    raise AssertionError(f"the lab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
