"""The course's virtual environment: where it is, what it was made from, and how it is made anew.

Standard library only. A folder `.venv` beside the package is ours. It counts as whole only if it holds a
stamp, written last, that names the lock files it was made from; anything else is mended or made anew.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_lab.setup import environment, installer
from mlops_lab.setup.installer import SetupError, say

__all__ = [
    "LOCKS",
    "ROOT",
    "is_whole",
    "locked",
    "make",
    "python_in",
    "python_version",
    "remove_stamp",
    "site_packages",
    "stamped",
    "write_stamp",
]

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")  # the second holds all of the first
_STAMP = ".mlops-lab.json"
_LOCK_FILE = ".mlops-lab.lock"


def python_in(venv: Path) -> Path:
    """Return where a virtual environment keeps its interpreter."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def site_packages(venv: Path) -> Path | None:
    """Return where a virtual environment keeps its packages, or None if there is no such folder."""
    found = (
        [venv / "Lib" / "site-packages"]
        if os.name == "nt"
        else sorted(venv.glob("lib/python3*/site-packages"))
    )
    return next((site for site in reversed(found) if site.is_dir()), None)


def _digest(path: Path) -> str:
    # a checkout may turn LF into CRLF; the lock stays the same
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def python_version(python: Path) -> str | None:
    """Return the version of an interpreter that starts and is new enough, else None."""
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3] if sys.version_info >= (3, 11) else '')"
    try:
        answer = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None


def stamped(root: Path = ROOT) -> dict[str, str]:
    """Read what `.venv` was completely made from: its Python's version and the digest of each lock.

    It trusts the stamp; whether the interpreter still starts, it does not try.
    """
    try:
        stamp = json.loads((root / ".venv" / _STAMP).read_text(encoding="utf-8"))
        current = {name: _digest(root / name) for name in LOCKS if (root / name).is_file()}
        kept = {name: value for name, value in current.items() if stamp.get(name) == value}
        return {"python": str(stamp["python"]), **kept}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def write_stamp(root: Path, name: str, version: str) -> None:
    """Write down, last of all, the Python and the lock `name` that `.venv` was made from."""
    stamp = {"python": version, **{lock: _digest(root / lock) for lock in LOCKS[: LOCKS.index(name) + 1]}}
    target = root / ".venv" / _STAMP
    temporary = target.with_suffix(".part")
    temporary.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    temporary.replace(target)


def remove_stamp(root: Path) -> None:
    """Take the stamp away, before anything in `.venv` is changed."""
    (root / ".venv" / _STAMP).unlink(missing_ok=True)


def is_whole(root: Path, name: str) -> bool:
    """Say whether `.venv` was completely made from the lock `name`, and its Python still starts."""
    stamp = stamped(root)
    return name in stamp and python_version(python_in(root / ".venv")) == stamp["python"]


def _maker(venv: Path) -> str:
    """Give an interpreter outside `.venv`: the one that makes it anew must not go with the old one."""
    for python in (sys.executable, getattr(sys, "_base_executable", None)):
        if python and venv.absolute() not in Path(python).absolute().parents:
            return str(python)
    raise SetupError(
        f"{venv} has to be made anew, and the Python that runs this stands in it. Leave it (`deactivate`), "
        "then run the same command again."
    )


def make(venv: Path) -> None:
    """Make `.venv` with pip in it, in place of whatever stands there."""
    maker = _maker(venv)
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            f"This Python ({sys.executable}) has no `ensurepip` and so cannot make a virtual environment.\n"
            f"  Debian, Ubuntu:  sudo apt install {package}\n"
            "  Fedora, openSUSE:  install the package python3-pip;  Alpine:  py3-pip\n"
            "Then run the same command again."
        )
    for entry in venv.iterdir():
        if entry.name == _LOCK_FILE:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    made = subprocess.run(
        [maker, "-m", "venv", venv], capture_output=True, text=True, env=environment.prepared()
    )
    if made.returncode:
        output = made.stdout + made.stderr
        raise SetupError(
            installer.diagnosis(output) or f"The virtual environment could not be made:\n{output.strip()}"
        )


@contextmanager
def locked(venv: Path) -> Iterator[int]:
    """Hold the lock of `.venv`; wait while another set-up has it. A process that dies lets go of it."""
    file = os.open(venv / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not _try_lock(file):
            if not told:
                say("Another set-up is working on .venv; waiting for it to end ...")
                told = True
            time.sleep(0.3)
        yield file
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    """Take the lock of an open file, or say that somebody else has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # a file system without locks (some network drives) answers otherwise: go on without
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True
