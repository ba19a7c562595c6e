"""A bank with two counters: customers come by a seeded random number, events in a heap."""

import heapq
import random
import statistics
from dataclasses import dataclass, field
from itertools import count


@dataclass(order=True)
class Event:
    time: float
    number: int
    kind: str = field(compare=False)
    customer: int = field(compare=False)


def simulate(counters, until, seed):
    rng = random.Random(seed)
    numbers = count()
    events, waiting, arrived, waits, served, busy = [], [], {}, [], 0, 0
    customers = count(1)

    def schedule(delay, kind, customer):
        heapq.heappush(events, Event(now + delay, next(numbers), kind, customer))

    now = 0.0
    schedule(rng.expovariate(1 / 3), "arrive", next(customers))
    while events:
        event = heapq.heappop(events)
        now = event.time
        if event.kind == "arrive":
            arrived[event.customer] = now
            waiting.append(event.customer)
            if now < until:
                schedule(rng.expovariate(1 / 3), "arrive", next(customers))
        else:
            busy -= 1
            served += 1
        while waiting and busy < counters:
            customer = waiting.pop(0)
            waits.append(now - arrived[customer])
            busy += 1
            schedule(rng.triangular(2, 10, 4), "leave", customer)
    return served, waits, now


for counters in (1, 2, 3):
    served, waits, end = simulate(counters, 120, seed=2024)
    print(
        f"{counters} counters: {served} served by {end:.4f}, mean wait {statistics.fmean(waits):.6f}, worst {max(waits):.6f}, median {statistics.median(waits):.6f}"
    )
