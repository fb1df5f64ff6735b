"""Lesson 01's exercises and the answers that each is tried on."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from exercise_answers import Answers, tried

from mlops_lab.exercises import when_to_use_ml as lesson


def _p_value(real: float, shuffled: Sequence[float]) -> float:
    return (1 + sum(score >= real for score in shuffled)) / (1 + len(shuffled))


def _numpy_p_value(real: float, shuffled: Sequence[float]) -> object:
    return np.mean(np.append(np.asarray(shuffled), real) >= real)


def _p_value_wrong(seed: int) -> list[tuple[object, str]]:
    def without_the_real(real: float, shuffled: Sequence[float]) -> float:
        return float(sum(score >= real for score in shuffled) / len(shuffled))

    def strictly_above(real: float, shuffled: Sequence[float]) -> float:
        return (1 + sum(score > real for score in shuffled)) / (1 + len(shuffled))

    def other_side(real: float, shuffled: Sequence[float]) -> float:
        return (1 + sum(score <= real for score in shuffled)) / (1 + len(shuffled))

    def prints_only(real: float, shuffled: Sequence[float]) -> None:
        return None

    def by_size(real: float, shuffled: Sequence[float]) -> float:
        return _p_value(abs(real), [abs(score) for score in shuffled])

    def with_slack(real: float, shuffled: Sequence[float]) -> float:
        return _p_value(real - 0.02, shuffled)

    return [
        (lambda real, shuffled: round(_p_value(real, shuffled), 2), "returned 0.33"),
        (by_size, "below zero"),
        (with_slack, "close to the real one"),
        (without_the_real, "above all 99"),
        (strictly_above, "equals"),
        (other_side, "above all 99"),
        (prints_only, "returned None"),
        (0.01, "give the function itself"),
    ]


def _gate(limit: float, hot: str = "reject", cool: str = "accept") -> Callable[[float], str]:
    return lambda degrees: hot if degrees > limit else cool


def _by_numpy(degrees: float) -> object:
    return np.where(degrees > 8, "reject", "accept")


ANSWERS = {
    "when_to_use_ml.1": Answers(
        right=lambda seed: [_p_value, _numpy_p_value], wrong=_p_value_wrong, seeds=(0,)
    ),
    "when_to_use_ml.2": Answers(
        right=lambda seed: [_gate(8.0), _gate(7.9), _gate(8.2), _gate(8.0, "Reject", "Accept "), _by_numpy],
        wrong=lambda seed: [
            (_gate(8.0, "accept", "reject"), "truck at 12 °C"),
            (_gate(30.0), "truck at 12 °C"),
            (_gate(5.0), "truck at 7 °C"),
            (_gate(10.0), "truck at 9 °C"),
            (_gate(8.9), "truck at 8.4 °C"),
            (_gate(7.2), "truck at 7.6 °C"),
            (lambda degrees: "reject" if 8 < degrees < 15 else "accept", "truck at 35 °C"),
            (lambda degrees: "accept" if -25 <= degrees <= 8 else "reject", "truck at -60 °C"),
            ({12.0: "reject", 2.0: "accept", 9.0: "reject", 7.0: "accept"}.__getitem__, "stopped: KeyError"),
            (lambda degrees: pd.Series([degrees]).gt(8), "one word is asked for"),
            (lambda degrees: degrees > 8, "returned True: one word is asked for"),
            (8.0, "give the function itself"),
        ],
    ),
    "when_to_use_ml.3": Answers(
        right=lambda seed: [["zone", "size_class"], ("size_class", "zone"), {"zone", "size_class"}],
        wrong=lambda seed: [
            (["zone"], "zone alone"),
            ("size_class", "size_class alone"),
            (["zone", "vehicle"], "'vehicle'"),
            ([], "no column"),
            ("zone, size_class", "one text"),
            ([["zone", "size_class"]], "flat list"),
            (2, "give the columns' names"),
        ],
        seeds=(0,),
    ),
    "when_to_use_ml.4": Answers(
        right=lambda seed: [240, 240.0, [240]],
        wrong=lambda seed: [
            (120, "factor of 1.4"),
            (180, "give the total"),
            (3600, "60 squared"),
            (30, "half the rows"),
            (15, "a quarter of the rows"),
            (85, "a sixth only"),
            ("240", "without quotes"),
            (100, "does not halve"),
        ],
        seeds=(0,),
    ),
    "when_to_use_ml.5": Answers(
        right=lambda seed: ["load", " Load ", ("load",), np.array(["load"])],
        wrong=lambda seed: [
            ("heat", "moved less"),
            ("vibration", "mean and spread are nearly the same"),
            ("speed", "same middle"),
            ("pressure", "stayed where it was"),
            ("noise_level", "as loud in both"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
    "when_to_use_ml.6": Answers(
        right=lambda seed: [lesson._bearable(seed), 0.16, [lesson._bearable(seed)], 1.28 / 8],
        wrong=lambda seed: [
            (100 * lesson._bearable(seed), "percent"),
            (0.12, "to one year."),
            (0.1775, "and leaves out keeping"),
            (0.2175, "leaves out keeping."),
            (0.18, "leaves out building."),
            (0.1983, "paid every year"),
            (1.9 / 8.0, "leaves out building and keeping"),
            (0.2133, "loss alone"),
            (0.64, "gain alone"),
            (0.32, "gain from the loss"),
            (1 - lesson._bearable(seed), "*right* answers"),
            (0.1725, "costs to give"),
            (2.0, "no share"),
            (0.5, "is not it"),
        ],
        seeds=(0,),
    ),
    "when_to_use_ml.7": Answers(
        right=lambda seed: ["NO_SIGNAL", "no signal", ["No-Signal "]],
        wrong=lambda seed: [
            ("ML", "trusts the number"),
            ("RULE", "next patient"),
            ("LOOKUP", "new patients"),
            ("COLLECT", "as in case A"),
            ("SHIFT", "without the number"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
}

test_answers = tried("when_to_use_ml", ANSWERS)
