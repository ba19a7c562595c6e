"""Two sheets to an Excel file and back, with dates, numbers and gaps."""

# needs openpyxl
import io

import numpy as np
import pandas as pd

rng = np.random.default_rng(11)
frame = pd.DataFrame(
    {
        "day": pd.date_range("2026-05-01", periods=6, freq="D"),
        "name": ["a", "b", None, "d", "e", "f"],
        "value": rng.normal(10, 2, 6).round(4),
        "count": [1, 2, 3, 4, 5, 6],
    }
)
file = io.BytesIO()
with pd.ExcelWriter(file, engine="openpyxl") as writer:
    frame.to_excel(writer, sheet_name="data", index=False)
    frame.describe().to_excel(writer, sheet_name="summary")
sheets = pd.read_excel(io.BytesIO(file.getvalue()), sheet_name=None)
print(list(sheets))
print(sheets["data"].to_string())
print(sheets["data"].dtypes.to_string())
print(sheets["summary"].round(4).to_string())
