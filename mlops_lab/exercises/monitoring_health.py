"""Lesson 09's exercises: clipping, room in float16, a bounded cache, batches, p99, a rule, missing data."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import numpy as np

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    called,
    choice,
    no_function,
    read_number,
    whole_number,
)

__all__ = ["EXERCISES"]


# --- 1: clipping -----------------------------------------------------------------------------------------


def clipped(gradient: Any, most: float) -> Any:
    """Shorten a gradient to a length, and leave a shorter one alone."""
    gradient = np.asarray(gradient, dtype=float)
    length = float(np.sqrt((gradient**2).sum()))
    return gradient * (most / length) if length > most else gradient


def _clip_trials(seed: int) -> list[Trial]:
    rng = np.random.default_rng([seed, 1])
    long, short = 50 * rng.normal(size=6), 0.01 * rng.normal(size=6)
    unit = long / np.sqrt((long**2).sum())
    given = {
        "the gradient (3, 4) and a most of 1": (np.array([3.0, 4.0]), 1.0),
        "a gradient that is too long": (long, 2.0),
        "a gradient that is short enough": (short, 2.0),
        "a gradient of length 2.2 and a most of 2": (2.2 * unit, 2.0),
        "a gradient of length 1.8 and a most of 2": (1.8 * unit, 2.0),
        "a gradient of length 0.8 and a most of 0.5": (0.8 * unit, 0.5),
        "a gradient of zeros": (np.zeros(3), 1.0),
    }
    return [
        Trial((gradient.copy(), most), clipped(gradient, most), about)
        for about, (gradient, most) in given.items()
    ]


def _clip_by(length: Any) -> Any:
    """Make a function that shortens by another length than the right one."""

    def clip(gradient: Any, most: float) -> Any:
        return gradient * (most / length(gradient)) if length(gradient) > most else gradient

    return clip


def _always(gradient: Any, most: float) -> Any:
    return gradient * most / np.sqrt((gradient**2).sum()) if gradient.any() else gradient


def _to_one(gradient: Any, most: float) -> Any:
    length = np.sqrt((gradient**2).sum())
    return gradient / length if length > most else gradient


def _above_one(gradient: Any, most: float) -> Any:
    return clipped(gradient, most) if (gradient**2).sum() > 1 else gradient


_CLIP_MISTAKES = (
    Mistake(
        lambda gradient, most: np.clip(gradient, -most, most),
        "it cuts each number by itself, and that turns the gradient into another direction.",
    ),
    Mistake(_always, "it makes a short gradient longer, too."),
    Mistake(
        _clip_by(lambda gradient: (gradient**2).sum()), "the length is the *root* of the sum of squares."
    ),
    Mistake(
        _clip_by(lambda gradient: abs(gradient).max()), "the largest number of a gradient is not its length."
    ),
    Mistake(_clip_by(lambda gradient: abs(gradient).sum()), "the sum of the numbers is not the length."),
    Mistake(
        _clip_by(lambda gradient: np.sqrt((gradient**2).mean())), "the length is from the *sum* of squares."
    ),
    Mistake(_to_one, "it is shortened to length 1, whatever `most` is."),
    Mistake(_above_one, "it compares the length with 1, whatever `most` is."),
)


# --- 3: a bounded cache ----------------------------------------------------------------------------------


def _judge_cache(answer: object, seed: int) -> Outcome:
    import random

    if not callable(answer):
        return no_function(answer)
    rng, most = random.Random(seed), 10
    cache: dict[int, str] = {}
    kept: OrderedDict[int, str] = OrderedDict()
    for number in range(200):
        key = rng.randrange(40)
        value = f"value {number}"
        stopped = called(answer, f"entry {number + 1}", cache, key, value, most)
        if isinstance(stopped, Outcome):
            return stopped
        if len(cache) > most:
            return not_yet(
                f"After {number + 1} entries the cache holds {len(cache)}, and {most} are allowed."
            )
        if number == 0 and not cache:
            return not_yet("After the first entry the dict is still empty: change the one that is given.")
        if cache.get(key) != value:
            return not_yet(f"After entry {number + 1} its own key does not hold its value.")
        renewed = key in kept
        kept[key] = value
        if not renewed and len(kept) > most:
            kept.popitem(last=False)
        if len(cache) < min(len(kept), most):
            return not_yet(f"After {number + 1} entries the cache holds only {len(cache)}: keep what fits.")
        kept = OrderedDict((known, cache[known]) for known in cache)
    for room in (most, 3, 1):
        fresh: dict[int, str] = {}
        for key in range(30, 0, -1):
            stopped = called(answer, f"a most of {room}", fresh, key, "x", room)
            if isinstance(stopped, Outcome):
                return stopped
        if len(fresh) != room:
            return not_yet(f"With a most of {room} the cache holds {len(fresh)} entries.")
        if sorted(fresh) != list(range(1, room + 1)):
            return not_yet(
                f"Thirty keys came, and it is not the latest {room} that are left: drop the oldest."
            )
    return right("Two hundred entries later it still holds ten, and the latest ones at that.")


# --- 6: an alert rule ------------------------------------------------------------------------------------

_WEEKS = 20
"""So many times 10,000 quiet minutes are played: one such week says too little of a rule."""


def _near_bad(bad: Any, n: int) -> Any:
    """Give the windows in which a rule over n windows can change: n windows after a bad one it is at rest."""
    places = np.arange(len(bad))
    last = np.maximum.accumulate(np.where(bad, places, -n - 1))
    return np.flatnonzero(places - last <= n)


def _judge_rule(answer: object, seed: int) -> Outcome:
    from mlops_lab.monitoring import AlertRule, Monitor

    if not isinstance(answer, AlertRule):
        return not_yet(f"Your answer is {a_kind(answer)}: an AlertRule is asked for.")
    if answer.metric != "p99_ms":
        return not_yet(f"Your rule watches {answer.metric!r}: the service logs 'p99_ms'.")
    if answer.above is None:
        return not_yet("Your rule fires below its limit: slow answers are those above.")
    if answer.above != 200:
        return not_yet(f"The limit of your rule is {answer.above:g} ms: 200 is asked for.")
    if answer.severity != "page":
        return not_yet(f"Your rule only makes a {answer.severity}: at night somebody must be woken.")
    slow = Monitor([answer])
    for window in range(40):
        slow.log(window, {"p99_ms": 250.0 if window >= 20 else 150.0})
    fired = [alert.step for alert in slow.alerts if alert.state == "firing" and alert.step >= 20]
    if not fired:
        return not_yet("All answers became slow, and your rule did not begin to fire.")
    if fired[0] > 24:
        return not_yet(f"Your rule fired {fired[0] - 19} minutes after the fault began: 5 are allowed.")
    quiet, bad = Monitor([answer]), np.random.default_rng([seed, 6]).random(10_000 * _WEEKS) < 0.03
    for window in _near_bad(bad, answer.n):
        quiet.log(int(window), {"p99_ms": 250.0 if bad[window] else 150.0})
    pages = sum(alert.state == "firing" for alert in quiet.alerts) / _WEEKS
    if pages > 20:
        return not_yet(f"Your rule woke somebody {pages:.0f} times in 10,000 quiet minutes: 20 are allowed.")
    told_in = fired[0] - 19
    return right(
        f"{pages:.1f} pages in 10,000 quiet minutes on average; a fault is told in its minute {told_in}."
    )


# --- 2, 4, 5 and 7: numbers and a choice -----------------------------------------------------------------


def _longest_batch() -> int:
    return max(n for n in range(1, 1000) if 5 * (n - 1) + 2 + 0.02 * n <= 200)


def _steps_left() -> int:
    return next(n for n in range(1, 100) if 250.0 * 4.0**n > 65504)


def _fewest_answers() -> int:
    return next(n for n in range(1, 10_000) if 0.99**n <= 0.025)


def _judge_answers(answer: object, seed: int) -> Outcome:
    value = read_number(answer)
    exact = math.log(0.025) / math.log(0.99)
    if isinstance(value, float) and abs(value - exact) < 0.5 and not value.is_integer():
        return not_yet(
            f"Your answer {value:.2f} lies between two whole numbers: which of them keeps to 2.5 %?"
        )
    judge = whole_number(
        lambda seed: _fewest_answers(),
        what="number of answers",
        mistakes=lambda seed: [
            Mistake(100, "is one slow answer on average. By chance there is none, in over a third of cases."),
            Mistake(299, "allows 5 % for this end alone; the other end needs its share: 2.5 % each."),
            Mistake(367, "is one too few."),
            Mistake(369, "is enough, and so is one fewer."),
        ],
        far="is not the fewest",
    )
    return judge(answer, seed)


_OPTIONS = {
    "missing": "leaves the alarm without an answer in every quiet hour: a week without errors looks unknown.",
    "ignore": "keeps the last state: after one error the alarm would stand for days, though none came since.",
    "breaching": "takes every quiet minute for an error, and wakes somebody all night.",
    "notBreaching": "is not it here.",
}

EXERCISES = (
    Exercise(
        id="monitoring_health.1",
        question="Write a function that shortens a gradient to a given length, a shorter one left alone.",
        judge=FunctionJudge(
            _clip_trials, _CLIP_MISTAKES, well="The direction stays, and the length has an end."
        ),
        hints=(
            "How long is the gradient (3, 4)?",
            "The length is the root of the sum of squares: `np.sqrt((gradient**2).sum())`.",
            "If the length exceeds `most`, return `gradient * most / length`, else the gradient as it is.",
        ),
    ),
    Exercise(
        id="monitoring_health.2",
        question="In how many steps is a loss of 250 infinite in float16, if the error doubles each time?",
        judge=whole_number(
            lambda seed: _steps_left(),
            what="number of steps",
            mistakes=lambda seed: [
                Mistake(9, "lets the *loss* double. The error doubles; the loss is its square."),
                Mistake(
                    8, "is too many: the loss begins at 250, and the error doubles; the loss is its square."
                ),
                Mistake(4, "is one too few: after four steps the loss is 64,000, which still fits."),
                Mistake(
                    16, "begins at a loss of 1 and lets it double: it is 250 already, and the error doubles."
                ),
                Mistake(6, "is too many: the loss has overflowed before."),
            ],
            far="is not the first step that overflows",
        ),
        hints=(
            "If an error doubles, what does its square do?",
            "The loss grows fourfold each step: 250, 1,000, 4,000 and so on. The largest float16 is 65,504.",
            "Find the smallest `n` with `250 * 4**n > 65504`.",
        ),
    ),
    Exercise(
        id="monitoring_health.3",
        question="Write a function that stores a value in a dict and drops the oldest of too many.",
        judge=_judge_cache,
        hints=(
            "When must something go: each time, or only when the dict is full?",
            "A dict hands out its keys in the order in which they came: the first one is the oldest.",
            "Store first. Then, `while len(cache) > most`, do `del cache[next(iter(cache))]`.",
        ),
    ),
    Exercise(
        id="monitoring_health.4",
        question="Which is the largest batch whose first crate has its grade within 200 ms?",
        judge=whole_number(
            lambda seed: _longest_batch(),
            what="batch size",
            mistakes=lambda seed: [
                Mistake(39, "fits, and so does one more: the first crate waits for n - 1 others, not for n."),
                Mistake(
                    41, "is too large by one: its first crate waits 200 ms before the model even starts."
                ),
                Mistake(9900, "only counts the time that the model takes: the batch must fill first."),
            ],
            far="is not the largest that keeps the limit",
        ),
        hints=(
            "How long does the *first* crate of a batch wait until the batch is full?",
            "It waits for n - 1 others: `5 * (n - 1)` ms. Then the model takes `2 + 0.02 * n` ms.",
            "Find the largest `n` with `5 * (n - 1) + 2 + 0.02 * n <= 200`.",
        ),
    ),
    Exercise(
        id="monitoring_health.5",
        question="From how many answers on does the interval of p99 have an upper end?",
        judge=_judge_answers,
        hints=(
            "How likely is it that *all* of n answers are faster than the true p99?",
            "It is `0.99**n`. If that may happen in 2.5 % of cases at most, how large must n be?",
            "Solve `0.99**n <= 0.025`: n is at least `log(0.025) / log(0.99)`. Round up.",
        ),
    ),
    Exercise(
        id="monitoring_health.6",
        question="Give a rule that is calm in quiet times and tells a fault within five minutes.",
        judge=_judge_rule,
        hints=(
            "What makes a rule calm: a larger k, or a larger n?",
            "Chance makes 3 of 100 windows bad, one here, one there. A fault makes them all bad.",
            "`k=3, n=5` needs three bad windows of five. Add `above=200.0` and the severity that wakes.",
        ),
    ),
    Exercise(
        id="monitoring_health.7",
        question="What should a missing point count as, for a metric that is sent only with an error?",
        judge=choice(
            lambda seed: "notBreaching",
            _OPTIONS,
            well="No error sent means no error: silence is good news here.",
        ),
        hints=(
            "What does silence mean for *this* metric?",
            "It is sent only when something fails. So minutes without a value are the good ones.",
            "Which of the four words takes a missing point for a good one?",
        ),
    ),
)
