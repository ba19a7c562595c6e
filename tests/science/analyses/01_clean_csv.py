"""Read a CSV with faults, clean it, sum it up."""

import io

import pandas as pd

text = """date,region,product,units,price
2026-01-03,North,Widget,10,2.50
2026-01-04,north ,Widget,,2.50
2026-01-04,South,Gadget,7,n/a
2026-01-05,South,Gadget,7,4.00
2026-01-05,South,Gadget,7,4.00
2026-01-09,EAST,widget,12,"2,60"
not a date,East,Gizmo,3,9.99
"""
frame = pd.read_csv(io.StringIO(text))
frame["date"] = pd.to_datetime(frame["date"], errors="coerce")
frame["region"] = frame["region"].str.strip().str.title()
frame["product"] = frame["product"].str.title()
frame["price"] = pd.to_numeric(frame["price"].str.replace(",", "."), errors="coerce")
frame = frame.dropna(subset=["date"]).drop_duplicates()
frame["units"] = frame["units"].fillna(frame["units"].median()).astype("int64")
frame["price"] = frame.groupby("product")["price"].transform(lambda part: part.fillna(part.mean()))
frame["revenue"] = frame["units"] * frame["price"]
print(frame.to_string())
print(frame.groupby("region")["revenue"].agg(["count", "sum", "mean"]).round(3).to_string())
