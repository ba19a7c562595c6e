"""Decorators with arguments, stacked, on classes, with state; closures that share cells."""

import functools


def repeat(n):
    def decorate(f):
        @functools.wraps(f)
        def wrapper(*a, **k):
            wrapper.calls += 1
            return [f(*a, **k) for _ in range(n)]

        wrapper.calls = 0
        return wrapper

    return decorate


def tag(name):
    print("evaluating", name)
    return lambda f: lambda *a: f"<{name}>{f(*a)}</{name}>"


@tag("b")
@tag("i")
@repeat(2)
def hello(who="you"):
    return f"hello {who}"


print(hello("Ann"))


def add_repr(cls):
    cls.__repr__ = lambda self: (
        f"{cls.__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"
    )
    return cls


@add_repr
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


print(Point(1, "a"))


def make():
    n = 0

    def get():
        return n

    def put(value):
        nonlocal n
        n = value

    return get, put


get, put = make()
put(5)
print(
    get(),
    get.__closure__[0] is put.__closure__[0],
    (lambda *a, k=1, **kw: (a, k, kw))(1, 2, k=3, z=4),
)


class Counter:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f, self.n = f, 0

    def __call__(self, *a):
        self.n += 1
        return self.f(*a)

    def __get__(self, instance, owner):
        return functools.partial(self, instance)


class Service:
    @Counter
    def work(self, x):
        """Works."""
        return x + 1


print(
    Service().work(1),
    Service().work(2),
    Service.__dict__["work"].n,
    Service.__dict__["work"].__doc__,
)
