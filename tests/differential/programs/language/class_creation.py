"""Class bodies: names, private names, qualified names, __slots__, docstrings, static attributes."""


class Outer:
    """A docstring."""

    class Inner:
        def method(self):
            self.set_here = 1
            return __class__

    def __private(self):
        return "mangled"

    def call(self):
        self.other = 1
        return self.__private()

    async def coro(self): ...


print(
    Outer.__doc__, Outer.Inner.__qualname__, Outer.Inner.method.__qualname__, Outer.Inner().method()
)
print(
    Outer().call(),
    [n for n in dir(Outer) if "private" in n],
    Outer.__static_attributes__,
    Outer.__firstlineno__,
)
print(Outer.__module__, Outer.__name__, "call" in Outer.__dict__, type(Outer.__dict__))


def make():
    class Local:
        pass

    return Local


print(make(), make() is make(), make().__qualname__)
try:

    class Bad:
        __slots__ = ("a", "1b")
except TypeError as error:
    print(error)
try:

    class Conflict:
        __slots__ = ("a",)
        a = 1
except ValueError as error:
    print(error)
try:

    class Boom:
        print("in body")
        1 / 0
except ZeroDivisionError as error:
    print("body failed", error)
try:

    class Named:
        class Attr:
            def __set_name__(self, owner, name):
                raise ValueError("refused")

        attr = Attr()
except ValueError as error:
    print(repr(error), error.__notes__)


class WithSlots:
    __slots__ = {"x": "documented", "y": None}


print(WithSlots.__slots__, WithSlots.x, WithSlots.x.__doc__)
C = type("C", (), {"a": 1, "__doc__": "made"})
print(C, C.a, C.__doc__, C().__class__.__name__)
C.__name__ = "Renamed"
print(C, C.__qualname__)
for wrong in (1, "a\0b"):
    try:
        C.__name__ = wrong
    except Exception as error:
        print(type(error).__name__, error)
for immutable in (int, list, object):
    try:
        immutable.attribute = 1
    except TypeError as error:
        print(error)
