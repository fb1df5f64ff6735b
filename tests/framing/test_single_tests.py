"""Each single test against an independent answer: scikit-learn, arithmetic by hand, and known truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import cross_val_score

from mlops_lab import framing
from mlops_lab.framing.contest import decide, rivals
from mlops_lab.framing.costs import group_that_pays, net_value, part_that_pays
from mlops_lab.framing.lookup_tables import UsualAnswers, find_lookup
from mlops_lab.framing.paper_rivals import Formula, PointsCard, Tree
from mlops_lab.framing.permutation_test import Relation
from mlops_lab.framing.skill import Answers, redraws


def problem_of(name: str, seed: int = 0) -> framing.Problem:
    case = framing.case(name, seed=seed)
    options = {key: value for key, value in case.options.items() if key != "costs"}
    return framing.prepare(case.data, case.target, **options)


def test_skill_is_scikit_learns():
    rng = np.random.default_rng(0)
    actual, said = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    assert framing.skill(actual, said) == pytest.approx(balanced_accuracy_score(actual, said, adjusted=True))
    numbers, near = rng.normal(size=200), rng.normal(size=200)
    assert framing.skill(numbers, near, numbers=True) == pytest.approx(r2_score(numbers, near))
    with pytest.raises(ValueError, match="equal length"):
        framing.skill([1], [1, 2])


def test_redrawn_skills_equal_skill_of_the_redrawn_rows():
    rng = np.random.default_rng(0)
    actual, said = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    weights = redraws(60, 0, 5)
    fast = Answers(actual, (actual == said).astype(float), 3).skills(weights)
    numbers, near = rng.normal(size=60), rng.normal(size=60)
    fast_numbers = Answers(numbers, (numbers - near) ** 2, 0).skills(weights)
    for draw in range(5):
        rows = np.repeat(np.arange(60), weights[draw].astype(int))
        assert fast[draw] == pytest.approx(framing.skill(actual[rows], said[rows]))
        assert fast_numbers[draw] == pytest.approx(framing.skill(numbers[rows], near[rows], numbers=True))


def test_dividing_by_the_prior_is_the_even_weight_decision():
    chances = np.random.default_rng(0).dirichlet([8, 1, 1], 500)
    prior = np.array([0.8, 0.1, 0.1])
    even = chances / prior
    assert (decide(chances, prior) == even.argmax(1)).all()
    assert (decide(chances) == chances.argmax(1)).all()


def test_shuffle_test_is_exact_where_there_is_nothing():
    values = np.random.default_rng(0).normal(size=(60, 4))
    score = Relation(values, 2)
    found = [
        framing.shuffle_test(
            score, np.random.default_rng(s).integers(0, 2, 60), permutations=39, seed=s
        ).p_value
        for s in range(200)
    ]
    assert np.mean(np.array(found) <= 0.1) < 0.18
    assert 0.4 < np.mean(found) < 0.6


def test_left_one_out_errors_equal_refitting_without_the_row():
    from sklearn.kernel_ridge import KernelRidge

    from mlops_lab.framing.permutation_test import _left_out, _penalty

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    kernel = x @ x.T
    heights = np.maximum(np.linalg.eigh(kernel)[0], 0)
    alpha = _penalty(heights, 1.5)
    share = heights / (heights + alpha)
    assert share.sum() == pytest.approx(1.5, abs=1e-3)
    direct = []
    for row in range(30):
        rest = np.arange(30) != row
        model = KernelRidge(alpha=alpha, kernel="precomputed").fit(kernel[np.ix_(rest, rest)], y[rest])
        direct.append(y[row] - model.predict(kernel[[row]][:, rest])[0])
    vectors = np.linalg.eigh(kernel)[1]
    smoother = (vectors * share) @ vectors.T
    assert np.allclose((y - smoother @ y) / (1 - np.diag(smoother)), direct, atol=1e-8)
    assert _left_out(kernel).shape == (90, 30)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.parametrize(
    ("name", "related"),
    [
        ("noise", False),
        pytest.param("noise_wide", False, marks=pytest.mark.slow),
        ("complex", True),
        ("ratio", True),
    ],
)
def test_relation_finds_what_is_there(name, related, seed):
    assert (framing.relation(problem_of(name, seed)).p_value <= 0.01) == related


def test_rivals_find_the_rule_that_made_the_data():
    everything = np.arange(900)
    assert "x2 <= 0.3" in Tree("one rule", 2).fit(problem_of("one_rule"), everything).words(
        problem_of("one_rule")
    )
    questions = Tree("four-leaf tree", 4).fit(problem_of("three_questions"), everything)
    assert questions.root[0] == 0 and abs(questions.root[1] - 0.2) < 0.2
    ratio = Formula().fit(problem_of("ratio"), everything)
    assert ratio.ratio and {ratio.upper, ratio.lower} == {1, 4}
    product = Formula().fit(problem_of("product_number"), everything)
    assert not product.ratio and {product.upper, product.lower} == {0, 2}
    assert product.line[1] == pytest.approx(3, abs=0.2)
    usual = problem_of("usual_table")
    chosen = UsualAnswers().fit(usual, everything).group
    assert {usual.code_names[column] for column in chosen} == {"sort", "week"}


def test_points_card_recovers_whole_points_for_flags():
    rng = np.random.default_rng(0)
    flags = rng.random((900, 6)) < 0.4
    score = flags @ np.array([3, 2, 2, 1, 1, 0])
    data = pd.DataFrame(flags, columns=list("abcdef")).assign(y=score >= 4)
    problem = framing.prepare(data, "y")
    card = PointsCard().fit(problem, np.arange(900))
    assert (card.chances(problem, np.arange(900)).argmax(1) == problem.answers).mean() > 0.97
    assert len(card.features) <= 5 and np.abs(card.points).max() <= 5
    assert (card.points == np.round(card.points)).all() and "for a" in card.words(problem)


def test_lookup_needs_exactness_and_coverage():
    assert find_lookup(problem_of("price_list")).columns == ("item", "size", "grade")
    assert find_lookup(problem_of("usual_table")).columns == ()
    assert find_lookup(problem_of("noise_ids")).columns == ()


def test_ties_go_to_the_rule_and_a_clear_gain_to_the_model():
    tie, gain = framing.contest(problem_of("points")), framing.contest(problem_of("complex"))
    assert tie.answer == "rule" and abs(tie.gain) < 0.06
    assert [rival.name for rival in rivals(problem_of("points"))] == [
        "one answer",
        "one rule",
        "four-leaf tree",
        "points card",
        "formula",
    ]
    assert gain.answer == "model" and gain.low > 0 and gain.low < gain.gain < gain.high
    frame = gain.frame()
    assert frame["skill"].is_monotonic_decreasing and set(frame["kind"]) == {"paper", "model"}
    assert gain.gain == pytest.approx(gain.best_model.answers.skill() - gain.best_paper.answers.skill())


def test_learning_curve_rises_where_there_is_much_to_learn():
    curve = framing.learning_curve(problem_of("complex"), model="boosted trees")
    assert curve.skill[-1] > curve.skill[0] and curve.gain_at_4x > 0
    flat = framing.learning_curve(problem_of("noise"))
    assert flat.gain_at_4x < 0.1
    with pytest.raises(ValueError, match="choose one of linear, trees"):
        framing.learning_curve(problem_of("complex"), model="deep")


def test_extrapolation_recovers_a_power_law():
    from mlops_lab.framing.learning_curve import extrapolate

    rows = np.array([100.0, 200, 400, 800])
    rise = extrapolate(rows, 0.8 - 3 * rows**-0.6, now=1000, later=4000)
    assert rise == pytest.approx(3 * (1000**-0.6 - 4000**-0.6), rel=0.02)
    assert extrapolate(rows, np.array([0.5, 0.4, 0.3, 0.2]), now=1000, later=4000) == 0


def test_telling_apart_same_and_moved():
    rng = np.random.default_rng(1)
    past, same = (pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc")) for _ in range(2))
    assert framing.tell_apart(past, same).low < 0.55
    assert framing.tell_apart(past, same.assign(a=same["a"] + 2)).low > 0.8
    dated = (
        past.assign(day=pd.date_range("2025-01-01", periods=300)),
        same.assign(day=pd.date_range("2026-01-01", periods=300)),
    )
    assert framing.tell_apart(*dated).low < 0.6
    with pytest.raises(ValueError, match="at least 40"):
        framing.tell_apart(past.head(10), same)


def test_ageing_sees_a_new_pattern_and_that_it_can_be_learned():
    moved, calm = framing.over_time(problem_of("concept_drift")), framing.over_time(problem_of("stable_time"))
    assert moved.low > 0.2 and calm.low < 0.05
    with pytest.raises(ValueError, match="without time"):
        framing.over_time(problem_of("complex"))


def test_break_even_by_hand():
    costs = framing.Costs(2, 6, 0.5, 30_000, 10_000, volume=40_000, years=3)
    assert framing.break_even_error(costs) == pytest.approx((2 - 0.5 - 20_000 / 40_000) / 8)
    right = np.repeat([1.0, 0.0], [875, 125])
    assert net_value(right, costs).value == pytest.approx(0, abs=1e-6)


def test_the_part_that_pays_and_none_where_nothing_does():
    rng = np.random.default_rng(0)
    sure = rng.random(2000)
    right = (rng.random(2000) < sure).astype(float)
    costs = framing.Costs(1, 4, 0, 0, 0, volume=1000, years=1)
    part = part_that_pays(right, sure, costs)
    best = 1000 * ((5 * sure - 4)[sure > 0.8]).sum() / 2000
    assert part.share == pytest.approx(0.2, abs=0.08) and part.value == pytest.approx(best, rel=0.35)
    none = part_that_pays(np.zeros(200), rng.random(200), costs)
    assert none.share == 0 and none.value == 0


def test_the_group_that_pays_is_the_one_with_the_pattern_and_its_money_is_counted_right():
    case = framing.case("one_group_pays", seed=3)
    problem, costs = framing.prepare(case.data, case.target), case.options["costs"]
    group = group_that_pays(problem, costs)
    assert group.words == "shed = hill" and group.beats_paper and group.low > 0
    assert group.share == pytest.approx((case.data["shed"] == "hill").mean())
    # the money, back to a share of right answers: what a model of the hill alone reaches there, unseen
    answers = costs.years * costs.volume * group.share
    each = (group.value + costs.build + costs.keep * costs.years) / answers + costs.run
    right = (each + costs.cost_wrong) / (costs.value_correct + costs.cost_wrong)
    hill = case.data[case.data["shed"] == "hill"]
    model = ExtraTreesClassifier(60, min_samples_leaf=2, random_state=1)
    alone = cross_val_score(model, hill.drop(columns=["shed", case.target]), hill[case.target], cv=5).mean()
    assert right == pytest.approx(alone, abs=0.06)


@pytest.mark.slow
def test_no_group_pays_where_the_rows_of_every_group_are_coins():
    rng = np.random.default_rng(5)
    costs = framing.Costs(1, 1, 0, 0, 0, volume=1000)
    found = 0
    for seed in range(10):
        table = pd.DataFrame(rng.normal(size=(500, 4)), columns=list("abcd"))
        table = table.assign(shed=rng.choice(["x", "y"], 500), y=rng.integers(0, 2, 500))
        group = group_that_pays(framing.prepare(table, "y"), costs, seed=seed)
        found += group.beats_paper and group.low > 0
    assert found <= 1


def test_few_groups_and_small_groups_ask_nothing():
    case = framing.case("one_group_pays")
    plain = case.data.drop(columns="shed")
    costs = case.options["costs"]
    assert group_that_pays(framing.prepare(plain, case.target), costs) is None
    assert group_that_pays(framing.prepare(case.data.head(210), case.target), costs) is None


@pytest.mark.parametrize(
    "call", [framing.relation, framing.contest, framing.learning_curve, framing.over_time]
)
def test_too_few_rows_are_refused_by_name(call):
    case = framing.case("few_rows")
    with pytest.raises(ValueError, match=r"Collect more|at least 120"):
        call(framing.prepare(case.data.head(12), case.target))


def test_cases_are_seeded_and_named():
    assert len(framing.CASES) >= 20
    pd.testing.assert_frame_equal(framing.case("complex", seed=4).data, framing.case("complex", seed=4).data)
    assert not framing.case("complex", seed=4).data.equals(framing.case("complex", seed=5).data)
    with pytest.raises(ValueError, match="choose one of noise"):
        framing.case("none")
