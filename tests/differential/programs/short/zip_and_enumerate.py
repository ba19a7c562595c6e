"""zip, enumerate, reversed and sorted together."""

names, ages = ["Ann", "Bob", "Cy"], [30, 25]
print(
    list(zip(names, ages)),
    dict(zip(names, ages)),
    list(enumerate(names, 1)),
    list(zip(*[(1, "a"), (2, "b")])),
    list(reversed(list(enumerate("ab")))),
    [i for i, n in enumerate(names) if "n" in n],
    sorted(zip(ages, names)),
    list(zip(range(3), "abc", [True] * 3)),
)
