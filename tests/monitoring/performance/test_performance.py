"""Metric against expectation, late and selective labels, importance weighting, class shares, attribution.

Held against scipy, against sums over every possible outcome, and against the truth of worlds that we own.
"""

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from mlops_lab import monitoring, worlds
from mlops_lab.monitoring.performance import attribution, outcomes

FEATURES = list(worlds.FEATURES)


@pytest.fixture(scope="module")
def orchard():
    return worlds.Orchard(seed=0, noise=0)


@pytest.fixture(scope="module")
def model(orchard):
    archive = orchard.archive(2600)
    steps = (StandardScaler(), PolynomialFeatures(2, include_bias=False), LogisticRegression(max_iter=500))
    return make_pipeline(*steps).fit(archive.crates[FEATURES], archive.truth)


def _right(model, batch):
    return (model.predict(batch.crates[FEATURES]) == batch.truth).to_numpy()


# --- expectation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "rows"), [(0, 7), (7, 7), (3, 10), (412, 500)])
def test_the_exact_interval_is_that_of_scipy(right, rows):
    theirs = stats.binomtest(right, rows).proportion_ci(0.9, method="exact")
    assert outcomes.exact_interval(right, rows, 0.9) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("true", [0.03, 0.5, 0.83])
@pytest.mark.parametrize("rows", [8, 60])
def test_a_model_that_keeps_its_promise_is_accused_at_most_as_often_as_said(true, rows):
    """Sum over every possible count: no sampling."""
    counts = np.arange(rows + 1)
    chances = stats.binom.pmf(counts, rows, true)
    for confidence in (0.8, 0.95):
        verdicts = [
            monitoring.expectation(
                np.arange(rows) < count, promised=true, margin=0.0, confidence=confidence
            ).ok
            for count in counts
        ]
        accused = sum(chance for chance, ok in zip(chances, verdicts, strict=True) if ok is False)
        assert accused <= (1 - confidence) / 2 + 1e-12
        assert verdicts[0] is False or rows * true < 4


def test_the_difference_from_a_hold_out_is_newcombes_worked_example():
    """56 of 70 against 48 of 80, method 10 in table II of Newcombe (1998)."""
    gap = monitoring.expectation(np.arange(70) < 56, np.arange(80) < 48).gap
    assert gap == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_promise_from_a_hold_out_counts_its_own_uncertainty():
    now, holdout = np.arange(300) < 234, np.arange(100) < 88
    assert monitoring.expectation(now, 0.88).ok is False
    assert monitoring.expectation(now, holdout).ok is None
    rng = np.random.default_rng(3)
    drawn = Counter(zip(rng.binomial(120, 0.8, 1000), rng.binomial(80, 0.9, 1000), strict=True))
    covered = 0
    for (right, before), times in drawn.items():
        gap = monitoring.expectation(np.arange(120) < right, np.arange(80) < before).gap
        covered += times * (gap[0] <= -0.1 <= gap[1])
    assert covered / 1000 >= 0.925


@pytest.mark.parametrize("waiting", [0, 5, 200])
def test_what_is_possible_holds_whatever_the_missing_labels_say(waiting):
    found = monitoring.expectation([True] * 30 + [False] * 20, 0.7, waiting=waiting)
    for good in {0, waiting // 2, waiting}:
        whole = (30 + good) / (50 + waiting)
        assert found.possible[0] <= whole <= found.possible[1]
    assert len(found.findings) == (2 if waiting else 1)


def test_three_verdicts():
    assert monitoring.expectation([True] * 95 + [False] * 5, 0.85).ok is True
    assert monitoring.expectation([True] * 60 + [False] * 40, 0.85).ok is False
    assert monitoring.expectation([True] * 82 + [False] * 18, 0.85).ok is None
    assert monitoring.expectation([True], 0.85).ok is None
    assert monitoring.expectation([True] * 60 + [False] * 40, 0.85).plot().get_xlabel()


@pytest.mark.parametrize(
    ("right", "options", "error", "says"),
    [
        ([], {}, ValueError, "at least one"),
        ([[True]], {}, ValueError, "one outcome for each row"),
        ([True, None], {}, ValueError, "no outcome in 1 of 2"),
        ([0.5, 1], {}, ValueError, "0.5"),
        (["yes"], {}, TypeError, "True or False"),
        ([True], {"promised": 85}, ValueError, "share from 0 to 1"),
        ([True], {"confidence": 95}, ValueError, "between 0 and 1"),
        ([True], {"waiting": -1}, ValueError, "below 0"),
    ],
)
def test_bad_outcomes_are_refused_with_a_way_out(right, options, error, says):
    with pytest.raises(error, match=says):
        monitoring.expectation(right, **{"promised": 0.8, **options})


# --- late labels -------------------------------------------------------------------------------------------


def test_early_labels_of_another_kind_fool_the_newest_week_and_not_the_table_by_age():
    rng = np.random.default_rng(0)
    made = np.repeat(np.arange(8), 500)
    right = rng.random(made.size) < 0.85
    known = made + np.where(right, 1 + rng.integers(0, 4, made.size), rng.integers(0, 2, made.size))
    late = monitoring.late_labels(right, made=made, known=known, now=7, promised=0.8)
    assert late.weeks.loc[7, "right"] == 0  # only complaints have come
    assert late.weeks.loc[0, "right"] == pytest.approx(right[made == 0].mean())
    for age in range(3):
        column = late.by_age[age].dropna()
        assert column.max() - column.min() < 0.15
        assert column.size == 8 - age
    truth = pd.Series(right).groupby(made).mean()
    assert ((late.weeks["worst"] <= truth) & (truth <= late.weeks["best"])).all()
    assert late.findings[0].ok is True and late.findings[-1].ok is None and late.ok is None
    assert "labels are there" in late.headline() and late.plot().get_xlabel()


def test_a_week_whose_best_case_is_bad_is_bad_today():
    late = monitoring.late_labels(
        [0] * 60 + [1] * 40, made=[3] * 100, known=[3] * 60 + [math.inf] * 40, now=3, promised=0.5
    )
    assert late.ok is False


def test_labels_that_nobody_knows_yet_are_never_looked_at():
    with_future = monitoring.late_labels([1, 0, math.nan], made=[1, 1, 1], known=[1, 2, 5], now=2)
    assert with_future.weeks.loc[1].tolist() == [3, 2, 0.5, 1 / 3, 2 / 3]
    for bad, says in (
        ({"now": 0}, "no answer was given"),
        ({"known": [0, 2, 5]}, "cannot come before"),
        ({"made": [1, 1]}, "one for each"),
    ):
        with pytest.raises(ValueError, match=says):
            monitoring.late_labels([1, 0, 1], **{"made": [1, 1, 1], "known": [1, 2, 5], "now": 2, **bad})


# --- selective labels --------------------------------------------------------------------------------------


def test_weighting_undoes_a_choice_by_known_chances():
    covered, told, far = 0, 0, []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        x = rng.random(1500)
        right, chance = rng.random(1500) < 0.5 + 0.4 * x, 0.05 + 0.4 * x
        checked = rng.random(1500) < chance
        found = monitoring.selective_labels(right[checked], chance[checked])
        covered += found.interval[0] <= 0.7 <= found.interval[1]
        told += found.ok is False
        far.append((found.plain - 0.7, found.value - 0.7))
    plain, weighted = np.mean(far, axis=0)
    assert plain > 0.04 and abs(weighted) < 0.01
    assert covered / 150 >= 0.92 and told / 150 > 0.8


def test_a_fair_choice_is_seldom_called_unfair():
    told = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        right, chance = rng.random(800) < 0.7, rng.uniform(0.1, 0.9, 800)
        checked = rng.random(800) < chance
        found = monitoring.selective_labels(right[checked], chance[checked])
        told += found.ok is False
        assert found.gap[0] <= found.plain - found.value <= found.gap[1]
    assert told / 300 <= 0.09


def test_equal_chances_change_nothing():
    found = monitoring.selective_labels([1, 1, 0, 1] * 20, [0.2] * 80)
    assert found.value == found.plain == 0.75 and found.effective == pytest.approx(80)
    assert all(monitoring.selective_labels([1, 0, 1] * n, [0.3] * 3 * n).ok for n in range(11, 60))
    theirs = stats.binomtest(60, 80).proportion_ci(0.95, method="exact")
    assert found.interval == pytest.approx((theirs.low, theirs.high))


def test_a_few_rows_that_carry_all_the_weight_are_named():
    found = monitoring.selective_labels([1] * 50 + [0], [0.9] * 50 + [0.001])
    assert found.ok is None and found.effective < 3 and found.interval[1] - found.interval[0] > 0.5
    for chance in ([0.5, 0.0], [0.5, 1.1], [0.5, math.nan]):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            monitoring.selective_labels([1, 0], chance)
    with pytest.raises(ValueError, match="one for each"):
        monitoring.selective_labels([1, 0], [0.5])


@pytest.mark.parametrize("seed", range(3))
def test_checked_crates_hide_harm_in_the_orchard(seed, model):
    week = worlds.Orchard(seed=seed, noise=0).week(12, 6000)
    right = _right(model, week)
    checked = week.checked.to_numpy()
    assert right[checked].mean() - right.mean() > 0.05


# --- estimates without labels ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exam(orchard):
    return orchard.sample(3000, range(4), purpose="exam")


def _by_weights(model, exam, batch):
    return monitoring.importance_weighted(exam.crates[FEATURES], _right(model, exam), batch.crates[FEATURES])


def test_weights_are_right_when_only_the_mix_of_crates_moves(orchard, model, exam):
    intake = orchard.sample(8000, range(4), purpose="unripe")
    hard = intake.select((intake.crates["colour"] + intake.crates["sugar"]).abs() < 0.8)
    true = _right(model, hard).mean()
    assert _right(model, intake).mean() - true > 0.03
    estimate = _by_weights(model, exam, hard)
    assert abs(estimate.value - true) < 0.03 and estimate.ok is None


def test_weights_are_confidently_wrong_when_the_meaning_moves(orchard, model, exam):
    week = orchard.week(12, 3000)
    true = _right(model, week).mean()
    estimate = _by_weights(model, exam, week)
    assert estimate.value - true > 0.2 and true < estimate.interval[0]
    assert "mean" in estimate.blind_to and estimate.assumption in estimate.findings[0].explanation


def test_weights_are_the_ratio_of_densities_where_that_is_known():
    rng = np.random.default_rng(0)
    old, new = (pd.DataFrame({"x": rng.normal(m, 1, 20_000)}) for m in (0, 0.5))
    weights = monitoring.importance_weights(old, new)
    true = stats.norm.pdf(old["x"], 0.5) / stats.norm.pdf(old["x"], 0)
    assert np.corrcoef(weights, true)[0, 1] > 0.99 and weights.mean() == pytest.approx(1)
    assert abs(np.average(old["x"] ** 2, weights=weights) - 1.25) < 0.06


def test_text_columns_are_weighted_too_and_gaps_are_refused():
    old = pd.DataFrame({"x": np.arange(400.0) % 7, "kind": ["a", "a", "a", "b"] * 100})
    new = old.assign(kind=["a", "b", "b", "b"] * 100)
    weights = monitoring.importance_weights(old, new)
    assert weights[(old["kind"] == "b").to_numpy()].mean() == pytest.approx(3, rel=0.1)
    for bad, says in (
        (new.assign(x=math.nan), "missing or infinite"),
        (new.assign(x=math.inf), "missing or infinite"),
        (new.drop(columns="x"), "not in both"),
        (new.head(0), "both need some"),
    ):
        with pytest.raises(ValueError, match=says):
            monitoring.importance_weights(old, bad)


@pytest.mark.parametrize("bad", [[0.5, 0.5], [[0.5, 0.6]], [[1.2, -0.2]], [[1.0]], [[math.nan, 1]]])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match="probabilit"):
        monitoring.class_prior(bad, [0.5, 0.5])


# --- shares of classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_shares_are_found_where_the_truth_is_known(share):
    rng = np.random.default_rng(1)
    truth = rng.random(20_000) < share
    x = rng.normal(np.where(truth, 1, -1), 1)
    sure = 1 / (1 + np.exp(-2 * x - math.log(0.3 / 0.7)))  # what a model that learned 30 % would say
    found = monitoring.class_prior(np.c_[1 - sure, sure], [0.7, 0.3], classes=["no", "yes"])
    assert found.shares["yes"] == pytest.approx(truth.mean(), abs=0.015)
    assert abs((sure > 0.5).mean() - truth.mean()) > 0.025 or share == 0.1
    assert found.plot().get_ylabel()


def test_the_confusion_of_a_hold_out_gives_the_same_shares_and_the_exact_ones_without_noise(orchard, model):
    rot = orchard.with_(p_rare=0.15).sample(4000, range(4), purpose="rot")
    exam = orchard.sample(4000, range(4), purpose="exam")
    predicted = model.predict(rot.crates[FEATURES])
    found = monitoring.class_prior_by_confusion(exam.truth, model.predict(exam.crates[FEATURES]), predicted)
    true = (rot.truth == "spoiled").mean()
    assert abs(found.shares["spoiled"] - true) < abs((predicted == "spoiled").mean() - true) / 2
    with pytest.raises(ValueError, match="cannot tell all classes apart"):
        monitoring.class_prior_by_confusion(["a", "b"] * 5, ["a"] * 10, ["a"])
    with pytest.raises(ValueError, match="no class of the hold-out"):
        monitoring.class_prior_by_confusion(["a", "b"], ["a", "b"], ["c"])


def test_shares_that_do_not_fit_are_refused():
    for learned in ([0.5, 0.6], [1.0, 0.0], [0.3, 0.3, 0.4]):
        with pytest.raises(ValueError, match=r"above 0|one for each"):
            monitoring.class_prior([[0.5, 0.5]], learned)


# --- attribution -------------------------------------------------------------------------------------------


def _gaussian(seed, shift, rows=1500):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.normal(shift, 1, rows), "y": rng.normal(0, 1, rows)}), rng


@pytest.mark.parametrize("seed", range(3))
def test_parts_add_up_to_the_drop_and_go_where_the_change_is(seed):
    old, _ = _gaussian(seed, 0)
    new, rng = _gaussian(seed + 100, 1)
    mix = monitoring.attribute_drop(old, old["x"] < 1, new, new["x"] < 1)
    assert mix.parts().sum() == pytest.approx(mix.drop, abs=1e-12)
    assert mix.columns["x"] > 0.25 and abs(mix.columns["y"]) < 0.03 and abs(mix.meaning) < 0.06
    same, rng = _gaussian(seed + 200, 0)
    meaning = monitoring.attribute_drop(old, old["x"] < 1, same, (same["x"] < 1) & (rng.random(1500) < 0.7))
    assert meaning.parts().sum() == pytest.approx(meaning.drop, abs=1e-12)
    assert meaning.meaning == pytest.approx(meaning.drop, abs=0.03) and meaning.drop > 0.2
    assert meaning.plot().get_ylabel() and "new meaning" in meaning.headline()


def test_many_columns_are_tried_in_random_orders_and_come_near_all_orders(monkeypatch):
    rng = np.random.default_rng(0)
    old, new = (pd.DataFrame(rng.normal(0, 1, (80, 4)), columns=list("abcd")) for _ in range(2))
    new["a"] += 1
    exact = monitoring.attribute_drop(old, old["a"] < 1, new, new["a"] < 1)
    monkeypatch.setattr(attribution, "_EXACT_COLUMNS", 3)
    found = monitoring.attribute_drop(old, old["a"] < 1, new, new["a"] < 1, seed=1)
    assert found.parts().sum() == pytest.approx(found.drop, abs=1e-12)
    assert found.columns.idxmax() == "a" and found.meaning == exact.meaning
    assert 0 < abs(found.columns - exact.columns).max() < 0.03


def test_the_lamps_of_the_orchard_are_a_new_meaning_and_no_mix(orchard, model):
    exam, week = orchard.sample(900, range(4), purpose="exam"), orchard.week(12, 900)
    found = monitoring.attribute_drop(
        exam.crates[FEATURES], _right(model, exam), week.crates[FEATURES], _right(model, week)
    )
    assert found.drop > 0.2 and found.meaning > 0.8 * found.drop


def test_sides_that_share_no_rows_decide_nothing():
    old, new = pd.DataFrame({"x": np.arange(50.0)}), pd.DataFrame({"x": np.arange(50.0) + 1000})
    found = monitoring.attribute_drop(old, [True] * 50, new, [False] * 50)
    assert found.ok is None and found.parts().sum() == pytest.approx(1)
    weighted = monitoring.importance_weighted(old, [True] * 50, new)
    assert [each.ok for each in weighted.findings if each.code == "estimate.support"] == [None]
    with pytest.raises(ValueError, match="differ"):
        monitoring.attribute_drop(old, [True] * 50, new.rename(columns={"x": "z"}), [True] * 50)


# --- headlines: nothing is counted that was not compared ---------------------------------------------------


def test_a_headline_names_the_rows_that_are_not_in_its_figure():
    assert "not in it" not in monitoring.expectation([1] * 9 + [0], 0.9).headline()
    told = monitoring.expectation([1] * 9 + [0], 0.9, waiting=1200).headline()
    assert told.endswith("1,200 rows without a label are not in it.")
    few = monitoring.selective_labels([1, 1, 0, 1], [0.5, 0.5, 0.1, 0.5]).headline()
    assert few.endswith("rows carry that: too few to tell.")
    assert "too few" not in monitoring.selective_labels([1, 0] * 50, [0.5] * 100).headline()
    with pytest.raises(ValueError, match="made has no week in 1 of 2 rows"):
        monitoring.late_labels([1, 0], made=[1, math.nan], known=[1, 2], now=2)


def test_a_headline_does_not_speak_for_rows_without_a_counterpart():
    rng = np.random.default_rng(0)
    old, near, far = (pd.DataFrame({"x": rng.normal(shift, 1, 400)}) for shift in (0, 0.3, 12))
    assert "does not" not in monitoring.importance_weighted(old, old["x"] < 1, near).headline()
    assert "were not judged" in monitoring.importance_weighted(old, old["x"] < 1, far).headline()
    drop = monitoring.attribute_drop(old, old["x"] < 1, far, far["x"] < 1)
    assert "too few to split" in drop.headline() and "new meaning" not in drop.headline()
