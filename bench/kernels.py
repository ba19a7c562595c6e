"""CPU-bound kernels in the style of pyperformance, for any Python 3, in a sandbox or outside.

Run as a program, with the seconds to spend on each kernel and perhaps names of kernels, it prints a
JSON object: kernel to the best time of its calls, in seconds.
"""

import dataclasses
import itertools
import json
import pickle
import random
import re
import sys
import time


def fibonacci():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return fib(27)


def nbody():
    bodies = [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47],
        [4.84, -1.16, -0.10, 0.60, 2.81, -0.02, 0.037],
        [8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011],
        [12.89, -15.11, -0.22, 1.08, 0.86, -0.01, 0.0017],
        [15.37, -25.9, 0.179, 0.979, 0.594, -0.034, 0.002],
    ]
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    for _ in range(3000):
        for a, b in pairs:
            x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            force = 0.01 / (x * x + y * y + z * z) ** 1.5
            left, right = a[6] * force, b[6] * force
            a[3] -= x * right
            a[4] -= y * right
            a[5] -= z * right
            b[3] += x * left
            b[4] += y * left
            b[5] += z * left
        for body in bodies:
            body[0] += 0.01 * body[3]
            body[1] += 0.01 * body[4]
            body[2] += 0.01 * body[5]
    return bodies[0][0]


def spectral_norm():
    size = 60

    def entry(i, j):
        return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)

    vector = [1.0] * size
    for _ in range(4):
        image = [sum(entry(i, j) * vector[j] for j in range(size)) for i in range(size)]
        vector = [sum(entry(j, i) * image[j] for j in range(size)) for i in range(size)]
    return sum(vector)


def fannkuch():
    most = 0
    for order in itertools.permutations(range(8)):
        if order[0] == 0:
            continue
        flipped = list(order)
        flips = 0
        while (first := flipped[0]) != 0:
            flipped[: first + 1] = flipped[first::-1]
            flips += 1
        most = max(most, flips)
    return most


class Planner:
    def __init__(self, name, strength):
        self.name = name
        self.strength = strength
        self.value = 0

    def step(self, other):
        if self.strength < other.strength:
            self.value += other.value + 1
        else:
            other.value += 1
        return self.value


class StrongPlanner(Planner):
    def step(self, other):
        return super().step(other) + 1


def objects():
    kinds = (Planner, StrongPlanner)
    planners = [kinds[n % 2](f"p{n}", n % 7) for n in range(60)]
    total = 0
    for _ in range(25):
        for a in planners:
            for b in planners[::3]:
                total += a.step(b) & 1
    return total


def queens():
    def place(row, columns, left, right, size):
        if row == size:
            return 1
        found = 0
        for column in range(size):
            if column in columns or row + column in left or row - column in right:
                continue
            found += place(
                row + 1, columns | {column}, left | {row + column}, right | {row - column}, size
            )
        return found

    return place(0, frozenset(), frozenset(), frozenset(), 8)


def strings():
    words = [f"word{n % 313}" for n in range(20000)]
    counts = {}
    for word in words:
        counts[word.upper()] = counts.get(word.upper(), 0) + 1
    text = " ".join(f"{word}:{count:04d}" for word, count in sorted(counts.items()))
    return sum(len(part.split(":")[0].strip("W")) for part in text.split()) + text.count("1")


def expressions():
    pattern = re.compile(r"(\w+)@(\w+)\.(com|org|net)|(\d{1,3})\.(\d{1,3})|#[0-9a-f]{6}", re.I)
    text = "mail bob@example.org or 10.12 and #FFaa00, not bob@example or #12 " * 300
    return len(pattern.findall(text)) + len(re.sub(r"\b(\w)(\w*)\b", r"\2\1ay", text))


def documents():
    data = [
        {"id": n, "name": f"name {n}", "values": [n / 7, n * 3, None, True], "in": {"a": "ü"}}
        for n in range(3000)
    ]
    return len(json.dumps(json.loads(json.dumps(data, indent=2))))


@dataclasses.dataclass
class Node:
    key: int
    left: object = None
    right: object = None


def trees():
    def insert(node, key):
        if node is None:
            return Node(key)
        if key < node.key:
            node.left = insert(node.left, key)
        else:
            node.right = insert(node.right, key)
        return node

    def walk(node):
        if node is not None:
            yield from walk(node.left)
            yield node.key
            yield from walk(node.right)

    generator = random.Random(3)
    root = None
    for _ in range(2500):
        root = insert(root, generator.randrange(10**6))
    return sum(walk(root))


def digits():
    q, r, t, k, n, m = 1, 0, 1, 1, 3, 3
    out = []
    while len(out) < 350:
        if 4 * q + r - t < m * t:
            out.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), 10 * (3 * q + r) // t - 10 * m
        else:
            q, r, t, k, m, n = (
                q * k,
                (2 * q + r) * n,
                t * n,
                k + 1,
                (q * (7 * k + 2) + r * n) // (t * n),
                n + 2,
            )
    return sum(out)


def life():
    cells = {(x, y) for x in range(30) for y in range(30) if (x * 7 + y * 3) % 5 < 2}
    for _ in range(12):
        near = {}
        for x, y in cells:
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        place = (x + dx, y + dy)
                        near[place] = near.get(place, 0) + 1
        cells = {place for place, n in near.items() if n == 3 or (n == 2 and place in cells)}
    return len(cells)


def mandelbrot():
    inside = 0
    for row in range(64):
        for column in range(64):
            c = complex(column / 32 - 1.5, row / 32 - 1.0)
            z = 0j
            for _ in range(40):
                z = z * z + c
                if z.real * z.real + z.imag * z.imag > 4.0:
                    break
            else:
                inside += 1
    return inside


def integrals():
    total = 0.0
    step = 1.0 / 60_000
    x = 0.0
    while x < 1.0:
        total += (4.0 / (1.0 + x * x)) * step
        x += step
    return total


def sieve():
    limit = 200_000
    prime = bytearray([1]) * limit
    for n in range(2, 448):
        if prime[n]:
            prime[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return sum(1 for n in range(2, limit) if prime[n])


def sorting():
    generator = random.Random(5)
    numbers = [generator.random() for _ in range(20_000)]
    words = [str(n) for n in numbers[:6000]]
    numbers.sort()
    words.sort(key=lambda word: (len(word), word[::-1]))
    return len(sorted(zip(words, numbers, strict=False), reverse=True))


def dictionaries():
    counts = {}
    for n in range(60_000):
        key = (n * 7919) % 4093
        counts[key] = counts.get(key, 0) + 1
    inverse = {}
    for key, count in counts.items():
        inverse.setdefault(count, set()).add(key)
    common = set(range(0, 4093, 3)) & counts.keys()
    return sum(len(keys) for keys in inverse.values()) + len(common)


def generators():
    def numbers(n):
        yield from range(n)

    def squares(source):
        for n in source:
            yield n * n

    total = sum(n for n in squares(numbers(40_000)) if n & 1)
    table = [[row * column for column in range(50)] for row in range(200)]
    return total + sum(map(sum, table)) + len({n % 101: n for n in range(20_000)})


def pickles():
    data = [
        {"key": n, "text": f"text {n}", "pair": (n, n / 3), "flags": [n & 1 == 0, None]}
        for n in range(2500)
    ]
    for protocol in (2, 5):
        data = pickle.loads(pickle.dumps(data, protocol))
    return len(data)


@dataclasses.dataclass(slots=True)
class Point:
    x: float
    y: float
    weight: int = 1


def attributes():
    points = [Point(n * 0.5, n * 0.25, n % 5) for n in range(4000)]
    total = 0.0
    for _ in range(8):
        for point in points:
            point.x += point.y * 0.5
            total += point.x * point.weight
    return total


def unpacking():
    rows = [(n, n + 1, (n + 2, n + 3)) for n in range(5000)]
    total = 0
    for _ in range(8):
        for a, b, (c, d) in rows:
            a, b, c, d = d, c, b, a
            first, *rest = a, b, c, d
            total += first + len(rest)
    return total


def exceptions():
    caught = 0
    for n in range(40_000):
        try:
            if n % 3 == 0:
                raise KeyError(n)
            if n % 3 == 1:
                [].pop()
        except KeyError as error:
            caught += error.args[0] & 1
        except IndexError:
            caught += 2
    return caught


KERNELS = (
    fibonacci,
    nbody,
    spectral_norm,
    fannkuch,
    objects,
    queens,
    strings,
    expressions,
    documents,
    trees,
    digits,
    life,
    mandelbrot,
    integrals,
    sieve,
    sorting,
    dictionaries,
    generators,
    pickles,
    attributes,
    unpacking,
    exceptions,
)


def measure(budget, names):
    """Best time in seconds of the kernels with these names, or of all; budget: seconds for each."""
    times = {}
    for kernel in KERNELS:
        if names and kernel.__name__ not in names:
            continue
        calls = []
        while len(calls) < 3 or sum(calls) < budget:
            start = time.perf_counter()
            kernel()
            calls.append(time.perf_counter() - start)
        times[kernel.__name__] = min(calls)
    return times


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 0.1, sys.argv[2:])))
