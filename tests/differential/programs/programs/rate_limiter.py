"""A token bucket and a sliding window with a clock of its own."""

from collections import deque


class Clock:
    now = 0.0

    def __call__(self):
        return self.now

    def tick(self, seconds):
        self.now += seconds


class Bucket:
    def __init__(self, rate, size, clock):
        self.rate, self.size, self.clock = rate, size, clock
        self.tokens, self.last = size, clock()

    def allow(self, n=1):
        now = self.clock()
        self.tokens = min(self.size, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if self.tokens >= n:
            self.tokens -= n
            return True
        return False


class Window:
    def __init__(self, limit, seconds, clock):
        self.limit, self.seconds, self.clock, self.calls = limit, seconds, clock, deque()

    def allow(self):
        while self.calls and self.calls[0] <= self.clock() - self.seconds:
            self.calls.popleft()
        if len(self.calls) < self.limit:
            self.calls.append(self.clock())
            return True
        return False


clock = Clock()
bucket, window = Bucket(2, 5, clock), Window(3, 1, clock)
for delay in (0, 0, 0, 0, 0.25, 0.25, 0.5, 0, 0, 3, 0):
    clock.tick(delay)
    print(
        f"{clock():.2f} {bucket.allow()!s:<6}{window.allow()!s:<6}{bucket.tokens:.3f} {bucket.allow(3)}"
    )
