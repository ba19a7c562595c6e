"""Rounding in prices, totals, taxes, splitting a bill; floats against decimals."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

prices = [19.99, 0.1, 0.2, 2.675, 1.005, 100.125]
print(
    sum(prices),
    round(sum(prices), 2),
    [round(p, 2) for p in prices],
    [f"{p:.2f}" for p in prices],
    ["%.1f" % p for p in (0.25, 0.35, 0.45)],
)
exact = [Decimal(str(p)) for p in prices]
for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN):
    print(
        mode,
        sum(exact),
        [str(p.quantize(Decimal("0.01"), mode)) for p in exact],
        (sum(exact) * Decimal("0.19")).quantize(Decimal("0.01"), mode),
    )


def split(total, people):
    cents = int(Decimal(str(total)) * 100)
    share, rest = divmod(cents, people)
    return [f"{(share + (i < rest)) / 100:.2f}" for i in range(people)]


print(split(100, 3), split(0.05, 4), split(19.99, 6), sum(Fraction(s) for s in split(19.99, 6)))
print(
    0.1 + 0.2 == 0.3,
    Decimal("0.1") + Decimal("0.2") == Decimal("0.3"),
    Fraction(1, 10) + Fraction(2, 10) == Fraction(3, 10),
    1e16 + 1 - 1e16,
    3 * 1.1,
    1.1 + 2.2,
    4.35 * 100,
    int(4.35 * 100),
    round(4.35 * 100),
    0.57 * 100,
    (1.15).hex(),
    (0.1).as_integer_ratio(),
)
balance = Decimal("1000")
for year in range(1, 6):
    balance = (balance * (1 + Decimal("0.0325"))).quantize(Decimal("0.01"))
    print(year, f"{balance:,}", f"{float(balance):>12,.2f}", f"{balance:.1e}")
