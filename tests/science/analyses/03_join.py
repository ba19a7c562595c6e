"""Join orders with customers and products, and find what has no partner."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(3)
customers = pd.DataFrame({"id": np.arange(1, 201), "tier": rng.choice(["gold", "tin"], 200)})
products = pd.DataFrame(
    {"sku": [f"P{i:02d}" for i in range(20)], "cost": rng.uniform(1, 50, 20).round(2)}
)
orders = pd.DataFrame(
    {
        "customer": rng.integers(1, 221, 5_000),
        "sku": rng.choice([f"P{i:02d}" for i in range(22)], 5_000),
        "count": rng.integers(1, 9, 5_000),
    }
)
joined = orders.merge(customers, left_on="customer", right_on="id", how="left", indicator="known")
joined = joined.merge(products, on="sku", how="left")
joined["total"] = joined["count"] * joined["cost"]
print(joined["known"].value_counts().to_string())
print(joined.groupby("tier", dropna=False)["total"].agg(["size", "sum"]).round(2).to_string())
best = joined.groupby("sku")["total"].sum().nlargest(5)
print(best.round(2).to_string())
print(int(joined["cost"].isna().sum()), "orders of unknown products")
