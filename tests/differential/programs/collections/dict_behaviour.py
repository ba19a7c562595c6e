"""dict: order, views, merging, mutation during iteration, keys that compare equal."""

d = {"b": 1, "a": 2, "c": 3}
print(
    d,
    list(d),
    list(reversed(d)),
    d.keys() & {"a", "z"},
    sorted(d.items() - {("a", 2)}),
    sorted(d.items() ^ {("x", 1)}),
    d.keys() | ["q"] == {"a", "b", "c", "q"},
    d.keys().isdisjoint(["z"]),
    ("a", 2) in d.items(),
    d.values().mapping,
)
d["b"] = 9
d |= {"z": 0}
d.update(a=5, **{"new key": 1})
print(
    d,
    d.pop("a"),
    d.pop("zz", "default"),
    d.popitem(),
    d.setdefault("s", []),
    d.get("no"),
    d.get("no", 1),
    len(d),
    d | {"b": 0},
    {"b": 0} | d,
)
print(
    {1: "a", 1.0: "b", True: "c"},
    {(1, 2): 3},
    dict([("a", 1)], b=2),
    dict(zip("ab", [1, 2])),
    dict.fromkeys("ab", 0),
    {**{"x": 1}, "x": 2},
    {i: i * i for i in range(4)},
    dict({"k": 1}.items()),
)
keys = d.keys()
d["late"] = 1
print(
    keys,
    keys == {"b", "c", "z", "s", "late"},
    repr(d.items()),
    d.copy() == d,
    d == dict(reversed(list(d.items()))),
    list(d.values()),
)
attempts = [
    lambda: d["missing"],
    lambda: d.pop("missing"),
    lambda: {}.popitem(),
    lambda: {[]: 1},
    lambda: {{}: 1},
    lambda: {(1, []): 1},
    lambda: dict(1),
    lambda: dict(["ab", "c"]),
    lambda: dict([1]),
    lambda: d.update(5),
    lambda: d | [("a", 1)],
    lambda: d < {},
    lambda: d + d,
    lambda: d.keys() + 1,
    lambda: {**5},
    lambda: dict.fromkeys(5),
    lambda: d.__missing__("x"),
    lambda: {1: 2}[[]],
    lambda: {} in {},
    lambda: d.setdefault([]),
    lambda: d.get({}),
    lambda: {set(): 1},
    lambda: dict(a=1, **{"a": 2}),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
for action in (lambda x: x.pop("b"), lambda x: x.__setitem__("new", 1), lambda x: x.clear()):
    copy = {"a": 1, "b": 2}
    try:
        for key in copy:
            action(copy)
        print("fine", copy)
    except RuntimeError as error:
        print(error)


class Key:
    def __init__(self, value, number):
        self.value = value
        self.number = number

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self.number == other.number

    def __repr__(self):
        return f"Key({self.value})"


table = {Key("a", 1): "first", Key("b", 2): "second", Key("c", 1): "third"}
print(table, table[Key("x", 2)])


class Explosive:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        raise ValueError("compared")


try:
    {Explosive(): 1, Explosive(): 2}
except ValueError as error:
    print(error)
counts = {}
for word in "the cat the dog the end".split():
    counts[word] = counts.get(word, 0) + 1
print(counts, max(counts, key=counts.get), sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])))
nested = {}
nested.setdefault("a", {}).setdefault("b", []).append(1)
print(nested, {k: v for d2 in ({"x": 1}, {"y": 2}) for k, v in d2.items()})
