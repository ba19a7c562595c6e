"""A cash register: change by coins, receipts, discounts, taxes in cents."""

from collections import Counter
from typing import NamedTuple


class Line(NamedTuple):
    name: str
    cents: int
    count: int = 1
    tax: int = 19

    @property
    def total(self):
        return self.cents * self.count


def money(cents):
    sign, cents = "-" * (cents < 0), abs(cents)
    return f"{sign}{cents // 100},{cents % 100:02d}"


def change(cents, drawer):
    out = Counter()
    for coin in sorted(drawer, reverse=True):
        n = min(cents // coin, drawer[coin])
        if n:
            out[coin] = n
            cents -= n * coin
    if cents:
        raise ValueError(f"{money(cents)} cannot be paid out")
    return out


lines = [Line("Bread", 320, tax=7), Line("Milk", 119, 3, 7), Line("Pan", 2499)]
total = sum(line.total for line in lines)
for line in lines:
    print(
        f"{line.count:>2} x {line.name:<8}{money(line.cents):>8}{money(line.total):>9} {'AB'[line.tax == 19]}"
    )
print(f"{'Total':<21}{money(total):>9}")
for tax in sorted({line.tax for line in lines}):
    gross = sum(line.total for line in lines if line.tax == tax)
    print(f"{tax:>3}% of {money(gross):>7}: {money(round(gross * tax / (100 + tax))):>6}")
drawer = {2000: 1, 1000: 1, 500: 0, 200: 3, 100: 1, 50: 2, 20: 5, 10: 1, 5: 0, 2: 3, 1: 0}
print(
    {money(c): n for c, n in change(5000 - total, drawer).items()}, lines[0]._replace(count=2).total
)
change(1, drawer)
