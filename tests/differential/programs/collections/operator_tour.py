"""operator: functions for operators, getters, callers."""

import operator as op

for name, args in (
    ("add", (1, 2)),
    ("sub", (1, 2)),
    ("mul", ("a", 3)),
    ("truediv", (7, 2)),
    ("floordiv", (7, 2)),
    ("mod", (7, 3)),
    ("pow", (2, 5)),
    ("matmul", (1, 2)),
    ("lshift", (1, 4)),
    ("and_", (6, 3)),
    ("or_", (6, 3)),
    ("xor", (6, 3)),
    ("invert", (5,)),
    ("neg", (5,)),
    ("pos", (-5,)),
    ("not_", ([],)),
    ("truth", ("a",)),
    ("is_", (None, None)),
    ("is_not", (1, None)),
    ("is_none", (None,)),
    ("is_not_none", (None,)),
    ("lt", (1, 2)),
    ("eq", (1, 1.0)),
    ("contains", ("abc", "b")),
    ("countOf", ("banana", "a")),
    ("indexOf", ([1, 2], 2)),
    ("getitem", ({"a": 1}, "a")),
    ("concat", ([1], [2])),
    ("index", (True,)),
    ("length_hint", ([1, 2],)),
    ("iadd", ([1], [2])),
    ("call", (max, 1, 2)),
    ("abs", (-2,)),
):
    try:
        print(name, getattr(op, name)(*args))
    except Exception as error:
        print(name, type(error).__name__, error)
rows = [{"n": "a", "v": 2}, {"n": "b", "v": 1}]
print(
    sorted(rows, key=op.itemgetter("v")),
    op.itemgetter(0, -1)("abc"),
    op.itemgetter(slice(1, None))("abc"),
    op.attrgetter("real", "imag")(3 + 4j),
    op.attrgetter("__class__.__name__")(1),
    op.methodcaller("split", ",", maxsplit=1)("a,b,c"),
    repr(op.itemgetter(1)),
    repr(op.methodcaller("x", 1, k=2)),
    repr(op.attrgetter("a.b")),
)
d = {}
op.setitem(d, "k", 1)
op.delitem(d, "k")
print(d)
for attempt in (
    lambda: op.itemgetter(),
    lambda: op.attrgetter(5),
    lambda: op.attrgetter("zz")(1),
    lambda: op.methodcaller(),
    lambda: op.methodcaller("zz")(1),
    lambda: op.index(1.5),
    lambda: op.concat(1, 2),
    lambda: op.indexOf([1], 5),
    lambda: op.length_hint(1, "a"),
    lambda: op.add(1),
    lambda: op.itemgetter("x")({}),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
