"""The price of an option by a million paths, and its error."""

import numpy as np

rng = np.random.default_rng(7)
start, strike, rate, volatility, years = 100.0, 105.0, 0.03, 0.2, 1.0
normal = rng.standard_normal(1_000_000)
end = start * np.exp((rate - volatility**2 / 2) * years + volatility * np.sqrt(years) * normal)
payoff = np.exp(-rate * years) * np.maximum(end - strike, 0)
print(round(float(payoff.mean()), 6), round(float(payoff.std(ddof=1) / 1_000), 6))
print(np.round(np.percentile(end, [1, 25, 50, 75, 99]), 6))
counts, edges = np.histogram(end, bins=8, range=(40, 200))
print(counts, edges)
