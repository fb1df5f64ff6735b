"""A real graphics card, watched by `monitoring.gpus` while it works, and the same training on it and off it.

    python benchmarks/gpu.py        # a machine with an NVIDIA card and PyTorch; writes results/gpu.json

PyTorch is no requirement of the kit. The lessons show these recordings and say where they are from.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from digest import code_digest  # noqa: E402

from mlops_lab.monitoring import gpus  # noqa: E402
from mlops_lab.monitoring.health.gpu import _by_program  # noqa: E402
from mlops_lab.worlds import FEATURES, GRADES, Orchard  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "gpu.json"
MEASURED = ("monitoring/health/gpu.py",)
SECONDS, EVERY = 8.0, 0.25
SEEDS = range(20)
SHOWN = ("t_s", "utilisation_percent", "memory_used_mib", "temperature_c", "power_w")


def sources() -> list[Path]:
    """List the sources that are measured."""
    return [ROOT / "mlops_lab" / name for name in MEASURED]


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


@contextmanager
def watched() -> Iterator[list[dict[str, Any]]]:
    """Read the card every quarter of a second, in a thread beside the work."""
    readings: list[dict[str, Any]] = []
    over, begin = threading.Event(), time.perf_counter()

    def watch() -> None:
        while not over.wait(EVERY):
            at = round(time.perf_counter() - begin, 2)
            readings.extend({"t_s": at, **asdict(card)} for card in gpus().devices)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield readings
    finally:
        over.set()
        thread.join()


def phase(name: str, step: Callable[[], None], flops: float, answers: int) -> dict[str, Any]:
    """Do one kind of work for some seconds and record what the card says of itself meanwhile."""
    import torch

    step()
    torch.cuda.synchronize()
    done, begin = 0, time.perf_counter()
    with watched() as readings:
        while time.perf_counter() - begin < SECONDS:
            step()
            done += 1
        torch.cuda.synchronize()
        seconds = time.perf_counter() - begin
    print(f"  {name}: {done} steps, {done * flops / seconds / 1e12:.4g} TFLOP/s", flush=True)
    return {
        "phase": name,
        "seconds": round(seconds, 3),
        "steps": done,
        "tflops": done * flops / seconds / 1e12,
        "answers_per_second": done * answers / seconds,
        "readings": {key: [reading[key] for reading in readings] for key in SHOWN},
    }


def phases() -> list[dict[str, Any]]:
    """Record five ways to use a card, from waiting to as hard as it can."""
    import torch

    layers = [torch.nn.Linear(1024, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 4)]
    net = torch.nn.Sequential(*layers).cuda().eval()
    per_row = 2.0 * (1024 * 1024 + 1024 * 4)
    one, many = torch.randn(1, 1024).pin_memory(), torch.randn(16384, 1024, device="cuda")
    small = torch.randn(64, 64, device="cuda")
    big = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    into = torch.empty_like(big)
    graph = torch.cuda.CUDAGraph()
    torch.mm(small, small)
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        for _ in range(200):
            torch.mm(small, small)

    @torch.inference_mode()
    def single() -> None:
        net(one.cuda(non_blocking=True)).argmax(1).cpu()

    @torch.inference_mode()
    def batch() -> None:
        net(many).argmax(1).cpu()

    def slow_loader() -> None:
        time.sleep(0.02)  # a data loader that reads a disk
        batch()

    def tiny() -> None:
        graph.replay()
        torch.cuda.synchronize()

    def product() -> None:
        torch.mm(big, big, out=into)
        torch.cuda.synchronize()

    return [
        phase("idle", lambda: time.sleep(0.05), 0.0, 0),
        phase("waits for its data", slow_loader, 16384 * per_row, 16384),
        phase("one row at a time", single, per_row, 1),
        phase("16,384 rows at a time", batch, 16384 * per_row, 16384),
        phase("tiny products, one after the other", tiny, 200 * 2.0 * 64**3, 0),
        phase("large products", product, 2.0 * 8192**3, 0),
    ]


def latencies() -> list[dict[str, float]]:
    """Time answers of a small network at growing batch sizes, data brought to the card and answers back."""
    import torch

    layers = [torch.nn.Linear(1024, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 4)]
    net = torch.nn.Sequential(*layers).cuda().eval()
    found = []
    for size in (1, 16, 256, 4096, 65536):
        rows, times = torch.randn(size, 1024).pin_memory(), []
        for _ in range(220):
            begin = time.perf_counter()
            with torch.inference_mode():
                net(rows.cuda()).argmax(1).cpu()
            times.append((time.perf_counter() - begin) * 1e3)
        p50, p99 = np.percentile(times[20:], [50, 99])
        found.append({"batch": size, "p50_ms": p50, "p99_ms": p99, "rows_per_second": size / p50 * 1e3})
    return found


def crates(seed: int, purpose: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give readings, scaled, and labels as numbers."""
    drawn = Orchard(seed=seed).sample(n, range(4), purpose=purpose)
    x = drawn.crates[list(FEATURES)].to_numpy(np.float32)
    return x / np.float32(2), np.searchsorted(np.sort(GRADES), drawn.labels.to_numpy())


def trained(seed: int, init: int, device: str, *, half: bool = False) -> np.ndarray:
    """Train a small network, and give its probabilities for 2,000 other crates."""
    import torch

    x, y = crates(seed, "train", 1000)
    exam, _ = crates(seed, "exam", 2000)
    torch.manual_seed(init)
    layers = [torch.nn.Linear(x.shape[1], 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)]
    net = torch.nn.Sequential(*layers).to(device)
    rows, labels = torch.from_numpy(x).to(device), torch.from_numpy(y).long().to(device)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    walk = np.random.default_rng(seed)
    kind = torch.bfloat16 if half else torch.float32
    for _ in range(20):
        for picked in np.array_split(walk.permutation(len(x)), 20):
            part = torch.from_numpy(picked).to(device)
            optimiser.zero_grad()
            with torch.autocast(device, dtype=kind, enabled=half):
                loss = torch.nn.functional.cross_entropy(net(rows[part]), labels[part])
            loss.backward()
            optimiser.step()
    with torch.inference_mode():
        return net(torch.from_numpy(exam).to(device)).softmax(1).cpu().numpy()


def trainings() -> list[dict[str, Any]]:
    """Compare one training on the processor with the same on the card, at several seeds."""
    found = []
    for seed in SEEDS:
        base = trained(seed, 0, "cpu")
        others = {
            "the card": trained(seed, 0, "cuda"),
            "the card, 16-bit products": trained(seed, 0, "cuda", half=True),
            "other first weights": trained(seed, 1, "cpu"),
        }
        again = trained(seed, 0, "cuda")
        row: dict[str, Any] = {
            "seed": seed,
            "card_again_same_bits": bool((again == others["the card"]).all()),
        }
        for name, other in others.items():
            row[name] = {
                "flips": float((other.argmax(1) != base.argmax(1)).mean()),
                "largest": float(np.abs(other - base).max()),
                "same_bits": bool((other == base).all()),
            }
        found.append(row)
        print(f"  seed {seed}: {row}", flush=True)
    return found


def sums() -> dict[str, Any]:
    """Add a million numbers a hundred times: by the card's atomic additions, and in a fixed order."""
    import torch

    numbers = torch.randn(1_000_000, device="cuda")
    into = torch.randint(0, 10, (1_000_000,), device="cuda")

    def by_group(kind: str) -> list[bytes]:
        torch.use_deterministic_algorithms(kind == "fixed order")
        adds = [torch.zeros(10, device="cuda").index_add_(0, into, numbers) for _ in range(100)]
        torch.use_deterministic_algorithms(False)
        return [one.cpu().numpy().tobytes() for one in adds]

    def seconds(kind: str) -> float:
        torch.cuda.synchronize()
        begin = time.perf_counter()
        by_group(kind)
        return time.perf_counter() - begin

    kinds = ("as it comes", "fixed order")
    return {
        "runs": 100,
        "different_answers": {kind: len(set(by_group(kind))) for kind in kinds},
        "ms": {kind: seconds(kind) * 10 for kind in kinds},
    }


def main() -> int:
    """Measure, and write the result whole at the end."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--to", type=Path, default=RESULTS)
    to = options.parse_args().to
    first = gpus()
    print(first)
    if first.ok is None:
        print("nothing to measure here: this needs an NVIDIA card")
        return 1
    import torch

    printed = _by_program() or ""
    by_program = gpus(nvml=lambda: None).devices
    result = {
        "sources_sha256": sources_digest(),
        "card": first.devices[0].name,
        "asked": first.asked,
        "printed": printed,
        "by_program": [asdict(card) for card in by_program],
        "by_nvml": [asdict(card) for card in first.devices],
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "phases": phases(),
        "latencies": latencies(),
        "sums": sums(),
        "trainings": trainings(),
    }
    to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(f"{to} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
