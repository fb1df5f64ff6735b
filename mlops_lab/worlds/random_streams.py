"""Named random streams (common random numbers): two worlds differ in one dial and in nothing else.

A single generator passed around couples everything to everything: ask for one crate more, and every later
number changes. Here each quantity has a generator of its own, keyed by what it is for. Left out: jumping to
a position.
"""

from __future__ import annotations

import operator
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Streams"]

SEED_LIMIT = 2**32
"""Seeds lie below this, so that a seed is one word of the key and two keys never run into each other."""


class Streams:
    """Named, independent streams of random numbers for one seed, purpose and week.

    Answers: which random numbers belong to this quantity, whoever asks and in whatever order. The same
    names give the same numbers, a longer draw starts with the shorter one, and two draws after each other
    continue the stream. It cannot make two purposes share numbers: that is what one purpose is for. It
    misleads where a purpose is used twice by mistake: the second sample then repeats the first.

    Parameters
    ----------
    seed
        The world's seed, a whole number from 0 to 2**32 - 1.
    purpose
        What the numbers are for, such as ``"archive"``.
    week
        The week they belong to, from 0; use 0 where time plays no part.

    Raises
    ------
    ValueError
        For a seed or week out of range or an empty purpose.

    Notes
    -----
    Common random numbers: Law (2015), *Simulation Modeling and Analysis*, section 11.2. The key goes
    through numpy's ``SeedSequence``, whose hashing makes the streams independent for every practical use.

    Examples
    --------
    >>> first = Streams(0, "archive", 3).normal("sugar", 2)
    >>> longer = Streams(0, "archive", 3).normal("sugar", 5)
    >>> bool((longer[:2] == first).all())
    True
    """

    def __init__(self, seed: int, purpose: str, week: int = 0) -> None:
        if not 0 <= operator.index(seed) < SEED_LIMIT:
            raise ValueError(f"seed={seed!r}: a whole number from 0 to 2**32 - 1 is needed")
        if not 0 <= operator.index(week) < SEED_LIMIT:
            raise ValueError(f"week={week!r}: weeks are whole numbers counted from 0")
        if not isinstance(purpose, str) or not purpose:
            raise ValueError(f"purpose={purpose!r}: say in a word what the numbers are for, such as 'audit'")
        self._key = (operator.index(seed), zlib.crc32(purpose.encode()), operator.index(week))
        self._generators: dict[str, np.random.Generator] = {}

    def _generator(self, quantity: str) -> np.random.Generator:
        if quantity not in self._generators:
            self._generators[quantity] = np.random.default_rng([*self._key, zlib.crc32(quantity.encode())])
        return self._generators[quantity]

    def normal(self, quantity: str, n: int) -> NDArray[np.float64]:
        """Draw the next `n` standard normal numbers of a quantity; every name is a stream of its own."""
        return self._generator(quantity).standard_normal(n)

    def uniform(self, quantity: str, n: int) -> NDArray[np.float64]:
        """Draw the next `n` numbers of a quantity, spread evenly over [0, 1).

        Comparing them with a share makes a yes-or-no that only ever switches one way when the share is
        raised.
        """
        return self._generator(quantity).random(n)

    def exponential(self, quantity: str, n: int) -> NDArray[np.float64]:
        """Draw the next `n` exponential numbers of mean 1 of a quantity."""
        return self._generator(quantity).standard_exponential(n)
