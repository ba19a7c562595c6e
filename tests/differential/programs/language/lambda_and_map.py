"""map, filter, reduce, zip and lambdas in the functional style."""

from functools import reduce

words = "the quick brown fox jumps".split()
print(
    list(map(len, words)),
    list(filter(lambda w: "o" in w, words)),
    reduce(lambda a, b: f"({a} {b})", words),
)
print(
    dict(zip(words, map(str.upper, words))),
    sorted(words, key=lambda w: (len(w), w)),
    max(words, key=len),
)
compose = lambda *fs: lambda x: reduce(lambda v, f: f(v), fs, x)
print(
    compose(str.split, reversed, " ".join)("a b c"),
    [f(3) for f in (lambda x: x + 1, lambda x: x**2)],
)
print(
    list(map(pow, [2, 3], [3, 2])),
    [*map(lambda p: p[0] * p[1], zip(range(3), "abc"))],
    (lambda: (yield))().__class__.__name__,
)
print(list(map(None.__class__, [])), any(map(str.isupper, words)), sum(map(len, words)))
