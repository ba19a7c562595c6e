"""Bubble, insertion, merge, quick, heap and counting sort, checked against sorted()."""

import heapq
import random


def bubble(a):
    a = a[:]
    for end in range(len(a) - 1, 0, -1):
        for i in range(end):
            if a[i] > a[i + 1]:
                a[i], a[i + 1] = a[i + 1], a[i]
    return a


def insertion(a):
    out = []
    for x in a:
        i = len(out)
        while i and out[i - 1] > x:
            i -= 1
        out.insert(i, x)
    return out


def merge(a):
    if len(a) < 2:
        return a[:]
    left, right = merge(a[: len(a) // 2]), merge(a[len(a) // 2 :])
    out = []
    while left and right:
        out.append((left if left[0] <= right[0] else right).pop(0))
    return out + left + right


def quick(a):
    if len(a) < 2:
        return a[:]
    pivot = a[len(a) // 2]
    return (
        quick([x for x in a if x < pivot])
        + [x for x in a if x == pivot]
        + quick([x for x in a if x > pivot])
    )


def heap(a):
    a = a[:]
    heapq.heapify(a)
    return [heapq.heappop(a) for _ in range(len(a))]


def counting(a):
    if not a:
        return []
    low = min(a)
    counts = [0] * (max(a) - low + 1)
    for x in a:
        counts[x - low] += 1
    return [low + i for i, n in enumerate(counts) for _ in range(n)]


random.seed(99)
cases = [
    [],
    [1],
    [2, 1],
    [random.randint(-50, 50) for _ in range(100)],
    list(range(60)),
    list(range(60, 0, -1)),
    [5] * 20,
]
for sort in (bubble, insertion, merge, quick, heap, counting):
    print(sort.__name__, all(sort(case) == sorted(case) for case in cases))
print(merge(cases[3])[:10], quick(["pear", "fig", "apple"]))
bubble([3, "a", 1])
