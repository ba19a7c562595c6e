"""list and tuple: slices, mutation, aliasing, sorting, searching, errors."""

a = list(range(10))
print(
    a[2:5],
    a[::3],
    a[::-2],
    a[-3:],
    a[100:],
    a[5:2],
    a[-100:2],
    a[slice(1, 4)],
    a.index(7),
    a.index(7, 3, 9),
    a.count(3),
    3 in a,
)
a[2:4] = ["x"] * 4
a[::5] = "abc"[: len(a[::5])]
del a[-2:]
a.insert(1, "one")
a.insert(-1, "near end")
a.insert(100, "end")
a += (1, 2)
a *= 1
print(a, a.pop(), a.pop(0), a.remove("x"), a)
b = a
c = a[:]
b.append("shared")
print(len(a), len(c), a is b, a == c, [[]] * 3, [[0] * 2 for _ in range(2)])
grid = [[0] * 2] * 2
grid[0][0] = 1
print(
    grid,
    [1, 2] + [3],
    [1] * 0,
    [1, 2] < [1, 3],
    [1] < [1, 0],
    [] < [0],
    (1, 2) == [1, 2],
    (1,) + (2,),
    ("a",) * 2,
    sum([[1], [2]], []),
    list("ab"),
    tuple([1]),
    [*"ab", *range(2)],
)
print(
    sorted([3, 1, 2], reverse=True),
    list(reversed([1, 2])),
    [x for x in range(10) if x % 2 if x > 3],
    [(x, y) for x in "ab" for y in range(x == "a", 2)],
    list(enumerate("ab", 5)),
    list(zip([1, 2, 3], "ab")),
    list(map(lambda x, y: x + y, [1, 2], [3, 4])),
    list(filter(None, [0, 1, "", "a"])),
    any([]),
    all([]),
    max([1, 3, 2]),
    min("hello"),
)
attempts = [
    lambda: [][0],
    lambda: [].pop(),
    lambda: [1].pop(5),
    lambda: [1].remove(2),
    lambda: [1].index(2),
    lambda: [1]["a"],
    lambda: [1][1.0],
    lambda: [1][None],
    lambda: [1] + "a",
    lambda: [1] + (1,),
    lambda: [1] * "a",
    lambda: [1] * 1.5,
    lambda: [1].__setitem__(5, 1),
    lambda: [1].__setitem__(slice(None, None, 2), [1, 2]),
    lambda: [1].__setitem__(slice(0, 1), 5),
    lambda: [1].__delitem__(3),
    lambda: (1,)[3],
    lambda: (1,).__setitem__(0, 1),
    lambda: [1][::0],
    lambda: [1, 2] < (1, 2),
    lambda: list(5),
    lambda: [].extend(5),
    lambda: [].insert("a", 1),
    lambda: sum(["a"]),
    lambda: sum([1], "a"),
    lambda: sum("ab", ""),
    lambda: max([], key=len),
    lambda: zip([1], [1, 2], strict=True).__next__() and list(zip([1], [1, 2], strict=True)),
    lambda: list(zip([1, 2], [1], strict=True)),
    lambda: list(map(int, ["a"])),
    lambda: list(map(None, [1])),
    lambda: next(iter([])),
    lambda: enumerate(5),
    lambda: reversed({1}),
    lambda: list(map(lambda x: x, [1], [2])),
    lambda: list(map(lambda x, y: x, [1, 2], [1], strict=True)),
    lambda: iter(5),
    lambda: iter(5, 1),
    lambda: hash([]),
    lambda: hash(([],)),
    lambda: [1, 2].sort(key=1),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
growing = [1, 2, 3]
seen = []
for each in growing:
    seen.append(each)
    if each == 2:
        growing.remove(2)
print(seen, growing)
t = ([1], 2)
try:
    t[0] += [5]
except TypeError as error:
    print(error, t)
print(
    iter([1]).__length_hint__(),
    next(iter([]), "default"),
    list(iter(iter([1, 2, 3, 0, 4]).__next__, 0)),
)
