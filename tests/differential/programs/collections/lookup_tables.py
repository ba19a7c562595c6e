"""Dispatch tables, enums as keys, default factories, sorting by several keys."""

import operator
from collections import defaultdict
from enum import Enum


class Op(Enum):
    ADD = "+"
    SUB = "-"


TABLE = {Op.ADD: operator.add, Op.SUB: operator.sub, Op("+"): lambda a, b: f"{a}+{b}"}
print(TABLE[Op.ADD](1, 2), TABLE[Op.SUB](1, 2), len(TABLE), {o.name: o.value for o in Op})
index = defaultdict(lambda: defaultdict(set))
for line, text in enumerate(("red fish", "blue fish", "red bird"), 1):
    for word in text.split():
        index[word[0]][word].add(line)
print({k: {w: sorted(s) for w, s in v.items()} for k, v in sorted(index.items())})
people = [("Ann", 30, 1.7), ("Bob", 25, 1.8), ("Cy", 30, 1.6), ("Di", 25, 1.8)]
print(
    sorted(people, key=lambda p: (-p[1], p[2])),
    sorted(people, key=operator.itemgetter(1, 2), reverse=True),
    min(people, key=lambda p: (p[2], p[0])),
)
people.sort(key=operator.itemgetter(0), reverse=True)
people.sort(key=operator.itemgetter(1))
print(
    [p[0] for p in people],
    {True: "yes", False: "no"}[3 > 2],
    {(0, 0): "origin"}.get((0, 1), "else"),
    dict(enumerate("ab")),
    [*{}.fromkeys("hello")],
    {}.get([] and 1),
    max({"a": 3, "b": 7}.items(), key=lambda kv: kv[1]),
)
