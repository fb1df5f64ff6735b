"""How fast `mlops_lab.load` is: CPU seconds beside SimPy, SimPy tuned in two ways, and Ciw, all in one run.

    python benchmarks/load.py             # everything that is installed; writes benchmarks/results/load.json
    python benchmarks/load.py --quick     # the ratios alone, nothing written

SimPy is needed; numba and Ciw are measured where they are installed. Times are CPU seconds of this process,
the best of three. Ratios compare like with like: the same requests and equal waits. Ciw alone draws its own
requests, a tenth as many, and is scaled up.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import platform
import sys
import time
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import simpy

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from simpy_oracle import simpy_fleet  # noqa: E402

from mlops_lab import load  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "load.json"
ENGINES = ("plain", "compiled") if importlib.util.find_spec("numba") else ("plain",)
REQUESTS, MACHINES, SERVICE_S = 100_000, 40, 0.25


def sources_digest() -> str:
    """Give the SHA-256 of the sources that are measured: `mlops_lab/load/*.py`, names and contents."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "mlops_lab" / "load").glob("*.py")):
        total.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


def cpu_s(job: Callable[[], object], repeats: int = 3) -> tuple[float, object]:
    """Give the fewest CPU seconds of some repeats, and what the job answered."""
    best, answer = float("inf"), None
    for _ in range(repeats):
        begin = time.process_time()
        answer = job()
        best = min(best, time.process_time() - begin)
    return best, answer


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


def ciw_run(requests: int) -> int:
    """Serve about as many requests with Ciw, at the same load; it draws its own."""
    import ciw

    rate = 0.9 * MACHINES / SERVICE_S
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=rate)],
        service_distributions=[ciw.dists.Exponential(rate=1 / SERVICE_S)],
        number_of_servers=[MACHINES],
    )
    ciw.seed(0)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests)
    return len(simulation.get_all_records())


def ratios() -> dict[str, object]:
    """Measure a steady fleet and a changing one, and hold the answers equal."""
    rng = np.random.default_rng(0)
    arrive = np.cumsum(rng.exponential(SERVICE_S / (0.9 * MACHINES), REQUESTS))
    service = rng.exponential(SERVICE_S, REQUESTS)
    lists = arrive.tolist(), service.tolist()
    fleet = load.Fixed(MACHINES)
    seconds: dict[str, float] = {}
    for name, peer in PEERS.items():
        seconds[name], starts = cpu_s(lambda peer=peer: peer(*lists, MACHINES))
        ours = load.simulate(arrive, service, fleet).start_s
        if abs(starts - ours).max() > 1e-6:  # here the peers add up differences of arrival times
            raise SystemExit(f"{name} disagrees by {abs(starts - ours).max()} s")
    if importlib.util.find_spec("ciw"):
        few = REQUESTS // 10
        seconds["ciw"] = cpu_s(lambda: ciw_run(few), repeats=1)[0] * REQUESTS / few
    for engine in ENGINES:
        load.simulate(arrive[:10], service[:10], fleet, engine=engine)  # compile
        seconds[engine] = cpu_s(
            lambda engine=engine: load.simulate(arrive, service, fleet, engine=engine), 5
        )[0]
    day = load.arrivals(load.daily_curve(), seed=7)
    day = day[day >= 7 * 3600][:REQUESTS] - 7 * 3600
    policy, options = load.Hold(0.5), {"tick_s": 15.0, "cold_start_s": 40.0}
    seconds["simpy_changing_fleet"], oracle = cpu_s(lambda: simpy_fleet(day, service, policy, **options), 1)
    for engine in ENGINES:
        name = f"{engine}_changing_fleet"
        seconds[name], run = cpu_s(
            lambda engine=engine: load.simulate(day, service, policy, engine=engine, **options)
        )
        if abs(run.start_s - oracle[0]).max() > 1e-9:
            raise SystemExit(f"{name} is not equal to SimPy")
    times = {
        f"{peer} / {engine}": round(seconds[peer] / seconds[engine], 1)
        for peer in (*PEERS, "ciw")
        for engine in ENGINES
        if peer in seconds
    }
    for engine in ENGINES:
        times[f"simpy_changing_fleet / {engine}"] = round(
            seconds["simpy_changing_fleet"] / seconds[f"{engine}_changing_fleet"], 1
        )
    return {
        "requests": REQUESTS,
        "machines": MACHINES,
        "cpu_s": {name: round(value, 4) for name, value in seconds.items()},
        "times_faster": times,
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
        spent, _ = cpu_s(
            lambda arrive=arrive, machines=machines: load.simulate(
                arrive, SERVICE_S, load.Fixed(machines), engine=engine
            ),
            1,
        )
        each = round(spent / requests * 1e6, 4)
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
