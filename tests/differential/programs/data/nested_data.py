"""Flattening, grouping, merging, diffing and querying nested dicts and lists."""

from collections import defaultdict
from itertools import groupby
from operator import itemgetter

DATA = {
    "users": [
        {"name": "Ann", "tags": ["x", "y"], "home": {"city": "Rome"}},
        {"name": "Bob", "tags": [], "home": None},
    ],
    "n": 2,
}


def flatten(value, path=""):
    if isinstance(value, dict) and value:
        for k, v in value.items():
            yield from flatten(v, f"{path}.{k}" if path else k)
    elif isinstance(value, list) and value:
        for i, v in enumerate(value):
            yield from flatten(v, f"{path}[{i}]")
    else:
        yield path, value


def merge(a, b):
    return {
        k: merge(a[k], b[k])
        if isinstance(a.get(k), dict) and isinstance(b.get(k), dict)
        else b.get(k, a.get(k))
        for k in [*a, *(k for k in b if k not in a)]
    }


def get(data, path, default=None):
    for part in path.split("."):
        try:
            data = data[int(part)] if isinstance(data, list) else data[part]
        except KeyError, IndexError, TypeError, ValueError:
            return default
    return data


def diff(a, b, path=""):
    for key in sorted(a.keys() | b.keys()):
        here = f"{path}/{key}"
        if key not in a:
            yield f"+ {here} {b[key]!r}"
        elif key not in b:
            yield f"- {here} {a[key]!r}"
        elif isinstance(a[key], dict) and isinstance(b[key], dict):
            yield from diff(a[key], b[key], here)
        elif a[key] != b[key]:
            yield f"~ {here} {a[key]!r} -> {b[key]!r}"


print(dict(flatten(DATA)))
print(
    merge({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": 3, "z": 4}, "c": [5]}),
    get(DATA, "users.0.home.city"),
    get(DATA, "users.1.home.city"),
    get(DATA, "users.9", "none"),
)
print(
    *diff({"a": 1, "b": {"c": 2, "d": 3}, "e": 5}, {"a": 1, "b": {"c": 9, "f": None}, "g": []}),
    sep="\n",
)
rows = [("fruit", "apple", 3), ("veg", "leek", 1), ("fruit", "fig", 8)]
print({k: [r[1:] for r in g] for k, g in groupby(sorted(rows), itemgetter(0))})
totals = defaultdict(lambda: defaultdict(int))
for kind, name, n in rows:
    totals[kind][name[0]] += n
print(
    {k: dict(v) for k, v in totals.items()},
    list(zip(*rows)),
    [*map(list, zip(*[[1, 2], [3, 4]]))],
    dict(sorted({"b": 1, "a": 2}.items())),
    {v: k for k, v in {"a": 1}.items()},
)
