"""gcd, modular inverses, Miller-Rabin, factorising, totient, continued fractions, Pythagorean triples."""

import math
from fractions import Fraction
from itertools import count


def is_prime(n):
    if n < 2 or any(n % p == 0 for p in (2, 3, 5, 7) if n != p):
        return n in (2, 3, 5, 7)
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    return all(
        pow(a, d, n) in (1, n - 1) or any(pow(a, d * 2**i, n) == n - 1 for i in range(1, r))
        for a in (2, 3, 5, 7, 11, 13, 17)
        if a < n
    )


def factors(n):
    for p in count(2):
        while n % p == 0:
            yield p
            n //= p
        if p * p > n:
            if n > 1:
                yield n
            return


print(
    [n for n in range(60) if is_prime(n)],
    is_prime(2**61 - 1),
    is_prime(2**67 - 1),
    list(factors(360)),
    list(factors(2**31 - 2)),
    math.prod(factors(9991)),
)
print(
    sum(math.gcd(n, 36) == 1 for n in range(36)),
    pow(17, -1, 3120),
    42 * pow(42, -1, 2017) % 2017,
    math.lcm(*range(1, 21)),
)
p, q, e = 10007, 10009, 65537
d = pow(e, -1, (p - 1) * (q - 1))
print(
    pow(pow(12345, e, p * q), d, p * q),
    [
        (a, b, c)
        for a in range(1, 20)
        for b in range(a, 20)
        if (c := math.isqrt(a * a + b * b)) ** 2 == a * a + b * b
    ],
)
x, terms = Fraction(415, 93), []
while True:
    whole = x.numerator // x.denominator
    terms.append(whole)
    if x == whole:
        break
    x = 1 / (x - whole)
print(terms, [str(Fraction(math.e).limit_denominator(n)) for n in (10, 100, 1000)])
a, b = 0, 1
fib = []
for _ in range(15):
    fib.append(a)
    a, b = b, a + b
print(fib, sum(f for f in fib if f % 2 == 0))
