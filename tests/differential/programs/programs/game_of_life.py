"""Conway's game: a glider on a torus, a blinker, and the period of patterns."""

from collections import Counter


def parse(text):
    return frozenset(
        (x, y) for y, line in enumerate(text.split()) for x, c in enumerate(line) if c == "#"
    )


def step(cells, size):
    near = Counter(
        ((x + dx) % size, (y + dy) % size)
        for x, y in cells
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
        if dx or dy
    )
    return frozenset(cell for cell, n in near.items() if n == 3 or (n == 2 and cell in cells))


def show(cells, size):
    return "\n".join("".join(".#"[(x, y) in cells] for x in range(size)) for y in range(size))


glider = parse(".#. ..# ###")
for _ in range(4):
    print(show(glider, 6), end="\n\n")
    glider = step(glider, 6)


def period(cells, size, limit=200):
    seen = {}
    for n in range(limit):
        if cells in seen:
            return seen[cells], n - seen[cells]
        seen[cells] = n
        cells = step(cells, size)
    return None


for name, text in (
    ("blinker", "... ### ..."),
    ("block", "## ##"),
    ("glider", ".#. ..# ###"),
    ("pentomino", ".## ##. .#."),
    ("empty", "..."),
    ("toad", ".### ###."),
):
    print(name, period(parse(text), 8))
