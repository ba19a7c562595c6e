"""Least squares, k-means and k nearest neighbours without any library."""

import math
import random
import statistics
from collections import Counter

random.seed(8)
xs = [x / 4 for x in range(20)]
ys = [3 * x - 2 + random.gauss(0, 0.5) for x in xs]
mx, my = statistics.fmean(xs), statistics.fmean(ys)
slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)
print(
    f"{slope:.9f} {my - slope * mx:.9f}",
    [round(v, 9) for v in statistics.linear_regression(xs, ys)],
    round(statistics.correlation(xs, ys), 9),
)
w = b = 0.0
for _ in range(500):
    errors = [w * x + b - y for x, y in zip(xs, ys)]
    w -= 0.05 * statistics.fmean(e * x for e, x in zip(errors, xs))
    b -= 0.05 * statistics.fmean(errors)
print(f"{w:.6f} {b:.6f}")
points = [
    (random.gauss(cx, 1), random.gauss(cy, 1))
    for cx, cy in ((0, 0), (8, 1), (4, 9))
    for _ in range(15)
]
centres = points[:3]
for step in range(20):
    groups = [[] for _ in centres]
    for p in points:
        groups[min(range(3), key=lambda i: math.dist(p, centres[i]))].append(p)
    new = [tuple(map(statistics.fmean, zip(*g))) if g else c for g, c in zip(groups, centres)]
    if new == centres:
        break
    centres = new
print(step, sorted((round(x, 6), round(y, 6), len(g)) for (x, y), g in zip(centres, groups)))
labelled = [(p, i // 15) for i, p in enumerate(points)]
print(
    [
        Counter(
            label for _, label in sorted(labelled, key=lambda q: math.dist(q[0], at))[:5]
        ).most_common(1)[0][0]
        for at in ((1, 1), (7, 2), (4, 7))
    ]
)
