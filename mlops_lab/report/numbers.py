"""How a number is written for a reader: on cards, in messages, in quoted results."""

from __future__ import annotations

import math

__all__ = ["shown"]


def shown(value: float | bool, unit: str = "") -> str:
    """Write a number as a card shows it: four significant digits, whole numbers in full, with its unit.

    Cannot show a difference smaller than its fourth digit: two values that look alike may differ.

    Parameters
    ----------
    value
        A number, or true or false.
    unit
        Written behind the number; a currency sign before it.

    Examples
    --------
    >>> shown(0.123456), shown(12345.6), shown(-3, "$")
    ('0.1235', '12,346', '-$3')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    size = abs(value)
    if value == int(value) and size < 1e15:
        text = f"{int(value):,}"
    elif 1000 <= size < 1e15:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    if unit in ("$", "€", "£"):
        return text.replace("-", f"-{unit}", 1) if text.startswith("-") else unit + text
    return f"{text} {unit}" if unit else text
