"""Every function of itertools on small inputs."""

import itertools as it
import operator

take = lambda n, i: list(it.islice(i, n))
print(
    take(4, it.count(5, 2)),
    take(5, it.cycle("ab")),
    list(it.repeat("x", 3)),
    take(3, it.count(0.5, 0.25)),
    list(it.accumulate([1, 2, 3, 4])),
    list(it.accumulate([3, 1, 4], max)),
    list(it.accumulate([1, 2], operator.mul, initial=10)),
    list(it.batched("abcdefg", 3)),
)
print(
    list(it.chain("ab", [1], ())),
    list(it.chain.from_iterable(["ab", "c"])),
    list(it.compress("abcd", [1, 0, True, ""])),
    list(it.dropwhile(lambda x: x < 3, [1, 2, 3, 1])),
    list(it.takewhile(lambda x: x < 3, [1, 2, 3, 1])),
    list(it.filterfalse(str.isdigit, "a1b2")),
    [(k, list(g)) for k, g in it.groupby("aabbbca")],
    [(k, len(list(g))) for k, g in it.groupby(range(10), lambda x: x // 4)],
)
print(
    list(it.islice("abcdef", 1, None, 2)),
    list(it.islice("abc", 2)),
    list(it.pairwise([1, 2, 3])),
    list(it.starmap(pow, [(2, 3), (3, 2)])),
    list(it.zip_longest("ab", "xyz", fillvalue="-")),
    [list(i) for i in it.tee("ab", 3)],
    list(it.product("ab", [1, 2])),
    list(it.product("ab", repeat=2)),
    len(list(it.product(range(3), repeat=3))),
    list(it.product()),
    list(it.product("a", [])),
)
print(
    list(it.permutations("abc", 2)),
    len(list(it.permutations(range(5)))),
    list(it.combinations("abcd", 3)),
    list(it.combinations_with_replacement("ab", 2)),
    list(it.combinations("ab", 3)),
    list(it.permutations([], 0)),
    list(it.pairwise("a")),
    list(it.batched([1, 2, 3, 4], 2, strict=True)),
)
first, second = it.tee(iter([1, 2, 3]))
next(first)
print(
    list(first),
    list(second),
    list(zip(*[iter(range(6))] * 2)),
    list(map("".join, it.product("xy", "12"))),
    it.count(3),
    it.repeat(1, 2),
    it.islice([1], 1).__class__.__name__,
)
groups = it.groupby([1, 1, 2])
_, one = next(groups)
next(groups)
print(list(one))
attempts = [
    lambda: it.islice([1], -1),
    lambda: it.islice([1], 1, 2, 0),
    lambda: list(it.batched("a", 0)),
    lambda: list(it.batched("abc", 2, strict=True)),
    lambda: it.combinations("a", -1),
    lambda: it.permutations("a", -1),
    lambda: it.product("a", repeat=-1),
    lambda: it.count("a"),
    lambda: it.chain(1).__next__(),
    lambda: it.repeat(),
    lambda: it.accumulate(5),
    lambda: it.tee([1], -1),
    lambda: list(it.starmap(pow, [1])),
    lambda: it.zip_longest("a", fill=1),
    lambda: it.cycle(5),
    lambda: next(it.cycle([])),
    lambda: it.groupby(),
    lambda: list(it.accumulate(["a", 1])),
    lambda: it.compress("a"),
    lambda: it.pairwise(),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
