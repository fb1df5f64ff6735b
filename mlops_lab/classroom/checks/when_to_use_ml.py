"""Lesson 01's exercises: a p-value, a rule, a table, what certainty costs, a moved column, money, a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops_lab.classroom.checks import Outcome, Rule, not_yet, right
from mlops_lab.classroom.checks.judges import Case, Mistake, choice, function, number, whole_number

__all__ = ["RULES"]


def _p_value_cases(seed: int) -> list[Case]:
    return [
        Case((0.9, [0.5] * 99), 0.01, "a real score above all 99 shuffled ones"),
        Case((0.5, [0.5, 0.4, 0.3, 0.6]), 0.6, "a real score that one shuffled score equals and one beats"),
        Case((0.1, [0.2, 0.3, 0.4]), 1.0, "a real score below all shuffled ones"),
    ]


def _p_value(real: float, shuffled: Sequence[float]) -> float:
    return (1 + sum(score >= real for score in shuffled)) / (1 + len(shuffled))


def _numpy_p_value(real: float, shuffled: Sequence[float]) -> object:
    import numpy as np

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

    return [
        (without_the_real, "above all 99"),
        (strictly_above, "equals"),
        (other_side, "above all 99"),
        (prints_only, "returned None"),
        (0.01, "give the function itself"),
    ]


def _gate_cases(seed: int) -> list[Case]:
    told = {12.0: "reject", 2.0: "accept", 9.0: "reject", 7.0: "accept", -20.0: "accept"}
    return [Case((degrees,), answer, f"a truck at {degrees:g} °C") for degrees, answer in told.items()]


def _gate(limit: float, hot: str = "reject", cool: str = "accept") -> Callable[[float], str]:
    return lambda degrees: hot if degrees > limit else cool


def _read_columns(answer: object) -> frozenset[str] | Outcome:
    if isinstance(answer, str):
        return frozenset({answer})
    try:
        return frozenset(str(part) for part in answer)  # type: ignore[attr-defined]
    except TypeError:
        return not_yet(f"Your answer is a {type(answer).__name__}: give the columns' names in a list.")


def _judge_table(answer: object, seed: int) -> Outcome:
    columns = _read_columns(answer)
    if isinstance(columns, Outcome):
        return columns
    unknown = sorted(columns - {"zone", "size_class"})
    if unknown:
        return not_yet(f"Your answer names {unknown[0]!r}, which is no input of case C.")
    if len(columns) < 2:
        named = next(iter(columns), "no column")
        return not_yet(f"With {named} alone, parcels of one kind still go by several vehicles: count them.")
    return right("24 cells, and each holds one vehicle. The table is the answer.")


def _moved(seed: int) -> str:
    return "load"


def _part_cost(seed: int) -> float:
    fixed = (30_000 / 3 + 20_000) / 60_000
    return (2.0 - 0.1 - fixed) / (2.0 + 6.0)


def _break_even_mistakes(seed: int) -> list[Mistake]:
    return [
        Mistake((2.0 - 0.1 - (30_000 + 20_000) / 60_000) / 8.0, "charges the whole building to one year."),
        Mistake((2.0 - 0.1) / 8.0, "leaves out building and keeping."),
        Mistake((2.0 - 0.1 - 0.5) / 6.0, "divides by the loss alone; a wrong answer also loses its gain."),
        Mistake(1 - _part_cost(seed), "is the share of *right* answers it needs."),
        Mistake((2.0 - 0.5) / 8.0, "leaves out what each answer costs to give."),
    ]


CASE_H = {
    "LOOKUP": "means that a table answers new patients exactly: which one would?",
    "NO_SIGNAL": "does not fit.",
    "COLLECT": "means too few rows. 600 rows are enough to see any useful relation.",
    "SHIFT": "is about live inputs. Ask first what the archive teaches without the number.",
    "RULE": "trusts the number. Would the rule help the next patient, whose number is new?",
    "PARTIAL": "needs a part that can be answered. Which one is it?",
    "NOT_COST_EFFECTIVE": "needs costs, and none were given.",
    "ML": "trusts the number. Take `patient_id` out and score the model again.",
}

RULES = (
    Rule(
        id="when_to_use_ml.1",
        question="Write the p-value of a shuffle test as a function of the real and the shuffled scores.",
        judge=function(
            _p_value_cases, well="The real order is one of the possible orders, so it counts too."
        ),
        hints=(
            "If nothing is there, the real order is just one more order. How many orders were looked at?",
            "Count the shuffled scores at least as high as the real one, and the real one as well.",
            "The share is (1 + count) / (1 + len(shuffled)), where count uses >=.",
        ),
        right=lambda seed: [_p_value, _numpy_p_value],
        wrong=_p_value_wrong,
    ),
    Rule(
        id="when_to_use_ml.2",
        question="Write the rule of case D as a function of degrees that returns 'reject' or 'accept'.",
        judge=function(_gate_cases, well="One line, no training, and the driver can read it."),
        hints=(
            "From how many degrees on are most trucks turned away?",
            "The table of the contest names the best single question. Which answer is on which side?",
            "`return 'reject' if degrees > cut else 'accept'`, with the cut that the contest names.",
        ),
        right=lambda seed: [_gate(8.0), _gate(7.9), _gate(8.2)],
        wrong=lambda seed: [
            (_gate(8.0, "accept", "reject"), "truck at 12 °C"),
            (_gate(30.0), "truck at 12 °C"),
            (_gate(5.0), "truck at 7 °C"),
            (_gate(10.0), "truck at 9 °C"),
            (lambda degrees: degrees > 8, "returned true"),
            (8.0, "give the function itself"),
        ],
    ),
    Rule(
        id="when_to_use_ml.3",
        question="Which columns settle the vehicle of case C?",
        judge=_judge_table,
        hints=(
            "If you know only the zone of a parcel, how many vehicles are still possible?",
            "`parcels.groupby([...])['vehicle'].nunique()` counts the vehicles in each cell of a table.",
            "Every cell must hold exactly one vehicle. There are two inputs: try one, the other, and both.",
        ),
        right=lambda seed: [["zone", "size_class"], ("size_class", "zone"), {"zone", "size_class"}],
        wrong=lambda seed: [
            (["zone"], "zone alone"),
            ("size_class", "size_class alone"),
            (["zone", "vehicle"], "'vehicle'"),
            ([], "no column"),
            (2, "give the columns' names"),
        ],
    ),
    Rule(
        id="when_to_use_ml.4",
        question="Case E has 60 rows. How many rows would halve the interval of its skill?",
        judge=whole_number(
            lambda seed: 240,
            what="number of rows",
            mistakes=lambda seed: [
                Mistake(120, "is twice the rows: that narrows the interval by a factor of 1.4 only."),
                Mistake(180, "is three times the rows, or 180 *more* rows: give the total."),
                Mistake(3600, "is 60 squared: the square is right, but not of this number."),
                Mistake(30, "is half the rows: fewer rows make the interval wider."),
                Mistake(85, "is 60 times the root of two: it is the other way round."),
            ],
            far="does not halve it; the width goes with 1 / sqrt(rows)",
            well="Four times the rows for half the width: certainty gets dear quickly.",
        ),
        hints=(
            "An interval's width goes with 1 / sqrt(rows). What does that mean for twice the rows?",
            "You need sqrt(new rows / 60) to be 2.",
            "new rows / 60 = 2 * 2. Multiply out.",
        ),
        right=lambda seed: [240, 240.0, [240]],
        wrong=lambda seed: [
            (120, "factor of 1.4"),
            (180, "give the total"),
            (3600, "60 squared"),
            (30, "wider"),
            ("240", "without quotes"),
            (100, "does not halve"),
        ],
    ),
    Rule(
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
            },
            well="The new plant carries far heavier loads. The model never saw any.",
        ),
        hints=(
            "Where would you look first if two crowds differ: at their middle, or at their edges?",
            "Compare `past.mean()` and `live.mean()`, column by column.",
            "`(live.mean() - past.mean()).abs().idxmax()` names the column.",
        ),
        right=lambda seed: ["load", "Load", " load "],
        wrong=lambda seed: [
            ("heat", "moved less"),
            ("vibration", "mean and spread are nearly the same"),
            ("speed", "same middle"),
            ("pressure", "stayed where it was"),
        ],
    ),
    Rule(
        id="when_to_use_ml.6",
        question="What share of wrong answers may the model give before it loses money?",
        judge=number(
            _part_cost,
            within=0.002,
            mistakes=_break_even_mistakes,
            fraction=True,
            far="is not it: build a balance for one answer, then solve for the error",
            well="Above this share every further answer makes the loss larger.",
        ),
        hints=(
            "What does one answer bring on average, if a share e of the answers is wrong?",
            "Gain (1 - e) * 2 - e * 6, less 0.10 for giving it, less its share of a year's fixed costs.",
            "Fixed costs of one year: 30,000 / 3 + 20,000, spread over 60,000 answers. Set the sum to 0.",
        ),
        right=lambda seed: [_part_cost(seed), round(_part_cost(seed), 3), [_part_cost(seed)]],
        wrong=lambda seed: [
            (100 * _part_cost(seed), "percent"),
            ((2.0 - 0.1 - 50_000 / 60_000) / 8.0, "to one year"),
            (1.9 / 8.0, "leaves out building"),
            (1.4 / 6.0, "loss alone"),
            (1 - _part_cost(seed), "*right* answers"),
            (2.0, "no share"),
            (0.5, "is not it"),
        ],
    ),
    Rule(
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
        right=lambda seed: ["NO_SIGNAL", "no_signal", " NO_SIGNAL"],
        wrong=lambda seed: [
            ("ML", "trusts the number"),
            ("RULE", "next patient"),
            ("LOOKUP", "new patients"),
            ("COLLECT", "enough"),
            ("SHIFT", "without the number"),
            (["NO_SIGNAL"], "in quotes"),
        ],
    ),
)
