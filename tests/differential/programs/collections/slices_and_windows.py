"""Sliding windows, chunks, rotation, interleaving, transposition, run lengths."""

from collections import deque
from itertools import chain, groupby, islice, pairwise, zip_longest

data = list("abcdefg")
print(
    [data[i : i + 3] for i in range(0, len(data), 3)],
    ["".join(data[i : i + 3]) for i in range(len(data) - 2)],
    data[2:] + data[:2],
    data[-2:] + data[:-2],
    data[::-1],
    data[::2],
    data[-1:-4:-1],
)
window = deque(maxlen=3)
print([sum(window) for x in (1, 2, 3, 4, 5) if not window.append(x) and len(window) == 3])
print(
    list(chain.from_iterable(zip("ace", "bdf"))),
    [x for pair in zip_longest([1, 2, 3], "ab") for x in pair if x is not None],
    list(zip(*[(1, 2), (3, 4), (5, 6)])),
    [b - a for a, b in pairwise([1, 4, 9, 16])],
)
print(
    [(k, sum(1 for _ in g)) for k, g in groupby("aaabccd")],
    "".join(f"{k}{n}" if n > 1 else k for k, g in groupby("wwwwbww") if (n := len(list(g)))),
    list(islice(data, 1, None, 3)),
)
it = iter(data)
print(
    [list(islice(it, 2)) for _ in range(4)],
    [*map("".join, zip(*[iter("abcdef")] * 2))],
    data[slice(None, None, -2)],
    [data[i] for i in (-1, 0, 3)],
    "".join(data)[1:-1],
)
copy = data[:]
copy[1:3] = []
copy[len(copy) :] = ["z"]
copy[0:0] = ["start"]
print(copy, data[10:20], data[3:3], data[5:2], list(range(10))[slice(1, 8, 3)])
