"""The oracle of `simulate`: the same queue written a second time, with SimPy's processes and no heap."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import simpy
from simpy.events import URGENT

from mlops_lab.load import Seen


@dataclass
class Machine:
    joined_s: float
    free_s: float
    told_s: float = math.inf
    work: list = field(default_factory=list)
    wake: object = None

    def gone_s(self):
        return max(self.told_s, self.free_s) if self.told_s < math.inf else math.inf


def overlap(begin, end, first, last):
    return max(0.0, min(end, last) - max(begin, first))


def simpy_fleet(arrive, service, policy, *, tick_s, cold_start_s):
    """Give starts, cold, fleet rows (t, machines, starting, busy, queue), and paid machine-seconds."""
    env = simpy.Environment()
    line, idle, crew = deque(), deque(), []
    starts = np.full(len(arrive), np.nan)
    cold = np.zeros(len(arrive), dtype=bool)
    orders, rows, bought = [], [], []
    past = {name: [] for name in ("calls_per_s", "utilisation", "in_flight", "fleet", "fleet_starting")}
    end_s = tick_s * (math.floor((arrive[-1] if len(arrive) else 0.0) / tick_s) + 1)

    def urgent(at, what):
        event = env.event()
        event._ok, event._value = True, None
        event.callbacks.append(lambda _: what())
        env.schedule(event, priority=URGENT, delay=at - env.now)

    def machine(me, is_new):
        while env.now < me.told_s:
            if line:
                number = line.popleft()
                cold[number] = is_new and arrive[number] < me.joined_s
            else:
                is_new = False
                me.wake = env.event()
                idle.append(me)
                number = yield me.wake
                if number is None:
                    return
            is_new = False
            starts[number] = env.now
            me.free_s = env.now + service[number]
            me.work.append((env.now, me.free_s))
            yield env.timeout(service[number])

    def add(count, is_new):
        for _ in range(count):
            me = Machine(env.now, env.now)
            crew.append(me)
            env.process(machine(me, is_new))

    def join(order):
        if order in orders:
            orders.remove(order)
            add(order["count"], True)

    def calls():
        for number, at in enumerate(arrive):
            if at > env.now:
                yield env.timeout(at - env.now)
            if idle:
                idle.popleft().wake.succeed(number)
            else:
                line.append(number)
            state["arrived"] += 1

    state = {"arrived": 0, "before": 0}

    def decide():
        now = env.now
        ready = [m for m in crew if m.told_s == math.inf]
        busy = sum(m.free_s > now for m in crew)
        starting = sum(order["count"] for order in orders)
        if rows:
            used = sum(overlap(*w, now - tick_s, now) for m in crew for w in m.work)
            offered = sum(overlap(m.joined_s, m.gone_s(), now - tick_s, now) for m in crew)
            past["calls_per_s"].append((state["arrived"] - state["before"]) / tick_s)
            past["utilisation"].append(round(used / offered, 9) if offered else 0.0)
            past["in_flight"].append(busy + len(line))
            past["fleet"].append(len(ready))
            past["fleet_starting"].append(starting)
        state["before"] = state["arrived"]
        crew[:] = [m for m in crew if m.gone_s() > now]
        for m in crew:
            m.work = [w for w in m.work if w[1] > now - tick_s]
        arrays = {name: np.array(values, dtype=float) for name, values in past.items()}
        seen = Seen(
            t_s=now,
            tick_s=tick_s,
            machines=len(ready),
            starting=starting,
            busy=busy,
            queue=len(line),
            **arrays,
        )
        missing = policy.wanted(seen) - len(ready) - starting
        if missing > 0 and rows and cold_start_s > 0:
            order = {"at": now + cold_start_s, "count": missing}
            orders.append(order)
            bought.extend([now, math.inf] for _ in range(missing))
            urgent(order["at"], lambda: join(order))
        elif missing > 0:
            bought.extend([now, math.inf] for _ in range(missing))
            add(missing, False)
        dropped = -missing
        while dropped > 0 and orders:
            orders[-1]["count"] -= 1
            dropped -= 1
            next(b for b in reversed(bought) if b[1] == math.inf)[1] = now
            if not orders[-1]["count"]:
                orders.pop()
        for m in sorted(ready, key=lambda m: m.free_s)[: max(0, dropped)]:
            m.told_s = now
            next(b for b in bought if b[1] == math.inf)[1] = m.gone_s()
            if m in idle:
                idle.remove(m)
                m.wake.succeed(None)
        ready_now = sum(m.told_s == math.inf for m in crew)
        rows.append((now, ready_now, sum(o["count"] for o in orders), busy, len(line)))
        if now < end_s or np.isnan(starts).any():
            urgent(len(rows) * tick_s, decide)

    urgent(0.0, decide)
    env.process(calls())
    env.run()
    paid = sum(overlap(begin, end, 0.0, end_s) for begin, end in bought)
    return starts, cold, np.array(rows), paid
