"""math and cmath over a grid of values, printed in full precision where they are exact enough."""

import cmath
import math

for x in (-2.5, -1, -0.5, 0, 0.25, 0.5, 1, 2, 3.5, 10):
    print(
        x,
        *(
            f"{f(x):.12g}"
            for f in (
                math.sin,
                math.cos,
                math.tan,
                math.atan,
                math.sinh,
                math.cosh,
                math.tanh,
                math.exp,
                math.expm1,
                math.asinh,
                math.cbrt,
                math.exp2,
                math.erf,
                math.erfc,
                math.degrees,
                math.radians,
            )
        ),
    )
for x in (0.1, 0.5, 1, 2, 10, 1e10, 1e-10):
    print(
        x,
        *(
            f"{f(x):.12g}"
            for f in (
                math.log,
                math.log2,
                math.log10,
                math.log1p,
                math.sqrt,
                math.gamma,
                math.lgamma,
            )
        )
        if x < 100
        else (f"{math.log(x):.12g}", math.sqrt(x)),
    )
print(
    math.log(8, 2),
    math.log10(1000),
    math.log2(2**70),
    math.log(10**400),
    math.log2(10**400),
    math.log10(10**400),
    math.log(2**1000) / math.log(2),
)
print(
    math.gcd(12, 18, 27),
    math.gcd(),
    math.lcm(4, 6),
    math.lcm(0, 5),
    math.comb(10, 3),
    math.perm(10, 3),
    math.perm(5),
    math.factorial(25),
    math.isqrt(10**30),
    math.isqrt(99),
)
print(
    math.hypot(3, 4),
    math.hypot(1, 2, 3),
    math.dist((1, 2), (4, 6)),
    f"{math.atan2(-1, -1):.12f}",
    math.atan2(0.0, -0.0) == math.pi,
    math.isclose(0.1 + 0.2, 0.3),
    math.isclose(1, 1.1, rel_tol=0.2),
    math.isfinite(math.inf),
)
print(
    math.pi,
    math.e,
    math.tau,
    math.inf,
    math.nan,
    f"{math.acos(0.5):.12f}",
    f"{math.asin(-1):.12f}",
    f"{math.acosh(2):.12f}",
    f"{math.atanh(0.5):.12f}",
)
for z in (1j, -1 + 0j, 3 + 4j, -2.5j, 0.5):
    print(
        z,
        *(
            f"{f(z):.10g}"
            for f in (
                cmath.sqrt,
                cmath.exp,
                cmath.sin,
                cmath.cosh,
                cmath.atan if z not in (1j,) else cmath.exp,
            )
        ),
        abs(z),
        f"{cmath.phase(z):.10g}",
        tuple(round(p, 10) for p in cmath.polar(z)),
    )
print(
    complex("1+2j"),
    complex(" -3j "),
    complex("nan"),
    complex(1, -0.0),
    1j * 1j,
    (1 + 2j) / (3 - 4j),
    (1 + 2j) ** 2,
    (2 + 0j) ** -1,
    (1 + 2j).conjugate(),
    -(1 + 0j),
    1 + 2j == 1 + 2j,
    0j == -0j,
    complex(1.5),
    f"{cmath.rect(2, math.pi / 2):.3f}",
    abs(3 - 4j),
    hash(1 + 0j) == hash(1),
)
for attempt in (
    lambda: complex("1 + 2j"),
    lambda: complex("a"),
    lambda: complex("1", 2),
    lambda: 1j < 2j,
    lambda: int(1j),
    lambda: float(1j),
    lambda: 1j // 1,
    lambda: 1j / 0,
    lambda: 0j**-1,
    lambda: cmath.log(0),
    lambda: math.sin(1j),
    lambda: abs("a"),
    lambda: complex(None),
    lambda: complex(1, "2"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)
