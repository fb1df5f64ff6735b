"""Seeded data worlds whose truth we own: the orchard's crates, problem cases, and bundled real data."""

from mlops_lab.worlds.batch import Batch
from mlops_lab.worlds.cases import CASES, DECISIONS, Case, CaseTruth, case
from mlops_lab.worlds.orchard import Orchard
from mlops_lab.worlds.packhouse import FEATURES, GRADES, PRICES, SCANNERS, profit, rule_card
from mlops_lab.worlds.randomness import Streams
from mlops_lab.worlds.real import FETCHABLE, REAL, Table, fetch, real
from mlops_lab.worlds.stories import Stakes

__all__ = [
    "CASES",
    "DECISIONS",
    "FEATURES",
    "FETCHABLE",
    "GRADES",
    "PRICES",
    "REAL",
    "SCANNERS",
    "Batch",
    "Case",
    "CaseTruth",
    "Orchard",
    "Stakes",
    "Streams",
    "Table",
    "case",
    "fetch",
    "profit",
    "real",
    "rule_card",
]
