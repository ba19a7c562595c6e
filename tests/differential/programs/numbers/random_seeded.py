"""random with a seed gives the same numbers everywhere."""

import random

random.seed(12345)
print([random.random() for _ in range(5)], random.getrandbits(70), random.randbytes(8))
print([random.randint(1, 6) for _ in range(20)], [random.randrange(0, 100, 7) for _ in range(10)])
print(
    random.choice("abcdef"),
    random.choices([1, 2, 3], weights=[1, 5, 1], k=12),
    random.choices("xy", cum_weights=[1, 4], k=8),
    random.sample(range(1000), 8),
    random.sample(["r", "b"], counts=[3, 2], k=4),
)
deck = list(range(20))
random.shuffle(deck)
print(deck)
for name, args in (
    ("uniform", (1, 10)),
    ("triangular", (0, 10, 3)),
    ("gauss", (0, 1)),
    ("normalvariate", (5, 2)),
    ("expovariate", (0.5,)),
    ("betavariate", (2, 3)),
    ("gammavariate", (2, 1)),
    ("gammavariate", (0.5, 1)),
    ("lognormvariate", (0, 1)),
    ("vonmisesvariate", (0, 4)),
    ("paretovariate", (3,)),
    ("weibullvariate", (1, 1.5)),
    ("binomialvariate", (10, 0.3)),
    ("binomialvariate", (1000, 0.4)),
):
    print(name, [round(getattr(random, name)(*args), 10) for _ in range(3)])
for seed in (0, 1, -1, 2**100, "text", b"bytes", bytearray(b"ba"), "", True):
    print(repr(seed), random.Random(seed).random(), random.Random(seed).getrandbits(32))
r = random.Random(7)
state = r.getstate()
first = [r.random() for _ in range(3)]
r.setstate(state)
print(first == [r.random() for _ in range(3)], state[0], len(state[1]), state[2])
r.seed("abc", version=1)
print(r.random())


class Half(random.Random):
    def random(self):
        return 0.5


print(Half().randint(0, 10), Half().choice("abc"), Half().gauss(0, 1))
for attempt in (
    lambda: random.choice([]),
    lambda: random.sample([1], 2),
    lambda: random.randint(5, 1),
    lambda: random.randrange(0),
    lambda: random.randrange(1, 5, 0),
    lambda: random.randrange(1.5),
    lambda: random.choices([1], weights=[0]),
    lambda: random.choices([1, 2], weights=[1]),
    lambda: random.choices([], k=1),
    lambda: random.seed([1]),
    lambda: random.sample({1, 2}, 1),
    lambda: random.getrandbits(-1),
    lambda: random.setstate((1, 2)),
    lambda: random.choices([1], weights=[1], cum_weights=[1]),
    lambda: random.binomialvariate(-1),
    lambda: random.randbytes(-1),
    lambda: random.shuffle("abc"),
    lambda: random.sample([1, 2], -1),
    lambda: random.expovariate(0),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
