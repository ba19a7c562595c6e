"""Sorts are stable, also in reverse, and keys are called once an item."""

calls = []
data = [("b", 1), ("a", 1), ("c", 0), ("a", 0)]
print(
    sorted(data, key=lambda p: calls.append(p) or p[1]),
    len(calls),
    sorted(data, key=lambda p: p[1], reverse=True),
)
print(
    sorted(sorted(data), key=lambda p: p[1]),
    sorted("bA c".split(), key=str.lower),
    sorted([3, -1, 2], key=abs),
    sorted([True, 0, 2, False]),
)
