"""__format__ of one's own, format() of containers, nested specs, str subclasses."""

from datetime import date
from decimal import Decimal


class Temperature:
    def __init__(self, celsius):
        self.celsius = celsius

    def __format__(self, spec):
        unit = spec[-1:] or "C"
        value = self.celsius * 9 / 5 + 32 if unit == "F" else self.celsius
        return f"{value:{spec[:-1] or '.1f'}}°{unit}"


t = Temperature(21.456)
print(f"{t} {t:F} {t:.3fC} {t:>8.0fF}", "{:.2fF}".format(t), format(t))
print(
    f"{date(2024, 5, 6):%A}",
    f"{Decimal('3.14159'):.2f}",
    f"{[1, 2]!s:>10}",
    f"{(1,)}",
    f"{ {1: 2} }",
    f"{None}",
    f"{...}",
)
for value, spec in (
    ([], "5"),
    ({}, ">3"),
    (None, "d"),
    ("x", "+"),
    (1.5, "s"),
    (1, "q"),
    (object, "x"),
    (b"x", "3"),
    (True, "s"),
    (1j, "%"),
    ("a", "=5"),
    (5, ".2"),
    (5, "s"),
    ("s", "0=5"),
    (1.5, "x"),
):
    try:
        print(repr(format(value, spec)))
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)


class Loud(str):
    def __str__(self):
        return self.upper() + "!"


print(
    Loud("a"),
    f"{Loud('b')}",
    f"{Loud('c')!s}",
    f"{Loud('d')!r}",
    "%s" % Loud("e"),
    "".join([Loud("f")]),
    Loud("g") + "h",
)
