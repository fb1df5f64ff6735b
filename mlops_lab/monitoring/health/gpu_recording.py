"""What a real graphics card said of itself while it worked: a recording, for machines that have none."""

from __future__ import annotations

import pandas as pd

from mlops_lab.report import benchmark_result

__all__ = ["recorded_gpu_work"]

STEADY = slice(4, -1)
"""The first second and the last reading are left out: the card's own mean still holds what was before."""


def recorded_gpu_work() -> pd.DataFrame:
    """Give what one card showed during several kinds of work, and how much it computed.

    benchmarks/gpu.py recorded it on the card that its result names, by `gpus`, four times a second. It tells
    nothing about another card, and nothing about this machine.

    Returns
    -------
    pandas.DataFrame
        One row for each kind of work: medians of the readings (``utilisation_percent``, ``memory_used_mib``,
        ``temperature_c``, ``power_w``), and ``tflop_per_s``, 1e12 additions and multiplications a second.

    Examples
    --------
    >>> recorded_gpu_work().loc["idle", "utilisation_percent"]
    np.float64(0.0)

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    rows = {}
    for work in benchmark_result("gpu")["phases"]:
        shown = pd.DataFrame(work["readings"]).drop(columns="t_s").iloc[STEADY].median()
        rows[work["phase"]] = {**shown, "tflop_per_s": work["tflops"]}
    return pd.DataFrame(rows).T.rename_axis("work")
