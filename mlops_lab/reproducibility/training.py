"""A small neural network whose every source of difference is a knob of its own.

``MLPClassifier`` has one ``random_state`` for both its first weights and the order of its rows. Here they are
two, so that each can be moved alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["train"]


def train(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    init: int = 0,
    order: int = 0,
    batch: int = 50,
    epochs: int = 10,
    hidden: Sequence[int] = (16,),
    rate: float = 0.01,
    activation: str = "relu",
    nudge: bool = False,
) -> Any:
    """Train a small neural network in which each cause of a difference can be moved alone.

    It answers what a training does when just one thing about it changes. It is small and calm: large networks
    and graphics cards differ more, so it misleads whoever takes its sizes for theirs.

    Parameters
    ----------
    x
        Readings, one row for each crate: shape (rows, columns), near mean 0 and spread 1.
    y
        The answers, one for each row.
    init
        The seed of the first weights.
    order
        The seed of the order in which the rows come.
    batch
        How many rows make one step.
    epochs
        How often all rows are seen.
    hidden
        How many units each hidden layer has.
    rate
        The learning rate, the length of a step.
    activation
        ``"relu"``, ``"tanh"`` or ``"logistic"``.
    nudge
        Move each weight of the first layer by one ulp after the first epoch: the smallest change there is, as
        another processor may make it.

    Raises
    ------
    ValueError
        If `batch` is not between 1 and the number of rows, or `epochs` is below 1.

    Examples
    --------
    >>> x, y = np.array([[-1.0], [1.0]] * 20), np.array(["low", "high"] * 20)
    >>> first, again, other = train(x, y, batch=8), train(x, y, batch=8), train(x, y, batch=8, init=1)
    >>> bool((first.coefs_[0] == again.coefs_[0]).all()), bool((first.coefs_[0] == other.coefs_[0]).all())
    (True, False)

    Taught in notebooks/05_reproducibility.ipynb.
    """
    from sklearn.neural_network import MLPClassifier

    rows, answers = np.asarray(x, dtype=np.float64), np.asarray(y)
    if not 1 <= batch <= len(rows):
        raise ValueError(f"batch={batch!r}: a step takes between 1 and all {len(rows)} rows")
    if epochs < 1:
        raise ValueError(f"epochs={epochs!r}: at least one is needed")
    net = MLPClassifier(
        tuple(hidden),
        activation=activation,
        learning_rate_init=rate,
        batch_size=batch,
        shuffle=False,
        random_state=init,
    )
    rng = np.random.default_rng(order)
    grades = np.unique(answers)
    for epoch in range(epochs):
        turn = rng.permutation(len(rows))
        net.partial_fit(rows[turn], answers[turn], classes=grades)
        if nudge and epoch == 0:
            net.coefs_[0][:] = np.nextafter(net.coefs_[0], np.inf)
    return net
