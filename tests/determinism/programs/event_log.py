import dataclasses, datetime, heapq, random
@dataclasses.dataclass(order=True)
class Event:
    at: float
    kind: str = dataclasses.field(compare=False)
now, waiting, served, events = 0.0, 0, [], []
heapq.heappush(events, Event(0, "arrive"))
while len(served) < 40:
    event = heapq.heappop(events)
    now = event.at
    if event.kind == "arrive":
        heapq.heappush(events, Event(now + random.expovariate(1), "arrive"))
        waiting += 1
        if waiting == 1:
            heapq.heappush(events, Event(now + random.expovariate(1.2), "leave"))
    else:
        waiting -= 1
        served.append(round(now, 6))
        if waiting:
            heapq.heappush(events, Event(now + random.expovariate(1.2), "leave"))
print(served)
