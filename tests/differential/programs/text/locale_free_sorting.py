"""Sorting text with keys, natural order, stability, casefold, several keys."""

import functools
import re
from operator import attrgetter, itemgetter

names = ["file10", "File2", "file1", "éa", "Zeta", "alpha", "beta10", "beta9", "_x", "10", "9"]
print(
    sorted(names),
    sorted(names, key=str.casefold),
    sorted(names, key=len),
    sorted(names, reverse=True),
)
natural = lambda s: [
    (0, int(p)) if p.isdigit() else (1, p.casefold()) for p in re.split(r"(\d+)", s) if p
]
print(sorted(names, key=natural))
rows = [("b", 2), ("a", 2), ("c", 1), ("a", 1)]
print(
    sorted(rows, key=itemgetter(1)),
    sorted(rows, key=itemgetter(1, 0)),
    sorted(rows, key=lambda r: (-r[1], r[0])),
    sorted(rows, key=itemgetter(1), reverse=True),
)


def by_last(a, b):
    return (a[-1] > b[-1]) - (a[-1] < b[-1])


print(sorted(names, key=functools.cmp_to_key(by_last)))
print(
    sorted([1 + 0j, 2 + 0j], key=attrgetter("real")),
    max(names, key=len),
    min([], default="none"),
    max("a", "b", key=ord),
)
for attempt in (
    lambda: sorted([1, "a"]),
    lambda: sorted([None, 1]),
    lambda: sorted([{}, {}]),
    lambda: [1, 2].sort(None),
    lambda: max(1, "a"),
    lambda: sorted([(1, {}), (1, {})]),
    lambda: sorted([1j, 2j]),
):
    try:
        print(attempt())
    except TypeError as error:
        print(error)
values = [3, 1, 2]


def mutate(x):
    values.append(x)
    return x


try:
    values.sort(key=mutate)
except ValueError as error:
    print(error)
nan = float("nan")
print(
    sorted([3.0, nan, 1.0, nan, 2.0]) != [],
    sorted([True, 0, 2, False, 1]),
    sorted({"b": 1, "a": 2}),
    sorted("hello"),
    sorted([(), (1,), (0, 5)]),
)
print(
    sorted([[2], [1, 2], [1]]), [*reversed(sorted([2, 1]))], sorted(range(5), key=lambda x: x % 2)
)
