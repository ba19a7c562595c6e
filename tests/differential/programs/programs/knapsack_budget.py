"""Subset sums, a budget by dynamic programming, and all partitions of a number."""

from functools import cache
from itertools import combinations

ITEMS = {
    "tent": (5, 90),
    "stove": (2, 40),
    "rope": (3, 25),
    "lamp": (1, 30),
    "book": (1, 12),
    "kettle": (2, 22),
}


def brute(room):
    return max(
        (sum(ITEMS[n][1] for n in c), tuple(sorted(c)))
        for k in range(len(ITEMS) + 1)
        for c in combinations(ITEMS, k)
        if sum(ITEMS[n][0] for n in c) <= room
    )


def dynamic(room):
    best = {0: (0, ())}
    for name, (weight, value) in ITEMS.items():
        for used, (worth, names) in sorted(best.items(), reverse=True):
            if used + weight <= room and (worth + value, ()) > best.get(used + weight, (-1, ())):
                best[used + weight] = (worth + value, (*names, name))
    return max(best.values())


print([brute(r)[0] == dynamic(r)[0] for r in range(12)], brute(7), dynamic(4)[0])


@cache
def partitions(n, most=None):
    most = n if most is None else most
    if n == 0:
        return 1
    return sum(partitions(n - k, min(k, n - k)) for k in range(1, most + 1))


print([partitions(n) for n in range(1, 16)], partitions(60))
print([c for k in range(1, 5) for c in combinations([3, 34, 4, 12, 5, 2], k) if sum(c) == 9])
