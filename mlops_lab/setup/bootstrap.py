"""From a bare Python to a running course: make `.venv` from the lock, then run the command in it.

Standard library only. In an environment that already satisfies `pyproject.toml` (conda, Binder, a
devcontainer) nothing is installed.
"""

from __future__ import annotations

import compileall
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from mlops_lab.setup import environment, installer, requirements
from mlops_lab.setup.installer import SetupError, say
from mlops_lab.setup.venv import (
    LOCKS,
    ROOT,
    is_whole,
    locked,
    make,
    python_in,
    python_version,
    remove_stamp,
    site_packages,
    stamped,
    write_stamp,
)

__all__ = ["run"]


def _install(root: Path, name: str, lock: int) -> None:
    """Bring `.venv` to what the lock `name` says, from whatever state it is in, and stamp it."""
    venv = root / ".venv"
    python, site = python_in(venv), site_packages(venv)
    remove_stamp(root)
    works = site is not None and python_version(python) is not None
    works = works and not subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode
    if not works:
        free = shutil.disk_usage(venv).free / 1e6
        if free < installer.NEEDED_MB:
            raise SetupError(installer.disk_full(free))
        say(f"[1/4] making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
        make(venv)
        site = site_packages(venv)
    else:
        say("[1/4] .venv is here; bringing it up to date")
    version = python_version(python)
    if site is None or version is None:
        raise SetupError(f"The Python in {venv} does not start. Delete that folder, then run this again.")
    for folder in installer.broken(site):
        shutil.rmtree(folder)  # without its metadata the installer takes the package for absent
    pin, target = root / "mlops_lab" / "setup" / "bootstrap-uv.txt", venv / ".uv"
    installer.install(python, root / name, pin=pin, target=target, lock=lock)
    say("[4/4] checking what was installed")
    if broken := installer.broken(site):
        names = ", ".join(folder.name for folder in broken)
        raise SetupError(f"These packages are not whole: {names}. Run the same command again.")
    # relative, so that it holds in a folder whose name Python would decode in another way
    (site / "mlops_lab_source.pth").write_text(os.path.relpath(root, site) + "\n", encoding="ascii")
    compileall.compile_dir(root / "mlops_lab", quiet=2)
    write_stamp(root, name, version)


def ensure(extras: Sequence[str] = (), root: Path = ROOT) -> tuple[Path, dict[str, str]]:
    """Return an interpreter that can run the course, and its environment; install what is missing."""
    venv, prepared = root / ".venv", environment.prepared()
    inside = Path(sys.prefix).resolve() == venv.resolve()
    if not inside and not requirements.unmet(root, extras):
        try:
            metadata.version("mlops-lab")
        except metadata.PackageNotFoundError:  # the packages are here, our source is not yet on the path
            others = [prepared["PYTHONPATH"]] if prepared.get("PYTHONPATH") else []
            prepared["PYTHONPATH"] = os.pathsep.join([str(root), *others])
        return Path(sys.executable), prepared
    name = LOCKS[1] if extras else LOCKS[0]
    if not is_whole(root, name):
        venv.mkdir(exist_ok=True)
        with locked(venv) as lock:
            if not is_whole(root, name):  # another set-up may have done it while we waited
                _install(root, LOCKS[1] if LOCKS[1] in stamped(root) else name, lock)
                say("Ready.")
    return python_in(venv), prepared


def _explained(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return str(installer.diagnosis("No space left on device"))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"This folder cannot be written: {error.filename or ROOT}. Copy the course to a folder "
            "of your own (in your home folder), then run the same command there."
        )
    return f"The set-up stopped: {error}"


def run(arguments: Sequence[str], extras: Sequence[str] = (), root: Path = ROOT) -> int:
    """Set up what a command needs, run it as a child process, and return its exit code."""
    try:
        python, variables = ensure(extras, root)
    except SetupError as error:
        say(f"\nmlops_lab: {error}")
        return 2
    except OSError as error:
        say(f"\nmlops_lab: {_explained(error)}")
        return 2
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again: it goes on from here.")
        return 130
    return environment.child([str(python), "-m", "mlops_lab.cli", *arguments], variables)
