"""Policies of retraining: what they see, what they do, and what they cost in a world whose truth is known."""

import functools
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlops_lab import monitoring, worlds

FEATURES = list(worlds.FEATURES)


def _train(crates, labels):
    return make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky")).fit(crates, labels)


@functools.cache
def _archive(orchard):
    return orchard.archive(1000)


@functools.cache
def _week(orchard, week):
    return orchard.week(week, 300)


def _lost(grades, truth):
    return worlds.profit(truth, truth) - worlds.profit(grades, truth)


def _run(policy, orchard, weeks=range(4, 16), **options):
    archive = _archive(orchard)
    settings = {"train": _train, "loss": _lost, "features": FEATURES, "retrain_cost": 1000.0, **options}
    model = settings["train"](archive.crates[FEATURES], archive.truth)
    return monitoring.operate(policy, [_week(orchard, week) for week in weeks], model, **settings)


@pytest.fixture(scope="module")
def orchard():
    return worlds.Orchard(seed=0, noise=0, checked_share=0.2, checked_bias=0)


def test_costs_and_accuracy_are_those_of_the_truth(orchard):
    done = _run(monitoring.Never(), orchard, weeks=[4, 12])
    archive = orchard.archive(1000)
    model = _train(archive.crates[FEATURES], archive.truth)
    for row, week in zip(done.weeks.itertuples(), (4, 12), strict=True):
        batch = orchard.week(week, 300)
        grades = model.predict(batch.crates[FEATURES])
        assert row.accuracy == (grades == batch.truth).mean()
        assert row.cost == row.loss == _lost(grades, batch.truth)
    assert done.cost == done.weeks["loss"].sum() and done.trainings == 0


def test_the_calendar_is_kept_and_paid(orchard):
    done = _run(monitoring.Scheduled(4), orchard)
    assert done.weeks.index[done.weeks["action"] == "retrain"].tolist() == [4, 8, 12]
    assert done.cost == pytest.approx(done.weeks["loss"].sum() + 3000)


@pytest.mark.parametrize("seed", range(2))
def test_a_trigger_sleeps_while_all_is_well_and_pays_off_when_the_lamps_come(seed):
    orchard = worlds.Orchard(seed=seed, noise=0, checked_share=0.2, checked_bias=0)
    policy = monitoring.Triggered(promised=0.75, margin=0.03)
    assert _run(policy, orchard.with_(drift=0)).trainings == 0
    found = monitoring.compare_policies(
        {
            "never": _run(monitoring.Never(), orchard),
            "weekly": _run(monitoring.Scheduled(1), orchard),
            "triggered": _run(policy, orchard),
        }
    )
    assert found.index[0] == "triggered" and 1 <= found.loc["triggered", "trainings"] <= 4
    assert found.loc["weekly", "trainings"] == 12


def test_a_policy_sees_the_checked_crates_and_nothing_else(orchard):
    seen = []

    @dataclass(frozen=True)
    class Watching:
        def act(self, so_far):
            seen.append(so_far)
            return "retrain" if so_far.week == 2 else "keep"

    _run(Watching(), orchard, weeks=[4, 5, 6])
    assert [(each.week, each.since, len(each.right)) for each in seen] == [(1, 1, 1), (2, 2, 2), (3, 1, 3)]
    assert [week.size for week in seen[-1].right] == [
        int(orchard.week(week, 300).checked.sum()) for week in (4, 5, 6)
    ]


def test_it_is_trained_on_the_last_weeks_labels_and_never_on_the_truth():
    orchard = worlds.Orchard(seed=1, noise=1)
    got = []

    def train(crates, labels):
        got.append(labels)
        return _train(crates, labels)

    _run(monitoring.Scheduled(3), orchard, weeks=[4, 5, 6], train=train, window=2)
    last = [orchard.week(week, 300) for week in (5, 6)]
    assert got[-1].tolist() == [label for batch in last for label in batch.labels]
    assert got[-1].tolist() != [label for batch in last for label in batch.truth]


def test_an_update_goes_on_from_the_present_model(orchard):
    scale = StandardScaler().fit(orchard.archive(1000).crates[FEATURES])
    steps = []

    def train(crates, labels):
        return make_pipeline(scale, SGDClassifier(loss="log_loss", random_state=0)).fit(crates, labels)

    def update(model, crates, labels):
        steps.append(len(crates))
        model[-1].partial_fit(model[0].transform(crates), labels)
        return model

    done = _run(monitoring.Continual(), orchard, train=train, update=update, update_cost=7.0)
    assert steps == [300] * 12 and done.trainings == 0
    assert done.cost == pytest.approx(done.weeks["loss"].sum() + 12 * 7)
    assert (
        done.weeks["accuracy"].tail(4).mean()
        > _run(monitoring.Never(), orchard, train=train).weeks["accuracy"].tail(4).mean()
    )
    with pytest.raises(ValueError, match="update="):
        _run(monitoring.Continual(), orchard, weeks=[4])


def test_without_checked_crates_a_trigger_stays_blind(orchard):
    blind = orchard.with_(checked_share=0)
    assert _run(monitoring.Triggered(0.75), blind).trainings == 0
    assert monitoring.Triggered(0.9).act(monitoring.Observation(1, 1, (np.array([], dtype=bool),))) == "keep"


def test_what_makes_no_sense_is_refused(orchard):
    class Odd:
        def act(self, seen):
            return "pray"

    with pytest.raises(ValueError, match="'pray'"):
        _run(Odd(), orchard, weeks=[4])
    for weeks, options in (([], {}), ([4], {"window": 0})):
        with pytest.raises(ValueError, match="at least one"):
            _run(monitoring.Never(), orchard, weeks=weeks, **options)
    for every in (0, 1.5):
        with pytest.raises(ValueError, match="whole number of weeks"):
            monitoring.Scheduled(every)
