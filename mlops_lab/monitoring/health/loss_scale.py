"""How do gradients stay inside a narrow format? By a factor that grows when it can, halves when it must."""

from __future__ import annotations

import math

__all__ = ["LossScale"]


class LossScale:
    """The factor by which a loss is multiplied, so that small gradients survive in float16.

    Multiply the loss before the gradient is taken, divide the gradient after it. If a step overflowed, that
    step is skipped and the factor halves; after many good ones it doubles (Micikevicius and others 2018). A
    few skipped steps are normal. It cannot mend a training that explodes: there the factor sinks to nothing.

    Parameters
    ----------
    start
        The first factor.
    patience
        After so many good steps in a row the factor doubles.
    largest
        The factor never exceeds this.

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> scale = LossScale(1024.0, patience=2)
    >>> [scale.update(finite) for finite in (True, True, False)]
    [True, True, False]
    >>> scale.factor, scale.skipped
    (1024.0, 1)
    """

    def __init__(self, start: float = 2.0**15, *, patience: int = 200, largest: float = 2.0**24) -> None:
        if not 0 < start <= largest < math.inf:
            raise ValueError(f"start={start!r} must lie above 0 and not above largest={largest!r}")
        if patience < 1:
            raise ValueError(f"patience={patience!r} must be at least one step")
        self.factor = float(start)
        self.patience = patience
        self.largest = float(largest)
        self.skipped = 0
        self._good = 0

    def update(self, finite: bool) -> bool:
        """Take note of whether a step's gradient was finite, and adapt the factor.

        Parameters
        ----------
        finite
            Whether all of the scaled gradient was finite.
        """
        if not finite:
            self.factor /= 2
            self.skipped += 1
            self._good = 0
            return False
        self._good += 1
        if self._good >= self.patience:
            self.factor = min(self.factor * 2, self.largest)
            self._good = 0
        return True
