"""The same result again: bits, causes, other processes, comparisons, leaks and recipes, against oracles."""

import itertools
import json
import math
import os
import pickle
import sys
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mlops_lab import reproducibility as rep
from mlops_lab import worlds

# --- bits -------------------------------------------------------------------------------------------------

finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=50)
@given(finite, st.integers(0, 50))
def test_ulps_count_the_steps_of_nextafter(value, steps):
    other = value
    for _ in range(steps):
        other = math.nextafter(other, math.inf)
    if math.isfinite(other):
        assert rep.ulps(value, other) == rep.ulps(other, value) == steps


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_ulps_know_each_width_and_the_way_across_zero(kind):
    tiny = np.finfo(kind).smallest_subnormal
    assert rep.ulps(np.array([-tiny]), np.array([tiny])).tolist() == [2]
    assert rep.ulps(kind(1), np.nextafter(kind(1), kind(2))) == 1
    assert rep.ulps(kind(0.0), kind(-0.0)) == 0


def test_ulps_of_missing_values_and_of_the_farthest_apart():
    assert rep.ulps([np.nan, np.nan], [np.nan, 1.0]).tolist() == [0, math.inf]
    assert rep.ulps(-np.finfo(float).max, np.finfo(float).max) > 1.8e19
    assert rep.ulps(2**53 + 1, 2**53) == 0, "whole numbers are taken as floats"
    with pytest.raises(ValueError, match="shapes"):
        rep.ulps([1.0], [1.0, 2.0])


def _things():
    net = MLPClassifier((2,), max_iter=1, random_state=0)
    return [
        (1.5, math.nextafter(1.5, 2)),
        (np.arange(4.0), np.array([0.0, 1, 2, 4])),
        (np.array([0.0]), np.array([-0.0])),
        (np.arange(3), np.arange(3.0)),
        (np.float32(1), np.float64(1)),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        ({"a": 1}, {"b": 1}),
        ({"a": [1.0, {"b": "x"}]}, {"a": [1.0, {"b": "y"}]}),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), pd.DataFrame({"b": ["x"], "a": [1.0]})),
        (pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [1.0, 2.0]}, index=[1, 2])),
        (pd.Series([1.0, np.nan]), pd.Series([1.0, 2.0])),
        (net, MLPClassifier((3,), max_iter=1, random_state=0)),
        (None, 0.0),
        ("a", "b"),
        ((True, 2), (True, 3)),
        (np.array(["x", None], dtype=object), np.array(["x", float("nan")], dtype=object)),
        (1.0, [1.0]),
    ]


@pytest.mark.parametrize(("one", "other"), _things(), ids=range(len(_things())))
def test_the_same_thing_is_the_same_and_another_is_not(one, other):
    for thing in (one, other):
        assert rep.same(thing, thing).ok, "a thing and itself"
    found = rep.same(one, other)
    assert not found.bitwise and found.ok is False and found.differing >= 1 and found.first
    assert str(found) and found.frame().shape[0] == 1


def test_the_first_difference_is_named_with_its_place_and_size():
    x = np.arange(12.0).reshape(3, 4)
    moved = x.copy()
    moved[1, 2] = np.nextafter(moved[1, 2], np.inf)
    moved[2, 3] = 20.0
    found = rep.same({"w": [x, x]}, {"w": [x, moved]})
    assert (found.values, found.differing, found.first) == (24, 2, "w[1][1, 2]")
    assert found.largest == 9.0 and found.largest_ulps > 1e15
    assert rep.same({"w": [np.nan]}, {"w": [np.nan]}).bitwise, "two missing values"
    assert found.plot().get_ylabel() == "values"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(TypeError, match="lock at a cannot be compared"):
        rep.same({"a": threading.Lock()}, {"a": 1})


def _models(seed):
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.array([0, 1, 2] * 20)
    inner = RandomForestClassifier(3, random_state=seed)
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=seed, max_features=1), {"max_depth": [1, 3]}, cv=2
    )
    several = (
        inner,
        HistGradientBoostingClassifier(max_iter=3, random_state=seed, max_features=0.3),
        make_pipeline(StandardScaler(), SelectKBest(k=2), MLPClassifier((3,), max_iter=4, random_state=seed)),
        search,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [model.fit(x, y) for model in several]


def test_estimators_are_compared_with_all_that_they_learned():
    for one, again, other in zip(_models(0), _models(0), _models(1), strict=True):
        assert rep.same(one, again).bitwise, type(one)
        copied = pickle.loads(pickle.dumps(one))
        assert rep.same(one, copied).bitwise, type(one)
        found = rep.same(one, other)
        assert not found.bitwise and found.differing > 1, type(one)
    tree, seeded = _models(0)[0], _models(0)[0]
    seeded.estimators_[2].tree_.value[0, 0, 0] += 1e-9
    assert rep.same(tree, seeded).differing == 1, "a private part, deep inside"
    assert not rep.same(SelectKBest(f_classif), SelectKBest(chi2)).bitwise


def test_what_holds_itself_is_walked_once():
    one, other = [1.0, "x"], [1.0, "x"]
    one.append(one)
    other.append(other)
    assert rep.same(one, other).bitwise
    assert rep.same({1, 2}, {2, 1}).bitwise and not rep.same({1, 2}, {1, 3}).bitwise


# --- training and causes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crates():
    batch = worlds.Orchard(seed=0).archive(300)
    return batch.crates[list(worlds.FEATURES)].to_numpy(), batch.labels.to_numpy()


def test_a_training_is_scikit_learns_own_when_it_sees_all_rows_at_once(crates):
    x, y = crates
    ours = rep.train(x, y, batch=300, epochs=5, init=3)
    theirs = MLPClassifier((16,), learning_rate_init=0.01, batch_size=300, shuffle=False, random_state=3)
    rng = np.random.default_rng(0)
    for _ in range(5):
        turn = rng.permutation(300)
        theirs.partial_fit(x[turn], y[turn], classes=np.unique(y))
    assert rep.same(ours.coefs_, theirs.coefs_).bitwise


@pytest.mark.parametrize(
    "knobs",
    [
        {"init": 1},
        {"order": 1},
        {"batch": 20},
        {"epochs": 3},
        {"hidden": (8,)},
        {"rate": 0.02},
        {"nudge": True, "rate": 0.3, "activation": "tanh"},
    ],
)
def test_each_knob_of_a_training_moves_it_and_standing_still_does_not(crates, knobs):
    x, y = crates
    still = {"epochs": 4, **({**knobs, "nudge": False} if "nudge" in knobs else {})}
    first = rep.train(x, y, **still)
    assert rep.same(first.coefs_, rep.train(x, y, **still).coefs_).bitwise
    assert not rep.same(first.coefs_, rep.train(x, y, **{**still, **knobs}).coefs_).bitwise


def test_the_order_of_rows_moves_only_roundings_where_all_rows_make_one_step(crates):
    x, y = crates
    one, other = (rep.train(x, y, batch=300, order=order) for order in (0, 1))
    found = rep.same(one.coefs_, other.coefs_)
    assert 0 < found.largest < 1e-12


@pytest.mark.parametrize("knobs", [{"batch": 0}, {"batch": 301}, {"epochs": 0}])
def test_a_training_refuses_what_makes_no_step(crates, knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        rep.train(*crates, **knobs)


def test_variants_count_bits_flips_and_scores():
    base = np.array([[0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.9, 0.1]])

    def train(add=0.0, flip=()):
        scores = base + add * np.array([1, -1])
        scores[list(flip)] = scores[list(flip), ::-1]
        return scores

    causes = {
        "again": [{}, {}],
        "a last bit": [{"add": 1e-16}, {}],
        "much": [{"flip": (0,)}, {"flip": (1, 3)}],
    }
    found = rep.variants(train, causes, truth=[0, 1, 0, 0])
    table = found.table()
    assert found.baseline == 0.75 and table["same_bits"].tolist() == [2, 1, 0]
    assert table["flips"].tolist() == [0, 0, 0.375] and table.loc["much", "spread"] == 0.5
    assert [finding.ok for finding in found.findings] == [True, True, False]
    assert "much" in found.headline() and found.plot().get_xlabel() == "share of answers right"
    labels = [label.get_text() for label in found.plot().get_yticklabels()]
    assert "1 of 2 with the same bits; no answer changes" in labels[1] and "37.5 %" in labels[2]


def test_variants_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="without a variation: b"):
        rep.variants(lambda: [0.1], {"a": [{}], "b": []}, truth=[True])
    with pytest.raises(ValueError, match="one row for each"):
        rep.variants(lambda: [0.1], {"a": [{}]}, truth=[True, False])
    with pytest.raises(ValueError, match="gave scores of shape"):
        rep.variants(lambda n=1: [0.1] * n, {"a": [{"n": 2}]}, truth=[True])


# --- other processes --------------------------------------------------------------------------------------


def test_a_function_runs_elsewhere_with_its_environment_and_arguments():
    assert rep.elsewhere(os.getenv, {"LAB_A": "1"}, "LAB_A") == "1" and "LAB_A" not in os.environ
    os.environ["LAB_B"] = "here"
    try:
        assert rep.elsewhere("os:getenv", {"LAB_B": None}, "LAB_B", default="gone") == "gone"
    finally:
        del os.environ["LAB_B"]
    assert rep.elsewhere(os.getpid, {}) != os.getpid()
    assert rep.elsewhere(dict, {}, {"a": [1.0]}, index=("x",)) == {"a": [1.0], "index": ("x",)}


def test_a_module_of_the_callers_own_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "own_module.py").write_text(
        "def double(x):\n    print('noise')\n    return 2 * x\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rep.elsewhere("own_module:double", {}, 21) == 42


def test_hashes_of_texts_change_with_their_seed_and_numbers_do_not():
    seen = [rep.elsewhere(hash, {"PYTHONHASHSEED": seed}, "colour") for seed in ("1", "2", "1")]
    assert seen[0] == seen[2] != seen[1]


@pytest.mark.parametrize(
    ("function", "given", "error", "words"),
    [
        (lambda: 1, (), ValueError, "put the function into a module"),
        ("os", (), ValueError, "module:name"),
        ("os:no_such", (), ValueError, "no function 'no_such'"),
        ("no_such_module:x", (), ValueError, "can be imported"),
        ("math:pi", (), ValueError, "not a function"),
        (list, (lambda: 1,), ValueError, "cannot travel"),
        ("json:loads", ("{",), RuntimeError, "JSONDecodeError"),
        ("os:_exit", (3,), RuntimeError, "code 3"),
        ("sys:exit", ("gone",), RuntimeError, "gone"),
    ],
)
def test_what_goes_wrong_elsewhere_is_told(function, given, error, words):
    with pytest.raises(error, match=words):
        rep.elsewhere(function, {}, *given)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends no process by a signal")
def test_a_process_that_the_system_ends_is_told():
    with pytest.raises(RuntimeError, match=r"signal 6.*SIGABRT"):
        rep.elsewhere(os.abort, {})


def test_a_result_that_cannot_travel_is_told():
    with pytest.raises(RuntimeError, match=r"(?i)pickle"):
        rep.elsewhere("threading:Lock", {})


def test_time_is_limited_and_variables_are_texts():
    begin = time.perf_counter()
    with pytest.raises(TimeoutError, match=r"within 0\.4 s"):
        rep.elsewhere(time.sleep, {}, 60, timeout_s=0.4)
    assert time.perf_counter() - begin < 20
    with pytest.raises(ValueError, match="LAB=1"):
        rep.elsewhere(os.getpid, {"LAB": 1})


@pytest.mark.slow
def test_an_old_processor_changes_bits_and_next_to_nothing_else(crates):
    old = rep.old_processor()
    if not old or rep.kernels()["kernel"] == rep.elsewhere(rep.kernels, old)["kernel"]:
        pytest.skip("NumPy has one set of kernels on this machine")
    found = rep.same(rep.train(*crates).coefs_, rep.elsewhere(rep.train, old, *crates).coefs_)
    assert 0 < found.largest < 1e-9


# --- comparisons ------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=40), st.floats(0.5, 0.999))
def test_the_interval_is_scipys(values, confidence):
    low, high = rep.paired_interval(values, confidence=confidence)
    if np.std(values) > 1e-9:
        mean, error = np.mean(values), stats.sem(values)
        wanted = stats.t.interval(confidence, len(values) - 1, loc=mean, scale=error)
        assert np.allclose((low, high), wanted, rtol=1e-9, atol=1e-12)
    else:
        assert low == pytest.approx(high, abs=1e-6)


def test_the_interval_says_what_the_paired_t_test_says():
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, other = rng.normal(0.02, 0.05, 12), rng.normal(0.04, 0.05, 12)
        low, high = rep.paired_interval(one - other)
        assert (low > 0 or high < 0) == (stats.ttest_rel(one, other).pvalue < 0.05)


def test_the_corrected_interval_is_nadeau_and_bengios():
    values, n_train, n_test = np.random.default_rng(1).normal(0.01, 0.02, 15), 90, 10
    low, high = rep.paired_interval(values, overlap=n_test / n_train)
    statistic = values.mean() / math.sqrt((1 / 15 + n_test / n_train) * values.var(ddof=1))
    assert (high + low) / 2 == pytest.approx(values.mean())
    assert statistic / stats.t.ppf(0.975, 14) == pytest.approx(values.mean() / ((high - low) / 2))


def test_intervals_keep_their_promise():
    rng = np.random.default_rng(2)
    held = [
        low <= 0.3 <= high for low, high in (rep.paired_interval(rng.normal(0.3, 1, 8)) for _ in range(2000))
    ]
    assert 0.935 < np.mean(held) < 0.965


def test_a_comparison_names_the_winner_and_counts_wrong_seeds():
    scores = {"a": [0.9, 0.8, 0.9, 0.9, 0.9, 0.92], "b": [0.8, 0.81, 0.8, 0.9, 0.8, 0.8]}
    found = rep.compare_over_seeds(scores["a"].__getitem__, scores["b"].__getitem__, range(6), confidence=0.8)
    pairs = [(a, b) for a, b in itertools.product(scores["a"], scores["b"])]
    assert found.winner == "a" and found.wrong == 2 / 6
    assert found.wrong_pairs == np.mean([a <= b for a, b in pairs])
    turned = rep.compare_over_seeds(
        scores["b"].__getitem__, scores["a"].__getitem__, range(6), confidence=0.8
    )
    assert turned.winner == "b" and (turned.wrong, turned.wrong_pairs) == (found.wrong, found.wrong_pairs)
    assert turned.low == pytest.approx(-found.high) and "points" in turned.headline()
    assert found.plot().get_xlabel() == "a minus b (share right)"


def test_a_tie_is_not_decided_and_seldom_declared_won():
    won = 0
    for world in range(300):
        rng = np.random.default_rng(world)
        one, other = rng.normal(0.8, 0.01, (2, 10))
        found = rep.compare_over_seeds(one.__getitem__, other.__getitem__, range(10))
        won += bool(found.winner)
        assert found.ok is (True if found.winner else None)
    assert 4 <= won <= 28, "about 5 % of 300"
    even = rep.compare_over_seeds(lambda seed: 0.5, lambda seed: 0.5, [1, 2])
    assert not even.winner and even.wrong == 1 and "no winner" in even.headline()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": [1]}, "one seed is no evidence"),
        ({"seeds": [1, 1]}, "all different"),
        ({"names": ("x", "x")}, "different names"),
        ({"confidence": 1.0}, "between 0 and 1"),
        ({"overlap": -0.1}, "overlap"),
        ({"train_a": lambda seed: float("nan")}, "finite"),
    ],
)
def test_a_comparison_refuses_what_is_none(change, words):
    call = {"train_a": float, "train_b": lambda seed: 0.0, "seeds": range(3), **change}
    with pytest.raises(ValueError, match=words):
        rep.compare_over_seeds(**call)


# --- leaks ------------------------------------------------------------------------------------------------


def _peeking(noise):
    def score(labels):
        chosen = SelectKBest(k=10).fit_transform(noise, labels)
        return cross_val_score(LogisticRegression(), chosen, labels, cv=4).mean()

    return score


def _honest(noise):
    pipeline = make_pipeline(SelectKBest(k=10), LogisticRegression())
    return lambda labels: cross_val_score(pipeline, noise, labels, cv=4).mean()


@pytest.mark.parametrize("count", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_the_leak_test_finds_the_leak_and_spares_the_pipeline(count):
    caught, alarms = 0, 0
    for world in range(count):
        rng = np.random.default_rng(world)
        noise, labels = rng.normal(size=(60, 200)), rng.permutation([0, 1] * 30)
        caught += rep.leak_test(_peeking(noise), labels, chance=0.5, shuffles=4, seed=world).ok is False
        alarms += rep.leak_test(_honest(noise), labels, chance=0.5, shuffles=4, seed=world).ok is False
    assert caught >= 0.9 * count and alarms <= 0.1 * count


def test_a_leak_test_shows_what_it_found():
    found = rep.leak_test(lambda labels: 0.9, [0, 1, 1], chance=0.5, shuffles=4)
    assert found.score == 0.9 and found.shuffled == (0.9,) * 4 and "0.90" in found.headline()
    assert found.plot().get_xlabel() == "score"
    with pytest.raises(ValueError, match="at least two"):
        rep.leak_test(lambda labels: 0.9, [0, 1], chance=0.5, shuffles=1)


def test_the_labels_are_shuffled_and_none_is_lost():
    seen = []
    rep.leak_test(
        lambda labels: float(seen.append(labels.tolist()) or 0.5), list("aabbbc"), chance=0.5, shuffles=5
    )
    assert (
        all(sorted(labels) == list("aabbbc") for labels in seen) and len({str(labels) for labels in seen}) > 3
    )


@settings(max_examples=50)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(0, 5))
def test_oversampling_repeats_rows_and_evens_out_classes(classes, seed):
    rows = np.arange(len(classes), dtype=float)[:, None]
    more, names = rep.oversample(rows, classes, seed=seed)
    counts = pd.Series(names).value_counts()
    assert counts.nunique() == 1 and (more[: len(rows)] == rows).all()
    assert all(classes[int(row)] == name for row, name in zip(more.ravel(), names, strict=True))


def test_oversampling_refuses_what_does_not_fit():
    for x, y in (([], []), ([[1.0]], ["a", "b"])):
        with pytest.raises(ValueError, match="one class for each row"):
            rep.oversample(x, y)


# --- recipes ----------------------------------------------------------------------------------------------

SCALE = rep.Step("sklearn.preprocessing.StandardScaler")
REDUCE = rep.Step("sklearn.decomposition.PCA", {"n_components": 2, "random_state": 0})
MODEL = rep.Step("sklearn.linear_model.LogisticRegression", {"C": 0.1})
RECIPE = rep.Recipe({"scale": SCALE, "reduce": REDUCE, "model": MODEL})


def test_a_recipe_survives_its_file_and_builds_what_scikit_learn_builds(tmp_path):
    path = tmp_path / "pipeline.json"
    assert RECIPE.write(path) == RECIPE.digest
    read = rep.Recipe.read(path)
    assert read == RECIPE and hash(read) == hash(RECIPE) and json.loads(path.read_text(encoding="utf-8"))
    by_hand = make_pipeline(StandardScaler(), PCA(2, random_state=0), LogisticRegression(C=0.1))
    wine = worlds.real("wine")
    ours, theirs = (made.fit(wine.data, wine.target) for made in (read.build(), by_hand))
    assert rep.same(ours.predict_proba(wine.data), theirs.predict_proba(wine.data)).bitwise


def test_another_order_or_setting_is_another_digest_and_the_order_of_settings_is_not():
    steps = {"scale": SCALE, "reduce": REDUCE, "model": MODEL}
    digests = {
        rep.Recipe({name: steps[name] for name in order}).digest for order in itertools.permutations(steps)
    }
    assert len(digests) == 6
    turned = rep.Step("sklearn.decomposition.PCA", {"random_state": 0, "n_components": 2})
    assert rep.Recipe({**steps, "reduce": turned}).digest == RECIPE.digest
    other = rep.Step("sklearn.decomposition.PCA", {"random_state": 0, "n_components": 3})
    assert rep.Recipe({**steps, "reduce": other}).digest != RECIPE.digest


def test_a_pipeline_that_exists_is_written_down():
    made = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=2.0))
    recipe = rep.Recipe.of(made)
    assert repr(recipe.build()) == repr(made) and recipe.steps["logisticregression"].settings == {"C": 2.0}
    with pytest.raises(ValueError, match="no Pipeline"):
        rep.Recipe.of(LogisticRegression())
    with pytest.raises(ValueError, match="JSON"):
        rep.Recipe.of(make_pipeline(FunctionTransformer(np.log1p)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[]", "not a list"),
        ('{"stages": []}', "not one with stages"),
        ('{"steps": []}', "without steps"),
        ('{"steps": [{"name": "a"}]}', "step 1 must have name and use"),
        ('{"steps": [{"name": "a", "use": "os.system"}]}', "not scikit-learn's"),
        ('{"steps": [{"name": "a", "use": "sklearn.nothing.X"}]}', "there is no"),
        ('{"steps": [{"name": "a", "use": "sklearn.utils.shuffle"}]}', "no estimator"),
        ('{"steps": [{"name": "a", "use": "sklearn.pipeline.Pipeline"}]}', "cannot be made from plain"),
        ('{"steps": [{"name": "a__b", "use": "sklearn.svm.SVC"}]}', "cannot be called"),
        ('{"steps": [{"name": "a", "use": "sklearn.svm.SVC", "settings": {"D": 1}}]}', "no setting 'D'"),
        (
            '{"steps": [{"name": "a", "use": "sklearn.svm.SVC"}, {"name": "a", "use": "sklearn.svm.SVC"}]}',
            "two steps are called",
        ),
    ],
)
def test_a_broken_recipe_is_told_what_is_wrong(text, words):
    with pytest.raises(ValueError, match=words):
        rep.Recipe.read(text)


def test_a_setting_that_is_no_plain_value_is_refused():
    for value in (len, float("nan")):
        with pytest.raises(ValueError, match="holds what JSON can hold"):
            rep.Step("sklearn.svm.SVC", {"C": value})
