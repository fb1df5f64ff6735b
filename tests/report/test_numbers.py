"""How a number is written for a reader."""

import math

import pytest

from mlops_lab.report import shown


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "", "0.5"),
        (2 / 3, "s", "0.6667 s"),
        (25920.0, "$", "$25,920"),
        (-25920, "$", "-$25,920"),
        (12345.678, "crates", "12,346 crates"),
        (1.5e-7, "", "1.5e-07"),
        (True, "", "true"),
        (-math.inf, "", "minus infinite"),
    ],
)
def test_numbers_are_shown_short(value, unit, text):
    assert shown(value, unit) == text
