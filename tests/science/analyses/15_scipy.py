"""Fits, optimisation, statistics, signals, sparse systems and distances."""

# needs scipy

import numpy as np
from scipy import (
    fft,
    integrate,
    interpolate,
    linalg,
    ndimage,
    optimize,
    signal,
    sparse,
    spatial,
    special,
    stats,
)
from scipy.sparse import csgraph
from scipy.sparse import linalg as sparse_linalg

rng = np.random.default_rng(15)

matrix = rng.normal(size=(30, 30))
spd = matrix @ matrix.T + 30 * np.eye(30)
print("linalg", np.round(linalg.solve(spd, np.arange(30.0), assume_a="pos")[:3], 10))
print(
    np.round(linalg.svdvals(matrix)[:3], 8), np.round(linalg.eigh(spd, eigvals_only=True)[-2:], 8)
)
print(
    np.round(np.sort(np.abs(linalg.eigvals(matrix)))[-2:], 8), np.round(linalg.logm(spd)[0, :2], 8)
)
lower, pivots = linalg.lu_factor(matrix)
print(
    np.round(linalg.lu_solve((lower, pivots), np.ones(30))[:2], 8),
    np.round(linalg.norm(linalg.expm(matrix / 9)), 8),
)


def decay(x, height, rate, offset):
    return height * np.exp(-rate * x) + offset


x = np.linspace(0, 4, 80)
y = decay(x, 2.5, 1.3, 0.5) + 0.05 * rng.normal(size=x.size)
found, covariance = optimize.curve_fit(decay, x, y)
print("fit", np.round(found, 5), np.round(np.sqrt(np.diag(covariance)), 5))
least = optimize.minimize(
    optimize.rosen, [1.3, 0.7, 0.8, 1.9], method="BFGS", jac=optimize.rosen_der
)
print("minimum", np.round(least.x, 4), least.success)
print("root", round(optimize.brentq(lambda t: np.cos(t) - t, 0, 1), 10))
plan = optimize.linprog(
    [-1, 4], A_ub=[[-3, 1], [1, 2]], b_ub=[6, 4], bounds=[(None, None), (-3, None)]
)
print("plan", np.round(plan.x, 6), round(plan.fun, 6))
print("assigned", optimize.linear_sum_assignment([[4, 1, 3], [2, 0, 5], [3, 2, 2]])[1])

print("area", np.round(integrate.quad(lambda t: np.exp(-t * t), -np.inf, np.inf)[0], 10))
orbit = integrate.solve_ivp(lambda t, s: [s[1], -s[0]], (0, 10), [1, 0], rtol=1e-8, atol=1e-10)
print("orbit", np.round(orbit.y[:, -1], 5))
spline = interpolate.CubicSpline(x, np.sin(x))
print("spline", np.round(spline([0.5, 1.5, 2.5]), 6), np.round(spline.integrate(0, 3), 6))
grid = interpolate.RegularGridInterpolator((x, x), np.add.outer(x, x * x))
print("grid", np.round(grid([[1.1, 2.2], [3.3, 0.4]]), 6))

wave = np.sin(2 * np.pi * 5 * np.arange(500) / 250) + 0.3 * rng.normal(size=500)
b, a = signal.butter(4, 10, fs=250)
print("filtered", np.round(signal.filtfilt(b, a, wave)[::125], 6))
frequencies, power = signal.welch(wave, fs=250, nperseg=128)
print(
    "peak",
    round(frequencies[power.argmax()], 4),
    np.round(signal.find_peaks(wave, distance=40)[0][:4]),
)
print("fft", np.round(fft.dct(x[:5]), 6), np.round(np.abs(fft.rfft(wave)[10]), 6))

system = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(200, 200), format="csc")
print("sparse", np.round(sparse_linalg.spsolve(system, np.ones(200))[[0, 99]], 6))
print(np.round(sparse_linalg.eigsh(system, k=3, sigma=0, return_eigenvectors=False), 8))
solved, status = sparse_linalg.cg(system, np.ones(200), rtol=1e-10)
print(np.round(solved[99], 4), status)
roads = sparse.csr_array([[0, 7, 0, 2], [0, 0, 1, 0], [0, 0, 0, 0], [0, 3, 8, 0]])
print("roads", csgraph.dijkstra(roads, indices=0), csgraph.connected_components(roads)[0])

points = rng.random((60, 2))
tree = spatial.KDTree(points)
print("near", np.round(tree.query([[0.5, 0.5]], k=3)[0], 8), len(tree.query_pairs(0.1)))
print("hull", round(spatial.ConvexHull(points).volume, 8), len(spatial.Delaunay(points).simplices))
print(
    "turned",
    np.round(spatial.transform.Rotation.from_euler("z", 90, degrees=True).apply([1, 0, 0]), 8),
)

print("special", np.round(special.gamma([0.5, 4.5]), 8), np.round(special.jv(1, [0.5, 10]), 10))
print(
    np.round(special.erfinv(0.3), 10),
    special.comb(30, 12, exact=True),
    np.round(special.ellipk(0.4), 10),
)
groups = rng.normal(0, 1, 40), rng.normal(0.6, 1.2, 50)
print("test", *(np.round(each, 8) for each in stats.ttest_ind(*groups, equal_var=False)))
print(
    *(np.round(each, 8) for each in stats.mannwhitneyu(*groups)),
    np.round(stats.shapiro(groups[0]).pvalue, 6),
)
print(
    "norm",
    np.round(stats.norm.ppf([0.025, 0.5, 0.9]), 8),
    np.round(stats.gamma.fit(rng.gamma(2, 3, 400), floc=0), 4),
)
print(np.round(stats.linregress(x, y)[:3], 8), np.round(stats.gaussian_kde(y)(1.0), 8))
print(
    np.round(stats.beta(2, 5).rvs(3, random_state=1), 8),
    np.round(stats.spearmanr(x, y).statistic, 8),
)
image = ndimage.gaussian_filter(rng.random((40, 40)), 2)
labels, count = ndimage.label(image > 0.52)
print(
    "image",
    count,
    np.round(ndimage.rotate(image, 30)[20, 20:23], 6),
    ndimage.sum_labels(image > 0.52).astype(int),
)
