"""Lesson 06's exercises: logs that survive, curves that are read, records that can be made again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab.exercises import Outcome, Rule, not_yet, right
from mlops_lab.exercises.judging import Mistake, choice, function, read_number, whole_number
from mlops_lab.exercises.record_cases import (
    points,
    same_curve,
    same_rows,
    state_by_end,
    state_by_search,
    states,
    texts,
    whole_lines,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RULES"]

_EPOCHS = 60
_VERDICTS = ("again", "no seed", "other data")


# --- what is true -----------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _large(seed: int) -> pd.DataFrame:
    """The curves of the large network of the lesson's second section."""
    from mlops_lab.report import MemorySink
    from mlops_lab.tracking.training import train

    sink = MemorySink()
    train(sink, seed=seed, orchard=seed, hidden=256, rate=0.01, epochs=_EPOCHS)
    return sink.frame()


def _extreme(seed: int, metric: str, *, lowest: bool = True) -> int:
    """Give the step at which the large network's metric is lowest, or highest."""
    column = _large(seed)[metric].to_numpy()
    return int(column.argmin() if lowest else column.argmax())


@lru_cache(maxsize=4)
def _twelve(seed: int) -> pd.DataFrame:
    """The validation losses of the twelve runs, one column for each."""
    import pandas as pd

    from mlops_lab.tracking import example_runs

    with tempfile.TemporaryDirectory() as folder:
        twelve = example_runs.twelve_runs(Path(folder), seed=seed)
    return pd.DataFrame({record.name: record.metrics["validation_loss"] for record in twelve.records})


def _planted(seed: int) -> tuple[str, int]:
    from mlops_lab.tracking import example_runs

    return example_runs.planted(seed)


def _stranger_verdicts(seed: int) -> dict[str, str]:
    from mlops_lab.tracking import example_runs

    return {name: "again" if fault == "none" else fault for name, fault in example_runs.faults(seed).items()}


# --- judges that only this lesson needs -------------------------------------------------------------------


def _until_the_break(text: str) -> list[dict[str, Any]]:
    whole, _, _ = text.rpartition("\n")
    return [json.loads(line) for line in whole.split("\n") if line]


def _bad_run(answer: object, seed: int) -> Outcome:
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    parts = list(answer.values()) if isinstance(answer, Mapping) else answer
    if not isinstance(parts, (list, tuple)) or len(parts) != 2:
        return not_yet("Your answer is not a pair: write the run's name and the step, as in ('run-99', 7).")
    curves = _twelve(seed)
    names = [part for part in parts if isinstance(part, str) and part.strip().casefold() in curves]
    if len(names) != 1:
        return not_yet(f"Your answer {answer!r} names none of the twelve runs: copy the name from the table.")
    step = read_number(next(part for part in parts if part is not names[0]))
    if isinstance(step, Outcome):
        return not_yet(f"The step: {step.message[:1].lower()}{step.message[1:]}")
    name, (run, true) = names[0].strip().casefold(), _planted(seed)
    if name != run:
        moved = curves[name].diff().abs().loc[6:]
        return not_yet(
            f"From step 6 on the curve of {name!r} never moves by more than {moved.max():.3f} at once. "
            "Another one does."
        )
    if step == true:
        return right("First by accuracy in the table, and its curve leaps at one single step.")
    if step == true - 1:
        return not_yet(f"{name!r} it is. Step {step:g} is the last one before the leap.")
    if step not in curves.index:
        return not_yet(f"{name!r} it is. But it has no step {step:g}: see `curves.index`.")
    if step < 6:
        return not_yet(f"{name!r} it is. But in the first six steps every run still moves: look further on.")
    return not_yet(
        f"{name!r} it is. But its largest move is not at step {step:g}: see `curves[name].diff()`."
    )


def _strangers(answer: object, seed: int) -> Outcome:
    truth = _stranger_verdicts(seed)
    if hasattr(answer, "to_dict"):
        answer = answer.to_dict()
    if not isinstance(answer, Mapping):
        return not_yet(
            f"Your answer is a {type(answer).__name__}: write a dictionary, a verdict for each name."
        )
    given = {str(name).strip().casefold(): verdict for name, verdict in answer.items()}
    missing = [name for name in truth if name not in given]
    if missing:
        return not_yet(f"Your answer has no verdict on {' and '.join(missing)}.")
    for name, expected in truth.items():
        verdict = given[name]
        if not isinstance(verdict, str) or verdict.strip().casefold() not in _VERDICTS:
            known = ", ".join(map(repr, _VERDICTS))
            return not_yet(f"Your verdict {verdict!r} on {name} is none of {known}.")
        said = verdict.strip().casefold()
        if said != expected:
            return not_yet(f"{name}: {said!r} is not what `rerun` finds. {_WRONG_VERDICT[said]}")
    return right()


_WRONG_VERDICT = {
    "again": "Is its whole report in order, each finding?",
    "no seed": "Look at `record.seed`.",
    "other data": "Compare the fingerprints: what does the finding 'data' say?",
}

_WHAT_HAPPENED = {
    "rate": "would show in the training loss too: does it leap at that step?",
    "early": "would make a curve short, not make it leap.",
    "luck": "is at odds with the new crates: there the run is no better than the others.",
    "leak": "is not it.",
}


def _sceptic(seed: int) -> dict[str, str]:
    """All verdicts of a sceptic who trusts nobody's data."""
    return dict.fromkeys(_stranger_verdicts(seed), "other data")


def _other_run(seed: int) -> str:
    return next(f"run-{n:02d}" for n in range(1, 13) if f"run-{n:02d}" != _planted(seed)[0])


Answer = Callable[..., Any]

_wrong_texts: list[tuple[Answer, str]] = [
    (
        lambda text: [json.loads(line) for line in text.splitlines()],
        "last line is torn your function stopped",
    ),
    (lambda text: [json.loads(line) for line in text.splitlines()[:-1]], "every line is whole"),
    (_until_the_break, "resumed after a torn line"),
    (lambda text: [json.loads(line) for line in text.splitlines() if line.endswith("}")], "last bracket"),
    (lambda text: [row for row in whole_lines(text) if "step" in row], "every line is whole"),
    (lambda text: whole_lines(text) or None, "returned None"),
    (lambda text: text.splitlines(), "is not right"),
    (lambda text: len(whole_lines(text)), "every line is whole your function returned 6"),
]

_wrong_points: list[tuple[Answer, str]] = [
    (lambda points: {wall: value for wall, _, value in points}, "each logged once"),
    (lambda points: {step: value for step, value, _ in points}, "each logged once"),
    (lambda points: {s: v for _, s, v in reversed(points)}, "went back to step 2"),
    (lambda points: [value for _, _, value in points], "is not right"),
    (lambda points: {step: points[step][3] for _, step, _ in points}, "your function stopped"),
    (lambda points: {s: v for _, s, v in points} or None, "without a point"),
    (lambda points: {s: v for _, s, v in points if v}, "reaches zero"),
    (lambda points: {s: min(v for _, t, v in points if t == s) for _, s, _ in points}, "was worse then"),
]

_wrong_states: list[tuple[Answer, str]] = [
    (lambda rows, alive: "running" if alive else "killed", "with the end 'finished' and no process"),
    (lambda rows, alive: rows[-1]["state"], "alive your function stopped"),
    (lambda rows, alive: rows[-1].get("state", "killed"), "whose process is alive"),
    (lambda rows, alive: rows[-1].get("state", "running"), "without an end and without a process"),
    (
        lambda rows, alive: "running" if alive else state_by_end(rows, alive),
        "a notebook that is still open",
    ),
    (
        lambda rows, alive: rows[-1]["state"] if len(rows) == 3 else state_by_end(rows[:1], alive),
        "without a step",
    ),
    (
        lambda rows, alive: rows[-1].get("state", "killed" if len(rows) < 2 or not alive else "running"),
        "alone, with",
    ),
]


RULES = (
    Rule(
        id="tracking.1",
        question="Write whole_lines(text): the rows of a log, without a line that was torn.",
        judge=function(texts, agree=same_rows),
        hints=(
            "What does `json.loads` do with half a line?",
            "`text.splitlines()` gives the lines. A torn one raises `json.JSONDecodeError`: catch it.",
            "Go through the lines, and append `json.loads(line)` to a list inside `try`; in "
            "`except json.JSONDecodeError` say `continue`. Return the list.",
        ),
        right=lambda seed: [whole_lines, lambda text: tuple(whole_lines(text))],
        wrong=lambda seed: _wrong_texts,
    ),
    Rule(
        id="tracking.2",
        question="At which step was the large network best, by its loss, on the crates that it had not seen?",
        judge=whole_number(
            lambda seed: _extreme(seed, "validation_loss"),
            mistakes=lambda seed: [
                Mistake(_EPOCHS - 1, "is the last step. Was the validation loss at its lowest there?"),
                Mistake(
                    _extreme(seed, "loss"),
                    "is best on the crates that it has learned from. Which column shows the others?",
                ),
                Mistake(
                    _extreme(seed, "validation_loss", lowest=False), "is its worst step: take the lowest."
                ),
                Mistake(
                    _extreme(seed, "validation_loss") + 1,
                    "is one step too late. Steps count from zero, and the index knows them.",
                ),
                Mistake(
                    _extreme(seed, "validation_accuracy", lowest=False),
                    "is best by accuracy. At which step is the loss lowest?",
                ),
            ],
            what="number of a step",
            far="is not the step with the lowest validation loss",
        ),
        hints=(
            "Which column is about crates that the network had not seen?",
            "A column of `large.metrics` knows where its lowest value stands: `idxmin`.",
            '`large.metrics["validation_loss"].idxmin()`',
        ),
        right=lambda seed: [
            _extreme(seed, "validation_loss"),
            float(_extreme(seed, "validation_loss")),
            [_extreme(seed, "validation_loss")],
        ],
        wrong=lambda seed: [
            (_EPOCHS - 1, "the last step"),
            (_extreme(seed, "validation_loss") + 1, "one step too late"),
            (float(_large(seed)["validation_loss"].min()), "no number of a step"),
            (-1, "lowest validation loss"),
            (_large(seed)["validation_loss"], "values"),
        ],
    ),
    Rule(
        id="tracking.3",
        question="Which run of the twelve is bad, and at which step did it become so?",
        judge=_bad_run,
        hints=(
            "Which curve does something that no learning does: a leap from one step to the next?",
            "`curves.diff()` says how far each run moved at each step. Leave out the first six steps.",
            "`curves.diff().abs().loc[6:].max()` gives the largest move of each run, `idxmax()` its step.",
        ),
        right=lambda seed: [
            _planted(seed),
            list(_planted(seed)),
            {"run": _planted(seed)[0], "step": _planted(seed)[1]},
            _planted(seed)[::-1],
            (_planted(seed)[0].upper(), float(_planted(seed)[1])),
        ],
        wrong=lambda seed: [
            (_planted(seed)[0], "not a pair"),
            ((_other_run(seed), _planted(seed)[1]), "Another one does"),
            ((_planted(seed)[0], _planted(seed)[1] - 1), "the last one before"),
            ((_planted(seed)[0], 39), "largest move is not"),
            ((_planted(seed)[0], 1), "first six steps"),
            ((_planted(seed)[0], 99), "no step 99"),
            ((_planted(seed)[0], str(_planted(seed)[1])), "is the text"),
            (("run-99", 3), "none of the twelve"),
            ((_planted(seed)[0], None), "The step: "),
        ],
    ),
    Rule(
        id="tracking.4",
        question="What happened to the bad run: 'rate', 'early', 'luck' or 'leak'?",
        judge=choice(lambda seed: "leak", _WHAT_HAPPENED, well="The note in its record says the same."),
        hints=(
            "At the leap, which of the two losses moves: that on learned crates, or that on the others?",
            "The network did not change at that step. So what did?",
            "A measurement that leaps while the network does not is a new measurement. On which crates is a "
            "network so good?",
        ),
        right=lambda seed: ["leak", " Leak"],
        wrong=lambda seed: [
            ("rate", "training loss"),
            ("early", "make a curve short"),
            ("luck", "at odds"),
            (["rate"], "in quotes"),
        ],
    ),
    Rule(
        id="tracking.5",
        question="Write state(rows, alive): finished, failed, running or killed.",
        judge=function(states),
        hints=(
            "Who writes the last line of a record, and who cannot?",
            "Look for a row whose kind is 'end'. Only where there is none does the process matter.",
            'If `rows[-1]["kind"] == "end"`, return `rows[-1]["state"]`; else return "running" if alive, and '
            '"killed" if not.',
        ),
        right=lambda seed: [state_by_end, state_by_search],
        wrong=lambda seed: _wrong_states,
    ),
    Rule(
        id="tracking.6",
        question="Which stranger's run can be made again, which has no seed, which had other data?",
        judge=_strangers,
        hints=(
            "What does `tracking.rerun(record)` say about each of the three?",
            "`rerun` returns a report: `.ok` is True where every value came out again; its findings say why.",
            'Call `tracking.rerun` for each. In order: "again". If the finding `seed` needs attention: '
            '"no seed". If the finding `data` does: "other data".',
        ),
        right=lambda seed: [
            _stranger_verdicts(seed),
            {name.title(): verdict.upper() for name, verdict in _stranger_verdicts(seed).items()},
        ],
        wrong=lambda seed: [
            (dict.fromkeys(_stranger_verdicts(seed), "again"), "each finding"),
            (dict.fromkeys(_stranger_verdicts(seed), "no seed"), "record.seed"),
            (_sceptic(seed), "fingerprints"),
            ({"mia": "again"}, "no verdict on"),
            (["again", "no seed", "other data"], "is a list"),
            (dict.fromkeys(_stranger_verdicts(seed), "fine"), "is none of"),
        ],
    ),
    Rule(
        id="tracking.7",
        question="Write by_step(points): TensorBoard's points as a dictionary from step to value.",
        judge=function(points, agree=same_curve),
        hints=(
            "Which of the three numbers of a point is the step?",
            "A later point of the same step replaces the earlier one, as a key of a dictionary does.",
            "`{step: value for wall_time, step, value in points}`",
        ),
        right=lambda seed: [
            lambda points: {step: value for _, step, value in points},
            lambda points: dict(point[1:] for point in points),
        ],
        wrong=lambda seed: _wrong_points,
    ),
)
