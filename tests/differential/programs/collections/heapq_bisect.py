"""Heaps, sorted insertion, merging, and the n largest."""

import bisect
import heapq

h = [5, 3, 8, 1, 9, 2]
heapq.heapify(h)
print(h, heapq.heappop(h), heapq.heappushpop(h, 0), heapq.heapreplace(h, 7), h)
heapq.heappush(h, -1)
print(h, [heapq.heappop(h) for _ in range(len(h))])
m = [5, 3, 8]
heapq.heapify_max(m)
heapq.heappush_max(m, 9)
print(m, heapq.heappop_max(m), heapq.heapreplace_max(m, 1), heapq.heappushpop_max(m, 100), m)
print(
    heapq.nlargest(3, [1, 9, 4, 7]),
    heapq.nsmallest(2, ["bb", "a", "ccc"], key=len),
    list(heapq.merge([1, 4], [2, 3], [0])),
    list(heapq.merge([5, 1], [4], reverse=True)),
    list(heapq.merge(["b", "AA"], ["ccc"], key=len)),
    heapq.nlargest(0, [1]),
    heapq.nsmallest(5, [2, 1]),
)
a = [1, 3, 3, 5]
print(
    bisect.bisect(a, 3),
    bisect.bisect_left(a, 3),
    bisect.bisect_right(a, 0),
    bisect.bisect_left(a, 3, 2, 4),
    bisect.bisect([(1, "a"), (5, "b")], 4, key=lambda p: p[0]),
)
bisect.insort(a, 4)
bisect.insort_left(a, 3)
bisect.insort(a, -2, key=abs)
print(
    a,
    [
        ("F", "D", "C", "B", "A")[bisect.bisect([60, 70, 80, 90], s)]
        for s in (33, 99, 77, 70, 89, 90, 100)
    ],
)
tasks = []
for number, (priority, name) in enumerate([(2, "code"), (1, "spec"), (2, "test"), (3, "ship")]):
    heapq.heappush(tasks, (priority, number, name))
print([heapq.heappop(tasks)[2] for _ in range(4)])
for attempt in (
    lambda: heapq.heappop([]),
    lambda: heapq.heapify(5),
    lambda: heapq.heappush((), 1),
    lambda: heapq.heapreplace([], 1),
    lambda: heapq.heappush([1, 2], "a"),
    lambda: heapq.heapify([{}, {}]),
    lambda: bisect.bisect([1, 2], "a"),
    lambda: bisect.bisect([1], 1, -1),
    lambda: bisect.insort((1,), 2),
    lambda: heapq.heappop_max([]),
    lambda: bisect.bisect(5, 1),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
