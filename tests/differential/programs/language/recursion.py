"""RecursionError in functions, repr, comparison and data."""

import sys


def down(n=0):
    return down(n + 1)


class Endless:
    def __repr__(self):
        return repr(self)

    def __eq__(self, other):
        return self == other

    def __getattr__(self, name):
        return getattr(self, name + "x")

    def __hash__(self):
        return hash(self)


nested = []
for _ in range(100_000):
    nested = [nested]


def attempt(function):
    try:
        function()
        print("no error")
    except RecursionError as error:
        print(str(error)[:13])


attempt(down)
attempt(lambda: repr(Endless()))
attempt(lambda: Endless() == 1)
attempt(lambda: Endless().a)
attempt(lambda: hash(Endless()))
loop = []
loop.append(loop)
print(loop)
mapping = {}
mapping["me"] = mapping
print(mapping)
attempt(lambda: loop == [loop])
other = []
other.append(other)
attempt(lambda: loop == other)
print(sys.getrecursionlimit())
sys.setrecursionlimit(200)
depth = 0


def measure():
    global depth
    depth += 1
    measure()


try:
    measure()
except RecursionError as error:
    print(error, 150 < depth < 200)
for wrong in (0, -1, "a", 1):
    try:
        sys.setrecursionlimit(wrong)
    except Exception as error:
        print(type(error).__name__, str(error)[:45])
