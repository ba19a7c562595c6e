"""The numeric tower: registered types and operations."""

import numbers
from decimal import Decimal
from fractions import Fraction

for value in (1, True, 1.5, 1j, Fraction(1, 2), Decimal("1"), "1"):
    print(
        repr(value),
        [
            n
            for n in ("Number", "Complex", "Real", "Rational", "Integral")
            if isinstance(value, getattr(numbers, n))
        ],
    )
for a, b in (
    (1, Fraction(1, 2)),
    (1, Decimal("0.5")),
    (1.5, Fraction(1, 2)),
    (1.5, Decimal("0.5")),
    (Fraction(1, 2), Decimal("0.5")),
    (1j, Fraction(1, 2)),
    (True, 2),
):
    for name in ("add", "truediv", "eq", "lt"):
        import operator

        try:
            print(a, name, b, repr(getattr(operator, name)(a, b)), end="; ")
        except TypeError as error:
            print(error, end="; ")
    print()
