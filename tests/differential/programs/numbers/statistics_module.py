"""statistics: centre, spread, quantiles, regression, distributions, and NaN."""

import statistics as st
from decimal import Decimal as D
from fractions import Fraction as F

data = [2.5, 3.25, 5.5, 11.25, 11.75, 2.5]
print(
    st.mean(data),
    st.fmean(data),
    st.geometric_mean([1, 2, 4, 8]),
    st.harmonic_mean([40, 60]),
    st.median(data),
    st.median_low(data),
    st.median_high(data),
    st.median_grouped([1, 2, 2, 3, 4, 4, 4, 4, 4, 5]),
)
print(
    st.mode(data),
    st.multimode("aabbc"),
    st.multimode([]),
    st.pstdev(data),
    st.stdev(data),
    st.pvariance(data),
    st.variance(data),
    st.quantiles(data),
    st.quantiles(data, n=10, method="inclusive"),
)
print(
    st.mean([D("0.5"), D("0.75"), D("0.625")]),
    st.mean([F(1, 6), F(1, 2)]),
    st.variance([D("27.5"), D("30.25")]),
    st.stdev([F(1, 3), F(2, 3)]),
    st.mean([1, 2]),
    st.mean([True, False]),
)
print(
    st.fmean([1, 2, 3], weights=[3, 1, 1]),
    st.harmonic_mean([40, 60], weights=[5, 30]),
    st.covariance([1, 2, 3], [1, 5, 7]),
    st.correlation([1, 2, 3], [3, 2, 1]),
    st.correlation([1, 20, 3], [1, 9, 4], method="ranked"),
    st.linear_regression([1, 2, 3], [3, 5, 7]),
    st.linear_regression([1, 2], [2, 4], proportional=True),
)
n = st.NormalDist(100, 15)
print(
    n,
    n.cdf(115),
    n.pdf(100),
    n.inv_cdf(0.975),
    n.zscore(130),
    n.quantiles(4),
    n.overlap(st.NormalDist(110, 15)),
    n + 5,
    n * 2,
    n - st.NormalDist(1, 1),
    -n,
    n == st.NormalDist(100, 15),
    st.NormalDist.from_samples(data),
    n.samples(3, seed=7),
)
kde = st.kde([1.0, 2.0, 4.0], h=1.0)
print(
    kde(2.0),
    st.kde([1.0, 2.0], h=0.5, kernel="triangular", cumulative=True)(1.5),
    st.kde_random([1.0, 2.0], h=0.5, seed=3)(),
)
nan = float("nan")
print(
    st.mean([1, nan]),
    st.fmean([1, nan]),
    st.median([1.0, 2.0, nan]),
    st.mean([float("inf"), 1]),
    st.mode([1, 1, nan]),
)
for attempt in (
    lambda: st.mean([]),
    lambda: st.stdev([1]),
    lambda: st.median([]),
    lambda: st.mode([]),
    lambda: st.geometric_mean([0, 1]),
    lambda: st.geometric_mean([-1]),
    lambda: st.harmonic_mean([-1]),
    lambda: st.quantiles([1]),
    lambda: st.quantiles([]),
    lambda: st.quantiles([1, 2], n=0),
    lambda: st.mean(["a"]),
    lambda: st.correlation([1, 1], [1, 2]),
    lambda: st.linear_regression([1], [1]),
    lambda: st.NormalDist(0, -1),
    lambda: n.inv_cdf(1),
    lambda: st.kde([], 1),
    lambda: st.kde([1], 0),
    lambda: st.fmean([1], weights=[1, 2]),
    lambda: st.pvariance([]),
    lambda: st.quantiles([1, 2], method="x"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
