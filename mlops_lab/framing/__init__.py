"""When to use machine learning, decided from data, costs and volume (L1-L3).

`should_use_ml` answers the whole question. Each test stands alone as well: `prepare` a table once, then
`relation` (is there one?), `contest` (is a rule enough?), `learning_curve` (are there enough data?),
`tell_apart` and `over_time` (will tomorrow look like the past?), and the arithmetic of `Costs`.
"""

from mlops_lab.framing.cases import CASES, case
from mlops_lab.framing.contest import contest
from mlops_lab.framing.costs import Costs, break_even_error
from mlops_lab.framing.evidence import Attestation
from mlops_lab.framing.learning_curve import learning_curve
from mlops_lab.framing.permutation_test import ShuffleTest, relation, shuffle_test
from mlops_lab.framing.problem import ROW_CAP, Problem, prepare
from mlops_lab.framing.rates import error_rates
from mlops_lab.framing.shift import over_time, tell_apart
from mlops_lab.framing.skill import skill
from mlops_lab.framing.verdict import Verdict, should_use_ml

__all__ = [
    "CASES",
    "ROW_CAP",
    "Attestation",
    "Costs",
    "Problem",
    "ShuffleTest",
    "Verdict",
    "break_even_error",
    "case",
    "contest",
    "error_rates",
    "learning_curve",
    "over_time",
    "prepare",
    "relation",
    "should_use_ml",
    "shuffle_test",
    "skill",
    "tell_apart",
]
