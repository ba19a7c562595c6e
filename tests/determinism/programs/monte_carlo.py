import random
hits = sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(20000))
print(4 * hits / 20000)
