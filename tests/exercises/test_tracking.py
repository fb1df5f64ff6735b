"""The runs and answers of lesson 06 are true at every seed: what is planted is there, and nothing else."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exercise_answers import Answers, tried

from mlops_lab import exercises, tracking, worlds
from mlops_lab.exercises import tracking as lesson
from mlops_lab.report import MemorySink
from mlops_lab.tracking import training
from mlops_lab.tracking.training import train

SEED = 15
"""Of the first twenty, the seed at which the leap is the smallest."""


def whole_lines(text: str) -> list[dict[str, Any]]:
    """Read the rows of a log, and pass over each line that is torn."""
    rows = []
    for line in text.splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def state_by_end(rows: Sequence[Mapping[str, Any]], alive: bool) -> str:
    """Tell a run's state by its last row."""
    if rows[-1]["kind"] == "end":
        return str(rows[-1]["state"])
    return "running" if alive else "killed"


def state_by_search(rows: Sequence[Mapping[str, Any]], alive: bool) -> str:
    """Tell a run's state by whatever end is found among its rows."""
    ends = [row["state"] for row in rows if row["kind"] == "end"]
    return str((*ends, "running" if alive else "killed")[0])


def _until_the_break(text: str) -> list[dict[str, Any]]:
    whole, _, _ = text.rpartition("\n")
    return [json.loads(line) for line in whole.split("\n") if line]


def _sceptic(seed: int) -> dict[str, str]:
    """All verdicts of a sceptic who trusts nobody's data."""
    return dict.fromkeys(lesson._stranger_verdicts(seed), "other data")


def _other_run(seed: int) -> str:
    return next(f"run-{n:02d}" for n in range(1, 13) if f"run-{n:02d}" != lesson._planted(seed)[0])


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
    (lambda points: [value for _, _, value in points], "a list of 4 values: a dictionary is asked for"),
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


ANSWERS = {
    "tracking.1": Answers(
        right=lambda seed: [whole_lines, lambda text: tuple(whole_lines(text))],
        wrong=lambda seed: _wrong_texts,
    ),
    "tracking.2": Answers(
        right=lambda seed: [
            lesson._extreme(seed, "validation_loss"),
            float(lesson._extreme(seed, "validation_loss")),
            [lesson._extreme(seed, "validation_loss")],
        ],
        wrong=lambda seed: [
            (lesson._EPOCHS - 1, "the last step"),
            (lesson._extreme(seed, "validation_loss") + 1, "one step too late"),
            (float(lesson._large(seed)["validation_loss"].min()), "no number of a step"),
            (-1, "lowest validation loss"),
            (lesson._large(seed)["validation_loss"], "values"),
        ],
        seeds=(0,),
    ),
    "tracking.3": Answers(
        right=lambda seed: [
            lesson._planted(seed),
            list(lesson._planted(seed)),
            {"run": lesson._planted(seed)[0], "step": lesson._planted(seed)[1]},
            lesson._planted(seed)[::-1],
            (lesson._planted(seed)[0].upper(), float(lesson._planted(seed)[1])),
        ],
        wrong=lambda seed: [
            (lesson._planted(seed)[0], "not a pair"),
            ((_other_run(seed), lesson._planted(seed)[1]), "Another one does"),
            ((lesson._planted(seed)[0], lesson._planted(seed)[1] - 1), "the last one before"),
            ((lesson._planted(seed)[0], 39), "largest move is not"),
            ((lesson._planted(seed)[0], 1), "first six steps"),
            ((lesson._planted(seed)[0], 99), "no step 99"),
            ((lesson._planted(seed)[0], str(lesson._planted(seed)[1])), "is the text"),
            (("run-99", 3), "none of the twelve"),
            ((lesson._planted(seed)[0], None), "The step: "),
        ],
        seeds=(SEED,),
    ),
    "tracking.4": Answers(
        right=lambda seed: ["leak", " Leak"],
        wrong=lambda seed: [
            ("rate", "training loss"),
            ("early", "make a curve short"),
            ("luck", "at odds"),
            (["rate"], "training loss"),
            ({}, "in quotes"),
        ],
        seeds=(0,),
    ),
    "tracking.5": Answers(
        right=lambda seed: [state_by_end, state_by_search], wrong=lambda seed: _wrong_states
    ),
    "tracking.6": Answers(
        right=lambda seed: [
            lesson._stranger_verdicts(seed),
            {name.title(): verdict.upper() for name, verdict in lesson._stranger_verdicts(seed).items()},
        ],
        wrong=lambda seed: [
            (dict.fromkeys(lesson._stranger_verdicts(seed), "again"), "each finding"),
            (dict.fromkeys(lesson._stranger_verdicts(seed), "no seed"), "record.seed"),
            (_sceptic(seed), "fingerprints"),
            ({"mia": "again"}, "no verdict on"),
            (["again", "no seed", "other data"], "is a list"),
            (dict.fromkeys(lesson._stranger_verdicts(seed), "fine"), "is none of"),
        ],
    ),
    "tracking.7": Answers(
        right=lambda seed: [
            lambda points: {step: value for _, step, value in points},
            lambda points: dict(point[1:] for point in points),
        ],
        wrong=lambda seed: _wrong_points,
    ),
}

test_answers = tried("tracking", ANSWERS)


@pytest.fixture(scope="module", autouse=True)
def twelve(tmp_path_factory):
    """Train the twelve runs once, for the judge as well."""
    runs = training.twelve_runs(tmp_path_factory.mktemp("twelve"), seed=SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "twelve_runs", lambda folder, *, seed: {SEED: runs}[seed])
        yield SEED, runs


def _metrics(twelve, name):
    return next(record for record in twelve.records if record.name == name).metrics


def test_a_healthy_run_is_what_the_package_trains(twelve):
    seed, runs = twelve
    bad = training.planted(seed)
    record = next(record for record in runs.records if record.name != bad.run)
    sink = MemorySink()
    train(sink, seed=seed, **record.params)
    pd.testing.assert_frame_equal(record.metrics, sink.frame(), check_exact=True, check_index_type=False)


def test_the_bad_run_parts_from_its_record_at_the_planted_step_and_only_in_validation(twelve):
    seed, runs = twelve
    bad = training.planted(seed)
    record = next(record for record in runs.records if record.name == bad.run)
    sink = MemorySink()
    train(sink, seed=seed, **record.params)
    differs = (record.metrics.to_numpy() != sink.frame().to_numpy()).any(axis=1)
    assert differs.argmax() == bad.step and differs[bad.step :].all()
    assert record.metrics["loss"].tolist() == sink.frame()["loss"].tolist()
    assert "resumed" in record.texts["note"]


def test_from_the_leap_on_it_is_tested_on_crates_that_it_has_learned(twelve):
    seed, runs = twelve
    metrics = _metrics(runs, training.planted(seed).run)
    after = metrics.loc[training.planted(seed).step :]
    # The mean over all crates lies half-way between the halves; the half that was not learned is known.
    sink = MemorySink()
    train(sink, seed=seed, **next(r for r in runs.records if r.name == training.planted(seed).run).params)
    halves = sink.frame().loc[after.index, ["loss", "validation_loss"]].mean(axis=1)
    np.testing.assert_allclose(after["validation_loss"], halves, rtol=1e-12)


def test_the_eye_finds_the_bad_run_and_the_table_recommends_it(twelve):
    seed, runs = twelve
    bad = training.planted(seed)
    curves = pd.DataFrame({record.name: record.metrics["validation_loss"] for record in runs.records})
    moves = curves.diff().abs().loc[6:]
    assert (moves.max().idxmax(), moves.max(axis=1).idxmax()) == bad
    last = pd.Series({record.name: record.metrics["validation_accuracy"].iloc[-1] for record in runs.records})
    assert last.rank(ascending=False, method="min")[bad.run] <= 2
    assert runs.fresh_loss.idxmax() == bad.run


def test_the_loss_on_new_crates_is_that_of_the_trained_model(twelve):
    seed, runs = twelve
    record = runs.records[0]
    model = train(MemorySink(), seed=seed, **record.params)
    fresh = worlds.Orchard(seed).sample(3000, range(4), purpose="lesson 06, fresh crates")
    chances = pd.DataFrame(
        model.predict_proba(fresh.crates[worlds.FEATURES].to_numpy()), columns=sorted(worlds.GRADES)
    )
    given = [row[grade] for (_, row), grade in zip(chances.iterrows(), fresh.truth, strict=True)]
    assert runs.fresh_loss[record.name] == pytest.approx(-np.log(np.clip(given, 1e-15, 1)).mean())


def test_the_bad_run_moves_with_the_seed():
    planted = {training.planted(seed) for seed in range(20)}
    assert len({run for run, _ in planted}) > 6 and len({step for _, step in planted}) > 3
    assert all(10 < step < 35 for _, step in planted)
    orders = {tuple(training.faults(seed).values()) for seed in range(20)}
    assert len(orders) == 6, "each of the six orders comes up"


@pytest.mark.parametrize("seed", [0, 1])
def test_each_stranger_lacks_what_is_said_and_nothing_else(tmp_path, seed):
    for name, record in training.strangers(tmp_path, seed=seed).items():
        fault = training.faults(seed)[name]
        again = tracking.rerun(record)
        wrong = {finding.code for finding in again.findings if finding.ok is False}
        assert wrong == {"none": set(), "no seed": {"seed"}, "other data": {"data", "metrics"}}[fault], name
        assert (record.seed is None) == (fault == "no seed")
        assert again.ok is (fault == "none")


def test_a_record_does_not_tell_which_run_is_bad(twelve):
    seed, runs = twelve
    bad = training.planted(seed)
    starts = {
        record.name: json.loads(Path(record.folder, "run.jsonl").read_text("utf-8").splitlines()[0])
        for record in runs.records
    }
    assert len({frozenset(start) for start in starts.values()}) == 1
    assert set(starts[bad.run]["params"]) == {"orchard", "hidden", "rate", "epochs"}
    assert all(record.state == "finished" for record in runs.records)


def test_every_stop_but_the_best_is_refused():
    rule = exercises.find("tracking.2")
    right = [step for step in range(60) if rule.outcome(step, 0).state == "right"]
    assert len(right) == 1 and right[0] < 15
    sink = MemorySink()
    train(sink, seed=0, orchard=0, hidden=256, rate=0.01, epochs=60)
    assert sink.frame()["validation_loss"].idxmin() == right[0]


def test_of_all_names_and_steps_one_pair_is_right():
    rule = exercises.find("tracking.3")
    names = [f"run-{number:02d}" for number in range(1, 13)]
    right = [(n, s) for n in names for s in range(40) if rule.outcome((n, s), SEED).state == "right"]
    assert right == [training.planted(SEED)]
    run, step = training.planted(SEED)
    assert "last one before" in rule.outcome((run, step - 1), SEED).message
    assert "Another one does" in rule.outcome((next(n for n in names if n != run), step), SEED).message


def test_all_six_orders_of_verdicts_but_one_are_refused():
    rule = exercises.find("tracking.6")
    names = sorted(training.faults(0))
    verdicts = ("again", "no seed", "other data")
    every = [dict(zip(names, (a, b, c), strict=True)) for a in verdicts for b in verdicts for c in verdicts]
    assert sum(rule.outcome(answer, 0).state == "right" for answer in every) == 1
    extra = {**next(a for a in every if rule.outcome(a, 0).state == "right"), "zoe": "again"}
    assert rule.outcome(extra, 0).state == "right"
