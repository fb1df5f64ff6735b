"""Print a page to PDF with a browser of this machine that is made from Chromium.

The page to print has no scripts, so there is nothing to wait for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["find", "print_pdf"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PLACES = {
    "win32": (
        r"Google\Chrome\Application\chrome.exe",
        r"Microsoft\Edge\Application\msedge.exe",
        r"Chromium\Application\chrome.exe",
    ),
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
}
_DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:[^)]*\)")
_SECONDS = 180


def find(platform: str = sys.platform) -> Path:
    """Find a browser that can print."""
    places = [Path(found) for found in map(shutil.which, _NAMES) if found]
    folders = [os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
    for known in _PLACES.get(platform, ()):
        # a path that is whole stays as it is, whatever folder it is joined to
        places += [Path(folder, known) for folder in (folders if platform == "win32" else ["/"]) if folder]
    for place in places:
        if place.exists():
            return place
    raise ValueError(
        "no Chromium, Chrome or Edge was found to print with: install one, or open print.html in any browser "
        "and print it to PDF there"
    )


def print_pdf(browser: Path, page: Path, target: Path) -> None:
    """Print a page to PDF, with an outline of its headings and text that can be selected."""
    flags = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--disable-dev-shm-usage",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium refuses to run as root with it
    flags += ["--no-pdf-header-footer", "--generate-pdf-document-outline", f"--print-to-pdf={target}"]
    with tempfile.TemporaryDirectory(prefix="mlops-lab-print-", ignore_cleanup_errors=True) as profile:
        command = [str(browser), *flags, f"--user-data-dir={profile}", page.absolute().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"{browser} could not print {page.name}: {error}") from error
    if done.returncode or not target.is_file():
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise ValueError(f"{browser} could not print {page.name} (exit code {done.returncode}):\n{last}")
    target.write_bytes(_DATE.sub(_undated, target.read_bytes()))


def _undated(match: re.Match[bytes]) -> bytes:
    """Replace a date by one that never changes, of the same length: places in a PDF are counted in bytes."""
    text = match.group(0)
    begin = text.index(b"D:") + 2
    return text[:begin] + re.sub(rb"\d", b"0", text[begin:]).replace(b"00000000", b"20000101", 1)
