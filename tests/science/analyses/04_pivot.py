"""A pivot table with margins, and its shares."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(4)
days = pd.date_range("2025-01-01", "2025-12-31", freq="D")
frame = pd.DataFrame(
    {
        "day": rng.choice(days, 8_000),
        "channel": rng.choice(["web", "shop", "phone"], 8_000, p=[0.6, 0.3, 0.1]),
        "amount": rng.lognormal(3, 0.8, 8_000).round(2),
    }
)
frame["quarter"] = frame["day"].dt.to_period("Q").astype(str)
table = frame.pivot_table(
    index="quarter", columns="channel", values="amount", aggfunc="sum", margins=True
)
print(table.round(2).to_string())
print(table.div(table["All"], axis=0).mul(100).round(3).to_string())
print(
    frame.melt(id_vars=["channel"], value_vars=["amount"])
    .groupby("channel")["value"]
    .max()
    .to_string()
)
