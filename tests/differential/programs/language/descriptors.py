"""Descriptors: order of look-up, __set_name__, slots, properties and cached ones."""

from functools import cached_property


class Typed:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        print("named", owner.__name__, name)
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return getattr(instance, self.name, None)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name[1:]} must be {self.kind.__name__}")
        setattr(instance, self.name, value)

    def __delete__(self, instance):
        print("deleting", self.name)
        delattr(instance, self.name)


class NonData:
    def __get__(self, instance, owner):
        return f"from descriptor of {owner.__name__}"


class Account:
    owner = Typed(str)
    balance = Typed(int)
    label = NonData()
    __slots__ = ("__dict__", "_balance", "_owner")

    @property
    def double(self):
        """Twice the balance."""
        return self.balance * 2

    @double.setter
    def double(self, value):
        self.balance = value // 2

    @cached_property
    def slow(self):
        print("computing")
        return 42

    def __getattr__(self, name):
        return f"no {name}"


a = Account()
a.owner = "Ann"
a.balance = 5
print(a.owner, a.balance, a.double, a.label, a.slow, a.slow, a.missing)
a.double = 20
print(a.balance)
a.__dict__["label"] = "own"
a.__dict__["owner"] = "hidden"
print(a.label, a.owner, Account.double.__doc__)
for attempt in (
    lambda: setattr(a, "balance", "x"),
    lambda: delattr(a, "double"),
    lambda: delattr(a, "balance"),
    lambda: delattr(a, "balance"),
):
    try:
        print(attempt())
    except Exception as error:
        print(type(error).__name__, error)


class Strict:
    __slots__ = ("x",)


s = Strict()
for attempt in (lambda: s.x, lambda: setattr(s, "y", 1), lambda: s.__dict__):
    try:
        print(attempt())
    except AttributeError as error:
        print(error)


class ReadOnly:
    @property
    def value(self):
        return 1


for attempt in (lambda: setattr(ReadOnly(), "value", 2), lambda: setattr(ReadOnly, "value", 2)):
    try:
        attempt()
        print(ReadOnly.value)
    except AttributeError as error:
        print(error)
