"""Dicts keep the order of insertion through updates and removals."""

d = {"x": 1, "y": 2}
d["z"] = 3
d["x"] = 9
del d["y"]
d["y"] = 4
print(
    list(d),
    d | {"a": 0, "x": 1},
    list(d.items())[::-1],
    next(iter(d)),
    d.popitem(),
    list(dict.fromkeys("banana")),
)
