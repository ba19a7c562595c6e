"""Floats: repr, rounding, conversion, special values, hex, arithmetic that surprises."""

import math
import sys

print(
    0.1 + 0.2,
    1 / 3,
    2 / 3,
    1e16,
    1e15,
    123456789012345680.0,
    1e-5,
    0.0001,
    5e-324,
    1.7976931348623157e308,
    1e22,
    1e23,
    -0.0,
    100.0,
    1.1 * 3,
)
print(
    float("1e500"),
    float("-inf"),
    float("nan"),
    float(" 1_0.5e1 "),
    float("INFINITY"),
    float("1."),
    float(".5"),
    float("٣.٥"),
    float(True),
)
print(
    [round(x) for x in (0.5, 1.5, 2.5, -0.5, 2.675, 1e20)],
    [round(x, 2) for x in (2.675, 1.005, 0.125, 0.375, -1.115, 1e22)],
    round(1234.567, -2),
    round(0.5, 0),
    round(1e300, 300),
)
print(
    (0.5).as_integer_ratio(),
    (0.1).as_integer_ratio(),
    (1.5).hex(),
    float.fromhex("0x1.8p+1"),
    float.fromhex("-0x.1p-3"),
    (0.1).hex(),
    (2.0).is_integer(),
    (2.5).is_integer(),
    float.from_number(3),
)
print(
    7.5 // 2,
    -7.5 // 2,
    7.5 % 2,
    -7.5 % 2,
    7.5 % -2,
    divmod(-7.5, 2),
    1e300 * 1e10,
    -1e300 * 1e10,
    2.0**0.5,
    (-8.0) ** 2,
    0.0**0,
    2.0**-1074,
    float("inf") - float("inf"),
    0.0 == -0.0,
)
nan = float("nan")
print(
    nan == nan,
    nan in [nan],
    [nan] == [nan],
    {nan: 1}.get(nan),
    min(nan, 1),
    min(1, nan),
    max(1, nan),
    sorted([2, 1]),
    hash(float("inf")),
    math.isnan(nan),
    nan != nan,
)
print(
    hash(1.0),
    hash(-0.0),
    sys.float_info.max,
    sys.float_info.epsilon,
    sys.float_info.dig,
    sys.float_info.min,
    sys.float_repr_style,
)
print(
    math.floor(-0.5),
    math.ceil(-0.5),
    math.trunc(-1.9),
    math.floor(1e20),
    math.nextafter(1, 2),
    math.ulp(1.0),
    math.copysign(3, -0.0),
    math.frexp(10),
    math.ldexp(0.5, 4),
    math.modf(-3.25),
    math.fmod(-7, 3),
    math.remainder(7, 4),
)
print(
    sum([0.1] * 10),
    math.fsum([0.1] * 10),
    sum([1e16, 1, -1e16]),
    math.sumprod([0.1, 0.2], [3, 4]),
    sum([0.1, 1j]),
    math.prod([0.5, 4]),
    math.fma(2, 3, 4),
)
for attempt in (
    lambda: 1.0 / 0,
    lambda: 1.0 // 0,
    lambda: 1.0 % 0,
    lambda: 0.0**-1,
    lambda: float("abc"),
    lambda: float(""),
    lambda: float("1e"),
    lambda: float(None),
    lambda: float("1_"),
    lambda: round(nan),
    lambda: round(float("inf")),
    lambda: math.floor(nan),
    lambda: float.fromhex("xyz"),
    lambda: float.fromhex("0x1p5000"),
    lambda: nan.as_integer_ratio(),
    lambda: round(1.5, "a"),
    lambda: float("0x10"),
    lambda: 1.5 << 1,
    lambda: 1.5 & 1,
    lambda: math.sqrt(-1),
    lambda: math.log(0),
    lambda: math.exp(1000),
    lambda: math.factorial(-1),
    lambda: math.factorial(2.5),
    lambda: math.gcd(1.5, 2),
    lambda: math.acos(2),
    lambda: math.comb(-1, 2),
    lambda: math.isqrt(-1),
    lambda: math.log(-5, 2),
    lambda: math.pow(0, -1),
    lambda: math.fmod(1, 0),
    lambda: math.gamma(-1),
    lambda: math.ldexp(1, 5000),
    lambda: math.sumprod([1], [1, 2]),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
