"""functools: lru_cache, cache, partial, reduce, wraps, singledispatch, total_ordering, Placeholder."""

import functools
from functools import (
    Placeholder,
    cache,
    cached_property,
    lru_cache,
    partial,
    partialmethod,
    reduce,
    singledispatch,
    singledispatchmethod,
    total_ordering,
    wraps,
)

calls = []


@lru_cache(maxsize=2)
def square(x):
    calls.append(x)
    return x * x


print(
    [square(x) for x in (1, 2, 1, 3, 2, 1)],
    calls,
    square.cache_info(),
    square.cache_parameters(),
    square.__wrapped__(9),
)
square.cache_clear()
print(square.cache_info())


@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(90), fib.cache_info())


@lru_cache(typed=True)
def typed(x):
    return type(x).__name__


print(typed(1), typed(1.0), typed(True), typed.cache_info().currsize)
p = partial(int, base=2)
print(
    p("101"),
    p.func,
    p.keywords,
    p.args,
    partial(print, "a", sep="-")("b"),
    partial(partial(max, 3), 5)(1),
    partial(divmod, Placeholder, 3)(10),
    repr(partial(pow, 2)),
)


class Cell:
    def __init__(self):
        self.alive = False

    def set_state(self, state, *, loud=False):
        self.alive = state
        return loud

    set_alive = partialmethod(set_state, True, loud=True)

    @cached_property
    def area(self):
        calls.append("area")
        return 5


c = Cell()
print(
    c.set_alive(),
    c.alive,
    c.area,
    c.area,
    calls[-1],
    c.__dict__,
    reduce(lambda a, b: a * b, [1, 2, 3, 4]),
    reduce(lambda a, b: a + b, [], "start"),
    reduce(max, [3, 9], initial=1),
)


def logged(function):
    @wraps(function)
    def wrapper(*args):
        """Wrapper's own."""
        return function(*args)

    return wrapper


@logged
def documented(x: int) -> str:
    """The text."""


print(
    documented.__name__,
    documented.__doc__,
    documented.__wrapped__.__name__,
    documented.__annotations__,
    documented.__qualname__,
)


@singledispatch
def show(value):
    return f"object {value}"


@show.register
def _(value: int):
    return f"int {value}"


@show.register(list)
def show_list(value):
    return f"list of {len(value)}"


@show.register
def _(value: str | bytes):
    return f"text {value}"


print(
    show(1),
    show(True),
    show([1]),
    show("s"),
    show(b"b"),
    show(2.5),
    show.dispatch(bool) is show.registry[int],
    sorted(k.__name__ for k in show.registry),
)


class Negator:
    @singledispatchmethod
    def neg(self, arg):
        raise NotImplementedError("cannot negate")

    @neg.register
    def _(self, arg: int):
        return -arg

    @neg.register
    @classmethod
    def _(cls, arg: bool):
        return cls.__name__


print(Negator().neg(5), Negator().neg(True))


@total_ordering
class Size:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


print(Size(1) <= Size(1), Size(2) > Size(1), Size(1) >= Size(2))
attempts = [
    lambda: square([]),
    lambda: reduce(max, []),
    lambda: partial(),
    lambda: partial(5),
    lambda: lru_cache(maxsize="a"),
    lambda: show(),
    lambda: Negator().neg("x"),
    lambda: total_ordering(type("E", (), {})),
    lambda: show.register(5),
    lambda: show.register(lambda x: x),
    lambda: partial(pow, Placeholder),
    lambda: partial(divmod, Placeholder, 3)(),
    lambda: functools.cmp_to_key(5)(1) < functools.cmp_to_key(5)(2),
    lambda: functools.update_wrapper(1, print),
    lambda: show.register(list | 5),
    lambda: singledispatch(5)(1),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
