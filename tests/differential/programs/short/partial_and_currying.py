"""partial, currying, composition and memoising by dict."""

from functools import partial, reduce


def curry(f, n):
    return f if n < 2 else lambda x: curry(partial(f, x), n - 1)


print(
    curry(lambda a, b, c: a + b * c, 3)(1)(2)(3),
    partial(int, base=16)("ff"),
    list(map(partial(pow, 2), range(5))),
    reduce(lambda f, g: lambda x: g(f(x)), (str, list, len))(12345),
    partial(print, end="!\n").keywords,
)
