"""A longest common subsequence, a patch and its application."""


def lcs(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            table[i][j] = (
                table[i + 1][j + 1] + 1 if a[i] == b[j] else max(table[i + 1][j], table[i][j + 1])
            )
    return table


def diff(a, b):
    table, i, j = lcs(a, b), 0, 0
    while i < len(a) or j < len(b):
        if i < len(a) and j < len(b) and a[i] == b[j]:
            yield " ", a[i]
            i, j = i + 1, j + 1
        elif j == len(b) or (i < len(a) and table[i + 1][j] >= table[i][j + 1]):
            yield "-", a[i]
            i += 1
        else:
            yield "+", b[j]
            j += 1


def apply(a, patch):
    out, lines = [], iter(a)
    for sign, line in patch:
        if sign in " -":
            found = next(lines, None)
            if found != line:
                raise ValueError(f"expected {line!r}, found {found!r}")
        if sign in " +":
            out.append(line)
    return out


old = "a b c d e f g".split()
new = "a c x d f g h".split()
patch = list(diff(old, new))
print(" ".join(s + w for s, w in patch), apply(old, patch) == new, lcs("AGGTAB", "GXTXAYB")[0][0])
apply(["z"], patch)
