"""How fast `mlops_lab.load` is: CPU seconds beside SimPy, SimPy tuned in two ways, and Ciw, all in one run.

    python benchmarks/load.py             # everything that is installed; writes benchmarks/results/load.json
    python benchmarks/load.py --quick     # the ratios alone, nothing written

SimPy is needed; numba and Ciw are measured where they are installed. Times are CPU seconds, the median of
some runs in a process of its own. Ratios compare like with like: the same requests and equal waits. Ciw alone
draws its own requests, a tenth as many, and is scaled up.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import platform
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import simpy

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from digest import code_digest  # noqa: E402
from simpy_oracle import simpy_fleet  # noqa: E402

from mlops_lab import load  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "load.json"
ENGINES = ("plain", "compiled") if importlib.util.find_spec("numba") else ("plain",)
REQUESTS, MACHINES, SERVICE_S = 100_000, 40, 0.25
CHANGING = "random, changing fleet"


def sources() -> list[Path]:
    """List the sources that are measured."""
    return sorted((ROOT / "mlops_lab" / "load").glob("*.py"))


def sources_digest() -> str:
    """Give the digest of the code that is measured."""
    return code_digest(sources(), Path(__file__))


def simpy_plain(arrive: list[float], service: list[float], machines: int) -> np.ndarray:
    """Serve with SimPy as its documentation does: a process for each request, and a Resource."""
    env = simpy.Environment()
    fleet = simpy.Resource(env, capacity=machines)
    starts = np.empty(len(arrive))

    def request(number: int):
        with fleet.request() as turn:
            yield turn
            starts[number] = env.now
            yield env.timeout(service[number])

    def calls():
        for number, at in enumerate(arrive):
            yield env.timeout(at - env.now)
            env.process(request(number))

    env.process(calls())
    env.run()
    return starts


def simpy_callbacks(arrive: list[float], service: list[float], machines: int) -> np.ndarray:
    """Tuned: SimPy's Resource, but callbacks in place of a process for each request."""
    env = simpy.Environment()
    fleet = simpy.Resource(env, capacity=machines)
    timeout, ask, release = env.timeout, fleet.request, fleet.release
    starts = [0.0] * len(arrive)

    def come(number: int, needs: float) -> None:
        turn = ask()

        def begin(_: simpy.Event) -> None:
            starts[number] = env.now
            timeout(needs).callbacks.append(lambda _: release(turn))

        turn.callbacks.append(begin)

    def calls():
        for number, (at, needs) in enumerate(zip(arrive, service, strict=True)):
            yield timeout(at - env.now)
            come(number, needs)

    env.process(calls())
    env.run()
    return np.array(starts)


def simpy_servers(arrive: list[float], service: list[float], machines: int) -> np.ndarray:
    """Tuned: a process for each machine instead of one for each request, and SimPy's Store as the line."""
    env = simpy.Environment()
    line = simpy.Store(env)
    timeout, take, put = env.timeout, line.get, line.put
    starts = [0.0] * len(arrive)

    def machine():
        while True:
            number = yield take()
            starts[number] = env.now
            yield timeout(service[number])

    def calls():
        for number, at in enumerate(arrive):
            yield timeout(at - env.now)
            put(number)

    for _ in range(machines):
        env.process(machine())
    env.process(calls())
    env.run()
    return np.array(starts)


def simpy_clock(arrive: list[float], service: list[float], machines: int) -> np.ndarray:
    """Use SimPy as a clock alone: the line and the free machines are our own, a callback for each request."""
    env = simpy.Environment()
    line: deque[int] = deque()
    starts = [0.0] * len(arrive)
    free = machines

    def begin(number: int) -> None:
        starts[number] = env.now
        simpy.Timeout(env, service[number]).callbacks.append(done)

    def done(_: simpy.Event) -> None:
        nonlocal free
        if line:
            begin(line.popleft())
        else:
            free += 1

    def calls():
        nonlocal free
        for number, at in enumerate(arrive):
            yield simpy.Timeout(env, at - env.now)
            if free:
                free -= 1
                begin(number)
            else:
                line.append(number)

    env.process(calls())
    env.run()
    return np.array(starts)


PEERS = {
    "simpy": simpy_plain,
    "simpy_callbacks": simpy_callbacks,
    "simpy_servers": simpy_servers,
    "simpy_clock": simpy_clock,
}


def ciw_run(random: bool) -> Callable[[], None]:
    """Give a run of a tenth as many requests with Ciw, which draws its own."""
    import ciw

    served = ciw.dists.Exponential(1 / SERVICE_S) if random else ciw.dists.Deterministic(SERVICE_S)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.9 * MACHINES / SERVICE_S)],
        service_distributions=[served],
        number_of_servers=[MACHINES],
    )

    def run() -> None:
        ciw.seed(0)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(REQUESTS // 10)
        simulation.get_all_records()

    return run


def job(name: str, kind: str) -> Callable[[], np.ndarray | None]:
    """Give what is timed: a call without arguments that answers the starts."""
    rng = np.random.default_rng(0)
    arrive = np.cumsum(rng.exponential(SERVICE_S / (0.9 * MACHINES), REQUESTS))
    service = np.full(REQUESTS, SERVICE_S) if kind == "alike" else rng.exponential(SERVICE_S, REQUESTS)
    if name == "ciw":
        return ciw_run(kind == "random")
    policy: load.Policy = load.Fixed(MACHINES)
    options: dict[str, float] = {}
    if kind == CHANGING:
        arrive = load.arrivals(load.daily_curve(), seed=7)
        arrive = arrive[arrive >= 7 * 3600][:REQUESTS] - 7 * 3600
        policy, options = load.Hold(0.5), {"tick_s": 15.0, "cold_start_s": 40.0}
    if name in ENGINES:
        return lambda: load.simulate(arrive, service, policy, engine=name, **options).start_s
    if kind == CHANGING:
        return lambda: simpy_fleet(arrive, service, policy, **options)[0]
    lists = arrive.tolist(), service.tolist()
    return lambda: PEERS[name](*lists, MACHINES)


def timed(name: str, kind: str) -> tuple[float, np.ndarray | None]:
    """Give the median CPU seconds after one run to warm up, and the starts; for a process of its own."""
    run = job(name, kind)
    starts, seconds = run(), []
    for _ in range(15 if name in ENGINES else 3):
        begin = time.process_time()
        run()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds) * (10 if name == "ciw" else 1), starts


def race(kind: str, names: list[str]) -> dict[str, float]:
    """Time each in a fresh process, so that none meets another's memory; starts that differ end the race."""
    seconds: dict[str, float] = {}
    first: np.ndarray | None = None
    for name in names:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            seconds[name], starts = process.submit(timed, name, kind).result()
        first = starts if first is None else first
        apart = 0.0 if starts is None or first is None else float(abs(starts - first).max())
        if apart > (1e-9 if kind == CHANGING else 1e-6):  # on a steady fleet SimPy adds up the times between
            raise SystemExit(f"{name} disagrees by {apart} s")
    return seconds


def ratios() -> dict[str, object]:
    """Measure steady fleets, with service times alike and random, and a changing one."""
    ciw = ["ciw"] if importlib.util.find_spec("ciw") else []
    seconds = {kind: race(kind, [*PEERS, *ENGINES, *ciw]) for kind in ("alike", "random")}
    seconds[CHANGING] = race(CHANGING, ["simpy_changing_fleet", *ENGINES])
    return {
        "requests": REQUESTS,
        "machines": MACHINES,
        "cpu_s": {
            kind: {name: round(value, 4) for name, value in found.items()} for kind, found in seconds.items()
        },
        "times_faster": {
            kind: {
                engine: {
                    name: round(value / found[engine], 1)
                    for name, value in found.items()
                    if name not in ENGINES
                }
                for engine in ENGINES
            }
            for kind, found in seconds.items()
        },
    }


def month(engine: str, days_long: int = 30) -> dict[str, float]:
    """Stream some days of the lecture's traffic through autoscaling, a day at a time."""
    curve = load.daily_curve()
    days = ((load.arrivals(curve, first_day=day), SERVICE_S) for day in range(days_long))
    begin, requests, waited = time.process_time(), 0, 0.0
    for run in load.stream(days, load.Hold(5, target=0.8), cold_start_s=60.0, engine=engine):
        requests += run.start_s.size
        waited += float(run.wait_s.sum())
    spent = time.process_time() - begin
    return {"requests": requests, "cpu_s": round(spent, 2), "mean_wait_s": round(waited / requests, 6)}


def peak_memory_mib() -> float | None:
    """Give the most memory this process ever held; None on Windows, which has no such counter here."""
    if importlib.util.find_spec("resource") is None:
        return None
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(held / (1024 if sys.platform != "darwin" else 1024**2), 1)


def growth(engine: str) -> dict[str, dict[str, float]]:
    """Give microseconds a request, as requests and machines grow."""
    by_requests, by_machines = {}, {}
    for requests, machines in ((10**5, 40), (10**6, 40), (10**7, 40), (10**6, 400), (10**6, 4_000)):
        rng = np.random.default_rng(0)
        arrive = np.cumsum(rng.exponential(SERVICE_S / (0.9 * machines), requests))
        begin = time.process_time()
        load.simulate(arrive, SERVICE_S, load.Fixed(machines), engine=engine)
        each = round((time.process_time() - begin) / requests * 1e6, 4)
        if machines == 40:
            by_requests[str(requests)] = each
        if requests == 10**6:
            by_machines[str(machines)] = each
    return {"us_per_request_by_requests": by_requests, "us_per_request_by_machines": by_machines}


def main() -> None:
    """Measure, print, and unless asked to be quick write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the ratios alone; nothing is written")
    quick = parser.parse_args().quick
    results: dict[str, object] = {"sources_sha256": sources_digest(), "ratios": ratios()}
    if not quick:
        memory = {"before": peak_memory_mib()}
        month("plain", days_long=3)
        memory["after three days"] = peak_memory_mib()
        results["month"] = {engine: month(engine) for engine in ENGINES[:1]}
        memory["after the month"] = peak_memory_mib()
        results["month"] |= {engine: month(engine) for engine in ENGINES[1:]}
        results["memory_mib"] = {when: mib for when, mib in memory.items() if mib is not None}
        results["growth"] = {engine: growth(engine) for engine in ENGINES}
    packages = ["numpy", "simpy", *(name for name in ("numba", "ciw") if importlib.util.find_spec(name))]
    results["machine"] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in packages},
    }
    text = json.dumps(results, indent=2) + "\n"
    print(text)
    if not quick:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
