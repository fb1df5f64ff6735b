"""Where measurements are sent, and how the work goes on when that place fails."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GuardedSink", "MemorySink", "Sink", "guarded"]


@runtime_checkable
class Sink(Protocol):
    """Where measurements are sent, step by step: a file, a tracker, a list in memory.

    A function that measures takes a sink and calls ``log``; it knows nothing else about where the values go.
    Whoever starts the work decides: hand in ``guarded(sink)`` where a sink that fails must not stop it.

    Examples
    --------
    >>> class Last:
    ...     def log(self, step, values):
    ...         self.values = {"step": step, **values}
    ...     def close(self):
    ...         pass
    >>> isinstance(Last(), Sink)
    True
    """

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the values of one step; steps do not go back."""

    def close(self) -> None:
        """Finish; nothing is logged afterwards."""


class MemorySink:
    """A sink that keeps everything in a list, for lessons that draw it and for tests that count it.

    Examples
    --------
    >>> sink = MemorySink()
    >>> sink.log(0, {"loss": 1.5})
    >>> sink.log(1, {"loss": 0.5, "accuracy": 0.9})
    >>> sink.frame()
          loss  accuracy
    step
    0      1.5       NaN
    1      0.5       0.9
    >>> sink.close()
    >>> sink.closed
    True
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.closed = False

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep a copy of the values of one step; a ValueError once the sink has been closed."""
        if self.closed:
            raise ValueError(f"step {step} came after the sink was closed; log first, close last")
        self.rows.append({"step": step, **values})

    def close(self) -> None:
        """Take nothing any more; what was kept stays."""
        self.closed = True

    def frame(self) -> pd.DataFrame:
        """Give what was logged as a table, a row for each call, indexed by step."""
        import pandas as pd

        return pd.DataFrame(self.rows or {"step": []}).set_index("step")


class GuardedSink:
    """A sink around another one, whose failures never stop the work; made by ``guarded``.

    Attributes
    ----------
    failures
        How many calls have failed so far.
    first_failure
        The first error, or None.

    Examples
    --------
    >>> sink = GuardedSink(MemorySink())
    >>> sink.log(0, {"loss": 1.0})
    >>> sink.close()
    >>> sink.failures
    0
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.failures = 0
        self.first_failure: Exception | None = None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Pass the values on; count a failure, and warn about the first."""
        try:
            self.sink.log(step, values)
        except Exception as failure:  # noqa: BLE001  (whatever a tracker raises, the training goes on)
            self._failed(failure, f"at step {step}")

    def close(self) -> None:
        """Close the other sink; count a failure, and warn about the first."""
        try:
            self.sink.close()
        except Exception as failure:  # noqa: BLE001  (as above)
            self._failed(failure, "at its close")

    def _failed(self, failure: Exception, where: str) -> None:
        self.failures += 1
        if self.first_failure is None:
            self.first_failure = failure
            warnings.warn(
                f"{type(self.sink).__name__} failed {where} ({type(failure).__name__}: {failure}); "
                "the work goes on, these values are lost, and further failures are only counted",
                RuntimeWarning,
                stacklevel=3,
            )


def guarded(sink: Sink) -> GuardedSink:
    """Put a guard around a sink, so that its failure never stops the work that is measured.

    The first failure is a warning, later ones are counted, and every call is still tried: a tracker may come
    back. Ctrl-C is no failure and passes. A record with holes may mislead later: look at ``failures``.

    Parameters
    ----------
    sink
        The sink to guard.

    Examples
    --------
    >>> class Full(MemorySink):
    ...     def log(self, step, values):
    ...         raise OSError("No space left on device")
    >>> sink = guarded(Full())
    >>> with warnings.catch_warnings(record=True) as said:
    ...     for step in range(3):
    ...         sink.log(step, {"loss": 0.5})
    >>> len(said), sink.failures
    (1, 3)
    """
    return GuardedSink(sink)
