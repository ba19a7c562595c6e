"""Caesar, Vigenère, rail fence, XOR, run-length, Huffman, and a frequency attack."""

import heapq
from collections import Counter
from itertools import cycle, groupby
from string import ascii_lowercase as ABC

TEXT = "the quick brown fox jumps over the lazy dog while eleven eager beavers feed near the eastern reservoir"


def caesar(text, n):
    return text.translate(str.maketrans(ABC, ABC[n:] + ABC[:n]))


def vigenere(text, key, sign=1):
    keys = cycle(key)
    return "".join(
        ABC[(ABC.index(c) + sign * ABC.index(next(keys))) % 26] if c in ABC else c for c in text
    )


def rail(text, n):
    rows = [[] for _ in range(n)]
    for i, c in enumerate(text):
        phase = i % (2 * n - 2)
        rows[min(phase, 2 * n - 2 - phase)].append(c)
    return "".join(c for row in rows for c in row)


secret = caesar(TEXT, 7)
print(secret)
shift = (
    ABC.index(Counter(c for c in secret if c in ABC).most_common(1)[0][0]) - ABC.index("e")
) % 26
print(shift, caesar(secret, -shift % 26) == TEXT)
print(vigenere(TEXT, "lemon"), vigenere(vigenere(TEXT, "lemon"), "lemon", -1) == TEXT)
print(rail("wearediscovered", 3), bytes(a ^ b for a, b in zip(b"attack", cycle(b"key"))).hex())
print("".join(f"{len(list(g))}{k}" for k, g in groupby("aaabccddddde")))
heap = [(n, c) for c, n in sorted(Counter(TEXT).items())]
heapq.heapify(heap)
trees = {c: c for _, c in heap}
codes = dict.fromkeys(trees, "")
while len(heap) > 1:
    (n1, a), (n2, b) = heapq.heappop(heap), heapq.heappop(heap)
    for c in a:
        codes[c] = "0" + codes[c]
    for c in b:
        codes[c] = "1" + codes[c]
    heapq.heappush(heap, (n1 + n2, a + b))
bits = "".join(codes[c] for c in TEXT)
print(len(bits), len(TEXT) * 8, codes["e"], codes["q"], sorted(map(len, codes.values())))
back, code = "", ""
names = {v: k for k, v in codes.items()}
for bit in bits:
    code += bit
    if code in names:
        back += names[code]
        code = ""
print(back == TEXT)
