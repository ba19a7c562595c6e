"""Accumulated errors of float sums, fsum, Kahan, means of large numbers."""

import math
import statistics

values = [0.1] * 10 + [1e16, 1.0, -1e16]
print(sum(values), math.fsum(values), statistics.fmean(values), sum(reversed(values)))


def kahan(numbers):
    total = lost = 0.0
    for n in numbers:
        y = n - lost
        new = total + y
        lost = (new - total) - y
        total = new
    return total


print(
    kahan([0.1] * 1000),
    sum([0.1] * 1000),
    sum(1 / n for n in range(1, 1001)),
    sum(1 / n for n in range(1000, 0, -1)),
)
mean, m2 = 0.0, 0.0
for n, x in enumerate([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], 1):
    delta = x - mean
    mean += delta / n
    m2 += delta * (x - mean)
print(
    mean,
    m2 / 3,
    statistics.variance([4, 7, 13, 16]),
    1e9 + 0.1 - 1e9,
    (0.1 + 0.2) + 0.3,
    0.1 + (0.2 + 0.3),
)
