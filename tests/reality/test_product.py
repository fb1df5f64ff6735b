"""The product: money by the price list, returns that cost the price, hours of the day, common luck."""

import math

import numpy as np
import pandas as pd
import pytest

from mlops_lab.reality import load_scenario
from mlops_lab.reality.hidden_truth import HiddenTruth
from mlops_lab.reality.product import DAMAGE, RECOVERY, RETURNS, Product
from mlops_lab.worlds import Orchard, profit, rule_card

ORCHARD = Orchard(seed=1)


def _premium(crates):
    return pd.Series("premium", index=crates.index)


def test_money_at_full_price_is_that_of_the_price_list():
    batch = ORCHARD.week(6, n=400)
    log = Product(ORCHARD, volume=400).serve(6, rule_card, fee=2.0)
    assert log.profit == pytest.approx(profit(rule_card(batch.crates), batch.truth) - 800)
    assert log.revenue > log.profit and 0 < log.priced < log.revenue


def test_returns_erode_the_price_and_only_if_they_may():
    hurt, healthy = Product(ORCHARD, 300), Product(ORCHARD, 300, trust_damage=0.0)
    prices = [week.price for week in hurt.run(_premium, range(6, 10))]
    assert prices == sorted(prices, reverse=True) and prices[-1] < prices[0]
    assert {week.price for week in healthy.run(_premium, range(6, 10))} == {1.0}


def test_the_damage_of_a_return_can_be_read_off_the_log_alone():
    log = Product(ORCHARD, 300, trust_damage=0.7).run(_premium, range(6, 16))
    prices, returned = (np.array([getattr(week, name) for week in log]) for name in ("price", "returned"))
    lost = -np.log(prices[1:] / (prices + RECOVERY * (1 - prices))[:-1])
    assert lost / returned[:-1] == pytest.approx(np.full(9, DAMAGE * 0.7))
    assert (prices > 0).all()


def test_perfect_grades_bring_no_returns_and_no_truth_is_shown_to_the_decision():
    seen = []
    truth = ORCHARD.week(6, n=300).truth

    def perfect(crates):
        seen.extend(crates.columns)
        return truth

    log = Product(ORCHARD, 300).serve(6, perfect)
    assert log.returned == 0 and log.next_price == 1.0
    assert not {"truth", "label", "checked"} & set(seen)


def test_a_week_is_the_same_whatever_was_served_before_and_however_it_is_cut():
    product = Product(ORCHARD, 300)
    product.run(_premium, range(6, 9))
    whole = product.serve(9, rule_card)
    assert whole == Product(ORCHARD, 300).serve(9, rule_card)
    parts = [product.days(9, rule_card, first=0, last=2), product.days(9, rule_card, first=3, last=6)]
    assert product.close(9, parts) == whole


def test_the_common_devices_work_by_day_and_the_others_send_at_night():
    served = Product(ORCHARD, 2000).days(9, rule_card)
    clock = served.hour % 24
    assert (np.diff(served.hour) >= 0).all() and (served.hour // 168 == 9).all()
    assert ((clock >= 6) & (clock < 20))[served.group == 0].all()
    assert ((clock >= 1) & (clock < 3))[served.group == 1].all()
    assert served.before(9 * 168 + 24.0).hour.max() < 9 * 168 + 24


def test_who_is_underpaid_complains_far_more_often():
    served = Product(ORCHARD, 5000).days(9, lambda crates: pd.Series("juice", index=crates.index))
    low = served.channel < served.truth
    assert served.complained[low].mean() == pytest.approx(0.20, abs=0.03)
    assert served.complained[~low].mean() < 0.02


def test_a_sale_above_its_grade_in_a_good_channel_comes_back_and_a_rare_one_three_times():
    for truth in range(4):
        for channel in range(4):
            over = channel >= 2 and truth < channel
            assert RETURNS[truth, channel] == (3 if truth == 0 else 1) * over


def test_a_second_domain_has_its_own_prices_and_words():
    scenario = load_scenario("phones")
    hidden = HiddenTruth(scenario, 0)
    week = hidden.product.serve(6, lambda items: pd.Series("standard", index=items.index))
    batch = hidden.week(6, n=scenario.volume)
    table = scenario.value_table
    assert week.profit == pytest.approx(sum(table.loc[grade, "standard"] for grade in batch.truth))
    assert set(week.items) == {"bench", "pocket"} and sum(week.items.values()) == scenario.volume
    assert list(batch.crates) == [*scenario.features, "tester", "week"]
    assert set(batch.truth) | set(batch.labels) == set(scenario.grades)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"volume": 0}, "volume=0"),
        ({"trust_damage": -0.1}, "trust_damage=-0.1"),
        ({"trust_damage": math.inf}, "finite"),
        ({"trust_damage": math.nan}, "finite"),
        ({"prices": pd.DataFrame([[1.0]], index=["a"], columns=["a"])}, "four grades"),
    ],
)
def test_bad_input_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Product(ORCHARD, **change)


def test_an_unknown_channel_is_refused():
    with pytest.raises(ValueError, match="none of spoiled"):
        Product(ORCHARD, 50).serve(6, lambda crates: pd.Series("cider", index=crates.index))
