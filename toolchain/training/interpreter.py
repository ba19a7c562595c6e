"""Training for profile-guided optimisation: the language itself."""

import asyncio
import collections
import contextlib
import dataclasses
import enum
import functools
import itertools
import operator


class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


@dataclasses.dataclass(order=True)
class Point:
    x: float
    y: float = 0.0
    tags: list = dataclasses.field(default_factory=list, compare=False)

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    @property
    def length(self):
        return (self.x * self.x + self.y * self.y) ** 0.5

    @classmethod
    def parse(cls, text):
        x, _, y = text.partition(",")
        return cls(float(x), float(y))


class Shape:
    __slots__ = ("corners", "name")

    def __init__(self, name, corners):
        self.name = name
        self.corners = corners

    def area(self):
        total = 0
        for (x1, y1), (x2, y2) in zip(
            self.corners, self.corners[1:] + self.corners[:1], strict=True
        ):
            total += x1 * y2 - x2 * y1
        return abs(total) / 2

    def __repr__(self):
        return f"<{type(self).__name__} {self.name!r} with {len(self.corners)} corners>"


class Square(Shape):
    def __init__(self, size):
        super().__init__("square", [(0, 0), (0, size), (size, size), (size, 0)])

    def area(self):
        return float(super().area())


def calls(depth):
    def recurse(n):
        return 1 if n < 2 else recurse(n - 1) + recurse(n - 2)

    def keywords(a, b=2, *rest, c=3, **more):
        return a + b + c + len(rest) + len(more)

    total = recurse(depth)
    for number in range(20000):
        total += keywords(number, 1, 2, 3, c=4, d=5)
        total += keywords(*(number, 2), c=1)
        total += (lambda value, step=1: value + step)(number)
    return total


def arithmetic():
    total, value = 0, 1.5
    for number in range(1, 60000):
        total += number * 3 // 2 % 17 - (number & 0xFF) + (number << 2) ^ (number >> 1)
        value = value * 1.0000001 + number / 7.0 - 3.25
        if total > 10**9:
            total -= 10**9
        elif number % 3 == 0 and not number % 5:
            total += 1
    big = functools.reduce(operator.mul, range(1, 300))
    return total, value, len(str(big)), big % 10**40, pow(7, 4000, 10**50 + 7), divmod(big, 10**90)


def sieve(limit):
    flags = bytearray([1]) * (limit + 1)
    flags[0:2] = b"\0\0"
    for number in range(2, int(limit**0.5) + 1):
        if flags[number]:
            flags[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return sum(flags)


def matrices(size):
    left = [[row * column % 7 + 0.5 for column in range(size)] for row in range(size)]
    right = [[row + column for column in range(size)] for row in range(size)]
    columns = list(zip(*right, strict=True))
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left
    ]


def queens(size):
    found = 0
    columns = range(size)
    for placing in itertools.permutations(columns):
        if size == len({placing[i] + i for i in columns}) == len({placing[i] - i for i in columns}):
            found += 1
    return found


def containers():
    counts = collections.Counter()
    groups = collections.defaultdict(list)
    queue = collections.deque(maxlen=100)
    for number in range(20000):
        key = f"key{number % 97}"
        counts[key] += 1
        groups[number % 13].append(number)
        queue.append((number, key))
    table = {key: value for key, value in counts.items() if value > 5}
    table.update({str(number): number for number in range(500)})
    for key in list(table):
        if key in table and table.get(key, 0) % 2:
            del table[key]
    numbers = sorted((value * 7919 % 10007 for value in range(8000)), reverse=True)
    words = sorted(table, key=lambda word: (len(word), word))
    unique = set(numbers) & set(range(5000)) | {1, 2, 3}
    pairs = [(a, b) for a in range(60) for b in range(60) if a < b and (a + b) % 3 == 0]
    first, *middle, last = numbers
    numbers.sort()
    del numbers[10:500:3]
    return len(words), len(unique), len(pairs), first, last, len(middle), counts.most_common(3)


def generators():
    def count(limit):
        number = 0
        while number < limit:
            sent = yield number
            number += sent or 1

    def chain(*sources):
        for source in sources:
            yield from source

    total = sum(
        chain(count(20000), (value * 2 for value in range(20000)), map(abs, range(-9000, 0)))
    )
    total += sum(itertools.islice(itertools.accumulate(itertools.count()), 5000))
    steps = count(1000)
    next(steps)
    with contextlib.suppress(StopIteration):
        while True:
            total += steps.send(3)
    return total


def exceptions():
    caught = 0
    for number in range(8000):
        try:
            if number % 3 == 0:
                raise ValueError(f"bad {number}")
            if number % 3 == 1:
                {}["missing"]
            [][number]
        except (KeyError, IndexError) as error:
            caught += len(error.args)
        except ValueError:
            caught += 2
        finally:
            caught += 1
    return caught


def objects():
    points = [Point(number, number / 2) for number in range(3000)]
    total = functools.reduce(operator.add, points)
    shapes = [Square(number) for number in range(2000)]
    area = sum(shape.area() for shape in shapes)
    names = [repr(shape) for shape in shapes[:500]]
    kinds = [isinstance(shape, Shape) and hasattr(shape, "corners") for shape in shapes]
    points.sort()
    parsed = [Point.parse(f"{number},{number}.5").length for number in range(1000)]
    colours = [Colour(number % 3 + 1).name for number in range(2000)]
    return total, area, len(names), all(kinds), max(points), sum(parsed), len(colours)


def matching(value):
    match value:
        case 0 | 1:
            return "small"
        case [first, *_]:
            return first
        case {"name": str(name)}:
            return name
        case Point(x=x) if x > 3:
            return x
        case _:
            return None


@functools.cache
def cached(n):
    return n if n < 2 else cached(n - 1) + cached(n - 2)


async def tasks():
    queue = asyncio.Queue()

    async def produce():
        for number in range(500):
            await queue.put(number)
            if number % 50 == 0:
                await asyncio.sleep(0)

    async def consume():
        return sum([await queue.get() for _ in range(500)])

    async def small(number):
        await asyncio.sleep(0)
        return number

    _, total = await asyncio.gather(produce(), consume())
    return total + sum(await asyncio.gather(*(small(number) for number in range(500))))


for _ in range(3):
    calls(19)
    arithmetic()
    sieve(100000)
    matrices(40)
    queens(7)
    containers()
    generators()
    exceptions()
    objects()
    for number in range(4000):
        matching([number % 3, [number], {"name": "x"}, Point(number), "other"][number % 5])
    cached.cache_clear()
    cached(300)
    asyncio.run(tasks())
print("done")
