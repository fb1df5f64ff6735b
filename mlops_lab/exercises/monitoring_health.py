"""Lesson 09's exercises: clipping, room in float16, a bounded cache, batches, p99, a rule, missing data."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import numpy as np

from mlops_lab.exercises import Outcome, Rule, not_yet, right, told
from mlops_lab.exercises.clip_judges import CLIP_MISTAKES, clipped, judge_clipped
from mlops_lab.exercises.judging import Mistake, choice, read_number, whole_number

__all__ = ["RULES"]


def _cache(answer: object, seed: int) -> Outcome:
    import random

    if not callable(answer):
        kind = type(answer).__name__
        return not_yet(f"Your answer is a {kind}: give the function itself, without brackets.")
    rng, most = random.Random(seed), 10
    cache: dict[int, str] = {}
    kept: OrderedDict[int, str] = OrderedDict()
    for number in range(200):
        key = rng.randrange(40)
        value = f"value {number}"
        try:
            answer(cache, key, value, most)
        except Exception as error:  # noqa: BLE001  a student's function can fail in any way, and is told how
            return not_yet(f"For entry {number + 1} your function stopped: {told(error)}.")
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
            answer(fresh, key, "x", room)
        if len(fresh) != room:
            return not_yet(f"With a most of {room} the cache holds {len(fresh)} entries.")
        if sorted(fresh) != list(range(1, room + 1)):
            return not_yet(
                f"Thirty keys came, and it is not the latest {room} that are left: drop the oldest."
            )
    return right("Two hundred entries later it still holds ten, and the latest ones at that.")


def _remember(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    cache.pop(key, None)
    cache[key] = value
    while len(cache) > most:
        del cache[next(iter(cache))]


def _remember_before(cache: dict[Any, Any], key: Any, value: Any, most: int) -> dict[Any, Any]:
    if key not in cache and len(cache) >= most:
        cache.pop(next(iter(cache)))
    cache[key] = value
    return cache


def _grow(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    cache[key] = value


def _refuse(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) < most:
        cache[key] = value


def _forget_all(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) >= most:
        cache.clear()
    cache[key] = value


def _forget_newest(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if key not in cache and len(cache) >= most:
        cache.popitem()
    cache[key] = value


def _one_too_many(cache: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    if len(cache) > most:
        del cache[next(iter(cache))]
    cache[key] = value


_WEEKS = 20
"""So many times 10,000 quiet minutes are played: one such week says too little of a rule."""


def _rule(answer: object, seed: int) -> Outcome:
    from mlops_lab.monitoring import AlertRule, Monitor

    if not isinstance(answer, AlertRule):
        return not_yet(f"Your answer is a {type(answer).__name__}: an AlertRule is asked for.")
    if answer.metric != "p99_ms":
        return not_yet(f"Your rule watches {answer.metric!r}: the service logs 'p99_ms'.")
    if answer.above is None:
        return not_yet("Your rule fires below its limit: slow answers are those above.")
    if answer.above != 200:
        return not_yet(f"The limit of your rule is {answer.above:g} ms: 200 is asked for.")
    if answer.severity != "page":
        return not_yet(f"Your rule only makes a {answer.severity}: at night somebody must be woken.")
    rng = np.random.default_rng([seed, 6])
    quiet, slow = Monitor([answer]), Monitor([answer])
    for window, bad in enumerate(rng.random(10_000 * _WEEKS) < 0.03):
        quiet.log(window, {"p99_ms": 250.0 if bad else 150.0})
    pages = sum(alert.state == "firing" for alert in quiet.alerts) / _WEEKS
    if pages > 20:
        return not_yet(f"Your rule woke somebody {pages:.0f} times in 10,000 quiet minutes: 20 are allowed.")
    for window in range(40):
        slow.log(window, {"p99_ms": 250.0 if window >= 20 else 150.0})
    fired = [alert.step for alert in slow.alerts if alert.state == "firing" and alert.step >= 20]
    if not fired:
        return not_yet("All answers became slow, and your rule did not begin to fire.")
    if fired[0] > 24:
        return not_yet(f"Your rule fired {fired[0] - 19} minutes after the fault began: 5 are allowed.")
    told_in = fired[0] - 19
    return right(
        f"{pages:.1f} pages in 10,000 quiet minutes on average; a fault is told in its minute {told_in}."
    )


def _made_rule(**changed: Any) -> Any:
    from mlops_lab.monitoring import AlertRule

    given: dict[str, Any] = {"name": "slow_answers", "metric": "p99_ms", "above": 200.0, "k": 3, "n": 5}
    given |= {"severity": "page", "runbook": "Halve the batch size.", **changed}
    return AlertRule(**given)


def _longest_batch() -> int:
    return max(n for n in range(1, 1000) if 5 * (n - 1) + 2 + 0.02 * n <= 200)


def _steps_left() -> int:
    return next(n for n in range(1, 100) if 250.0 * 4.0**n > 65504)


def _fewest_answers() -> int:
    return next(n for n in range(1, 10_000) if 0.99**n <= 0.025)


def _answers(answer: object, seed: int) -> Outcome:
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

RULES = (
    Rule(
        id="monitoring_health.1",
        question="Write a function that shortens a gradient to a given length, a shorter one left alone.",
        judge=judge_clipped,
        hints=(
            "How long is the gradient (3, 4)?",
            "The length is the root of the sum of squares: `np.sqrt((gradient**2).sum())`.",
            "If the length exceeds `most`, return `gradient * most / length`, else the gradient as it is.",
        ),
        right=lambda seed: [clipped, lambda gradient, most: list(clipped(gradient, most))],
        wrong=lambda seed: [
            (lambda gradient, most: np.maximum(np.minimum(gradient, most), -most), "each number by itself"),
            *zip(
                (mistake for mistake, _ in CLIP_MISTAKES[1:]),
                (
                    "longer, too",
                    "*root*",
                    "largest number",
                    "sum of the numbers",
                    "*sum*",
                    "length 1,",
                    "with 1,",
                ),
                strict=True,
            ),
            (lambda gradient, most: -clipped(gradient, most), "the gradient (3, 4)"),
            (lambda gradient, most: None, "returned None"),
            (lambda gradient: gradient, "stopped"),
            (0.5, "without brackets"),
        ],
    ),
    Rule(
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
        right=lambda seed: [_steps_left(), float(_steps_left()), [_steps_left()]],
        wrong=lambda seed: [
            (9, "The error doubles"),
            (8, "the loss is its square"),
            (4, "one too few"),
            (16, "250 already"),
            (6, "has overflowed before"),
            (4.01, "no number of steps"),
            (100, "not the first step"),
        ],
    ),
    Rule(
        id="monitoring_health.3",
        question="Write a function that stores a value in a dict and drops the oldest of too many.",
        judge=_cache,
        hints=(
            "When must something go: each time, or only when the dict is full?",
            "A dict hands out its keys in the order in which they came: the first one is the oldest.",
            "Store first. Then, `while len(cache) > most`, do `del cache[next(iter(cache))]`.",
        ),
        right=lambda seed: [_remember, _remember_before],
        wrong=lambda seed: [
            (_grow, "10 are allowed"),
            (_refuse, "does not hold its value"),
            (_forget_all, "keep what fits"),
            (_forget_newest, "drop the oldest"),
            (_one_too_many, "10 are allowed"),
            (lambda cache, key, value, most: _remember(cache, key, value, 10), "With a most of 3"),
            (lambda cache, key, value, most: _remember(dict(cache), key, value, most), "still empty"),
            (lambda cache, key: None, "stopped"),
            ({}, "without brackets"),
        ],
    ),
    Rule(
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
        right=lambda seed: [_longest_batch(), float(_longest_batch())],
        wrong=lambda seed: [
            (39, "so does one more"),
            (41, "too large by one"),
            (9900, "must fill first"),
            (40.4, "no batch size"),
            (100, "not the largest"),
        ],
    ),
    Rule(
        id="monitoring_health.5",
        question="From how many answers on does the interval of p99 have an upper end?",
        judge=_answers,
        hints=(
            "How likely is it that *all* of n answers are faster than the true p99?",
            "It is `0.99**n`. If that may happen in 2.5 % of cases at most, how large must n be?",
            "Solve `0.99**n <= 0.025`: n is at least `log(0.025) / log(0.99)`. Round up.",
        ),
        right=lambda seed: [_fewest_answers(), float(_fewest_answers())],
        wrong=lambda seed: [
            (100, "one slow answer on average"),
            (299, "2.5 % each"),
            (367, "one too few"),
            (369, "so is one fewer"),
            (367.04, "367.04 lies between"),
            (68.97, "no number of answers"),
            (50, "not the fewest"),
        ],
    ),
    Rule(
        id="monitoring_health.6",
        question="Give a rule that is calm in quiet times and tells a fault within five minutes.",
        judge=_rule,
        hints=(
            "What makes a rule calm: a larger k, or a larger n?",
            "Chance makes 3 of 100 windows bad, one here, one there. A fault makes them all bad.",
            "`k=3, n=5` needs three bad windows of five. Add `above=200.0` and the severity that wakes.",
        ),
        right=lambda seed: [
            _made_rule(),
            _made_rule(k=3, n=4),
            _made_rule(k=2, n=3),
            _made_rule(k=5, n=5, above=200),
        ],
        wrong=lambda seed: [
            (_made_rule(k=1, n=1), "woke somebody"),
            (_made_rule(k=2, n=5), "woke somebody"),
            (_made_rule(k=2, n=4), "20 are allowed"),
            (_made_rule(k=8, n=10), "minutes after the fault"),
            (_made_rule(k=30, n=30), "did not begin to fire"),
            (_made_rule(above=180.0), "180 ms: 200 is asked for"),
            (_made_rule(severity="ticket"), "woken"),
            (_made_rule(metric="mean_ms"), "logs 'p99_ms'"),
            (_made_rule(above=None, below=200.0), "those above"),
            ((3, 5), "an AlertRule is asked for"),
        ],
    ),
    Rule(
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
        right=lambda seed: ["notBreaching", " notbreaching "],
        wrong=lambda seed: [
            ("missing", "looks unknown"),
            ("ignore", "stand for days"),
            ("breaching", "wakes somebody all night"),
            (["breaching"], "in quotes"),
        ],
    ),
)
