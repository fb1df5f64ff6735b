"""Lesson 11's exercises: bills, a window, Erlang, a break-even price, a spike, a policy of one's own."""

from __future__ import annotations

import copy
import math
import numbers
from functools import lru_cache
from typing import Any

import numpy as np

from mlops_lab import load
from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right, told
from mlops_lab.exercises.judging import FunctionJudge, Mistake, Trial, number, whole_number

__all__ = ["BILL_USD", "COLD_START_S", "EXERCISES", "P95_S", "not_own", "own_run"]


CAPACITY = 4.0
COLD_START_S = 60.0
BILL_USD, P95_S = 5_000.0, 0.5
"""What a policy of one's own must keep: the month's bill, and what 95 % of requests wait at most."""

_MOST_MACHINES = 10_000
_TWO_DAYS_S = 2 * 86_400.0
_UNSEEN = 1_000  # added to the seed: the day on which a policy is judged


@lru_cache(maxsize=16)
def day(seed: int, spiky: bool = False) -> Any:
    """Draw the requests of the lesson's day, or of its day of bursts."""
    curve = load.bursty(seed=seed) if spiky else load.daily_curve()
    return load.arrivals(curve, seed=seed)


def headroom(seed: int, spiky: bool = False) -> load.SimulationResult:
    """Serve a day by autoscaling, window of 5 minutes and a fifth of headroom: the best of the lesson."""
    policy = load.Hold(5, capacity=CAPACITY, target=0.8)
    return load.simulate(day(seed, spiky), 1 / CAPACITY, policy, cold_start_s=COLD_START_S)


@lru_cache(maxsize=16)
def held(seed: int, spiky: bool = False) -> load.Summary:
    """Tell what that headroom costs, and how long people wait."""
    return headroom(seed, spiky).summary()


# --- 1, 3, 4 and 5: numbers ------------------------------------------------------------------------------


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


# --- 2: a window -----------------------------------------------------------------------------------------


def _rolled(needed: Any, window: int) -> Any:
    return np.max([np.roll(needed, back) for back in range(window + 1)], axis=0)


def _window_trials(seed: int) -> list[Trial]:
    rng = np.random.default_rng([seed, 11])
    short, long = np.array([1, 7, 2, 3, 1, 1]), rng.integers(1, 40, 200)
    return [
        Trial(
            (short, 0), _rolled(short, 0), f"needed = {short.tolist()} and a window of 0, that holds nothing,"
        ),
        Trial((short, 1), _rolled(short, 1), f"needed = {short.tolist()} and a window of 1"),
        Trial(
            (np.array([1, 1, 1, 9]), 2),
            np.array([9, 9, 1, 9]),
            "needed = [1, 1, 1, 9] and a window of 2, that holds the 9 past midnight,",
        ),
        Trial((long, 30), _rolled(long, 30), "200 minutes and a window of 30"),
    ]


_WINDOW_MISTAKES = (
    Mistake(
        lambda needed, window: _rolled(needed, max(0, window - 1)),
        "that holds each machine one minute too short.",
    ),
    Mistake(
        lambda needed, window: np.max([np.roll(needed, -back) for back in range(window + 1)], axis=0),
        "that looks at the minutes that come, not at those that were.",
    ),
    Mistake(
        lambda needed, window: np.mean([np.roll(needed, back) for back in range(window + 1)], axis=0),
        "that is the mean of the window, and the most is asked for.",
    ),
    Mistake(
        lambda needed, window: [max(needed[max(0, now - window) : now + 1]) for now in range(len(needed))],
        "the day before midnight is missing: the curve is a circle.",
    ),
)


# --- 6: a policy of one's own ----------------------------------------------------------------------------


def not_own(answer: object) -> str:
    """Say why an answer is no policy of one's own; an empty text if it is one."""
    if isinstance(answer, type):
        return f"is the class {answer.__name__}: make one of it, with round brackets."
    if not callable(getattr(answer, "wanted", None)):
        return "has no method `wanted(self, seen)`: the simulation would have nobody to ask."
    if type(answer).__module__.startswith("mlops_lab.load"):
        name = type(answer).__name__
        return f"`{name}` is built in: write a class of your own with a method `wanted(self, seen)`."
    return ""


class _NoFleetError(Exception):
    """A policy has answered what is no fleet."""


class _Watched:
    """A copy of a policy that remembers when it was asked, and refuses what is no fleet in kind words."""

    def __init__(self, policy: object) -> None:
        try:
            self._policy: Any = copy.deepcopy(policy)  # so that a memory is empty at each check
        except Exception:  # noqa: BLE001  what cannot be copied is used as it is
            self._policy = policy
        self.at_s = 0.0

    def wanted(self, seen: load.Seen) -> int:
        self.at_s = seen.t_s
        machines = self._policy.wanted(seen)
        wrong = _no_fleet(machines)
        if wrong:
            raise _NoFleetError(f"it answered {machines!r}: {wrong}")
        if machines == 0 and seen.t_s > _TWO_DAYS_S:
            raise _NoFleetError("it still keeps no machine while requests wait")
        return int(machines)


def _no_fleet(machines: object) -> str:
    if machines is None:
        return "does `wanted` end with `return`?"
    if isinstance(machines, (bool, np.bool_)) or not isinstance(machines, numbers.Real):
        return "answer one whole number"
    value = float(machines)
    if not math.isfinite(value):
        return "that is no number of machines"
    if value < 0:
        return "answer 0 or more"
    if value != int(value):
        return "round it up with `math.ceil`"
    return f"that is more than {_MOST_MACHINES:,} machines" if value > _MOST_MACHINES else ""


def own_run(
    policy: object, arrive_s: Any, service_s: Any, *, cold_start_s: float
) -> load.SimulationResult | str:
    """Simulate a policy of one's own; if it cannot be done, say when it stopped and why."""
    watched = _Watched(policy)
    try:
        return load.simulate(arrive_s, service_s, watched, cold_start_s=cold_start_s)
    except _NoFleetError as stopped:
        why = str(stopped)
    except Exception as error:  # noqa: BLE001  a student's policy can fail in any way, and is told how
        why = told(error).replace(_Watched.__name__, type(policy).__name__)
        if watched.at_s == 0:
            why += ". In the first minute `seen.calls_per_s` is still empty"
    minutes = int(watched.at_s // 60)
    return f"at {minutes // 60}:{minutes % 60:02} {why}"


def _judge_policy(answer: object, seed: int) -> Outcome:
    """Judge a policy by bill and waiting on an unseen day, beside the built-in headroom."""
    wrong = not_own(answer)
    if wrong:
        return not_yet(f"Your answer {wrong}")
    run = own_run(answer, day(seed + _UNSEEN), 1 / CAPACITY, cold_start_s=COLD_START_S)
    if isinstance(run, str):
        return not_yet(f"Your policy stopped: {run}.")
    found = run.summary()
    if found.bill_usd > BILL_USD and found.p95_wait_s > P95_S:
        verdict = f"The bill is above ${BILL_USD:,.0f}, and people wait above {P95_S} s"
    elif found.bill_usd > BILL_USD:
        verdict = f"People hardly wait, but the bill is above ${BILL_USD:,.0f}"
    elif found.p95_wait_s > P95_S:
        verdict = f"The bill is low enough, but people wait above {P95_S} s"
    else:
        verdict = "Your policy keeps both limits"
    other = held(seed + _UNSEEN)
    message = (
        f"{verdict}. On a day that it had not seen it costs ${found.bill_usd:,.0f} a month, and 95 % wait at "
        f"most {_long(found.p95_wait_s)}; the built-in headroom costs ${other.bill_usd:,.0f}, and 95 % wait "
        f"at most {_long(other.p95_wait_s)}."
    )
    return right(message) if verdict.startswith("Your policy") else not_yet(message)


def _long(seconds: float) -> str:
    """Write a time as one would say it."""
    if seconds < 120:
        return f"{seconds:.2f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7_200 else f"{seconds / 3600:.1f} hours"


EXERCISES = (
    Exercise(
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
    ),
    Exercise(
        id="varying_load.2",
        question="Write held(needed, window): the most needed in a minute or in the window before it.",
        judge=FunctionJudge(_window_trials, _WINDOW_MISTAKES),
        hints=(
            "Which minutes may still ask for a machine at 9:00, if the window is 5 minutes?",
            "`np.roll(needed, 3)` is the curve three minutes later, and it wraps round at midnight.",
            "Take `np.roll(needed, back)` for every `back` from 0 to `window`, and the largest of them by "
            "`np.max([...], axis=0)`.",
        ),
    ),
    Exercise(
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
    ),
    Exercise(
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
    ),
    Exercise(
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
    ),
    Exercise(
        id="varying_load.6",
        question=f"Write a policy that costs at most ${BILL_USD:,.0f} and lets 95 % wait at most {P95_S} s.",
        judge=_judge_policy,
        hints=(
            "What does a machine that is ordered now do for those who come in the next minute?",
            "Look at the highest of the last few entries of `seen.calls_per_s`, and add room above it.",
            "Machines = calls per second / (4 x 0.8), rounded up by `math.ceil`, and at least 1. Take the "
            "busiest of the last five minutes: `seen.calls_per_s[-5:].max()`, once there are any.",
        ),
    ),
)
