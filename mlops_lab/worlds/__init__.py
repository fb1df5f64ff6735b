"""Seeded data worlds whose truth we own: the orchard's crates, problem cases, and bundled real data."""

from mlops_lab.worlds.cases import CASES, Case, case
from mlops_lab.worlds.crates import FEATURES, GRADES, PRICES, SCANNERS, Batch, profit, rule_card
from mlops_lab.worlds.orchard import Orchard
from mlops_lab.worlds.random_streams import Streams
from mlops_lab.worlds.real_tables import REAL, real

__all__ = [
    "CASES",
    "FEATURES",
    "GRADES",
    "PRICES",
    "REAL",
    "SCANNERS",
    "Batch",
    "Case",
    "Orchard",
    "Streams",
    "case",
    "profit",
    "real",
    "rule_card",
]
