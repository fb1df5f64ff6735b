"""The judge of lesson 11's last exercise: a scaling policy of one's own, on a day that it has not seen.

`checks/varying_load.py` holds the question and the hints, `policy_board.py` draws the same policy.
"""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mlops_lab import load
from mlops_lab.exercises import Outcome, not_yet, right, told

__all__ = [
    "BILL_USD",
    "CAPACITY",
    "COLD_START_S",
    "P95_S",
    "day",
    "headroom",
    "held",
    "judge_policy",
    "not_own",
    "own_run",
    "right_policies",
    "wrong_policies",
]

CAPACITY = 4.0
COLD_START_S = 60.0
BILL_USD, P95_S = 5_000.0, 0.5
"""What a policy of one's own must keep: the month's bill, and what 95 % of requests wait at most."""

_MOST_MACHINES = 10_000
_UNSEEN = 1_000  # added to the seed: the day on which a policy is judged


@lru_cache(maxsize=16)
def day(seed: int, spiky: bool = False) -> Any:
    """Draw the requests of the lesson's day, or of its day of bursts."""
    curve = load.bursty(seed=seed) if spiky else load.daily_curve()
    return load.arrivals(curve, seed=seed)


def headroom(seed: int, spiky: bool = False) -> load.Run:
    """Serve a day by autoscaling, window of 5 minutes and a fifth of headroom: the best of the lesson."""
    policy = load.Hold(5, capacity=CAPACITY, target=0.8)
    return load.simulate(day(seed, spiky), 1 / CAPACITY, policy, cold_start_s=COLD_START_S)


@lru_cache(maxsize=16)
def held(seed: int, spiky: bool = False) -> load.Summary:
    """Tell what that headroom costs, and how long people wait."""
    return headroom(seed, spiky).summary()


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


def own_run(policy: object, arrive_s: Any, service_s: Any, *, cold_start_s: float) -> load.Run | str:
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


def judge_policy(answer: object, seed: int) -> Outcome:
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


@dataclass(frozen=True)
class _Spare:
    """Right: the most of the last five minutes, and room above it."""

    share: float

    def wanted(self, seen: load.Seen) -> int:
        recent = seen.calls_per_s[-5:]
        return math.ceil(max(float(recent.max()) if recent.size else 0.0, 1.0) / (CAPACITY * self.share))


class _Trend:
    """Right in another form: where the load will be when a new machine is there."""

    def wanted(self, seen: load.Seen) -> int:
        recent = seen.calls_per_s[-4:]
        if not recent.size:
            return 2
        ahead = float(recent.max()) + 1.5 * max(0.0, float(recent[-1] - recent[0]))
        return int(ahead / (CAPACITY * 0.9)) + 1


@dataclass(frozen=True)
class _Same:
    """Wrong: the same answer at every question, whatever it is."""

    machines: Any

    def wanted(self, seen: load.Seen) -> Any:
        return self.machines


class _Last:
    """Wrong in the first minute, when nothing has been seen."""

    def wanted(self, seen: load.Seen) -> int:
        return math.ceil(float(seen.calls_per_s[-1]) / CAPACITY)


def right_policies() -> Sequence[object]:
    """Give policies that keep both limits, in several forms."""
    return [_Spare(0.8), _Spare(0.78), _Trend()]


def wrong_policies() -> Sequence[tuple[object, str]]:
    """Give typical wrong policies, each with words that its feedback must hold."""
    return [
        (_Same(40), "the bill is above"),
        (_Same(6), "people wait above"),
        (_Spare(1.0), "people wait above"),
        (_Spare(0.5), "the bill is above"),
        (_Same(0), "keeps no machine"),
        (_Last(), "still empty"),
        (_Same(2.5), "at 0:00 it answered 2.5: round it up"),
        (_Same(float("nan")), "no number of machines"),
        (_Same(-3), "answer 0 or more"),
        (_Same(10**9), "more than 10,000"),
        (_Same("5"), "one whole number"),
        (_Same(True), "one whole number"),
        (_Same(None), "end with `return`"),
        (load.Hold(5, target=0.8), "`Hold` is built in"),
        (_Trend, "round brackets"),
        (12, "no method"),
    ]
