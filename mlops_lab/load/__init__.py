"""Varying load: how many machines, when, what the bill is, and what people wait for it (L10).

- `daily_curve`, `bursty`, `arrivals`, `assumptions`: traffic.
- `Fixed`, `Hold`, `HPA`, `Knative`, `PerRequest`, `Seen`: when to add and remove machines.
- `simulate`, `stream`: every request, exactly; `SimulationResult`, `Summary`, `compare`: what came out.
- `bills`, `fluid`: what the curve alone tells, in milliseconds.
- `mean_wait_s`, `monthly_cost_usd`: what theory (Erlang's, in `formulas`) and the price list say.

It leaves out networks, batching, failures and clients that retry.
"""

from mlops_lab.load.fluid_approximation import Fluid, bills, fluid
from mlops_lab.load.formulas import mean_wait_s, monthly_cost_usd
from mlops_lab.load.results import SimulationResult, Summary, compare
from mlops_lab.load.scaling_policies import HPA, Fixed, Hold, Knative, PerRequest, Policy, Seen
from mlops_lab.load.simulation import simulate, stream
from mlops_lab.load.traffic import arrivals, assumptions, bursty, daily_curve

__all__ = [
    "HPA",
    "Fixed",
    "Fluid",
    "Hold",
    "Knative",
    "PerRequest",
    "Policy",
    "Seen",
    "SimulationResult",
    "Summary",
    "arrivals",
    "assumptions",
    "bills",
    "bursty",
    "compare",
    "daily_curve",
    "fluid",
    "mean_wait_s",
    "monthly_cost_usd",
    "simulate",
    "stream",
]
