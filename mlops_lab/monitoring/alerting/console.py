"""The plainest sink: alerts as lines on a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from mlops_lab.monitoring.alerting.alerts import Alert

__all__ = ["Console"]


class Console:
    r"""Writes each alert as a line; values only if asked to.

    Parameters
    ----------
    stream
        Where the lines go, such as ``sys.stdout``.
    values
        Whether the values of each window are written too.

    Examples
    --------
    >>> import io
    >>> stream = io.StringIO()
    >>> sink = Console(stream, values=True)
    >>> sink.log(3, {"p99_ms": 212.0})
    >>> sink.close()
    >>> stream.getvalue()
    'window 3: p99_ms = 212\n'
    """

    def __init__(self, stream: TextIO, *, values: bool = False) -> None:
        self._stream = stream
        self._values = values

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values of one window, if that was asked for."""
        if self._values:
            told = ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
            self._stream.write(f"window {step}: {told}\n")

    def alert(self, alert: Alert) -> None:
        r"""Write an alert.

        Parameters
        ----------
        alert
            The alert.
        """
        self._stream.write(f"{alert}\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave the stream open: it is not ours."""
        self._stream.flush()
