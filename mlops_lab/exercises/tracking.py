"""Lesson 06's exercises: logs that survive, curves that are read, records that can be made again."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab.exercises.exercise import Exercise, Outcome, not_yet, right
from mlops_lab.exercises.judging import (
    FunctionJudge,
    Mistake,
    Trial,
    a_kind,
    choice,
    read_number,
    whole_number,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXERCISES"]


# --- 1: lines that were torn -----------------------------------------------------------------------------


def _parsed(text: str, keep: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Read the rows of a log that are whole and wanted."""
    rows = []
    for line in text.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return [row for row in rows if keep(row)]


_LINE_MISTAKES = (
    Mistake(
        lambda text: [json.loads(line) for line in text.splitlines()[:-1]],
        "that drops the last line, also where it is whole.",
    ),
    Mistake(
        lambda text: _parsed(text, lambda row: "step" in row),
        "a row without a step is a row, too: drop torn lines alone.",
    ),
)


def _line_trials(seed: int) -> list[Trial]:
    """Give logs that are whole, torn at their end or in the middle, and empty."""
    rows: list[dict[str, Any]] = [{"kind": "start", "seed": seed}]
    rows += [{"step": step, "loss": 1 / (seed + step + 1)} for step in range(3)]
    rows += [{"step": 3, "loss": None}, {"step": 4, "values": {"loss": 0.5}}]
    lines = [json.dumps(row) + "\n" for row in rows]
    whole, inner = "".join(lines), json.dumps(rows[-1])[:-1]
    resumed = "".join([*lines[:2], '{"step": 1, "lo\n', *lines[2:]])
    return [
        Trial((whole,), rows, "a log of which every line is whole"),
        Trial((whole + '{"step": 5, "lo',), rows, "a log whose last line is torn"),
        Trial((whole + inner,), rows, "a log whose last line lacks only its last bracket"),
        Trial((resumed,), rows, "a log that was resumed after a torn line"),
        Trial(('{"st',), [], "a log that is nothing but the start of a line"),
        Trial(("",), [], "an empty log"),
    ]


# --- 2: the best step ------------------------------------------------------------------------------------

_EPOCHS = 60


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


# --- 3 and 4: the bad run --------------------------------------------------------------------------------

_RUNS = tuple(f"run-{number:02d}" for number in range(1, 13))


@lru_cache(maxsize=4)
def _twelve(seed: int) -> pd.DataFrame:
    """The validation losses of the twelve runs, one column for each."""
    import pandas as pd

    from mlops_lab.tracking import training

    with tempfile.TemporaryDirectory() as folder:
        twelve = training.twelve_runs(Path(folder), seed=seed)
    return pd.DataFrame({record.name: record.metrics["validation_loss"] for record in twelve.records})


def _planted(seed: int) -> tuple[str, int]:
    from mlops_lab.tracking import training

    return training.planted(seed)


def _judge_bad_run(answer: object, seed: int) -> Outcome:
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    parts = list(answer.values()) if isinstance(answer, Mapping) else answer
    if not isinstance(parts, (list, tuple)) or len(parts) != 2:
        return not_yet("Your answer is not a pair: write the run's name and the step, as in ('run-99', 7).")
    names = [part for part in parts if isinstance(part, str) and part.strip().casefold() in _RUNS]
    if len(names) != 1:
        return not_yet(f"Your answer {answer!r} names none of the twelve runs: copy the name from the table.")
    step = read_number(parts[1 - list(parts).index(names[0])])
    if isinstance(step, Outcome):
        return not_yet(f"The step: {step.message[:1].lower()}{step.message[1:]}")
    name, (run, true) = names[0].strip().casefold(), _planted(seed)
    if name != run:
        moved = _twelve(seed)[name].diff().abs().loc[6:]
        return not_yet(
            f"From step 6 on the curve of {name!r} never moves by more than {moved.max():.3f} at once. "
            "Another one does."
        )
    if step == true:
        return right("First by accuracy in the table, and its curve leaps at one single step.")
    if step == true - 1:
        return not_yet(f"{name!r} it is. Step {step:g} is the last one before the leap.")
    if step not in _twelve(seed).index:
        return not_yet(f"{name!r} it is. But it has no step {step:g}: see `curves.index`.")
    if step < 6:
        return not_yet(f"{name!r} it is. But in the first six steps every run still moves: look further on.")
    return not_yet(
        f"{name!r} it is. But its largest move is not at step {step:g}: see `curves[name].diff()`."
    )


_WHAT_HAPPENED = {
    "rate": "would show in the training loss too: does it leap at that step?",
    "early": "would make a curve short, not make it leap.",
    "luck": "is at odds with the new crates: there the run is no better than the others.",
    "leak": "is not it.",
}


# --- 5: how a run ended ----------------------------------------------------------------------------------

_STATE_MISTAKES = (
    Mistake(
        lambda rows, alive: "running" if alive else "killed",
        "does the record hold its end? Then that is the state.",
    ),
    Mistake(
        lambda rows, alive: "running" if alive else rows[-1].get("state", "killed"),
        "a run that has ended is over, also while its process lives on.",
    ),
    Mistake(
        lambda rows, alive: rows[-1].get("state", "killed"),
        "without an end it may still be running: what does `alive` say?",
    ),
    Mistake(
        lambda rows, alive: rows[-1].get("state", "running"),
        "without an end it may have been killed: what does `alive` say?",
    ),
)


def _state_trials(seed: int) -> list[Trial]:
    """Give records with and without an end, long and short, with and without a living process."""
    start, log = {"kind": "start", "seed": seed}, {"kind": "log", "step": 0, "values": {"loss": 0.5}}
    done, failed = {"kind": "end", "state": "finished"}, {"kind": "end", "state": "failed"}
    return [
        Trial(([start, log, done], False), "finished", "a record with the end 'finished' and no process"),
        Trial(([start, log, failed], False), "failed", "a record with the end 'failed' and no process"),
        Trial(([start, log], True), "running", "a record without an end whose process is alive"),
        Trial(([start, log], False), "killed", "a record without an end and without a process"),
        Trial(([start], False), "killed", "a record that holds its start alone, without a process"),
        Trial(([start], True), "running", "a record that holds its start alone, with a process"),
        Trial(([start, log, done], True), "finished", "a finished run in a notebook that is still open"),
        Trial(([start, log, failed], True), "failed", "a failed run in a notebook that is still open"),
        Trial(([start, log, log, log, log], False), "killed", "four steps without an end and a process"),
        Trial(([start, done], False), "finished", "a run that finished without a step"),
    ]


# --- 6: three strangers ----------------------------------------------------------------------------------

_VERDICTS = ("again", "no seed", "other data")


def _stranger_verdicts(seed: int) -> dict[str, str]:
    from mlops_lab.tracking import training

    return {name: "again" if fault == "none" else fault for name, fault in training.faults(seed).items()}


def _judge_strangers(answer: object, seed: int) -> Outcome:
    truth = _stranger_verdicts(seed)
    if hasattr(answer, "to_dict"):
        answer = answer.to_dict()
    if not isinstance(answer, Mapping):
        return not_yet(f"Your answer is {a_kind(answer)}: write a dictionary, a verdict for each name.")
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


# --- 7: a curve by its steps -----------------------------------------------------------------------------

_POINT_MISTAKES = (
    Mistake(
        lambda points: {wall: value for wall, _, value in points},
        "the keys are times. Which of the three numbers is the step?",
    ),
    Mistake(
        lambda points: {step: value for step, value, _ in points},
        "those are times and steps: a point is wall time, step, value.",
    ),
    Mistake(
        lambda points: {step: value for _, step, value in reversed(points)},
        "of two points of one step it keeps the earlier one.",
    ),
    Mistake(
        lambda points: {step: value for _, step, value in sorted(points, key=lambda point: -point[2])},
        "of two points of one step it keeps the lower one. The later one holds.",
    ),
    Mistake(
        lambda points: {step: value for _, step, value in points if value}, "a value of 0 is a value, too."
    ),
)


def _point_trials(seed: int) -> list[Trial]:
    """Give TensorBoard's points: each step once, some twice (lower or higher), a zero, none."""
    first = [[100.0 + step, step, 1.0 / (seed + step + 1)] for step in range(4)]
    lower = [[200.0 + step, step, 0.5 / (seed + step + 1)] for step in range(2, 12)]
    higher = [[300.0 + step, step, 2.0 / (seed + step + 1)] for step in range(1, 6)]
    simple = _by_step(first)
    return [
        Trial((first,), simple, "four steps, each logged once"),
        Trial((first + lower,), _by_step(first + lower), "a run that went back to step 2 once"),
        Trial((first + higher,), _by_step(first + higher), "a run that went back, and was worse then"),
        Trial(([*first, [104.0, 4, 0.0]],), simple | {4: 0.0}, "a curve that reaches zero"),
        Trial(([],), {}, "a curve without a point"),
    ]


def _by_step(found: Sequence[Sequence[float]]) -> dict[float, float]:
    return {step: value for _, step, value in found}


EXERCISES = (
    Exercise(
        id="tracking.1",
        question="Write whole_lines(text): the rows of a log, without a line that was torn.",
        judge=FunctionJudge(_line_trials, _LINE_MISTAKES),
        hints=(
            "What does `json.loads` do with half a line?",
            "`text.splitlines()` gives the lines. A torn one raises `json.JSONDecodeError`: catch it.",
            "Go through the lines, and append `json.loads(line)` to a list inside `try`; in "
            "`except json.JSONDecodeError` say `continue`. Return the list.",
        ),
    ),
    Exercise(
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
    ),
    Exercise(
        id="tracking.3",
        question="Which run of the twelve is bad, and at which step did it become so?",
        judge=_judge_bad_run,
        hints=(
            "Which curve does something that no learning does: a leap from one step to the next?",
            "`curves.diff()` says how far each run moved at each step. Leave out the first six steps.",
            "`curves.diff().abs().loc[6:].max()` gives the largest move of each run, `idxmax()` its step.",
        ),
    ),
    Exercise(
        id="tracking.4",
        question="What happened to the bad run: 'rate', 'early', 'luck' or 'leak'?",
        judge=choice(lambda seed: "leak", _WHAT_HAPPENED, well="The note in its record says the same."),
        hints=(
            "At the leap, which of the two losses moves: that on learned crates, or that on the others?",
            "The network did not change at that step. So what did?",
            "A measurement that leaps while the network does not is a new measurement. On which crates is a "
            "network so good?",
        ),
    ),
    Exercise(
        id="tracking.5",
        question="Write state(rows, alive): finished, failed, running or killed.",
        judge=FunctionJudge(_state_trials, _STATE_MISTAKES),
        hints=(
            "Who writes the last line of a record, and who cannot?",
            "Look for a row whose kind is 'end'. Only where there is none does the process matter.",
            'If `rows[-1]["kind"] == "end"`, return `rows[-1]["state"]`; else return "running" if alive, and '
            '"killed" if not.',
        ),
    ),
    Exercise(
        id="tracking.6",
        question="Which stranger's run can be made again, which has no seed, which had other data?",
        judge=_judge_strangers,
        hints=(
            "What does `tracking.rerun(record)` say about each of the three?",
            "`rerun` returns a report: `.ok` is True where every value came out again; its findings say why.",
            'Call `tracking.rerun` for each. In order: "again". If the finding `seed` needs attention: '
            '"no seed". If the finding `data` does: "other data".',
        ),
    ),
    Exercise(
        id="tracking.7",
        question="Write by_step(points): TensorBoard's points as a dictionary from step to value.",
        judge=FunctionJudge(_point_trials, _POINT_MISTAKES),
        hints=(
            "Which of the three numbers of a point is the step?",
            "A later point of the same step replaces the earlier one, as a key of a dictionary does.",
            "`{step: value for wall_time, step, value in points}`",
        ),
    ),
)
