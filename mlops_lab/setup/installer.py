"""Fill a virtual environment from a hashed lock file: with uv where it can be had, else with pip.

Standard library only. Networks differ (mirrors, proxies, their own certificates, none at all), so what the
user told pip is passed to uv as well, and a failure is named: no network, a foreign certificate, a full disk.
"""

from __future__ import annotations

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from mlops_lab.setup import environment

__all__ = ["NEEDED_MB", "SetupError", "broken", "diagnosis", "disk_full", "install", "say"]

NEEDED_MB = 1800

_NO_NETWORK = (
    "The packages could not be fetched: this machine reaches no package index. Check the network (behind a "
    "proxy, set HTTPS_PROXY), then run the same command again: what was fetched is kept."
)
_BAD_CERTIFICATE = (
    "The package index answered with a certificate that this machine does not trust. On a network that "
    "inspects TLS, set SSL_CERT_FILE and PIP_CERT to the file with its certificates, then run this again."
)
_BAD_HASH = (
    "A fetched package does not have the content that the lock file promises, so it was not installed. Try "
    "again; if it stays, a proxy or mirror changes packages on the way: ask whoever runs it."
)
_DISK_FULL = (
    f"The disk is full. The course needs about {NEEDED_MB} MB; free some, then run the same command again."
)
_SIGNS = (
    (_DISK_FULL, r"No space left on device|Disk quota exceeded|not enough space on the disk|os error 28\b"),
    (_BAD_CERTIFICATE, r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|UnknownIssuer|invalid peer cert"),
    (_BAD_HASH, r"DO NOT MATCH THE HASHES|Hash mismatch"),
    (
        _NO_NETWORK,
        r"NewConnectionError|ConnectTimeoutError|NameResolutionError|[Nn]ame resolution|dns error|ProxyError|"
        r"Network is unreachable|getaddrinfo failed|Failed to establish a new connection",
    ),
)


class SetupError(RuntimeError):
    """The course could not be set up; the message says why and what to do."""


def say(text: str, ending: str = "\n") -> None:
    """Tell the student at once, on standard error."""
    sys.stderr.write(text + ending)
    sys.stderr.flush()


def _pip_settings(python: Path) -> dict[str, str]:
    """Return what the user told pip in its files and in PIP_* variables; the nearer place wins."""
    answer = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True)
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in answer.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section + "."):
                try:
                    found[name.removeprefix(section + ".").replace("_", "-")] = str(ast.literal_eval(value))
                except (SyntaxError, ValueError):
                    continue
    return found


def _for_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """Tell uv what the user told pip, which it does not read; what the user told uv itself goes first."""
    told = {"UV_SYSTEM_CERTS": "1"}
    translation = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "no-index": "UV_NO_INDEX",
        "cert": "SSL_CERT_FILE",
        "proxy": "ALL_PROXY",
        "trusted-host": "UV_INSECURE_HOST",
    }
    for name, variable in translation.items():
        if settings.get(name):
            separator = "," if variable == "UV_FIND_LINKS" else " "
            told[variable] = separator.join(settings[name].split())
    if "UV_INDEX" in told:
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip; safe, for every file's hash is in the lock
    return {**environment.prepared(), **{name: text for name, text in told.items() if name not in os.environ}}


def _for_pip(settings: Mapping[str, str]) -> dict[str, str]:
    """Give pip the system's certificates: old releases trust only a list of their own."""
    import ssl

    prepared = environment.prepared()
    system = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if (
        "cert" not in settings
        and not os.environ.get("REQUESTS_CA_BUNDLE")
        and system
        and Path(system).is_file()
    ):
        prepared["PIP_CERT"] = system
    return prepared


def diagnosis(output: str) -> str | None:
    """Name the cause in an installer's output and the way out, or None if it is none of the known ones."""
    return next((message for message, sign in _SIGNS if re.search(sign, output)), None)


def disk_full(free_mb: float) -> str:
    """Say that the disk is too full to begin."""
    return f"{_DISK_FULL} ({free_mb:.0f} MB are free here.)"


def broken(site: Path) -> list[Path]:
    """List the metadata folders of packages whose files are not all there: an install was cut off in them.

    A file counts as there if it has the size that the package's own list of files states; what is in it is
    not read.
    """
    found = []
    for folder in sorted(site.glob("*.dist-info")):
        try:
            with (folder / "RECORD").open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.reader(file) if row and not row[0].endswith(".pyc")]
            sizes = [((site / name).stat().st_size, size) for name, _, size in rows]
            whole = (folder / "METADATA").is_file() and all(not s or is_ == int(s) for is_, s in sizes)
        except (OSError, ValueError):
            whole = False
        if not whole or not rows:
            found.append(folder)
    return found


def _started(
    command: list[str], variables: Mapping[str, str], lock: int, piped: bool
) -> subprocess.Popen[str]:
    """Start an installer. It holds the set-up's lock too: one that outlives us is waited for by the next."""
    return subprocess.Popen(
        command,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if piped else None,
        stderr=subprocess.STDOUT if piped else None,
        encoding="utf-8",
        errors="replace",
        pass_fds=() if os.name == "nt" else (lock,),
    )


def _fetch_uv(python: Path, settings: Mapping[str, str], pin: Path, target: Path, lock: int) -> Path | None:
    """Fetch uv, pinned by hash, through pip; None if it is not to be had here, and pip must do."""
    shutil.rmtree(target, ignore_errors=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-deps", "--no-input", "--retries", "2", "--disable-pip-version-check"]
    with _started(
        [*command, "--target", str(target), "-r", str(pin)], _for_pip(settings), lock, True
    ) as process:
        output = process.communicate()[0]
    reason = diagnosis(output) if process.returncode else None
    if reason and reason != _BAD_HASH:
        raise SetupError(reason)
    places = (target / name for name in ("bin/uv", "bin/uv.exe", "Scripts/uv.exe"))
    return next((place for place in places if place.is_file()), None) if not process.returncode else None


def _with_pip(python: Path, settings: Mapping[str, str], file: Path, total: int, lock: int) -> None:
    """Install with pip, one line (or, at a terminal, one counter) for each package."""
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-input", "--retries", "2"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "-r", str(file)]
    lines: list[str] = []
    seen = 0
    with _started(command, _for_pip(settings), lock, True) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if match := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
                seen += 1
                say(f"  {seen:3d} of {total}: {match[1]:<40}", "\r" if sys.stderr.isatty() else "\n")
            elif line.startswith("Installing collected packages"):
                say(f"  all fetched, now unpacking{'':<30}")
    if process.returncode:
        last = "\n".join(lines[-15:])
        raise SetupError(diagnosis("\n".join(lines)) or f"pip could not install the packages:\n{last}")


def install(python: Path, file: Path, *, pin: Path, target: Path, lock: int) -> None:
    """Install what a hashed lock file lists; packages that are there already stay."""
    total = len(re.findall(r"^[A-Za-z0-9][\w.-]*==", file.read_text(encoding="utf-8"), re.MULTILINE))
    settings = _pip_settings(python)
    say("[2/4] fetching the installer")
    uv = _fetch_uv(python, settings, pin, target, lock)
    about = "the first time this takes one to five minutes"
    say(f"[3/4] installing up to {total} packages from {file.name}; {about}")
    if uv is not None:
        command = [
            str(uv),
            "pip",
            "install",
            "--python",
            str(python),
            "--require-hashes",
            "--compile-bytecode",
        ]
        try:
            with _started([*command, "-r", str(file)], _for_uv(settings), lock, False) as process:
                if process.wait() == 0:
                    return
        except OSError:  # it is for another processor, or this disk lets nothing be run
            uv = None
    why = "uv cannot be had here" if uv is None else "uv could not do it"
    say(f"  {why}; pip does it, more slowly")
    _with_pip(python, settings, file, total, lock)
