"""A genetic algorithm and simulated annealing with seeds."""

import math
import random

TARGET = "hello, world"
LETTERS = "abcdefghijklmnopqrstuvwxyz ,"


def fitness(text):
    return sum(a == b for a, b in zip(text, TARGET))


random.seed(3)
people = ["".join(random.choices(LETTERS, k=len(TARGET))) for _ in range(60)]
for generation in range(300):
    people.sort(key=fitness, reverse=True)
    if generation % 20 == 0 or people[0] == TARGET:
        print(generation, fitness(people[0]), people[0])
    if people[0] == TARGET:
        break
    best = people[:12]
    people = best + [
        "".join(
            random.choice(LETTERS) if random.random() < 0.04 else random.choice(p)
            for p in zip(*random.sample(best, 2))
        )
        for _ in range(48)
    ]
random.seed(4)
towns = [(random.randrange(100), random.randrange(100)) for _ in range(9)]


def length(order):
    return sum(math.dist(towns[a], towns[b]) for a, b in zip(order, order[1:] + order[:1]))


order, heat = list(range(9)), 50.0
while heat > 0.1:
    a, b = sorted(random.sample(range(9), 2))
    new = order[:a] + order[a : b + 1][::-1] + order[b + 1 :]
    change = length(new) - length(order)
    if change < 0 or random.random() < math.exp(-change / heat):
        order = new
    heat *= 0.99
print(order, round(length(order), 6))
