"""Nested, conditional, dict, set and generator comprehensions."""

matrix = [[1, 2, 3], [4, 5, 6]]
print(
    [x for row in matrix for x in row if x % 2],
    [[row[i] for row in matrix] for i in range(3)],
    {x: x**2 for x in range(5) if x != 2},
)
print(
    sorted({len(w) for w in ("a", "bb", "cc", "ddd")}),
    sum(x * x for x in range(10)),
    [("even", "odd")[x % 2] for x in range(3)],
)
print(
    [(i, j) for i in range(4) for j in range(i) if (i + j) % 2],
    {k: [v for v in range(k)] for k in range(3)},
    [y for x in (1, 2) for y in (x, -x)],
)
x = "outer"
print([x for x in range(2)], x, [[x for x in "ab"] for _ in "12"], {x for x in "aa"}, x)
print(
    list((i, g) for i, g in enumerate(c for c in "xyz" if c != "y")),
    [*(i for i in range(3))],
    dict((k, v) for k, v in zip("ab", (1, 2))),
)
g = (print("evaluated", i) or i for i in range(3))
print("lazy", next(g), list(g))
try:
    [1 / x for x in (1, 0)]
except ZeroDivisionError as error:
    print(error)
