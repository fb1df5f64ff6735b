"""Lesson 11's exercises and the answers that each is tried on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from exercise_answers import Answers, tried

from mlops_lab import load
from mlops_lab.exercises import varying_load as lesson


@dataclass(frozen=True)
class _Spare:
    """Right: the most of the last five minutes, and room above it."""

    share: float

    def wanted(self, seen: load.Seen) -> int:
        recent = seen.calls_per_s[-5:]
        return math.ceil(
            max(float(recent.max()) if recent.size else 0.0, 1.0) / (lesson.CAPACITY * self.share)
        )


class _Trend:
    """Right in another form: where the load will be when a new machine is there."""

    def wanted(self, seen: load.Seen) -> int:
        recent = seen.calls_per_s[-4:]
        if not recent.size:
            return 2
        ahead = float(recent.max()) + 1.5 * max(0.0, float(recent[-1] - recent[0]))
        return int(ahead / (lesson.CAPACITY * 0.9)) + 1


@dataclass(frozen=True)
class _Same:
    """Wrong: the same answer at every question, whatever it is."""

    machines: Any

    def wanted(self, seen: load.Seen) -> Any:
        return self.machines


class _Last:
    """Wrong in the first minute, when nothing has been seen."""

    def wanted(self, seen: load.Seen) -> int:
        return math.ceil(float(seen.calls_per_s[-1]) / lesson.CAPACITY)


def right_policies() -> Sequence[object]:
    """Give policies that keep both limits, in several forms."""
    return [_Spare(0.8), _Trend()]


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
        (lambda needed, window: lesson._rolled(needed, min(window, 5)), "200 minutes"),
        (lambda needed, window: None, "returned None"),
        (lambda needed: needed, "stopped"),
        (lesson._rolled(np.ones(3), 1), "without brackets"),
    ]


ANSWERS = {
    "varying_load.1": Answers(
        right=lambda seed: [3240.0, 3240, [3240.0]],
        wrong=lambda seed: [
            (2721.6, "a part of a machine"),
            (2592, "rounds down"),
            (20736, "fixed fleet"),
            (3888, "for 4 calls a second"),
            (25920, "fixed fleet"),
            (12312, "lecture's autoscaled"),
            (lesson._autoscaled_usd(), "not for a window"),
            (5, "a number of machines"),
        ],
        seeds=(0,),
    ),
    "varying_load.2": Answers(
        right=lambda seed: [lesson._rolled, _held_by_loop, _held_by_padding],
        wrong=lambda seed: _wrong_windows(seed),
        seeds=(0,),
    ),
    "varying_load.3": Answers(
        right=lambda seed: [lesson._fewest(seed), float(lesson._fewest(seed))],
        wrong=lambda seed: [
            (40, "infinity"),
            (41, "look at the wait"),
            (lesson._fewest(seed) - 1, "is too few"),
            (6, "is too few"),
            (-1, "is too few"),
            (lesson._fewest(seed) + 1, "not the fewest"),
            (200, "not the fewest"),
        ],
    ),
    "varying_load.4": Answers(
        right=lambda seed: [lesson._break_even(seed), round(lesson._break_even(seed), 3)],
        wrong=lambda seed: [
            (1 / lesson._break_even(seed), "the other way round"),
            (25_920 / lesson._work_usd(seed), "fixed fleet"),
            (lesson.held(seed).bill_usd / 3_888, "whole machines"),
            (lesson.held(seed).bill_usd - lesson._work_usd(seed), "difference in dollars"),
        ],
        seeds=(0,),
    ),
    "varying_load.5": Answers(
        right=lambda seed: [lesson.held(seed, True).late, round(lesson.held(seed, True).late, 4)],
        wrong=lambda seed: [
            (1 - lesson.held(seed, True).late, "at most one second"),
            (lesson.held(seed).late, "day of rushes"),
            (round(lesson.held(seed, True).late, 2), "rounded too far"),
            (lesson._waited(seed), "waited at all"),
            (lesson.held(seed, True).p95_wait_s, "is a time"),
            (100 * lesson.held(seed, True).late, "per cent"),
            (lesson.held(seed, True).late * lesson.day(seed, True).size, "is a count"),
        ],
        seeds=(0,),
    ),
    "varying_load.6": Answers(
        right=lambda seed: right_policies(), wrong=lambda seed: wrong_policies(), seeds=(0,), slow=True
    ),
}

test_answers = tried("varying_load", ANSWERS)
