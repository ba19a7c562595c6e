"""Pipelines of generators, infinite sequences, memoised recursion, takewhile."""

from functools import cache
from itertools import accumulate, count, islice, takewhile


def primes():
    found = []
    for n in count(2):
        if all(n % p for p in takewhile(lambda p: p * p <= n, found)):
            found.append(n)
            yield n


def lines():
    yield from ("a=1", "# note", "", "b=2", "bad", "c=3")


def parsed(source):
    for number, line in enumerate(source, 1):
        if line and not line.startswith("#"):
            key, eq, value = line.partition("=")
            if eq:
                yield number, key, int(value)
            else:
                print("skipped", number, line)


print(
    list(islice(primes(), 12)), sum(takewhile(lambda p: p < 100, primes())), list(parsed(lines()))
)


@cache
def ways(n):
    return 1 if n < 2 else ways(n - 1) + ways(n - 2)


print(
    ways(100),
    ways.cache_info().misses,
    list(accumulate(range(1, 8), lambda a, b: a * b)),
    list(islice(accumulate(count(1)), 6)),
)


def countdown(n):
    while n:
        got = yield n
        n = got if got is not None else n - 1


c = countdown(5)
print(next(c), next(c), c.send(10), next(c), c.close(), list(c))


def flatten(x):
    for item in x:
        if isinstance(item, (list, tuple)):
            yield from flatten(item)
        else:
            yield item


print(list(flatten([1, [2, (3, [4, []])], "ab"])), sum(1 for _ in flatten([[]] * 9)))
