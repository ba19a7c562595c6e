"""fractions.Fraction: construction, arithmetic, limits, formatting, errors."""

import math
from decimal import Decimal
from fractions import Fraction as F

print(
    F(3, 6),
    F("0.125"),
    F("-3/4"),
    F(" 7 "),
    F("1e-3"),
    F(0.1),
    F(Decimal("1.25")),
    F(2.5),
    F(1, -2),
    F(),
    F(True),
    F("1_000/3"),
    repr(F(1, 3)),
    F.from_float(0.75),
    F.from_number(4),
)
print(
    F(1, 3) + F(1, 6),
    F(1, 3) * 3,
    F(1, 3) - 1,
    F(1, 3) / F(2, 9),
    F(7, 2) // 1,
    F(-7, 2) % 2,
    divmod(F(7, 2), F(2, 3)),
    F(2, 3) ** 3,
    F(2, 3) ** -2,
    F(4) ** F(1, 2),
    2 ** F(1, 2),
    -F(1, 2),
    abs(F(-1, 2)),
    F(1, 2) + 0.5,
    F(1, 2) + 1j,
    1 - F(1, 4),
)
print(
    F(1, 2) == 0.5,
    F(1, 3) == 1 / 3,
    F(1, 2) < 0.6,
    hash(F(1, 2)) == hash(0.5),
    F(4, 2) == 2,
    hash(F(2)) == hash(2),
    sorted([F(1, 2), 0.3, F(2, 3)]),
)
print(
    F(math.pi).limit_denominator(1000),
    F("3.1415926535897932").limit_denominator(100),
    round(F(7, 2)),
    round(F(5, 2)),
    round(F(22, 7), 3),
    math.floor(F(-1, 2)),
    math.ceil(F(1, 2)),
    int(F(-7, 2)),
    float(F(1, 3)),
    F(3, 4).as_integer_ratio(),
    F(6, 3).is_integer(),
)
print(
    f"{F(1, 3):.5f}",
    f"{F(22, 7):10.3f}|",
    f"{F(1, 7):e}",
    f"{F(3, 4):%}",
    f"{F(1000000, 3):,.2f}",
    f"{F(1, 3)}",
    f"{F(3, 2):>8}",
    f"{F(5):#}",
    f"{F(1, 2):+}",
    str(F(3)),
)
print(
    sum([F(1, n) for n in range(1, 11)]),
    math.prod([F(n, n + 1) for n in range(1, 6)]),
    max(F(1, 3), F(2, 7)),
)
for attempt in (
    lambda: F(1, 0),
    lambda: F("a"),
    lambda: F("1/0"),
    lambda: F(1.5, 2),
    lambda: F(float("nan")),
    lambda: F(float("inf")),
    lambda: F("1/ 2"),
    lambda: F(1) / 0,
    lambda: F(0) ** -1,
    lambda: F(None),
    lambda: F(1, 2) < "a",
    lambda: F(1, 2).limit_denominator(0),
    lambda: f"{F(1, 2):d}",
    lambda: F("1", "2"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
