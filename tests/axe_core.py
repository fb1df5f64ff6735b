"""axe-core, the checker of accessibility: fetched by npm for the tests, and never part of the course."""

import hashlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

VERSION = "4.10.3"
SHA256 = "880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb"
KEPT = Path(__file__).resolve().parents[1] / "build" / "axe-core"


def script():
    """Give the text of axe-core; skip the test, aloud, where it cannot be had."""
    path = KEPT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        npm = shutil.which("npm")
        reason = "npm is not installed" if npm is None else _fetch(npm)
        if reason:
            _missing(reason)
    text = path.read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256, f"{path} is not axe-core {VERSION}: delete {KEPT}"
    return text.decode("utf-8")


def _fetch(npm):
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", f"axe-core@{VERSION}"]
    try:
        done = subprocess.run(command, cwd=KEPT, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm could not fetch it: {error}"
    return f"npm could not fetch it: {done.stderr.strip()[-200:]}" if done.returncode else ""


def _missing(reason):
    line = f"skipped: axe-core, so the slides' accessibility was not checked ({reason})"
    if "axe" in os.environ.get("MLOPS_LAB_REQUIRE", "").split(","):
        pytest.fail(line)
    warnings.warn(line, stacklevel=2)  # pytest lists it at the end
    pytest.skip(line)
