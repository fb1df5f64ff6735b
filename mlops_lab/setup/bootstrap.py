"""From a bare Python to a running course: make `.venv` from the lock, then do the job in it.

Standard library only. A folder `.venv` beside the package is ours. It counts as whole only if it holds
a stamp, written last, that names the lock it was made from; anything else is mended or made anew. In an
environment that already satisfies `pyproject.toml` (conda, Binder, a devcontainer) nothing is installed.
"""

from __future__ import annotations

import compileall
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from mlops_lab.setup import environment, installer, requirements
from mlops_lab.setup.installer import SetupError

__all__ = ["LOCKS", "ROOT", "SetupError", "ensure", "main", "stamped", "venv_python", "venv_site"]

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")  # the second holds all of the first
EXTRAS: Mapping[str, tuple[str, ...]] = {  # by command; all others need none
    "test": ("test", "slides"),
    "slides": ("slides",),
}
_BARE = {"doctor"}  # commands that work where nothing is installed
_STAMP = ".mlops-lab.json"
_LOCK_FILE = ".mlops-lab.lock"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def venv_python(venv: Path) -> Path:
    """Return where a virtual environment keeps its interpreter."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def venv_site(venv: Path) -> Path | None:
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


def _version(python: Path) -> str | None:
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


@contextmanager
def _alone(venv: Path) -> Iterator[int]:
    """Hold the lock of `.venv`; wait while another set-up has it. A process that dies lets go of it."""
    file = os.open(venv / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not _locked(file):
            if not told:
                _say("Another set-up is working on .venv; waiting for it to end ...")
                told = True
            time.sleep(0.3)
        yield file
    finally:
        os.close(file)


def _locked(file: int) -> bool:
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


def _maker(venv: Path) -> str:
    """Give an interpreter outside `.venv`: the one that makes it anew must not go with the old one."""
    for python in (sys.executable, getattr(sys, "_base_executable", None)):
        if python and venv.absolute() not in Path(python).absolute().parents:
            return str(python)
    raise SetupError(
        f"{venv} has to be made anew, and the Python that runs this stands in it. Leave it (`deactivate`), "
        "then run the same command again."
    )


def _make_venv(venv: Path) -> None:
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


def _install(root: Path, name: str, lock: int) -> None:
    """Bring `.venv` to what the lock `name` says, from whatever state it is in, and stamp it."""
    venv = root / ".venv"
    python, site = venv_python(venv), venv_site(venv)
    (venv / _STAMP).unlink(missing_ok=True)
    works = site is not None and _version(python) is not None
    works = works and not subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode
    if not works:
        free = shutil.disk_usage(venv).free / 1e6
        if free < installer.NEEDED_MB:
            raise SetupError(installer.disk_full(free))
        _say(f"[1/4] making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
        _make_venv(venv)
        site = venv_site(venv)
    else:
        _say("[1/4] .venv is here; bringing it up to date")
    version = _version(python)
    if site is None or version is None:
        raise SetupError(f"The Python in {venv} does not start. Delete that folder, then run this again.")
    for folder in installer.broken(site):
        shutil.rmtree(folder)  # without its metadata the installer takes the package for absent
    pin, target = root / "mlops_lab" / "setup" / "bootstrap-uv.txt", venv / ".uv"
    installer.install(python, root / name, pin=pin, target=target, lock=lock)
    _say("[4/4] checking what was installed")
    if broken := installer.broken(site):
        names = ", ".join(folder.name for folder in broken)
        raise SetupError(f"These packages are not whole: {names}. Run the same command again.")
    # relative, so that it holds in a folder whose name Python would decode in another way
    (site / "mlops_lab_source.pth").write_text(os.path.relpath(root, site) + "\n", encoding="ascii")
    compileall.compile_dir(root / "mlops_lab", quiet=2)
    _write_stamp(root, name, version)


def _write_stamp(root: Path, name: str, version: str) -> None:
    stamp = {"python": version, **{lock: _digest(root / lock) for lock in LOCKS[: LOCKS.index(name) + 1]}}
    target = root / ".venv" / _STAMP
    temporary = target.with_suffix(".part")
    temporary.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    temporary.replace(target)


def _whole(root: Path, name: str) -> bool:
    stamp = stamped(root)
    return name in stamp and _version(venv_python(root / ".venv")) == stamp["python"]


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
    if not _whole(root, name):
        venv.mkdir(exist_ok=True)
        with _alone(venv) as lock:
            if not _whole(root, name):  # another set-up may have done it while we waited
                _install(root, LOCKS[1] if LOCKS[1] in stamped(root) else name, lock)
                _say("Ready.")
    return venv_python(venv), prepared


def _explained(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return str(installer.diagnosis("No space left on device"))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"This folder cannot be written: {error.filename or ROOT}. Copy the course to a folder "
            "of your own (in your home folder), then run the same command there."
        )
    return f"The set-up stopped: {error}"


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Set up what a command needs, run it as a child process, and return its exit code."""
    from mlops_lab import cli

    command = cli.parser(root).parse_args(arguments).command
    if command is None or command in _BARE:
        return cli.main(arguments, root)
    try:
        python, variables = ensure(EXTRAS.get(command, ()), root)
    except SetupError as error:
        _say(f"\nmlops_lab: {error}")
        return 2
    except OSError as error:
        _say(f"\nmlops_lab: {_explained(error)}")
        return 2
    except KeyboardInterrupt:
        _say("\nStopped. Run the same command again: it goes on from here.")
        return 130
    return environment.child([str(python), "-m", "mlops_lab.cli", *arguments], variables)
