"""Expectation versus reality (L12): a season to play, with models really trained and remedies really priced.

`play` runs a whole season by a policy; a `Season` is the same by hand. `load_scenario` reads the story, and
the tests of the five symptoms stand alone as well (`mlops_lab.reality.symptoms`).
"""

from mlops_lab.reality.evaluation import Yardsticks, yardsticks
from mlops_lab.reality.pager import Page
from mlops_lab.reality.played_season import PlayedSeason, judge, play
from mlops_lab.reality.policies import POLICIES
from mlops_lab.reality.price_list import ACTIONS, Bill
from mlops_lab.reality.product import Week
from mlops_lab.reality.scenario import SYMPTOMS, Scenario, load_scenario, scenarios
from mlops_lab.reality.season import Season
from mlops_lab.reality.symptoms import Symptom

__all__ = [
    "ACTIONS",
    "POLICIES",
    "SYMPTOMS",
    "Bill",
    "Page",
    "PlayedSeason",
    "Scenario",
    "Season",
    "Symptom",
    "Week",
    "Yardsticks",
    "judge",
    "load_scenario",
    "play",
    "scenarios",
    "yardsticks",
]
