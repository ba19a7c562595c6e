"""Nested records to a flat table, to JSON and back."""

import io
import json

import pandas as pd

records = [
    {
        "id": 1,
        "name": {"first": "Ada", "last": "L"},
        "scores": [{"k": "a", "v": 3}, {"k": "b", "v": 5}],
    },
    {"id": 2, "name": {"first": "Alan", "last": "T"}, "scores": [{"k": "a", "v": 8}]},
    {"id": 3, "name": {"first": "Grace", "last": "H"}, "scores": []},
]
flat = pd.json_normalize(records, "scores", ["id", ["name", "first"]])
print(flat.to_string())
people = pd.json_normalize(records).drop(columns="scores")
print(people.to_string())
wide = flat.pivot(index="name.first", columns="k", values="v")
print(wide.to_string())
text = wide.reset_index().to_json(orient="records")
print(text)
again = pd.read_json(io.StringIO(text), orient="records")
print(again.dtypes.to_string())
print(json.loads(people.to_json(orient="split"))["columns"])
