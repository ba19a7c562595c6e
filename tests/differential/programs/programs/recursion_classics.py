"""Hanoi, permutations, queens, flood fill, knapsack, edit distance, coins, Ackermann."""

import functools
import sys


def hanoi(n, a="A", b="B", c="C"):
    if n:
        yield from hanoi(n - 1, a, c, b)
        yield f"{a}{c}"
        yield from hanoi(n - 1, b, a, c)


def permutations(text):
    if len(text) < 2:
        return [text]
    return [
        c + rest
        for i, c in enumerate(text)
        if c not in text[:i]
        for rest in permutations(text[:i] + text[i + 1 :])
    ]


def queens(n, placed=()):
    if len(placed) == n:
        yield placed
        return
    for column in range(n):
        if all(column != c and abs(column - c) != len(placed) - r for r, c in enumerate(placed)):
            yield from queens(n, (*placed, column))


@functools.cache
def distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(
        distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0])
    )


def coins(amount, kinds=(50, 20, 10, 5, 2, 1)):
    if amount == 0:
        return 1
    if amount < 0 or not kinds:
        return 0
    return coins(amount - kinds[0], kinds) + coins(amount, kinds[1:])


def fill(grid, x, y, new):
    old = grid[y][x]
    if old == new:
        return 0
    todo, n = [(x, y)], 0
    while todo:
        x, y = todo.pop()
        if 0 <= y < len(grid) and 0 <= x < len(grid[0]) and grid[y][x] == old:
            grid[y][x] = new
            n += 1
            todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    return n


def knapsack(items, room):
    best = [0] * (room + 1)
    for weight, value in items:
        for space in range(room, weight - 1, -1):
            best[space] = max(best[space], best[space - weight] + value)
    return best[room]


def ackermann(m, n):
    return (
        n + 1
        if m == 0
        else ackermann(m - 1, 1)
        if n == 0
        else ackermann(m - 1, ackermann(m, n - 1))
    )


print(" ".join(hanoi(4)), len(list(hanoi(10))))
print(permutations("aab"), len(permutations("abcdef")))
print([len(list(queens(n))) for n in range(1, 8)], next(queens(8)))
print(distance("kitten", "sitting"), distance("intention", "execution"), coins(100))
grid = [list(row) for row in ("..#..", ".##..", "#...#", "..#..")]
print(fill(grid, 0, 0, "o"), fill(grid, 3, 0, "x"), ["".join(row) for row in grid])
print(knapsack([(12, 4), (2, 2), (1, 1), (1, 2), (4, 10)], 15))
sys.setrecursionlimit(3000)
print(ackermann(2, 9))
print(functools.reduce(lambda f, g: lambda x: g(f(x)), [lambda x: x + 1, lambda x: x * 2])(5))
