"""Operator protocols: reflected, in-place, NotImplemented, comparisons and their errors."""


class Money:
    def __init__(self, amount):
        self.amount = amount

    def __repr__(self):
        return f"Money({self.amount})"

    def __add__(self, other):
        if isinstance(other, Money):
            return Money(self.amount + other.amount)
        return NotImplemented

    def __radd__(self, other):
        if other == 0:
            return self
        return NotImplemented

    def __imul__(self, factor):
        self.amount *= factor
        return self

    def __matmul__(self, other):
        return f"{self!r} @ {other!r}"

    def __rpow__(self, base, mod=None):
        return ("rpow", base, mod)

    def __pow__(self, exponent, mod=None):
        return ("pow", exponent, mod)

    def __lt__(self, other):
        return self.amount < other.amount

    def __eq__(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        return self.amount == other.amount

    def __neg__(self):
        return Money(-self.amount)

    def __divmod__(self, n):
        return divmod(self.amount, n)

    def __round__(self, n=None):
        return ("round", n)

    def __bool__(self):
        return self.amount != 0

    def __index__(self):
        return self.amount

    def __contains__(self, item):
        return item == "coin"


a = Money(5)
b = a
b *= 3
print(a is b, a, sum([Money(1), Money(2)]), a @ 2, 2**a, pow(a, 2, 7), -a, divmod(a, 4))
print(a > Money(1), a == 15, a != 15, Money(1) == Money(1), round(a), round(a, 2), bool(Money(0)))
print(
    "abcdefghijklmnopqrstuvwxyz"[a],
    bin(a),
    "coin" in a,
    "note" in a,
    [0, 1, 2][Money(1) : Money(3)],
)
attempts = [
    lambda: a + 1,
    lambda: 1 + a,
    lambda: a - a,
    lambda: a <= a,
    lambda: {a},
    lambda: a[0],
    lambda: a(),
    lambda: ~a,
    lambda: a.amuont,
    lambda: iter(a),
    lambda: len(a),
    lambda: float(a),
    lambda: "x" + 1,
    lambda: 1 + "x",
    lambda: [1] + (2,),
    lambda: {} | [],
    lambda: 1 < "a",
    lambda: None > 1,
    lambda: -"x",
    lambda: [] @ [],
    lambda: 5 // 0,
    lambda: 5.0 % 0,
    lambda: 1 << -1,
    lambda: divmod(1, 0.0),
    lambda: 0**-1,
    lambda: (-8) ** 0.5,
    lambda: pow(2, -1, 4),
    lambda: [1, 2, 3]["a"],
    lambda: {}["k"],
    lambda: (1, 2)[5],
    lambda: "abc"[10],
    lambda: del_item(),
    lambda: a.__add__(1),
]
for each in attempts:
    try:
        print(each())
    except Exception as error:
        print(type(error).__name__, error)
