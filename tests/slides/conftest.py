"""The lecture's deck, built as the command builds it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_lab.artifacts.files import locked

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the deck, once for all workers; `MLOPS_LAB_DECK` names one that is built already.

    Its processes have another hash seed and another date than this one.
    """
    ready = os.environ.get("MLOPS_LAB_DECK")
    if ready:
        return Path(ready)
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "deck" / "slides"
    folder.parent.mkdir(exist_ok=True)
    with locked(folder, timeout_s=800):
        if not folder.exists():
            command = [sys.executable, "-m", "mlops_lab.cli", "slides", "--to", str(folder)]
            elsewhere = {**os.environ, "PYTHONHASHSEED": "3", "SOURCE_DATE_EPOCH": "33333"}
            ran = subprocess.run(command, cwd=ROOT, env=elsewhere, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder
