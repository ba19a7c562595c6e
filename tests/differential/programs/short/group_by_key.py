"""Grouping by dict, defaultdict and groupby."""

from collections import defaultdict
from itertools import groupby

words = "apple avocado bean banana cherry beet".split()
by = defaultdict(list)
for w in words:
    by[w[0]].append(w)
print(
    dict(by),
    {k: len(v) for k, v in by.items()},
    [(k, [*g]) for k, g in groupby(words, key=lambda w: w[0])],
    {n: sorted(w for w in words if len(w) == n) for n in sorted({len(w) for w in words})},
)
