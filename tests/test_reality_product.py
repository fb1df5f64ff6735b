"""The product: money by the price list, returns that cost the price, common random numbers."""

import numpy as np
import pandas as pd
import pytest

from mlops_lab.reality import Product
from mlops_lab.worlds import Orchard, profit, rule_card

ORCHARD = Orchard(seed=1)


def _premium(crates):
    return pd.Series("premium", index=crates.index)


def test_money_at_full_price_is_that_of_the_price_list():
    batch = ORCHARD.week(6, n=400)
    log = Product(ORCHARD, volume=400).serve(6, rule_card, fee=2.0)
    assert log.money == pytest.approx(profit(rule_card(batch.crates), batch.truth) - 800)


def test_returns_erode_the_price_and_only_if_they_may():
    hurt, healthy = Product(ORCHARD, 300), Product(ORCHARD, 300, trust_damage=0.0)
    prices = [week.price for week in hurt.run(_premium, range(6, 10))]
    assert prices == sorted(prices, reverse=True) and prices[-1] < prices[0]
    assert {week.price for week in healthy.run(_premium, range(6, 10))} == {1.0}


def test_the_damage_of_a_return_can_be_read_off_the_log_alone():
    log = Product(ORCHARD, 300, trust_damage=0.7).run(_premium, range(6, 16))
    prices, returned = (np.array([getattr(week, name) for week in log]) for name in ("price", "returned"))
    lost = -np.log(prices[1:] / (prices + 0.05 * (1 - prices))[:-1])
    assert lost / returned[:-1] == pytest.approx(np.full(9, 0.28 * 0.7))
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


def test_a_week_is_the_same_whatever_was_served_before():
    product = Product(ORCHARD, 300)
    product.run(_premium, range(6, 9))
    assert product.serve(9, rule_card) == Product(ORCHARD, 300).serve(9, rule_card)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="volume=0"):
        Product(ORCHARD, volume=0)
    with pytest.raises(ValueError, match="none of spoiled"):
        Product(ORCHARD, 50).serve(6, lambda crates: pd.Series("cider", index=crates.index))
