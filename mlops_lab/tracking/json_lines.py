"""A file of JSON lines that survives its writer: each line is handed to the system before the next step.

The idea is old and simple: append, never rewrite. When the program is killed, what was handed over stays, and
at most the last line is torn. When the disk is full, what could not be written waits in memory and is tried
again with the next line, from the very byte at which it stopped, so that no line is lost or garbled.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["LineFile", "read_lines"]


class LineFile:
    """Append JSON lines to a new file, each at once.

    Nothing is kept in a buffer of this program, so kill -9 loses nothing that ``write`` has returned for. A
    power cut may: that would need fsync at every step, which costs milliseconds.

    Parameters
    ----------
    path
        The file; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._waiting = b""
        self._lock = threading.Lock()

    def write(self, row: Mapping[str, Any]) -> None:
        """Hand one line, and whatever still waits, to the system; OSError if it does not take all of it."""
        line = json.dumps(row, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            self._waiting += line.encode("utf-8", "replace") + b"\n"
            self._drain()

    def _drain(self) -> None:
        while self._waiting:
            written = self._file.write(self._waiting)
            self._waiting = self._waiting[written or 0 :]

    def close(self) -> None:
        """Try once more to write what waits, and close the file."""
        with self._lock:
            try:
                self._drain()
            finally:
                self._file.close()

    def discard(self) -> None:
        """Close and remove the file: the run never began."""
        self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def read_lines(path: Path) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    r"""Read JSON lines, past those that cannot be read."""
    rows, unreadable = [], []
    pieces = path.read_bytes().split(b"\n")
    for place, piece in enumerate(pieces, start=1):
        if not piece.strip():
            continue
        try:
            row = json.loads(piece)
        except ValueError:  # UnicodeDecodeError and JSONDecodeError are both of this kind
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            unreadable.append(place)
    return rows, tuple(unreadable)
