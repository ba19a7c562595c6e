"""Large integers, bases, bit operations, division, conversion and its limits."""

import sys

print(
    2**200,
    -(2**65) // 3,
    (-7) // 2,
    -7 % 3,
    7 % -3,
    divmod(-7, 2),
    divmod(7, -2),
    -7 >> 1,
    1 << 70,
    ~5,
    6 & -4,
    6 | -8,
    6 ^ -1,
)
print(
    int("  12_000 "),
    int("0x1f", 16),
    int("1f", 16),
    int("0b101", 0),
    int("z", 36),
    int("-0o17", 0),
    int("٣"),
    int(True),
    int(-3.99),
    int(1e20),
    int("0"),
    int("00012"),
)
print(
    bin(-10),
    oct(64),
    hex(2**40),
    f"{10**20:,}",
    f"{2**64:_x}",
    (10**30).bit_length(),
    (255).bit_count(),
    (-1).bit_count(),
)
print(
    (1024).to_bytes(2),
    (1024).to_bytes(4, "little"),
    (-1).to_bytes(2, signed=True),
    int.from_bytes(b"\x04\x00"),
    int.from_bytes(b"\xff\xfe", "little", signed=True),
    (0).to_bytes(0),
)
print(
    pow(3, 100, 7),
    pow(2, -1, 7),
    pow(-2, 3),
    pow(0, 0),
    0**0,
    pow(10**30, 3, 10**15 + 7),
    (-3) ** 3,
    2**-2,
    (-8) ** (1 / 3),
)
print(
    (3).as_integer_ratio(),
    (5).is_integer(),
    (5).conjugate(),
    (5).numerator,
    (5).real,
    int.__add__(1, 2),
    (7).__divmod__(2),
    round(12345, -2),
    round(15, -1),
    round(25, -1),
    round(-15, -1),
    round(5),
)
print(hash(12), hash(-1), hash(10**20) == hash(float(10**20)), hash(2**80) == hash(2.0**80))
print(
    1 == 1.0 == True,
    2**53 + 1 == float(2**53 + 1),
    10**25 == 1e25,
    2**1000 > 1e300,
    10**400 > float("inf"),
    1 < 1.5 < 2,
)
print(sys.get_int_max_str_digits(), len(str(10**4299)), sys.int_info.default_max_str_digits)
a = 3**500
b = 7**300
print(
    a // b,
    (a * b) % 1000000007,
    a % b == a - (a // b) * b,
    (a * b) // b == a,
    len(str(a * b)),
    (a << 100) >> 100 == a,
    a & b,
    hex(a ^ b)[:40],
)
attempts = [
    lambda: str(10**4300),
    lambda: int("1" * 4301),
    lambda: int("abc"),
    lambda: int(""),
    lambda: int("1.5"),
    lambda: int("1__0"),
    lambda: int("_1"),
    lambda: int("9", 8),
    lambda: int("1", 37),
    lambda: int("1", 1),
    lambda: int(None),
    lambda: int(float("inf")),
    lambda: int(float("nan")),
    lambda: int([]),
    lambda: int(5, 10),
    lambda: (256).to_bytes(1),
    lambda: (-1).to_bytes(1),
    lambda: (1).to_bytes(2, "middle"),
    lambda: 1 // 0,
    lambda: 1 % 0,
    lambda: 1 / 0,
    lambda: divmod(1, 0),
    lambda: 1 << -1,
    lambda: pow(1, 2, 0),
    lambda: pow(2, 0.5, 3),
    lambda: 10**400 / 3.0,
    lambda: float(10**400),
    lambda: 1 << (1 << 80),
    lambda: int("1" * 50 + "x" * 200),
    lambda: 10**20 @ 2,
    lambda: int.from_bytes("a"),
    lambda: int.from_bytes([256]),
    lambda: "a" * (1 << 80),
    lambda: range(1 << 80)[1 << 70],
    lambda: len(range(1 << 80)),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
