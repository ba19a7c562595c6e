"""Calls: positional-only, keyword-only, defaults, unpacking, and what is said when it is wrong."""


def f(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, kwargs


def g(a, b, c): ...


def h(*, needed, other): ...


def k(x, /): ...


print(f(1, d=4), f(1, 2, 3, 4, 5, d=6, z=7, a=8))
print(f(*[1, 2], *(3,), **{"d": 1}, **{"q": 2}))
attempts = [
    lambda: f(),
    lambda: f(1),
    lambda: g(1),
    lambda: g(1, 2),
    lambda: g(1, 2, 3, 4),
    lambda: g(1, 2, 3, d=4),
    lambda: g(1, 2, 3, a=4),
    lambda: h(),
    lambda: h(1),
    lambda: h(needed=1),
    lambda: h(needed=1, othr=2),
    lambda: k(x=1),
    lambda: k(),
    lambda: g(*1),
    lambda: g(**1),
    lambda: g(**{1: 2}),
    lambda: f(1, d=1, **{"d": 2}),
    lambda: len(),
    lambda: len(1, 2),
    lambda: int(x=1),
    lambda: print(1, foo=2),
    lambda: sorted([1], key=1),
    lambda: "".join(1),
    lambda: [].append(),
    lambda: {}.get(),
    lambda: max(),
    lambda: max([]),
    lambda: (lambda x: x)(),
    lambda: (1)(),
    lambda: object(1),
    lambda: type("C", (), {})(1),
    lambda: isinstance(1, 2),
    lambda: dict([1]),
    lambda: dict([(1, 2, 3)]),
    lambda: range("a"),
    lambda: "%d" % "a",
    lambda: "%s %s" % 1,
    lambda: "%s" % (1, 2),
]
for number, each in enumerate(attempts):
    try:
        print(number, each())
    except Exception as error:
        print(number, type(error).__name__, error)


def mutable(value, store=[]):
    store.append(value)
    return store


print(mutable(1), mutable(2), mutable.__defaults__, f.__kwdefaults__)
