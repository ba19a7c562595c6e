"""Matrices as lists of lists: product, transposition, rotation, spiral, diagonals."""

m = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
print(
    [list(r) for r in zip(*m)],
    [list(r) for r in zip(*m[::-1])],
    [sum(a * b for a, b in zip(r, c)) for r in m for c in zip(*m)],
    [m[i][i] for i in range(3)],
    [m[i][~i] for i in range(3)],
    sum(map(sum, m)),
    [row[1] for row in m],
)


def spiral(rows):
    return [*rows[0], *spiral([*zip(*rows[1:])][::-1])] if rows else []


print(spiral(m), [[0] * 3 for _ in range(2)], max(max(r) for r in m))
