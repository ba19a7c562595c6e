"""Scheduling by a simulated clock with priorities and cancellation."""

import sched

clock = [0]
s = sched.scheduler(lambda: clock[0], lambda d: clock.__setitem__(0, clock[0] + d))


def tick(n):
    print(clock[0], "tick", n)
    if n:
        s.enter(10, 1, tick, (n - 1,))


s.enter(5, 2, print, ("second at five",))
s.enter(5, 1, print, ("first at five",), {"end": "!\n"})
event = s.enter(7, 1, print, ("cancelled",))
s.enter(1, 1, tick, (2,))
s.cancel(event)
print([e.time for e in s.queue])
s.run()
print(clock, s.empty())
try:
    s.cancel(event)
except ValueError as error:
    print(type(error).__name__)
