"""Readings with gaps: means by day, moving averages, outliers, a bar chart."""

import math
import statistics
from datetime import date, timedelta

START = date(2024, 2, 26)
READINGS = [3.5, 4.25, None, 5.0, 21.75, 4.5, 3.25, None, None, 2.0, 1.5, -0.75, -2.5, 0.0]
days = [(START + timedelta(days=n), value) for n, value in enumerate(READINGS)]
known = [v for _, v in days if v is not None]
mean, spread = statistics.mean(known), statistics.stdev(known)
print(
    f"{len(known)} of {len(days)} days, mean {mean:.3f}, deviation {spread:.3f}, median {statistics.median(known)}"
)
for day, value in days:
    if value is None:
        print(f"{day:%a %d.%m.} {'-':>6}")
    else:
        mark = " !" if abs(value - mean) > 2 * spread else ""
        bar = "#" * max(0, math.ceil(value)) if value > 0 else "-" * math.ceil(-value)
        print(f"{day:%a %d.%m.} {value:>6.2f} {bar}{mark}")
filled, last = [], None
for _, value in days:
    last = value if value is not None else last
    filled.append(last)
print(
    [
        round(sum(filled[max(0, i - 2) : i + 1]) / len(filled[max(0, i - 2) : i + 1]), 2)
        for i in range(len(filled))
    ]
)
print(
    max(days, key=lambda p: -math.inf if p[1] is None else p[1])[0].isoformat(),
    [d.day for d, v in days if v is None],
)
