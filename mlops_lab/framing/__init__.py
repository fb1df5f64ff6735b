"""When to use machine learning, decided from data, costs and volume (L1-L3).

`should_use_ml` answers the whole question. Each test stands alone as well: `prepare` a table once, then
`relation` (is there one?), `contest` (is a rule enough?), `learning_curve` (are there enough data?),
`tell_apart` and `over_time` (will tomorrow look like the past?), `find_lookup`, `group_that_pays`, and the
arithmetic of `Costs`.
"""

from mlops_lab.framing.attestation import Attestation
from mlops_lab.framing.cases import CASES, FramingCase, case
from mlops_lab.framing.contest import Contest, contest, rivals
from mlops_lab.framing.costs import (
    Costs,
    NetValue,
    Part,
    break_even_error,
    break_even_volume,
    net_value,
    part_that_pays,
)
from mlops_lab.framing.decide import should_use_ml
from mlops_lab.framing.enough import LearningCurve, learning_curve
from mlops_lab.framing.evidence import Evidence
from mlops_lab.framing.groups import Group, group_that_pays
from mlops_lab.framing.inputs import ROW_CAP, Problem, prepare
from mlops_lab.framing.measure import Measured, measure
from mlops_lab.framing.models import models
from mlops_lab.framing.precedence import DECISIONS
from mlops_lab.framing.rates import error_rates
from mlops_lab.framing.signal import ShuffleTest, relation, shuffle_test
from mlops_lab.framing.skill import skill
from mlops_lab.framing.tables import Lookup, find_lookup
from mlops_lab.framing.unseen import Ageing, Apart, over_time, tell_apart
from mlops_lab.framing.verdict import Verdict

__all__ = [
    "CASES",
    "DECISIONS",
    "ROW_CAP",
    "Ageing",
    "Apart",
    "Attestation",
    "Contest",
    "Costs",
    "Evidence",
    "FramingCase",
    "Group",
    "LearningCurve",
    "Lookup",
    "Measured",
    "NetValue",
    "Part",
    "Problem",
    "ShuffleTest",
    "Verdict",
    "break_even_error",
    "break_even_volume",
    "case",
    "contest",
    "error_rates",
    "find_lookup",
    "group_that_pays",
    "learning_curve",
    "measure",
    "models",
    "net_value",
    "over_time",
    "part_that_pays",
    "prepare",
    "relation",
    "rivals",
    "should_use_ml",
    "shuffle_test",
    "skill",
    "tell_apart",
]
