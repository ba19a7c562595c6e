"""Training for profile-guided optimisation: what programs compute with."""

import array
import bisect
import collections
import heapq
import operator


def waves(count):
    """Complex numbers: a transform by halves."""
    if count == 1:
        return [1 + 0j]
    even, odd = waves(count // 2), waves(count // 2)
    turn = complex(0.8, -0.6)
    factor = 1 + 0j
    result = [0j] * count
    for place in range(count // 2):
        term = odd[place] * factor
        result[place] = even[place] + term
        result[place + count // 2] = even[place] - term
        factor *= turn
    return [value for value in result if value.real > value.imag or abs(value) < 100.0]


def cards(size):
    """Lists that are cut, turned round and put together."""
    deck = list(range(size))
    shuffles = 0
    while shuffles < 400:
        half = len(deck) // 2
        left, right = deck[:half], deck[half:]
        deck = [card for pair in zip(right, left, strict=False) for card in pair]
        deck[2:9] = deck[2:9][::-1]
        deck[0], deck[-1] = deck[-1], deck[0]
        first = deck.pop(3)
        deck.insert(5, first)
        deck.append(deck[0])
        del deck[0]
        shuffles += 1
    return deck[:3]


def edit_distance(left, right):
    """A table of small numbers, row by row."""
    before = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            if letter == other:
                cost = before[column - 1]
            else:
                cost = 1 + min(before[column], current[column - 1], before[column - 1])
            current.append(cost)
        before = current
    return before[-1]


def grid_walk(size):
    """Places as tuples in sets and dictionaries."""
    walls = {(x * 7 % size, x * x % size) for x in range(size * 4)}
    distance = {(0, 0): 0}
    queue = collections.deque([(0, 0)])
    while queue:
        x, y = queue.popleft()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            place = x + dx, y + dy
            if place in walls or place in distance or not (0 <= place[0] < size > place[1] >= 0):
                continue
            distance[place] = distance[x, y] + 1
            queue.append(place)
    neighbours = collections.Counter(
        (x + dx, y + dy) for x, y in walls for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy
    )
    return len(distance), sum(1 for place, count in neighbours.items() if count == 3)


def shortest_paths(size):
    """A heap of tuples, dictionaries of dictionaries."""
    graph = {
        node: {(node * step + 1) % size: step * node % 11 + 1 for step in (2, 3, 5, 7)}
        for node in range(size)
    }
    best = {0: 0}
    heap = [(0, 0)]
    while heap:
        cost, node = heapq.heappop(heap)
        if cost > best.get(node, cost):
            continue
        for target, weight in graph[node].items():
            total = cost + weight
            if target not in best or total < best[target]:
                best[target] = total
                heapq.heappush(heap, (total, target))
    return max(best.values())


def numbers(count):
    """Integers of one digit, of two and of many."""
    state, seen, bits = 12345, 0, 0
    primes = bytearray(count)
    for number in range(2, count):
        if not primes[number]:
            for multiple in range(number * 2, count, number):
                primes[multiple] = 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        seen ^= state >> 7
        bits += state & 1
        if state % 3 == 0:
            seen += state // 5
    large, other = 1, 3**200
    for number in range(1, 250):
        large = large * (number * 1000003 + 7)
        other = (other << 3) ^ (other // number)
        large -= other % (number + 1)
    a, b = large, other | 1
    while b:
        a, b = b, a % b
    return seen, bits, a, sum(primes), len(str(large))


class Body:
    """Attributes that are read and written, of floats."""

    def __init__(self, x, y, mass):
        self.x, self.y, self.mass = x, y, mass
        self.vx = self.vy = 0.0

    def pull(self, other, step):
        dx, dy = other.x - self.x, other.y - self.y
        square = dx * dx + dy * dy + 0.01
        force = other.mass / (square * square**0.5)
        self.vx += dx * force * step
        self.vy += dy * force * step

    def move(self, step):
        self.x += self.vx * step
        self.y += self.vy * step

    @property
    def energy(self):
        return 0.5 * self.mass * (self.vx**2 + self.vy**2)


def bodies(rounds):
    system = [Body(n * 1.5, -n / 2.0, 1.0 + n) for n in range(8)]
    table = [[float(row == column) for column in range(12)] for row in range(12)]
    for _ in range(rounds):
        for body in system:
            for other in system:
                if body is not other:
                    body.pull(other, 0.01)
        for body in system:
            body.move(0.01)
    for pivot in range(12):
        for row in range(12):
            if row != pivot:
                factor = table[row][pivot] / (table[pivot][pivot] + 1.0)
                for column in range(12):
                    table[row][column] -= factor * table[pivot][column]
    return sum(body.energy for body in system), sum(map(sum, table))


class Node:
    __slots__ = ("key", "left", "right", "value")

    def __init__(self, key, value):
        self.key, self.value = key, value
        self.left = self.right = None


class Tree:
    """A search tree, and a walk through it by a generator that calls itself."""

    def __init__(self):
        self.root = None
        self.size = 0

    def __setitem__(self, key, value):
        node = self.root
        if node is None:
            self.root = Node(key, value)
        while node is not None:
            if key == node.key:
                node.value = value
                return
            side = "left" if key < node.key else "right"
            below = node.left if key < node.key else node.right
            if below is None:
                setattr(node, side, Node(key, value))
                break
            node = below
        self.size += 1

    def __iter__(self):
        def walk(node):
            if node is not None:
                yield from walk(node.left)
                yield node.key, node.value
                yield from walk(node.right)

        return walk(self.root)

    def __len__(self):
        return self.size


class Meter:
    """Special methods, and attributes that are looked for."""

    unit = "m"

    def __init__(self, value):
        self.value = value

    def __getattr__(self, name):
        if name == "double":
            return self.value * 2
        raise AttributeError(name)

    def __eq__(self, other):
        return self.value == other.value

    def __lt__(self, other):
        return self.value < other.value

    def __hash__(self):
        return hash(self.value)

    def __call__(self, factor):
        return Meter(self.value * factor)

    def __contains__(self, value):
        return value <= self.value

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return kind is KeyError

    @staticmethod
    def sum(meters):
        return sum(meter.value for meter in meters)


def protocols():
    tree = Tree()
    for number in range(3000):
        tree[number * 7919 % 3001] = number
    total = sum(key * value for key, value in tree) + len(tree)
    meters = [Meter(number % 50) for number in range(1500)]
    unique = {meter(2) for meter in meters}
    meters.sort()
    for meter in meters:
        total += meter.double + len(meter.unit) + (10 in meter)
        with meter:
            if meter.value % 7 == 0:
                raise KeyError(meter.value)
        total += getattr(meter, "missing", 1)
    return total, len(unique), Meter.sum(meters), operator.attrgetter("value")(meters[0])


def letters(text):
    """Texts looked at letter by letter, cut and joined."""
    counts, runs, word = {}, [], ""
    for place, letter in enumerate(text):
        counts[letter] = counts.get(letter, 0) + 1
        if letter.isalpha():
            word += letter
        elif word:
            runs.append(word)
            word = ""
        if text[place : place + 2] == "it" and text[-place - 1] != " ":
            counts["it"] = counts.setdefault("it", 0) + ord(letter)
    shifted = "".join(chr((ord(letter) - 97 + 13) % 26 + 97) for letter in text if letter.islower())
    stack = []
    for token in ["3", "4", "+", "2", "*", "7", "-", "5", "1", "+", "*", "9", "+"] * 150:
        if token.isdigit():
            stack.append(int(token))
        else:
            right, left = stack.pop(), stack.pop() if stack else 0
            stack.append({"+": left + right, "-": left - right, "*": left * right % 9973}[token])
    padded = [f"{word:>8}{len(word):03d}{len(word) / 3:.2f}" for word in runs]
    return counts, shifted[:9], sorted(set(padded), key=str.lower)[:2], stack[-1]


def unpacking():
    rows = [(n, (n + 1, [n + 2, n + 3]), f"row{n}") for n in range(4000)]
    total = 0
    for number, (second, (third, *rest)), name in rows:
        head, *middle, tail = number, second, third, *rest
        options = {"name": name, "extra": tail}
        total += len([*middle, *rest]) + len(options) + max(*middle, head)
        a, b, c = tail, head, second
        a, b = b, a
        total += a - b + c
    merged = {**dict.fromkeys("abc", 1), **dict(zip("cde", range(3), strict=True))}
    return total, merged | {"f": 9}, [*range(3), *{4, 5}]


def buffers():
    samples = array.array("d", (n / 3 for n in range(3000)))
    for place in range(1, len(samples) - 1):
        samples[place] = (samples[place - 1] + samples[place] + samples[place + 1]) / 3
    view = memoryview(bytes(range(256)) * 8)
    check = 0
    for byte in view[3:-3]:
        check = (check << 1 ^ byte) & 0xFFFF
    marks = sorted(samples[:400])
    places = [bisect.bisect_left(marks, value * 1.01) for value in marks]
    return samples[7], check, sum(places), bytes(bytearray(b"ab") * 9).find(b"bab")


for _ in range(8):
    waves(1024)
    cards(120)
    edit_distance("it is a truth universally acknowledged" * 3, "a single man in possession" * 3)
    grid_walk(60)
    shortest_paths(900)
    numbers(20000)
    bodies(60)
    protocols()
    letters("It is a truth universally acknowledged, that a single man it is. " * 60)
    unpacking()
    buffers()
print("done")
