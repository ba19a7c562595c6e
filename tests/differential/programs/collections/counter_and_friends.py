"""Counter, defaultdict, OrderedDict, ChainMap, deque, namedtuple, UserDict."""

from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    UserDict,
    UserList,
    UserString,
    defaultdict,
    deque,
    namedtuple,
)

c = Counter("mississippi")
print(
    c,
    c.most_common(2),
    c["z"],
    sorted(c.elements()),
    c.total(),
    c + Counter(s=1),
    c - Counter(s=3),
    c & Counter(s=1, q=2),
    c | Counter(z=9),
    +Counter(a=-1, b=2),
    -Counter(a=-1),
    c == Counter("ppiissiissm"),
    Counter(a=1) <= Counter(a=2),
)
c.update("miss")
c.subtract({"i": 10})
del c["p"]
print(
    c,
    Counter({"a": 0, "b": 1}).most_common(),
    Counter(),
    Counter(a=3) ^ Counter(a=1, b=2) if hasattr(Counter, "__xor__") else "no xor",
)
d = defaultdict(list)
d["a"].append(1)
print(d, d.get("zz"), "zz" in d, d["q"], d, d | {"n": 1}, defaultdict(int, a=2).default_factory)
o = OrderedDict(a=1, b=2, c=3)
o.move_to_end("a")
o.move_to_end("c", last=False)
print(
    o,
    o.popitem(last=False),
    o.popitem(),
    o,
    OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1),
    OrderedDict(a=1, b=2) == {"b": 2, "a": 1},
    list(reversed(OrderedDict(x=1, y=2))),
)
m = ChainMap({"a": 1}, {"a": 2, "b": 3})
m["z"] = 5
print(m, m["a"], m["b"], dict(m), m.parents, m.new_child({"b": 9})["b"], len(m), list(m))
q = deque([1, 2, 3], maxlen=4)
q.append(4)
q.append(5)
q.appendleft(0)
q.rotate(1)
print(
    q,
    q.maxlen,
    q[1],
    q.count(3),
    q.index(3),
    q.pop(),
    q.popleft(),
    q,
    q * 2,
    q + deque([9]),
    q.copy(),
    deque("abc", 2),
    deque([1]) < deque([2]),
)
q.extendleft([7, 8])
q.insert(1, 6) if len(q) < 4 else print("full")
P = namedtuple("P", "x y z", defaults=[0])
p = P(1, 2)
print(
    p,
    p.x,
    p[1],
    p._asdict(),
    p._replace(z=5),
    P._fields,
    P._field_defaults,
    P._make([1, 2, 3]),
    p == (1, 2, 0),
    P.__doc__,
    namedtuple("R", ["class", "a", "a"], rename=True)._fields,
    p.__match_args__,
    P.x.__doc__,
)


class Lower(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)


print(
    Lower(A=1, B=2),
    Lower({"X": 1}) | {"y": 2},
    UserList([1, 2]) + [3],
    UserString("abc").upper() + "x",
    type(UserList([1])[0:1]).__name__,
)
attempts = [
    lambda: m.pop("b"),
    lambda: ChainMap()["k"],
    lambda: deque(maxlen=-1),
    lambda: deque().pop(),
    lambda: deque([1]).index(2),
    lambda: deque([1])[5],
    lambda: deque([1]).remove(3),
    lambda: deque([1], 1).insert(0, 2),
    lambda: q.rotate("a"),
    lambda: namedtuple("X", "a a"),
    lambda: namedtuple("X", "def"),
    lambda: namedtuple("1X", "a"),
    lambda: namedtuple("X", "_a"),
    lambda: P(1),
    lambda: P(1, 2, 3, 4),
    lambda: P(1, 2, w=3),
    lambda: p._replace(q=1),
    lambda: setattr(p, "x", 1),
    lambda: P._make([1]),
    lambda: namedtuple("X", "a", defaults=[1, 2]),
    lambda: OrderedDict().popitem(),
    lambda: OrderedDict(a=1).move_to_end("b"),
    lambda: defaultdict(5),
    lambda: defaultdict()["a"],
    lambda: Counter(1),
    lambda: Counter(a="x") + Counter(a=1),
    lambda: Counter.fromkeys("a"),
    lambda: OrderedDict([1]),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
changing = deque([1, 2, 3])
try:
    for each in changing:
        changing.append(each)
except RuntimeError as error:
    print(error)
