"""decimal: contexts, rounding modes, signals, special values, formatting."""

import decimal
from decimal import Context, Decimal, getcontext, localcontext

D = Decimal
print(
    D("0.1") + D("0.2"),
    D(0.1),
    D("1.10") * 3,
    D(1) / 3,
    D("1E+3"),
    D("-0"),
    D("1.20").normalize(),
    D("100").normalize(),
    D("123.456").quantize(D("0.01")),
    D(10) ** 20,
    D(2).sqrt(),
)
for mode in (
    "ROUND_UP",
    "ROUND_DOWN",
    "ROUND_CEILING",
    "ROUND_FLOOR",
    "ROUND_HALF_UP",
    "ROUND_HALF_DOWN",
    "ROUND_HALF_EVEN",
    "ROUND_05UP",
):
    print(
        mode,
        [
            str(D(x).quantize(D("0.1"), rounding=mode))
            for x in ("0.25", "0.35", "-0.25", "0.05", "1.01", "-1.09")
        ],
    )
with localcontext(prec=5) as c:
    print(
        D(1) / 7,
        D("123456789") + 0,
        D(2) ** D("0.5"),
        c.flags[decimal.Inexact],
        c,
    )
print(D(1) / 7, getcontext().prec, getcontext().rounding)
print(
    D("NaN"),
    D("-Infinity"),
    D("sNaN12"),
    D("Inf") + 1,
    D("NaN") == D("NaN"),
    D(3).compare(D(5)),
    D("1.0") == D("1"),
    D("1.0") is D("1"),
    hash(D("1.0")) == hash(1),
    D("1.5") == 1.5,
    D("0.1") == 0.1,
    D(5) > 4.5,
)
print(
    D("12345.678").as_tuple(),
    D("-1.5").as_integer_ratio(),
    D("1.5e10").to_eng_string(),
    D("123").adjusted(),
    D("5.5").to_integral_value(),
    D("-7") // 2,
    D("-7") % 2,
    divmod(D(7), D(2)),
    D(7).remainder_near(4),
    D("1e5").scaleb(-3),
    D("10").ln(),
    D(100).log10(),
    D(1).exp(),
)
print(
    f"{D('1234567.891'):,.2f}",
    f"{D('0.000123'):e}",
    f"{D('12'):>8}",
    f"{D('1.5'):.0f}",
    f"{D('2.5'):.0f}",
    f"{D('0.25'):%}",
    f"{D('1E+10'):f}",
    f"{D('1e-10')}",
    f"{D('NaN'):5}",
    repr(D("1.0")),
    str(D("0E-8")),
    str(D("1E-7")),
)
print(
    D("3.14").next_plus(),
    D(5).max(3),
    D("1").logical_and(D("1")),
    D("1101").logical_xor(D("1011")),
    D(1).rotate(1),
    D("7").fma(2, 3),
    D((1, (1, 4, 7), -2)),
    D.from_float(0.5),
    D("１２"),
    D("1_000.5"),
    D(" 1.5 "),
)
print(
    round(D("2.675"), 2),
    round(D("2.5")),
    int(D("-3.9")),
    float(D("1.5")),
    abs(D(-3)),
    -D("0"),
    +D("-0"),
    sum([D("0.1")] * 10),
    min(D(1), D("0.5")),
    sorted([D(3), 1, D("2.5")]),
    math_floor if (math_floor := D("-0.5").__floor__()) else None,
)
attempts = [
    lambda: D(1) / 0,
    lambda: D(0) / 0,
    lambda: D("abc"),
    lambda: D("1e9999999999999999999"),
    lambda: D(-1).sqrt(),
    lambda: D(0) ** 0,
    lambda: D("sNaN") + 1,
    lambda: D(1) + 1.5,
    lambda: D(10) ** 999999999,
    lambda: D("1e30").quantize(D("0.01")),
    lambda: int(D("Inf")),
    lambda: D("NaN") < 1,
    lambda: D(1).ln() / 0,
    lambda: Context(prec=0),
    lambda: Context(rounding="x"),
    lambda: D(None),
    lambda: D((1, (10,), 0)),
    lambda: setattr(getcontext(), "prec", -1),
    lambda: D(7) % 0,
    lambda: D(-1).ln(),
    lambda: getcontext().create_decimal("1" * 40),
    lambda: f"{D(1):q}",
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
money = [("Rent", "1200.00"), ("Food", "345.678"), ("Fun", "99.995")]
total = D(0)
for name, amount in money:
    value = D(amount).quantize(D(".01"), decimal.ROUND_HALF_UP)
    total += value
    print(f"{name:<6}{value:>12,}")
print(f"{'Sum':<6}{total:>12,}", total * D("0.19"), (total * D("0.19")).quantize(D(".01")))
