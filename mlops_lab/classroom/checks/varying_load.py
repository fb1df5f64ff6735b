"""Lesson 11's exercises: bills, a window, Erlang, a break-even price, a spike, a policy of one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlops_lab.classroom.checks import Outcome, Rule, not_yet, right, told
from mlops_lab.classroom.checks.judges import Case, Mistake, function, number, whole_number

if TYPE_CHECKING:
    from mlops_lab import load

__all__ = ["BILL_USD", "P95_S", "RULES"]

CAPACITY = 4.0
COLD_START_S = 60.0
BILL_USD, P95_S = 5_000.0, 0.5
"""What a policy of one's own must keep: the month's bill, and what 95 % of requests wait at most."""


@lru_cache(maxsize=16)
def _day(seed: int, spiky: bool = False) -> Any:
    from mlops_lab import load

    curve = load.bursty(seed=seed) if spiky else load.daily_curve()
    return load.arrivals(curve, seed=seed)


@lru_cache(maxsize=16)
def _held(seed: int, spiky: bool = False) -> tuple[float, float]:
    """Bill and share late of autoscaling with a window of 5 minutes and a fifth of headroom."""
    from mlops_lab import load

    policy = load.Hold(5, capacity=CAPACITY, target=0.8)
    run = load.simulate(_day(seed, spiky), 1 / CAPACITY, policy, cold_start_s=COLD_START_S)
    found = run.summary()
    return found.bill_usd, found.late


def _work_usd(seed: int) -> float:
    """What serverless costs at the price of a machine: the work alone."""
    from mlops_lab import load

    return load.monthly_cost_usd(_day(seed).size / CAPACITY / 86_400)


def _break_even(seed: int) -> float:
    return _held(seed)[0] / _work_usd(seed)


def _fewest(seed: int) -> int:
    from mlops_lab import load

    return next(n for n in range(40, 100) if load.mean_wait_s(n, 160.0, 0.25) < 0.02)


def _rolled(needed: Any, window: int) -> Any:
    import numpy as np

    return np.max([np.roll(needed, back) for back in range(window + 1)], axis=0)


def _cases(seed: int) -> list[Case]:
    import numpy as np

    rng = np.random.default_rng([seed, 11])
    short, long = np.array([1, 7, 2, 3, 1, 1]), rng.integers(1, 40, 200)
    return [
        Case((short, 0), _rolled(short, 0), "a window of 0: nothing is held"),
        Case((short, 1), _rolled(short, 1), "a window of 1: this minute and the one before"),
        Case(
            (np.array([1, 1, 1, 9]), 2),
            np.array([9, 9, 1, 9]),
            "a high in the last minute, held past midnight",
        ),
        Case((long, 30), _rolled(long, 30), "200 minutes with a window of 30"),
    ]


def _same(got: Any, expected: Any) -> bool:
    import numpy as np

    values = np.asarray(got, dtype=float)
    return values.shape == expected.shape and bool((values == expected).all())


def _policy(answer: object, seed: int) -> Outcome:
    from mlops_lab import load

    if isinstance(answer, type):
        return not_yet(f"Your answer is the class {answer.__name__}: make one of it, with round brackets.")
    if not callable(getattr(answer, "wanted", None)):
        return not_yet(
            "Your answer has no method `wanted(self, seen)`: the simulation would have nobody to ask."
        )
    policy: Any = answer
    calls = _day(seed + 1_000)
    try:
        run = load.simulate(calls, 1 / CAPACITY, policy, cold_start_s=COLD_START_S)
    except Exception as error:  # noqa: BLE001  a student's policy can fail in any way, and is told how
        return not_yet(f"Your policy stopped the simulation: {told(error)}.")
    found = _paid(run, policy)
    told_ = (
        f"on a day it had not seen it costs ${found[0]:,.0f} a month, and 95 % wait at most {found[1]:.2f} s"
    )
    if found[0] > BILL_USD and found[1] > P95_S:
        return not_yet(f"Your policy loses both ways: {told_}. Does it follow the load at all?")
    if found[0] > BILL_USD:
        return not_yet(f"People hardly wait, but the bill is above ${BILL_USD:,.0f}: {told_}.")
    if found[1] > P95_S:
        return not_yet(f"The bill is low enough, but people wait above {P95_S} s: {told_}.")
    return right(f"Your policy keeps both limits: {told_}.")


def _paid(run: load.Run, policy: object) -> tuple[float, float]:
    """Bill and p95; serverless pays 1.5 times the price of a machine, as the exercise says."""
    from mlops_lab import load

    found = run.summary()
    dearer = 1.5 if isinstance(policy, load.PerRequest) else 1.0
    return found.bill_usd * dearer, found.p95_wait_s


def _hold(target: float) -> load.Hold:
    from mlops_lab import load

    return load.Hold(5, capacity=CAPACITY, target=target)


def _fixed(machines: int) -> load.Fixed:
    from mlops_lab import load

    return load.Fixed(machines)


class _Trend:
    """A right answer of another form: where the load will be when a new machine is there."""

    def wanted(self, seen: load.Seen) -> int:
        recent = seen.calls_per_s[-4:]
        if not recent.size:
            return 2
        ahead = recent.max() + 1.5 * max(0.0, float(recent[-1] - recent[0]))
        return int(ahead / (CAPACITY * 0.9)) + 1


class _Fraction:
    def wanted(self, seen: load.Seen) -> float:
        return seen.now_per_s / CAPACITY + 0.5


class _Nothing:
    def wanted(self, seen: load.Seen) -> None:
        return None


def _held_by_loop(needed: Any, window: int) -> list[int]:
    length = len(needed)
    return [max(needed[(i - back) % length] for back in range(window + 1)) for i in range(length)]


def _held_by_padding(needed: Any, window: int) -> Any:
    import numpy as np

    padded = np.concatenate([needed[len(needed) - window :], needed])
    return np.lib.stride_tricks.sliding_window_view(padded, window + 1).max(axis=1)


def _wrong_windows(seed: int) -> list[tuple[Callable[..., Any], str]]:
    import numpy as np
    import pandas as pd

    return [
        (
            lambda needed, window: pd.Series(needed).rolling(window + 1, min_periods=1).max().array,
            "midnight",
        ),
        (
            lambda needed, window: np.max([np.roll(needed, b) for b in range(max(1, window))], axis=0),
            "window of 1",
        ),
        (
            lambda needed, window: np.max([np.roll(needed, -b) for b in range(window + 1)], axis=0),
            "window of 1",
        ),
        (
            lambda needed, window: np.mean([np.roll(needed, b) for b in range(window + 1)], axis=0),
            "window of 1",
        ),
        (lambda needed, window: needed.max(), "window of 0"),
        (lambda needed, window: _rolled(needed, min(window, 5)), "200 minutes"),
        (lambda needed, window: None, "returned None"),
        (lambda needed: needed, "stopped"),
        (_rolled(np.ones(3), 1), "without brackets"),
    ]


RULES = (
    Rule(
        id="varying_load.1",
        question="What is the serverless bill, in whole machines, if one machine serves 5 calls a second?",
        judge=number(
            lambda seed: 5 * 648.0,
            within=0.5,
            mistakes=lambda seed: [
                Mistake(4.2 * 648, "counts a part of a machine: the lecture pays for whole ones."),
                Mistake(4 * 648, "rounds down: four machines cannot do the work of the day."),
                Mistake(32 * 648, "is the bill of a fixed fleet: it pays for the peak."),
                Mistake(6 * 648, "is the lecture's bill, for 4 calls a second."),
                Mistake(5.0, "is a number of machines: how many dollars are they a month?"),
            ],
            far="is not the bill",
        ),
        hints=(
            "How many machines would be busy on average, if each did 5 calls a second?",
            "Divide the mean of the curve by the capacity, round up, and multiply by the price of a machine.",
            "`np.ceil(curve.mean() / 5) * machine_usd`",
        ),
        right=lambda seed: [3240.0, 3240, [3240.0]],
        wrong=lambda seed: [
            (2721.6, "a part of a machine"),
            (2592, "rounds down"),
            (20736, "fixed fleet"),
            (3888, "for 4 calls a second"),
            (5, "a number of machines"),
        ],
    ),
    Rule(
        id="varying_load.2",
        question="Write held(needed, window): the most needed in a minute or in the window before it.",
        judge=function(_cases, agree=_same),
        hints=(
            "Which minutes may still ask for a machine at 9:00, if the window is 5 minutes?",
            "`np.roll(needed, 3)` is the curve three minutes later, and it wraps round at midnight.",
            "Take `np.roll(needed, back)` for every `back` from 0 to `window`, and the largest of them by "
            "`np.max([...], axis=0)`.",
        ),
        right=lambda seed: [_rolled, _held_by_loop, _held_by_padding],
        wrong=lambda seed: _wrong_windows(seed),
    ),
    Rule(
        id="varying_load.3",
        question="How few machines keep the mean wait below 20 ms at the peak, by Erlang's formula?",
        judge=whole_number(
            _fewest,
            mistakes=lambda seed: [
                Mistake(40, "machines are all busy: the formula gives no wait at all, but infinity."),
                Mistake(41, "is stable, but look at the wait that the formula gives."),
                Mistake(_fewest(seed) - 1, "is one too few: its mean wait is still above 20 ms."),
                Mistake(_fewest(seed) + 1, "is enough, and so is one fewer."),
            ],
            what="number of machines",
            far="is not the fewest",
        ),
        hints=(
            "What does `load.mean_wait_s` say for 40, 41 and 42 machines at 160 calls a second?",
            "Try one number after the other, from 40 up. The limit is 0.02 seconds.",
            "`next(n for n in range(40, 100) if load.mean_wait_s(n, 160, 0.25) < 0.02)`",
        ),
        right=lambda seed: [_fewest(seed), float(_fewest(seed))],
        wrong=lambda seed: [
            (40, "infinity"),
            (41, "look at the wait"),
            (_fewest(seed) - 1, "one too few"),
            (_fewest(seed) + 1, "so is one fewer"),
            (200, "not the fewest"),
        ],
    ),
    Rule(
        id="varying_load.4",
        question="How many times the price of a machine may serverless cost, before autoscaling is cheaper?",
        judge=number(
            _break_even,
            within=0.01,
            mistakes=lambda seed: [
                Mistake(1 / _break_even(seed), "is the other way round: which bill shall equal which?"),
                Mistake(25_920 / _work_usd(seed), "compares with the fixed fleet: compare with `headroom`."),
                Mistake(_held(seed)[0] / 3_888, "compares with whole machines: take the bill in the table."),
                Mistake(_held(seed)[0] - _work_usd(seed), "is a difference in dollars: give a factor."),
            ],
            far="is not that factor",
        ),
        hints=(
            "Serverless at twice the price costs twice its bill. When is that the bill of `headroom`?",
            "Both bills stand in the summaries: `headroom.summary().bill_usd` is one of them.",
            "Divide the bill of `headroom` by the bill of `serverless`.",
        ),
        right=lambda seed: [_break_even(seed), round(_break_even(seed), 3)],
        wrong=lambda seed: [
            (1 / _break_even(seed), "the other way round"),
            (25_920 / _work_usd(seed), "fixed fleet"),
            (_held(seed)[0] / 3_888, "whole machines"),
            (_held(seed)[0] - _work_usd(seed), "difference in dollars"),
        ],
    ),
    Rule(
        id="varying_load.5",
        question="Which share of the requests waits longer than one second on the day of bursts?",
        judge=number(
            lambda seed: _held(seed, True)[1],
            within=0.0005,
            mistakes=lambda seed: [
                Mistake(1 - _held(seed, True)[1], "is the share that waits at most one second."),
                Mistake(_held(seed)[1], "is the share on the day of meals: take the run `spike`."),
                Mistake(100 * _held(seed, True)[1], "is in per cent: give a share between 0 and 1."),
                Mistake(_held(seed, True)[1] * _day(seed, True).size, "is a count: divide by all requests."),
            ],
            far="is not that share",
        ),
        hints=(
            "Which column of `spike.requests` says how long somebody waited?",
            'Compare `spike.requests["wait_s"]` with 1; a share is the mean of what is True.',
            '`(spike.requests["wait_s"] > 1).mean()`',
        ),
        right=lambda seed: [_held(seed, True)[1], round(_held(seed, True)[1], 4)],
        wrong=lambda seed: [
            (1 - _held(seed, True)[1], "at most one second"),
            (_held(seed)[1], "day of meals"),
            (100 * _held(seed, True)[1], "per cent"),
            (_held(seed, True)[1] * _day(seed, True).size, "is a count"),
        ],
    ),
    Rule(
        id="varying_load.6",
        question=f"Write a policy that costs at most ${BILL_USD:,.0f} and lets 95 % wait at most {P95_S} s.",
        judge=_policy,
        hints=(
            "What does a machine that is ordered now do for those who come in the next minute?",
            "Look at the highest of the last few entries of `seen.calls_per_s`, and add room above it.",
            "Machines = calls per second / (4 x 0.8), rounded up by `math.ceil`, and at least 1. Take the "
            "busiest of the last five minutes: `seen.calls_per_s[-5:].max()`, once there are any.",
        ),
        right=lambda seed: [_hold(0.8), _hold(0.78), _Trend()],
        wrong=lambda seed: [
            (_fixed(40), "the bill is above"),
            (_fixed(6), "people wait above"),
            (_hold(1.0), "people wait above"),
            (_hold(0.5), "the bill is above"),
            (_Trend, "round brackets"),
            (12, "no method"),
            (_Fraction(), "whole number"),
            (_Nothing(), "whole number"),
        ],
    ),
)
