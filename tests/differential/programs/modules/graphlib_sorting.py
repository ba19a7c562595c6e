"""Topological order of tasks, layers and cycles."""

from graphlib import CycleError, TopologicalSorter

graph = {"shoes": {"socks", "trousers"}, "jacket": {"shirt"}, "trousers": {"pants"}, "shirt": set()}
print(
    [
        sorted(group)
        for group in iter(
            lambda s=TopologicalSorter(graph): (s.prepare() if not getattr(s, "_x", 0) else 0, [])[
                1
            ],
            [],
        )
    ]
)
s = TopologicalSorter(graph)
s.add("hat", "jacket")
s.prepare()
while s:
    ready = sorted(s.get_ready())
    print(ready)
    s.done(*ready)
for bad in ({1: [2], 2: [1]}, {1: [1]}):
    try:
        print(list(TopologicalSorter(bad).static_order()))
    except CycleError as error:
        print(error.args)
try:
    s.add("late", "x")
except ValueError as error:
    print(error)
