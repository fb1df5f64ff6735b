"""Lesson 11's exercises: bills, a window, Erlang, a break-even price, a spike, a policy of one's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from mlops_lab import load
from mlops_lab.exercises import Rule
from mlops_lab.exercises.judging import Case, Mistake, function, number, whole_number
from mlops_lab.exercises.policy_judges import (
    BILL_USD,
    CAPACITY,
    P95_S,
    day,
    headroom,
    held,
    judge_policy,
    right_policies,
    wrong_policies,
)

__all__ = ["RULES"]


def _work_usd(seed: int) -> float:
    """What serverless costs at the price of a machine: the work alone."""
    return load.monthly_cost_usd(day(seed).size / CAPACITY / 86_400)


def _break_even(seed: int) -> float:
    return held(seed).bill_usd / _work_usd(seed)


@lru_cache(maxsize=16)
def _waited(seed: int) -> float:
    """The share that waits at all on the day of bursts."""
    return float((headroom(seed, True).wait_s > 0).mean())


def _fewest(seed: int) -> int:
    return next(n for n in range(40, 100) if load.mean_wait_s(n, 160.0, 0.25) < 0.02)


def _too_few(seed: int) -> list[int]:
    return [*range(-10, 40), *range(42, _fewest(seed))]


def _autoscaled_usd() -> float:
    """Exercise 1's most likely wrong row: the bill with a window, at 5 calls a second."""
    return float(load.bills(load.daily_curve(), capacity=5.0)["bill_usd"]["autoscaled"])


def _rolled(needed: Any, window: int) -> Any:
    return np.max([np.roll(needed, back) for back in range(window + 1)], axis=0)


def _cases(seed: int) -> list[Case]:
    rng = np.random.default_rng([seed, 11])
    short, long = np.array([1, 7, 2, 3, 1, 1]), rng.integers(1, 40, 200)
    return [
        Case(
            (short, 0), _rolled(short, 0), f"needed = {short.tolist()} and a window of 0, that holds nothing,"
        ),
        Case((short, 1), _rolled(short, 1), f"needed = {short.tolist()} and a window of 1"),
        Case(
            (np.array([1, 1, 1, 9]), 2),
            np.array([9, 9, 1, 9]),
            "needed = [1, 1, 1, 9] and a window of 2, that holds the 9 past midnight,",
        ),
        Case((long, 30), _rolled(long, 30), "200 minutes and a window of 30"),
    ]


def _same(got: Any, expected: Any) -> bool:
    try:
        values = np.asarray(got, dtype=float)
    except (TypeError, ValueError):  # a generator, words, an object
        return False
    return values.shape == expected.shape and bool((values == expected).all())


def _held_by_loop(needed: Any, window: int) -> list[int]:
    length = len(needed)
    return [max(needed[(i - back) % length] for back in range(window + 1)) for i in range(length)]


def _held_by_padding(needed: Any, window: int) -> Any:
    padded = np.concatenate([needed[len(needed) - window :], needed])
    return np.lib.stride_tricks.sliding_window_view(padded, window + 1).max(axis=1)


def _wrong_windows(seed: int) -> list[tuple[Callable[..., Any], str]]:
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
                Mistake(40 * 648, "is the lecture's fixed fleet: serverless pays for the work alone."),
                Mistake(19 * 648, "is the lecture's autoscaled fleet: serverless pays for the work alone."),
                Mistake(
                    _autoscaled_usd(), "is autoscaled: serverless pays for the work alone, not for a window."
                ),
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
            (25920, "fixed fleet"),
            (12312, "lecture's autoscaled"),
            (_autoscaled_usd(), "not for a window"),
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
                Mistake(40, "is too few: all are always busy, and the formula gives infinity."),
                Mistake(41, "is stable, but look at the wait that the formula gives."),
                *(Mistake(n, "is too few: its mean wait is not below 20 ms.") for n in _too_few(seed)),
                *(Mistake(n, "is enough, but not the fewest.") for n in range(_fewest(seed) + 1, 1_001)),
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
            (_fewest(seed) - 1, "is too few"),
            (6, "is too few"),
            (-1, "is too few"),
            (_fewest(seed) + 1, "not the fewest"),
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
                Mistake(
                    held(seed).bill_usd / 3_888, "compares with whole machines: take the bill in the table."
                ),
                Mistake(held(seed).bill_usd - _work_usd(seed), "is a difference in dollars: give a factor."),
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
            (held(seed).bill_usd / 3_888, "whole machines"),
            (held(seed).bill_usd - _work_usd(seed), "difference in dollars"),
        ],
    ),
    Rule(
        id="varying_load.5",
        question="Which share of the requests waits longer than one second on the day of bursts?",
        judge=number(
            lambda seed: held(seed, True).late,
            within=0.0005,
            mistakes=lambda seed: [
                Mistake(round(held(seed, True).late, 2), "is rounded too far: give at least three digits."),
                Mistake(1 - held(seed, True).late, "is the share that waits at most one second."),
                Mistake(held(seed).late, "is the share on the day of rushes: take the run `spike`."),
                Mistake(100 * held(seed, True).late, "is in per cent: give a share between 0 and 1."),
                Mistake(held(seed, True).late * day(seed, True).size, "is a count: divide by all requests."),
                Mistake(_waited(seed), "is the share that waited at all: ask for more than one second."),
                Mistake(held(seed, True).p95_wait_s, "is a time, the wait that 95 % do not exceed."),
                Mistake(held(seed, True).mean_wait_s, "is a time, the mean wait."),
            ],
            far="is not that share",
        ),
        hints=(
            "Which column of `spike.requests` says how long somebody waited?",
            'Compare `spike.requests["wait_s"]` with 1; a share is the mean of what is True.',
            '`(spike.requests["wait_s"] > 1).mean()`',
        ),
        right=lambda seed: [held(seed, True).late, round(held(seed, True).late, 4)],
        wrong=lambda seed: [
            (1 - held(seed, True).late, "at most one second"),
            (held(seed).late, "day of rushes"),
            (round(held(seed, True).late, 2), "rounded too far"),
            (_waited(seed), "waited at all"),
            (held(seed, True).p95_wait_s, "is a time"),
            (100 * held(seed, True).late, "per cent"),
            (held(seed, True).late * day(seed, True).size, "is a count"),
        ],
    ),
    Rule(
        id="varying_load.6",
        question=f"Write a policy that costs at most ${BILL_USD:,.0f} and lets 95 % wait at most {P95_S} s.",
        judge=judge_policy,
        hints=(
            "What does a machine that is ordered now do for those who come in the next minute?",
            "Look at the highest of the last few entries of `seen.calls_per_s`, and add room above it.",
            "Machines = calls per second / (4 x 0.8), rounded up by `math.ceil`, and at least 1. Take the "
            "busiest of the last five minutes: `seen.calls_per_s[-5:].max()`, once there are any.",
        ),
        right=lambda seed: right_policies(),
        wrong=lambda seed: wrong_policies(),
    ),
)
