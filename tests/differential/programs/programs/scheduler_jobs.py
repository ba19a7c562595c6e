"""Jobs with dependencies and priorities, retried when they fail, with a deterministic clock."""

import heapq
from dataclasses import dataclass, field
from typing import Callable


class Transient(Exception):
    pass


@dataclass(order=True)
class Job:
    priority: int
    name: str
    action: Callable = field(compare=False)
    needs: frozenset = field(default=frozenset(), compare=False)
    tries: int = field(default=0, compare=False)


class Scheduler:
    def __init__(self):
        self.time, self.heap, self.done, self.log = 0, [], set(), []

    def add(self, job, delay=0):
        heapq.heappush(self.heap, (self.time + delay, job))

    def run(self):
        while self.heap:
            when, job = heapq.heappop(self.heap)
            self.time = max(self.time, when)
            if not job.needs <= self.done:
                if all(not (j.needs <= self.done) for _, j in self.heap):
                    raise RuntimeError(
                        f"{job.name} waits for {sorted(job.needs - self.done)} for ever"
                    )
                self.add(job, 1)
                continue
            try:
                self.log.append((self.time, job.name, job.action(job.tries)))
                self.done.add(job.name)
            except Transient as error:
                job.tries += 1
                self.log.append((self.time, job.name, f"try {job.tries}: {error}"))
                if job.tries < 3:
                    self.add(job, 2**job.tries)
            self.time += 1


def flaky(until):
    def action(tries):
        if tries < until:
            raise Transient("not yet")
        return "ok"

    return action


s = Scheduler()
for job in (
    Job(2, "build", flaky(0), frozenset({"fetch"})),
    Job(1, "fetch", flaky(2)),
    Job(3, "lint", flaky(0)),
    Job(1, "deploy", flaky(9), frozenset({"build", "lint"})),
    Job(9, "report", flaky(0)),
):
    s.add(job)
s.run()
print(*s.log, sep="\n")
print(sorted(s.done))
s.add(Job(1, "x", flaky(0), frozenset({"y"})))
s.run()
