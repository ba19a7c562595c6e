"""set and frozenset operations; results are sorted before they are printed."""

a = {1, 2, 3, 4}
b = {3, 4, 5}
show = lambda s: (type(s).__name__, sorted(s))
print(
    show(a | b),
    show(a & b),
    show(a - b),
    show(a ^ b),
    a <= b,
    {3} < b,
    a >= {1},
    a.isdisjoint({9}),
    show(a.union([7], (8,))),
    show(a.intersection([1, 2], {2})),
    show(a.difference([1], [2])),
    show(a.symmetric_difference("x" * 0)),
)
a |= {10}
a -= {1}
a &= {2, 3, 10}
a ^= {3, 11}
print(
    show(a),
    a.add(5),
    a.discard(99),
    a.remove(5),
    show(a),
    show(a.copy()),
    len(a),
    show(frozenset("aab")),
    frozenset([1]) == {1},
    hash(frozenset([1, 2])) == hash(frozenset([2, 1])),
    {frozenset([1]): "x"}[frozenset([1])],
    show(frozenset([1]) | {2}),
    show({1} | frozenset([2])),
)
a.update([1], "a"[:0], range(2))
a.intersection_update([1, 2, 0])
a.difference_update([0])
a.symmetric_difference_update([7])
print(
    show(a),
    set(),
    {*()},
    show({x % 3 for x in range(10)}),
    {1, 1.0, True},
    {0, False},
    repr({1}),
    repr(frozenset()),
    repr({"a"}),
    show(set("hello")),
    frozenset([1]) in {frozenset([1])},
    {1} in {frozenset([1])},
)
attempts = [
    lambda: {[]},
    lambda: {1} | [2],
    lambda: {1}.remove(9),
    lambda: set().pop(),
    lambda: {1}[0],
    lambda: {1} + {2},
    lambda: {1} < 5,
    lambda: frozenset().add(1),
    lambda: hash(set()),
    lambda: set(5),
    lambda: {1}.union(5),
    lambda: {{1}},
    lambda: {1} - 1,
    lambda: [] in {1},
    lambda: {1}.remove([]),
    lambda: set(1, 2),
    lambda: {1}.issubset(3),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
s = {1, 2}
try:
    for each in s:
        s.add(each + 100)
except RuntimeError as error:
    print(error)


class Sub(set):
    pass


print(
    type(Sub([1]) | {2}).__name__,
    type(Sub([1]).copy()).__name__,
    Sub([1]),
    Sub() == set(),
    type(frozenset([1]) & {1}).__name__,
)
