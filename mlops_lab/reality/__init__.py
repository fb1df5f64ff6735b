"""Expectation versus reality (L12): a season to play, with models really trained and remedies really priced.

`play` runs a whole season by a policy; a `Project` is the same by hand. `load_scenario` reads the story, and
the tests of the five symptoms stand alone as well.
"""

from mlops_lab.reality.answers import Symptom
from mlops_lab.reality.judging import Effect
from mlops_lab.reality.pager import Page, Pager
from mlops_lab.reality.policies import POLICIES
from mlops_lab.reality.price_list import ACTIONS, Bill
from mlops_lab.reality.product import Product, Week
from mlops_lab.reality.project import Project
from mlops_lab.reality.registry import Version
from mlops_lab.reality.returns import ReturnPrice, price_of_a_return
from mlops_lab.reality.scenario import DEFECTS, SYMPTOMS, Scenario
from mlops_lab.reality.scenario_files import load_scenario, scenarios
from mlops_lab.reality.story import Story, Yardsticks, judge, play, yardsticks
from mlops_lab.reality.symptoms import (
    falling_revenue,
    stale,
    unequal_complaints,
    weak_class,
    wrong_labels,
)

__all__ = [
    "ACTIONS",
    "DEFECTS",
    "POLICIES",
    "SYMPTOMS",
    "Bill",
    "Effect",
    "Page",
    "Pager",
    "Product",
    "Project",
    "ReturnPrice",
    "Scenario",
    "Story",
    "Symptom",
    "Version",
    "Week",
    "Yardsticks",
    "falling_revenue",
    "judge",
    "load_scenario",
    "play",
    "price_of_a_return",
    "scenarios",
    "stale",
    "unequal_complaints",
    "weak_class",
    "wrong_labels",
    "yardsticks",
]
