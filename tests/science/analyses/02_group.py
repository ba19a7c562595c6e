"""Group many rows by two keys."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(2026)
n = 50_000
frame = pd.DataFrame(
    {
        "city": rng.choice(["Oslo", "Lima", "Pune", "Kyiv"], n),
        "segment": rng.choice(list("ABC"), n, p=[0.5, 0.3, 0.2]),
        "spend": rng.gamma(2.0, 30.0, n).round(2),
        "visits": rng.poisson(3, n),
    }
)
table = frame.groupby(["city", "segment"]).agg(
    customers=("spend", "size"),
    mean=("spend", "mean"),
    median=("spend", "median"),
    p90=("spend", lambda part: part.quantile(0.9)),
    visits=("visits", "sum"),
)
print(table.round(4).to_string())
print(frame.corr(numeric_only=True).round(6).to_string())
