"""A regression by least squares, a polynomial, and what is left over."""

import numpy as np

rng = np.random.default_rng(5)
x = np.linspace(0, 10, 400)
y = 2.5 - 1.2 * x + 0.31 * x**2 + rng.normal(0, 0.7, x.size)
coefficients, residual, rank, _ = np.linalg.lstsq(np.vander(x, 3), y, rcond=None)
print(np.round(coefficients, 8), np.round(residual, 6), rank)
print(np.round(np.polynomial.polynomial.polyfit(x, y, 2), 8))
fitted = np.polyval(coefficients, x)
print("R2", round(float(1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum()), 10))
design = np.column_stack([np.ones_like(x), x, np.sin(x)])
beta = np.linalg.solve(design.T @ design, design.T @ y)
print(np.round(beta, 8), np.round(np.linalg.cond(design), 6))
values = np.linalg.eigvalsh(np.cov(np.vstack([x, y])))
print(np.round(values, 8))
