"""The five tests fire where they should, and their false alarms are as rare as promised."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mlops_lab.reality.pager import MATCHED, ODDS, Page, Pager
from mlops_lab.reality.product import Week, price_of_a_return
from mlops_lab.reality.symptoms import (
    falling_revenue,
    first_spot_check,
    stale,
    unequal_complaints,
    weak_class,
    wrong_labels,
)

GRADES = ["rot", "juice", "table"]


def _weeks(revenues):
    return [Week(n, money, money, 1.0, 1.0, 10, 0.1, {}, {}) for n, money in enumerate(revenues)]


def _stream(rng, rate, small_rate, days, share=0.15, a_day=170):
    """Days of items: the common ones first, the small group's at night, as in the product."""
    for day in range(days):
        small = int(rng.binomial(a_day, share))
        yield from ((24.0 * day + 6, False, bool(x)) for x in rng.random(a_day - small) < rate)
        yield from ((24.0 * day + 26, True, bool(x)) for x in rng.random(small) < small_rate)


# ---------------------------------------------------------------- the pager


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_the_pager_keeps_its_promise_where_nothing_is_unfair(rate):
    rng = np.random.default_rng(1)
    rang = sum(Pager("h", alpha=0.05).watch(_stream(rng, rate, rate, 25)) is not None for _ in range(120))
    assert stats.binomtest(rang, 120, 0.05, alternative="greater").pvalue > 0.01


def test_the_pager_rings_soon_where_one_group_is_wronged():
    rng = np.random.default_rng(2)
    pages = [Pager("h").watch(_stream(rng, 0.02, 0.15, 21)) for _ in range(40)]
    assert all(pages)
    assert np.median([page.day for page in pages]) < 7
    assert all(page.rate > page.other_rate and page.evidence >= 1000 for page in pages)


def test_the_bets_are_fair_and_their_odds_are_those_of_the_hypergeometric():
    for among in range(1, MATCHED + 1):
        for complained in (True, False):
            pager = Pager("h")
            for place in range(MATCHED):
                pager.see(0.0, False, place < among - complained)
            pager.see(1.0, True, complained)
            fair = among / (MATCHED + 1)
            by_hand = []
            for odds in ODDS:
                chance = stats.nchypergeom_fisher(MATCHED + 1, 1, among, odds).pmf(1)
                by_hand.append(chance / fair if complained else (1 - chance) / (1 - fair))
            assert pager.evidence == pytest.approx(np.mean(by_hand))


def test_a_copy_of_a_pager_goes_its_own_way():
    pager = Pager("h")
    pager.watch(_stream(np.random.default_rng(0), 0.1, 0.1, 3))
    other = pager.copy()
    before = pager.evidence
    assert other.watch(_stream(np.random.default_rng(1), 0.0, 1.0, 5)) and pager.evidence == before


def test_a_page_says_when_and_who():
    page = Page(hour=24 * 90 + 2.25, group="handheld", rate=0.1, other_rate=0.02, evidence=1000)
    assert (page.day, page.week, page.clock) == (90, 12, "02:15")
    assert "02:15 on day 90" in str(page) and "handheld" in str(page)


def test_the_table_of_complaints_gives_what_the_pager_gives():
    rows = list(_stream(np.random.default_rng(3), 0.02, 0.2, 14))
    table = pd.DataFrame(rows, columns=["hour", "small", "complained"])
    table["scanner"] = np.where(table["small"], "handheld", "belt")
    found, page = unequal_complaints(table, device="scanner", group="handheld")
    assert found.fired and page == Pager("handheld").watch(rows)
    assert found.measures["rate"] > found.measures["others"] and found.worst == "handheld"


@pytest.mark.parametrize("alpha", [0, 1, -0.1, math.nan])
def test_an_alpha_that_is_none_is_refused(alpha):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Pager("h", alpha)


def test_complaints_without_a_group_are_refused():
    table = pd.DataFrame({"hour": [1.0, 2.0], "scanner": ["belt", "belt"], "complained": [True, False]})
    with pytest.raises(ValueError, match="of another are needed"):
        unequal_complaints(table, device="scanner", group="handheld")
    with pytest.raises(ValueError, match="device"):
        unequal_complaints(table, device="device", group="handheld")


# ---------------------------------------------------------------- the other four


def test_wrong_labels_fires_only_beyond_doubt():
    true = ["table"] * 200
    assert wrong_labels(["juice"] * 24 + true[24:], true).fired
    assert not wrong_labels(["juice"] * 12 + true[12:], true).fired  # 6 %, but it may well be less than 5 %
    interval = stats.binomtest(24, 200).proportion_ci(method="wilson")
    found = wrong_labels(["juice"] * 24 + true[24:], true).findings[0]
    assert found.interval == pytest.approx((interval.low, interval.high))


def test_weak_class_names_the_grade_and_bears_the_ordinary():
    true = np.repeat(GRADES, 100)
    said = true.copy()
    said[:65] = "juice"
    found = weak_class(said, true, GRADES)
    assert found.fired and found.worst == "rot" and found.measures["recall"] == pytest.approx(0.35)
    said = true.copy()
    said[:25] = "juice"  # 75 % against 100 %: not so far below
    assert not weak_class(said, true, GRADES).fired


def test_stale_needs_a_loss_that_matters():
    assert stale([True] * 200 + [False] * 50, [True] * 130 + [False] * 120).fired
    assert not stale([True] * 200 + [False] * 50, [True] * 195 + [False] * 55).fired
    assert not stale([True] * 130 + [False] * 120, [True] * 200 + [False] * 50).fired  # better is not stale
    many = [True] * 9000 + [False] * 1000
    assert not stale(many, [True] * 8700 + [False] * 1300).fired  # certain, and too small to matter


def test_false_alarms_of_stale_are_rare():
    rng = np.random.default_rng(0)
    fired = sum(bool(stale(rng.random(250) < 0.8, rng.random(250) < 0.8).fired) for _ in range(300))
    assert fired <= 8  # one in a hundred is promised


def test_revenue_falls_only_counts_at_steady_accuracy():
    right, worse = [True] * 240 + [False] * 60, [True] * 190 + [False] * 110
    falling, level = _weeks(100 - 2.0 * np.arange(9)), _weeks([100, 98, 101, 99, 100, 102, 98, 100, 99])
    found = falling_revenue(falling, right, right)
    assert found.fired and found.measures["change"] == pytest.approx(-0.16)
    assert not falling_revenue(falling, right, worse).fired  # the model got worse: that is another trouble
    assert not falling_revenue(level, right, right).fired
    assert not falling_revenue(_weeks([100.0] * 8), right, right).fired
    assert first_spot_check(right, 2).fired is None


def test_false_alarms_of_revenue_are_rare():
    rng = np.random.default_rng(5)
    right = [True] * 240 + [False] * 60
    fired = sum(
        bool(falling_revenue(_weeks(100 + 3 * rng.normal(size=9)), right, right).fired) for _ in range(300)
    )
    assert fired <= 6


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wrong_labels([], []), "0 labels"),
        (lambda: wrong_labels(["a"], ["a", "b"]), "1 labels for 2"),
        (lambda: weak_class(["rot"], ["rot"], GRADES), "truly juice"),
        (lambda: stale([], [True]), "0 old"),
        (lambda: falling_revenue(_weeks([1, 2, 3]), [True], [True]), "3 weeks"),
        (lambda: price_of_a_return(_weeks([1, 2]), 5), "2 weeks"),
        (lambda: price_of_a_return(_weeks([1, 2, 3]), -1), "weeks_left=-1"),
    ],
)
def test_too_little_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---------------------------------------------------------------- the price of a return


def _log(damage, recovery, returned):
    log, price = [], 1.0
    for number, each in enumerate(returned):
        after = (price + recovery * (1 - price)) * math.exp(-damage * each)
        log.append(Week(number, 100 * price, 0.0, price, after, 50, each, {}, {}, priced=100 * price))
        price = after
    return log


@pytest.mark.parametrize("damage", [0.05, 0.3, 2.0, 40.0])
@pytest.mark.parametrize("recovery", [0.01, 0.2])
def test_both_speeds_are_found_again_however_high(damage, recovery):
    returned = 0.2 + 0.1 * np.sin(np.arange(9))
    found = price_of_a_return(_log(damage, recovery, returned), 10)
    assert found.damage == pytest.approx(damage, rel=1e-3)
    assert found.recovery == pytest.approx(recovery, abs=2e-3)
    assert found.money > 0


def test_without_damage_a_return_costs_nothing_later():
    assert price_of_a_return(_log(0.0, 0.05, [0.3] * 6), 10).money == 0


def test_the_price_is_what_one_more_return_really_costs():
    returned = [0.2] * 12
    log = _log(0.2, 0.03, returned)
    left = 8

    def later(extra_at):
        """Revenue of the weeks left if week `extra_at` of them has one return more."""
        price, total = log[-1].next_price, 0.0
        for week in range(left):
            total += 100 * price
            more = 1 / 50 if week == extra_at else 0.0
            price = (price + 0.03 * (1 - price)) * math.exp(-0.2 * (0.2 + more))
        return total

    lost = np.mean([later(None) - later(week) for week in range(left)])
    assert price_of_a_return(log, left).money == pytest.approx(lost, rel=0.12)
