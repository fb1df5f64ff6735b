"""Lesson 01's exercises: a p-value, a rule, a table, what certainty costs, a moved column, money, a case."""

from __future__ import annotations

import numpy as np

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    choice,
    items,
    number,
    one_word,
    whole_number,
)

__all__ = ["EXERCISES"]


_P_VALUE_MISTAKES = (
    Mistake(
        lambda real, shuffled: sum(score >= real for score in shuffled) / len(shuffled),
        "the order that was really seen is one of the possible ones. Does it count?",
    ),
    Mistake(
        lambda real, shuffled: (1 + sum(score > real for score in shuffled)) / (1 + len(shuffled)),
        "what of a shuffled score that is exactly as high as the real one?",
    ),
    Mistake(
        lambda real, shuffled: (1 + sum(score <= real for score in shuffled)) / (1 + len(shuffled)),
        "that counts the shuffles that came out lower. Which ones speak for chance?",
    ),
)


def _p_value_trials(seed: int) -> list[Trial]:
    return [
        Trial((0.9, [0.5] * 99), 0.01, "a real score above all 99 shuffled ones"),
        Trial((0.5, [0.5, 0.4, 0.3, 0.6]), 0.6, "a real score that one shuffled score equals and one beats"),
        Trial((0.1, [0.2, 0.3, 0.4]), 1.0, "a real score below all shuffled ones"),
        Trial((0.50, [0.49, 0.51, 0.48, 0.3, 0.495]), 2 / 6, "shuffled scores close to the real one"),
        Trial((-0.1, [-0.3, 0.05, -0.2]), 0.5, "scores below zero, as a skill may be"),
        Trial((0.6, [0.7, 0.6] + [0.5] * 297), 0.01, "299 shuffles"),
        Trial((0.9, [0.5] * 999), 0.001, "999 shuffles, none of them as high as the real one"),
    ]


def _gate_trials(seed: int) -> list[Trial]:
    told = [12.0, 2.0, 9.0, 7.0, -20.0, 0.0, 8.4, 7.6, 35.0, -60.0, 18.0]
    drawn = np.random.default_rng([seed, 2]).uniform(-25.0, 35.0, 40).round(1)
    told += [float(degrees) for degrees in drawn if abs(degrees - 8.0) >= 0.4]
    words = [("reject" if degrees > 8.0 else "accept") for degrees in told]
    return [
        Trial((degrees,), word, f"a truck at {degrees:g} °C")
        for degrees, word in zip(told, words, strict=True)
    ]


def _read_columns(answer: object) -> frozenset[str] | Outcome:
    word = one_word(answer)
    if word is not None and ("," in word or " " in word.strip()):
        return not_yet(f"Your answer {word!r} is one text: give each name in its own quotes, in a list.")
    parts = [word] if word is not None else items(answer)
    if parts is None:
        return not_yet(f"Your answer is {a_kind(answer)}: give the columns' names in a list.")
    if any(not isinstance(part, str) for part in parts):
        return not_yet(
            "Your answer holds something that is no text: give the columns' names in one flat list."
        )
    return frozenset(str(part).strip() for part in parts)


def _judge_table(answer: object, seed: int) -> Outcome:
    columns = _read_columns(answer)
    if isinstance(columns, Outcome):
        return columns
    unknown = sorted(columns - {"zone", "size_class"})
    if unknown:
        return not_yet(f"Your answer names {unknown[0]!r}, which is no input of case C.")
    if not columns:
        return not_yet("Your answer names no column: then all parcels are of one kind.")
    if len(columns) < 2:
        (named,) = columns
        return not_yet(
            f"With {named} alone, parcels that are alike still go by several vehicles: count them."
        )
    return right("24 cells, and each holds one vehicle. The table is the answer.")


def _moved(seed: int) -> str:
    return "load"


def _balance(fixed: float) -> float:
    return (2.0 - 0.1 - fixed) / (2.0 + 6.0)


def _bearable(seed: int) -> float:
    return _balance((24_000 / 3 + 23_000) / 50_000)


def _break_even_mistakes(seed: int) -> list[Mistake]:
    return [
        Mistake(_balance((24_000 + 23_000) / 50_000), "charges the whole building to one year."),
        Mistake(_balance(24_000 / 50_000), "charges the whole building to one year, and leaves out keeping."),
        Mistake(_balance(24_000 / 3 / 50_000), "leaves out keeping."),
        Mistake(_balance(23_000 / 50_000), "leaves out building."),
        Mistake(
            _balance(47_000 / 3 / 50_000), "spreads keeping over three years, but it is paid every year."
        ),
        Mistake(_balance(0.0), "leaves out building and keeping."),
        Mistake(1.28 / 6.0, "divides by the loss alone; a wrong answer also loses its gain."),
        Mistake(1.28 / 2.0, "divides by the gain alone; a wrong answer also costs its loss."),
        Mistake(
            1.28 / 4.0, "takes the gain from the loss; a wrong answer loses the gain and costs the loss."
        ),
        Mistake(1 - _bearable(seed), "is the share of *right* answers it needs."),
        Mistake((2.0 - 0.62) / 8.0, "leaves out what each answer costs to give."),
    ]


CASE_H = {
    "LOOKUP": "means that a table answers new patients exactly: which one would?",
    "NO_SIGNAL": "does not fit.",
    "COLLECT": "means too few rows. There are as many here as in case A, where they showed a clear relation.",
    "SHIFT": "is about live inputs. Ask first what the archive teaches without the number.",
    "RULE": "trusts the number. Would the rule help the next patient, whose number is new?",
    "PARTIAL": "needs a part that can be answered. Which one is it?",
    "NOT_COST_EFFECTIVE": "needs costs, and none were given.",
    "ML": "trusts the number. Take `patient_id` out and score the model again.",
}

EXERCISES = (
    Exercise(
        id="when_to_use_ml.1",
        question="Write the p-value of a shuffle test as a function of the real and the shuffled scores.",
        judge=FunctionJudge(
            _p_value_trials,
            _P_VALUE_MISTAKES,
            well="The real order is one of the possible orders, so it counts too.",
        ),
        hints=(
            "If nothing is there, the real order is just one more order. How many orders were looked at?",
            "Count the shuffled scores at least as high as the real one, and the real one as well.",
            "The share is (1 + count) / (1 + len(shuffled)), where count uses >=.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.2",
        question="Write the rule of case D as a function of degrees that returns 'reject' or 'accept'.",
        judge=FunctionJudge(_gate_trials, well="One line, no training, and the driver can read it."),
        hints=(
            "From how many degrees on are most trucks turned away?",
            "The table of the contest names the best single question. Which answer is on which side?",
            "`return 'reject' if degrees > cut else 'accept'`, with the cut that the contest names.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.3",
        question="Which columns settle the vehicle of case C?",
        judge=_judge_table,
        hints=(
            "If you know only the zone of a parcel, how many vehicles are still possible?",
            "`parcels.groupby([...])['vehicle'].nunique()` counts the vehicles in each cell of a table.",
            "Every cell must hold exactly one vehicle. There are two inputs: try one, the other, and both.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.4",
        question="Trial E has 60 rows. How many rows would halve the interval of its skill?",
        judge=whole_number(
            lambda seed: 240,
            what="number of rows",
            mistakes=lambda seed: [
                Mistake(120, "is twice the rows: that narrows the interval by a factor of 1.4 only."),
                Mistake(180, "is three times the rows, or 180 *more* rows: give the total."),
                Mistake(3600, "is 60 squared: the square is right, but not of this number."),
                Mistake(30, "is half the rows: fewer rows make the interval wider."),
                Mistake(85, "is 60 times the root of two: the width would fall by a sixth only."),
                Mistake(15, "is a quarter of the rows: fewer rows make the interval wider."),
            ],
            far="does not halve it; the width goes with 1 / sqrt(rows)",
            well="Four times the rows for half the width: certainty gets dear quickly.",
        ),
        hints=(
            "An interval's width goes with 1 / sqrt(rows). What does that mean for twice the rows?",
            "You need sqrt(new rows / 60) to be 2.",
            "new rows / 60 = 2 * 2. Multiply out.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.5",
        question="Which column of case G moved most between the past and live?",
        judge=choice(
            _moved,
            {
                "heat": "moved less: its mean stayed, only its spread changed. Look at the means too.",
                "vibration": "did not move: its mean and spread are nearly the same in both.",
                "load": "is it.",
                "pressure": "stayed where it was: compare its mean in both tables.",
                "speed": "has nearly the same middle and edges in both tables.",
                "noise_level": "is as loud in both tables: compare its mean.",
            },
            well="The new plant carries far heavier loads. The old plant has hardly a row like them.",
        ),
        hints=(
            "Where would you look first if two crowds differ: at their middle, or at their edges?",
            "Compare `past.mean()` and `live.mean()`, column by column.",
            "`(live.mean() - past.mean()).abs().idxmax()` names the column.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.6",
        question="What share of wrong answers may the model give before it loses money?",
        judge=number(
            _bearable,
            within=0.001,
            mistakes=_break_even_mistakes,
            fraction=True,
            far="is not it: build a balance for one answer, then solve for the error",
            well="Above this share the year ends with a loss. More answers a year would move the limit up.",
        ),
        hints=(
            "What does one answer bring on average, if a share e of the answers is wrong?",
            "Gain (1 - e) * 2 - e * 6, less 0.10 for giving it, less its share of a year's fixed costs.",
            "Fixed costs of one year: 24,000 / 3 + 23,000, spread over 50,000 answers. Set the sum to 0.",
        ),
    ),
    Exercise(
        id="when_to_use_ml.7",
        question="What is the right decision for case H?",
        judge=choice(
            lambda seed: "NO_SIGNAL",
            CASE_H,
            well="The archive was filed class by class, then numbered. The number knew; nothing else did.",
        ),
        hints=(
            "Which column would the model lean on? Would a new patient's value of it mean anything?",
            "Take that column out, then run the shuffle test on what is left.",
            "`framing.relation(framing.prepare(patients.drop(columns='patient_id'), 'state')).p_value`",
        ),
    ),
)
