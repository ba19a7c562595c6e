"""Mean, median, deviation, correlation by hand against the module."""

import math
import random
import statistics as st

random.seed(17)
data = [random.gauss(50, 12) for _ in range(40)]
other = [d * 0.7 + random.uniform(-5, 5) for d in data]
mean = math.fsum(data) / len(data)
spread = math.sqrt(math.fsum((d - mean) ** 2 for d in data) / (len(data) - 1))
print(
    f"{mean:.9f} {spread:.9f} {st.median(data):.9f}",
    math.isclose(mean, st.mean(data)),
    math.isclose(spread, st.stdev(data)),
)
print(
    [round(q, 6) for q in st.quantiles(data, n=4)],
    [round(q, 6) for q in st.quantiles(data, n=4, method="inclusive")],
    f"{st.correlation(data, other):.9f} {st.covariance(data, other):.6f}",
)
edges = list(range(20, 90, 10))
for low in edges:
    n = sum(low <= d < low + 10 for d in data)
    print(f"{low:>3}-{low + 10:<3} {'#' * n} {n}")
normal = st.NormalDist.from_samples(data)
print(
    f"{normal.cdf(60):.9f} {normal.inv_cdf(0.9):.6f}",
    st.mode([round(d, -1) for d in data]),
    sorted(st.multimode("aabbc")),
    st.median_low([1, 2, 3, 4]),
    st.median_grouped([1, 2, 2, 3], 1),
)
