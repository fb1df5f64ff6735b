"""Graphics cards: recorded output is read as recorded, and what is not there is never invented."""

import subprocess
import sys
import types

import numpy as np
import pytest

from mlops_lab.monitoring import gpus, recorded_gpu_work
from mlops_lab.monitoring.health import gpu
from mlops_lab.monitoring.health.gpu import parse_nvidia_smi
from mlops_lab.report import benchmark_result

# Recorded: three idle cards, as a published training log of 2026-05-18 shows them (--format=csv, with units).
RECORDED_IDLE = """\
index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], temperature.gpu
0, NVIDIA A100 80GB PCIe, 0 %, 10 MiB, 81920 MiB, 34
1, NVIDIA A100 80GB PCIe, 0 %, 10 MiB, 81920 MiB, 33
2, NVIDIA A100 80GB PCIe, 0 %, 10 MiB, 81920 MiB, 31
"""
# Recorded: one idle card, from a published status page.
RECORDED_ONE = """\
index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB]
0, NVIDIA GeForce RTX 4090, 0 %, 1 MiB, 49140 MiB
"""
# Made up, after the documented forms of what a card does not tell.
MADE_UP = """\
index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], temperature.gpu, power.draw [W]
0, "A card, with a comma", 97 %, 8000 MiB, 8192 MiB, 81, 310.25 W
1, Another, [N/A], [Not Supported], 8192 MiB, N/A, [Unknown Error]
"""


def test_recorded_output_is_read_as_recorded():
    cards = parse_nvidia_smi(RECORDED_IDLE)
    assert [card.index for card in cards] == [0, 1, 2]
    assert [card.temperature_c for card in cards] == [34.0, 33.0, 31.0]
    first = cards[0]
    assert (first.name, first.utilisation_percent) == ("NVIDIA A100 80GB PCIe", 0.0)
    assert (first.memory_used_mib, first.memory_total_mib, first.power_w) == (10.0, 81920.0, None)
    (one,) = parse_nvidia_smi(RECORDED_ONE)
    assert (one.name, one.memory_total_mib, one.temperature_c) == ("NVIDIA GeForce RTX 4090", 49140.0, None)


def test_what_a_card_does_not_tell_stays_unknown():
    full, silent = parse_nvidia_smi(MADE_UP)
    assert (full.name, full.power_w) == ("A card, with a comma", 310.25)
    assert silent.utilisation_percent is silent.memory_used_mib is None
    assert silent.temperature_c is silent.power_w is None
    report = gpus(nvml=lambda: None, smi=lambda: MADE_UP)
    assert [finding.ok for finding in report.findings] == [False, None]  # 98 % full, and not known
    assert report.devices == (full, silent)


@pytest.mark.parametrize(
    "text",
    ["", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "a, b\n1, 2"],
)
def test_what_is_no_table_is_refused_and_becomes_no_figure(text):
    with pytest.raises(ValueError, match="no table of nvidia-smi"):
        parse_nvidia_smi(text)
    report = gpus(nvml=lambda: None, smi=lambda: text)
    assert (report.devices, report.asked, report.ok) == ((), "none", None)
    assert "nvidia-smi answers, but" in report.reason


def test_a_broken_line_is_refused():
    with pytest.raises(ValueError, match="3 cells"):
        parse_nvidia_smi("index, name\n0, a card, 5 %\n")


def test_no_gpu_is_a_value():
    report = gpus(nvml=lambda: None, smi=lambda: None)
    assert (report.devices, report.asked, report.ok) == ((), "none", None)
    assert "No GPU: neither NVML nor nvidia-smi" in report.headline()
    assert gpus(nvml=lambda: ()).reason == "NVML answers, and names no card"


def test_this_machine_answers_one_way_or_the_other():
    report = gpus()
    assert bool(report.devices) == (report.asked != "none") or "names no card" in report.reason
    assert bool(report.devices) != bool(report.reason)


def _fake_nvml(**broken):
    nvml = types.ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def answer(name, value):
        def ask(*_):
            if name in broken:
                raise NVMLError("Not Supported")
            return value

        return ask

    nvml.NVMLError, nvml.NVML_TEMPERATURE_GPU = NVMLError, 0
    for name, value in {
        "nvmlInit": None,
        "nvmlShutdown": None,
        "nvmlDeviceGetCount": 1,
        "nvmlDeviceGetHandleByIndex": "handle",
        "nvmlDeviceGetName": b"a card",
        "nvmlDeviceGetUtilizationRates": types.SimpleNamespace(gpu=42),
        "nvmlDeviceGetMemoryInfo": types.SimpleNamespace(used=2**30, total=2**33),
        "nvmlDeviceGetTemperature": 55,
        "nvmlDeviceGetPowerUsage": 61_200,
    }.items():
        setattr(nvml, name, answer(name, value))
    return nvml


def test_nvml_is_asked_first_and_its_units_are_turned(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", _fake_nvml())
    report = gpus(smi=lambda: pytest.fail("NVML had answered"))
    assert report.asked == "NVML"
    assert report.devices == (gpu.Gpu(0, "a card", 42.0, 1024.0, 8192.0, 55.0, 61.2),)


def test_one_value_that_nvml_refuses_does_not_cost_the_others(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", _fake_nvml(nvmlDeviceGetPowerUsage=True))
    (card,) = gpus().devices
    assert (card.power_w, card.temperature_c) == (None, 55.0)
    monkeypatch.setitem(sys.modules, "pynvml", _fake_nvml(nvmlInit=True))
    assert gpus(smi=lambda: RECORDED_ONE).asked == "nvidia-smi"


def test_the_program_is_run_with_a_time_limit(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: "nvidia-smi")
    ran = []

    def run(command, **given):
        ran.append((command, given["timeout"]))
        return subprocess.CompletedProcess(command, 0, RECORDED_IDLE, "")

    monkeypatch.setattr(gpu.subprocess, "run", run)
    assert len(gpus().devices) == 3
    assert ran[0][0][1].startswith("--query-gpu=index,name,utilization.gpu")
    assert ran[0][1] == 10

    def stuck(command, **given):
        raise subprocess.TimeoutExpired(command, 10)

    monkeypatch.setattr(gpu.subprocess, "run", stuck)
    assert gpus().asked == "none"


def test_the_drivers_own_memory_does_not_count_as_used(monkeypatch):
    nvml = _fake_nvml()
    nvml.nvmlMemory_v2 = "second"

    def memory(handle, version="first"):
        # recorded on an idle H200 (driver 580.159.04): the first version says 615 MiB, nvidia-smi says 0
        used = {"first": 615.0625, "second": 0}[version]
        return types.SimpleNamespace(used=used * 2**20, total=143771 * 2**20)

    nvml.nvmlDeviceGetMemoryInfo = memory
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    (card,) = gpus().devices
    assert (card.memory_used_mib, card.memory_total_mib) == (0.0, 143771.0)


def test_the_recording_of_a_real_card_is_read_by_both_ways_alike():
    stored = benchmark_result("gpu")
    (printed,) = parse_nvidia_smi(stored["printed"])
    (by_nvml,) = (gpu.Gpu(**card) for card in stored["by_nvml"])
    assert (printed.name, printed.memory_total_mib) == (by_nvml.name, by_nvml.memory_total_mib)
    assert printed.memory_used_mib == by_nvml.memory_used_mib
    assert printed.power_w == pytest.approx(by_nvml.power_w, abs=5)


def test_the_recorded_work_leaves_the_first_second_out():
    table = recorded_gpu_work()
    assert table.loc["idle", "utilisation_percent"] == 0
    assert table.loc["large products", "power_w"] > 4 * table.loc["idle", "power_w"]
    stored = benchmark_result("gpu")["phases"][-1]["readings"]
    assert table.loc["large products", "power_w"] == np.median(stored["power_w"][4:-1])


def test_the_headline_says_of_how_many_cards_nothing_was_judged():
    printed = (
        "index, name, memory.used [MiB], memory.total [MiB]\n"
        "0, a card, 10 MiB, 100 MiB\n1, another, [N/A], 100 MiB\n"
    )
    report = gpus(nvml=lambda: None, smi=lambda: printed)
    assert report.headline() == "2 found by nvidia-smi, 1 of them without a figure of memory."
    report = gpus(nvml=lambda: None, smi=lambda: printed.replace("[N/A]", "5 MiB"))
    assert report.headline() == "2 found by nvidia-smi."
