import random
from collections import Counter
print(Counter(random.randint(1, 6) + random.randint(1, 6) for _ in range(500)))
deck = list(range(52)); random.shuffle(deck); print(deck)
print(random.gauss(0, 1), random.choices("abc", [5, 2, 1], k=12), random.sample(range(99), 7))
print(random.SystemRandom().random(), random.Random().random())
