"""A lift that serves calls in order, step by step, with a drawing."""

from enum import Enum


class Way(Enum):
    UP = 1
    DOWN = -1
    STILL = 0

    def __str__(self):
        return {1: "^", -1: "v", 0: "-"}[self.value]


class Lift:
    def __init__(self, floors):
        self.floors, self.at, self.way, self.stops, self.moved = floors, 0, Way.STILL, set(), 0

    def call(self, floor):
        if not 0 <= floor < self.floors:
            raise ValueError(f"there is no floor {floor}")
        self.stops.add(floor)

    def step(self):
        if self.at in self.stops:
            self.stops.remove(self.at)
            return f"doors open at {self.at}"
        if not self.stops:
            self.way = Way.STILL
            return "waits"
        ahead = [s for s in self.stops if (s - self.at) * self.way.value > 0]
        if not ahead:
            self.way = (
                Way.UP
                if min(self.stops, key=lambda s: (abs(s - self.at), s)) > self.at
                else Way.DOWN
            )
        self.at += self.way.value
        self.moved += 1
        return f"moves to {self.at}"

    def __str__(self):
        return "".join(
            f"[{self.way}]" if f == self.at else " o " if f in self.stops else " . "
            for f in range(self.floors)
        )


lift = Lift(6)
calls = {0: [3], 1: [1, 5], 6: [0], 9: [9]}
for time in range(20):
    for floor in calls.get(time, ()):
        try:
            lift.call(floor)
        except ValueError as error:
            print("refused:", error)
    print(f"{time:2} {lift} {lift.step()}")
    if not lift.stops and time > 9 and lift.way is Way.STILL:
        break
print(lift.moved)
