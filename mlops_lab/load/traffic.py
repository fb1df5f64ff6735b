"""How many requests come, and when: curves of calls per second, and arrivals drawn from them.

A curve is a plain array: the calls per second in each slice of one day, 1,440 slices for minutes. It is the
*expected* traffic. What a server meets is a random sample of it, which `arrivals` draws.

`daily_curve` is one curve that fits the lecture's slide, not the slide's data. `assumptions` lists what the
lecture says, what we assumed, and what we fitted.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlops_lab.load.arguments import not_negative, per_second, whole_number

__all__ = ["DAY_S", "arrivals", "assumptions", "bursty", "daily_curve"]

Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0
"""Seconds in a day: a curve always covers one day."""

_MINUTES = 1_440
_MOST_CALLS = 1e9  # a day that no memory holds: more likely a rate in another unit
_MEALS = (
    (8.0, 0.9, 0.55),
    (12.5, 1.1, 1.0),
    (19.0, 1.4, 0.8),
)  # hour of the bump, its width in hours, its height


def daily_curve(*, mean: float = 21.0, peak: float = 160.0, base: float = 2.0) -> Floats:
    """Give the calls per second in each minute of a day with three rushes: 8:00, 12:30 and 19:00.

    The shape of the rushes is assumed. How steep they are is fitted: the bumps are raised to the power that
    makes the curve's mean equal to `mean` while its highest minute stays at `peak`.

    It answers: which day has this mean and this peak? It cannot say that a real day looks so. It misleads
    when the shape of your own day matters: then bring your own curve, any array of calls per second.

    Parameters
    ----------
    mean
        Calls per second, averaged over the day. The lecture says 21 (L10).
    peak
        Calls per second in the busiest minute. Assumed: 40 machines of 4 calls per second.
    base
        Calls per second in the quiet of the night.

    Returns
    -------
        Array of 1,440 values: expected calls per second in each minute of the day.

    Raises
    ------
    ValueError
        Not ``0 <= base < mean < peak``, or a mean that no power of this shape reaches.

    Examples
    --------
    >>> curve = daily_curve()
    >>> len(curve), round(float(curve.mean()), 6), float(curve.max())
    (1440, 21.0, 160.0)

    Taught in notebooks/11_varying_load.ipynb.
    """
    from scipy.optimize import brentq

    not_negative(base=base, mean=mean, peak=peak)
    if not base < mean < peak:
        raise ValueError(f"need 0 <= base < mean < peak; got base={base!r}, mean={mean!r}, peak={peak!r}")
    hour = np.arange(_MINUTES) / 60
    bumps = []
    for centre, width, height in _MEALS:
        away = np.minimum(abs(hour - centre), 24 - abs(hour - centre))
        bumps.append(height * np.exp(-0.5 * (away / width) ** 2))
    shape = np.max(bumps, axis=0)
    shape /= shape.max()

    def curve(power: float) -> Floats:
        return np.asarray(base + (peak - base) * shape**power)

    gentle, steep = 0.02, 200.0
    if not curve(steep).mean() < mean < curve(gentle).mean():
        raise ValueError(
            f"no such day: with base={base!r} and peak={peak!r} the mean must lie between "
            f"{curve(steep).mean():.3g} and {curve(gentle).mean():.3g}; got mean={mean!r}"
        )
    # A steeper day has a lower mean.
    return curve(brentq(lambda power: curve(power).mean() - mean, gentle, steep, xtol=1e-15))


def bursty(
    *, mean: float = 21.0, peak: float = 160.0, bursts: int = 6, minutes: int = 10, seed: int = 0
) -> Floats:
    """Give a day that is flat but for sudden bursts: mean and peak of `daily_curve`, without any warning.

    It answers: what does a policy do when traffic jumps within one minute? It misleads where rushes build up
    slowly.

    Parameters
    ----------
    mean
        Calls per second, averaged over the day.
    peak
        Calls per second during a burst.
    bursts
        How many bursts, at random and never touching each other.
    minutes
        How long each burst lasts.
    seed
        Decides when the bursts come.

    Returns
    -------
        Array of 1,440 values: expected calls per second in each minute of the day.

    Raises
    ------
    ValueError
        Bursts that fill the day, or that alone bring more calls than `mean` allows.

    Examples
    --------
    >>> curve = bursty(bursts=3, minutes=5)
    >>> int((curve == 160).sum()), round(float(curve.mean()), 6)
    (15, 21.0)

    Taught in notebooks/11_varying_load.ipynb.
    """
    whole_number(1, bursts=bursts, minutes=minutes)
    whole_number(0, seed=seed)
    not_negative(mean=mean, peak=peak)
    if bursts * (minutes + 1) >= _MINUTES:
        raise ValueError(
            f"bursts and minutes must be at least 1 and leave some of the day quiet; got {bursts} x {minutes}"
        )
    busy = bursts * minutes
    base = (mean * _MINUTES - peak * busy) / (_MINUTES - busy)
    if not (np.isfinite(base) and 0 <= base < peak):
        raise ValueError(
            f"{bursts} bursts of {minutes} minutes at {peak!r} calls/s cannot average {mean!r} calls/s: "
            "ask for fewer or shorter bursts, or another mean"
        )
    # Stars and bars: choose among the days with a quiet minute after each burst, all equally likely.
    quiet = _MINUTES - bursts * (minutes + 1)
    gaps = np.sort(np.random.default_rng(seed).choice(quiet + bursts, size=bursts, replace=False))
    starts = gaps + np.arange(bursts) * minutes
    curve = np.full(_MINUTES, base)
    for start in starts:
        curve[start : start + minutes] = peak
    return curve


def arrivals(rate: npt.ArrayLike, days: int = 1, *, seed: int = 0, first_day: int = 0) -> Floats:
    """Draw the moments at which requests come, from the expected calls per second.

    Requests come independently of each other: in each slice of the day a Poisson number of them, spread
    evenly. Each day has its own random numbers, keyed by (seed, day), so a month may be drawn day by day.

    It cannot show clients that retry, batch jobs, or a crowd that follows a link: those come in clumps, and
    clumps wait longer than what is shown here.

    Parameters
    ----------
    rate
        Expected calls per second in equal slices of one day, such as `daily_curve` gives.
    days
        How many days; each follows the same curve.
    seed
        Decides the draw.
    first_day
        The number of the first day: ``arrivals(rate, 2)`` is ``arrivals(rate, 1)`` and then
        ``arrivals(rate, 1, first_day=1)``.

    Raises
    ------
    ValueError
        A rate that is empty, negative or not finite, or fewer than one day.

    Examples
    --------
    >>> first = arrivals(daily_curve(), seed=0)
    >>> abs(len(first) / 86_400 - 21) < 0.1, bool((first[1:] >= first[:-1]).all())
    (True, True)

    Taught in notebooks/11_varying_load.ipynb.
    """
    per_s = per_second(rate)
    whole_number(1, days=days)
    whole_number(0, first_day=first_day, seed=seed)
    slice_s = DAY_S / per_s.size
    if per_s.sum() * slice_s > _MOST_CALLS:
        raise ValueError(
            f"{per_s.sum() * slice_s:.3g} calls a day are more than {_MOST_CALLS:,.0f}: "
            "is rate in calls per second?"
        )
    drawn = []
    for day in range(int(first_day), int(first_day) + int(days)):
        rng = np.random.default_rng([seed, day])
        counts = rng.poisson(per_s * slice_s)
        begins = np.repeat(np.arange(per_s.size) * slice_s, counts)
        drawn.append(np.sort(day * DAY_S + begins + rng.random(begins.size) * slice_s))
    return np.concatenate(drawn)


def assumptions() -> pd.DataFrame:
    """List what stands behind the three bills: what the lecture says, what we assumed, what we fitted.

    Returns
    -------
        Columns ``quantity``, ``value``, ``kind`` ("lecture", "assumed", "fitted") and ``why``.

    Examples
    --------
    >>> sorted(set(assumptions()["kind"]))
    ['assumed', 'fitted', 'lecture']

    Taught in notebooks/11_varying_load.ipynb.
    """
    rows = [
        ("price of a machine", "$0.90 x 720 h = $648 a month", "lecture", "L10: $648 x 40 = $25,920"),
        ("mean traffic", "21 calls/s", "lecture", "L10"),
        ("machines", "40, 19 and 6", "lecture", "L10"),
        ("capacity of a machine", "4 calls/s", "assumed", "any in [3.5, 4.2) makes 21 calls/s 6 machines"),
        ("peak", "160 calls/s", "assumed", "40 machines x 4 calls/s"),
        ("night", "2 calls/s", "assumed", "a quiet night, but not an empty one"),
        (
            "shape",
            "rushes at 8:00, 12:30 and 19:00",
            "assumed",
            "before work, at noon, in the evening",
        ),
        (
            "how sharp each rush is",
            "a power of the shape",
            "fitted",
            "so that the mean is 21 while the peak is 160",
        ),
        (
            "window of the local maximum",
            "300 minutes",
            "fitted",
            "so that the rolling maximum needs 19 machines",
        ),
    ]
    return pd.DataFrame(rows, columns=["quantity", "value", "kind", "why"])
