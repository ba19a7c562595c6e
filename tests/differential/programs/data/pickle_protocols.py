"""pickle: all protocols, reduce, getstate, persistent ids, shared references, refusals."""

import copyreg
import io
import pickle
import pickletools
from collections import OrderedDict, namedtuple
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1


class Plain:
    def __init__(self, a):
        self.a = a

    def __eq__(self, other):
        return self.__dict__ == other.__dict__


class Stateful:
    __slots__ = ("x", "cache")

    def __init__(self, x):
        self.x = x
        self.cache = "costly"

    def __getstate__(self):
        return {"x": self.x}

    def __setstate__(self, state):
        self.x = state["x"]
        self.cache = "rebuilt"


class Reduced:
    def __init__(self, n):
        self.n = n

    def __reduce__(self):
        return (Reduced, (self.n + 1,))


class NewArgs(str):
    def __new__(cls, text, extra):
        made = super().__new__(cls, text)
        made.extra = extra
        return made

    def __getnewargs__(self):
        return (str(self), self.extra)


values = [
    None,
    True,
    1,
    -1,
    2**70,
    1.5,
    "text é",
    b"bytes",
    bytearray(b"ba"),
    (1,),
    (1, 2, 3, 4),
    [1],
    {"a": {1, 2}},
    frozenset([1]),
    range(5),
    slice(1, 2),
    ...,
    1j,
    Decimal("1.5"),
    Fraction(1, 3),
    date(2024, 1, 1),
    OrderedDict(a=1),
    Point(1, 2),
    Colour.RED,
    Plain([1]),
    len,
    int,
    ValueError("x"),
    NotImplemented,
]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    print(
        protocol,
        [pickle.loads(pickle.dumps(v, protocol)) == v for v in values].count(False),
        len(pickle.dumps(values, protocol)) > 0,
    )
s = pickle.loads(pickle.dumps(Stateful(5)))
print(
    s.x,
    s.cache,
    pickle.loads(pickle.dumps(Reduced(1))).n,
    pickle.loads(pickle.dumps(NewArgs("a", 9))).extra,
    str(pickle.loads(pickle.dumps(ValueError("a", 1)))),
    pickle.HIGHEST_PROTOCOL,
    pickle.DEFAULT_PROTOCOL,
)
shared = [1]
a, b = pickle.loads(pickle.dumps([shared, shared]))
loop = [1]
loop.append(loop)
again = pickle.loads(pickle.dumps(loop))
print(
    a is b, again[1] is again, pickle.dumps(1, 0), pickle.dumps("a", 4), pickle.dumps([1, (2,)], 2)
)


class P(pickle.Pickler):
    def persistent_id(self, value):
        return "plain" if isinstance(value, Plain) else None

    def reducer_override(self, value):
        return (str, ("complex!",)) if isinstance(value, complex) else NotImplemented


class U(pickle.Unpickler):
    def persistent_load(self, pid):
        return f"<{pid}>"

    def find_class(self, module, name):
        if name != "Point" and module != "builtins":
            raise pickle.UnpicklingError(f"{module}.{name} is forbidden")
        return super().find_class(module, name)


out = io.BytesIO()
P(out).dump([Plain(1), 1j, Point(1, 2)])
print(U(io.BytesIO(out.getvalue())).load())
buffers = []
packed = pickle.dumps(pickle.PickleBuffer(bytearray(b"big")), 5, buffer_callback=buffers.append)
print(pickle.loads(packed, buffers=buffers), len(buffers))
pickletools.dis(pickletools.optimize(pickle.dumps({"a": [1, "b"]}, 2)))
attempts = [
    lambda: pickle.dumps(lambda: 1),
    lambda: pickle.dumps((i for i in [])),
    lambda: pickle.dumps(io),
    lambda: pickle.dumps(type("Local", (), {})()),
    lambda: pickle.loads(b""),
    lambda: pickle.loads(b"garbage"),
    lambda: pickle.loads(pickle.dumps([1, 2])[:-1]),
    lambda: pickle.loads(b"cnope\nthing\n."),
    lambda: pickle.loads(b"cos\nnothing\n."),
    lambda: pickle.dumps(1, 99),
    lambda: pickle.loads("text"),
    lambda: U(io.BytesIO(pickle.dumps(Decimal(1)))).load(),
    lambda: pickle.loads(b"\x80\x63."),
    lambda: pickle.loads(b"."),
    lambda: pickle.dumps({"k": [Plain(lambda: 1)]}),
    lambda: pickle.dumps(memoryview(b"x")),
    lambda: pickle.load(5),
    lambda: pickle.dumps(open("f", "w")),
    lambda: pickle.loads(b"N"),
    lambda: pickle.loads(b"0."),
    lambda: copyreg.pickle(1, 2),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(
            number,
            type(error).__name__,
            str(error).split(" at 0x")[0],
            getattr(error, "__notes__", ""),
        )
