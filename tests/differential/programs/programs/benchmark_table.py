"""A table of results with medians, ranks, relative numbers and sparklines."""

import statistics

RESULTS = {
    "alpha": [1.20, 1.18, 1.31, 1.19],
    "beta": [0.80, 0.95, 0.82, 0.81],
    "gamma": [2.5, 2.4, 2.6, 9.9],
    "delta": [],
}
BARS = "▁▂▃▄▅▆▇█"
medians = {n: statistics.median(v) for n, v in RESULTS.items() if v}
best = min(medians.values())
print(f"{'name':<8}{'n':>3}{'median':>9}{'±':>8}{'rel':>7}  spark")
for name in sorted(RESULTS, key=lambda n: (medians.get(n, float("inf")), n)):
    values = RESULTS[name]
    if not values:
        print(f"{name:<8}{0:>3}{'-':>9}")
        continue
    low, high = min(values), max(values)
    spark = "".join(BARS[round((v - low) / (high - low) * 7)] for v in values)
    print(
        f"{name:<8}{len(values):>3}{medians[name]:>9.3f}{statistics.stdev(values):>8.3f}{medians[name] / best:>6.2f}x  {spark}"
    )
print(
    statistics.geometric_mean(medians.values()),
    statistics.quantiles([v for vs in RESULTS.values() for v in vs], n=4),
)
statistics.median(RESULTS["delta"])
