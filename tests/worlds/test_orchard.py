"""The orchard: every dial does what it says, 0 is none of it, and worlds share their random numbers."""

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.ensemble import HistGradientBoostingClassifier

from mlops_lab import worlds
from mlops_lab.worlds import FEATURES, GRADES, Batch, Orchard

SEEDS = range(20)
PARTS = [field.name for field in fields(Batch)]
PARTS_OF_TRUTH = ["truth", "chance"]


def same(a: Batch, b: Batch, *parts: str) -> bool:
    return all(getattr(a, part).equals(getattr(b, part)) for part in parts or PARTS)


def rank(grades: pd.Series) -> pd.Series:
    return grades.map({grade: place for place, grade in enumerate(GRADES)}).astype(int)


def pooled(dials: dict[str, float] | None = None, n: int = 1500, week: int = 4) -> Batch:
    parts = []
    for seed in SEEDS:
        batch = Orchard(seed=seed, **(dials or {})).week(week, n=n)
        numbers = batch.crates.index + f"-{seed}"
        parts.append(Batch(**{part: getattr(batch, part).set_axis(numbers) for part in PARTS}))
    return parts[0].concat(*parts[1:])


@pytest.fixture(scope="module")
def many() -> Batch:
    return pooled()


# ---------------------------------------------------------------- random numbers


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 60), more=st.integers(1, 60), week=st.integers(0, 60), seed=st.integers(0, 2**32 - 1))
def test_a_larger_batch_begins_with_the_smaller_one(n, more, week, seed):
    orchard = Orchard(seed=seed)
    small, large = orchard.week(week, n=n), orchard.week(week, n=n + more)
    assert len(small) == n and len(large) == n + more
    first = pd.Series(np.arange(n + more) < n, index=large.crates.index)
    assert same(small, large.select(first))


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(1, 80),
    weeks=st.lists(st.integers(0, 40), min_size=1, max_size=6, unique=True),
    scanner=st.sampled_from([None, "belt", "handheld"]),
    grade=st.sampled_from([None, *GRADES]),
)
def test_a_sample_is_what_was_asked_for(n, weeks, scanner, grade):
    batch = Orchard(seed=1).sample(n, weeks, purpose="exam", scanner=scanner, grade=grade)
    assert len(batch) == n
    counts = batch.crates["week"].value_counts().reindex(weeks, fill_value=0)
    assert counts.sum() == n and counts.max() - counts.min() <= 1
    assert scanner is None or (batch.crates["scanner"] == scanner).all()
    assert grade is None or (batch.truth == grade).all()


@pytest.mark.parametrize("grade", GRADES)
def test_a_larger_sample_of_a_grade_begins_with_the_smaller_one(grade):
    small = Orchard().sample(5, 3, purpose="exam", grade=grade)
    large = Orchard().sample(300, 3, purpose="exam", grade=grade)
    assert same(small, large.select(pd.Series(np.arange(300) < 5, index=large.crates.index)))


def test_what_was_drawn_before_changes_nothing():
    fresh = Orchard(seed=2).week(9, n=50)
    orchard = Orchard(seed=2)
    orchard.archive(77)
    orchard.sample(31, 9, purpose="audit")
    assert same(orchard.week(9, n=50), fresh)


def test_purposes_weeks_and_seeds_give_different_crates():
    orchard = Orchard()
    draws = [
        orchard.sample(400, 3, purpose="a"),
        orchard.sample(400, 3, purpose="b"),
        orchard.sample(400, 4, purpose="a"),
        orchard.with_(seed=1).sample(400, 3, purpose="a"),
    ]
    sugar = np.stack([draw.crates["sugar"] for draw in draws])
    assert np.abs(np.corrcoef(sugar) - np.eye(4)).max() < 0.2


MOVED = {
    # dial: (its other setting, the columns of crates it may touch, the other parts it may touch)
    "noise": (0.0, [], ["labels"]),
    "rare_gap": (0.0, ["nir"], []),
    "p_rare": (0.3, ["nir", "firmness"], ["truth", "labels"]),
    "drift": (0.0, ["colour"], []),
    "group_share": (0.5, ["colour", "scanner"], []),
    "group_share_archive": (0.5, [], []),
    "group_shift": (0.0, ["colour"], []),
    "group_lamps": (1.0, ["colour"], []),
    "checked_share": (0.3, [], ["checked", "chance"]),
    "checked_bias": (0.0, [], ["checked", "chance"]),
}


def test_every_dial_is_tried():
    assert set(MOVED) == {field.name for field in fields(Orchard)} - {"seed"}


@pytest.mark.parametrize("dial", MOVED)
def test_a_dial_touches_only_its_own(dial):
    setting, columns, parts = MOVED[dial]
    world, moved = Orchard(seed=5), Orchard(seed=5).with_(**{dial: setting})
    a, b = world.week(7, n=1500), moved.week(7, n=1500)
    for column in a.crates:
        assert a.crates[column].equals(b.crates[column]) == (column not in columns), column
    for part in set(PARTS) - {"crates"}:
        assert getattr(a, part).equals(getattr(b, part)) == (part not in parts), part
    spoiled = (a.truth == "spoiled") | (b.truth == "spoiled")
    touched = {"rare_gap": spoiled, "p_rare": spoiled, "drift": a.crates["scanner"] == "belt"}
    if dial in touched:  # and within the column only where it says
        changed = (a.crates[columns] != b.crates[columns]).any(axis=1)
        assert not (changed & ~touched[dial]).any()


def test_the_archives_share_of_handhelds_touches_the_archive_only():
    a, b = Orchard().archive(800), Orchard(group_share_archive=0.5).archive(800)
    assert not a.crates["scanner"].equals(b.crates["scanner"])
    assert same(a, b, "truth", "labels", "checked", "chance", "shift")
    assert a.crates.drop(columns=["colour", "scanner"]).equals(b.crates.drop(columns=["colour", "scanner"]))
    kept = a.crates["scanner"] == b.crates["scanner"]
    assert a.crates.loc[kept, "colour"].equals(b.crates.loc[kept, "colour"])


# ---------------------------------------------------------------- 0 is none of it


def test_at_zero_every_defect_is_gone_exactly():
    clean = Orchard(noise=0, drift=0, group_shift=0, group_share_archive=0, checked_bias=0)
    late, early = clean.week(30, n=3000), clean.archive(2000)
    assert (late.labels == late.truth).all()
    assert (early.crates["scanner"] == "belt").all()
    assert (late.chance == clean.checked_share).all()
    lamps = Orchard(group_shift=0, group_lamps=1)  # lamps for all: handhelds and belts cannot be told apart
    assert lamps.with_(group_share=0).week(9).crates[FEATURES].equals(lamps.week(9).crates[FEATURES])
    fruit = clean.with_(group_share=0).week(30, n=3000)
    assert fruit.crates[FEATURES].equals(late.crates[FEATURES])  # handhelds read exactly as belts do
    assert not (clean.with_(p_rare=0).week(30).truth == "spoiled").any()
    assert not clean.with_(checked_share=0).week(30).checked.any()
    assert clean.with_(checked_share=1, checked_bias=2).week(30).checked.all()


def test_without_a_gap_rot_is_plain_and_with_all_of_it_hidden():
    def auc(gap: float) -> float:
        orchard = Orchard(rare_gap=gap)
        rot = orchard.sample(1500, 2, purpose="rot", grade="spoiled").crates["nir"]
        sound = orchard.sample(1500, 2, purpose="sound", grade="table").crates["nir"]
        return stats.mannwhitneyu(rot, sound).statistic / 1500**2

    assert auc(0) > 0.98 > auc(1) > 0.85
    assert auc(2) == pytest.approx(0.55, abs=0.06)


# ---------------------------------------------------------------- the defects, by their numbers


def test_about_three_in_a_hundred_crates_are_spoiled(many):
    spoiled = int((many.truth == "spoiled").sum())
    assert stats.binomtest(spoiled, len(many), 0.03).pvalue > 1e-4
    by_seed = (many.truth == "spoiled").groupby(many.crates.index.str.rsplit("-", n=1).str[1]).mean()
    assert by_seed.between(0.015, 0.05).all()


def test_label_errors_are_those_that_the_docstring_states(many):
    y, label, night = rank(many.truth), rank(many.labels), many.shift == "night"
    good = y >= 2
    low_at_night = (label == y - 1)[night & good].mean()
    assert low_at_night == pytest.approx(0.60 + 0.40 * 0.06 / 2, abs=0.02)
    assert (label == y)[~night & good].mean() == pytest.approx(
        1 - 0.06 * (0.5 + 0.5 * (y[good] == 2).mean()), abs=0.02
    )
    rotten = Orchard().sample(20_000, 3, purpose="rot", grade="spoiled").labels
    assert (rotten != "spoiled").mean() == pytest.approx(0.45, abs=0.012)
    assert (rotten == "juice").mean() == pytest.approx(0.225, abs=0.012) and "premium" not in set(rotten)
    assert (label == 0)[y > 0].sum() == 0  # no sound crate is ever called spoiled
    assert set((label - y)[y > 0]) == {-1, 0, 1}
    assert (label != y).mean() == pytest.approx(0.143, abs=0.01)
    assert stats.binomtest(int(night.sum()), len(night), 0.30).pvalue > 1e-4


def test_the_shift_depends_on_nothing_in_the_crate(many):
    night = many.shift == "night"
    for feature in FEATURES:
        assert stats.ks_2samp(many.crates.loc[night, feature], many.crates.loc[~night, feature]).pvalue > 1e-4


def test_the_lamps_move_the_belts_colour_and_nothing_else():
    early, late = pooled(week=2, n=500), pooled(week=14, n=500)
    p_values = {}
    for scanner in worlds.SCANNERS:
        a, b = (x.crates[x.crates["scanner"] == scanner] for x in (early, late))
        p_values |= {(scanner, f): stats.ks_2samp(a[f], b[f]).pvalue for f in FEATURES}
    assert p_values.pop(("belt", "colour")) < 1e-100
    assert min(p_values.values()) > 1e-4, p_values


@pytest.mark.parametrize("dial", [0.5, 1.0, 2.0])
def test_the_creep_is_a_logistic_curve_around_week_seven(dial):
    for week in (0, 4, 6, 7, 8, 10, 20):
        moved, calm = (Orchard(drift=d).sample(40, week, purpose="x", scanner="belt") for d in (dial, 0))
        creep = moved.crates["colour"] - calm.crates["colour"]
        np.testing.assert_allclose(creep, dial * special.expit((week - 7) / 0.7), atol=1e-12)


def test_handhelds_read_colour_low_by_a_fixed_step():
    hand, plain = (Orchard(group_shift=s).sample(60, 12, purpose="x", scanner="handheld") for s in (2, 0))
    np.testing.assert_allclose(hand.crates["colour"] - plain.crates["colour"], -0.70, atol=1e-12)


def test_the_archive_has_few_handhelds_and_their_fruit_is_as_good(many):
    handheld = sum((Orchard(seed=s).archive(500).crates["scanner"] == "handheld").sum() for s in SEEDS)
    assert stats.binomtest(int(handheld), 500 * len(SEEDS), 0.06).pvalue > 1e-4
    table = pd.crosstab(many.crates["scanner"], many.truth)
    assert stats.chi2_contingency(table).pvalue > 1e-4
    assert stats.binomtest(int(table.loc["handheld"].sum()), len(many), 0.15).pvalue > 1e-4


@pytest.mark.parametrize("bias", [-2.0, 0.0, 1.0, 3.0])
def test_the_share_checked_stays_and_only_its_choice_leans(bias):
    batch = pooled({"checked_bias": bias})
    assert stats.binomtest(int(batch.checked.sum()), len(batch), 0.10).pvalue > 1e-4
    assert batch.chance.mean() == pytest.approx(0.10, abs=0.006)
    lean = batch.crates.loc[batch.checked, "blemish"].mean() - batch.crates["blemish"].mean()
    assert np.sign(np.round(lean, 1)) == -np.sign(bias)


def test_checks_weighted_by_their_chance_tell_the_truth_about_all(many):
    wrong = (many.labels == "premium").astype(float)
    weight = many.checked / many.chance
    assert wrong[many.checked].mean() > wrong.mean() + 0.1  # as they come, checked crates are too good
    assert (wrong * weight).sum() / weight.sum() == pytest.approx(wrong.mean(), abs=0.04)


# ---------------------------------------------------------------- what a naive model makes of it


def trained(orchard: Orchard) -> HistGradientBoostingClassifier:
    archive = orchard.archive(1200)
    model = HistGradientBoostingClassifier(max_iter=25, learning_rate=0.2, max_leaf_nodes=8, random_state=0)
    return model.fit(archive.crates[FEATURES], archive.labels)


@pytest.mark.parametrize("seeds", [range(4), pytest.param(SEEDS, marks=pytest.mark.slow)])
def test_a_naive_model_loses_by_the_lamps_on_the_rare_and_on_the_group(seeds):
    rows = []
    for seed in seeds:
        orchard = Orchard(seed=seed)
        model, calm = trained(orchard), orchard.with_(drift=0)

        def right(batch, model=model):
            return float((model.predict(batch.crates[FEATURES]) == batch.truth).mean())

        belt = {"purpose": "exam", "scanner": "belt"}
        rows.append(
            {
                "before": right(orchard.sample(800, 4, **belt)),
                "after": right(orchard.sample(800, 12, **belt)),
                "after_without_drift": right(calm.sample(800, 12, **belt)),
                "rare": right(orchard.sample(200, 2, grade="spoiled", **belt)),
                "handheld": right(orchard.sample(600, 4, purpose="exam", scanner="handheld")),
            }
        )
    found = pd.DataFrame(rows)
    assert (found["before"] - found["after"]).min() > 0.10
    assert abs((found["before"] - found["after_without_drift"]).mean()) < 0.02
    assert found["rare"].max() < 0.5 < found["before"].min()
    assert (found["before"] - found["handheld"]).mean() > 0.04


def test_the_rule_card_does_not_see_the_lamps_and_sells_little_too_dear():
    moved, calm = Orchard().week(14), Orchard(drift=0).week(14)
    card = worlds.rule_card(moved.crates)
    assert card.equals(worlds.rule_card(calm.crates))
    assert (rank(card) > rank(moved.truth)).mean() < 0.1 < (rank(card) < rank(moved.truth)).mean()
    with pytest.raises(ValueError, match="nir"):
        worlds.rule_card(moved.crates.drop(columns="nir"))


def test_profit_is_highest_for_the_truth_and_adds_up():
    batch = Orchard().week(5, n=300)
    by_hand = sum(worlds.PRICES.loc[true, sold] for sold, true in zip(batch.labels, batch.truth, strict=True))
    assert worlds.profit(batch.labels, batch.truth) == pytest.approx(by_hand)
    assert worlds.profit(batch.truth, batch.truth) > by_hand
    with pytest.raises(ValueError, match="rotten"):
        worlds.profit(pd.Series(["rotten"]), pd.Series(["juice"]))
    with pytest.raises(ValueError, match="one grade for each"):
        worlds.profit(batch.labels.head(3), batch.truth)


# ---------------------------------------------------------------- the batch and the dials as things to hold


def test_a_batch_keeps_its_truth_apart_and_its_parts_together():
    batch = Orchard().archive(200)
    assert list(batch.crates) == [*FEATURES, "scanner", "week"]
    assert not set(PARTS_OF_TRUTH) & set(batch.crates)
    assert all(getattr(batch, part).index.equals(batch.crates.index) for part in PARTS)
    assert set(batch.labels) | set(batch.truth) <= set(GRADES)
    assert {type(label) for label in batch.labels} == {str}
    assert "<" not in repr(batch) and not hasattr(batch, "_repr_html_")
    with pytest.raises(FrozenInstanceError):
        batch.labels = batch.truth


def test_batches_join_and_select_but_never_hold_a_crate_twice():
    orchard = Orchard()
    a, b = orchard.week(5, n=30), orchard.week(6, n=20)
    both = a.concat(b)
    assert len(both) == 50 and same(both.select(both.crates["week"] == 6), b)
    with pytest.raises(ValueError, match="another purpose"):
        a.concat(orchard.week(5, n=3))
    with pytest.raises(ValueError, match="does not fit"):
        a.select(b.checked)
    with pytest.raises(ValueError, match="does not fit"):
        a.select(a.crates["week"])
    with pytest.raises(ValueError, match="align"):
        Batch(**{part: getattr(a, part) for part in PARTS} | {"truth": b.truth})
    assert repr(a.select(a.crates["week"] == 99)) == "Batch of 0 crates"


def test_with_gives_a_new_world_and_knows_its_dials():
    orchard = Orchard(seed=4)
    assert orchard.with_(noise=0) == Orchard(seed=4, noise=0) and orchard.noise == 1.0
    with pytest.raises(TypeError, match=r"lamps.*drift"):
        orchard.with_(lamps=0)


@pytest.mark.parametrize(
    ("dials", "error"),
    [
        ({"noise": -0.1}, ValueError),
        ({"noise": float("nan")}, ValueError),
        ({"drift": float("inf")}, ValueError),
        ({"p_rare": 1.01}, ValueError),
        ({"checked_share": 2}, ValueError),
        ({"checked_bias": -4}, ValueError),
        ({"group_share": "0.1"}, TypeError),
        ({"group_shift": True}, TypeError),
        ({"seed": -1}, ValueError),
        ({"seed": 2**32}, ValueError),
        ({"seed": 0.5}, TypeError),
    ],
)
def test_a_dial_out_of_range_is_refused_with_its_name(dials, error):
    with pytest.raises(
        error, match=next(iter(dials)) if "seed" not in dials or error is ValueError else "float"
    ):
        Orchard(**dials)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda o: o.archive(0), "n=0"),
        (lambda o: o.week(-1), "week=-1"),
        (lambda o: o.sample(5, [], purpose="x"), "weeks"),
        (lambda o: o.sample(5, [1, 1], purpose="x"), "once"),
        (lambda o: o.sample(5, 1, purpose=""), "purpose"),
        (lambda o: o.sample(5, 1, purpose="x", scanner="phone"), "phone"),
        (lambda o: o.sample(5, 1, purpose="x", grade="good"), "good"),
        (lambda o: o.with_(p_rare=1).sample(5, 1, purpose="x", grade="juicy"), "juicy"),
    ],
)
def test_a_wrong_request_is_refused_with_a_reason(call, word):
    with pytest.raises(ValueError, match=word):
        call(Orchard())


def test_a_grade_can_be_asked_for_even_where_nature_has_none():
    assert (Orchard(p_rare=0).sample(9, 1, purpose="x", grade="spoiled").truth == "spoiled").all()
    assert (Orchard(p_rare=1).sample(9, 1, purpose="x", grade="premium").truth == "premium").all()
