"""Expectation versus reality (L12): what follows from a grade once crates are sold and returned."""

from mlops_lab.reality.product import Product, Week

__all__ = ["Product", "Week"]
