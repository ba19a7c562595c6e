"""Roman numerals, number words, prime sieve, collatz, perfect numbers, bases, big factorials."""

import math
from itertools import compress, count, islice

ROMAN = list(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        "M CM D CD C XC L XL X IX V IV I".split(),
    )
)


def to_roman(n):
    if not 0 < n < 4000:
        raise ValueError(f"{n} has no Roman numeral")
    out = ""
    for value, letters in ROMAN:
        times, n = divmod(n, value)
        out += letters * times
    return out


def from_roman(text):
    total = 0
    values = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000)))
    for a, b in zip(text, text[1:] + "I"):
        total += -values[a] if values[a] < values[b] and b != text[-1:] * 0 else values[a]
    return total


ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def words(n):
    if n < 0:
        return "minus " + words(-n)
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ("-" + ONES[n % 10] if n % 10 else "")
    for size, name in (
        (10**9, "billion"),
        (10**6, "million"),
        (1000, "thousand"),
        (100, "hundred"),
    ):
        if n >= size:
            rest = f" {'and ' if n % size < 100 else ''}{words(n % size)}" if n % size else ""
            return f"{words(n // size)} {name}{rest}"


def primes(n):
    sieve = bytearray([1]) * (n + 1)
    sieve[:2] = b"\0\0"
    for i in range(2, math.isqrt(n) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, n + 1, i)))
    return compress(count(), sieve)


print([to_roman(n) for n in (1, 4, 9, 14, 40, 90, 400, 1994, 2024, 3999)], from_roman("MCMXCIV"))
print([words(n) for n in (0, 13, 21, 100, 101, 999, 1000, 1234567, -45, 10**9 + 1)])
p = list(primes(10_000))
print(
    len(p),
    p[-3:],
    sum(p),
    [n for n in range(2, 500) if sum(d for d in range(1, n // 2 + 1) if n % d == 0) == n],
)


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


print(
    max(range(1, 3000), key=collatz),
    collatz(27),
    math.factorial(50),
    sum(map(int, str(2**1000))),
    list(islice((n for n in count(1) if str(n * n).endswith(str(n))), 6)),
)


def base(n, b):
    digits = ""
    while n:
        n, d = divmod(n, b)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[d] + digits
    return digits or "0"


print(
    [base(255, b) for b in (2, 8, 16, 36)],
    all(int(base(n, 7), 7) == n for n in range(200)),
    f"{math.pi:.10f}",
    sum((-1) ** k / (2 * k + 1) for k in range(1000)) * 4,
)
to_roman(4000)
