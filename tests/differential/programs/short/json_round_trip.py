"""JSON makes lists of tuples and text of keys."""

import json

data = {1: (1, 2), True: None, "f": 1.0, "n": [float("inf")], 2.5: "x"}
text = json.dumps(data)
print(
    text,
    json.loads(text),
    json.loads(text) == data,
    json.loads("[1e2, 1E-2, -0]"),
    json.dumps("\x7f\u2028é"),
    json.dumps({"a": []}, indent=1),
    json.dumps([[], {}], separators=(",", ":")),
)
