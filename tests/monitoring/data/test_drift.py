"""Drift against scipy, against known truth, and on tables that are broken."""

import numpy as np
import pandas as pd
import pytest
from scipy import spatial, stats

from mlops_lab import monitoring
from mlops_lab.monitoring.data import two_samples
from mlops_lab.monitoring.data.two_samples import Ecdf


@pytest.mark.parametrize("sizes", [(30, 40), (2000, 2000), (9000, 10_000), (30_000, 20_000)])
@pytest.mark.parametrize("shape", ["normal", "count", "heavy"])
def test_the_gap_and_its_p_value_are_scipys(sizes, shape):
    rng = np.random.default_rng(sum(sizes))
    draw = {
        "normal": lambda n: rng.normal(size=n),
        "count": lambda n: rng.poisson(20, n).astype(float),
        "heavy": lambda n: rng.standard_cauchy(n),
    }[shape]
    for shift in (0.0, 0.03, 0.3):
        a, b = draw(sizes[0]), draw(sizes[1]) + shift
        row = monitoring.drift(pd.DataFrame({"a": a}), pd.DataFrame({"a": b}), test="ks").frame().iloc[0]
        peer = stats.ks_2samp(a, b)
        assert row["statistic"] == pytest.approx(peer.statistic, abs=1e-12)
        assert row["p"] == pytest.approx(peer.pvalue, rel=5e-3, abs=1e-12)


def test_the_fast_way_to_the_gap_is_the_plain_one(monkeypatch):
    rng = np.random.default_rng(0)
    pairs = [
        (rng.normal(size=50_000), rng.normal(size=60_000)),
        (rng.normal(size=50_000).round(1), rng.normal(size=40_000).round(1)),
        (rng.normal(size=20_000), rng.normal(size=20_000) + 9),
        (np.zeros(20_000), rng.normal(size=20_000)),
    ]
    fast = [two_samples.largest_gap(Ecdf.of(a), Ecdf.of(b)) for a, b in pairs]
    monkeypatch.setattr(two_samples, "GRID", 10**9)
    assert fast == [two_samples.largest_gap(Ecdf.of(a), Ecdf.of(b)) for a, b in pairs]


def test_anderson_darling_is_scipys_statistic():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=300), rng.normal(0.2, 1.1, size=400)
    ours = two_samples.anderson_darling(Ecdf.of(a), Ecdf.of(b)).statistic
    # scipy gives (A2 - 1) / s; at a large sample s is sqrt(2 (pi^2 / 3 - 3) )
    peer = stats.anderson_ksamp([a, b], variant="midrank", method=stats.PermutationMethod(9)).statistic
    assert (ours - 1) / np.sqrt(2 * (np.pi**2 / 3 - 3)) == pytest.approx(peer, rel=0.03)


@pytest.mark.parametrize(("value", "p"), [(1.933, 0.1), (2.492, 0.05), (3.070, 0.025), (3.878, 0.01)])
def test_anderson_darlings_p_value_is_that_of_the_published_table(value, p):
    # Stephens 1974, table 1, case 0; the last by Marsaglia and Marsaglia 2004
    assert 0.999 * p <= two_samples._anderson_darling_tail(value) <= 1.045 * p


@pytest.mark.parametrize(
    "table", [[(5, 1), (7, 13)], [(3, 0), (20, 14)], [(4, 3), (40, 33)], [(1, 5), (9, 1)]]
)
def test_rare_categories_have_the_exact_p_value_of_all_tables_with_these_totals(table):
    (a, b), (c, d) = table
    drawn = np.arange(min(a + b, a + c) + 1)
    chance = stats.hypergeom(a + b + c + d, a + c, a + b).pmf(drawn)
    apart = np.abs(
        drawn - (a + b) * (a + c) / (a + b + c + d)
    )  # in a table of two by two as good as Pearson's
    exact = chance[apart >= apart[a] - 1e-9].sum()
    assert two_samples.chi_squared(*np.array(table)).p == pytest.approx(exact, abs=0.015)


def test_categories_are_scipys_chi_squared():
    rng = np.random.default_rng(2)
    a, b = rng.choice(list("abc"), 500), rng.choice(list("abc"), 400, p=[0.5, 0.3, 0.2])
    table = pd.crosstab(np.concatenate([a, b]), np.repeat([0, 1], [500, 400]))
    row = monitoring.drift(pd.DataFrame({"x": a}), pd.DataFrame({"x": b})).frame().iloc[0]
    assert row["p"] == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    shares = table / table.sum()
    assert row["effect"] == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)
    assert row["jensen_shannon"] == pytest.approx(
        spatial.distance.jensenshannon(*shares.to_numpy().T, base=2)
    )


def test_corrections_are_scipys_and_holms():
    p = np.random.default_rng(3).uniform(size=30) ** 3
    assert monitoring.correct(p, "fdr") == pytest.approx(stats.false_discovery_control(p))
    assert monitoring.correct(p, "bonferroni") == pytest.approx(np.minimum(30 * p, 1))
    holm = [max((30 - place) * each for place, each in enumerate(np.sort(p)[: k + 1])) for k in range(30)]
    assert np.sort(monitoring.correct(p)) == pytest.approx(np.minimum(holm, 1))
    assert monitoring.correct([]).size == 0


def test_wasserstein_is_scipys():
    a, b = np.random.default_rng(4).normal(size=(2, 500))
    assert monitoring.wasserstein(a, b * 2) == pytest.approx(stats.wasserstein_distance(a, b * 2))
    with pytest.raises(ValueError, match="categories have no distance"):
        monitoring.wasserstein(a, ["x"])


def test_psi_gives_an_empty_bin_a_ten_thousandth_and_refuses_what_it_cannot_bin():
    p, q = np.array([0.5, 0.5]), np.array([1.0, 1e-4])
    assert monitoring.psi(["a", "b"], ["a", "a"]) == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert monitoring.psi([1.0, 2.0], [1.0, 2.0]) == 0.0
    for one, other, said in (([np.nan], [1.0], "reference holds no value"), (["a"], [1.0], "one kind")):
        with pytest.raises(ValueError, match=said):
            monitoring.psi(one, other)
    with pytest.raises(ValueError, match="no finite number"):
        monitoring.psi([1.0], [np.inf])
    with pytest.raises(ValueError, match="at least 2"):
        monitoring.psi([1.0], [2.0], bins=1)


@pytest.mark.parametrize("d", [0.2, 0.32, 0.5])
def test_psi_of_a_shifted_bell_curve_is_close_to_the_shift_squared(d):
    places = (np.arange(20_000) + 0.5) / 20_000
    before = stats.norm.ppf(places)
    assert monitoring.psi(before, before + d) == pytest.approx(d**2, rel=0.08)
    assert monitoring.psi(before, before + d, bins=200) == pytest.approx(d**2, rel=0.01)


def test_large_tables_make_everything_significant_and_only_size_matters():
    rng = np.random.default_rng(5)
    a, b = (pd.DataFrame({"x": rng.normal(mean, 1, 200_000)}) for mean in (0, 0.03))
    assert monitoring.drift(a, b).frame().loc[0, ["verdict"]].item() == "too small"
    assert monitoring.drift(a, b, min_effect=0).drifted == ("x",)


def test_a_summary_is_the_frame_rounded_for_reading():
    rng = np.random.default_rng(0)
    before = pd.DataFrame(rng.normal(size=(400, 2)), columns=["moved", "still"])
    report = monitoring.drift(before, before.assign(moved=before["moved"] + 1))
    summary, frame = report.summary(), report.frame().set_index("column")
    assert summary.columns.tolist() == ["test", "p_corrected", "effect", "verdict"]
    assert summary["p_corrected"].tolist() == ["< 0.001", f"{frame.loc['still', 'p_corrected']:.3f}"]
    assert (summary["effect"] == frame["effect"].round(3)).all()
    assert summary["verdict"].tolist() == ["drifted", "no drift"]


def test_broken_tables_get_reasons_and_never_nan():
    before = pd.DataFrame(
        {
            "same": 1.0,
            "kind": range(60),
            "empty": None,
            "gone": 1,
            "list": [[i % 2] for i in range(60)],
            "inf": np.linspace(0, 1, 60),
            "when": pd.date_range("2026-01-01", periods=60),
        }
    )
    now = before.drop(columns="gone").assign(
        kind="a", new=1, inf=[np.inf] * 30 + [0.5] * 30, same=1.0, list=[[2]] * 60
    )
    table = monitoring.drift(before, now).frame().set_index("column")
    verdicts = table["verdict"].to_dict()
    assert verdicts == {
        "same": "no drift",
        "kind": "drifted",
        "empty": "not decided",
        "gone": "drifted",
        "list": "not decided",
        "inf": "drifted",
        "when": "not decided",
        "new": "not decided",
    }
    assert table[["p", "p_corrected", "effect", "p_missing"]].notna().all(axis=None)
    assert table["reason"].str.len().min() > 5


def test_two_tests_of_a_column_are_paid_for_and_missing_rows_are_a_test_of_their_own():
    rng = np.random.default_rng(8)
    before, now = (pd.DataFrame({"x": rng.normal(size=400)}) for _ in range(2))
    p = {test: monitoring.drift(before, now, test=test).table["p"].item() for test in ("ks", "ad", "both")}
    assert p["both"] == min(1.0, 2 * min(p["ks"], p["ad"]))
    holes = now.mask(np.arange(400)[:, None] < 40)
    row = monitoring.drift(before, holes).table.iloc[0]
    assert (row["verdict"], row["missing"], row["missing_now"]) == ("drifted", 0.0, 0.1)
    assert "missing in 0.0% of the rows, now in 10.0%" in row["reason"]
    table = [[0, 400], [40, 360]]
    peer = stats.chi2_contingency(table, correction=False).pvalue
    assert row["p_missing"] == pytest.approx(2 * peer)  # Holm: the smallest of two tests
    assert monitoring.drift(holes, holes).drifted == ()


def test_too_few_rows_are_not_decided():
    one, many = pd.DataFrame({"x": [9.0]}), pd.DataFrame({"x": np.arange(30.0)})
    assert monitoring.drift(many, one).frame()["verdict"].tolist() == ["not decided"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"current": pd.DataFrame({"x": []})}, "0 rows"),
        ({"current": [1]}, "DataFrame"),
        ({"alpha": 5}, "alpha=5"),
        ({"correction": "scheffe"}, "holm"),
        ({"min_effect": 2}, "min_effect=2"),
        ({"test": "t"}, "both"),
        ({"columns": ["y"]}, "'y'"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, said):
    table = pd.DataFrame({"x": np.arange(30.0)})
    with pytest.raises((TypeError, ValueError), match=said):
        monitoring.drift(**{"reference": table, "current": table, **arguments})


def _turned(rng, sign, n=1000):
    table = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef"))
    return table.assign(b=sign * 0.6 * table["a"] + 0.8 * table["b"])


def test_a_rotation_shows_jointly_and_in_no_column():
    rng = np.random.default_rng(6)
    before, now = _turned(rng, 1), _turned(rng, -1)
    report = monitoring.joint_drift(before, now)
    assert report.drifted
    assert report.by["columns"].tolist() == ["a x b"]
    assert monitoring.drift(before, now).drifted == ()
    quiet = monitoring.joint_drift(before, _turned(rng, 1))
    assert not quiet.drifted
    assert report.p == 1 / 200 < 0.05 < quiet.p


def test_a_slice_is_named_that_the_whole_hides():
    rng = np.random.default_rng(7)
    before = pd.DataFrame({"colour": rng.normal(size=6000), "by": ["belt"] * 5700 + ["hand"] * 300})
    now = before.assign(colour=rng.normal(size=6000) + 0.7 * (before["by"] == "hand"))
    assert monitoring.drift(before, now, columns=["colour"]).drifted == ()
    sliced = monitoring.segment_drift(before, now, by="by")
    assert sliced.slices == (("hand", "colour"),)
    assert sliced.table["column"].tolist() == ["colour, by belt", "colour, by hand"]
