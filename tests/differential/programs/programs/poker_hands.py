"""Ranks poker hands from a seeded deck and counts the kinds."""

import random
from collections import Counter

RANKS = "23456789TJQKA"
SUITS = "cdhs"


def rank(hand):
    values = sorted((RANKS.index(card[0]) for card in hand), reverse=True)
    groups = sorted(Counter(values).items(), key=lambda p: (-p[1], -p[0]))
    shape = tuple(n for _, n in groups)
    order = [v for v, _ in groups]
    flush = len({card[1] for card in hand}) == 1
    if values == [12, 3, 2, 1, 0]:
        values = order = [3, 2, 1, 0, -1]
    straight = shape == (1,) * 5 and values[0] - values[4] == 4
    for n, (name, found) in enumerate(
        (
            ("straight flush", straight and flush),
            ("four", shape == (4, 1)),
            ("full house", shape == (3, 2)),
            ("flush", flush),
            ("straight", straight),
            ("three", shape[0] == 3),
            ("two pairs", shape[:2] == (2, 2)),
            ("pair", shape[0] == 2),
            ("high card", True),
        )
    ):
        if found:
            return (-n, order), name


for text in (
    "Th Jh Qh Kh Ah",
    "2c 3d 4h 5s Ac",
    "9c 9d 9h 9s 2c",
    "3c 3d 3h 2s 2c",
    "2h 4h 6h 8h Th",
    "Jc Jd 2h 2s 5c",
    "Ac Kd 9h 5s 3c",
):
    print(text, rank(text.split()))
random.seed(2024)
deck = [r + s for r in RANKS for s in SUITS]
counts = Counter()
best = None
for _ in range(3000):
    hand = random.sample(deck, 5)
    score, name = rank(hand)
    counts[name] += 1
    if best is None or score > best[0]:
        best = score, hand
print(counts.most_common(), best)
print(
    sorted(["Ac Kd 9h 5s 3c", "2c 2d 9h 5s 3c", "2h 4h 6h 8h Th"], key=lambda t: rank(t.split())[0])
)
