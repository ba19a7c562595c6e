"""Signs of // and %, divmod, floor and truncation, for ints, floats, fractions."""

import math
from fractions import Fraction

for a in (7, -7, 0, 6.5, -6.5):
    for b in (2, -2, 3):
        print(
            a,
            b,
            a // b,
            a % b,
            divmod(a, b),
            math.fmod(a, b),
            int(a / b),
            math.floor(a / b),
            Fraction(a) // b,
            round(a / b),
        )
print(
    -1 // 10,
    -1 % 10,
    1 // -10,
    5 // 0.3,
    5 % 0.3,
    1e20 // 3,
    10**20 // 3,
    10**20 % 7,
    -(10**20) // 3,
    2**100 // 10**10,
    True // 2,
    -5 // 2 * 2 + -5 % 2,
)
