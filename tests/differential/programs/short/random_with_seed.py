"""The same seed gives the same game."""

import random

random.seed("game")
print(
    [random.randint(1, 6) for _ in range(10)],
    random.choice("abc"),
    random.sample(range(100), 5),
    round(random.gauss(0, 1), 9),
    random.choices("xyz", k=5),
)
deck = list("ABCDEF")
random.shuffle(deck)
print(deck, random.Random(1).random() == random.Random(1).random())
