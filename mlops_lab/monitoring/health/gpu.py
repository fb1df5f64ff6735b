"""How busy are the graphics cards? Asked of the driver, and "there is none" is an answer too.

First NVML, the driver's own library, where its Python package is installed; then the program ``nvidia-smi``.
What neither can tell stays None. Nothing is estimated.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlops_lab.report import Finding, Report, benchmark_result

__all__ = ["gpus", "recorded_gpu_work"]

_QUERY = (
    "index",
    "name",
    "utilization.gpu",
    "memory.used",
    "memory.total",
    "temperature.gpu",
    "power.draw",
)
"""What ``nvidia-smi --query-gpu=... --format=csv`` is asked for."""

_SECONDS = 10
_MIB = 1024**2
_STEADY = slice(4, -1)
"""The first second and the last reading are left out: the card's own mean still holds what was before."""


@dataclass(frozen=True)
class Gpu:
    """One graphics card at one moment; None is what the driver did not tell.

    Attributes
    ----------
    index, name
        Which card.
    utilisation_percent
        Share of the last moment in which *any* work ran on it. A card can show 100 and be nearly idle inside.
    memory_used_mib, memory_total_mib
        Memory; what a framework has reserved counts as used, what the driver keeps for itself does not.
    temperature_c, power_w
        Degrees Celsius and watts.

    Examples
    --------
    >>> Gpu(0, "a card", utilisation_percent=98.0).power_w is None
    True
    """

    index: int
    name: str
    utilisation_percent: float | None = None
    memory_used_mib: float | None = None
    memory_total_mib: float | None = None
    temperature_c: float | None = None
    power_w: float | None = None


@dataclass(frozen=True, kw_only=True)
class GpuReport(Report):
    """The graphics cards that were found, and how; or that there is none, and how that is known.

    Attributes
    ----------
    devices
        One entry for each card; empty if none was found.
    asked
        ``"NVML"``, ``"nvidia-smi"``, or ``"none"``.
    reason
        Why there are no figures; empty where there are.

    Examples
    --------
    >>> report = gpus(nvml=lambda: None, smi=lambda: None)
    >>> report.devices, report.asked, report.ok is None
    ((), 'none', True)
    """

    devices: tuple[Gpu, ...]
    asked: str
    reason: str = ""

    def headline(self) -> str:
        """Say how many cards were found, and of how many nothing was judged; or why there are none."""
        if not self.devices:
            return f"No GPU: {self.reason}."
        silent = sum(finding.ok is None for finding in self.findings)
        told = f", {silent} of them without a figure of memory" if silent else ""
        return f"{len(self.devices)} found by {self.asked}{told}."


def gpus(
    *,
    nvml: Callable[[], tuple[Gpu, ...] | None] | None = None,
    smi: Callable[[], str | None] | None = None,
) -> GpuReport:
    r"""Ask for the graphics cards of this machine.

    It answers what the driver says at this moment. It sees NVIDIA's cards alone. It misleads as a measure of
    work: "utilisation" is the share of time in which something ran, not how much of the card worked.

    Parameters
    ----------
    nvml
        Gives the cards by NVML, or None if that is not there; by default the package ``pynvml`` is tried.
    smi
        Gives what ``nvidia-smi`` prints, or None if it is not there; by default the program is run.

    Returns
    -------
    GpuReport
        The cards, or why there are none; its ``ok`` is None where there are none.

    Examples
    --------
    >>> printed = "index, name, utilization.gpu [%], memory.used [MiB]\n0, a card, 7 %, [N/A]\n"
    >>> gpus(nvml=lambda: None, smi=lambda: printed).devices[0].utilisation_percent
    7.0

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    devices, asked, reason = (nvml or _by_nvml)(), "NVML", ""
    if devices is None:
        devices, asked = None, "none"
        reason = "neither NVML nor nvidia-smi answers on this machine"
        printed = (smi or _by_program)()
        if printed is not None:
            try:
                devices, asked = parse_nvidia_smi(printed), "nvidia-smi"
            except ValueError as odd:
                reason = f"nvidia-smi answers, but {odd}"
    if devices == ():
        reason = f"{asked} answers, and names no card"
    if not devices:
        nothing = Finding(
            code="gpu.none",
            title="Graphics cards",
            ok=None,
            explanation=f"{reason[:1].upper()}{reason[1:]}. So there is nothing to measure, and no figure.",
        )
        return GpuReport(title="GPU", findings=(nothing,), devices=(), asked=asked, reason=reason)
    return GpuReport(title="GPU", findings=tuple(map(_room, devices)), devices=devices, asked=asked)


def parse_nvidia_smi(printed: str) -> tuple[Gpu, ...]:
    r"""Read what ``nvidia-smi --query-gpu=... --format=csv`` prints, with its line of names and its units.

    Parameters
    ----------
    printed
        The text. Columns are found by their names, in any order; unknown ones are passed over.

    Returns
    -------
    tuple of Gpu
        One for each line. Where a card does not tell (``[N/A]``, ``[Not Supported]``), None.

    Raises
    ------
    ValueError
        If it is no such text, such as a message of the driver that it cannot be reached.

    Examples
    --------
    >>> text = "index, name, power.draw [W]\n0, a card, 61.20 W\n1, another, [N/A]\n"
    >>> [card.power_w for card in parse_nvidia_smi(text)]
    [61.2, None]

    Taught in notebooks/09_monitoring_health.ipynb.
    """
    lines = printed.strip().splitlines()
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, skipinitialspace=True)]
    if not rows or not {"index", "name"} <= set(rows[0]):
        raise ValueError(
            f"{printed.strip()[:80]!r} is no table of nvidia-smi: run it with "
            f"--query-gpu={','.join(_QUERY)} --format=csv"
        )
    heads = [head.split(" [")[0] for head in rows[0]]
    found = []
    for row in rows[1:]:
        if len(row) != len(heads):
            raise ValueError(f"a line of nvidia-smi has {len(row)} cells, and {len(heads)} names: {row!r}")
        held = dict(zip(heads, row, strict=True))
        values = [_number(held.get(column, "")) for column in _QUERY[2:]]
        found.append(Gpu(int(held["index"]), held["name"], *values))
    return tuple(found)


def _number(cell: str) -> float | None:
    """Read a number and drop its unit; what is no number is not known."""
    try:
        return float(cell.split(" ")[0])
    except ValueError:
        return None


def _by_program() -> str | None:
    """Run nvidia-smi; None if it is not there, stands still, or cannot reach the driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, f"--query-gpu={','.join(_QUERY)}", "--format=csv"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout if ran.returncode == 0 else None


def _by_nvml() -> tuple[Gpu, ...] | None:
    """Ask NVML; None if its package is not installed or the driver is not there."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        return tuple(_read(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _read(pynvml: Any, index: int) -> Gpu:
    """Read one card by NVML, one value at a time: a card that lacks one of them may have the others."""
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)

    def ask(question: Callable[[], float]) -> float | None:
        try:
            return float(question())
        except pynvml.NVMLError:
            return None

    # the first version of this question counts the driver's own memory as used, which nvidia-smi does not
    version = [pynvml.nvmlMemory_v2] if hasattr(pynvml, "nvmlMemory_v2") else []
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(
        index,
        name.decode() if isinstance(name, bytes) else str(name),
        ask(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        ask(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle, *version).used / _MIB),
        ask(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle, *version).total / _MIB),
        ask(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
        ask(lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / 1000),
    )


def _room(device: Gpu) -> Finding:
    """Say how full a card's memory is; how busy it is stands beside it, and is judged by nobody."""
    used, total, busy = device.memory_used_mib, device.memory_total_mib, device.utilisation_percent
    known = used is not None and total is not None and total > 0
    share = used / total if known and used is not None and total else None
    return Finding(
        code=f"gpu.memory.{device.index}",
        title=f"Memory of {device.name}",
        ok=None if share is None else share <= 0.95,
        explanation="Utilisation is not known." if busy is None else f"Something ran {busy:g} % of the time.",
        statistic="share used",
        value=share,
        limit=0.95,
    )


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
        shown = pd.DataFrame(work["readings"]).drop(columns="t_s").iloc[_STEADY].median()
        rows[work["phase"]] = {**shown, "tflop_per_s": work["tflops"]}
    return pd.DataFrame(rows).T.rename_axis("work")
