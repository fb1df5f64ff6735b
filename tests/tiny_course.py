"""A tiny course whose packages are made here: its virtual environment, pip and lock are real.

It stands in for the real course where setting that up would take minutes.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlops_lab.setup import venv

ROOT = Path(__file__).resolve().parents[1]
JOB = """\
import os, sys
def main(lessons, *, root):
    import tiny_kit
    print("job", tiny_kit.VERSION, sys.prefix, os.environ["OMP_NUM_THREADS"])
    return 7
"""
FAKE_UV = """\
#!/bin/sh
printf '%s\\n' "$@" > "{log}"
env >> "{log}"
exit {code}
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> str:
    """Write a wheel and return its line for a lock."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            entry = zipfile.ZipInfo(inside)
            entry.external_attr = 0o100755 << 16  # pip keeps a script executable only if it was packed so
            archive.writestr(entry, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record.append(f"{inside},sha256={digest},{len(text.encode())}")
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def tiny(name: str, version: str, folder: Path) -> str:
    module = name.replace("-", "_")
    files = {f"{module}/__init__.py": f"VERSION = '{version}'\n", f"{module}/data.txt": "x" * 100}
    return wheel(folder, name, version, files)


def uv(folder: Path, log: Path, code: int) -> str:
    script = FAKE_UV.format(log=log, code=code)
    return wheel(folder, "uv", "9.9.9", {"uv-9.9.9.data/scripts/uv": script})


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A tiny course, set up once, with pip (its index has no uv)."""
    base = tmp_path_factory.mktemp("template")
    course, wheels = base / "course", base / "wheels"
    wheels.mkdir()
    shutil.copytree(ROOT / "mlops_lab", course / "mlops_lab", ignore=shutil.ignore_patterns("__pycache__"))
    (course / "mlops_lab" / "course" / "lint.py").write_text(JOB)
    (course / "pyproject.toml").write_text(
        '[project]\nversion = "1"\ndependencies = ["tiny-kit>=1,<3"]\n'
        'optional-dependencies.test = ["tiny-test"]\n'
    )
    first, second = tiny("tiny-kit", "1.0", wheels), tiny("tiny-kit", "2.0", wheels)
    more = tiny("tiny-test", "1.0", wheels)
    (course / "requirements.lock").write_text(first)
    (course / "requirements-test.lock").write_text(first + more)
    (base / "newer.lock").write_text(second)
    environment = variables(wheels)
    ready = subprocess.run(
        [sys.executable, "-m", "mlops_lab", "lint"],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ready.returncode == 7, ready.stderr
    return base, ready


def variables(wheels: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    # a foreign configuration of pip (an index, a cap) must not reach these packages
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


@pytest.fixture
def course(template, tmp_path, monkeypatch):
    """A copy of the tiny course that was set up; this process sees its packages' folder."""
    base, _ = template
    shutil.copytree(base / "course", tmp_path / "course", symlinks=True)
    shutil.copytree(base / "wheels", tmp_path / "wheels")
    shutil.copy(base / "newer.lock", tmp_path)
    for name in os.environ:
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    for name, value in variables(tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "course"


def version(course: Path, module: str = "tiny_kit") -> str:
    command = [venv.python_in(course / ".venv"), "-c", f"import {module}; print({module}.VERSION)"]
    return subprocess.run(command, capture_output=True, text=True, cwd=course.parent).stdout.strip()


def forbid(monkeypatch, module, name):
    def refuse(*given, **named):
        raise AssertionError(f"{name} must not be called")

    monkeypatch.setattr(module, name, refuse)
